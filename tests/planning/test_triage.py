"""The triage list: each code of rule 9 at its edges."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from glboard_core.config import LabelSettings
from glboard_core.model.issue import Issue
from glboard_core.model.milestone import by_title
from glboard_core.model.workflow import WorkflowScheme
from glboard_core.planning.triage import ORDER, Rules, triage
from planning.histories import FLOW, NAMES, READY
from support.make import MILESTONES, issue, milestone

MORE = (
    *MILESTONES,
    milestone("Some quarter", "2027-01-01", "2027-03-31"),
    milestone("Old bucket", None, "2026-11-30"),
)
ORG = ("devops::ai-powered", "section::data science", "Category:Self-Hosted models")


def rules(today: str = "2026-12-07", flow: WorkflowScheme = FLOW, names: LabelSettings = NAMES) -> Rules:
    return Rules(names=names, flow=flow, milestones=by_title(MORE), today=date.fromisoformat(today))


def fine(*labels: str, milestone: str | None = "19.8", **fields: Any) -> Issue:
    """An issue of type feature with nothing to fix, apart from what is given."""
    return issue(1, *ORG, "type::feature", "feature::addition", *labels, milestone=milestone, **fields)


def bug(*labels: str) -> Issue:
    return issue(1, *ORG, "type::bug", "bug::ux", *labels, milestone="19.8")


@pytest.mark.parametrize(
    ("one", "codes"),
    [
        (fine(), ()),
        (fine(milestone="Backlog"), ()),
        (fine(milestone=None), ("missing-milestone",)),
        (bug("severity::1", "priority::1"), ()),
        (bug("priority::1"), ("bug-without-severity",)),
        (bug("severity::1"), ("bug-without-priority",)),
        (bug(), ("bug-without-severity", "bug-without-priority")),
        (fine("Deliverable", milestone=None), ("missing-milestone", "deliverable-without-milestone")),
        (fine("Deliverable", milestone="19.9"), ("deliverable-beyond-next",)),
        (fine("Deliverable", milestone="19.10"), ("deliverable-beyond-next",)),
        (fine("Deliverable", milestone="Some quarter"), ("deliverable-beyond-next",)),
        (fine("Deliverable", milestone="Backlog"), ("deliverable-in-bucket",)),
        (fine("Deliverable", milestone="19.7"), ()),
        (fine("Deliverable", milestone="19.8"), ("deliverable-not-ready",)),
        (fine("Deliverable", "workflow::in dev", milestone="19.8"), ("deliverable-not-ready",)),
        (fine("Deliverable", READY, milestone="19.8", weight=1), ()),
        (fine("Deliverable", milestone="unknown here"), ()),
        (fine(milestone="19.6"), ("expired-milestone",)),
        (fine(milestone="Old bucket"), ("expired-milestone",)),
        (fine(READY), ("ready-without-weight",)),
        (fine(READY, weight=0), ()),
        (fine(weight=3), ()),
        (fine(weight=4), ("over-weight",)),
        (fine(state="closed", milestone=None), ()),
        (fine("type::ignore", milestone=None), ()),
        (issue(1, milestone="19.8", labels=frozenset({"Deliverable"})), ()),
    ],
)
def test_code_of_each_problem(one: Issue, codes: tuple[str, ...]) -> None:
    assert rules().reasons(one) == codes


def test_bug_among_several_types_is_still_a_bug() -> None:
    one = fine("type::bug")
    assert rules().reasons(one) == ("several-types", "bug-without-severity", "bug-without-priority")


def test_milestone_expires_after_its_last_day() -> None:
    assert rules("2026-11-13").reasons(fine(milestone="19.6")) == ()
    assert rules("2026-11-14").reasons(fine(milestone="19.6")) == ("expired-milestone",)


def test_next_milestone_depends_on_the_day() -> None:
    one = fine("Deliverable", milestone="19.9")
    assert rules("2026-12-11").reasons(one) == ("deliverable-beyond-next",)
    assert rules("2026-12-12").reasons(one) == ("deliverable-not-ready",)
    # Without a next milestone, no issue can be beyond it.
    assert rules("2027-06-01").reasons(one) == ("expired-milestone",)


def test_label_and_status_conflict_only_if_both_are_used() -> None:
    one = fine("workflow::in dev", status="In review")
    assert rules().reasons(one) == ()
    assert rules(flow=WorkflowScheme(backend="both")).reasons(one) == ("label-status-conflict",)
    assert rules(flow=WorkflowScheme(backend="status")).reasons(one) == ()
    # Scheduling is shown as planning breakdown, so there is no conflict.
    absorbed = fine("workflow::scheduling", status="Planning breakdown")
    assert rules(flow=WorkflowScheme(backend="both")).reasons(absorbed) == ()


def test_label_names_are_configurable() -> None:
    names = LabelSettings(devops="devops::other", categories=("category:Mine",))
    assert rules(names=names).reasons(fine()) == ("missing-label:devops", "missing-label:category")


def test_list_is_in_manual_order_and_contains_only_findings() -> None:
    issues = [
        issue(1, position=None),
        issue(2, *ORG, "type::bug", "bug::ux", "severity::1", "priority::1", milestone="19.8"),
        issue(3, position=2.0),
        issue(4, position=1.0),
    ]
    found = triage(issues, rules())
    assert [one.issue.iid for one in found] == [4, 3, 1]
    assert all(one.reasons == tuple(sorted(one.reasons, key=ORDER.index)) for one in found)


def test_group_milestone_wins_over_others_with_the_same_title() -> None:
    known = by_title(
        (
            milestone("19.8", "2020-01-01", "2020-02-01", owner="demo-org/platform"),
            milestone("19.8", "2026-12-12", "2027-01-15"),
        )
    )
    assert known["19.8"].owner == "demo-org"
