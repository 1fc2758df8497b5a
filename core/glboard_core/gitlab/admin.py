"""Rare administration over REST: a group's boards and labels, with python-gitlab in a thread.

Owns what is done a few times a month. It never deletes anything: no board, no list, no filter that someone
set. It must not read or change issues: ``gateway`` does that, and ``rest_issues`` for the planning issue.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

from msgspec import Struct

from glboard_core.errors import (
    AuthError,
    EditForbidden,
    EditInvalid,
    EditRefused,
    EditUnknown,
    GlboardError,
    NotGitLab,
    Offline,
    RateLimited,
    ServerFailed,
    TimedOut,
    TlsFailed,
)
from glboard_core.gitlab import decode
from glboard_core.gitlab.account import Account
from glboard_core.gitlab.decode import line
from glboard_core.gitlab.encode import number
from glboard_core.gitlab.http_errors import UNKNOWN_WAIT, token_rejected, words
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
    from gitlab import Gitlab, GitlabError


# Runs python-gitlab: in a thread, imported on first use, its errors translated into ours.

T = TypeVar("T")

#: Seconds for one request.
TIMEOUT = 30.0
#: How often a rate limited request is retried. It waits as long as the server says.
PATIENCE: dict[str, Any] = {"max_retries": 2}
#: Seconds between checks for something whose creation was not answered.
LOOKS: Sequence[float] = (0.5, 1.5, 4.0)


class Doing(Struct, frozen=True):
    """What is being done, for error messages: ``set up boards of demo-org``, and what it needs."""

    what: str
    needs: str = ""


class LostError(Exception):
    """A request to create something was not answered, and the object does not exist (yet)."""


class RestClient:
    """Sends requests for one account. Each may raise AuthError, ConnectionFailed and EditRefused."""

    def __init__(self, account: Account) -> None:
        self.account = account
        self._client: Gitlab | None = None

    async def ask(self, doing: Doing, work: Callable[[Gitlab], T]) -> T:
        """Run ``work`` in a thread. Raises as the class says."""
        answer = await asyncio.to_thread(self._guarded, doing, work)
        if isinstance(answer, GlboardError):
            raise answer
        return answer

    def _guarded(self, doing: Doing, work: Callable[[Gitlab], T]) -> T | GlboardError:
        """Errors as values: a raised one would reference the client and its token."""
        from gitlab import GitlabError
        from requests import exceptions as requests

        host = self.account.host
        try:
            return work(self._connected())
        except LostError:
            return EditUnknown(
                f"{host} did not answer the request to {doing.what}, and there is no result yet.",
                hint="It may still appear. Retry in a minute: glboard looks for it before creating another.",
            )
        except GitlabError as problem:
            return self._error(problem, doing)
        except requests.SSLError:
            return TlsFailed(f"TLS with {host} failed.", hint="Check REQUESTS_CA_BUNDLE.")
        except requests.Timeout:
            return TimedOut(f"{host} did not answer in time.", hint="Try again later.")
        except (requests.RequestException, OSError):
            return Offline(f"Cannot reach {host}.", hint="Check your network connection.")
        except (ValueError, TypeError, KeyError, AttributeError):
            # It claims to be an API response, but has another format.
            return NotGitLab(
                f"The response from {host} is not from GitLab.", hint="Is there a proxy in between?"
            )

    def _connected(self) -> Gitlab:
        from gitlab import Gitlab
        from requests import Session

        if self._client is None:
            account = self.account
            session = Session()
            session.trust_env = not account.loopback
            self._client = Gitlab(
                account.url,
                ssl_verify=account.verify,
                timeout=TIMEOUT,
                keep_base_url=True,
                session=session,
                private_token=account.token.reveal() if account.kind == "token" else None,
                oauth_token=account.token.reveal() if account.kind == "oauth" else None,
            )
        return self._client

    def close(self) -> None:
        """Close connections."""
        if self._client is not None:
            self._client.session.close()
            self._client = None

    def _error(self, problem: GitlabError, doing: Doing) -> GlboardError:
        host = self.account.host
        said = _said(problem)
        match problem.response_code:
            case None | 200 | 201:
                return NotGitLab(
                    f"The response from {host} is not from GitLab.", hint="Is there a proxy in between?"
                )
            case 401:
                return token_rejected(host)
            case 403 if "insufficient_scope" in str(problem.response_body):
                return AuthError(
                    f"The token is not allowed to {doing.what}: it lacks the scope “api”.",
                    hint="Create a token with the scope “api”.",
                )
            case 403:
                return EditForbidden(
                    f"You are not allowed to {doing.what} on {host}: {said}.", hint=doing.needs
                )
            case 404:
                return EditForbidden(
                    f"{host} cannot {doing.what}: not found, or you have no access.", hint=doing.needs
                )
            case 429:
                return RateLimited(
                    f"Rate limited by {host} (HTTP 429).",
                    retry_after=UNKNOWN_WAIT,
                    hint="Try again in a minute.",
                )
            case int() as status if status >= 500:
                return ServerFailed(f"{host} failed (HTTP {status}).", status=status, hint="Try again later.")
        return EditInvalid(f"{host} refused to {doing.what}: {said}.")


def _said(problem: GitlabError) -> str:
    message: object = problem.error_message
    if isinstance(message, bytes):
        message = message.decode("utf-8", "replace")
    if isinstance(message, dict):
        message = "; ".join(f"{key} {', '.join(map(str, what))}" for key, what in message.items())
    return line(str(message))[:200].strip(" .") or words({})


def once(find: Callable[[], T | None], make: Callable[[], T], looks: Sequence[float] | None = None) -> T:
    """What ``find`` finds, else what ``make`` creates; never a duplicate after a lost answer.

    Runs in a thread. An answer can be lost after the server has acted, so ``find`` is repeated several times.
    Raises LostError if it still finds nothing, and what ``make`` raises if the server rejected it.
    """
    from gitlab import GitlabError
    from requests import exceptions as requests

    if (found := find()) is not None:
        return found
    try:
        return make()
    except GitlabError as problem:
        # A proxy page has no status of GitLab's, and a 5xx can follow the change.
        if problem.response_code is not None and 300 <= problem.response_code < 500:
            raise
    except requests.ConnectTimeout:
        raise
    except requests.RequestException:
        pass
    for pause in LOOKS if looks is None else looks:
        time.sleep(pause)
        try:
            if (found := find()) is not None:
                return found
        except (GitlabError, requests.RequestException):
            continue
    raise LostError


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


# The planning issue over REST: found with its text, created once, updated only if unchanged since read.

#: How many of a project's newest issues are searched for one whose creation was not answered.
_NEWEST = 20
_ISSUES_NEED = "This needs the Planner role in that project."


class PlanningIssues:
    """Every method may raise AuthError, ConnectionFailed and EditRefused."""

    def __init__(self, client: RestClient) -> None:
        self._client = client

    async def look(self, group: str, labels: Sequence[str], milestone: str, project: str) -> list[SeenIssue]:
        """The issues that may be the milestone's planning issue, with descriptions, each once.

        These are issues with ``labels`` in the milestone or in none, and the newest of ``project`` ("" if not
        known) with our mark, whatever labels they lost. Raises as the class says.
        """

        def work(gitlab: Gitlab) -> list[SeenIssue]:
            here = gitlab.groups.get(group, lazy=True)
            found: list[SeenIssue] = []
            for where in (milestone, "None"):
                asked = {"labels": ",".join(labels), "milestone": where, "scope": "all", "state": "all"}
                rows = here.issues.list(iterator=True, per_page=100, **asked, **PATIENCE)
                found += [_seen(row.attributes) for row in rows]
            if project:
                found += _marked(gitlab, project, milestone)
            return list({one.issue.id: one for one in found}.values())

        return await self._client.ask(Doing(f"read the issues of {group}"), work)

    async def make(self, catalog: Catalog, wanted: IssueText) -> SeenIssue:
        """Create the issue. Raises EditUnknown if the answer was lost and it does not appear."""
        milestone = int(catalog.milestone_id(wanted.project, wanted.milestone))
        fields: dict[str, Any] = {
            "title": wanted.title,
            "description": wanted.description,
            "labels": ",".join(wanted.labels),
            "milestone_id": milestone,
        }
        if wanted.confidential:
            fields["confidential"] = True

        def work(gitlab: Gitlab) -> SeenIssue:
            issues = gitlab.projects.get(wanted.project, lazy=True).issues
            return once(
                lambda: next(iter(_marked(gitlab, wanted.project, wanted.milestone)), None),
                lambda: _seen(issues.create(fields, **PATIENCE).attributes),
            )

        return await self._client.ask(Doing(f"create an issue in {wanted.project}", _ISSUES_NEED), work)

    async def rewrite(
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
                now = _seen(issues.get(iid, **PATIENCE).attributes)
                if wish is None:
                    return now, None
                if wish.seen is None or not planning_issue.same(now.description, wish.seen.description):
                    wish = again(now)
                    continue
                answer = issues.update(iid, _fields(wish, catalog), **PATIENCE)
                return _seen(answer), wish
            return None

        done = await self._client.ask(Doing(f"change {wanted.seen.issue.reference}", _ISSUES_NEED), work)
        if done is None:
            raise EditRefused(
                f"{wanted.seen.issue.reference} keeps being changed by someone else.", hint="Try again."
            )
        return done


def _fields(wanted: IssueText, catalog: Catalog) -> dict[str, Any]:
    fields: dict[str, Any] = {"description": wanted.description}
    if wanted.add_labels:
        fields["add_labels"] = ",".join(wanted.add_labels)
    if wanted.set_milestone:
        fields["milestone_id"] = int(catalog.milestone_id(wanted.project, wanted.milestone))
    return fields


def _marked(gitlab: Gitlab, project: str, milestone: str) -> list[SeenIssue]:
    issues = gitlab.projects.get(project, lazy=True).issues
    asked: dict[str, Any] = {"order_by": "created_at", "sort": "desc", "scope": "all", "state": "all"}
    rows = issues.list(page=1, per_page=_NEWEST, get_all=False, **asked, **PATIENCE)
    found = (_seen(row.attributes) for row in rows)
    return [one for one in found if planning_issue.is_owned(one.description, milestone)]


def _seen(row: Mapping[str, Any]) -> SeenIssue:
    milestone = row.get("milestone")
    issue = Issue(
        id=IssueId(f"gid://gitlab/Issue/{int(row['id'])}"),
        project=decode.line(str(row["references"]["full"])).rpartition("#")[0],
        iid=int(row["iid"]),
        title=decode.line(str(row["title"])),
        state="opened" if row["state"] == "opened" else "closed",
        labels=frozenset(_names(row.get("labels") or ())),
        milestone=decode.line(str(milestone["title"])) if milestone else None,
        confidential=bool(row.get("confidential")),
        created_at=_time(row["created_at"]),
        updated_at=_time(row["updated_at"]),
        web_url=decode.line(str(row.get("web_url") or "")),
    )
    # Byte for byte: it is written back.
    return SeenIssue(issue, str(row.get("description") or ""))


def _names(labels: Iterable[Any]) -> Iterable[str]:
    for label in labels:
        yield decode.line(str(label["name"] if isinstance(label, dict) else label))


def _time(moment: str) -> datetime:
    return datetime.fromisoformat(moment)
