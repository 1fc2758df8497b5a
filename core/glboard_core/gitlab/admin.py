"""Rare administration over REST: boards, labels and the planning issue of a group, with python-gitlab.

Owns what is done a few times a month, in a thread, with a client that is imported on first use. It never
deletes anything: no board, no list, no filter that someone set. The planning issue is created once, and
updated only if it is unchanged since it was read; all other issues belong to ``gateway``.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

from msgspec import Struct, structs

from glboard_core.errors import EditRefused, EditUnknown, GlboardError
from glboard_core.gitlab import http_errors
from glboard_core.gitlab.account import Account
from glboard_core.gitlab.decode import line
from glboard_core.gitlab.encode import number
from glboard_core.model.catalog import Catalog
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

#: Seconds for one request.
TIMEOUT = 30.0
#: How often a rate limited request is retried. It waits as long as the server says.
PATIENCE: dict[str, Any] = {"max_retries": 2}
#: Seconds between checks for something whose creation was not answered.
LOOKS: Sequence[float] = (0.5, 1.5, 4.0)
#: How many of a project's newest issues are searched for one whose creation was not answered.
NEWEST = 20

_BOARDS_NEED = "This needs the Planner role; more than one group board needs Premium."
_LABELS_NEED = "Group labels need the Planner role in the group."
_ISSUES_NEED = "This needs the Planner role in that project."


class _AnswerLost(Exception):
    """A request to create something was not answered, and the object does not exist (yet)."""


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

    def __init__(self, account: Account) -> None:
        self._account = account
        self._client: Gitlab | None = None

    def close(self) -> None:
        """Close connections."""
        if self._client is not None:
            self._client.session.close()
            self._client = None

    async def _ask(self, work: Callable[[Gitlab], T], doing: str, needs: str = "") -> T:
        """Run ``work`` in a thread. For errors: ``doing`` as in "set up boards of top", and what it needs."""
        answer = await asyncio.to_thread(self._guarded, work, doing, needs)
        if isinstance(answer, GlboardError):
            raise answer
        return answer

    def _guarded(self, work: Callable[[Gitlab], T], doing: str, needs: str) -> T | GlboardError:
        """Errors as values: a raised one would reference the client and its token."""
        from gitlab import GitlabError

        host = self._account.host
        try:
            return work(self._connected())
        except _AnswerLost:
            return EditUnknown(
                f"{host} did not answer the request to {doing}, and there is no result yet.",
                hint="It may still appear. Retry in a minute: glboard looks for it before creating another.",
            )
        except GitlabError as problem:
            return http_errors.of_rest(problem, host, doing, needs)
        except OSError as problem:  # requests' exceptions are OSErrors
            return http_errors.of_exception(problem, host).error
        except (ValueError, TypeError, KeyError, AttributeError):
            # It claims to be an API response, but has another format.
            return http_errors.not_json(host)

    def _connected(self) -> Gitlab:
        from gitlab import Gitlab
        from requests import Session

        if self._client is None:
            account = self._account
            # requests knows REQUESTS_CA_BUNDLE, but not the variable of all other connections.
            trusted = os.environ.get("SSL_CERT_FILE") or True
            session = Session()
            session.trust_env = not account.loopback
            self._client = Gitlab(
                account.url,
                ssl_verify=trusted if account.verify is True else account.verify,
                timeout=TIMEOUT,
                keep_base_url=True,
                session=session,
                private_token=account.token.reveal() if account.kind == "token" else None,
                oauth_token=account.token.reveal() if account.kind == "oauth" else None,
            )
        return self._client

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

        def work(gitlab: Gitlab) -> SeenBoard:
            boards = gitlab.groups.get(group, lazy=True).boards
            return once(
                lambda: next((one for one in self._boards(gitlab, group) if one.name == name), None),
                lambda: self._board(group, boards.create({"name": name}, **PATIENCE).attributes),
            )

        return await self._ask(work, f"set up boards of {group}", _BOARDS_NEED)

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
                after = self._board(group, boards.update(board.id, scope, **PATIENCE))
                scoped = after.milestone == (wanted.milestone or None) and after.labels == wanted.labels
            present = {one.label for one in _lists(gitlab, group, board.id)}
            for label in (label for title, label in ids.items() if title not in present):
                try:
                    lists.create({"label_id": label}, **PATIENCE)
                except GitlabError as problem:
                    # A list that is rejected is missing afterwards.
                    if problem.response_code in (401, 429) or (problem.response_code or 500) >= 500:
                        raise
            for column, position in moves(_lists(gitlab, group, board.id), wanted.lists):
                lists.update(column, {"position": position}, **PATIENCE)
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
        rows = gitlab.groups.get(group, lazy=True).boards.list(iterator=True, **PATIENCE)
        return [self._board(group, row.attributes) for row in rows]

    def _board(self, group: str, row: Row) -> SeenBoard:
        milestone, owner = row.get("milestone"), row.get("group") or {}
        # By the server's own address: ours may be that of a tunnel, which no one else can open.
        page = line(str(owner.get("web_url") or f"{self._account.url}/groups/{group}"))
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
            from requests import RequestException

            wish = {"name": title, "color": color, "description": description}
            # GitLab keeps titles unique, so a repeated request creates no duplicate.
            for last in (False, True):
                try:
                    gitlab.groups.get(group, lazy=True).labels.create(wish, **PATIENCE)
                except GitlabError as problem:
                    if problem.response_code == 409:
                        return
                    if last or (problem.response_code or 500) < 500:
                        raise
                except RequestException:
                    if last:
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
                rows = here.issues.list(iterator=True, per_page=100, **asked, **PATIENCE)
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
                lambda: _issue(issues.create(fields, **PATIENCE).attributes),
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
            raise ValueError("no issue was read to update")
        iid = wanted.seen.issue.iid

        def work(gitlab: Gitlab) -> tuple[SeenIssue, IssueText | None] | None:
            issues = gitlab.projects.get(wanted.project, lazy=True).issues
            wish: IssueText | None = wanted
            for _ in range(3):
                now = _issue(issues.get(iid, **PATIENCE).attributes)
                if wish is None:
                    return now, None
                if wish.seen is None or not planning_issue.same(now.description, wish.seen.description):
                    wish = again(now)
                    continue
                fields: dict[str, Any] = {"description": wish.description}
                if wish.add_labels:
                    fields["add_labels"] = ",".join(wish.add_labels)
                if wish.set_milestone:
                    fields["milestone_id"] = int(catalog.milestone_id(wish.project, wish.milestone))
                return _issue(issues.update(iid, fields, **PATIENCE)), wish
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
    from requests import ConnectTimeout, RequestException

    if (found := find()) is not None:
        return found
    try:
        return create()
    except GitlabError as problem:
        # A proxy page has no status of GitLab's, and a 5xx can follow the change.
        if problem.response_code is not None and 300 <= problem.response_code < 500:
            raise
    except ConnectTimeout:
        raise
    except RequestException:
        pass
    for pause in LOOKS:
        time.sleep(pause)
        try:
            if (found := find()) is not None:
                return found
        except (GitlabError, RequestException):
            continue
    raise _AnswerLost


def _lists(gitlab: Gitlab, group: str, board: int) -> tuple[SeenList, ...]:
    here = gitlab.groups.get(group, lazy=True).boards.get(board, lazy=True)
    # The lists returned with a board may be truncated; the list endpoint returns all.
    return _movable([one.attributes for one in here.lists.list(get_all=True, **PATIENCE)])


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
    rows = issues.list(page=1, per_page=NEWEST, get_all=False, **asked, **PATIENCE)
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
        created_at=datetime.fromisoformat(row["created_at"]),
        updated_at=datetime.fromisoformat(row["updated_at"]),
        web_url=line(str(row.get("web_url") or "")),
    )
    # Byte for byte: it is written back.
    return SeenIssue(issue, str(row.get("description") or ""))
