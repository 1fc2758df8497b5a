# mypy: ignore-errors
# ruff: noqa: I001
"""Writes ``files/`` with glboard as it was before the modules were renamed: run once, kept as it is.

The commit is 0030641. To do it again (the files differ in times, ids of Ops and marks of comments)::

    git worktree add ../before 0030641
    b=../before; PYTHONPATH=$b/core:$b/tui:$b/styles:$b/tests python tests/compat/make_files.py

``history.sql`` is the state file of a quiet moment: mirror, catalog, change log, a failed change, a locked
plan, what reports keep. ``unsent.sql`` is the same file later, with unsent changes of every kind, two of them
claimed (their answers were lost) and one in conflict. ``server.json`` holds what GitLab had of it by then.
"""

from __future__ import annotations

import asyncio
import json
import os
import sqlite3
import tempfile
from contextlib import closing, suppress
from datetime import date
from pathlib import Path

import msgspec
from msgspec import structs

from glboard_core.board.op import Comment, Create, DeleteNote, Edit, NoteWrite, Op, Rank
from glboard_core.config import Settings
from glboard_core.demo.server import DemoServer
from glboard_core.gitlab.account import Account, Secret
from glboard_core.gitlab.gateway import GitLabGateway
from glboard_core.planning.team_edit import OfPerson, OfTeam, edited
from glboard_core.store.database import state_file
from glboard_core.store.sqlite import SqliteStore
from glboard_core.sync.engine import Engine
from glboard_core.sync.ids import new_issue_id
from glboard_tui.actions import ACTIONS
from glboard_tui.cli.main import run
from glboard_tui.cli.open import Last
from glboard_tui.unseen import Unseen
from support.engines import GROUP, GROUP_LABEL, HASTE, ME, STILL, build_world

FILES = Path(__file__).parent / "files"
PORT = 48_123
MARK = "capacity:19.8"
#: A moment that is over on any machine.
LONG_AGO = 1_750_000_000.0

TEAM = """\
# The team of the embedded GitLab.
holidays = ["2026-12-25"]  # everybody

[[people]]
username = "eng_1"
role = "backend"

[[people]]
username = "eng_2"
role = "frontend"
time_off = [{ from = "2026-12-14", to = "2026-12-18" }]
"""
CONFIG = """\
[gitlab]
group = "top"

[ui]
time_zone = "Europe/Berlin"

[labels]
group = "group::custom models"

[keymap]
"""


class Wrote:
    """A server with its world, and the state file of a person on it."""

    def __init__(self, server: DemoServer, path: Path) -> None:
        self.server, self.world, self.path = server, server.world, path

    def engine(self, gateway, store, **settings):
        return Engine(gateway, store, Settings(sync=structs.replace(STILL, **settings)), pace=HASTE)

    def gateway(self):
        return GitLabGateway(Account(url=self.server.url, token=Secret(self.server.token)), GROUP)

    def issue(self, engine, name):
        return next(one.id for one in engine.shown.values() if one.reference == f"top/{name}")


def add_past(world) -> None:
    """A milestone that is over, with what it closed: capacities are compared with it."""
    world.add_milestone(world.group(GROUP), "19.6", date(2026, 10, 17), date(2026, 11, 13))
    world.create(
        "top/app", "Long done", by=ME, add_labels=[GROUP_LABEL], milestone="19.6", weight=4, close=True
    )


async def quiet(at: Wrote) -> None:
    """Everything was sent: four changes, one of them undone, and one that failed."""
    store = SqliteStore(at.path)
    async with at.gateway() as gateway:
        engine = at.engine(gateway, store)
        engine.host = f"127.0.0.1:{PORT}"
        task = asyncio.create_task(engine.run())
        while not engine.verified:
            await asyncio.sleep(0.01)
        await engine.settled()

        async def do(name, act, title):
            issue = new_issue_id() if isinstance(act, Create) else at.issue(engine, name)
            engine.perform([(issue, act)], title)
            await engine.settled()

        await do("app#4", Edit(add=frozenset({"Deliverable"})), "Accept")
        await do("locked#1", Edit(weight=3), "Weight 3")
        await do("", Create(project="top/app", title="New one", labels=frozenset({GROUP_LABEL})), "New issue")
        await do("app#3", NoteWrite(mark=MARK, body="Free 4"), "Post the capacity")
        await do("app#2", Comment(body="Needs a breakdown"), "Comment")
        await do("app#1", Edit(weight=8), "Weight 8")
        engine.undo()
        await engine.settled()
        await do("app#1", Edit(weight=5), "Weight 5")
        store.put_meta("boards-made", json.dumps([7]).encode())
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
    store.close()


async def conflict(at: Wrote) -> None:
    """Another person changed the weight first, and the change is still unseen."""
    store = SqliteStore(at.path)
    async with at.gateway() as gateway:
        engine = at.engine(gateway, store)
        task = asyncio.create_task(engine.run())
        while not engine.verified:
            await asyncio.sleep(0.01)
        before = engine.shown[at.issue(engine, "app#5")]
        at.world.edit("top/app#5", by="eng_1", weight=8)
        engine.perform([(before.id, Edit(weight=2))], "Weight 2")
        await engine.settled()
        assert engine.clashing(before.id)
        news = Unseen()
        news.heard([(before, store.issue(before.id))], None, me=ME, now=engine.now())
        store.put_meta("unseen", news.kept())
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
    store.close()


async def unsent(at: Wrote) -> list[Op]:
    """Unsent changes of every kind; returns the claimed ones, of which the first reached the server."""
    store = SqliteStore(at.path)
    async with at.gateway() as gateway:
        engine = at.engine(gateway, store, hold=3600, hold_comments=3600)
        task = asyncio.create_task(engine.run())
        while not engine.verified:
            await asyncio.sleep(0.01)

        def do(name, act, title):
            issue = at.issue(engine, name) if name else new_issue_id()
            return engine.perform([(issue, act)], title)[0]

        do(
            "app#6",
            Edit(
                add=frozenset({"workflow::in dev"}), remove=frozenset({"type::bug"}), weight=None,
                milestone="19.8", assignees=("eng_1",), title="Renamed",
            ),
            "Several fields",
        )  # fmt: skip
        do("app#7", Edit(description="New text", description_was=""), "Description")
        do("app#8", Edit(state="closed"), "Close")
        tenth = at.issue(engine, "app#10")
        do("app#9", Rank(below=tenth, above=None, position=1.0, was_above=tenth), "Rank to the top")
        do("app#10", Comment(body="Only a comment"), "Comment")
        do("app#3", NoteWrite(mark=MARK, body="Free 2", was="Free 4"), "Post the capacity")
        do("app#11", NoteWrite(mark="plan:19.8", body="Locked"), "Post the plan")
        note = next(line for line in store.log(100) if line.what == "comment" and "app#2" in line.reference)
        do("app#2", DeleteNote(of=note.op, body="Needs a breakdown"), "undo: Comment")
        new = do(
            "", Create(
                project="top/app", title="Another one", description="With text", milestone="19.8", weight=2,
                labels=frozenset({GROUP_LABEL, "type::feature"}), assignees=("eng_2",),
            ), "New issue",
        )  # fmt: skip
        engine.perform([(new.issue, Edit(weight=3))], "Weight 3")
        claimed = [
            do("app#12", Comment(body="Did this arrive?"), "Comment"),
            do("app#1", Edit(milestone="19.8"), "To the next milestone"),
        ]
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        store.rewrite([structs.replace(entry, due=LONG_AGO) for entry in store.outbox()])
        store.claim([op.id for op in claimed], LONG_AGO)
        await gateway.send(claimed[:1], dict(store.issues()), store.catalog())
    store.close()
    return claimed


def dump(path: Path, to: Path) -> None:
    """The file as SQL text."""
    with closing(sqlite3.connect(path)) as connection:
        (version,) = connection.execute("pragma user_version").fetchone()
        lines = [line for line in connection.iterdump() if "sqlite_sequence" not in line]
    to.write_text("\n".join([*lines, f"PRAGMA user_version = {version};", ""]), "utf-8")


def server_now(at: Wrote) -> None:
    """What came from glboard, for a new server: comments and new issues with their marks."""
    notes = [[f"{n.issue.reference}", n.body] for n in at.world.notes.values() if "<!--" in n.body]
    new = at.world.issue("top/app#14")
    data = {"notes": notes, "new": [new.title, new.description]}
    (FILES / "server.json").write_text(json.dumps(data, indent=1) + "\n", "utf-8")


def main() -> None:
    """Write all files."""
    home = Path(tempfile.mkdtemp())
    for name in ("CONFIG", "STATE", "DATA", "CACHE"):
        os.environ[f"XDG_{name}_HOME"] = str(home / name.lower())
    world = build_world()
    add_past(world)
    state = home / "state" / "glboard"
    path = state_file(state, f"http://127.0.0.1:{PORT}", GROUP, ME)
    with DemoServer(world, port=PORT) as server:
        os.environ |= {"GITLAB_HOST": server.url, "GITLAB_TOKEN": server.token, "GLBOARD_GROUP": GROUP}
        at = Wrote(server, path)
        asyncio.run(quiet(at))
        config = home / "config" / "glboard"
        config.mkdir(parents=True, exist_ok=True)
        text = edited(edited(TEAM, OfTeam("reserve", 0.1)), OfPerson("eng_1", "role", "fullstack"))
        (FILES / "team.toml").write_text(text, "utf-8")
        (config / "team.toml").write_text(text, "utf-8")
        for command in (
            ["plan", "lock", "19.7"],
            ["plan", "export", "19.7", "-o", str(FILES / "plan.json"), "--number", "1"],
            ["report", "say-do", "19.7"],
            ["report", "capacity", "19.8", "--team", str(config / "team.toml")],
        ):
            assert run(command) == 0, command
        dump(path, FILES / "history.sql")
        asyncio.run(conflict(at))
        asyncio.run(unsent(at))
        dump(path, FILES / "unsent.sql")
        server_now(at)
    (FILES / "users.json").write_bytes((state / "users.json").read_bytes())
    (FILES / "last.json").write_bytes(msgspec.json.encode(Last("build", "19.8")))
    keys = [f'"{action.id}" = "{action.keys[0]}"' for action in ACTIONS if action.keys]
    (FILES / "config.toml").write_text(CONFIG + "\n".join(keys).replace("\\", "\\\\") + "\n", "utf-8")


if __name__ == "__main__":
    main()
