"""Lists of statuses on a board: read, created and ordered over GraphQL. REST does not tell their status.

Needs GitLab 18.5 or later with a licence; only a board whose columns are statuses is set up here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct, structs

from glboard_core.errors import GlboardError
from glboard_core.gitlab.admin import FinishedBoard
from glboard_core.gitlab.answers import Identity
from glboard_core.gitlab.encode import number
from glboard_core.gitlab.failure import Failure
from glboard_core.gitlab.graphql import QueryRunner, complete, envelope_of, request
from glboard_core.gitlab.http import Transport
from glboard_core.gitlab.statuses import status_ids
from glboard_core.gitlab.wire import Named, Page, Titled
from glboard_core.model.catalog import Server
from glboard_core.model.clean_text import line
from glboard_core.planning.milestone_setup import SeenBoard, SeenList, WantedBoard, moves

#: The movable lists of a board. Variables: group, board.
LISTS = (
    "query BoardLists($group: ID!, $board: BoardID!) { group(fullPath: $group) { board(id: $board) {"
    " lists(first: 100) { nodes { id position listType label { title } status { name } } } } } }"
)
CREATE = (
    "mutation CreateStatusList($input: BoardListCreateInput!) {"
    " boardListCreate(input: $input) { errors list { id } } }"
)
MOVE = (
    "mutation MoveList($input: UpdateBoardListInput!) {"
    " updateBoardList(input: $input) { errors list { id position } } }"
)


class _List(Struct, frozen=True, rename="camel"):
    id: Identity
    list_type: str
    position: int | None = None
    label: Titled | None = None
    status: Named | None = None


class _Board(Struct, frozen=True):
    lists: Page[_List] | None = None


class _Group(Struct, frozen=True):
    board: _Board | None = None


class _Answer(Struct, frozen=True):
    group: _Group | None = None


class _Done(Struct, frozen=True, rename="camel"):
    board_list_create: Mapping[str, object] | None = None
    update_board_list: Mapping[str, object] | None = None


def may_have_status_lists(server: Server) -> bool:
    """Whether boards of this server can have lists of statuses."""
    licensed = server.enterprise and server.has_weight and not server.fine_grained
    return licensed and server.release >= (18, 5)


class StatusLists:
    """The status lists of a group's boards. All methods raise what the transport raises."""

    def __init__(self, transport: Transport, server: Server) -> None:
        self._transport = transport
        self._runner = QueryRunner(transport, server)

    async def known(self, group: str, names: Sequence[str]) -> tuple[str, ...]:
        """Those of these statuses that the group has."""
        ids = await status_ids(self._runner, group)
        return tuple(name for name in names if name.casefold() in ids)

    async def lists(self, group: str, board: int) -> tuple[SeenList, ...]:
        """The movable lists of a board in order; the name of a status stands where a label's title does."""
        answer = await self._runner.ask(
            LISTS, {"group": group, "board": f"gid://gitlab/Board/{board}"}, _Answer
        )
        found = answer.group and answer.group.board and answer.group.board.lists
        placed = [one for one in (found or Page[_List]()).items() if one.position is not None]
        placed.sort(key=lambda one: one.position or 0)
        return tuple(SeenList(int(number(one.id)), _title(one)) for one in placed)

    async def finish(self, group: str, board: SeenBoard, wanted: WantedBoard) -> FinishedBoard:
        """Add the missing lists, and bring ours into order."""
        ids = await status_ids(self._runner, group)
        present = {_folded(one.label) for one in await self.lists(group, board.id)}
        for name in wanted.lists:
            if name.casefold() in present or (status := ids.get(name.casefold())) is None:
                continue
            made = {"boardId": f"gid://gitlab/Board/{board.id}", "statusId": status}
            failure = await self._change(CREATE, made)
            if failure is not None:
                # It may be there all the same.
                now = (
                    {_folded(one.label) for one in await self.lists(group, board.id)}
                    if failure.reached
                    else set()
                )
                if name.casefold() not in now:
                    raise failure.error
        for column, position in moves(await self.lists(group, board.id), wanted.lists):
            moved = {"listId": f"gid://gitlab/List/{column}", "position": position}
            # Moved to the same place twice, it is there.
            failure = await self._change(MOVE, moved)
            if failure is not None and (not failure.reached or await self._change(MOVE, moved) is not None):
                raise failure.error
        lists = await self.lists(group, board.id)
        present = {_folded(one.label) for one in lists}
        return FinishedBoard(
            board=structs.replace(board, lists=lists),
            scoped=True,
            missing=tuple(name for name in wanted.lists if name.casefold() not in present),
            ordered=not moves(lists, wanted.lists),
        )

    async def _change(self, document: str, wish: Mapping[str, object]) -> Failure | None:
        """Send one change. A list that is refused is missing afterwards, so that needs no error here."""
        answer = await self._transport.write(request(document, {"input": wish}))
        if isinstance(answer, Failure):
            return answer
        try:
            complete(envelope_of(answer, _Done, self._runner.host), self._runner.host)
        except GlboardError as error:
            return Failure(error, reached=False)
        return None


def _title(one: _List) -> str | None:
    if one.status is not None and one.status.name:
        return line(one.status.name)
    return line(one.label.title) if one.label is not None else None


def _folded(title: str | None) -> str:
    return (title or "").casefold()
