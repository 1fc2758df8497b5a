"""Which events a report needs: what is left out could not have changed what it sees."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from glboard_core.model.event import SETTLED, Event, EventAction, EventKind
from glboard_core.model.issue import Issue
from glboard_core.planning.events_needed import Look, kinds_needed
from glboard_core.planning.timeline import Moment, timeline
from support.make import issue

BORN = datetime(2026, 11, 1, tzinfo=UTC)
ALL: frozenset[EventKind] = frozenset({"label", "milestone", "state"})
#: GitLab moves ``updated_at`` for a label only if it is older than this.
THROTTLE = timedelta(seconds=60)


def at(seconds: int) -> datetime:
    return BORN + timedelta(seconds=seconds)


def lived(changes: list[tuple[int, str]]) -> tuple[Issue, list[Event]]:
    """An issue after changes at these seconds, as GitLab shows it, and all of its events."""
    one = issue(1, labels=frozenset(), milestone=None, created_at=BORN, updated_at=BORN)
    events: list[Event] = []
    for number, (second, what) in enumerate(sorted(changes), 1):
        when = at(second)
        kind: EventKind
        action: EventAction
        value: str | None
        match what:
            case "label":
                kind, action = "label", "remove" if "Deliverable" in one.labels else "add"
                value = "Deliverable"
                one = structs.replace(one, labels=one.labels ^ {"Deliverable"})
            case "close":
                kind, action, value = "state", "closed" if one.is_open else "reopened", None
                closed = when if one.is_open else None
                one = structs.replace(one, state="closed" if one.is_open else "opened", closed_at=closed)
            case title:
                kind, action, value = "milestone", "add", title
                if one.milestone == title:
                    continue
                one = structs.replace(one, milestone=title)
        events.append(Event(kind=kind, action=action, at=when, value=value, id=number))
        if kind != "label" or when - one.updated_at >= THROTTLE or one.updated_at == BORN:
            one = structs.replace(one, updated_at=when)
    return one, events


@given(
    st.lists(
        st.tuples(st.integers(1, 400), st.sampled_from(["label", "close", "19.7", "19.8"])),
        max_size=6,
        unique_by=lambda change: change[0],
    ),
    st.integers(0, 500),
    st.integers(0, 300),
)
def test_what_is_left_out_changes_nothing_that_a_report_sees(
    changes: list[tuple[int, str]], since: int, length: int
) -> None:
    one, events = lived(changes)
    looks = (
        Look(frozenset({"milestone", "label"}), at(since), at(since + length)),
        Look(frozenset({"state"}), at(since + length), at(since + length)),
    )
    needed = kinds_needed(one, looks)
    assert needed <= ALL
    whole, part = timeline(one, events), timeline(one, [e for e in events if e.kind in needed])

    def planned(moment: Moment | None) -> object:
        return moment and (moment.milestone, moment.labels)

    def opened(moment: Moment | None) -> object:
        return moment and moment.is_open

    for second in range(since, since + length + 1):
        assert planned(part.at(at(second))) == planned(whole.at(at(second)))
    end = at(since + length)
    assert opened(part.at(end)) == opened(whole.at(end))


def test_nothing_is_needed_where_nothing_can_differ() -> None:
    one = issue(1, created_at=BORN, updated_at=BORN)
    ever = Look(ALL, at(-1_000), at(1_000))
    assert kinds_needed(one, [ever]) == frozenset()
    changed = structs.replace(one, updated_at=at(100))
    assert kinds_needed(changed, [ever]) == ALL
    settled = at(100) + SETTLED
    assert kinds_needed(changed, [Look(ALL, settled, settled)]) == frozenset()
    assert kinds_needed(changed, [Look(ALL, settled - timedelta(seconds=1), settled)]) == ALL
    assert kinds_needed(changed, [Look(ALL, at(-20), at(-10))]) == frozenset()
    closed = structs.replace(changed, state="closed", closed_at=at(100))
    assert kinds_needed(closed, [Look(ALL, at(100), at(100))]) == ALL - {"state"}
    assert kinds_needed(closed, [Look(ALL, at(99), at(99))]) == ALL
