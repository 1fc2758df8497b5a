"""Changes by others since the last look: which cards, what, who and when, until each is viewed.

Pure. Owns the memory behind the highlight of a card. It is given every change the engine reports, with its
author, and describes it in words; painting belongs to the widgets. Times are the server's, in UTC.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import datetime
from math import inf

import msgspec
from msgspec import Struct, structs

from glboard_core.board.changes import UNSEEN, author, differences
from glboard_core.board.columns import CLOSED
from glboard_core.board.definition import Board
from glboard_core.board.operations import IssueDiff
from glboard_core.model.issue import Issue, IssueId
from glboard_core.model.kept_order import in_order
from glboard_core.model.workflow import WorkflowScheme

#: How many cards are remembered; after a longer absence, reading the board is easier.
MOST = 1_000
#: Of how many cards the authors of new comments are asked for at once.
MOST_UNSIGNED = 20
#: If more cards than this move at once, the server rebalanced the order: not a change by others.
RESPACED = 20


class BoardPlace(Struct, frozen=True):
    """The current board: cards that leave it are reported separately."""

    board: Board
    flow: WorkflowScheme

    def shows(self, issue: Issue | None) -> bool:
        """Whether an issue is on it among the open ones, whatever the filter."""
        return issue is not None and any(key != CLOSED for key in self.board.keys_of(issue, self.flow))

    @property
    def name(self) -> str:
        """Board and milestone."""
        return f"{self.board.name} {self.board.milestone or ''}".strip()


class ExternalChange(Struct, frozen=True, kw_only=True):
    """A card that others changed: as it was at the last look, and as it is; None if it came or went.

    ``by`` are the authors as GitLab names them, the latest last; ``left`` is the board it left, or "".
    """

    id: IssueId
    was: Issue | None
    now: Issue | None
    by: tuple[str, ...]
    at: datetime
    left: str = ""

    @property
    def issue(self) -> Issue:
        """The issue as it is, or as it was last."""
        found = self.now or self.was
        assert found is not None  # one of the two always is
        return found

    @property
    def what(self) -> tuple[str, ...]:
        """What differs, in words."""
        if self.was is None:
            return ("new",)
        if self.now is None:
            return ("no longer in the group",)
        return differences(self.was, self.now) or (UNSEEN,)

    @property
    def where_to(self) -> str:
        """Why it left a board, briefly."""
        if self.now is None or self.was is None:
            return "no longer in the group"
        if not self.now.is_open:
            return "closed"
        if self.now.milestone != self.was.milestone:
            return f"to {self.now.milestone}" if self.now.milestone else "to no milestone"
        return ", ".join(self.what)


class _Kept(Struct, frozen=True, kw_only=True):
    """What is kept for the next session. ``own`` were changed here last: its first poll tells of that."""

    rows: list[ExternalChange]
    own: list[IssueId] = []


class UnseenChanges:
    """The cards not viewed yet, the latest change last. ``in`` tests for an issue id."""

    def __init__(self) -> None:
        self._rows: dict[IssueId, ExternalChange] = {}
        #: Changed here: what the server reports next about these may be our own change.
        self._own: set[IssueId] = set()
        self._looked: ExternalChange | None = None
        #: How many comments each card had when it was asked who wrote them.
        self._asked: dict[IssueId, int] = {}

    def __contains__(self, issue: object) -> bool:
        return issue in self._rows

    def __iter__(self) -> Iterator[ExternalChange]:
        return iter(self._rows.values())

    def __len__(self) -> int:
        return len(self._rows)

    def of(self, issue: IssueId | None) -> ExternalChange | None:
        """What is new about a card; also for the one being viewed, until another is."""
        if issue is None:
            return None
        if issue in self._rows:
            return self._rows[issue]
        return self._looked if self._looked is not None and self._looked.id == issue else None

    # From one session to the next

    def kept(self) -> bytes:
        """Everything, encoded for the store; b"" for nothing."""
        if not self._rows and not self._own:
            return b""
        return msgspec.msgpack.encode(_Kept(rows=list(self), own=sorted(self._own)))

    def take_up(self, kept: bytes | None) -> None:
        """Continue with what an earlier session stored. Data of another version is ignored."""
        if not kept:
            return
        with suppress(msgspec.DecodeError):
            found = msgspec.msgpack.decode(kept, type=_Kept | list[ExternalChange])
            # Earlier versions kept the rows alone.
            found = found if isinstance(found, _Kept) else _Kept(rows=found)
            self._rows = {row.id: row for row in found.rows if row.was or row.now} | self._rows
            self._own.update(found.own)

    # What happened

    def mine(self, issues: Iterable[IssueId]) -> None:
        """Changed here by the user: that counts as viewed."""
        for issue in issues:
            self._rows.pop(issue, None)

    def answered(self, issues: Iterable[IssueId]) -> None:
        """The server applied our changes: what it reports about them next is not a change by others."""
        self._own.update(issues)

    def heard(
        self, changes: Sequence[IssueDiff], place: BoardPlace | None, *, me: str, now: datetime
    ) -> list[ExternalChange]:
        """Record changes the server reported; returns those that moved a card off the board."""
        told = [(before, after) for before, after in changes if self._is_news(before, after, me)]
        moved = [(before, after) for before, after in told if _only_moved(before, after)]
        made_way = _made_way(moved)
        left: list[ExternalChange] = []
        for before, after in told:
            if _only_moved(before, after) and (len(moved) > RESPACED or (after and after.id in made_way)):
                continue
            row = self._remember(before, after, now)
            if row is not None and place is not None and place.shows(before) and not place.shows(after):
                row = self._rows[row.id] = structs.replace(row, left=place.name)
                left.append(row)
        return left

    def _is_news(self, before: Issue | None, after: Issue | None, me: str) -> bool:
        issue = after or before
        if issue is None:
            return False
        own = issue.id in self._own
        self._own.discard(issue.id)
        if before is None or after is None:
            return not own
        if own and after.updated_by == me:
            # A side effect of our own edit: closing sets a status.
            before = structs.replace(before, status=after.status, position=after.position)
        if differences(before, after):
            return True
        # Touched without a visible difference: a description, or a comment of ours. Times are precise to the
        # second; a mirror from before authors were read has no names.
        other = before.updated_by is not None and after.updated_by not in (before.updated_by, me)
        return not own and (other or after.updated_at > before.updated_at)

    def _remember(self, before: Issue | None, after: Issue | None, now: datetime) -> ExternalChange | None:
        issue = after or before
        assert issue is not None
        earlier = self._rows.pop(issue.id, None)
        was = earlier.was if earlier is not None else before
        who = author(before, after) if before and after else after.updated_by if after else None
        by = tuple(dict.fromkeys((*(earlier.by if earlier else ()), *((who,) if who else ()))))
        if earlier is not None and was and after and not differences(was, after):
            return None  # changed and changed back
        if was is None and after is None:
            return None  # came and went without being seen
        moved = before is None or issue.updated_at > before.updated_at
        at = min(issue.updated_at, now) if moved and after is not None else now
        row = ExternalChange(id=issue.id, was=was, now=after, by=by, at=at)
        self._rows[issue.id] = row
        if len(self._rows) > MOST:
            del self._rows[next(iter(self._rows))]
        return row

    # Who commented: GitLab does not say that along with the issue

    def unsigned(self) -> dict[IssueId, int]:
        """The cards with new comments, and how many: nothing says who wrote them. Each is told once."""
        found: dict[IssueId, int] = {}
        for row in reversed(self._rows.values()):
            if row.now is None or row.was is None or len(found) == MOST_UNSIGNED:
                continue
            known = max(row.was.notes, self._asked.get(row.id, 0))
            if row.now.notes > known:
                found[row.id] = row.now.notes - known
                self._asked[row.id] = row.now.notes
        return found

    def sign(self, issue: IssueId, authors: Iterable[str]) -> None:
        """These people wrote the new comments on a card."""
        row = self._rows.get(issue)
        if row is not None:
            by = tuple(dict.fromkeys((*row.by, *filter(None, authors))))
            self._rows[issue] = structs.replace(row, by=by)
        elif self._looked is not None and self._looked.id == issue:
            by = tuple(dict.fromkeys((*self._looked.by, *filter(None, authors))))
            self._looked = structs.replace(self._looked, by=by)

    # Viewing

    def look(self, issue: IssueId | None) -> bool:
        """A card is viewed: its highlight ends, its changes stay available meanwhile. Whether it was new."""
        row = self._rows.pop(issue, None) if issue is not None else None
        if row is not None or (self._looked is not None and self._looked.id != issue):
            self._looked = row
        return row is not None


def _made_way(moved: Iterable[tuple[Issue | None, Issue | None]]) -> set[IssueId]:
    """Of issues that have another position, those that GitLab shifted for one that somebody moved.

    They are still in the same order.
    """
    rows = sorted(
        (before.position, after.position or inf, after.id)
        for before, after in moved
        if before and after and before.position is not None
    )
    kept = in_order([now for _, now, _ in rows])
    return {rows[at][2] for at in kept} if len(rows) > len(kept) > 1 else set()


def _only_moved(before: Issue | None, after: Issue | None) -> bool:
    return (
        before is not None
        and after is not None
        and after.position != before.position
        and not differences(structs.replace(before, position=after.position), after)
    )
