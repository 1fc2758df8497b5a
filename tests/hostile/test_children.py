"""What we start gets no token, and runs no code of the folder it is started in."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from glboard_core import environment
from glboard_core.demo.http.process import DemoOptions, spawn
from glboard_core.gitlab.account import find_account
from glboard_tui.screens.editor import run

TRAP = "from pathlib import Path; Path({marker!r}).write_text('ran')\n"


@pytest.fixture
def tokens(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    planted = [f"planted-{name.lower()}" for name in environment.TOKENS]
    for name, value in zip(environment.TOKENS, planted, strict=True):
        monkeypatch.setenv(name, value)
    return planted


def test_the_demo_runs_nothing_of_the_current_folder_and_gets_no_token(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tokens: list[str]
) -> None:
    marker = tmp_path / "ran"
    for name in ("uvicorn", "starlette", "graphql", "glboard_core", "msgspec", "argparse"):
        (tmp_path / f"{name}.py").write_text(TRAP.format(marker=str(marker)))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(["", ".", os.environ.get("PYTHONPATH", "")]))
    with spawn(DemoOptions(issues=5)) as demo:
        seen = Path(f"/proc/{demo.pid}/environ")
        inherited = seen.read_text("utf-8", "replace") if seen.exists() else ""
    assert not marker.exists()
    assert not [token for token in tokens if token in inherited]


def test_an_editor_gets_no_token(tmp_path: Path, tokens: list[str]) -> None:
    out = tmp_path / "environment"
    code = f"import os; open({str(out)!r}, 'w').write(repr(dict(os.environ)))"
    assert run([sys.executable, "-c", code]) == 0
    assert out.read_text()
    assert not [token for token in tokens if token in out.read_text()]


def test_whatever_a_library_starts_gets_no_token(tmp_path: Path, tokens: list[str]) -> None:
    # A browser, a keyring's helper: they inherit the environment of the process.
    code = (
        "import os, subprocess, sys\n"
        "from pathlib import Path\n"
        "from glboard_core import environment\n"
        "from glboard_core.gitlab.account import find_account\n"
        "environment.take_tokens()\n"
        "assert find_account('gitlab.example.com', home=Path('/nonexistent')).source == 'GITLAB_TOKEN'\n"
        "subprocess.run([sys.executable, '-c', 'import os; print(dict(os.environ))'], check=True)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert "PATH" in done.stdout
    assert not [token for token in tokens if token in done.stdout]


def test_tokens_that_were_taken_are_still_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(environment, "_taken", {"GITLAB_TOKEN": "taken"})
    monkeypatch.delenv("GITLAB_TOKEN", raising=False)
    assert find_account("gitlab.example.com", home=tmp_path).token.reveal() == "taken"
