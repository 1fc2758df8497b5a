"""What we start gets no token, and runs no code of the folder it is started in."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path

import pytest

from glboard_core import environment
from glboard_core.auth.credential import TokenCredential
from glboard_core.auth.search import find_account
from glboard_core.auth.store import CredentialStore
from glboard_core.demo.http.process import DemoOptions, spawn
from glboard_core.gitlab.account import Secret
from glboard_tui.screens.editor import run
from hostile.tampering import Answer, MaliciousServer
from support.engines import build_world

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
        "from glboard_core.auth.search import find_account\n"
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


def test_nothing_is_found_in_the_current_folder(tmp_path: Path) -> None:
    marker, program = tmp_path / "ran", tmp_path / "glboard.py"
    program.write_text("from glboard_tui.cli.main import main\nmain()\n")
    folder = tmp_path / "folder"
    folder.mkdir()
    # Whatever is imported after the start.
    for name in (
        "gitlab",
        "httpx",
        "textual",
        "tomlkit",
        "websockets",
        "graphql",
        "uvicorn",
        "keyring",
    ):
        (folder / f"{name}.py").write_text(TRAP.format(marker=str(marker)))
    for name in ("nano", "vim", "vi", "xdg-open", "tmux", "uname", "ldconfig"):
        (folder / name).write_text(f"#!/bin/sh\necho {name} > {marker}\n")
        (folder / name).chmod(0o700)
    for name in ("config.toml", "glboard.toml", "team.toml", "python-gitlab.cfg"):
        (folder / name).write_text("[gitlab]\nurl = 'http://evil.example'\ngroup = 'evil'\n")
    env = {**os.environ, "HOME": str(tmp_path), "TMUX": "1"}
    for name in ("PATH", "PYTHONPATH"):
        env[name] = os.pathsep.join(("", ".", os.environ.get(name, "")))
    run_in = partial(subprocess.run, env=env, cwd=folder, capture_output=True, text=True, check=False)
    with MaliciousServer(build_world(issues=2)) as server:
        env |= {"GITLAB_HOST": server.url, "GITLAB_TOKEN": server.token, "GLBOARD_GROUP": "top"}
        for command in ("milestone open 19.8 --dry-run", "doctor"):
            done = run_in([sys.executable, str(program), *command.split()])
            assert "evil" not in done.stdout + done.stderr
            assert "Error" not in done.stderr
    look = (
        "from glboard_core.environment import leave_folder; import shutil, subprocess, sys; leave_folder()\n"
        "print([shutil.which(name) for name in ('nano', 'tmux')])\n"
        "subprocess.run([sys.executable, '-P', '-c', 'import httpx, uvicorn'], check=True)"
    )
    done = run_in([sys.executable, "-P", "-c", look])
    assert (done.returncode, str(folder) in done.stdout) == (0, False), done.stderr
    assert not marker.exists()


@pytest.mark.parametrize("path", ["", ".", ".:", "bin:./bin"])
def test_a_path_with_nothing_but_the_current_folder_is_none(path: str, tmp_path: Path) -> None:
    for name in ("bin", "."):
        program = tmp_path / name / "evil-program"
        program.parent.mkdir(exist_ok=True)
        program.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n")
        program.chmod(0o700)
    code = (
        "import asyncio, shutil\n"
        "from glboard_core import environment\n"
        "environment.leave_folder()\n"
        "from glboard_core.command_run import CommandRun, Invocation\n"
        "for words in (('evil-program',), ('/bin/sh', '-c', 'evil-program'), ('true',)):\n"
        "    run = CommandRun('x', [Invocation(arguments=words)])\n"
        "    asyncio.run(run.run())\n"
        "    print(run.worked)\n"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", code],
        env={**os.environ, "PATH": path},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == ["False", "False", "True"]
    assert not (tmp_path / "ran").exists()


# A token from each source


class Elsewhere:
    """Another host, which keeps whatever is sent to it."""

    def __init__(self) -> None:
        self.heard = b""
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                with connection:
                    connection.settimeout(1)
                    self.heard += connection.recv(65_536)

    def close(self) -> None:
        self._listener.close()


def in_environment(name: str, home: Path, host: str, token: str) -> dict[str, str]:
    return {name: token, "GITLAB_HOST": f"http://{host}"}


def in_glab(home: Path, host: str, token: str) -> dict[str, str]:
    file = home / "glab-cli" / "config.yml"
    file.parent.mkdir()
    entry = f'  "{host}":\n    api_protocol: http\n    api_host: "{host}"\n    token: {token}\n'
    file.write_text(f'host: "{host}"\nhosts:\n{entry}')
    file.chmod(0o600)
    return {"GITLAB_HOST": f"http://{host}"}


def in_python_gitlab(home: Path, host: str, token: str) -> dict[str, str]:
    file = home / "python-gitlab.cfg"
    file.write_text(f"[global]\ndefault = here\n[here]\nurl = http://{host}\nprivate_token = {token}\n")
    file.chmod(0o600)
    return {"PYTHON_GITLAB_CFG": str(file)}


def in_keyring(home: Path, host: str, token: str) -> dict[str, str]:
    found = in_glab(home, host, "")
    package = home / "modules" / "keyring"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text(f"def get_password(service, name): return {token!r}\n")
    (package / "errors.py").write_text("class KeyringError(Exception): ...\n")
    path = os.pathsep.join((os.environ.get("PYTHONPATH", ""), str(home / "modules")))
    return {**found, "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"}


def in_our_own_store(home: Path, host: str, token: str) -> dict[str, str]:
    store = CredentialStore(home / "glboard")
    store.save(f"http://{host}", "em_willow", TokenCredential(secret=Secret(token)), keyring=False)
    return {"GITLAB_HOST": f"http://{host}"}


def in_netrc(home: Path, host: str, token: str) -> dict[str, str]:
    file = home / ".netrc"
    file.write_text(f"machine {host.partition(':')[0]} login me password {token}\n")
    file.chmod(0o600)
    return {"GITLAB_HOST": f"http://{host}"}


SOURCES: dict[str, Callable[[Path, str, str], dict[str, str]]] = {
    "GITLAB_TOKEN": partial(in_environment, "GITLAB_TOKEN"),
    "OAUTH_TOKEN": partial(in_environment, "OAUTH_TOKEN"),
    "glab": in_glab,
    "python-gitlab": in_python_gitlab,
    "keyring": in_keyring,
    "glboard": in_our_own_store,
    "netrc": in_netrc,
}
#: Everything that is logged goes to a file, and a child writes down what it was given.
PROGRAM = """
import logging, subprocess, sys
logging.basicConfig(filename="all.log", level=logging.DEBUG)
from glboard_core import environment
environment.take_tokens()
from glboard_tui.cli.main import run
from glboard_tui.screens.editor import run as edit
statuses = [run(arguments.split()) for arguments in sys.argv[2:]]
child = "import os, sys; print(os.environ, open('/proc/%d/cmdline' % os.getppid()).read())"
edit([sys.executable, "-c", child + "; open('editor.txt', 'w').write(str(os.environ))"])
subprocess.run([sys.executable, "-c", child], check=True)
print("statuses", statuses)
"""


@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="there is no /proc")
@pytest.mark.parametrize(
    "source",
    [
        "GITLAB_TOKEN",
        *(pytest.param(name, marks=pytest.mark.slow) for name in SOURCES if name != "GITLAB_TOKEN"),
    ],
)
def test_a_token_from_any_source_goes_to_its_host_only(source: str, tmp_path: Path) -> None:
    token = f"glpat-planted-{source.lower()}"
    elsewhere = Elsewhere()

    def tamper(answer: Answer) -> None:
        answer.headers.append(("link", f'<{elsewhere.url}{answer.path}>; rel="next"'))
        if answer.path.startswith("/api/v4/personal"):
            answer.status = 302
            answer.headers.append(("location", elsewhere.url + answer.path))

    folders = ("XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME")
    kept = {name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ}
    with MaliciousServer(build_world(issues=2), token=token) as server, server.tampering(tamper):
        planted = SOURCES[source](tmp_path, server.url.removeprefix("http://"), token)
        done = subprocess.run(
            [
                *(sys.executable, "-c", PROGRAM, "commands", "show planning --fresh"),
                *("edit top/app#1 --weight 2", "show nothing", "milestone open 19.8 --dry-run"),
            ],
            env={**kept, "HOME": str(tmp_path), **dict.fromkeys(folders, str(tmp_path)), **planted}
            | {"GLBOARD_GROUP": "top"},
            cwd=tmp_path,
            capture_output=True,
            check=True,
        )
        assert server.demo.world.issue("top/app#1").weight == 2
    elsewhere.close()
    assert b"statuses [0, 0, " in done.stdout, done.stdout + done.stderr
    files = [one for one in tmp_path.rglob("*") if one.is_file()]
    assert {"all.log", "editor.txt"} <= {one.name for one in files}
    written = {one.name for one in files if token.encode() in one.read_bytes()}
    # Where it was planted.
    assert written <= {"config.yml", "python-gitlab.cfg", "__init__.py", "credentials.json", ".netrc"}
    assert len(written) <= 1
    assert token.encode() not in done.stdout + done.stderr
    assert elsewhere.heard == b""
