"""The package: what it needs, what is in it, and that it runs where nothing but it was installed."""

from __future__ import annotations

import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from support.terminal import Terminal, clean_environment

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
PACKAGES = {"core": "glboard_core", "tui": "glboard_tui", "styles": "glboard_styles"}
#: More than this a person need not trust: glboard itself and all that its dependencies bring along.
MOST_DISTRIBUTIONS = 32


def needed(requirement: Requirement, known: set[tuple[str, str]]) -> set[tuple[str, str]]:
    """A distribution and all it needs, with the extras asked for: (name, extra), the extra "" for itself."""
    for extra in ("", *sorted(requirement.extras)):
        here = (requirement.name.lower().replace("_", "-"), extra)
        if here in known:
            continue
        known.add(here)
        for text in metadata.requires(requirement.name) or ():
            inner = Requirement(text)
            if inner.marker is None or inner.marker.evaluate({"extra": extra}):
                needed(inner, known)
    return known


def test_few_distributions_are_installed() -> None:
    found: set[tuple[str, str]] = {("glboard", "")}
    for text in PROJECT["dependencies"]:
        needed(Requirement(text), found)
    names = sorted({name for name, _ in found})
    assert {"textual", "httpx", "socksio"} <= set(names)
    assert len(names) <= MOST_DISTRIBUTIONS, names


def test_the_metadata_says_what_an_index_shows() -> None:
    assert PROJECT["requires-python"] == ">=3.11"
    assert PROJECT["license"] == "MIT"
    assert len(PROJECT["description"]) < 110
    assert {"gitlab", "kanban", "planning", "terminal"} <= set(PROJECT["keywords"])
    assert {"Environment :: Console", "Typing :: Typed"} <= set(PROJECT["classifiers"])
    for path in (PROJECT["readme"], *PROJECT["license-files"]):
        assert (ROOT / path).is_file()


def test_the_oldest_python_is_the_one_that_is_checked() -> None:
    tools = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]
    oldest = PROJECT["requires-python"].removeprefix(">=")
    assert tools["mypy"]["python_version"] == oldest
    assert tools["ruff"]["target-version"] == f"py{oldest.replace('.', '')}"
    assert f"Programming Language :: Python :: {oldest}" in PROJECT["classifiers"]


def run(*command: str | Path, home: Path) -> str:
    """The output of a command with the environment of a new user. A failure shows all it said."""
    done = subprocess.run(
        list(map(str, command)),
        env={**clean_environment(home), "PYTHONPATH": "", "PIP_DISABLE_PIP_VERSION_CHECK": "1"},
        cwd=home,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


@pytest.fixture(scope="module", name="built")
def build(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The sdist, and the wheel that was built from it."""
    folder = tmp_path_factory.mktemp("dist")
    subprocess.run([sys.executable, "-m", "build", "--outdir", folder, ROOT], check=True, capture_output=True)
    return next(folder.glob("*.tar.gz")), next(folder.glob("*.whl"))


def tracked() -> set[str]:
    """The files of the repository; without git, those of this folder as they are."""
    if not (ROOT / ".git").exists():
        pytest.skip("no repository: this is an sdist already")
    done = subprocess.run(["git", "ls-files"], cwd=ROOT, check=True, capture_output=True, text=True)
    return {name for name in done.stdout.splitlines() if (ROOT / name).is_file()}


@pytest.mark.slow
def test_the_sdist_is_the_repository_and_the_wheel_the_packages(built: tuple[Path, Path]) -> None:
    sdist, wheel = built
    files = tracked()
    with tarfile.open(sdist) as archive:
        inside = {name.partition("/")[2] for name in archive.getnames()}
    assert files <= inside, sorted(files - inside)
    with zipfile.ZipFile(wheel) as unpacked:
        inside = set(unpacked.namelist())
        about = next(unpacked.read(name).decode() for name in inside if name.endswith("/METADATA"))
    beside = {name for name in inside if ".dist-info/" in name}
    expected = {
        name.partition("/")[2]
        for name in files
        if name.startswith(tuple(f"{folder}/{package}/" for folder, package in PACKAGES.items()))
    }
    # Style sheets, templates and schemas too; no test, and nothing that lies around.
    assert inside - beside == expected
    kinds = {Path(name).suffix for name in expected}
    assert {".tcss", ".md", ".graphql", ".typed"} <= kinds
    assert {f"{package}/py.typed" for package in PACKAGES.values()} <= expected
    assert any(name.endswith("licenses/LICENSE") for name in beside)
    assert re.search(r"^Requires-Python: >=3\.11$", about, re.MULTILINE)


@pytest.mark.slow
def test_documents_can_be_tested_in_an_unpacked_sdist(built: tuple[Path, Path], tmp_path: Path) -> None:
    with tarfile.open(built[0]) as archive:
        archive.extractall(tmp_path, filter="data")
    [top] = tmp_path.iterdir()
    path = ":".join(str(top / folder) for folder in PACKAGES)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-n0", "-p", "no:cacheprovider", "tests/test_documents.py"],
        env={**clean_environment(tmp_path), "PYTHONPATH": path},
        cwd=top,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stdout


@pytest.mark.slow
def test_the_wheel_runs_where_nothing_else_is_installed(built: tuple[Path, Path], tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "venv"], check=True)
    python, glboard = (tmp_path / "venv" / "bin" / name for name in ("python", "glboard"))
    subprocess.run([python, "-m", "pip", "install", "-q", built[1]], check=True, capture_output=True)

    listed = run(python, "-m", "pip", "list", "--format", "freeze", home=tmp_path).split()
    ours = [one for one in listed if not one.startswith(("pip==", "setuptools=="))]
    assert len(ours) <= MOST_DISTRIBUTIONS, ours
    assert f"glboard=={PROJECT['version']}" in ours

    assert run(glboard, "--version", home=tmp_path).startswith(f"glboard {PROJECT['version']}\n")
    assert "complete -o nosort" in run(glboard, "completion", "bash", home=tmp_path)
    assert run(glboard, "man", home=tmp_path).startswith(".TH GLBOARD 1")
    assert "type::bug" in run(glboard, "config", "init", home=tmp_path) + (
        tmp_path / "config" / "glboard" / "config.toml"
    ).read_text("utf-8")
    with Terminal([str(glboard), "demo"], tmp_path, environment={"PYTHONPATH": ""}) as terminal:
        terminal.see("live", "Planning", "maintenance")
        terminal.press("g", "b")
        terminal.see("Build", "in dev", "in review")
        terminal.press("q")
        assert terminal.finish() == 0
        assert terminal.screen.left_on() == []
