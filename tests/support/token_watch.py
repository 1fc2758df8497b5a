"""After a test run: no file under its homes holds a token, and the product started nothing with one.

A plugin of pytest. Files are looked through once, at the end, by the process that leads the run. Programs are
watched while they start, in every Python process of the run (``children/sitecustomize.py``).
"""

from __future__ import annotations

import os
import re
import shutil
import stat
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

#: What GitLab mints, and what tests plant. OAuth tokens are 64 hexadecimal digits, as nothing of ours is; the
#: address of a person's picture ends so, too.
TOKEN = re.compile(
    rb"gl(?:pat|oas|dt|rt|cbt|ptt)-[\w.-]{4,}|\bplanted-[\w-]{3,}|(?:access|refresh)-planted"
    rb"|(?<![0-9a-f/])[0-9a-f]{64}(?![0-9a-f])"
)
#: Looked for first, a hundred times as fast: homes are a hundred megabytes.
_SIGNS = (b"glpat-", b"gloas-", b"gldt-", b"glrt-", b"glcbt-", b"glptt-", b"planted")
_DIGITS = bytes(ord("x") if byte in b"0123456789abcdef" else ord(" ") for byte in range(256))
#: Where a token may be: files that tests write as if glab, python-gitlab, curl or a keyring had left them.
THEIRS = frozenset(
    {"config.yml", "python-gitlab.cfg", ".python-gitlab.cfg", "mine.cfg", ".netrc", "ring.json"}
)
#: Our own sign-ins, if only their owner can read them.
OURS = frozenset({"credentials.json"})
#: Code that tests wrote, to be run as a keyring or an editor, and an unpacked repository.
CODE = frozenset({".py", ".pyc", ".sh"})
#: A file is read in pieces of this many bytes, with an overlap longer than any token.
_PIECE, _OVERLAP = 1 << 20, 256

_folder = pytest.StashKey[Path]()
_wrong = pytest.StashKey[list[str]]()


def files_with_tokens(top: Path) -> list[str]:
    """Every file below a folder that holds a token and should not."""
    return [f"{path.relative_to(top)} {why}" for path in _files(top) if (why := what_is_wrong(path))]


def what_is_wrong(path: Path) -> str:
    """What is wrong with a file; empty if it holds no token, or is where one belongs."""
    if path.name in THEIRS or path.suffix in CODE or not _holds_token(path):
        return ""
    if path.name in OURS:
        mode = stat.S_IMODE(path.stat().st_mode)
        return "" if mode == 0o600 else f"holds a token, and others can read it (mode {mode:o})"
    return "holds a token"


def _files(top: Path) -> Iterator[Path]:
    for folder, below, names in os.walk(top):
        # Of installed packages, whose lists hold checksums.
        below[:] = [one for one in below if one != "site-packages"]
        for name in sorted(names):
            path = Path(folder, name)
            if path.is_file() and not path.is_symlink():
                yield path


def _holds_token(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            rest = b""
            while piece := file.read(_PIECE):
                if _may_hold(rest + piece) and TOKEN.search(rest + piece):
                    return True
                rest = piece[-_OVERLAP:]
    except OSError:
        return False  # a test took its rights away, or it is a pipe
    return False


def _may_hold(piece: bytes) -> bool:
    return any(sign in piece for sign in _SIGNS) or b"x" * 64 in piece.translate(_DIGITS)


def watch_children() -> Path:
    """Watch what is started, in this process and in the Python processes it starts; returns the folder."""
    folder = Path(tempfile.mkdtemp(prefix="glboard-tests-"))
    shutil.copy(Path(__file__).parent / "children" / "sitecustomize.py", folder)
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, (str(folder), os.environ.get("PYTHONPATH"))))
    return folder


def reports(folder: Path) -> list[str]:
    """What was reported of programs, each once."""
    file = folder / "reports"
    return list(dict.fromkeys(file.read_text("utf-8").splitlines())) if file.exists() else []


# -- hooks of pytest


def pytest_configure(config: pytest.Config) -> None:
    """Begin to watch. A worker was started with the path set, and watches already."""
    if not hasattr(config, "workerinput"):
        config.stash[_folder] = folder = watch_children()
        if config.getoption("numprocesses", None) in (None, 0):
            # The tests run in this process, which started before.
            _import(folder)


def _import(folder: Path) -> None:
    import importlib.util

    spec = importlib.util.spec_from_file_location("glboard_tests_children", folder / "sitecustomize.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Look, and fail the run."""
    config = session.config
    if (folder := config.stash.get(_folder, None)) is None:
        return
    # Not made if no test asked for a folder.
    made: Path | None = getattr(_factory(config), "_basetemp", None)
    config.stash[_wrong] = found = reports(folder)
    found += files_with_tokens(made) if made is not None else []
    shutil.rmtree(folder, ignore_errors=True)
    if found:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def _factory(config: pytest.Config) -> Any:
    return getattr(config, "_tmp_path_factory", None)


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Say what was found."""
    if found := config.stash.get(_wrong, []):
        terminalreporter.section("tokens where none may be", red=True)
        for line in found:
            terminalreporter.write_line(line)
