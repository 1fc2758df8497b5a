"""Files that a person wrote, as editors and other systems leave them."""

from __future__ import annotations

import os
import socket
import stat
import subprocess
import sys
from collections.abc import Callable
from contextlib import chdir
from pathlib import Path

import pytest

from glboard_core import config, files, logfile
from glboard_core.config import BoardSettings
from glboard_core.demo.sample import scenario
from glboard_core.demo.sample.team import team_of_scenario
from glboard_core.errors import ConfigError
from glboard_core.files import MOST_BYTES
from glboard_core.gitlab import glab
from glboard_core.planning import plan_lock, team
from glboard_core.session import _Known
from glboard_core.setup.progress import Progress, ProgressFile
from glboard_core.store import team_file
from glboard_tui.cli import open as open_command
from glboard_tui.gitlab_boards import keep_board
from glboard_tui.screens import editor

TOML = '[ui]\ntime_zone = "Europe/Zurich"  \t# é\n'
TEAM = 'holidays = ["2026-12-25"]\n# é\n'


def encodings(text: str) -> list[bytes]:
    return [
        text.encode(),
        text.encode("utf-8-sig"),
        text.replace("\n", "\r\n").encode(),
        text.replace("\n", "\r\n").encode("utf-16"),
    ]


def test_text_is_read_however_it_was_saved(tmp_path: Path) -> None:
    file = tmp_path / "some.toml"
    for raw in encodings(TOML):
        file.write_bytes(raw)
        assert config.load(file).ui.time_zone == "Europe/Zurich"
    for raw in encodings(TEAM):
        file.write_bytes(raw)
        assert len(team.load(file).holidays) == 1
        assert (team_file.read(file) or "").startswith("holidays")
    file.chmod(0o600)
    for raw in encodings("hosts:\n    gitlab.example.com:\n        token: é\n"):
        file.write_bytes(raw)
        assert list(glab.read(file)) == ["hosts"]


READERS: dict[str, Callable[[Path], object]] = {
    "config": config.load,
    "team": team.load,
    "team text": team_file.read,
    "glab": glab.read,
}


@pytest.mark.parametrize("name", READERS)
def test_what_cannot_be_read_is_named_with_its_line(name: str, tmp_path: Path) -> None:
    file = tmp_path / "some.toml"
    file.touch(0o600)
    file.write_bytes(b"# one\n# caf\xe9\n")
    with pytest.raises(ConfigError) as found:
        READERS[name](file)
    assert f"{file}:2" in str(found.value)
    assert "UTF-8" in f"{found.value} {found.value.hint}"
    file.write_bytes(b"#" * (MOST_BYTES + 1))
    with pytest.raises(ConfigError, match="larger than"):
        READERS[name](file)
    with pytest.raises(ConfigError):
        READERS[name](tmp_path)


def in_its_place(kind: str, path: Path) -> None:
    """What is no file."""
    if kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "socket":
        with socket.socket(socket.AF_UNIX) as one, chdir(path.parent):
            one.bind(path.name)
    else:
        path.symlink_to({"loop": path.name, "endless": "/dev/zero", "unreadable": "/proc/self/mem"}[kind])


KINDS = ("folder", "pipe", "socket", "loop", "endless", "unreadable")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", READERS)
def test_what_is_no_file_is_named_at_once(
    name: str, kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "GRACE", 0.02)
    in_its_place(kind, tmp_path / "x.toml")
    with pytest.raises(ConfigError, match=r"x\.toml") as found:
        READERS[name](tmp_path / "x.toml")
    assert kind != "pipe" or name == "glab" or "nothing comes out of it" in str(found.value)


def test_a_pipe_that_something_is_written_to_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As of ``--team <(command)``, also a slow one."""
    os.mkfifo(tmp_path / "pipe")
    writer = "import sys, time\nwith open(sys.argv[1], 'wb') as pipe:\n"
    writer += "    for _ in range(3):\n        pipe.write(b'# text\\n' * 9_000)\n        pipe.flush()\n"
    running = subprocess.Popen([sys.executable, "-c", writer, str(tmp_path / "pipe")])
    monkeypatch.setattr(files, "GRACE", 20.0)
    assert files.read_text(tmp_path / "pipe") == "# text\n" * 27_000
    assert running.wait() == 0
    # One that stays open and silent is left.
    monkeypatch.setattr(files, "SILENCE", 0.05)
    held = os.open(tmp_path / "pipe", os.O_RDWR)
    with pytest.raises(ConfigError, match="nothing comes out"):
        files.read_text(tmp_path / "pipe")
    os.close(held)


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32", "utf-32-be"])
def test_an_encoding_without_a_mark_is_named(encoding: str) -> None:
    with pytest.raises(ConfigError, match=r"some.toml:\d+: cannot read this file: it is not UTF-8 text"):
        files.decoded(TOML.encode(encoding), "some.toml")


@pytest.mark.parametrize("kind", KINDS)
def test_state_that_is_no_file_stops_nothing(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "GRACE", 0.02)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    folder = tmp_path / "glboard"
    (folder / "log").mkdir(parents=True)
    for name in ("users.json", "last.json", "setup.json", "log/glboard.log"):
        in_its_place(kind, folder / name)
    known = _Known(folder, "https://gitlab.example.com top")
    assert known.user is None
    known.remember("me")
    assert open_command._remembered() == open_command.Last()
    open_command._remember("planning", None)
    assert ProgressFile(folder).load() == Progress()
    ProgressFile(folder).keep(Progress())
    log = logfile.LogFile(folder / "log" / "glboard.log")
    log.write("info", "x")
    log.close()
    # What is no device was replaced by a file; a device stays one.
    assert stat.S_ISCHR(os.stat("/dev/zero").st_mode)


def test_a_device_or_pipe_is_never_replaced(tmp_path: Path) -> None:
    """Renaming a new file over what a link points to would take it away from everyone."""
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "config.toml").symlink_to("pipe")
    with pytest.raises(ConfigError, match="not a regular file"):
        team_file.write(tmp_path / "config.toml", "x", seen="")
    assert stat.S_ISFIFO((tmp_path / "pipe").stat().st_mode)


@pytest.mark.parametrize("encode", range(4))
def test_a_board_is_added_in_the_encoding_of_the_rest(encode: int, tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_bytes(encodings(TOML)[encode])
    keep_board(file, BoardSettings(id="mine", name="Mine"))
    found = config.load(file)
    assert found.ui.time_zone == "Europe/Zurich"
    assert "mine" in [board.id for board in found.boards]


@pytest.mark.parametrize(
    "raw",
    [
        *(b"caf\xc3\xa9\r\nx", b"\xef\xbb\xbfcaf\xc3\xa9\nx", b"caf\xe9\nx", b"caf\xc3\xa9\rx"),
        *(b"caf\xc3\xa9\0\nx", b"c\0a\0f\0\xe9\0\n\0x\0"),
    ],
)
def test_what_an_editor_wrote_keeps_its_letters(raw: bytes, tmp_path: Path) -> None:
    (tmp_path / "text.md").write_bytes(raw)
    assert editor._written(tmp_path / "text.md") == "caf\xe9\nx"


@pytest.mark.parametrize("text", ["~nobody-of-that-name/x", "~", "x\0y", "\ud800", ""])
def test_any_path_can_be_written(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HOME", raising=False)
    monkeypatch.setattr("pwd.getpwuid", lambda _: (_ for _ in ()).throw(KeyError))
    with pytest.raises((ConfigError, FileNotFoundError)):
        files.read_bytes(files.path_of(text) / "missing")


DEEP = b'{"a":' * 20_000 + b"1" + b"}" * 20_000


def test_deep_json_is_an_error_like_any_other(tmp_path: Path) -> None:
    file = tmp_path / "deep.json"
    file.write_bytes(DEEP)
    with pytest.raises(ConfigError):
        plan_lock.imported(DEEP, str(file))
    with pytest.raises(scenario.ScenarioError):
        scenario.read(file)
    assert team_of_scenario(file) is None


def test_what_is_created_is_private_whatever_the_umask(tmp_path: Path) -> None:
    code = "import os; os.umask(0); from glboard_tui.cli.main import main; main()"
    home = {
        **os.environ,
        "HOME": str(tmp_path),
        "XDG_CONFIG_HOME": str(tmp_path / "new" / "config"),
        "XDG_STATE_HOME": str(tmp_path / "new" / "state"),
    }
    subprocess.run([sys.executable, "-c", code, "config", "init"], env=home, check=True, capture_output=True)
    made = [tmp_path / "new", *(tmp_path / "new").rglob("*")]
    assert any(path.is_file() for path in made)
    for path in made:
        assert stat.S_IMODE(path.stat().st_mode) == (0o600 if path.is_file() else 0o700), path


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"a": 1}', b"\xff" * 9, b"[" * 100_000])
def test_a_tampered_state_file_stops_no_command(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "users.json").write_bytes(content)
    assert _Known(tmp_path, "https://gitlab.example.com top").user is None


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("x = " + "[" * 5_000 + "]" * 5_000, "nested too deeply"),
        ("x = " + "9" * 5_000, "too many digits"),
        ("a = 1\rb = 2\r", "carriage return"),
        (" = 1\0\n\0", "UTF-8"),
    ],
)
def test_what_is_wrong_with_a_toml_file_is_named(text: str, says: str) -> None:
    for parse in (config.parse, team.parse_team):
        with pytest.raises(ConfigError) as caught:
            parse(text, "some.toml")
        assert says in f"{caught.value} {caught.value.hint}"
        assert "some.toml" in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "days_per_weight = inf",
        "days_per_weight = 1e-320",
        '[[people]]\nusername = "a"\nfactor = 1e308',
        '[[people]]\nusername = "a"\nnet_days = { "19.7" = inf }',
        f'[[people]]\nusername = "a"\nnet_days = {{ "19.7" = {"9" * 400} }}',
    ],
)
def test_no_figure_of_a_team_becomes_infinite(text: str) -> None:
    with pytest.raises(ConfigError, match="expected"):
        team.parse_team(text, "team.toml")


def test_two_boards_with_one_id_are_an_error() -> None:
    board = '[[boards]]\nid = "a"\nname = "A"\n'
    with pytest.raises(ConfigError, match="two boards have the id"):
        config.parse(board + board, "config.toml")
