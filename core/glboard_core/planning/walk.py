"""A walk: issues one at a time, in the order they had on screen when it began.

Owns which issue is next, the pile of those put off until the end, and what became of each. A walk is a value:
every step returns another one, and it is kept as it is, so that it can be resumed on another day.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Literal, NamedTuple

from msgspec import Struct, structs

from glboard_core.config import LabelSettings
from glboard_core.model.issue import Issue, IssueId

Outcome = Literal["closed", "deferred", "moved", "accepted", "weighted", "commented", "changed", "skipped"]
"""What became of a walked issue. ``moved``: to a bucket, or out of its milestone."""

#: The outcomes in the order in which they are told.
OUTCOMES: tuple[Outcome, ...] = (
    *("accepted", "weighted", "deferred", "moved", "closed", "commented", "changed", "skipped"),
)


class Before(Struct, frozen=True, kw_only=True):
    """What an issue was before the walk first changed it: enough to tell what became of it.

    ``commented``: it got a comment in the walk.
    """

    labels: frozenset[str] = frozenset()
    assignees: tuple[str, ...] = ()
    weight: int | None = None
    milestone: str | None = None
    status: str | None = None
    is_open: bool = True
    commented: bool = False


class Walk(Struct, frozen=True, kw_only=True):
    """A walk. ``key`` says what is walked, ``ids`` are all its issues.

    An issue is ahead, put off until later, or passed. The trail has the issues in the order in which they
    were left, those put off too: the way back.
    """

    key: str
    ids: tuple[IssueId, ...] = ()
    ahead: tuple[IssueId, ...] = ()
    later: tuple[IssueId, ...] = ()
    trail: tuple[IssueId, ...] = ()
    #: Whether the pile came again. Then what is put off stays in it, so that a walk ends.
    again: bool = False
    #: The issues that the walk changed.
    before: dict[IssueId, Before] = {}

    @property
    def current(self) -> IssueId | None:
        """The issue that is shown; None at the end."""
        return self.ahead[0] if self.ahead else None

    @property
    def total(self) -> int:
        """How many issues it has."""
        return len(self.ids)

    @property
    def passed(self) -> int:
        """How many are neither ahead nor put off."""
        return len(self.ids) - len(self.ahead) - len(self.later)

    @property
    def place(self) -> int:
        """The number of the current issue: 7 in "7 of 23"."""
        return self.passed + bool(self.ahead)

    @property
    def was_put_off(self) -> bool:
        """Whether the current issue is shown again: it was put off, and not only returned to."""
        return self.again and self.current in self.trail

    # Steps

    def skip(self) -> Walk:
        """Go on to the next issue."""
        if (here := self.current) is None:
            return self
        return structs.replace(self, ahead=self.ahead[1:], trail=(*self.trail, here))._turned()

    def put_off(self) -> Walk:
        """Put the current issue on the pile, which comes again at the end."""
        if (here := self.current) is None:
            return self
        later = (*self.later, here)
        return structs.replace(self, ahead=self.ahead[1:], later=later, trail=(*self.trail, here))._turned()

    def back(self) -> Walk:
        """Return to the issue that was shown before."""
        return self.show(self.trail[-1]) if self.trail else self

    def show(self, issue: IssueId) -> Walk:
        """Make an issue of the walk the current one; the others keep their order."""
        if issue not in self.ids or issue == self.current:
            return self
        trail = list(self.trail)
        if issue in trail:
            del trail[len(trail) - 1 - trail[::-1].index(issue)]
        return structs.replace(
            self,
            ahead=(issue, *_without(self.ahead, issue)),
            later=_without(self.later, issue),
            trail=tuple(trail),
        )

    def pile_again(self) -> Walk:
        """Show the pile once more, after the end."""
        return structs.replace(self, again=False)._turned()

    def passing(self, issues: Iterable[IssueId]) -> Walk:
        """The walk with these issues passed, wherever they are in it."""
        done = tuple(issues)
        ahead, later = (tuple(i for i in ids if i not in done) for ids in (self.ahead, self.later))
        return structs.replace(self, ahead=ahead, later=later, trail=(*self.trail, *done))._turned()

    def _turned(self) -> Walk:
        """At the end of the issues the pile comes, once."""
        if self.ahead or not self.later or self.again:
            return self
        return structs.replace(self, ahead=self.later, later=(), again=True)

    # Issues that left, and new ones

    def drop(self, issues: Iterable[IssueId]) -> Walk:
        """The walk without these issues."""
        gone = frozenset(issues)

        def kept(ids: Sequence[IssueId]) -> tuple[IssueId, ...]:
            return tuple(issue for issue in ids if issue not in gone)

        return structs.replace(
            self,
            ids=kept(self.ids),
            ahead=kept(self.ahead),
            later=kept(self.later),
            trail=kept(self.trail),
            before={issue: before for issue, before in self.before.items() if issue not in gone},
        )._turned()

    def join(self, issues: Iterable[IssueId]) -> Walk:
        """The walk with issues that are new, at the end."""
        known = frozenset(self.ids)
        new = tuple(issue for issue in dict.fromkeys(issues) if issue not in known)
        if not new:
            return self
        return structs.replace(self, ids=(*self.ids, *new), ahead=(*self.ahead, *new))

    # What was decided

    def change(self, issue: Issue, *, commented: bool = False) -> Walk:
        """Note that an issue is changed; ``issue`` is as it was before that."""
        first = self.before.get(issue.id) or Before(
            labels=issue.labels,
            assignees=tuple(issue.assignees),
            weight=issue.weight,
            milestone=issue.milestone,
            status=issue.status,
            is_open=issue.is_open,
        )
        first = structs.replace(first, commented=first.commented or commented)
        return structs.replace(self, before={**self.before, issue.id: first})

    def uncomment(self, issue: IssueId) -> Walk:
        """Note that a change of an issue was undone, its comment too."""
        if (before := self.before.get(issue)) is None or not before.commented:
            return self
        return structs.replace(self, before={**self.before, issue: structs.replace(before, commented=False)})


def _without(ids: tuple[IssueId, ...], issue: IssueId) -> tuple[IssueId, ...]:
    return tuple(one for one in ids if one != issue)


def begun(key: str, ids: Iterable[IssueId]) -> Walk:
    """A walk from the first issue on."""
    order = tuple(dict.fromkeys(ids))
    return Walk(key=key, ids=order, ahead=order)


class Resumed(NamedTuple):
    """A walk that goes on: how many issues left it, how many are new, and whether it began again."""

    walk: Walk
    left: int = 0
    new: int = 0
    afresh: bool = False


def resumed(walk: Walk | None, key: str, now: Sequence[IssueId]) -> Resumed:
    """Go on with a walk over what there is now, or begin one: the first time, and after it was finished.

    Issues that left are skipped; those that were passed, or changed before they left, stay counted. New ones
    come at the end.
    """
    if walk is None:
        return Resumed(begun(key, now), afresh=True)
    there = frozenset(now)
    gone = [issue for issue in (*walk.ahead, *walk.later) if issue not in there]
    left = [issue for issue in gone if issue not in walk.before]
    goes_on = walk.passing(issue for issue in gone if issue in walk.before).drop(left).join(now)
    new = goes_on.total - (walk.total - len(left))
    if not goes_on.ahead:
        goes_on = goes_on.pile_again()
    if not goes_on.ahead:
        return Resumed(begun(key, now), afresh=True)
    return Resumed(goes_on, len(left), new)


# The outcome


def outcome(
    before: Before, now: Issue | None, names: LabelSettings, is_version: Callable[[str], bool]
) -> Outcome:
    """What became of an issue that was changed; one whose changes were undone was skipped."""
    if now is None:
        return "changed"  # it is no longer here
    if before.is_open and not now.is_open:
        return "closed"
    if now.milestone != before.milestone:
        return "deferred" if now.milestone and is_version(now.milestone) else "moved"
    if names.deliverable in now.labels - before.labels:
        return "accepted"
    if now.weight != before.weight:
        return "weighted"
    was = (before.labels, before.assignees, before.status, before.is_open)
    if (now.labels, tuple(now.assignees), now.status, now.is_open) != was:
        return "changed"
    return "commented" if before.commented else "skipped"


def outcomes(
    walk: Walk,
    issue_of: Callable[[IssueId], Issue | None],
    names: LabelSettings,
    is_version: Callable[[str], bool],
) -> dict[IssueId, Outcome]:
    """What became of each issue that was passed, in the order of the walk."""
    open_ones = frozenset((*walk.ahead, *walk.later))
    return {
        issue: outcome(before, issue_of(issue), names, is_version)
        if (before := walk.before.get(issue))
        else "skipped"
        for issue in walk.ids
        if issue not in open_ones
    }


def tally(found: Iterable[Outcome], later: int) -> str:
    """``9 accepted, 4 deferred, 2 later``; "" if there is nothing to tell."""
    counts = Counter(found)
    parts = [f"{counts[name]} {name}" for name in OUTCOMES if counts[name]]
    return ", ".join([*parts, *([f"{later} later"] if later else [])])
