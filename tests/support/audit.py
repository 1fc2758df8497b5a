"""The final check of a run: what was saved in an outbox, its outcome, and what the server really has.

Weights, comments and titles of new issues are numbers used once, so that whatever was lost or sent twice
shows in the history of the embedded GitLab.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from itertools import pairwise

from msgspec import UNSET, Struct

from glboard_core.board.operations import Comment, Create, DeleteNote, Edit, Op, OpId
from glboard_core.demo.world.records import Event
from glboard_core.demo.world.world import World
from glboard_core.errors import EditUnknown
from glboard_core.ports import MADE, Store
from support.worker import Progress

_MICROSECONDS = 1_000_000
#: What people saw when they set a weight: by issue and the weight they set.
Saw = dict[tuple[str, object], set[object]]


class AuditResult(Struct):
    """The counts of a run. ``lost`` and ``doubled`` must be empty."""

    edits: int = 0
    made: int = 0
    withdrawn: int = 0
    failed: int = 0
    waiting: int = 0
    dropped: int = 0
    #: Another person's change overwritten between re-reading and writing: seconds after it, and where.
    slipped: list[tuple[float, str]] = []
    #: Made with a lost answer, overwritten by another person, and then chosen or dropped as a conflict.
    chosen: int = 0
    lost: list[str] = []
    doubled: list[str] = []

    def line(self) -> str:
        """In one line."""
        worst = f", at most {max(self.slipped)[0]:.2f} s after it" if self.slipped else ""
        return ", ".join(
            (
                f"{self.edits} changes: {self.made} sent",
                f"{self.withdrawn} withdrawn unsent",
                f"{self.failed} failed",
                f"{self.waiting} waiting",
                f"{self.dropped} dropped",
                f"{self.chosen} chosen again",
                f"{len(self.lost)} lost",
                f"{len(self.doubled)} doubled",
                f"{len(self.slipped)} overwrote another person's change unseen{worst}",
            )
        )


def audit(world: World, store: Store, said: Iterable[Progress], *, me: str) -> AuditResult:
    """Compare what processes reported with the store and the server."""
    kept: dict[OpId, Op] = {}
    taking: set[OpId] = set()
    taken: set[OpId] = set()
    saw: Saw = defaultdict(set)
    for one in said:
        for op in one.ops:
            # Whoever chose "keep mine" saw the value at that time.
            saw[op.issue, _sets(op)].add(_seen(op))
        kept.update((op.id, op) for op in one.ops)
        (taking if one.what == "taking" else taken).update(one.ids)
    ends: dict[OpId, str] = {}
    changes: dict[OpId, Op] = {}
    for line in reversed(store.log(1_000_000)):
        if line.result == "undone":
            continue
        before = ends.get(line.op)
        ends[line.op] = line.result
        changes[line.op] = line.change
        if before is not None and before != line.result:
            ends[line.op] = f"{line.result} and {before}"
    waiting = {entry.op.id: entry.op for entry in store.outbox()}
    refusals = {refusal.op.id for refusal in store.failed_changes()}
    unknown = {refusal.op.id for refusal in store.failed_changes() if refusal.kind == EditUnknown.__name__}
    unknown |= {
        line.op
        for line in store.log(1_000_000)
        if line.result == "failed" and "again and again" in line.message
    }
    found = AuditResult(edits=len(kept))
    done: list[Op] = []
    for op in {**changes, **kept, **waiting}.values():
        end = ends.get(op.id)
        if op.id in waiting:
            found.waiting += 1
            if end is not None:
                found.doubled.append(f"waiting, but {end}: {op}")
        elif end in MADE:
            found.made += 1
            done.append(changes[op.id])
        elif end == "failed" or op.id in refusals:
            found.failed += 1
        elif end == "dropped":
            found.dropped += 1
        elif op.id in taken or op.id in taking:
            found.withdrawn += 1
        else:
            found.lost.append(f"nobody knows what became of it ({end}): {op}")
    _compare_notes(world, done, found, unknown, kept)
    _compare_new(world, done, found, unknown, kept)
    _compare_weights(world, done, found, unknown, kept, saw, me)
    return found


def _compare_notes(
    world: World, done: list[Op], found: AuditResult, unknown: set[OpId], kept: dict[OpId, Op]
) -> None:
    there = Counter(note.body.partition("\n\n<!--")[0] for note in world.notes.values())
    deleted = {op.change.of for op in done if isinstance(op.change, DeleteNote)}
    deleted_maybe = {
        change.of for o in unknown if o in kept and isinstance(change := kept[o].change, DeleteNote)
    }
    wanted = Counter(op.change.body for op in done if isinstance(op.change, Comment) and op.id not in deleted)
    least = Counter(
        op.change.body
        for op in done
        if isinstance(op.change, Comment) and op.id not in deleted and op.id not in deleted_maybe
    )
    most = wanted + Counter(
        op.change.body for op in kept.values() if op.id in unknown and isinstance(op.change, Comment)
    )
    for body in there | wanted:
        if not body.startswith("note "):
            continue
        if there[body] > most[body]:
            found.doubled.append(f"comment {body}: {there[body]} times, wanted {most[body]}")
        if there[body] < least[body]:
            found.lost.append(f"comment {body}: {there[body]} times, wanted {least[body]}")


def _compare_new(
    world: World, done: list[Op], found: AuditResult, unknown: set[OpId], kept: dict[OpId, Op]
) -> None:
    there = Counter(issue.title for project in world.projects.values() for issue in project.issues.values())
    wanted = Counter(op.change.title for op in done if isinstance(op.change, Create))
    most = wanted + Counter(
        op.change.title for op in kept.values() if op.id in unknown and isinstance(op.change, Create)
    )
    for title in there | wanted:
        if not title.startswith("made "):
            continue
        if there[title] > most[title]:
            found.doubled.append(f"issue {title}: {there[title]} times, wanted {most[title]}")
        if there[title] < wanted[title]:
            found.lost.append(f"issue {title}: {there[title]} times, wanted {wanted[title]}")


def _compare_weights(
    world: World,
    done: list[Op],
    found: AuditResult,
    unknown: set[OpId],
    kept: dict[OpId, Op],
    saw: Saw,
    me: str,
) -> None:
    made: dict[str, list[Op]] = defaultdict(list)
    for op in done:
        if _sets(op) is not UNSET:
            made[op.issue].append(op)
    unsure = {(op.issue, _weight(op)) for op in kept.values() if op.id in unknown}
    for project in world.projects.values():
        for issue in project.issues.values():
            gid = f"gid://gitlab/Issue/{issue.id}"
            events = [event for event in issue.history or () if event.kind == "weight"]
            _compare_weight(issue.reference, events, made[gid], found, {v for i, v in unsure if i == gid}, me)
            _compare_overwritten(gid, issue.reference, events, found, saw, me)


def _weight(op: Op) -> int | None:
    """The number that an Op sets as weight; several undos can restore the first weight of an issue."""
    weight = op.change.weight if isinstance(op.change, Edit) else None
    return weight if isinstance(weight, int) and weight >= 100 else None


def _undone(weight: int, ops: list[Op]) -> bool:
    """Whether this is one half of an edit and its undo, one of them with a lost answer: nothing shows whether
    they were applied, and nothing is missing if not."""
    sets = [at for at, op in enumerate(ops) if _sets(op) == weight]
    return all(
        any(_sets(later) == _seen(ops[at]) for later in ops[at + 1 :])
        or any(_seen(earlier) == weight for earlier in ops[:at])
        for at in sets
    )


def _sets(op: Op) -> object:
    return op.change.weight if isinstance(op.change, Edit) else UNSET


def _seen(op: Op) -> object:
    return op.before.weight if op.before is not None else None


def _compare_weight(
    name: str, events: list[Event], weighed: list[Op], found: AuditResult, unsure: set[int | None], me: str
) -> None:
    """Check that every number was set as often as requested.

    A change with a lost answer that another person overwrote before it could be looked for is a conflict,
    which a person resolves. It can then be there although it was discarded, or twice with the other's change
    in between, but never twice without.
    """
    made = [op for op in weighed if _weight(op) is not None]
    wanted = Counter(_weight(op) for op in made)
    places: dict[int, list[int]] = defaultdict(list)
    for at, event in enumerate(events):
        if event.by.username == me and isinstance(event.value, int) and event.value >= 100:
            places[event.value].append(at)
    for value, spots in places.items():
        most = wanted[value] + (value in unsure)
        # An occurrence overwritten by someone else may be the one whose answer was lost.
        over = sum(
            any(event.by.username != me for event in events[one + 1 : next_])
            for one, next_ in pairwise([*spots, len(events)])
        )
        if len(spots) > most + over:
            found.doubled.append(f"{name} weight {value}: {len(spots)} times, wanted {wanted[value]}")
        elif len(spots) > most:
            found.chosen += 1
    for wish in wanted:
        if wish is not None and wish not in places and not _undone(wish, weighed):
            found.lost.append(f"{name} weight {wish} was never set")
    mine = [event for event in events if event.by.username == me]
    if mine and weighed and events[-1] is mine[-1] and _sets(weighed[-1]) != mine[-1].value:
        found.doubled.append(f"{name}: {mine[-1].value} came over {_sets(weighed[-1])}")


def _compare_overwritten(
    gid: str, name: str, events: list[Event], found: AuditResult, saw: Saw, me: str
) -> None:
    """Find changes by another person that were overwritten unseen."""
    for earlier, event in pairwise(events):
        seen = saw.get((gid, event.value))
        over_theirs = earlier.by.username != me and event.by.username == me
        if over_theirs and seen is not None and earlier.value not in seen:
            seconds = (event.at - earlier.at) / _MICROSECONDS
            found.slipped.append((seconds, f"{name}: {event.value} over {earlier.value}"))
