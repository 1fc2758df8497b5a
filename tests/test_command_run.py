"""A command that runs as a child: bounded plain output, its end, and that stopping it stops all of it."""

from __future__ import annotations

import asyncio
import grp
import os
import pwd
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from glboard_core import environment
from glboard_core.command_run import LONGEST, MOST_LINES, CommandRun, OutputLines
from glboard_core.command_template import Invocation
from glboard_core.files import who_else_writes


def shell(script: str) -> Invocation:
    return Invocation(arguments=("/bin/sh", "-c", script), shown=script, about="app#1")


async def ran(*scripts: str) -> CommandRun:
    run = CommandRun("test", [shell(one) for one in scripts])
    async with asyncio.timeout(20):
        await run.run()
    return run


def lines(*data: bytes) -> list[str]:
    out = OutputLines()
    for piece in data:
        out.feed(piece)
    out.feed(b"", last=True)
    return out.lines


def test_output_is_plain_text_whatever_a_program_writes() -> None:
    assert lines(b"\x1b[31mred\x1b[0m \x1b]8;;http://x\x1b\\link\x1b]8;;\x07\n") == ["red link"]
    assert lines(b"10%\r50%\r100%\r\nb\x08bold\x07\n") == ["100%", "bold"]
    assert lines(b"\xc3", b"\xbc\xff\n", b"no end") == ["ü\ufffd", "no end"]
    assert lines("rtl\u202e \u200bx\x9b31m\n".encode()) == ["rtl x31m"]
    assert lines(b"\x1b]0;title that never ends") == [""]


def test_output_is_bounded() -> None:
    out = OutputLines()
    out.feed(b"x" * 10_000_000)
    assert len(out.lines[0]) <= LONGEST
    out.feed(b"\n" + b"line\n" * (MOST_LINES + 10))
    assert len(out.lines) == MOST_LINES
    assert out.dropped == 11


async def test_it_ends_with_its_status_and_output() -> None:
    run = await ran("echo one; echo two >&2")
    assert (run.status, run.worked, run.words) == (0, True, "Done")
    assert sorted(run.output.lines) == ["one", "two"]
    run = await ran("exit 3")
    assert run.words == "Failed with exit status 3"
    run = await ran("kill -9 $$")
    assert run.words == "Ended by signal 9"


async def test_several_runs_follow_one_another_until_one_fails() -> None:
    run = await ran("echo a", "echo b; false", "echo c")
    assert run.output.lines == ["app#1: echo a", "a", "app#1: echo b; false", "b"]
    assert run.words == "Failed with exit status 1 (2 of 3)"


async def test_a_program_that_is_not_there_says_so() -> None:
    run = CommandRun("test", [Invocation(arguments=("no-such-program", "x"))])
    await run.run()
    assert run.words == "no-such-program: not found. Install it, or use its full path"
    assert not run.worked


async def test_it_gets_no_token_no_input_and_no_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in environment.TOKENS:
        monkeypatch.setenv(name, "glpat-secret")
    run = await ran("env; cat; tty; echo $TERM")
    text = "\n".join(run.output.lines)
    assert "glpat-secret" not in text
    assert "not a tty" in text
    assert run.output.lines[-1] == "dumb"


@pytest.mark.slow
async def test_stopping_ends_all_that_it_started(tmp_path: Path) -> None:
    mark = tmp_path / "pid"
    run = CommandRun("test", [shell(f"trap '' TERM; sleep 600 & echo $! > {mark}; echo up; wait")])
    task = asyncio.create_task(run.run())
    async with asyncio.timeout(20):
        while "up" not in run.output.lines:
            await asyncio.sleep(0.01)
        await run.stop()
        await task
    assert run.words == "Stopped"
    await _gone(int(mark.read_text()))


async def test_a_cancelled_one_is_killed(tmp_path: Path) -> None:
    mark = tmp_path / "pid"
    run = CommandRun("test", [shell(f"echo $$ > {mark}; echo up; sleep 600")])
    task = asyncio.create_task(run.run())
    async with asyncio.timeout(20):
        while "up" not in run.output.lines:
            await asyncio.sleep(0.01)
        task.cancel()
        await asyncio.wait({task})
    await _gone(int(mark.read_text()))


async def test_what_it_leaves_in_the_background_does_not_hold_it_up(tmp_path: Path) -> None:
    run = await ran("sleep 30 & echo $!; exit 0")
    assert run.worked
    os.kill(int(run.output.lines[0]), 9)


async def _gone(pid: int) -> None:
    async with asyncio.timeout(20):
        while True:
            try:
                os.kill(pid, 0)
                if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                    return  # ended, and only not waited for
            except (ProcessLookupError, FileNotFoundError):
                return
            await asyncio.sleep(0.01)


def test_a_file_that_others_can_write_is_told(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir(mode=0o700)
    file = folder / "config.toml"
    file.write_text("")
    file.chmod(0o644)
    assert who_else_writes(file) == ""
    file.chmod(0o666)
    assert who_else_writes(file) == f"other users can write {file.resolve()} (mode 666)."
    file.chmod(0o600)
    folder.chmod(0o777)
    assert "can write" in who_else_writes(file)
    folder.chmod(0o700)
    (tmp_path / "link").symlink_to(file)
    assert who_else_writes(tmp_path / "link") == ""
    assert "Cannot check" in who_else_writes(tmp_path / "nothing")


@pytest.mark.parametrize(
    ("group", "members", "told"),
    [("me", [], False), ("me", ["me"], False), ("me", ["me", "you"], True), ("users", [], True)],
)
def test_the_private_group_of_a_user_has_no_one_else_in_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, group: str, members: list[str], told: bool
) -> None:
    file = tmp_path / "config.toml"
    file.write_text("")
    file.chmod(0o664)
    gid = 4321
    real = Path.stat

    def stat(path: Path, **how: Any) -> Any:
        found = real(path, **how)
        return (
            SimpleNamespace(st_mode=found.st_mode, st_uid=found.st_uid, st_gid=gid)
            if path.name == file.name
            else found
        )

    monkeypatch.setattr(Path, "stat", stat)
    monkeypatch.setattr(pwd, "getpwuid", lambda _: SimpleNamespace(pw_name="me", pw_gid=gid))
    monkeypatch.setattr(grp, "getgrgid", lambda _: SimpleNamespace(gr_name=group, gr_mem=members))
    assert bool(who_else_writes(file)) is told


def test_every_folder_on_the_way_to_a_file_counts(tmp_path: Path) -> None:
    above, shared = tmp_path / "above", tmp_path / "shared"
    (above / "folder").mkdir(parents=True)
    shared.mkdir()
    file = above / "folder" / "config.toml"
    file.write_text("")
    file.chmod(0o600)
    (shared / "link").symlink_to(file)
    assert who_else_writes(file) == who_else_writes(shared / "link") == ""
    above.chmod(0o777)
    assert who_else_writes(file) == f"other users can write {above.resolve()} (mode 777)."
    above.chmod(0o700)
    # Who can put another link in its place chooses the file.
    shared.chmod(0o777)
    assert who_else_writes(shared / "link") == f"other users can write {shared} (mode 777)."
