"""Rare administration over REST: boards, through python-gitlab in a thread.

Owns what is done a few times a year. python-gitlab is imported on use (it takes 220 ms) and never runs in the
event loop. It must not read or change issues: the gateway does.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from glboard_core.errors import (
    EditForbidden,
    GlboardError,
    Offline,
    QueryRefused,
    RateLimited,
    ServerFailed,
    TimedOut,
    TlsFailed,
)
from glboard_core.gitlab.account import Account
from glboard_core.gitlab.asking import group_missing
from glboard_core.gitlab.encode import number
from glboard_core.gitlab.failures import UNKNOWN_WAIT, token_rejected
from glboard_core.gitlab.text import line
from glboard_core.model.catalog import Catalog

if TYPE_CHECKING:
    from gitlab import Gitlab, GitlabError

#: Seconds for one request.
TIMEOUT = 30.0


class BoardMade(Struct, frozen=True, kw_only=True):
    """A board of the group. ``missing`` are columns it could not get; ``scoped``: its filter is set."""

    id: str
    url: str
    new: bool
    scoped: bool = True
    missing: tuple[str, ...] = ()


class Admin:
    """Sets up a group. Every method may raise AuthError, ConnectionFailed and EditForbidden."""

    def __init__(self, account: Account) -> None:
        self._account = account

    async def ensure_board(
        self,
        catalog: Catalog,
        name: str,
        *,
        lists: Sequence[str] = (),
        labels: Sequence[str] = (),
        milestone: str | None = None,
    ) -> BoardMade:
        """The group's board ``name`` with label columns ``lists``, made where it is not there.

        ``labels`` and ``milestone`` are its filter, which needs Premium. Any board makes ranking possible.
        Raises EditImpossible where the group has no such milestone, GroupNotFound.
        """
        group = catalog.group
        wanted = [(title, label) for title in lists if (label := catalog.label(group, title)) is not None]
        ids = {title: int(number(label.id)) for title, label in wanted}
        scope: dict[str, Any] = {}
        if labels:
            scope["labels"] = ",".join(labels)
        if milestone is not None:
            scope["milestone_id"] = int(catalog.milestone_id(group, milestone))
        made = await asyncio.to_thread(self._guarded, group, name, ids, scope)
        if isinstance(made, GlboardError):
            raise made
        unknown = tuple(title for title in lists if title not in ids)
        return BoardMade(
            id=made.id, url=made.url, new=made.new, scoped=made.scoped, missing=(*unknown, *made.missing)
        )

    def _guarded(
        self, group: str, name: str, lists: dict[str, int], scope: dict[str, Any]
    ) -> BoardMade | GlboardError:
        """As ``_ensure``, with errors as values: an exception would carry the client and its token along."""
        from gitlab import GitlabError
        from requests import exceptions as requests

        try:
            return self._ensure(group, name, lists, scope)
        except GitlabError as problem:
            return self._error(problem, group)
        except requests.SSLError:
            return TlsFailed(f"TLS with {self._account.host} failed.", hint="Look at REQUESTS_CA_BUNDLE.")
        except requests.Timeout:
            return TimedOut(f"{self._account.host} did not answer in time.", hint="Try again later.")
        except requests.RequestException:
            return Offline(f"{self._account.host} cannot be reached.", hint="Is the network up?")

    def _ensure(self, path: str, name: str, lists: dict[str, int], scope: dict[str, Any]) -> BoardMade:
        from gitlab import GitlabError

        group = self._client().groups.get(path, lazy=True)
        board = next((b for b in group.boards.list(iterator=True) if b.name == name), None)
        new = board is None
        if board is None:
            board = group.boards.create({"name": name})
        scoped = True
        if new and scope:
            try:
                group.boards.update(board.id, scope)
            except GitlabError:
                scoped = False
        # The list of columns that came with the board may be short; asked for, it is whole.
        present = {column.label["id"] for column in board.lists.list(get_all=True) if column.label}
        missing: list[str] = []
        for title, label in lists.items():
            if label in present:
                continue
            try:
                board.lists.create({"label_id": label})
            except GitlabError:
                missing.append(title)
        return BoardMade(
            id=f"gid://gitlab/Board/{board.id}",
            url=f"{self._account.url}/groups/{path}/-/boards/{board.id}",
            new=new,
            scoped=scoped,
            missing=tuple(missing),
        )

    def _client(self) -> Gitlab:
        from gitlab import Gitlab
        from requests import Session

        account = self._account
        session = Session()
        session.trust_env = not account.loopback
        return Gitlab(
            account.url,
            ssl_verify=account.verify,
            timeout=TIMEOUT,
            keep_base_url=True,
            session=session,
            private_token=account.token.reveal() if account.kind == "token" else None,
            oauth_token=account.token.reveal() if account.kind == "oauth" else None,
        )

    def _error(self, problem: GitlabError, group: str) -> GlboardError:
        host = self._account.host
        status = problem.response_code
        said = line(str(problem.error_message))[:200]
        match status:
            case 401:
                return token_rejected(host)
            case 403:
                return EditForbidden(
                    f"{host} does not let you set up boards of {group}: {said}.",
                    hint="It needs the Reporter role; more than one board of a group needs Premium.",
                )
            case 404:
                return group_missing(group, host)
            case 429:
                return RateLimited(f"{host} asks us to slow down.", retry_after=UNKNOWN_WAIT)
            case int() if status >= 500:
                return ServerFailed(f"{host} failed (HTTP {status}).", status=status, hint="Try again later.")
        return QueryRefused(f"{host} refused to set up the board: {said}")
