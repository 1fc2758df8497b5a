"""Changes by others, derived from two versions of an issue: as text, and whom to attribute them to.

Pure. GitLab reports when an issue was updated and who updated it last, not what changed. The texts never
contain an issue's title or description, so share mode and logs can show them.
"""

from __future__ import annotations

from glboard_core.board.fields import FIELDS
from glboard_core.model.issue import Issue, scope_of

#: Changes that do not set ``updated_by``, so it may name someone else: notes and links only touch the issue,
#: and a move in the manual order does not even do that.
_UNSIGNED = ("blocked", "merge_requests", "notes", "position")

#: The fields named before the labels.
_FIRST = ("state", "milestone", "weight")

#: The text for a change that no field of a card shows.
UNSEEN = "description or other details"


def differences(before: Issue, after: Issue) -> tuple[str, ...]:
    """What differs, most important first: ``("milestone 19.8 to 19.9", "Deliverable removed")``.

    Empty if a card cannot show it.
    """
    changed = {f.name: f.difference(before, after) for f in FIELDS if f.differs_in(before, after)}
    found = [changed.pop(name) for name in _FIRST if name in changed]
    found += _labels(before.labels, after.labels)
    found += changed.values()
    if after.blocked != before.blocked:
        found.append("blocked" if after.blocked else "no longer blocked")
    if after.due != before.due:
        found.append(f"due {before.due or 'none'} to {after.due or 'none'}")
    found += _counted(after.notes - before.notes, "comment")
    found += _counted(after.merge_requests - before.merge_requests, "merge request")
    if after.position != before.position and before.position is not None and not found:
        # Together with an edit it belongs to the edit: GitLab re-spaces issues at times. One that had no
        # place was placed by GitLab itself, which does that to new ones: no one moved it.
        found.append("moved in the manual order")
    return tuple(found)


def author(before: Issue, after: Issue) -> str | None:
    """Who made the last of these changes, if GitLab reports it; None if it could be anyone."""
    if after.updated_by != before.updated_by:
        return after.updated_by
    edited = any(
        getattr(before, name) != getattr(after, name)
        for name in Issue.__struct_fields__
        if name not in (*_UNSIGNED, "updated_at", "updated_by")
    )
    return after.updated_by if edited else None


def _labels(before: frozenset[str], after: frozenset[str]) -> list[str]:
    """Scoped labels as a changed value, the others as added or removed."""
    gone, came = before - after, after - before
    words: list[str] = []
    for label in sorted(came, key=str.casefold):
        scope = scope_of(label)
        was = sorted(other for other in gone if scope is not None and scope_of(other) == scope)
        if was:
            gone = gone - set(was)
            old = ", ".join(_last(other) for other in was)
            words.append(f"{_last(scope or '')} {old} to {_last(label)}")
        elif scope is not None:
            words.append(f"{_last(scope)} none to {_last(label)}")
        else:
            words.append(f"{label} added")
    for label in sorted(gone, key=str.casefold):
        scope = scope_of(label)
        words.append(f"{label} removed" if scope is None else f"{_last(scope)} {_last(label)} to none")
    return words


def _last(label: str) -> str:
    """The last part of a scoped label, or of a scope."""
    return label.rpartition("::")[2]


def _counted(more: int, what: str) -> list[str]:
    words = f"{abs(more)} {what}{'' if abs(more) == 1 else 's'}"
    return [f"{words} removed" if more < 0 else words] if more else []
