"""The compound keys on one issue (rule 14), at their edges."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from msgspec import UNSET, structs

from glboard_core.board import edits
from glboard_core.board.edits import CompoundEdit
from glboard_core.board.operations import Edit, OpId
from glboard_core.config import LabelSettings
from glboard_core.model.catalog import Label
from glboard_core.model.workflow import WorkflowScheme
from support.make import LABELS, MILESTONES, catalog, issue, milestone

NAMES = LabelSettings(wont_do=("wontfix", "closed::wont do"), duplicate=("duplicate",))
FLOW, STATUS, BOTH = WorkflowScheme(), WorkflowScheme(backend="status"), WorkflowScheme(backend="both")
TODAY = date(2026, 12, 7)


def known(*titles: str, owner: str = "demo-org") -> Any:
    return catalog(
        labels=tuple(
            Label(id=f"gid://gitlab/GroupLabel/{n}", title=title, owner=owner)
            for n, title in enumerate((*LABELS, *titles), 1)
        )
    )


ALL = known("missed:19.7", "missed:19.8", "missed-deliverable", "spike", "closed::wont do", "duplicate")


def test_slip_adds_the_missed_label_and_moves_on() -> None:
    one = issue(1, "type::bug", milestone="19.7")
    assert edits.slip(one, ALL, NAMES, TODAY) == CompoundEdit(
        edit=Edit(milestone="19.8", add=frozenset({"missed:19.7"}))
    )


def test_slipped_deliverable_stays_one_and_is_marked_as_missed() -> None:
    one = issue(1, "Deliverable", milestone="19.7")
    found = edits.slip(one, ALL, NAMES, TODAY)
    assert found
    assert found.edit.apply(one).labels - one.labels == {"missed:19.7", "missed-deliverable"}
    assert "Deliverable" in found.edit.apply(one).labels


@pytest.mark.parametrize(
    "fields",
    [
        {"milestone": None},
        {"milestone": "Backlog"},
        {"milestone": "never heard of"},
        {"milestone": "19.10"},  # the last milestone
        {"milestone": "19.7", "state": "closed"},
    ],
)
def test_issue_that_cannot_slip(fields: dict[str, Any]) -> None:
    assert edits.slip(issue(1, **fields), ALL, NAMES, TODAY) is None


def test_slip_goes_to_a_milestone_of_the_project() -> None:
    own = tuple(one for one in MILESTONES if one.title != "19.8")
    other = structs.replace(milestone("19.8", "2026-12-12", "2027-01-15"), owner="demo-org/other")
    among = structs.replace(known("missed:19.7"), milestones=(*own, other))
    goes = {
        project: found.edit.milestone
        for project in ("demo-org/app", "demo-org/other/app")
        if (found := edits.slip(issue(1, milestone="19.7", project=project), among, NAMES, TODAY))
    }
    assert goes == {"demo-org/app": "19.9", "demo-org/other/app": "19.8"}


def test_19_9_slips_to_19_10() -> None:
    found = edits.slip(issue(1, milestone="19.9"), known("missed:19.9"), NAMES, TODAY)
    assert found
    assert found.edit.milestone == "19.10"


def test_missing_label_is_named_and_left_out() -> None:
    one = issue(1, "Deliverable", milestone="19.7")
    assert edits.slip(one, catalog(), NAMES, TODAY) == CompoundEdit(
        edit=Edit(milestone="19.8"), lacks=("missed:19.7", "missed-deliverable")
    )
    elsewhere = known("missed:19.7", owner="demo-org/other")
    found = edits.slip(one, elsewhere, NAMES, TODAY)
    assert found
    assert "missed:19.7" in found.lacks


def test_label_already_on_the_issue_is_not_lacking() -> None:
    one = issue(1, "missed:19.7", milestone="19.7")
    assert edits.slip(one, catalog(), NAMES, TODAY) == CompoundEdit(edit=Edit(milestone="19.8"))


def test_drop_from_a_started_milestone_adds_the_missed_label() -> None:
    one = issue(1, "Deliverable", milestone="19.7")
    assert edits.drop(one, "Backlog", ALL, NAMES, TODAY) == CompoundEdit(
        edit=Edit(milestone="Backlog", add=frozenset({"missed:19.7"}), remove=frozenset({"Deliverable"}))
    )


@pytest.mark.parametrize(
    ("milestone", "today", "missed"),
    [
        ("19.8", date(2026, 12, 11), frozenset[str]()),
        ("19.8", date(2026, 12, 12), frozenset({"missed:19.8"})),
        (None, TODAY, frozenset[str]()),
        ("Next 1-3 releases", TODAY, frozenset[str]()),
    ],
)
def test_drop_before_the_start_adds_no_missed_label(
    milestone: str | None, today: date, missed: frozenset[str]
) -> None:
    found = edits.drop(issue(1, milestone=milestone), "Backlog", ALL, NAMES, today)
    assert found == CompoundEdit(edit=Edit(milestone="Backlog", add=missed))


def test_closed_issue_is_neither_dropped_nor_closed_again() -> None:
    done = issue(1, milestone="19.7", state="closed")
    assert edits.drop(done, "Backlog", ALL, NAMES, TODAY) is None
    assert edits.close_as(done, edits.WONT_DO, NAMES.wont_do, ALL, FLOW) is None
    assert edits.close_as(done, edits.DUPLICATE, NAMES.duplicate, ALL, FLOW) is None


def test_wont_do_takes_the_first_label_that_exists() -> None:
    found = edits.close_as(issue(1), edits.WONT_DO, NAMES.wont_do, ALL, FLOW)
    assert found == CompoundEdit(edit=Edit(state="closed", add=frozenset({"closed::wont do"})))
    without = edits.close_as(issue(1), edits.WONT_DO, NAMES.wont_do, catalog(), FLOW)
    assert without == CompoundEdit(edit=Edit(state="closed"), lacks=("wontfix",))
    unconfigured = edits.close_as(issue(1), edits.WONT_DO, LabelSettings().wont_do, ALL, FLOW)
    assert unconfigured == CompoundEdit(edit=Edit(state="closed"))


@pytest.mark.parametrize("flow", [STATUS, BOTH])
def test_with_statuses_the_status_says_why_it_was_closed(flow: WorkflowScheme) -> None:
    found = edits.close_as(issue(1), edits.WONT_DO, LabelSettings().wont_do, ALL, flow)
    assert found
    assert (found.edit.state, found.edit.status) == ("closed", "Won't do")
    found = edits.close_as(issue(1), edits.DUPLICATE, NAMES.duplicate, ALL, flow)
    assert found
    assert (found.edit.status, found.edit.add) == ("Duplicate", frozenset({"duplicate"}))
    by_label = edits.close_as(issue(1), edits.DUPLICATE, NAMES.duplicate, ALL, FLOW)
    assert by_label
    assert by_label.edit.status is UNSET


def test_spike_gets_a_weight_only_if_unweighted() -> None:
    assert edits.spike(issue(1), ALL, NAMES, 2).edit == Edit(weight=2, add=frozenset({"spike"}))
    assert edits.spike(issue(1, weight=0), ALL, NAMES, 2).edit == Edit(add=frozenset({"spike"}))
    assert edits.spike(issue(1), ALL, NAMES).edit == Edit(add=frozenset({"spike"}))
    assert edits.spike(issue(1), catalog(), NAMES) == CompoundEdit(edit=Edit(), lacks=("spike",))


@pytest.mark.parametrize("labels", [(), ("Deliverable",), ("missed:19.7",)])
def test_each_compound_edit_is_undone_completely(labels: tuple[str, ...]) -> None:
    one = issue(1, "workflow::in dev", *labels, milestone="19.7", status="In dev")
    wanted = [
        edits.slip(one, ALL, NAMES, TODAY),
        edits.drop(one, "Backlog", ALL, NAMES, TODAY),
        edits.close_as(one, edits.WONT_DO, NAMES.wont_do, ALL, BOTH),
        edits.close_as(one, edits.DUPLICATE, NAMES.duplicate, ALL, BOTH),
        edits.spike(one, ALL, NAMES, 2),
    ]
    for found in wanted:
        assert found
        back = found.edit.inverse(one, OpId("op"))
        assert back
        assert back.apply(structs.replace(found.edit.apply(one))) == one
