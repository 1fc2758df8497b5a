"""Every command on every odd machine: a message or nothing, never a fault or a hang, and the right status.

``.ci/slow`` tries one pair in eight; ``HOSTILE_MATRIX=all pytest -m slow`` all of them, in about ten minutes.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zlib import crc32
from zoneinfo import ZoneInfo

import pytest

from glboard_core import environment, zones
from glboard_core.demo.http.server import DemoServer
from hostile.machines import CALLS, MACHINES, names, run, trouble
from support.engines import build_world

#: Tried in every run: each stopped a command once.
ALWAYS = [("no home", "show"), ("no time zone database", "config boards"), ("pipes for files", "config show")]
#: With these, whatever a command prints is in vain.
STATUS: dict[tuple[str, str], int] = {
    ("as usual", "show"): 0,
    ("as usual", "edit"): 0,
    ("as usual", "doctor"): 0,
    ("no home", "show"): 0,
    ("no home", "edit"): 0,
    ("no home", "--version"): 0,
    ("a full output", "show"): 1,
    ("closed output", "show"): 0,
    ("closed errors", "show"): 0,
    ("everything closed", "edit"): 0,
    ("a reader that is gone", "show"): 0,
    ("an input that never ends", "show"): 0,
    ("latin-1 output", "show"): 0,
    ("no time zone database", "show"): 0,
    ("files for folders", "--help"): 0,
    ("a token that is none", "show"): 1,
    ("an address that is none", "show"): 1,
    ("a server that is not there", "show"): 1,
}


@pytest.fixture(scope="module", name="env")
def server_in_the_environment() -> Iterator[dict[str, str]]:
    with DemoServer(build_world(issues=2)) as server:
        yield {"GITLAB_HOST": server.url, "GITLAB_TOKEN": server.token, "GLBOARD_GROUP": "top"}


def check(machine: str, call: str, home: Path, env: dict[str, str]) -> None:
    done = run(call, MACHINES[machine], home, env)
    assert not trouble(done, MACHINES[machine]), (machine, call, trouble(done, MACHINES[machine]))
    if (status := STATUS.get((machine, call))) is not None:
        assert done.status == status, (machine, call, done)
    assert env["GITLAB_TOKEN"] not in done.out + done.err


def test_every_command_is_tried() -> None:
    assert {*names()} <= {*CALLS}


@pytest.mark.parametrize(("machine", "call"), ALWAYS)
def test_a_machine_that_once_stopped_a_command(
    machine: str, call: str, tmp_path: Path, env: dict[str, str]
) -> None:
    check(machine, call, tmp_path, env)


def pairs() -> list[tuple[str, str]]:
    """Machines and commands: all, or those with a status of their own and some of the others."""
    found = [(machine, call) for machine in MACHINES for call in CALLS]
    if os.environ.get("HOSTILE_MATRIX") == "all":
        return found
    return [one for one in found if one in STATUS or crc32("|".join(one).encode()) % 8 == 0]


@pytest.mark.slow
@pytest.mark.parametrize(("machine", "call"), pairs())
def test_a_command_on_a_machine(machine: str, call: str, tmp_path: Path, env: dict[str, str]) -> None:
    check(machine, call, tmp_path, env)


def test_utc_needs_no_database(monkeypatch: pytest.MonkeyPatch) -> None:
    class Missing(ZoneInfo):
        def __new__(cls, name: str) -> Missing:
            raise KeyError(name)

    monkeypatch.setattr(zones, "ZoneInfo", Missing)
    assert zones.zone_named("UTC").utcoffset(datetime.now(UTC)) == timedelta(0)
    assert not zones.has_database()
    with pytest.raises(KeyError):
        zones.zone_named("Europe/Zurich")


def test_a_home_in_the_temporary_folder_is_ones_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Anybody can make a folder of any name there."""

    def no_one(_: object) -> None:
        raise KeyError

    monkeypatch.setattr("pwd.getpwuid", no_one)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    own = tmp_path / f"glboard-{os.getuid()}"
    for given in ("", ".", None):
        monkeypatch.delenv("HOME", raising=False)
        if given is not None:
            monkeypatch.setenv("HOME", given)
        assert environment.find_home() == str(own)
        assert own.stat().st_mode & 0o777 == 0o700
    own.chmod(0o755)
    monkeypatch.delenv("HOME")
    other = Path(environment.find_home())
    assert other != own
    assert other.stat().st_mode & 0o777 == 0o700
    own.rmdir()
    own.symlink_to(tmp_path)
    monkeypatch.delenv("HOME")
    assert Path(environment.find_home()) != own
    # A real one is kept.
    monkeypatch.setenv("HOME", "/somewhere")
    assert environment.find_home() == ""
