"""The notes GitLab itself writes under an issue, some in HTML and some in Markdown.

Labels, milestones, weights and the state have events instead and leave no note here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from html import escape

from glboard_core.demo.world.records import HEALTH, Issue, User


def told(before: Issue, after: Issue) -> Iterator[str]:
    """The bodies of what is noted of a change."""
    if before.title != after.title:
        yield _titles(before.title, after.title)
    if before.description != after.description:
        yield "changed the description"
    if before.assignees != after.assignees:
        yield _people(before.assignees, after.assignees)
    if before.due != after.due:
        due = after.due
        yield f"changed due date to {due:%B} {due.day}, {due.year}" if due is not None else "removed due date"
    if before.confidential != after.confidential:
        yield f"made the issue {'confidential' if after.confidential else 'visible to everyone'}"
    if before.locked != after.locked:
        yield (
            "locked the discussion in this issue" if after.locked else "unlocked the discussion in this issue"
        )
    if before.health != after.health:
        yield _health(after.health)
    if before.status != after.status and after.status is not None:
        yield f"set status to **{after.status}**"
    if before.duplicate_of is not after.duplicate_of and after.duplicate_of is not None:
        yield f"marked this issue as a duplicate of {_reference(after, after.duplicate_of)}"


def _reference(here: Issue, other: Issue) -> str:
    return f"#{other.iid}" if here.project is other.project else other.reference


def _health(health: str | None) -> str:
    if health is None:
        return "removed health status"
    return f"changed health status to **{HEALTH[health].replace('_', ' ')}**"


def _people(before: Iterable[User], after: Iterable[User]) -> str:
    old, new = list(before), list(after)
    parts = []
    for word, people in (
        ("assigned to", [one for one in new if one not in old]),
        ("unassigned", [one for one in old if one not in new]),
    ):
        if people:
            parts.append(f"{word} {', '.join(f'@{one.username}' for one in people)}")
    return " and ".join(parts) or "changed the order of assignees"


def _same(one: str, other: str) -> int:
    """How many characters two texts have in common at their start."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((at for at, (a, b) in pairs if a != b), min(len(one), len(other)))


def _titles(old: str, new: str) -> str:
    """Both titles as HTML, with what differs marked."""
    start = _same(old, new)
    end = _same(old[start:][::-1], new[start:][::-1])

    def marked(text: str, kind: str) -> str:
        inner = text[start : len(text) - end]
        span = f'<span class="idiff left right {kind}">{escape(inner)}</span>' if inner else ""
        return f'<code class="idiff">{escape(text[:start])}{span}{escape(text[len(text) - end :])}</code>'

    return f"<p>changed title from {marked(old, 'deletion')} to {marked(new, 'addition')}</p>"
