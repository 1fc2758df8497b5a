"""Rare administration over REST: boards, labels and the planning issue of a group, with python-gitlab.

Owns what is done a few times a month, in a thread, with a library that is imported on first use. It never
deletes anything: no board, no list, no filter that someone set. The planning issue is created once, and
updated only if it is unchanged since it was read; all other issues belong to ``gateway``.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec
from msgspec import Struct, structs

from glboard_core.errors import WRONG_VALUES, EditRefused, EditUnknown, GlboardError, misled
from glboard_core.gitlab import answer_errors, http_errors
from glboard_core.gitlab.answers import moment
from glboard_core.gitlab.encode import number
from glboard_core.gitlab.failure import Failure
from glboard_core.gitlab.http import Transport
from glboard_core.gitlab.rest import NoAnswer, open_gitlab
from glboard_core.model.catalog import Catalog
from glboard_core.model.clean_text import line
from glboard_core.model.issue import Issue, IssueId
from glboard_core.planning import planning_issue
from glboard_core.planning.milestone_setup import (
    IssueText,
    SeenBoard,
    SeenIssue,
    SeenList,
    WantedBoard,
    moves,
)

if TYPE_CHECKING:
    from gitlab import Gitlab

T = TypeVar("T")
#: A row of the REST API.
Row = Mapping[str, Any]

#: Seconds between checks for something whose creation was not answered.
LOOKS: Sequence[float] = (0.5, 1.5, 4.0)
#: How many of a project's newest issues are searched for one whose creation was not answered.
NEWEST = 20

#: Variables: input.
CREATE_BOARD = "mutation CreateBoard($input: CreateBoardInput!) { createBoard(input: $input) { errors } }"

_BOARDS_NEED = "This needs the Planner role; more than one group board needs Premium."
_LABELS_NEED = "Group labels need the Planner role in the group."
_ISSUES_NEED = "This needs the Planner role in that project."


class _AnswerLost(Exception):
    """A request to create something was not answered, and the object does not exist (yet)."""


class _Errors(Struct, frozen=True):
    """The payload of a mutation, of which only the errors are needed."""

    errors: list[str] = []


class _CreatedBoard(Struct, frozen=True):
    """The answer to CREATE_BOARD."""

    data: dict[str, _Errors | None] | None = None


class FinishedBoard(Struct, frozen=True, kw_only=True):
    """A board with its lists as they are now. ``missing`` are columns that could not be added.

    ``scoped``: its filter is set; ``ordered``: its lists are in the requested order.
    """

    board: SeenBoard
    scoped: bool
    missing: tuple[str, ...]
    ordered: bool


class Admin:
    """Sets up a group. Every method may raise AuthError, ConnectionFailed and EditRefused."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def _ask(self, work: Callable[[Gitlab], T], doing: str, needs: str = "") -> T:
        """Run ``work`` in a thread. For errors: ``doing`` as in "set up boards of top", and what it needs."""
        loop = asyncio.get_running_loop()
        answer = await asyncio.to_thread(self._guarded, loop, work, doing, needs)
        if isinstance(answer, GlboardError):
            raise answer
        return answer

    def _guarded(
        self, loop: asyncio.AbstractEventLoop, work: Callable[[Gitlab], T], doing: str, needs: str
    ) -> T | GlboardError:
        """Errors as values: a raised one would reference the answer."""
        from gitlab import GitlabError

        host = self._transport.account.host
        try:
            return work(open_gitlab(self._transport, loop))
        except _AnswerLost:
            return EditUnknown(
                f"{host} did not respond to the request to {doing}, and there is no result yet.",
                hint="It may still appear. Retry in a minute; glboard checks before it creates another.",
            )
        except NoAnswer as problem:
            return problem.failure.error
        except GitlabError as problem:
            return http_errors.of_rest(problem, host, doing, needs)
        except RecursionError:
            return answer_errors.too_deep(host)
        except (AttributeError, *WRONG_VALUES) as problem:
            # It claims to be an API response, but has another format.
            return misled(problem)

    # -- boards

    async def boards(self, group: str) -> list[SeenBoard]:
        """All boards of the group. Their lists may be truncated: ``lists`` reads those of one board."""
        return await self._ask(lambda gitlab: self._boards(gitlab, group), f"read the boards of {group}")

    async def lists(self, group: str, board: int) -> tuple[SeenList, ...]:
        """All movable lists of a board, in order."""
        return await self._ask(lambda gitlab: _lists(gitlab, group, board), f"read the boards of {group}")

    async def create_board(self, group: str, name: str) -> SeenBoard:
        """Create a board without lists or a filter, or find the one of that name.

        Raises EditUnknown if the answer was lost and no such board appears.
        """

        loop = asyncio.get_running_loop()

        def work(gitlab: Gitlab) -> SeenBoard:
            from gitlab import GitlabError

            boards = gitlab.groups.get(group, lazy=True).boards

            def find() -> SeenBoard | None:
                return next((one for one in self._boards(gitlab, group) if one.name == name), None)

            def create() -> SeenBoard:
                try:
                    return self._board(group, boards.create({"name": name}).attributes)
                except GitlabError as problem:
                    # The Community Edition makes boards of groups over GraphQL only.
                    made = problem.response_code == 404 and self._created(loop, group, name)
                    if not made or (found := find()) is None:
                        raise
                    return found

            return once(find, create)

        return await self._ask(work, f"set up boards of {group}", _BOARDS_NEED)

    def _created(self, loop: asyncio.AbstractEventLoop, group: str, name: str) -> bool:
        """Whether GitLab has created a board over GraphQL. Runs in a thread; raises NoAnswer."""
        body = {"query": CREATE_BOARD, "variables": {"input": {"groupPath": group, "name": name}}}
        asking = self._transport.write(msgspec.json.encode(body))
        answer = asyncio.run_coroutine_threadsafe(asking, loop).result()
        if isinstance(answer, Failure):
            raise NoAnswer(answer)
        made = (msgspec.json.decode(answer, type=_CreatedBoard).data or {}).get("createBoard")
        return made is not None and not made.errors

    async def finish_board(self, catalog: Catalog, board: SeenBoard, wanted: WantedBoard) -> FinishedBoard:
        """Set the filter if there is none, add missing lists, and order ours.

        Raises EditImpossible if the group has no such milestone.
        """
        group = catalog.group
        labels = {title: catalog.label(group, title) for title in wanted.lists}
        ids = {title: int(number(label.id)) for title, label in labels.items() if label is not None}
        scope: dict[str, Any] = {}
        if board.milestone is None and not board.labels:
            if wanted.labels:
                scope["labels"] = ",".join(sorted(wanted.labels))
            if wanted.milestone:
                scope["milestone_id"] = int(catalog.milestone_id(group, wanted.milestone))

        def work(gitlab: Gitlab) -> FinishedBoard:
            from gitlab import GitlabError

            scoped = True
            boards = gitlab.groups.get(group, lazy=True).boards
            lists = boards.get(board.id, lazy=True).lists
            if scope:
                # Without the licence GitLab reports success and sets nothing.
                after = self._board(group, repeated(lambda: boards.update(board.id, scope)))
                scoped = after.milestone == (wanted.milestone or None) and after.labels == wanted.labels
            present = {one.label for one in _lists(gitlab, group, board.id)}
            for title, label in ids.items():
                if title in present:
                    continue
                try:
                    lists.create({"label_id": label})
                except GitlabError as problem:
                    # A list that is rejected is missing afterwards.
                    if problem.response_code in (None, 401):
                        raise
                except NoAnswer as problem:
                    # It may be there all the same.
                    added = problem.failure.reached and {one.label for one in _lists(gitlab, group, board.id)}
                    if not added or title not in added:
                        raise
            for column, position in moves(_lists(gitlab, group, board.id), wanted.lists):
                repeated(partial(lists.update, column, {"position": position}))
            now = _lists(gitlab, group, board.id)
            present = {one.label for one in now}
            return FinishedBoard(
                board=structs.replace(board, lists=now),
                scoped=scoped,
                missing=tuple(title for title in wanted.lists if title not in present),
                ordered=not moves(now, wanted.lists),
            )

        return await self._ask(work, f"set up boards of {group}", _BOARDS_NEED)

    def _boards(self, gitlab: Gitlab, group: str) -> list[SeenBoard]:
        rows = gitlab.groups.get(group, lazy=True).boards.list(iterator=True, per_page=100)
        return [self._board(group, row.attributes) for row in rows]

    def _board(self, group: str, row: Row) -> SeenBoard:
        milestone, owner = row.get("milestone"), row.get("group") or {}
        # By the server's own address: ours may be that of a tunnel, which no one else can open.
        page = line(str(owner.get("web_url") or f"{self._transport.account.url}/groups/{group}"))
        return SeenBoard(
            id=int(row["id"]),
            name=line(str(row["name"])),
            url=f"{page}/-/boards/{int(row['id'])}",
            milestone=line(str(milestone["title"])) if milestone else None,
            labels=frozenset(line(str(label["name"])) for label in row.get("labels") or ()),
            lists=_movable(row.get("lists") or ()),
            # The API returns a board's filter only if the licence includes it.
            scoped="labels" in row,
        )

    # -- labels

    async def ensure_label(self, group: str, title: str, color: str, description: str) -> None:
        """Create a label in the group. An existing one is left unchanged."""

        def work(gitlab: Gitlab) -> None:
            from gitlab import GitlabError

            wish = {"name": title, "color": color, "description": description}
            # GitLab keeps titles unique, so a repeated request creates no duplicate.
            for last in (False, True):
                try:
                    gitlab.groups.get(group, lazy=True).labels.create(wish)
                except GitlabError as problem:
                    if problem.response_code == 409:
                        return
                    if last or problem.response_code is not None:
                        raise
                except NoAnswer as problem:
                    if last or not problem.failure.reached:
                        raise
                else:
                    return

        await self._ask(work, f"create labels in {group}", _LABELS_NEED)

    # -- the planning issue

    async def planning_issues(
        self, group: str, labels: Sequence[str], milestone: str, project: str
    ) -> list[SeenIssue]:
        """The issues that may be the milestone's planning issue: those with ``labels`` in it or in none, and
        the newest of ``project`` ("" if not known) with our mark, whatever labels they lost."""

        def work(gitlab: Gitlab) -> list[SeenIssue]:
            here = gitlab.groups.get(group, lazy=True)
            found: list[SeenIssue] = []
            for where in (milestone, "None"):
                asked = {"milestone": where, "scope": "all", "state": "all"}
                # An empty list would be no filter at all, so it is not sent as if it were one.
                asked |= {"labels": ",".join(labels)} if labels else {}
                rows = here.issues.list(iterator=True, per_page=100, **asked)
                found += [_issue(row.attributes) for row in rows]
            if project:
                found += _marked(gitlab, project, milestone)
            return list({one.issue.id: one for one in found}.values())

        return await self._ask(work, f"read the issues of {group}")

    async def create_issue(self, catalog: Catalog, wanted: IssueText) -> SeenIssue:
        """Create the issue. Raises EditUnknown if the answer was lost and it does not appear."""
        fields = {
            "title": wanted.title,
            "description": wanted.description,
            "labels": ",".join(wanted.labels),
            "milestone_id": int(catalog.milestone_id(wanted.project, wanted.milestone)),
            **({"confidential": True} if wanted.confidential else {}),
        }

        def work(gitlab: Gitlab) -> SeenIssue:
            issues = gitlab.projects.get(wanted.project, lazy=True).issues
            return once(
                lambda: next(iter(_marked(gitlab, wanted.project, wanted.milestone)), None),
                lambda: _issue(issues.create(fields).attributes),
            )

        return await self._ask(work, f"create an issue in {wanted.project}", _ISSUES_NEED)

    async def update_issue(
        self, catalog: Catalog, wanted: IssueText, again: Callable[[SeenIssue], IssueText | None]
    ) -> tuple[SeenIssue, IssueText | None]:
        """Replace the text that the new one is based on; returns the issue afterwards, and what was written.

        If someone changed the issue since it was read, ``again`` rebuilds the text from its current state
        (GitLab has no compare-and-swap, so a short gap between reading and writing remains). Raises
        EditRefused if it keeps changing.
        """
        if wanted.seen is None:
            raise ValueError("no issue was loaded to update")
        iid = wanted.seen.issue.iid

        def work(gitlab: Gitlab) -> tuple[SeenIssue, IssueText | None] | None:
            issues = gitlab.projects.get(wanted.project, lazy=True).issues
            wish: IssueText | None = wanted
            lost: NoAnswer | None = None
            for _ in range(3):
                now = _issue(issues.get(iid).attributes)
                if wish is None:
                    return now, None
                if lost is not None and planning_issue.same(now.description, wish.description):
                    return now, wish  # only the answer was lost
                if wish.seen is None or not planning_issue.same(now.description, wish.seen.description):
                    wish = again(now)
                    continue
                fields: dict[str, Any] = {"description": wish.description}
                if wish.add_labels:
                    fields["add_labels"] = ",".join(wish.add_labels)
                if wish.set_milestone:
                    fields["milestone_id"] = int(catalog.milestone_id(wish.project, wish.milestone))
                try:
                    return _issue(issues.update(iid, fields)), wish
                except NoAnswer as problem:
                    if not problem.failure.reached:
                        raise
                    lost = problem
            if lost is not None:
                raise lost
            return None

        done = await self._ask(work, f"change {wanted.seen.issue.reference}", _ISSUES_NEED)
        if done is None:
            busy = f"{wanted.seen.issue.reference} keeps being changed by someone else."
            raise EditRefused(busy, hint="Try again.")
        return done


def once(find: Callable[[], T | None], create: Callable[[], T]) -> T:
    """What ``find`` finds, else what ``create`` returns; never a duplicate after a lost answer.

    Runs in a thread. An answer can be lost after the server has acted, so ``find`` is repeated several times.
    Raises _AnswerLost if it still finds nothing, and what ``create`` raises if the server rejected it.
    """
    from gitlab import GitlabError

    if (found := find()) is not None:
        return found
    try:
        return create()
    except GitlabError as problem:
        if problem.response_code is not None and problem.response_code >= 300:
            raise
    except NoAnswer as problem:
        if not problem.failure.reached:
            raise
    for pause in LOOKS:
        time.sleep(pause)
        try:
            if (found := find()) is not None:
                return found
        except (GitlabError, NoAnswer):
            continue
    raise _AnswerLost


def repeated(change: Callable[[], T]) -> T:
    """What ``change`` returns, which does no harm if it is made twice: once more if its answer was lost."""
    try:
        return change()
    except NoAnswer as problem:
        if not problem.failure.reached:
            raise
    return change()


def _lists(gitlab: Gitlab, group: str, board: int) -> tuple[SeenList, ...]:
    here = gitlab.groups.get(group, lazy=True).boards.get(board, lazy=True)
    # The lists returned with a board may be truncated; the list endpoint returns all.
    return _movable([one.attributes for one in here.lists.list(get_all=True, per_page=100)])


def _movable(rows: Sequence[Row]) -> tuple[SeenList, ...]:
    placed = [row for row in rows if row.get("position") is not None]
    placed.sort(key=lambda row: int(row["position"]))
    return tuple(
        SeenList(int(row["id"]), line(str(row["label"]["name"])) if row.get("label") else None)
        for row in placed
    )


def _marked(gitlab: Gitlab, project: str, milestone: str) -> list[SeenIssue]:
    issues = gitlab.projects.get(project, lazy=True).issues
    asked: dict[str, Any] = {"order_by": "created_at", "sort": "desc", "scope": "all", "state": "all"}
    rows = issues.list(page=1, per_page=NEWEST, get_all=False, **asked)
    found = (_issue(row.attributes) for row in rows)
    return [one for one in found if planning_issue.is_owned(one.description, milestone)]


def _issue(row: Row) -> SeenIssue:
    milestone = row.get("milestone")
    labels = (label["name"] if isinstance(label, dict) else label for label in row.get("labels") or ())
    issue = Issue(
        id=IssueId(f"gid://gitlab/Issue/{int(row['id'])}"),
        project=line(str(row["references"]["full"])).rpartition("#")[0],
        iid=int(row["iid"]),
        title=line(str(row["title"])),
        state="opened" if row["state"] == "opened" else "closed",
        labels=frozenset(line(str(label)) for label in labels),
        milestone=line(str(milestone["title"])) if milestone else None,
        confidential=bool(row.get("confidential")),
        created_at=moment(datetime.fromisoformat(row["created_at"])),
        updated_at=moment(datetime.fromisoformat(row["updated_at"])),
        web_url=line(str(row.get("web_url") or "")),
    )
    # Byte for byte: it is written back.
    return SeenIssue(issue, str(row.get("description") or ""))
