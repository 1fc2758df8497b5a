"""Replaying events: the rules of rule 6 on seconds, order and milestones, and on missing events."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from glboard_core.model.event import Event
from glboard_core.planning.timeline import timeline
from planning.histories import at, event, life
from support.make import issue


def titles(track_moments: object) -> list[str | None]:
    return [moment.milestone for moment in track_moments]  # type: ignore[attr-defined]


def test_adding_another_milestone_replaces_the_one_before() -> None:
    line = life(1, ("10-01", "into 19.5"), ("10-02", "into 19.6")).line
    assert titles(line.moments) == [None, "19.5", "19.6"]


def test_remove_clears_only_the_current_milestone() -> None:
    # The bot wrote remove and add in one second, with their ids in reverse order.
    line = life(1, ("10-01", "into 19.6"), ("11-18", "into 19.7"), ("11-18", "out 19.6")).line
    assert titles(line.moments) == [None, "19.6", "19.7"]
    line = life(1, ("10-01", "into 19.6"), ("11-18", "out 19.6")).line
    assert titles(line.moments) == [None, "19.6", None]


def test_state_without_duration_is_never_seen() -> None:
    line = life(1, ("10-12", "into 19.6"), ("10-12", "into 19.7")).line
    assert titles(line.moments) == [None, "19.7"]
    line = life(1, ("10-12", "+Deliverable"), ("10-12", "-Deliverable")).line
    assert not any("Deliverable" in moment.labels for moment in line.moments)


def test_times_are_truncated_to_the_second_and_ids_order_within_it() -> None:
    late = Event(kind="label", action="remove", value="a", at=at("10-12 08:00:00.900000"), id=7)
    early = Event(kind="label", action="add", value="a", at=at("10-12 08:00:00.100000"), id=9)
    line = timeline(issue(1, "a", created_at=at("09-01"), updated_at=at("10-12")), [early, late])
    # By id, the removal was first.
    assert "a" in (line.last or line.moments[0]).labels
    assert [moment.at.microsecond for moment in line.moments] == [0, 0]


def test_event_applies_from_its_own_second() -> None:
    line = life(1, ("10-12 08:00:00", "closed")).line
    before, then = line.at(at("10-12 07:59:59.999999")), line.at(at("10-12 08:00:00"))
    assert before is not None
    assert before.is_open
    assert then is not None
    assert not then.is_open


def test_issue_does_not_exist_before_its_creation() -> None:
    line = life(1, ("10-12", "+Deliverable")).line
    assert line.at(at("08-31")) is None
    assert line.at(at("09-01")) is not None


def test_events_older_than_the_issue_belong_to_a_moved_issue() -> None:
    line = life(1, ("08-01", "into 19.6")).line
    assert line.at(at("08-02")) == line.at(at("12-01"))


def test_value_without_events_was_always_there() -> None:
    one = issue(1, "Deliverable", milestone="19.6", weight=3, created_at=at("09-01"), updated_at=at("09-01"))
    (moment,) = timeline(one, []).moments
    assert moment.planned_in("19.6", "Deliverable")
    assert moment.weight == 3


def test_first_event_that_removes_a_value_proves_it_was_there() -> None:
    one = issue(1, created_at=at("09-01"), updated_at=at("10-28"))
    line = timeline(one, [event("10-28", "-Deliverable"), event("10-28", "out 19.6")])
    assert line.moments[0].planned_in("19.6", "Deliverable")
    assert not line.moments[-1].planned_in("19.6", "Deliverable")
    reopened = timeline(one, [event("10-28", "reopened")])
    assert [moment.is_open for moment in reopened.moments] == [False, True]


def test_close_without_an_event_uses_closed_at() -> None:
    closed = issue(1, state="closed", closed_at=at("11-03"), created_at=at("09-01"), updated_at=at("11-30"))
    line = timeline(closed, [event("11-20", "+late")])
    assert [(moment.at, moment.is_open) for moment in line.moments[:2]] == [
        (at("09-01"), True),
        (at("11-03"), False),
    ]


def test_current_values_apply_from_the_last_update() -> None:
    # The label was deleted, and its removal left no event.
    one = issue(1, milestone="19.6", created_at=at("09-01"), updated_at=at("11-30"))
    line = timeline(one, [event("10-01", "+Deliverable"), event("10-01", "into 19.6")])
    then, now = line.at(at("11-29")), line.last
    assert then is not None
    assert then.planned_in("19.6", "Deliverable")
    assert now is not None
    assert not now.planned_in("19.6", "Deliverable")


def test_deleted_milestone_still_replaces_the_one_before() -> None:
    one = issue(1, created_at=at("09-01"), updated_at=at("12-01"))
    gone = Event(kind="milestone", action="add", value=None, at=at("10-20"), id=2)
    cleared = Event(kind="milestone", action="remove", value=None, at=at("12-01"), id=3)
    line = timeline(one, [event("10-01", "into 19.6", 1), gone, cleared])
    assert titles(line.moments) == [None, "19.6", "", None]


def test_nothing_happens_after_until() -> None:
    line = life(1, ("10-12", "closed"), ("10-14", "reopened"), until=at("10-13")).line
    assert line.last is not None
    assert not line.last.is_open
    assert life(1, until=at("08-01")).line.last is None


SECONDS = st.integers(0, 5)
WHAT = st.sampled_from(
    ["into 19.6", "into 19.7", "out 19.6", "out 19.7", "+Deliverable", "-Deliverable", "closed", "reopened"]
)
PASTS = st.lists(st.tuples(SECONDS, WHAT), max_size=8)
START = datetime(2026, 10, 12, tzinfo=UTC)


def events_of(past: list[tuple[int, str]]) -> list[Event]:
    made = []
    for number, (second, what) in enumerate(past, 1):
        one = event("10-12", what, number)
        made.append(
            Event(
                kind=one.kind,
                action=one.action,
                value=one.value,
                at=START + timedelta(seconds=second, milliseconds=number * 7),
                id=number,
            )
        )
    return made


@given(PASTS, st.randoms())
def test_input_order_of_events_does_not_matter(past: list[tuple[int, str]], random: object) -> None:
    one = issue(1, created_at=START, updated_at=START)
    events = events_of(past)
    shuffled = list(events)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert timeline(one, events) == timeline(one, shuffled)


@given(PASTS)
def test_moments_are_ordered_distinct_seconds_and_end_with_current_values(
    past: list[tuple[int, str]],
) -> None:
    one = issue(1, milestone="19.7", created_at=START, updated_at=START)
    moments = timeline(one, events_of(past)).moments
    times = [moment.at for moment in moments]
    assert times == sorted(set(times))
    last = moments[-1]
    assert (last.milestone, last.labels, last.is_open) == ("19.7", one.labels, True)


@given(PASTS)
def test_earlier_end_gives_the_same_history_cut_off(past: list[tuple[int, str]]) -> None:
    one = issue(1, created_at=START, updated_at=START + timedelta(seconds=9))
    whole = timeline(one, events_of(past))
    until = START + timedelta(seconds=3)
    cut = timeline(one, events_of(past), until=until)
    assert cut.moments == tuple(moment for moment in whole.moments if moment.at <= until)
