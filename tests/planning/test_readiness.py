"""Ready, eligible, and why not (rules 3 and 4); labels that are missing (rule 8); questions on moves
(rule 13).
"""

from __future__ import annotations

from datetime import date

import pytest
from msgspec import structs

from glboard_core.board.rules import ready
from glboard_core.config import LabelSettings
from glboard_core.model.issue import Issue
from glboard_core.model.merge_requests import MergeRequest, MergeRequestState
from glboard_core.model.workflow import WorkflowScheme
from glboard_core.planning.confirmations import codes_of
from glboard_core.planning.readiness import (
    counts,
    missing_codes,
    open_for_deliverables,
    over_weight,
    reasons_against,
    to_add,
    total,
)
from planning.histories import FLOW, NAMES, READY
from support.make import MILESTONES, issue

TODAY = date(2026, 12, 7)
ALLOWED = frozenset({"19.7", "19.8"})


def fit(*labels: str, **fields: object) -> Issue:
    """An issue that can become a Deliverable of 19.8, unless changed by arguments."""
    return issue(1, *(labels or (READY, "type::bug")), **{"milestone": "19.8", "weight": 2, **fields})


def reasons(one: Issue, milestone: str = "19.8", flow: WorkflowScheme = FLOW) -> tuple[str, ...]:
    return reasons_against(one, milestone, ALLOWED, flow, NAMES)


def test_ready_needs_all_four_conditions() -> None:
    assert ready(fit(), FLOW, NAMES)
    assert ready(fit(milestone=None), FLOW, NAMES)
    assert not ready(fit(state="closed"), FLOW, NAMES)
    assert not ready(fit("type::bug"), FLOW, NAMES)
    assert not ready(fit(READY), FLOW, NAMES)
    assert not ready(fit(READY, "type::bug", "type::feature"), FLOW, NAMES)
    assert not ready(fit(weight=None), FLOW, NAMES)
    assert ready(fit(weight=0), FLOW, NAMES)


@pytest.mark.parametrize(
    ("one", "codes"),
    [
        (fit(), ()),
        (fit(weight=0), ()),
        (fit(weight=9), ()),
        (fit(READY, "type::bug", "spike"), ()),
        (fit(assignees=()), ()),
        (fit(weight=None), ("no-weight",)),
        (fit("workflow::planning breakdown", "type::bug"), ("not-ready",)),
        (fit("workflow::in dev", "type::bug"), ("not-ready",)),
        (fit("type::bug"), ("not-ready",)),
        # Of several workflow labels the one farthest from completion counts.
        (fit(READY, "workflow::in dev", "type::bug"), ()),
        (fit(READY, "workflow::refinement", "type::bug"), ("not-ready",)),
        (fit(READY, "workflow::scheduling", "type::bug"), ("not-ready",)),
        (fit(READY), ("missing-type",)),
        (fit(READY, "type::bug", "type::feature"), ("several-types",)),
        (fit("type::bug", "type::feature", weight=None), ("not-ready", "no-weight", "several-types")),
        (fit(state="closed"), ("closed",)),
        (fit(milestone="19.7"), ("other-milestone",)),
        (fit(milestone=None), ("other-milestone",)),
        (fit(READY, "type::ignore"), ("ignored",)),
        (fit(labels=frozenset({READY, "type::bug"})), ("other-group",)),
    ],
)
def test_every_reason_against(one: Issue, codes: tuple[str, ...]) -> None:
    assert reasons(one) == codes


def test_only_current_and_next_accept_deliverables() -> None:
    assert open_for_deliverables(MILESTONES, TODAY) == {"19.7", "19.8"}
    assert open_for_deliverables(MILESTONES, date(2026, 12, 12)) == {"19.8", "19.9"}
    # Between milestones, or before the first, there is only a next one.
    assert open_for_deliverables(MILESTONES, date(2026, 10, 9)) == {"19.6"}
    assert open_for_deliverables((), TODAY) == frozenset()
    assert reasons(fit(milestone="19.9"), "19.9") == ("other-milestone",)
    assert reasons(fit(milestone="Backlog"), "Backlog") == ("other-milestone",)


def test_with_statuses_the_status_decides() -> None:
    by_status = WorkflowScheme(backend="status")
    assert reasons(fit("type::bug", status="ready FOR development"), flow=by_status) == ()
    assert reasons(fit(READY, "type::bug", status="In dev"), flow=by_status) == ("not-ready",)


def test_sums_count_unweighted_issues_separately() -> None:
    sums = total([fit(weight=3), fit(weight=0), fit(weight=None), fit(weight=None)])
    assert (sums.count, sums.weight, sums.unweighted) == (4, 3, 2)
    assert [over_weight(fit(weight=weight)) for weight in (None, 0, 3, 4)] == [False, False, False, True]


def test_which_issues_count() -> None:
    assert counts(fit(), NAMES)
    assert not counts(fit("type::ignore"), NAMES)
    assert not counts(fit(labels=frozenset({"group::other"})), NAMES)
    assert counts(fit(labels=frozenset({"group::other"})), LabelSettings(group=""))


ORG = ("devops::ai-powered", "section::data science", "Category:Self-Hosted models")


def test_organisational_labels() -> None:
    assert missing_codes(fit(*ORG, "type::bug", "bug::ux"), NAMES) == ()
    assert missing_codes(fit("devops::other", "section::other", "Category:Other"), NAMES) == (
        "missing-label:devops",
        "missing-label:section",
        "missing-label:category",
        "missing-type",
    )
    assert missing_codes(fit(*ORG, "type::bug", "feature::addition"), NAMES) == ("missing-subtype",)
    assert missing_codes(fit(*ORG, "type::bug", "type::feature"), NAMES) == ("several-types",)
    assert missing_codes(fit("type::ignore"), NAMES) == ()
    bare = LabelSettings(devops="", section="", categories=())
    assert missing_codes(fit("type::bug", "bug::ux"), bare) == ()


def test_fix_adds_labels_without_a_choice_and_removes_none() -> None:
    bare = structs.replace(fit(), labels=frozenset({"group::other", "type::bug"}))
    assert to_add(bare, NAMES) == {NAMES.group, NAMES.devops, NAMES.section}
    one = LabelSettings(categories=("Category:Only",))
    assert to_add(bare, one) == {NAMES.group, NAMES.devops, NAMES.section, "Category:Only"}
    ignored = structs.replace(bare, labels=frozenset({"type::ignore"}))
    assert to_add(ignored, NAMES) == {NAMES.group}
    assert to_add(fit(*ORG), NAMES) == frozenset()


@pytest.mark.parametrize(
    ("before", "after", "codes"),
    [
        (fit("workflow::refinement", "type::bug"), fit(READY, "type::bug"), ()),
        (
            fit("workflow::refinement", weight=None),
            fit(READY, weight=None),
            ("ready-without-weight", "ready-without-type"),
        ),
        (fit(READY, weight=None), fit(READY, weight=None, title="new"), ()),
        (fit("type::bug"), fit("type::bug", "Deliverable"), ("deliverable-not-ready",)),
        (fit(READY, weight=None), fit(READY, "Deliverable", weight=None), ("deliverable-not-ready",)),
        (fit(weight=5), fit(READY, "type::bug", "Deliverable", weight=5), ("over-weight",)),
        (fit(READY), fit("workflow::in dev"), ("in-dev-without-assignee",)),
        (fit(READY), fit("workflow::in dev", assignees=("eng_alder",)), ()),
        (fit(READY), fit("workflow::complete", merge_requests=1), ("merge-requests-unknown",)),
        (fit(READY), fit("workflow::complete"), ()),
        (
            fit("workflow::blocked", assignees=("a",)),
            fit("workflow::in dev", assignees=("a",)),
            ("unblocked-without-comment",),
        ),
        (fit("workflow::blocked"), fit(), ("unblocked-without-comment",)),
    ],
)
def test_questions_on_a_move(before: Issue, after: Issue, codes: tuple[str, ...]) -> None:
    assert codes_of(before, after, FLOW, NAMES) == codes


@pytest.mark.parametrize(
    ("states", "codes"),
    [
        ((), ()),
        (("merged", "closed"), ()),
        (("merged", "opened"), ("complete-with-merge-requests",)),
        (("locked",), ("complete-with-merge-requests",)),
    ],
)
def test_the_state_of_merge_requests_counts_and_not_their_number(
    states: tuple[MergeRequestState, ...], codes: tuple[str, ...]
) -> None:
    requests = [MergeRequest(reference=f"top/app!{n}", title="", state=one) for n, one in enumerate(states)]
    after = fit("workflow::complete", merge_requests=2)
    assert codes_of(fit(READY), after, FLOW, NAMES, requests=requests) == codes


def test_a_comment_answers_the_question_about_blocked() -> None:
    assert codes_of(fit("workflow::blocked"), fit(), FLOW, NAMES, commented=True) == ()
