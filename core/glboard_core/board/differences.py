"""What somebody else did to an issue, read off two pictures of it: in words, and who it may be put down to.

Pure. GitLab tells when an issue was updated and who updated it last, not what was changed. The words never
hold an issue's title or text, so share mode and logs may show them.
"""

from __future__ import annotations

from glboard_core.model.issue import Issue, scope_of

#: What changes beside an edit, so that ``updated_by`` may be another one's: notes and links only touch it,
#: and a move in the order does not even do that.
_UNSIGNED = ("blocked", "merge_requests", "notes", "position")

#: What no field of a card shows; it was touched nevertheless.
UNSEEN = "description or other details"


def differences(before: Issue, after: Issue) -> tuple[str, ...]:
    """What differs, the most telling first: ``("milestone 19.8 to 19.9", "Deliverable off")``.

    Empty where a card could not show it.
    """
    found: list[str] = []
    if after.state != before.state:
        duplicate = " as a duplicate" if after.duplicate else ""
        found.append("reopened" if after.is_open else f"closed{duplicate}")
    if after.milestone != before.milestone:
        found.append(f"milestone {before.milestone or 'none'} to {after.milestone or 'none'}")
    if after.weight != before.weight:
        found.append(f"weight {_number(before.weight)} to {_number(after.weight)}")
    found += _labels(before.labels, after.labels)
    if set(after.assignees) != set(before.assignees):
        found.append(f"assignee {_people(before)} to {_people(after)}")
    if after.status != before.status:
        found.append(f"status {before.status or 'none'} to {after.status or 'none'}")
    if after.blocked != before.blocked:
        found.append("blocked" if after.blocked else "no longer blocked")
    if after.title != before.title:
        found.append("title")
    if after.due != before.due:
        found.append(f"due {before.due or 'none'} to {after.due or 'none'}")
    if after.confidential != before.confidential:
        found.append("confidential" if after.confidential else "no longer confidential")
    found += _counted(after.notes - before.notes, "comment")
    found += _counted(after.merge_requests - before.merge_requests, "merge request")
    if after.position != before.position and not found:
        # Beside an edit it is the edit's: GitLab deals new issues their place, and re-spaces them at times.
        found.append("another place in the order")
    return tuple(found)


def author(before: Issue, after: Issue) -> str | None:
    """Who made the last of these changes, where GitLab tells; None where it may have been anybody."""
    if after.updated_by != before.updated_by:
        return after.updated_by
    edited = any(
        getattr(before, name) != getattr(after, name)
        for name in Issue.__struct_fields__
        if name not in (*_UNSIGNED, "updated_at", "updated_by")
    )
    return after.updated_by if edited else None


def _labels(before: frozenset[str], after: frozenset[str]) -> list[str]:
    """Scoped labels as a value that changed, the others as on or off."""
    gone, came = before - after, after - before
    words: list[str] = []
    for label in sorted(came, key=str.casefold):
        scope = scope_of(label)
        was = sorted(other for other in gone if scope is not None and scope_of(other) == scope)
        if was:
            gone = gone - set(was)
            old = ", ".join(_value(other) for other in was)
            words.append(f"{_name(scope or '')} {old} to {_value(label)}")
        elif scope is not None:
            words.append(f"{_name(scope)} none to {_value(label)}")
        else:
            words.append(f"{label} on")
    for label in sorted(gone, key=str.casefold):
        scope = scope_of(label)
        words.append(f"{label} off" if scope is None else f"{_name(scope)} {_value(label)} to none")
    return words


def _value(label: str) -> str:
    return label.rpartition("::")[2]


def _name(scope: str) -> str:
    return scope.rpartition("::")[2]


def _number(weight: int | None) -> str:
    return "none" if weight is None else str(weight)


def _people(issue: Issue) -> str:
    return ", ".join(issue.assignees) or "nobody"


def _counted(more: int, what: str) -> list[str]:
    if not more:
        return []
    if more < 0:
        return [f"a {what} taken away" if more == -1 else f"{-more} {what}s taken away"]
    return [f"a {what}" if more == 1 else f"{more} {what}s"]
