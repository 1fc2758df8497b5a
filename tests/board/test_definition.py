"""Which milestone is current, next and after; boards resolved by date and alias."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from datetime import date
from pathlib import Path

import pytest
from msgspec import structs

from glboard_core.board.definition import milestone_for, milestone_title, overlap_notes, resolve, role_of
from glboard_core.board.rules import missed, ready, slipped, warnings
from glboard_core.config import BoardSettings, LabelSettings, Limit, Settings
from glboard_core.errors import NameUnknown
from glboard_core.model.catalog import Catalog, Label
from glboard_core.model.milestone import (
    Milestone,
    current,
    following,
    overlapping,
    preceding,
    upcoming,
    versions,
)
from glboard_core.model.workflow import WorkflowScheme, near
from support.make import MILESTONES, WHEN, catalog, issue, milestone

TODAY = date(2026, 12, 7)


def test_order_is_by_start_never_by_title() -> None:
    assert [m.title for m in versions(MILESTONES)] == ["19.6", "19.7", "19.8", "19.9", "19.10"]
    assert [m.title for m in upcoming(MILESTONES, TODAY)] == ["19.8", "19.9", "19.10"]


@pytest.mark.parametrize(
    ("day", "title"),
    [
        ("2026-11-13", "19.6"),
        ("2026-11-14", "19.7"),
        ("2026-12-11", "19.7"),
        ("2026-12-12", "19.8"),
        ("2030-01-01", None),
    ],
)
def test_current_includes_its_first_and_last_day(day: str, title: str | None) -> None:
    found = current(MILESTONES, date.fromisoformat(day))
    assert (found.title if found else None) == title


def test_of_overlapping_milestones_the_one_that_started_last_is_current() -> None:
    both = (milestone("1.1", "2026-11-02", "2026-11-30"), milestone("1.2", "2026-11-16", "2026-12-14"))
    days = ("2026-11-15", "2026-11-16", "2026-12-14")
    found = [current(both, date.fromisoformat(day)) for day in days]
    assert [one.title if one else None for one in found] == ["1.1", "1.2", "1.2"]


def _titles(found: Iterable[Milestone]) -> list[str]:
    return [one.title for one in found]


def test_no_milestone_falls_out_of_reach_where_two_share_days() -> None:
    known = (
        milestone("1.1", "2026-11-01", "2026-12-12"),
        milestone("1.2", "2026-12-12", "2027-01-15"),
        milestone("1.3", "2027-01-10", "2027-02-12"),
    )
    shared = date(2026, 12, 12)
    assert _titles(upcoming(known, date(2026, 12, 11))) == ["1.2", "1.3"]
    assert _titles(filter(None, [current(known, shared)])) == ["1.2"]
    assert _titles(upcoming(known, shared)) == ["1.3"]
    assert _titles(overlapping(known, shared)) == ["1.1"]
    assert overlapping(known, date(2026, 12, 13)) == []
    # A short one that ran within the current one is over, not coming.
    within = (milestone("2.0", "2026-11-01", "2026-12-31"), milestone("2.1", "2026-11-10", "2026-11-20"))
    assert upcoming(within, date(2026, 12, 1)) == []


def test_between_two_milestones_the_later_one_is_next() -> None:
    known = (milestone("1.1", "2026-11-02", "2026-12-04"), milestone("1.2", "2026-12-07", "2027-01-08"))
    saturday = date(2026, 12, 5)
    assert current(known, saturday) is None
    assert _titles(upcoming(known, saturday)) == ["1.2"]
    with pytest.raises(NameUnknown) as caught:
        milestone_title("current", Settings(), structs.replace(catalog(), milestones=known), saturday)
    assert "1.1 ended 2026-12-04, 1.2 starts 2026-12-07" in caught.value.hint


def test_milestones_of_the_same_dates_are_in_the_order_of_their_numbers() -> None:
    same = [milestone(title, "2026-11-02", "2026-12-04") for title in ("19.10", "19.9")]
    assert _titles(versions(same)) == ["19.9", "19.10"]


def test_what_a_version_looks_like_is_a_setting() -> None:
    known = [
        milestone("Sprint 43", "2026-11-14", "2026-12-11"),
        milestone("Sprint 44", "2026-12-12", "2027-01-15"),
        milestone("19.8", "2026-12-12", "2027-01-15"),
    ]
    sprint = r"^Sprint \d+$"
    assert _titles(versions(known, sprint)) == ["Sprint 43", "Sprint 44"]
    now, after = current(known, TODAY, sprint), following(known, "Sprint 43", TODAY, sprint)
    assert _titles(filter(None, [now, after])) == ["Sprint 43", "Sprint 44"]
    assert _titles(filter(None, [preceding(known, "Sprint 44", sprint)])) == ["Sprint 43"]


#: How many arguments a call has that names the configured titles of versions.
_CALLS = {
    "is_version": 1,
    "versions": 2,
    "current": 3,
    "upcoming": 3,
    "overlapping": 3,
    "preceding": 3,
    "following": 4,
    "ending": 4,
    "open_for_deliverables": 3,
    "closed_after": 3,
    "scope_of_group": 4,
}


def test_every_caller_names_the_configured_titles() -> None:
    root, wrong = Path(__file__).parents[2], []
    for path in (*root.glob("core/**/*.py"), *root.glob("tui/**/*.py")):
        text = path.read_text("utf-8")
        if "milestone" not in text or "/demo/" in str(path):
            continue
        for node in ast.walk(ast.parse(text)):
            if not isinstance(node, ast.Call):
                continue
            name = getattr(node.func, "id", getattr(node.func, "attr", ""))
            if name in _CALLS and 0 < len(node.args) + len(node.keywords) < _CALLS[name]:
                wrong.append(f"{path.relative_to(root)}:{node.lineno} {name}")
    assert not wrong, wrong


def test_overlap_is_said_on_a_board_that_depends_on_it() -> None:
    known = (milestone("19.7", "2026-11-14", "2026-12-11"), milestone("19.8", "2026-12-01", "2027-01-15"))
    both = structs.replace(catalog(), milestones=known)
    build = Settings().board("build")
    assert build is not None
    found = resolve(build, Settings(), both, TODAY)
    assert found.milestone == "19.8"
    assert found.warnings == (
        "19.7 and 19.8 overlap on 2026-12-07; using 19.8, which started last, as the current milestone.",
    )
    assert resolve(build, Settings(), both, date(2026, 12, 20)).warnings == ()


def test_defer_moves_to_the_next_milestone_after_the_cards_own() -> None:
    def after(title: str | None) -> str | None:
        found = following(MILESTONES, title, TODAY)
        return found.title if found else None

    assert after("19.9") == "19.10"
    assert after("19.10") is None
    assert after(None) == after("Backlog") == after("gone") == "19.8"
    before = preceding(MILESTONES, "19.10")
    assert before
    assert before.title == "19.9"
    assert preceding(MILESTONES, "19.6") is None


def test_group_milestone_wins_over_others_with_the_same_title() -> None:
    """A subgroup's 19.8 with other dates is not the team's, whatever the order of reading."""
    group = milestone("19.8", "2026-12-12", "2027-01-15", id="20")
    below = structs.replace(milestone("19.8", "2026-12-01", "2026-12-31", id="3"), owner="demo-org/sub")
    beside = structs.replace(milestone("19.8", "2026-12-02", "2026-12-30", id="12"), owner="demo-org/a")
    for found in ((below, group, beside), (group, beside, below)):
        assert versions(found) == [group]
        assert current(found, TODAY) is None
        assert catalog(milestones=found).find_milestone("19.8") == group
    # If the group has none, the oldest one wins, by id.
    for found in ((beside, below, below), (below, beside, below)):
        assert versions(found) == [below]
    # The team's own milestone without dates is no version; another's dates do not change that.
    assert versions((milestone("19.8", id="9"), below)) == []


def test_version_needs_both_dates_and_a_version_title() -> None:
    assert not milestone("19.8").is_version()
    assert not milestone("FY27-Q3", "2026-12-12", "2027-01-15").is_version()
    assert not milestone("19.8.1", "2026-12-12", "2027-01-15").is_version()


def test_names_resolve_by_date_and_alias() -> None:
    settings = Settings()
    titles = {
        name: milestone_title(name, settings, catalog(), TODAY)
        for name in ("current", "next", "after-next", "next-1-3", "awaiting", "19.6")
    }
    assert titles == {
        "current": "19.7",
        "next": "19.8",
        "after-next": "19.9",
        "next-1-3": "Next 1-3 releases",
        "awaiting": "Awaiting further demand",
        "19.6": "19.6",
    }
    assert (
        milestone_title("backlog", settings, catalog(milestones=(milestone("BACKLOG"),)), TODAY) == "BACKLOG"
    )


def test_any_title_of_an_alias_resolves_to_that_alias() -> None:
    settings = Settings()
    for name in ("Next 1-3 Milestones", "next 1-3 milestones", "Next-1-3", "next 1-3 RELEASES"):
        assert milestone_title(name, settings, catalog(), TODAY) == "Next 1-3 releases"
    # An existing title resolves to itself, even if another title of the alias exists.
    both = catalog(milestones=(milestone("Next 1-3 Milestones"), milestone("Next 1-3 releases")))
    assert milestone_title("Next 1-3 releases", settings, both, TODAY) == "Next 1-3 releases"
    assert milestone_for("Next 1-3 Milestones", "demo-org/app", settings, catalog(), TODAY) == (
        "Next 1-3 releases"
    )


def test_unknown_name_reports_near_matches() -> None:
    with pytest.raises(NameUnknown) as caught:
        milestone_title("Next 1-3 relases", Settings(), catalog(), TODAY)
    assert "Next 1-3 releases" in str(caught.value)
    board = resolve(BoardSettings(id="x", name="X", milestone="Nixt"), Settings(), catalog(), TODAY)
    assert board.milestone == "Nixt"
    assert board.warnings
    with pytest.raises(NameUnknown):
        milestone_title("after-next", Settings(), catalog(milestones=MILESTONES[3:4]), TODAY)
    with pytest.raises(NameUnknown):
        milestone_title("current", Settings(), catalog(milestones=()), TODAY)


def test_duplicate_column_is_shown_once_and_letters_are_unique() -> None:
    columns = ("workflow::problem validation", "problem validation", "workflow::design", "workflow::nonsense")
    board = resolve(BoardSettings(id="x", name="X", by="flow", columns=columns), Settings(), catalog(), TODAY)
    assert [c.title for c in board.columns] == ["problem validation", "design"]
    assert any("nonsense" in warning for warning in board.warnings)
    for settings in Settings().boards:
        letters = [c.letter for c in resolve(settings, Settings(), catalog(), TODAY).columns]
        assert len(set(letters)) == len(letters)
        assert all(len(letter) == 1 and letter not in "uc" for letter in letters if letters)


def test_limits_reach_the_columns() -> None:
    board = BoardSettings(
        id="x", name="X", columns=("type::bug",), limits={"type::bug": Limit(issues=4, weight=9)}
    )
    column = resolve(board, Settings(), catalog(), TODAY).columns[0]
    assert (column.limit_issues, column.limit_weight) == (4, 9)


def test_roles() -> None:
    titles = ("19.6", "19.7", "19.8", "19.9", "Backlog", None)
    roles = [role_of(title, Settings(), catalog(), TODAY) for title in titles]
    assert roles == ["", "current", "next", "after next", "", ""]


def test_label_ids_belong_to_projects() -> None:
    labels = (
        Label(id="g", title="bug", owner="demo-org"),
        Label(id="p", title="bug", owner="demo-org/platform"),
        Label(id="q", title="only here", owner="demo-org/ai/gateway"),
    )
    shelf: Catalog = catalog(labels=labels)
    assert shelf.label_id("demo-org/platform", "bug") == "p"
    assert shelf.label_id("demo-org/platform-two", "bug") == "g"
    assert shelf.label("demo-org/platform", "only here") is None
    assert [label.title for label in shelf.labels_for(["demo-org/platform", "demo-org/ai/gateway"])] == [
        "bug"
    ]


def test_several_workflow_labels_give_the_state_farthest_from_completion() -> None:
    scheme = WorkflowScheme()
    two = issue(1, "workflow::in review", "workflow::in dev")
    state = scheme.of(two)
    assert state
    assert state.name == "in dev"
    status = WorkflowScheme(backend="status").of(issue(1, "workflow::in dev", status="IN REVIEW"))
    assert status
    assert status.name == "in review"
    both = WorkflowScheme(backend="both")
    assert both.conflict(issue(1, "workflow::in dev", status="In review"))
    assert not both.conflict(issue(1, "workflow::scheduling", status="Planning breakdown"))
    assert near("Workflow::In Dev") == near("in dev")


def test_rules_of_one_card() -> None:
    names, flow = LabelSettings(), WorkflowScheme()
    by_title = {m.title: m for m in MILESTONES}
    good = issue(1, "workflow::ready for development", "type::bug", weight=0)
    assert ready(good, flow, names)
    assert not ready(issue(1, "workflow::ready for development", "type::bug"), flow, names)
    assert not ready(
        issue(1, "workflow::ready for development", "type::bug", "type::feature", weight=1), flow, names
    )
    assert warnings(issue(1, "workflow::ready for development", weight=None), flow, names) == (
        "missing-type",
        "ready-without-weight",
    )
    assert warnings(issue(1, "type::bug", weight=4), flow, names) == ("over-weight",)
    assert warnings(issue(1, "type::bug", weight=3), flow, names) == ()
    assert slipped(issue(1, milestone="19.6"), names, by_title, TODAY)
    assert not slipped(issue(1, milestone="19.7"), names, by_title, date(2026, 12, 11))
    assert slipped(issue(1, "missed:19.5", milestone="19.8"), names, by_title, TODAY)
    assert not slipped(issue(1, "missed:19.5", state="closed", closed_at=WHEN), names, by_title, TODAY)
    assert missed(issue(1, "missed:19.5", "missed:19.6"), names, {}) == 2


@pytest.mark.parametrize(
    ("title", "days", "says"),
    [
        (
            "Sprint 43",
            ("2026-12-01", "2026-12-20"),
            "“Sprint 43” is not a version: set version under [planning]",
        ),
        ("19.7", ("", "2026-12-20"), "Set a start and a due date for 19.7 in GitLab."),
        ("19.7", ("2026-12-01", ""), "Set a start and a due date for 19.7 in GitLab."),
        ("19.7", ("", ""), "Set a start and a due date for 19.7 in GitLab."),
        ("19.6", ("2026-10-01", "2026-11-01"), ""),
        ("Backlog", ("", ""), ""),
    ],
)
def test_what_keeps_a_milestone_from_being_a_version_is_said(
    title: str, days: tuple[str, str], says: str
) -> None:
    known = structs.replace(catalog(), milestones=(milestone(title, *days),))
    for name in ("current", "next"):
        with pytest.raises(NameUnknown) as raised:
            milestone_title(name, Settings(), known, TODAY)
        assert raised.value.hint.startswith("No version milestone ")
        assert says in raised.value.hint
    assert ("Create one" in raised.value.hint) == (not says)


def test_three_that_overlap_are_listed() -> None:
    days = ("2026-11-14", "2026-12-20"), ("2026-12-01", "2027-01-15"), ("2026-12-07", "2026-12-08")
    known = tuple(milestone(f"19.{7 + at}", *pair) for at, pair in enumerate(days))
    [said] = overlap_notes("current", Settings(), structs.replace(catalog(), milestones=known), TODAY)
    assert said.startswith("19.7, 19.8 and 19.9 overlap on ")
