"""Rare administration over REST: a group's boards and labels, with python-gitlab in a thread.

Owns what is done a few times a month. It never deletes anything: no board, no list, no filter that someone
set. It must not read or change issues: ``gateway`` does that, and ``rest_issues`` for the planning issue.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from glboard_core.gitlab.account import Account
from glboard_core.gitlab.encode import number
from glboard_core.gitlab.rest_client import PATIENCE, Doing, RestClient, once
from glboard_core.gitlab.text import line
from glboard_core.model.catalog import Catalog
from glboard_core.planning.board_work import SeenBoard, SeenList, WantedBoard, moves

if TYPE_CHECKING:
    from gitlab import Gitlab

_NEEDS = "This needs the Planner role; more than one group board needs Premium."


class BoardMade(Struct, frozen=True, kw_only=True):
    """A board of the group. ``missing`` are columns that could not be added; ``scoped``: its filter is set;
    ``ordered``: its lists are in the requested order."""

    id: str
    url: str
    new: bool
    scoped: bool = True
    missing: tuple[str, ...] = ()
    ordered: bool = True


class Admin:
    """Sets up a group. Every method may raise AuthError, ConnectionFailed and EditRefused."""

    def __init__(self, account: Account, client: RestClient | None = None) -> None:
        self._account = account
        self._client = client or RestClient(account)

    # Boards

    async def boards(self, group: str) -> list[SeenBoard]:
        """All boards of the group. Their lists may be truncated: ``lists`` reads those of one board."""
        return await self._client.ask(
            Doing(f"read the boards of {group}"),
            lambda gitlab: [
                self._seen(group, board.attributes)
                for board in gitlab.groups.get(group, lazy=True).boards.list(iterator=True, **PATIENCE)
            ],
        )

    async def lists(self, group: str, board: int) -> tuple[SeenList, ...]:
        """All movable lists of a board, in order."""
        return await self._client.ask(
            Doing(f"read the boards of {group}"), lambda gitlab: _lists(gitlab, group, board)
        )

    async def make_board(self, group: str, name: str, known: frozenset[int] = frozenset()) -> SeenBoard:
        """Create a board without lists or a filter. ``known`` are other boards, whatever their name.

        Raises EditUnknown if the answer was lost and no such board appears.
        """

        def work(gitlab: Gitlab) -> SeenBoard:
            boards = gitlab.groups.get(group, lazy=True).boards

            def find() -> SeenBoard | None:
                seen = (self._seen(group, one.attributes) for one in boards.list(iterator=True, **PATIENCE))
                return next((one for one in seen if one.name == name and one.id not in known), None)

            return once(find, lambda: self._seen(group, boards.create({"name": name}, **PATIENCE).attributes))

        return await self._client.ask(Doing(f"set up boards of {group}", _NEEDS), work)

    async def finish_board(self, catalog: Catalog, board: SeenBoard, wanted: WantedBoard) -> BoardMade:
        """Set the filter if there is none, add missing lists, and order ours.

        Raises EditImpossible if the group has no such milestone.
        """
        group = catalog.group
        ids = {
            title: int(number(label.id))
            for title in wanted.lists
            if (label := catalog.label(group, title)) is not None
        }
        scope: dict[str, Any] = {}
        if board.milestone is None and not board.labels:
            if wanted.labels:
                scope["labels"] = ",".join(sorted(wanted.labels))
            if wanted.milestone:
                scope["milestone_id"] = int(catalog.milestone_id(group, wanted.milestone))
        return await self._client.ask(
            Doing(f"set up boards of {group}", _NEEDS),
            lambda gitlab: self._finish(gitlab, group, board, wanted, ids, scope),
        )

    async def ensure_board(
        self,
        catalog: Catalog,
        name: str,
        *,
        lists: Sequence[str] = (),
        labels: Sequence[str] = (),
        milestone: str | None = None,
    ) -> BoardMade:
        """The group's board ``name`` with label columns ``lists``, created if it does not exist.

        ``labels`` and ``milestone`` are its filter, which needs Premium. Any board makes ranking possible.
        Raises EditImpossible if the group has no such milestone.
        """
        before = {board.id for board in await self.boards(catalog.group) if board.name == name}
        board = await self.make_board(catalog.group, name)
        wanted = WantedBoard(
            name=name, milestone=milestone or "", labels=frozenset(labels), lists=tuple(lists)
        )
        made = await self.finish_board(catalog, board, wanted)
        return BoardMade(
            id=made.id,
            url=made.url,
            new=board.id not in before,
            scoped=made.scoped,
            missing=made.missing,
            ordered=made.ordered,
        )

    def _finish(
        self,
        gitlab: Gitlab,
        group: str,
        board: SeenBoard,
        wanted: WantedBoard,
        ids: Mapping[str, int],
        scope: Mapping[str, Any],
    ) -> BoardMade:
        from gitlab import GitlabError

        scoped = True
        here = gitlab.groups.get(group, lazy=True).boards.get(board.id, lazy=True)
        if scope:
            # Without the licence GitLab reports success and sets nothing.
            boards = gitlab.groups.get(group, lazy=True).boards
            answer = boards.update(board.id, dict(scope), **PATIENCE)
            after = self._seen(group, answer)
            scoped = after.milestone == (wanted.milestone or None) and after.labels == wanted.labels
        missing = [title for title in wanted.lists if title not in ids]
        present = {one.label for one in _lists(gitlab, group, board.id)}
        for title, label in ids.items():
            if title in present:
                continue
            try:
                here.lists.create({"label_id": label}, **PATIENCE)
            except GitlabError as problem:
                if problem.response_code in (401, 429) or (problem.response_code or 500) >= 500:
                    raise
                missing.append(title)
        for column, position in moves(_lists(gitlab, group, board.id), wanted.lists):
            here.lists.update(column, {"position": position}, **PATIENCE)
        now = _lists(gitlab, group, board.id)
        # Someone may have added or removed the same list in the meantime.
        present = {one.label for one in now}
        return BoardMade(
            id=f"gid://gitlab/Board/{board.id}",
            url=board.url,
            new=False,
            scoped=scoped,
            missing=tuple(title for title in wanted.lists if title in missing and title not in present),
            ordered=not moves(now, wanted.lists),
        )

    def _seen(self, group: str, board: Mapping[str, Any]) -> SeenBoard:
        milestone = board.get("milestone")
        return SeenBoard(
            id=int(board["id"]),
            name=line(str(board["name"])),
            url=f"{self._account.url}/groups/{group}/-/boards/{int(board['id'])}",
            milestone=line(str(milestone["title"])) if milestone else None,
            labels=frozenset(line(str(label["name"])) for label in board.get("labels") or ()),
            lists=_movable(board.get("lists") or ()),
            # The API returns a board's filter only if the licence includes it.
            scoped="labels" in board,
        )

    # Labels

    async def ensure_label(self, group: str, title: str, color: str, description: str) -> bool:
        """Create a label in the group; returns whether it was created. An existing one is left unchanged."""

        def work(gitlab: Gitlab) -> bool:
            from gitlab import GitlabError
            from requests import exceptions as requests

            labels = gitlab.groups.get(group, lazy=True).labels
            wish = {"name": title, "color": color, "description": description}
            for again in (True, False):
                try:
                    labels.create(wish, **PATIENCE)
                except GitlabError as problem:
                    if problem.response_code == 409:
                        return not again
                    if not again or (problem.response_code or 500) < 500:
                        raise
                except requests.RequestException:
                    # GitLab keeps titles unique, so a repeated request creates no duplicate.
                    if not again:
                        raise
                else:
                    return True
            return False

        needs = "Group labels need the Planner role in the group."
        return await self._client.ask(Doing(f"create labels in {group}", needs), work)


def _lists(gitlab: Gitlab, group: str, board: int) -> tuple[SeenList, ...]:
    here = gitlab.groups.get(group, lazy=True).boards.get(board, lazy=True)
    # The lists returned with a board may be truncated; the list endpoint returns all.
    return _movable([one.attributes for one in here.lists.list(get_all=True, **PATIENCE)])


def _movable(lists: Sequence[Mapping[str, Any]]) -> tuple[SeenList, ...]:
    placed = [one for one in lists if one.get("position") is not None]
    placed.sort(key=lambda one: int(one["position"]))
    return tuple(
        SeenList(int(one["id"]), line(str(one["label"]["name"])) if one.get("label") else None)
        for one in placed
    )
