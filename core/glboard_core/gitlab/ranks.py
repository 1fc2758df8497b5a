"""Ranks issues: what GitLab needs before it ranks next to an issue, and whether the order is as wanted.

GitLab 18.9 fails (HTTP 500) on a rank next to an issue that has no position, as most have none. Reading a
list of a board gives its issues one; where no list has the issue, it can be ranked itself, behind all that
have one. GitLab may also re-space others and put the issue elsewhere, so the order is compared afterwards,
and set right once. Owns these steps, and ranking over REST: where the group has no board, or the token is a
fine-grained one, which no permission lets use a board's lists.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TypeVar
from urllib.parse import quote, urlencode

from msgspec import Struct, structs

from glboard_core.board.operations import GroupId, Op, OpId, Rank, new_id
from glboard_core.errors import (
    AuthError,
    ConnectionFailed,
    EditCrashed,
    EditDropped,
    EditFailed,
    EditForbidden,
    EditImpossible,
    EditInvalid,
    EditRefused,
    GlboardError,
    GroupNotFound,
    NotGitLab,
    QueryRefused,
    RateLimited,
    ScopeMissing,
    TokenRejected,
)
from glboard_core.gitlab import queries
from glboard_core.gitlab.dialect import PAGE
from glboard_core.gitlab.encode import number
from glboard_core.gitlab.failure import Failure
from glboard_core.gitlab.graphql import QueryRunner, chunks, group_missing
from glboard_core.gitlab.http import Answer
from glboard_core.gitlab.reading import IssueReader
from glboard_core.gitlab.token_errors import token_rejected
from glboard_core.gitlab.verify import answer_lost, crashed
from glboard_core.gitlab.wire import OfGroup, Page, PageInfo
from glboard_core.model.catalog import Catalog
from glboard_core.model.issue import Issue, IssueId, rank_key
from glboard_core.model.kept_order import in_order
from glboard_core.ports import Done, Failed, Outcome

T = TypeVar("T")

#: How many boards are looked through for a list that has an issue.
MOST_BOARDS = 5

#: Sends ranks by the board of the catalog: Ops, the issues as last returned, the catalog.
SendRanks = Callable[[Sequence[Op], Mapping[IssueId, Issue], Catalog], Awaitable[list[Outcome]]]


class _Place(Struct, frozen=True, rename="camel"):
    """An issue's position."""

    id: IssueId
    relative_position: float | None = None


class _List(Struct, frozen=True):
    issues: Page[_Place] | None = None


class _Board(Struct, frozen=True):
    id: str
    lists: Page[_List] | None = None


class _Boards(Struct, frozen=True):
    boards: Page[_Board] | None = None


class _First(Struct, frozen=True):
    issues: Page[_Place] | None = None


class RankSender:
    """Sends changes of the manual order of one call; create one for each."""

    def __init__(
        self,
        runner: QueryRunner,
        reader: IssueReader,
        catalog: Catalog,
        shown: Mapping[IssueId, Issue],
        send: SendRanks,
    ) -> None:
        """``shown``: the issues as last returned, with the neighbours of the ranks as far as they are known,
        others without a position, and the last one with a position."""
        self._runner = runner
        self._reader = reader
        self._catalog = catalog
        self._send = send
        self._board = catalog.ranking_board
        self._over_rest = catalog.server.fine_grained
        self._known: dict[IssueId, Issue] = dict(shown)
        #: Places of other issues that turned out to be different.
        self._places: dict[IssueId, float] = {}
        self._gone: set[IssueId] = set()
        #: The issues that are ranked; and whether others that had a position got another.
        self._own: set[IssueId] = set()
        self._respaced = False
        self._at = datetime.min.replace(tzinfo=UTC)

    async def send(self, ops: Sequence[Op]) -> list[Outcome]:
        """One outcome per Op, in order; the last one has the places of others that changed along.

        Raises ConnectionFailed or AuthError if nothing was sent.
        """
        self._own = {op.issue for op in ops}
        for op in ops:
            if op.before is not None:
                self._known.setdefault(op.issue, op.before)
        ready, why_not = await self._placed(ops)
        found: dict[OpId, Outcome] = {
            op.id: self._failed(op, why_not[op.id]) for op in ops if op.id in why_not
        }
        found |= await self._checked(ready)
        outcomes = [found[op.id] for op in ops]
        places = {issue: at for issue, at in self._places.items() if issue not in self._own}
        return [*outcomes[:-1], structs.replace(outcomes[-1], places=places, respaced=self._respaced)]

    # -- before: whatever is ranked next to must have a position

    async def _placed(self, ops: Sequence[Op]) -> tuple[Sequence[Op], dict[OpId, EditRefused]]:
        """Give the neighbours a position that have none; the Ops to send, and why others cannot be sent.

        Of two neighbours one with a position is enough. Raises what reading raises.
        """
        needed = self._without_position(ops)
        if not needed:
            return ops, {}
        self._at = ops[0].at
        moved = {op.issue for op in ops}
        others = [
            one
            for one in self._known.values()
            if one.position is None and one.id not in moved and not one.is_new
        ]
        waiting = sorted({one.id: one for one in (*others, *needed)}.values(), key=rank_key)
        await self._read_lists(waiting, {one.id for one in needed})
        beside = {one for op in ops for one in _neighbours(op)}
        last = max((rank_key(one) for one in needed if one.id in beside), default=None)
        if left := [one.id for one in needed if self._is_waiting(one, last)]:
            await self._read(left)
        placed = [at for at, one in enumerate(needed) if not self._is_waiting(one, None)]
        until = [at for at, one in enumerate(needed) if last is not None and rank_key(one) <= last]
        error = await self._rank_themselves(needed[: max([*placed, *until], default=-1) + 1], moved)
        ready: list[Op] = []
        why_not: dict[OpId, EditRefused] = {}
        ranked: set[IssueId] = set()
        for op in ops:
            known = [n for n in _neighbours(op) if n not in ranked and n in self._known]
            waiting_still = {n for n in known if self._position(n) is None}
            if waiting_still.issuperset(_neighbours(op)):
                why_not[op.id] = error or _not_placed()
            else:
                ready.append(_without(op, waiting_still))
            ranked.add(op.issue)
        return ready, why_not

    def _is_waiting(self, issue: Issue, last: tuple[bool, float, int, str] | None) -> bool:
        """Whether it still has no position, and does not come after ``last``."""
        return self._position(issue.id) is None and (last is None or rank_key(issue) <= last)

    def _without_position(self, ops: Sequence[Op]) -> list[Issue]:
        """The issues that must have a position before these Ops, in order."""
        found: dict[IssueId, Issue] = {}
        ranked: set[IssueId] = set()
        for op in ops:
            rank = op.change
            waits = any(self._position(one) is None for one in _neighbours(op) if one in self._known)
            named = rank.unplaced if isinstance(rank, Rank) and waits else ()
            for one in (*named, *_neighbours(op)):
                issue = self._known.get(one)
                # One that is ranked before it has its position by then.
                if issue is not None and issue.position is None and one not in ranked | {op.issue}:
                    found[one] = issue
            ranked.add(op.issue)
        return sorted(found.values(), key=rank_key)

    async def _read_lists(self, issues: Sequence[Issue], needed: set[IssueId]) -> None:
        """Read lists of boards that have these issues: that gives them positions, in order. Tells the board.

        GitLab does that page by page; by their numbers they are on the first one. Further boards are read
        for those needed only.
        """
        if self._over_rest:
            return
        group = self._catalog.group
        for part in chunks(issues, PAGE):
            variables = {"group": group, "iids": sorted({str(one.iid) for one in part if one.iid}, key=int)}
            must = [one.id for one in part if one.id in needed]
            pages = 0
            after: str | None = None
            while not pages or (pages < MOST_BOARDS and any(self._position(one) is None for one in must)):
                answer = await self._runner.ask(
                    queries.PLACES, {**variables, "after": after}, OfGroup[_Boards]
                )
                boards = self._in_group(answer).boards or Page[_Board]()
                if not pages:
                    self._board = next((board.id for board in boards.items()), None)
                for board in boards.items():
                    self._note(place for one in _lists(board) for place in (one.issues or Page()).items())
                pages += 1
                info: PageInfo = boards.page_info
                after = info.end_cursor
                if not info.has_next_page or after is None:
                    break

    def _in_group(self, answer: OfGroup[T]) -> T:
        if answer.group is None:
            raise group_missing(self._catalog.group, self._runner.host)
        return answer.group

    def _note(self, places: Iterable[_Place]) -> None:
        for place in places:
            issue, at = self._known.get(place.id), place.relative_position
            if issue is not None and at is not None and at != issue.position:
                self._known[place.id] = structs.replace(issue, position=at)
                self._places[place.id] = at

    def _position(self, issue: IssueId) -> float | None:
        known = self._known.get(issue)
        return known.position if known is not None else None

    async def _read(self, issues: Iterable[IssueId]) -> None:
        """Read issues again by id; those that are gone are remembered as such."""
        wanted = list(dict.fromkeys(issues))
        now = await self._reader.read(wanted, self._known)
        for identity in wanted:
            issue = now.get(identity)
            if issue is None:
                self._gone.add(identity)
                self._known.pop(identity, None)
                continue
            before = self._position(identity)
            if issue.position is not None and issue.position != before:
                self._places[identity] = issue.position
                self._respaced |= before is not None and identity not in self._own
            self._known[identity] = issue

    async def _rank_themselves(self, needed: Sequence[Issue], moved: set[IssueId]) -> EditRefused | None:
        """Rank those that no list placed, or not in this order: behind each other, behind all others.

        Returns why that failed, if it did.
        """
        there = [one for one in needed if one.id not in self._gone and self._may_rank(one)]
        kept = in_order([self._position(one.id) for one in there])
        first = there[min(kept)].id if kept else None
        before: IssueId | None = None
        behind: list[Op] = []
        for at, one in enumerate(there):
            if at not in kept:
                change = Rank(above=before) if before is not None else Rank(below=first)
                if before is first is None:
                    last = await self._last_placed({*moved, *(other.id for other in needed)})
                    if last is None:
                        return no_order_for_token() if self._over_rest else _no_order(self._board is not None)
                    change = Rank(above=last)
                identity = new_id()
                behind.append(
                    Op(id=OpId(identity), group=GroupId(identity), issue=one.id, change=change, at=self._at)
                )
            before = one.id
        outcomes = await self._move(behind) if behind else []
        for op, outcome in zip(behind, outcomes, strict=True):
            self._absorb(op, outcome)
            if isinstance(outcome, Done):
                if (position := self._position(op.issue)) is not None:
                    self._places[op.issue] = position
            elif isinstance(outcome.error, EditRefused):
                return _no_order(has_board=True) if isinstance(outcome.error, EditCrashed) else outcome.error
        return None

    def _may_rank(self, issue: Issue) -> bool:
        """Whether it has a position, or the project allows to rank it."""
        if self._position(issue.id) is not None:
            return True
        project = self._catalog.project(issue.project)
        return project is None or project.can_edit is not False

    async def _last_placed(self, without: set[IssueId]) -> IssueId | None:
        """The last of the known issues that have a position, or any that has one."""
        placed = [one for one in self._known.values() if one.position is not None]
        if placed:
            # Preferably not one that is about to be ranked elsewhere.
            return max(placed, key=lambda one: (one.id not in without, rank_key(one))).id
        answer = await self._runner.ask(queries.FIRST_PLACED, {"group": self._catalog.group}, OfGroup[_First])
        page = self._in_group(answer).issues or Page[_Place]()
        return next((one.id for one in page.items() if one.relative_position is not None), None)

    # -- the ranks themselves

    async def _checked(self, ops: Sequence[Op]) -> dict[OpId, Outcome]:
        """Send ranks; what failed, or is not where it should be, is looked into and sent once more."""
        found: dict[OpId, Outcome] = {}
        doubtful: list[Op] = []
        later = [op.issue for op in ops]
        for op, outcome in zip(ops, await self._move(ops), strict=True):
            later.remove(op.issue)
            self._absorb(op, outcome)
            found[op.id] = outcome
            if isinstance(outcome, Done):
                right = self._is_right(op, later)
            else:
                right = not _worth_a_look(outcome.error)
            if not right:
                doubtful.append(op)
        later = [op.issue for op in ops]
        for op in ops:
            later.remove(op.issue)
            if op in doubtful:
                found[op.id] = await self._once_more(op, found[op.id], later)
        return found

    def _absorb(self, op: Op, outcome: Outcome) -> None:
        if isinstance(outcome, Done) and outcome.issue is not None:
            self._known[op.issue] = outcome.issue

    def _is_right(self, op: Op, later: Sequence[IssueId]) -> bool:
        """Whether the issue is between its neighbours, as far as known. ``later`` are ranked after it."""
        rank, issue = op.change, self._known.get(op.issue)
        if not isinstance(rank, Rank) or issue is None or op.issue in later:
            return True
        if issue.position is None:
            return False
        above, below = (self._known.get(one) if one and one not in later else None
                        for one in (rank.above, rank.below))  # fmt: skip
        # On the very place of one of them: then that one has made way.
        if above is not None and (above.position is None or above.position >= issue.position):
            return False
        return below is None or (below.position is not None and below.position > issue.position)

    async def _once_more(self, op: Op, outcome: Outcome, later: Sequence[IssueId]) -> Outcome:
        """Read the issue and its neighbours, and rank it again unless it is where it should be."""
        error = outcome.error if isinstance(outcome, Failed) else None
        try:
            await self._read([op.issue, *_neighbours(op)])
            if op.issue in self._gone:
                return outcome
            if isinstance(error, EditForbidden) and not await self._other_board():
                return outcome
            op = self._beside_what_is_left(op)
            if not _neighbours(op):
                return self._failed(op, _nothing_there())
            # Next to one neighbour only, the order does not tell whether a failed rank was made.
            if self._is_right(op, later) and (error is None or len(_neighbours(op)) == 2):
                return Done(op=op.id, issue=self._known.get(op.issue))
            ready, why_not = await self._placed([op])
            if not ready:
                return self._failed(op, why_not[op.id])
            [op] = ready
            [again] = await self._move([op])
            if isinstance(again, Failed):
                return self._failed(op, _failed_twice()) if isinstance(again.error, EditCrashed) else again
            self._absorb(op, again)
            if not self._is_right(op, later):
                await self._read([op.issue, *_neighbours(op)])
            if not self._is_right(op, later):
                return self._failed(op, _elsewhere())
            return Done(op=op.id, issue=self._known.get(op.issue))
        except (NotGitLab, QueryRefused):
            return outcome
        except GroupNotFound as gone:
            return Failed(op=op.id, error=gone)  # as if it was not sent
        except (ConnectionFailed, AuthError):
            # It can be sent again: a rank done twice is as done once.
            return Failed(op=op.id, error=answer_lost())

    def _beside_what_is_left(self, op: Op) -> Op:
        """The rank next to those of its neighbours that are still there, and still one above the other."""
        rank = op.change
        if not isinstance(rank, Rank):
            return op
        swapped = [self._known[one] for one in (rank.above, rank.below) if one in self._known]
        placed = [rank_key(one) for one in swapped if one.position is not None]
        if len(placed) == 2 and placed[0] > placed[1]:
            # Ranked by others meanwhile, so that nothing is between them: next to the first one.
            return _without(op, {swapped[1].id})
        return _without(op, self._gone)

    async def _other_board(self) -> bool:
        """Whether the group's first board is another one than the one that was used."""
        before = self._board
        answer = await self._runner.ask(
            queries.PLACES, {"group": self._catalog.group, "iids": ["0"]}, OfGroup[_Boards]
        )
        boards = self._in_group(answer).boards or Page[_Board]()
        self._board = next((board.id for board in boards.items()), None)
        return self._board != before

    def _failed(self, op: Op, error: EditRefused) -> Failed:
        return Failed(op=op.id, error=error, issue=self._known.get(op.issue))

    async def _move(self, ops: Sequence[Op]) -> list[Outcome]:
        """Send ranks as they are: by the group's board, or over REST if it has none."""
        if not ops:
            return []
        if self._board is not None and not self._over_rest:
            catalog = structs.replace(self._catalog, ranking_board=self._board)
            return await self._send(ops, self._known, catalog)
        outcomes: list[Outcome] = []
        stopped: GlboardError | None = None
        for op in ops:
            error = stopped or await self._reorder(op)
            if isinstance(error, ConnectionFailed | AuthError):
                stopped = error
            if error is None:
                outcomes.append(Done(op=op.id, issue=self._known.get(op.issue)))
            else:
                outcomes.append(Failed(op=op.id, error=error, issue=self._known.get(op.issue)))
        if stopped is not None and all(isinstance(one, Failed) for one in outcomes):
            raise stopped
        return await self._with_positions(ops, outcomes)

    async def _with_positions(self, ops: Sequence[Op], outcomes: list[Outcome]) -> list[Outcome]:
        """The same after reading the issues: GitLab's answer over REST does not tell the position."""
        made = {op.id: op for op, one in zip(ops, outcomes, strict=True) if isinstance(one, Done)}
        if not made:
            return outcomes
        lost: GlboardError | None = None
        try:
            await self._read([one for op in made.values() for one in (op.issue, *_neighbours(op))])
        except (ConnectionFailed, AuthError, NotGitLab, QueryRefused):
            lost = answer_lost()
        issues = {op.id: self._known.get(op.issue) for op in made.values()}
        return [
            one
            if one.op not in made
            else Done(op=one.op, issue=issues[one.op])
            if lost is None
            else Failed(op=one.op, error=lost, issue=issues[one.op])
            for one in outcomes
        ]

    async def _reorder(self, op: Op) -> GlboardError | None:
        """Rank one issue over REST; returns the error, if any."""
        issue, rank = self._known.get(op.issue), op.change
        if issue is None or not isinstance(rank, Rank) or not rank.neighbours:
            return _nothing_there()
        # GitLab's names: move_before_id is the issue that will be before (above) the moved one.
        places = {"move_before_id": rank.above, "move_after_id": rank.below}
        try:
            beside = urlencode({name: number(place) for name, place in places.items() if place is not None})
        except EditImpossible as error:
            return error
        # By its number, since another project may have its path now.
        known = self._catalog.project(issue.project)
        project = number(known.id) if known is not None and known.id else quote(issue.project, safe="")
        path = f"/api/v4/projects/{project}/issues/{issue.iid}/reorder?{beside}"
        answer = await self._runner.transport.rest("PUT", path)
        if isinstance(answer, Failure):
            return _failed(answer)
        return _refused(answer, issue.project, self._runner.host) if answer.status >= 400 else None


def _neighbours(op: Op) -> tuple[IssueId, ...]:
    return op.change.neighbours


def _lists(board: _Board) -> Sequence[_List]:
    return (board.lists or Page[_List]()).items()


def _without(op: Op, neighbours: set[IssueId]) -> Op:
    """The rank without these neighbours."""
    rank = op.change
    if not isinstance(rank, Rank) or not neighbours.intersection(rank.neighbours):
        return op
    above, below = (None if one in neighbours else one for one in (rank.above, rank.below))
    return structs.replace(op, change=structs.replace(rank, above=above, below=below))


def _worth_a_look(error: GlboardError) -> bool:
    return isinstance(error, EditCrashed | EditDropped | EditInvalid | EditForbidden)


def _refused(answer: Answer, project: str, host: str) -> GlboardError:
    """The error for a reorder that GitLab refused."""
    status = answer.status
    if b"insufficient_granular_scope" in answer.body:
        return EditImpossible(
            "This token cannot rank issues: it lacks the permission Work Item: Update.",
            hint="Create one with that permission, or a classic one with the “api” scope, and set "
            "GITLAB_TOKEN.",
        )
    if status == 401:
        return token_rejected(host)
    if status == 422:
        return _nothing_there()
    if status in (403, 404):
        return EditForbidden(
            f"You are not allowed to rank issues in {project}, or the issue was not found.",
            hint="Ask for the Planner role in the project, and use a token with the “api” scope.",
        )
    return EditInvalid(f"GitLab rejected the rank (HTTP {status}).")


def _failed(failure: Failure) -> GlboardError:
    """The error for a reorder that was not answered as GitLab does."""
    error = failure.error
    if failure.crashed:
        return crashed()
    if isinstance(error, TokenRejected | ScopeMissing | RateLimited):
        return error
    if isinstance(error, ConnectionFailed) and not failure.reached:
        return error
    if failure.reached:
        return answer_lost()
    return EditInvalid(f"GitLab rejected it: {error.message}", hint=error.hint)


# -- words


def no_order() -> EditImpossible:
    """No issue has a position, and there is no board that would give them one."""
    return EditImpossible(
        "GitLab has no manual order yet: it needs an issue board, and the group has none.",
        hint="Create an issue board in the group (Plan > Issue boards), then try again.",
    )


def no_order_for_token() -> EditImpossible:
    """No issue has a position, and the token may not read what would give them one."""
    return EditImpossible(
        "GitLab has no manual order yet, and a fine-grained token cannot create one.",
        hint="Open one of the group's boards in GitLab, then try again. Or use a classic token with the "
        "“api” scope.",
    )


def _no_order(has_board: bool) -> EditRefused:
    return _not_placed() if has_board else no_order()


def _not_placed() -> EditImpossible:
    return EditImpossible(
        "An adjacent issue has no position in GitLab's manual order yet.",
        hint="Open a board that shows it in GitLab, or try again in a minute.",
    )


def _nothing_there() -> EditDropped:
    return EditDropped("The issue did not move.", hint="Rank it again. An adjacent issue may be gone.")


def _failed_twice() -> EditFailed:
    return EditFailed(
        "GitLab failed twice to rank the issue (internal server error) and did not move it.",
        hint="Retry it later, or discard it, in the failed changes.",
    )


def _elsewhere() -> EditDropped:
    return EditDropped(
        "GitLab moved the issue to a different position in the manual order.",
        hint="Someone else may be ranking, too. Refresh, then rank it again.",
    )
