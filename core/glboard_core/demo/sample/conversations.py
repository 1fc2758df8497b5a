"""What is in a few of the sample's issues: a description with tasks, comments as a thread, links, health.

Nothing here is drawn by lot, and no time of an issue moves: the rest of the sample stays as it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from glboard_core.demo.world.clock import DAY, SECOND
from glboard_core.demo.world.records import HEALTH, Issue, Note, User
from glboard_core.demo.world.world import World

#: One open issue in so many has them; and one in so many that is worked on has a health status.
_EVERY, _HEALTH_EVERY = 7, 5
_HEALTH = tuple(HEALTH)
_HOUR = 3_600 * SECOND

_DESCRIPTION = """A self-hosted endpoint configured as `https://models.example.com/v1/` behaves as described
above. The same without the slash at its end does not.

- [x] reproduce it
- [ ] normalise the address when it is saved
- [ ] migrate stored addresses

| endpoint | answer |
| --- | --- |
| `/v1` | 200 |
| `/v1/` | 404 |
"""
_COMMENTS = (
    ("Seen with two providers; both answer 404.", -2 * DAY, False),
    ("The migration is one statement.", -1 * DAY, True),
    ("Then it fits into this milestone.", -3 * _HOUR, True),
    ("Please keep the old addresses readable for a while.", -2 * _HOUR, False),
)


def fill_some(
    world: World, issues: Iterable[Issue], people: list[User], now: int, shown: Sequence[str]
) -> None:
    """Fill some of the open issues in the milestones that are ``shown`` first; the first of them too."""
    there = [one for one in issues if one.open and one.milestone is not None and one.milestone.title in shown]
    later = shown[::-1]
    there.sort(key=lambda one: (*_place(one, later), one.position is None, one.position or 0, one.id))
    working = [one for one in there if any(label.title == "workflow::in dev" for label in one.labels)]
    for number, issue in enumerate(working):
        if number % _HEALTH_EVERY == 0:
            issue.health = _HEALTH[(number // _HEALTH_EVERY + 1) % len(_HEALTH)]
    for number, issue in enumerate(there):
        if number % _EVERY or issue.description:
            continue
        issue.description = _DESCRIPTION
        _discuss(world, issue, people, now)
        if (other := there[(number + 3) % len(there)]) is not issue:
            issue.related, other.related = (*issue.related, other), (*other.related, issue)


def _place(issue: Issue, milestones: Sequence[str]) -> tuple[int, bool]:
    """Which is seen first: what is planned next, and of that the bugs."""
    title = issue.milestone.title if issue.milestone is not None else ""
    return milestones.index(title), all(label.title != "type::bug" for label in issue.labels)


def _discuss(world: World, issue: Issue, people: list[User], now: int) -> None:
    first: Note | None = None
    notes: list[Note] = []
    for number, (body, ago, answers) in enumerate(_COMMENTS):
        author = people[(issue.iid + number) % len(people)]
        at = max(now + ago, issue.created)
        note = Note(world.next_id("note"), issue, body, author, at, at, thread=first if answers else None)
        first = note if first is None else first
        world.notes[note.id] = note
        notes.append(note)
    if first is not None:
        first.resolved = True
    issue.notes = [*(issue.notes or ()), *notes]
