"""Where label and status of an issue name different workflow states: which is right, and the edit for both.

Only with the backend ``both`` (planning rule 2). Pure; the label is what boards show until it is decided.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from glboard_core.board.batch import EditBatch, Question, Reply, each, short
from glboard_core.board.operations import Edit
from glboard_core.model.issue import Issue
from glboard_core.model.workflow import WorkflowScheme

Right = Literal["label", "status"]
Prefer = Literal["ask", "label", "status"]

#: Why an issue is left.
SAME = "label and status do not differ"


def aligned(issue: Issue, flow: WorkflowScheme, right: Right) -> Edit | None:
    """The edit that makes the other one follow; None if they do not differ."""
    if not flow.conflict(issue):
        return None
    if right == "label":
        state = flow.by_label(issue)
        return Edit(status=flow.status(state)) if state is not None else None
    state = flow.by_status(issue)
    if state is None:
        return None
    label = flow.label(state)
    gone = flow.workflow_labels(issue) - {label}
    return Edit(add=frozenset({label}), remove=gone)


def alignment(issues: Sequence[Issue], flow: WorkflowScheme, prefer: Prefer) -> EditBatch:
    """Label and status of each issue the same. Asks which is right, unless ``prefer`` says so."""
    if prefer != "ask":
        return _batch(issues, flow, prefer)
    differing = [issue for issue in issues if flow.conflict(issue)]
    by_label, by_status = (_batch(issues, flow, right) for right in ("label", "status"))
    if not differing:
        return by_label
    words = ("keep the labels", "keep the statuses")
    text = f"{len(differing)} issues: label and status differ. Which do you want to keep?"
    if len(differing) == 1:
        [one] = differing
        label, status = flow.by_label(one), flow.by_status(one)
        text = f"{short(one)}: label and status differ. Which do you want to keep?"
        words = (f"the label: {label.name}" if label else "", f"the status: {status.name}" if status else "")
    answers = {"y": Reply(words[0], by_label), "s": Reply(words[1], by_status)}
    asked = Question(text=text, answers=answers)
    return EditBatch(
        changes=by_label.changes,
        title=by_label.title,
        wish=by_label.wish,
        left=by_label.left,
        why_not=by_label.why_not,
        question=asked,
    )


def _batch(issues: Sequence[Issue], flow: WorkflowScheme, right: Right) -> EditBatch:
    what = "status as its label" if right == "label" else "label as its status"
    return each(issues, lambda issue: aligned(issue, flow, right), what, SAME)
