"""Say/Do: a test for each sentence of rule 6, at the second that decides."""

from __future__ import annotations

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from glboard_core.board.rules import missed_labels
from glboard_core.config import LabelSettings
from glboard_core.model.issue import IssueId
from glboard_core.planning.capacity import window
from glboard_core.planning.plan_lock import PlannedIssue, PlanSnapshot
from glboard_core.planning.say_do import Definition, Track
from planning.histories import NAMES, UTC_WINDOW, X, at, life, numbers, report
from support.make import issue_id

PLANNED = (("10-07", "into 19.6"), ("10-09 10:00:00", "+Deliverable"))


def done(found: object, name: Definition) -> list[int]:
    return numbers(found.definitions[name].done)  # type: ignore[attr-defined]


def said(found: object, name: Definition) -> list[int]:
    return numbers(found.definitions[name].said)  # type: ignore[attr-defined]


# -- cut-off


@pytest.mark.parametrize(
    ("closed", "counts"),
    [
        ("11-13 23:59:58", True),
        ("11-13 23:59:59", True),
        ("11-13 23:59:59.999000", True),
        ("11-14 00:00:00", False),
    ],
)
def test_event_at_the_cut_off_second_counts(closed: str, counts: bool) -> None:
    found = report(life(1, *PLANNED, (closed, "closed")))
    for name in ("group", "committed", "reprioritized"):
        assert done(found, name) == ([1] if counts else [])
    assert done(found, "handbook") == [1]
    assert numbers(found.late_closed) == ([] if counts else [1])


@pytest.mark.parametrize(
    ("zone", "closed", "counts"),
    [
        ("America/Los_Angeles", "11-14 07:59:59", True),
        ("America/Los_Angeles", "11-14 08:00:00", False),
        ("Asia/Tokyo", "11-13 14:59:59", True),
        ("Asia/Tokyo", "11-13 15:00:00", False),
    ],
)
def test_cut_off_is_in_the_teams_time_zone(zone: str, closed: str, counts: bool) -> None:
    measured = window(X, ZoneInfo(zone))
    found = report(life(1, *PLANNED, (closed, "closed")), measured=measured)
    assert done(found, "group") == ([1] if counts else [])


def test_reopening_counts_only_before_the_cut_off() -> None:
    before = life(1, *PLANNED, ("10-20", "closed"), ("11-01", "reopened"))
    after = life(2, *PLANNED, ("10-20", "closed"), ("11-20", "reopened"))
    again = life(3, *PLANNED, ("10-20", "closed"), ("11-01", "reopened"), ("11-13 23:59:59", "closed"))
    found = report(before, after, again)
    assert done(found, "group") == [2, 3]
    assert done(found, "handbook") == [3]
    assert numbers(found.unresolved) == [1, 2]


# -- group


def test_group_contains_issues_with_both_at_any_second_of_the_milestone() -> None:
    found = report(
        life(1, ("10-20", "into 19.6"), ("10-21", "+Deliverable"), ("10-22", "-Deliverable")),
        life(2, ("10-20", "into 19.6"), ("10-21", "into 19.7"), ("10-22", "+Deliverable")),
        life(3, *PLANNED, ("10-09 20:00:00", "-Deliverable")),
        life(4, *PLANNED, ("10-10 00:00:00", "-Deliverable")),
        life(5, *PLANNED, ("10-10 00:00:01", "-Deliverable")),
        life(6, ("10-20", "into 19.6"), ("11-13 23:59:59", "+Deliverable")),
        life(7, ("10-20", "into 19.6"), ("11-14 00:00:00", "+Deliverable")),
    )
    assert said(found, "group") == [1, 5, 6]


def test_done_needs_the_milestone_at_the_cut_off_but_not_the_label() -> None:
    found = report(
        life(1, *PLANNED, ("10-20", "closed"), ("10-21", "-Deliverable")),
        life(2, *PLANNED, ("10-20", "closed"), ("10-21", "into 19.7")),
        life(3, *PLANNED, ("10-20", "closed"), ("10-21", "out 19.6")),
    )
    assert (said(found, "group"), done(found, "group")) == ([1, 2, 3], [1])


def test_both_only_within_one_second_does_not_count() -> None:
    found = report(
        life(
            1,
            ("10-20 08:00:00", "into 19.6"),
            ("10-20 08:00:00", "+Deliverable"),
            ("10-20 08:00:00", "-Deliverable"),
        ),
        life(
            2,
            ("10-20 08:00:00", "into 19.6"),
            ("10-20 08:00:00", "+Deliverable"),
            ("10-20 08:00:01", "-Deliverable"),
        ),
    )
    assert said(found, "group") == [2]


# -- committed and reprioritized


def test_ten_committed_five_moved_out_one_of_five_missed() -> None:
    """RE's own example: 40 % and 80 %."""
    stayed = [life(n, *PLANNED, ("10-20", "closed")) for n in range(1, 5)]
    missed = life(5, *PLANNED)
    moved = [life(n, *PLANNED, ("10-28", "into 19.7")) for n in range(6, 11)]
    found = report(*stayed, missed, *moved)
    assert found.definitions["committed"].percent == 40.0
    assert found.definitions["reprioritized"].percent == 80.0
    assert numbers(found.removed_or_moved_early) == [6, 7, 8, 9, 10]


@pytest.mark.parametrize(
    ("lock", "committed"), [("10-09 09:59:59", []), ("10-09 10:00:00", [1]), ("10-09 17:00:00", [1])]
)
def test_plan_is_the_state_at_the_second_of_the_lock(lock: str, committed: list[int]) -> None:
    assert said(report(life(1, *PLANNED), lock=at(lock)), "committed") == committed


def test_default_lock_is_the_last_second_before_the_start() -> None:
    found = report(
        life(1, ("10-01", "into 19.6"), ("10-09 23:59:59", "+Deliverable")),
        life(2, ("10-01", "into 19.6"), ("10-10 00:00:00", "+Deliverable")),
    )
    assert found.locked_at == at("10-09 23:59:59")
    assert said(found, "committed") == [1]
    assert numbers(found.late_added) == [2]


def test_issue_moved_away_and_back_stays_reprioritized() -> None:
    back = life(
        1,
        *PLANNED,
        ("10-20", "into 19.7"),
        ("10-21", "-Deliverable"),
        ("11-01", "into 19.6"),
        ("11-02", "+Deliverable"),
    )
    without = life(2, *PLANNED, ("10-21", "-Deliverable"))
    found = report(back, without)
    assert said(found, "reprioritized") == [1]
    assert numbers(found.removed_or_moved_early) == [2]


def test_snapshot_is_preferred_to_events_and_named_as_source() -> None:
    plan = PlanSnapshot(
        milestone="19.6",
        locked_at=at("10-08"),
        issues=(
            PlannedIssue(issue=issue_id(1), reference="demo-org/platform#1"),
            PlannedIssue(issue=IssueId("gid://gitlab/Issue/77"), reference="demo-org/gone#77"),
        ),
    )
    # The bot once removed Deliverable by mistake, without an event.
    found = report(life(1, ("10-07", "into 19.6"), ("10-20", "closed")), plan=plan)
    assert found.source == "snapshot"
    assert said(found, "group") == []
    # An issue deleted since then counts as said and not done.
    assert said(found, "committed") == [1, 77]
    assert done(found, "committed") == [1]
    assert report(life(1)).source == "rebuilt"


# -- handbook


def test_handbook_counts_closed_deliverables_and_missed_labels() -> None:
    found = report(
        life(1, *PLANNED, ("10-20", "closed")),
        life(2, *PLANNED, ("11-16", "closed")),
        life(3, ("10-07", "into 19.6"), ("10-20", "closed")),
        life(4, *PLANNED, ("11-18", "+missed:19.6"), ("11-18", "into 19.7")),
        life(5, ("10-07", "into 19.6"), ("11-18", "+missed:19.6"), ("11-18", "into 19.7")),
        life(6, *PLANNED, ("10-28", "out 19.6"), ("10-28", "-Deliverable")),
        life(7, *PLANNED, ("11-18", "+missed:19.60"), ("11-18", "into 19.7")),
    )
    assert (said(found, "handbook"), done(found, "handbook")) == ([1, 2, 4, 5], [1, 2])
    assert found.definitions["handbook"].percent == 50.0
    assert numbers(found.definitions["handbook"].missed) == [4, 5]
    assert numbers(found.definitions["handbook_deliverable"].missed) == [4]
    # Removed without a missed label: not in the handbook's figure, but in what was committed.
    assert 6 in said(found, "committed")


def test_missed_issue_that_is_done_after_all_counts_once() -> None:
    found = report(life(1, *PLANNED, ("11-14", "+missed:19.6"), ("11-15", "closed")))
    assert found.definitions["handbook"].percent == 100.0
    assert found.definitions["handbook"].missed == ()


def test_a_missed_label_outlives_the_milestones_title() -> None:
    """No one renames ``missed:19.6`` with the milestone."""
    renamed = structs.replace(X, title="19.6", was=("19.6 RC",))
    found = report(
        life(1, *PLANNED, ("11-18", "+missed:19.6 RC"), ("11-18", "into 19.7")),
        life(2, *PLANNED, ("11-18", "+missed:19.6"), ("11-18", "into 19.7")),
        missed_labels=missed_labels(renamed, NAMES),
    )
    assert numbers(found.definitions["handbook"].missed) == [1, 2]
    assert found.quiet_slips == ()


# -- lists and special cases


def test_unresolved_contains_everything_still_open_in_the_milestone() -> None:
    found = report(
        life(1, *PLANNED, confidential=True),
        life(2, ("10-07", "into 19.6")),
        life(3, *PLANNED, ("11-18", "into 19.7")),
        life(4, ("10-07", "into 19.6"), labels=("type::ignore",)),
    )
    assert numbers(found.unresolved) == [1, 2]


def test_issue_moved_without_the_label_is_a_quiet_slip() -> None:
    found = report(
        life(1, *PLANNED, ("11-10", "into 19.7")),
        life(2, *PLANNED, ("11-10", "into 19.7"), ("11-18", "+missed:19.6")),
        life(3, *PLANNED, ("11-10", "out 19.6")),
        life(4, *PLANNED, ("11-18", "into 19.7")),
    )
    assert numbers(found.quiet_slips) == [1]


def test_ignored_issues_never_count() -> None:
    found = report(life(1, *PLANNED, ("10-20", "closed"), labels=("type::ignore",)))
    assert not any(ratio.said for ratio in found.definitions.values())


def test_issue_added_late_and_done_counts() -> None:
    found = report(life(1, ("10-26", "into 19.6"), ("10-26", "+Deliverable"), ("11-10", "closed")))
    assert done(found, "group") == done(found, "handbook") == numbers(found.late_added) == [1]
    assert said(found, "committed") == []


def wont_dos() -> list[Track]:
    return [
        life(1, *PLANNED, ("10-20", "closed")),
        life(2, *PLANNED, ("10-20", "closed"), duplicate=True),
        life(3, *PLANNED, ("10-20", "closed"), status="Duplicate"),
        life(4, *PLANNED, ("10-20", "closed"), status="Won't do"),
        life(5, *PLANNED, ("10-20", "closed"), labels=("closed::wontfix",)),
        life(6, *PLANNED, status="Won't do"),
    ]


def test_duplicates_and_wont_dos_are_listed_and_count_by_definition() -> None:
    names = LabelSettings(wont_do=("closed::wontfix",))
    found = report(*wont_dos(), names=names)
    assert done(found, "group") == [1, 2, 3, 4, 5]
    assert (numbers(found.duplicates), numbers(found.wont_do)) == ([2, 3], [4, 5])


def test_duplicates_and_wont_dos_do_not_count_if_configured() -> None:
    names = LabelSettings(wont_do=("closed::wontfix",))
    found = report(*wont_dos(), names=names, count_wont_do=False)
    for name in ("group", "committed", "reprioritized"):
        assert (said(found, name), done(found, name)) == ([1, 6], [1])
    assert done(found, "handbook") == [1]
    assert (numbers(found.duplicates), numbers(found.wont_do)) == ([2, 3], [4, 5])


def test_report_before_the_end_shows_the_current_state() -> None:
    past = (*PLANNED, ("10-20", "closed"), ("10-25", "reopened"), ("11-18", "+missed:19.6"))
    found = report(life(1, *past, until=at("10-22")))
    assert done(found, "group") == done(found, "handbook") == [1]
    assert found.definitions["handbook"].missed == ()


def test_an_empty_milestone_has_no_percentage() -> None:
    found = report()
    assert {ratio.percent for ratio in found.definitions.values()} == {None}


def test_percent_has_one_decimal() -> None:
    tracks = [life(n, *PLANNED, *((("10-20", "closed"),) if n < 8 else ())) for n in range(1, 13)]
    assert report(*tracks).definitions["group"].percent == 58.3


# -- laws

MOMENT = st.sampled_from(
    ["10-01", "10-09 23:59:59", "10-10 00:00:00", "10-20", "11-13 23:59:59", "11-14 00:00:00", "11-18"]
)
WHAT = st.sampled_from(
    [
        "into 19.6",
        "into 19.7",
        "out 19.6",
        "+Deliverable",
        "-Deliverable",
        "closed",
        "reopened",
        "+missed:19.6",
    ]
)
PASTS = st.lists(st.lists(st.tuples(MOMENT, WHAT), max_size=9), max_size=6)


@given(PASTS, st.booleans())
@settings(max_examples=150)
def test_laws(pasts: list[list[tuple[str, str]]], count_wont_do: bool) -> None:
    tracks = [life(n, *past, duplicate=n % 3 == 0) for n, past in enumerate(pasts, 1)]
    found = report(*tracks, count_wont_do=count_wont_do)
    for ratio in found.definitions.values():
        assert set(ratio.done) <= set(ratio.said)
        assert set(ratio.done) | set(ratio.missed) == set(ratio.said)
        assert (ratio.percent is None) == (not ratio.said)
    sets = {name: set(ratio.said) for name, ratio in found.definitions.items()}
    assert sets["reprioritized"] <= sets["committed"]
    assert sets["handbook_deliverable"] <= sets["handbook"]
    assert set(found.late_added) == sets["group"] - sets["committed"]
    assert set(found.removed_or_moved_early) == sets["committed"] - sets["reprioritized"]
    assert set(found.late_closed) <= set(found.definitions["handbook"].done)
    # An issue still planned at the cut-off was planned in the milestone.
    assert sets["reprioritized"] <= sets["group"]


@given(PASTS, st.randoms())
@settings(max_examples=50)
def test_order_of_issues_does_not_matter(pasts: list[list[tuple[str, str]]], random: object) -> None:
    tracks = [life(n, *past) for n, past in enumerate(pasts, 1)]
    shuffled = list(tracks)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert report(*tracks) == report(*shuffled)


@given(PASTS)
@settings(max_examples=80)
def test_group_equals_a_check_of_every_second_with_a_change(pasts: list[list[tuple[str, str]]]) -> None:
    """``group`` computed the slow way: check each issue at every second with a possible change."""
    tracks = [life(n, *past) for n, past in enumerate(pasts, 1)]
    seconds = {UTC_WINDOW.start, UTC_WINDOW.cut_off} | {
        at(when) + timedelta(seconds=off) for past in pasts for when, _ in past for off in (-1, 0, 1)
    }
    inside = [second for second in seconds if UTC_WINDOW.start <= second <= UTC_WINDOW.cut_off]
    slow = [
        track.issue.iid
        for track in tracks
        if any(
            (then := track.line.at(second)) is not None and then.planned_in("19.6", NAMES.deliverable)
            for second in inside
        )
    ]
    assert said(report(*tracks), "group") == slow


def test_window_is_part_of_the_report() -> None:
    found = report(measured=structs.replace(UTC_WINDOW, cut_off=at("11-12 23:59:59")))
    assert found.cut_off == at("11-12 23:59:59")
