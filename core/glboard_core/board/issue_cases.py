"""What a key or a command does to an issue besides its place in the plan: who may see it, health, links.

Pure: issues in, a batch of changes out, with a question where there is one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import structs

from glboard_core.board.batch import EditBatch, Question, Reply, each, titled, wished
from glboard_core.board.fields import health_words
from glboard_core.board.operations import Change, Edit, Link
from glboard_core.board.use_cases import Edits
from glboard_core.model.issue import (
    HealthStatus,
    Issue,
    IssueId,
    LinkedIssue,
    LinkKind,
    short_reference,
)


def confidential(issues: Sequence[Issue], *, on: bool) -> EditBatch:
    """Make confidential or public. Asks before it is public: what everybody has seen cannot be unseen."""
    what = "confidential" if on else "public"
    work = each(
        issues,
        lambda issue: Edit(confidential=on) if issue.confidential != on else None,
        what,
        f"already {what}",
    )
    if on or not work.changes:
        return work
    one = len(work.changes) == 1
    return structs.replace(
        work,
        question=Question(
            text=wished([issue for issue in issues if issue.confidential], "Make {} non-confidential?"),
            answers={"y": Reply("make it public" if one else "make them public", work)},
            note=f"Everyone with access to the project sees {'it' if one else 'them'}, including all "
            "comments that are not internal.",
        ),
    )


def toggle_confidential(issues: Sequence[Issue]) -> EditBatch:
    """Make all confidential; if they all are, make them public, after asking."""
    return confidential(issues, on=not all(issue.confidential for issue in issues))


def link(issues: Sequence[Issue], other: LinkedIssue, kind: LinkKind) -> EditBatch:
    """Link each issue to another one; ``kind`` is how that is linked, seen from the issue."""
    return _linked(issues, other, kind, add=True)


def unlink(links: Mapping[IssueId, Sequence[LinkedIssue]], on: Sequence[Issue], other: IssueId) -> EditBatch:
    """Remove the link to another issue, as each issue has it: ``links`` are all that each one has.

    Nothing is to be done for an issue without such a link.
    """
    changes: list[tuple[IssueId, Change]] = []
    linked: list[Issue] = []
    for issue in on:
        there = links.get(issue.id, ())
        if (gone := next((one for one in there if one.id == other), None)) is None:
            continue
        frees = not any(one.kind == "is_blocked_by" and one.is_open and one is not gone for one in there)
        changes += _linked([issue], gone, gone.kind, add=False, frees=frees).changes
        linked.append(issue)
    title = titled(linked, changes[-1][1].describe()) if changes else ""
    return EditBatch(changes=tuple(changes), title=title)


def _linked(
    issues: Sequence[Issue], other: LinkedIssue, kind: LinkKind, *, add: bool, frees: bool = False
) -> EditBatch:
    change = Link(
        other=other.id, reference=other.reference, kind=kind, add=add, is_open=other.is_open, frees=frees
    )
    ends = [issue for issue in issues if issue.id != other.id]
    return EditBatch(
        changes=tuple((issue.id, change) for issue in ends),
        title=titled(ends, change.describe()) if ends else "",
        left=tuple(issue.id for issue in issues if issue.id == other.id),
        why_not="an issue cannot be linked to itself" if len(ends) < len(issues) else "",
    )


def block_by(edits: Edits, issues: Sequence[Issue], other: LinkedIssue) -> EditBatch:
    """Blocked, with a link to the issue that blocks; open issues only.

    Without a licence for such links they are related, and a comment says what blocks.
    """
    able = edits.catalog.server.has_weight
    comment = "" if able else f"Blocked by {other.reference}"
    state = edits.block([issue for issue in issues if issue.id != other.id], comment)
    reached = [issue for issue in issues if any(issue.id == one for one, _ in state.changes)]
    links = link(reached, other, "is_blocked_by" if able else "relates_to")
    left = tuple(issue.id for issue in issues if issue not in reached)
    return structs.replace(
        state,
        changes=(*state.changes, *links.changes),
        title=titled(reached, f"blocked by {short_reference(other.reference)}") if reached else "",
        left=left,
        why_not="already closed, or the issue itself" if left else "",
    )


def health(issues: Sequence[Issue], status: HealthStatus | None) -> EditBatch:
    """Set or clear the health status."""
    what = f"health {health_words(status)}" if status else "no health status"
    return each(issues, lambda _: Edit(health_status=status), what)
