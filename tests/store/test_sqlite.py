"""The state file: permissions, versions, damage, failing writes, and two processes that share it."""

from __future__ import annotations

import os
import signal
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
from msgspec import structs

from glboard_core.board.operations import Comment, Edit, GroupId, Op, OpId
from glboard_core.errors import StoreFailed
from glboard_core.model.issue import IssueRow, row_of
from glboard_core.ports import OutboxEntry
from glboard_core.store import database
from glboard_core.store.database import MIGRATIONS
from glboard_core.store.sqlite import SqliteStore
from support import make

ROOT = Path(__file__).resolve().parents[2]


def entry(
    name: str, issue: int = 1, change: Edit | Comment | None = None, *, due: float = 0.0, sent: float = 0.0
) -> OutboxEntry:
    """An Op in the outbox."""
    op = Op(
        id=OpId(name),
        group=GroupId("g"),
        issue=make.issue_id(issue),
        change=change or Edit(weight=3),
        at=make.WHEN,
        before=make.issue(issue),
    )
    return OutboxEntry(op=op, title="weight 3", due=due, sent=sent)


def ids(store: SqliteStore) -> list[str]:
    """The Ops in the outbox, in order."""
    return [one.op.id for one in store.outbox()]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """The path of the state file: its folder does not exist yet."""
    return tmp_path / "state" / "one.sqlite3"


def test_the_file_is_private_and_in_wal_mode(path: Path) -> None:
    old = os.umask(0)
    try:
        store = SqliteStore(path)
        store.enqueue([entry("a")])
        store.put([make.issue(1)])
        files = sorted(path.parent.iterdir())
        assert {stat.S_IMODE(one.stat().st_mode) for one in files} == {0o600}
        assert {one.name for one in files} >= {"one.sqlite3", "one.sqlite3-wal"}
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
        for connection, wanted in ((store._durable, 2), (store._fast, 1)):
            assert connection.execute("pragma journal_mode").fetchone() == ("wal",)
            assert connection.execute("pragma synchronous").fetchone() == (wanted,)
        store.close()
    finally:
        os.umask(old)


def test_wider_file_permissions_are_narrowed(path: Path) -> None:
    SqliteStore(path).close()
    path.chmod(0o644)
    SqliteStore(path).close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_everything_is_there_after_reopening(path: Path) -> None:
    store = SqliteStore(path)
    store.put([make.issue(1), make.issue(2, milestone="19.8")])
    store.drop([make.issue_id(1)])
    store.put_catalog(make.catalog())
    store.put_meta("cursor", b"now")
    store.enqueue([entry("a"), entry("b", due=5.0)])
    store.claim([OpId("a")], 7.0)
    store.close()
    again = SqliteStore(path)
    assert list(again.issues()) == [make.issue_id(2)]
    assert again.issue(make.issue_id(2)) == make.issue(2, milestone="19.8")
    assert again.catalog() == make.catalog()
    assert again.meta("cursor") == b"now"
    assert [(one.op.id, one.due, one.sent) for one in again.outbox()] == [("a", 0.0, 7.0), ("b", 5.0, 0.0)]
    assert again.notice == ""
    again.close()


# Versions


def test_an_older_file_is_migrated(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = SqliteStore(path)
    store.enqueue([entry("a")])
    store.close()
    more = (*MIGRATIONS, "alter table meta add column note text; create table extra (id integer)")
    monkeypatch.setattr(database, "MIGRATIONS", more)
    again = SqliteStore(path)
    assert ids(again) == ["a"]
    assert again._durable.execute("pragma user_version").fetchone() == (len(more),)
    again._durable.execute("select note from meta")
    again.close()


def test_a_failed_migration_leaves_the_file_unchanged(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = SqliteStore(path)
    store.enqueue([entry("a")])
    store.close()
    monkeypatch.setattr(database, "MIGRATIONS", (*MIGRATIONS, "create table fine (x); create table meta (x)"))
    with pytest.raises(StoreFailed):
        SqliteStore(path)
    monkeypatch.undo()
    again = SqliteStore(path)
    assert ids(again) == ["a"]
    again.close()


def test_a_newer_file_is_renamed_and_its_changes_recovered(path: Path) -> None:
    store = SqliteStore(path)
    store.enqueue([entry("a"), entry("b")])
    store.claim([OpId("a")], 7.0)
    store._durable.execute("pragma user_version = 99")
    store.close()
    again = SqliteStore(path)
    assert [(one.op.id, one.sent) for one in again.outbox()] == [("a", 7.0), ("b", 0.0)]
    assert "newer" in again.notice
    assert "one.aside-1" in again.notice
    assert "2 unsent changes" in again.notice
    assert path.with_name("one.aside-1").exists()
    again.close()
    # And nothing is renamed, or recovered, a second time.
    third = SqliteStore(path)
    assert (third.notice, ids(third)) == ("", ["a", "b"])
    third.close()


def test_a_newer_file_in_use_is_left_alone(path: Path) -> None:
    """A process of the newer version is running: its file is not renamed."""
    store = SqliteStore(path)
    assert store.acquire_lease()
    store.enqueue([entry("a")])
    store._durable.execute("pragma user_version = 99")
    with pytest.raises(StoreFailed, match="another"):
        SqliteStore(path)
    assert path.exists()
    assert ids(store) == ["a"]
    store.close()


# Damage


def overwrite(path: Path, start: int, size: int) -> None:
    """Write noise into a file."""
    with path.open("r+b") as file:
        file.seek(start)
        file.write(b"\xde\xad" * (size // 2))


def filled(path: Path) -> None:
    """A state file with everything in it, and an empty journal."""
    store = SqliteStore(path)
    store.put([make.issue(n) for n in range(1, 400)])
    store.enqueue([entry(f"op{n}", n) for n in range(1, 40)])
    store._durable.execute("pragma wal_checkpoint(truncate)")
    store.close()


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: path.write_bytes(b"this is no database, and never was" * 100),
        lambda path: overwrite(path, 0, 200),
        lambda path: overwrite(path, 4096, 4096),
        lambda path: overwrite(path, 4096 * 5, 4096 * 4),
        lambda path: os.truncate(path, path.stat().st_size // 2),
        lambda path: os.truncate(path, 700),
    ],
)
def test_a_damaged_file_is_renamed_and_never_deleted(path: Path, damage: Callable[[Path], object]) -> None:
    filled(path)
    damage(path)
    bytes_then = path.read_bytes()
    store = SqliteStore(path)
    assert "aside" in store.notice
    assert path.with_name("one.aside-1").read_bytes() == bytes_then
    # It works as a new one.
    store.put([make.issue(1)])
    store.enqueue([entry("new")])
    assert "new" in ids(store)
    assert make.issue_id(1) in store.issues()
    store.close()


def test_readable_changes_of_a_damaged_outbox_are_recovered(path: Path) -> None:
    filled(path)
    # The issues are damaged, the outbox is not.
    connection = sqlite3.connect(path)
    root = connection.execute("select rootpage from sqlite_master where name = 'issue'").fetchone()[0]
    size = connection.execute("pragma page_size").fetchone()[0]
    connection.close()
    overwrite(path, (root - 1) * size, size)
    store = SqliteStore(path)
    assert "39 unsent changes were recovered" in store.notice
    assert ids(store) == [f"op{n}" for n in range(1, 40)]
    store.close()


def test_an_unreadable_change_does_not_hide_others(path: Path) -> None:
    store = SqliteStore(path)
    store.enqueue([entry("a"), entry("b"), entry("c")])
    store._durable.execute("update outbox set op = x'00ff' where id = 'b'")
    store.close()
    again = SqliteStore(path)
    assert ids(again) == ["a", "c"]
    assert "1 unsent change" in again.notice
    again.close()


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("meta.value", "text"),
        ("issue.rev", b"1"),
        ("issue.slim", 5),
        ("issue.place", b"x"),
        ("outbox.title", b"x"),
        ("outbox.op", "text"),
    ],
)
def test_a_value_of_another_type_is_damage(column: str, value: object, path: Path) -> None:
    store = SqliteStore(path)
    store.put([make.issue(1)])
    store.put_meta("scope", b"x")
    store.enqueue([entry("a"), entry("b")])
    store.close()
    table, _, name = column.partition(".")
    with sqlite3.connect(path) as file:
        file.execute(f"update {table} set {name} = ?", (value,))
    file.close()
    store = SqliteStore(path)
    assert f"a value of another type in {table}" in store.notice
    assert ids(store) == ([] if column == "outbox.op" else ["a", "b"])
    store.close()
    assert SqliteStore(path).notice == ""


@pytest.mark.parametrize("how", ["slim = x'00'", "place = 'x', slim = x'ff'", "place = null, slim = x'91'"])
def test_an_issue_that_cannot_be_read_is_damage_for_the_next_start(how: str, path: Path) -> None:
    store = SqliteStore(path)
    store.put([make.issue(1)])
    store.enqueue([entry("a")])
    store.close()
    with sqlite3.connect(path) as file:
        file.execute(f"update issue set {how}")
    file.close()
    store = SqliteStore(path)
    with pytest.raises(StoreFailed, match="a value cannot be read"):
        [*store.issues().slim(None), *store.issues().matching(None)]
    store.close()
    store = SqliteStore(path)
    assert (ids(store), len(store.issues())) == (["a"], 0)
    assert "a value cannot be read" in store.notice


def test_a_mark_of_any_content_is_read(path: Path) -> None:
    SqliteStore(path).close()
    path.with_suffix(".damaged").write_bytes(b"\xff" * 100_000)
    assert len(SqliteStore(path).notice) < 1_000


def test_an_empty_file_counts_as_new(path: Path) -> None:
    path.parent.mkdir()
    path.touch()
    store = SqliteStore(path)
    assert store.notice == ""
    store.close()


# A disk that refuses


def test_a_full_disk_refuses_changes_but_not_reads(path: Path) -> None:
    store = SqliteStore(path)
    store.put([make.issue(1)])
    store.enqueue([entry("a")])
    for connection in (store._durable, store._fast):
        pages = connection.execute("pragma page_count").fetchone()[0]
        connection.execute(f"pragma max_page_count = {pages}")
    big = Comment(body="x" * 100_000)
    with pytest.raises(StoreFailed) as caught:
        store.enqueue([entry("b", change=big)])
    assert "full" in caught.value.message
    assert "disk space" in caught.value.hint
    assert ids(store) == ["a"]
    # The mirror goes on in memory.
    many = [make.issue(n, title="y" * 500, project=f"p/{n % 3}") for n in range(1, 300)]
    store.put(many)
    assert len(store.issues()) == 299
    assert store.issue(make.issue_id(250)) == many[249]
    assert store.projects() == {"p/0", "p/1", "p/2"}
    store.drop([make.issue_id(250)])
    assert store.issue(make.issue_id(250)) is None
    store.put_meta("big", b"z" * 100_000)
    # With free space again, everything is written.
    for connection in (store._durable, store._fast):
        connection.execute("pragma max_page_count = 1000000")
    store.enqueue([entry("b", change=big)])
    store.put([make.issue(2)])
    assert ids(store) == ["a", "b"]
    assert len(store.issues()) == 298
    store.close()


FULL = """
import resource, sys
from pathlib import Path
sys.path[:0] = [{core!r}, {tests!r}]
import signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
from glboard_core.errors import StoreFailed
from glboard_core.store.sqlite import SqliteStore
from store.test_sqlite import entry, Comment
store = SqliteStore(Path(sys.argv[1]))
store.enqueue([entry("a")])
resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, resource.RLIM_INFINITY))
refused = 0
for n in range(20):
    try:
        store.enqueue([entry(f"b{{n}}", change=Comment(body="x" * 60_000))])
    except StoreFailed:
        refused += 1
assert refused, "never full"
kept = [one.op.id for one in store.outbox()]
print(len(kept), 21 - refused)
store.close()
"""


def test_a_file_size_limit_refuses_changes(path: Path) -> None:
    script = FULL.format(core=str(ROOT / "core"), tests=str(ROOT / "tests"))
    done = subprocess.run(
        [sys.executable, "-c", script, str(path)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    kept, wanted = done.stdout.split()
    assert kept == wanted
    # What was saved is there in the next process.
    store = SqliteStore(path)
    assert len(store.outbox()) == int(kept)
    store.close()


def test_a_folder_that_cannot_be_created_is_reported(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StoreFailed) as caught:
        SqliteStore(tmp_path / "file" / "state.sqlite3")
    assert "file" in caught.value.message
    assert caught.value.hint


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_folder_is_reported(path: Path) -> None:
    path.parent.mkdir(mode=0o500)
    with pytest.raises(StoreFailed):
        SqliteStore(path)


# Two connections, two processes


def test_claiming_and_withdrawing_exclude_each_other(path: Path) -> None:
    one, two = SqliteStore(path), SqliteStore(path)
    one.enqueue([entry("a"), entry("b"), entry("c")])
    assert one.claim([OpId("a")], 7.0) == {"a"}
    # All or nothing: "a" was sent, so "b" stays, too.
    assert not two.withdraw([OpId("b"), OpId("a")])
    assert ids(one) == ["a", "b", "c"]
    assert two.withdraw([OpId("b"), OpId("c")])
    assert one.claim([OpId("b"), OpId("c")], 8.0) == frozenset()
    assert two.claim([OpId("a")], 9.0) == frozenset()
    one.unclaim([OpId("a")])
    assert two.claim([OpId("a")], 9.0) == {"a"}
    one.close()
    two.close()


def test_external_writes_are_returned_once(path: Path) -> None:
    one, two = SqliteStore(path), SqliteStore(path)
    assert two.poll_external() is None
    one.put([make.issue(1), make.issue(2)])
    one.drop([make.issue_id(2)])
    seen = two.poll_external()
    assert seen is not None
    assert (seen.issues, seen.gone) == ((make.issue(1),), (make.issue_id(2),))
    assert two.poll_external() is None
    assert two.issue(make.issue_id(1)) == make.issue(1)
    one.put([make.issue(1, weight=5)])
    two.put([make.issue(3)])
    seen = two.poll_external()
    assert seen is not None
    assert make.issue(1, weight=5) in seen.issues
    assert two.issue(make.issue_id(1)) == make.issue(1, weight=5)
    one.close()
    two.close()


def test_what_is_put_last_is_kept_whatever_its_time_says(path: Path) -> None:
    """The mirror may come from a server whose clock was ahead, or from before a backup was restored."""
    from datetime import timedelta

    one, two = SqliteStore(path), SqliteStore(path)
    one.put([make.issue(1, weight=5, updated_at=make.WHEN + timedelta(days=5))])
    last = make.issue(1, weight=2)
    two.put([last])
    assert one.poll_external() is not None
    assert one.issue(make.issue_id(1)) == last
    assert two.issue(make.issue_id(1)) == last
    one.close()
    two.close()


HOLDER = """
import sys, time
from pathlib import Path
sys.path.insert(0, {core!r})
from glboard_core.store.sqlite import SqliteStore
store = SqliteStore(Path(sys.argv[1]))
print(store.acquire_lease(), flush=True)
time.sleep(600)
"""


def test_the_send_lease_is_free_after_its_holder_is_killed(path: Path) -> None:
    store = SqliteStore(path)
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER.format(core=str(ROOT / "core")), str(path)],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "True\n"
        assert not store.acquire_lease()
        holder.send_signal(signal.SIGKILL)
        holder.wait()
        assert store.acquire_lease()
        assert store.acquire_lease()
    finally:
        holder.kill()
        holder.wait()
        assert holder.stdout is not None
        holder.stdout.close()
        store.close()


OPENER = """
import sys
from pathlib import Path
sys.path.insert(0, {core!r})
from glboard_core.store.database import open_file
print("here", flush=True)
for line in sys.stdin:
    try:
        for connection in open_file(Path(line.strip()))[:2]:
            connection.close()
        print("opened", flush=True)
    except BaseException as error:
        print(error, flush=True)
"""


def test_processes_can_open_a_new_file_at_the_same_time(tmp_path: Path) -> None:
    openers = [
        subprocess.Popen(
            [sys.executable, "-c", OPENER.format(core=str(ROOT / "core"))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(6)
    ]

    def says(opener: subprocess.Popen[str]) -> str:
        assert opener.stdout is not None
        return opener.stdout.readline().strip()

    try:
        assert {says(opener) for opener in openers} == {"here"}
        for number in range(40):
            for opener in openers:
                assert opener.stdin is not None
                opener.stdin.write(f"{tmp_path / str(number)}.sqlite3\n")
                opener.stdin.flush()
            assert [says(opener) for opener in openers] == ["opened"] * len(openers)
    finally:
        for opener in openers:
            opener.kill()
            opener.communicate()


def test_a_file_locked_by_another_process_is_not_blamed_on_the_disk(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path.parent.mkdir()
    monkeypatch.setattr(database, "BUSY", 0.05)
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("begin exclusive")
    with pytest.raises(StoreFailed) as caught:
        SqliteStore(path)
    assert "Another glboard session" in str(caught.value)
    assert "disk" not in str(caught.value)
    holder.execute("rollback")
    holder.close()
    store = SqliteStore(path)
    second = sqlite3.connect(path, isolation_level=None)
    second.execute("begin immediate")
    with pytest.raises(StoreFailed) as caught:
        store.enqueue([entry("a")])
    assert "disk" not in str(caught.value)
    second.execute("rollback")
    second.close()
    store.enqueue([entry("a")])
    store.close()


def test_each_change_is_one_write(path: Path) -> None:
    """The log is pruned, and the file does not grow forever."""
    store = SqliteStore(path)
    for round_ in range(3):
        for n in range(200):
            store.enqueue([entry(f"{round_}-{n}")])
            store.settle([OpId(f"{round_}-{n}")], [], [])
        store.put([make.issue(n, weight=round_) for n in range(200)])
    assert store.outbox() == []
    wal = path.with_name(path.name + "-wal")
    assert wal.stat().st_size < 6 * 1024 * 1024
    store.close()


def test_names_are_readable_and_unique(tmp_path: Path) -> None:
    one = database.state_file(tmp_path, "https://gitlab.example.com", "a/b", "willow")
    two = database.state_file(tmp_path, "https://gitlab.example.com", "a-b", "willow")
    assert one != two
    assert one.name.startswith("gitlab.example.com-a-b-willow-")
    assert len(database.state_file(tmp_path, "https://x", "g" * 500, "u").name) < 120


def test_slim_rows_match_their_issues(tmp_path: Path) -> None:
    """Also for rows written before these columns existed, and for issues only in memory."""
    store = SqliteStore(tmp_path / "state.sqlite3")
    whole = [
        make.issue(1, "type::bug", weight=0, assignees=("eng_alder", "eng_birch"), milestone="19.8"),
        make.issue(2, labels=frozenset(), position=None, status="In dev"),
        make.issue(3, state="closed", closed_at=make.WHEN, milestone="19.8"),
        make.issue(4, "type::bug", weight=0, assignees=("eng_alder", "eng_birch"), milestone="19.8"),
    ]
    store.put(whole)
    store._fast.execute("update issue set place = null where id = ?", (whole[2].id,))
    store._issues.hold([structs.replace(whole[1], weight=5)], [])

    def said(found: Iterable[IssueRow]) -> set[object]:
        return {(s.id, structs.astuple(s.kind), s.position, s.weight, s.closed) for s in found}

    held = [structs.replace(one, weight=5) if one.id == whole[1].id else one for one in whole]
    assert said(store.issues().slim(None)) == said(map(row_of, held))
    assert said(store.issues().slim("19.8")) == said(map(row_of, (whole[0], whole[2], whole[3])))
    assert said(store.issues().slim("")) == said([row_of(held[1])])
    alike = [s.kind for s in store.issues().slim("19.8") if s.id in (whole[0].id, whole[3].id)]
    assert alike[0] is alike[1]
    store.close()


def test_many_rows_are_read_in_batches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("glboard_core.store.issues.READ_EACH", 3)
    store = SqliteStore(tmp_path / "state.sqlite3")
    store.put([make.issue(n, milestone="19.8" if n % 2 else None) for n in range(1, 10)])
    assert len(list(store.issues().matching(None))) == len(list(store.issues().values())) == 9
    assert {i.iid for i in store.issues().matching("19.8")} == {1, 3, 5, 7, 9}
    assert len(list(store.issues().slim(""))) == 4


def test_damage_in_a_large_file_is_found_later_and_recovered_at_the_next_start(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "CHECKED", 0)
    store = SqliteStore(path)
    store.put([make.issue(n) for n in range(1, 2_000)])
    store.enqueue([entry("a")])
    assert store.check() is None
    store.close()
    whole = path.read_bytes()
    # Some page of issues that is not read at the start: SQLite decides which.
    for page in range(len(whole) // 4096 // 2, len(whole) // 4096):
        path = path.with_name(f"{page}.sqlite3")
        path.write_bytes(whole[: page * 4096] + b"\xff" * 4096 + whole[(page + 1) * 4096 :])
        store = SqliteStore(path)
        if not store.notice:
            break
        store.close()
    assert store.notice == ""  # too large to be read through at the start
    found = store.check()
    assert found is not None
    assert "damaged" in str(found)
    assert path.exists()
    store.close()
    store = SqliteStore(path)
    assert "1 unsent change was recovered" in store.notice
    assert ids(store) == ["a"]
    assert store.check() is None
    store.close()
    store = SqliteStore(path)
    assert store.notice == ""
    store.close()


def test_a_store_in_memory_keeps_everything_and_knows_no_other_process() -> None:
    store = SqliteStore(":memory:")
    assert (store.durable, store.notice) == (False, "")
    store.enqueue([entry("a")])
    store.put([make.issue(1)])
    store.put_meta("k", b"v")
    assert [one.op.id for one in store.outbox()] == ["a"]
    assert store.issue(make.issue_id(1)) == make.issue(1)
    assert store.acquire_lease()
    assert store.poll_external() is None
    assert store.check() is None
    assert SqliteStore(":memory:").meta("k") is None
    store.close()


def test_what_a_person_typed_is_on_disk_and_rescued(path: Path) -> None:
    store = SqliteStore(path)
    store.put_meta("call:other", b"can be read again")
    store.keep_record("call:1", b"first")
    store.keep_record("call:1", b"changed")
    store.keep_record("draft:1", b"of another kind")
    other = SqliteStore(path)
    assert other.records("call:") == {"call:1": b"changed"}
    other.close()
    store._durable.execute("pragma user_version = 99")
    store.close()
    again = SqliteStore(path)
    assert again.notice
    assert again.records("") == {"call:1": b"changed", "draft:1": b"of another kind"}
    assert again.meta("call:other") is None
    again.close()


def test_a_full_disk_is_reported_for_what_a_person_typed(path: Path) -> None:
    store = SqliteStore(path)
    store._durable.execute("pragma query_only = on")
    with pytest.raises(StoreFailed):
        store.keep_record("call:1", b"lost?")
    store.close()
