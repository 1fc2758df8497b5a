"""Compound actions on several issues at once: the acts of one keystroke, and what to ask first (7.14).

Pure. What a compound action means for one issue is in ``glboard_core.board.compound``; here it becomes one
undo level with its title, its comment and the labels that some projects do not have.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from msgspec import Struct

from glboard_core.board import compound
from glboard_core.board import edits as plans
from glboard_core.board.compound import Wanted
from glboard_core.board.operations import Change, Comment, Edit
from glboard_core.board.use_cases import EditBatch, Edits, each, short, titled
from glboard_core.model.issue import Issue, IssueId

Means = Callable[[Edits, Issue], Wanted | None]
"""The edit wanted for one issue; None if the action does not apply to it."""


class Compound(Struct, frozen=True, kw_only=True):
    """The work, the missing labels with their projects, and the work on only the issues with all labels."""

    work: EditBatch
    lacks: Mapping[str, tuple[str, ...]] = {}
    whole: EditBatch = EditBatch()

    @property
    def missing(self) -> str:
        """The labels that do not exist, as text: ``missed:19.7 does not exist for platform``."""
        return "\n".join(
            f"{label} does not exist for {', '.join(projects)}." for label, projects in self.lacks.items()
        )


def compounded(
    planner: Edits, issues: Sequence[Issue], means: Means, what: str, *, why_not: str, comment: str = ""
) -> Compound:
    """Each issue's edit, then the comment: the edit can be sent while the comment is still held back."""
    wanted = [(issue, found) for issue in issues if (found := means(planner, issue)) is not None]
    lacks: dict[str, dict[str, None]] = {}
    for issue, found in wanted:
        for label in found.lacks:
            lacks.setdefault(label, {})[issue.project.rpartition("/")[2]] = None
    left = len(issues) - len(wanted)
    skipped = "" if not left else f"{left} skipped: {why_not}" if len(issues) > 1 else why_not
    return Compound(
        work=_work([(issue, found.edit) for issue, found in wanted], what, comment, skipped),
        lacks={label: tuple(projects) for label, projects in lacks.items()},
        whole=_work([(i, found.edit) for i, found in wanted if not found.lacks], what, comment, skipped),
    )


def _work(edits: Sequence[tuple[Issue, Edit]], what: str, comment: str, skipped: str) -> EditBatch:
    acts: list[tuple[IssueId, Change]] = []
    for issue, edit in edits:
        acts.append((issue.id, edit))
        if comment:
            acts.append((issue.id, Comment(body=comment)))
    title = titled([issue for issue, _ in edits], what) if edits else ""
    return EditBatch(acts=tuple(acts), title=title, skipped=skipped)


def breakdown(planner: Edits, issue: Issue) -> Wanted | None:
    """Set planning breakdown; open issues only."""
    return Wanted(edit=compound.ask_breakdown(issue, planner.flow)) if issue.is_open else None


def blocked(planner: Edits, issue: Issue) -> Wanted | None:
    """Set blocked; open issues only."""
    return Wanted(edit=compound.block(issue, planner.flow)) if issue.is_open else None


def slipped(planner: Edits, issue: Issue) -> Wanted | None:
    """Mark as missed and move to the next milestone."""
    return compound.slip(issue, planner.catalog, planner.names, planner.today)


def dropped(bucket: str) -> Means:
    """Drop from the plan into ``bucket``."""
    return lambda planner, issue: compound.drop(issue, bucket, planner.catalog, planner.names, planner.today)


def wont_do(planner: Edits, issue: Issue) -> Wanted | None:
    """Close as won't do."""
    return compound.wont_do_edit(issue, planner.catalog, planner.flow, planner.names)


def duplicate(of: str) -> Means:
    """Close as a duplicate of the issue with that full reference; an issue cannot duplicate itself."""

    def means(planner: Edits, issue: Issue) -> Wanted | None:
        if issue.reference == of:
            return None
        return compound.duplicate_edit(issue, planner.catalog, planner.flow, planner.names)

    return means


def spiked(weight: int | None) -> Means:
    """Mark as a spike, with that weight if the issue is unweighted."""
    return lambda planner, issue: compound.spike(issue, planner.catalog, planner.names, weight)


def accepted(planner: Edits, issues: Sequence[Issue], otherwise: str) -> EditBatch:
    """Accept for the current assignees, and for ``otherwise`` if unassigned (7.4)."""
    return each(
        issues,
        lambda issue: plans.accept(issue, None if issue.assignees else otherwise, planner.names),
        "accepted" if any(issue.assignees for issue in issues) else f"accepted for {otherwise}",
    )


def request_text(people: Sequence[str]) -> str:
    """The default text of a request for a breakdown."""
    asked = " ".join(f"@{name}" for name in people)
    return f"{asked} please break this down, and set a weight and a type label."


def where(issues: Sequence[Issue]) -> str:
    """Which issues a dialog is about."""
    return short(issues[0]) if len(issues) == 1 else f"{len(issues)} issues, one comment on each"
