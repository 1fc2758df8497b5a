"""What commands read, which do not run the background: who we are, one board, or issues by reference.

Owns that a name which is not known is asked for once more before it is called unknown.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from typing import Protocol

from msgspec import structs

from glboard_core.board.definition import Board, milestone_title
from glboard_core.config import Settings
from glboard_core.errors import GroupNotFound, NameUnknown
from glboard_core.model.address import server_of
from glboard_core.model.catalog import Catalog
from glboard_core.model.issue import Issue, IssueId, Reference
from glboard_core.ports import Gateway
from glboard_core.sync.board_reader import BoardReader
from glboard_core.sync.initial_load import scope_of_group
from glboard_core.sync.known_names import KnownNames
from glboard_core.sync.local_state import LocalState
from glboard_core.sync.on_demand import IssuesOnDemand
from glboard_core.sync.status import SyncStatus
from glboard_core.sync.timing import DAY, RECENT


class ResolveBoard(Protocol):
    """Resolves a board for today. Raises NameUnknown."""

    def __call__(self, board: str, milestone: str | None = None) -> Board:
        """The board."""


class CommandReader:
    """Reads for commands. ``keep_catalog`` may raise UserChangedError."""

    def __init__(
        self,
        gateway: Gateway,
        local_state: LocalState,
        names: KnownNames,
        boards: BoardReader,
        on_demand: IssuesOnDemand,
        status: SyncStatus,
        *,
        settings: Callable[[], Settings],
        board: ResolveBoard,
        today: Callable[[], date],
        host: Callable[[], str],
        keep_catalog: Callable[[Catalog], None],
    ) -> None:
        self._gateway = gateway
        self._local_state = local_state
        self._store = local_state.store
        self._names = names
        self._boards = boards
        self._on_demand = on_demand
        self._status = status
        self._settings = settings
        self._board = board
        self._today = today
        self._host = host
        self._keep_catalog = keep_catalog

    async def sign_in(self, seconds: float = DAY) -> bool:
        """Use the stored catalog if it was read with this token in the last ``seconds``, else read it.

        Returns whether it was read. Raises what the gateway raises.
        """
        read = await self._names.read_once(timedelta(seconds=seconds))
        self._status.verified = True
        return read

    async def load_board(
        self, board: str, milestone: str | None = None, *, closed: bool = False, fresh: bool = False
    ) -> Mapping[IssueId, Issue]:
        """One board's issues as GitLab has them: for commands that print it. Also raises NameUnknown.

        What the mirror has is used if it was compared with GitLab a short while ago, unless ``fresh``.
        """
        if fresh:
            await self._names.read()
        known_now = fresh or await self.sign_in(RECENT)
        if milestone not in (None, "any", "none"):
            await self._names.know_milestones([milestone or ""])
        try:
            return await self._board_issues(board, milestone, closed=closed, fresh=fresh)
        except (NameUnknown, GroupNotFound):
            if known_now:
                raise
            # Also if the group has another path now: its id tells.
            await self._names.read()
            return await self._board_issues(board, milestone, closed=closed, fresh=fresh)

    async def _board_issues(
        self, board: str, milestone: str | None, *, closed: bool, fresh: bool
    ) -> Mapping[IssueId, Issue]:
        found = self._named_board(board, milestone)
        version = self._settings().planning.version
        scope = scope_of_group(self._settings().labels.group, self._store.catalog(), self._today(), version)
        scope = structs.replace(scope, pinned=self._local_state.pinned.kept())
        issues = await self._boards.read(found, scope, closed=closed, fresh=fresh)
        self._names.learn(lambda _: True)
        return issues

    def _named_board(self, board: str, milestone: str | None) -> Board:
        """The board. An unknown milestone is an error for a command; the screen shows it on the board."""
        catalog = self._store.catalog()
        if milestone not in (None, "any", "none") and catalog is not None:
            milestone_title(milestone or "", self._settings(), catalog, self._today())
        return self._board(board, milestone)

    async def load_issues(self, references: Sequence[str]) -> list[Issue]:
        """Read these issues by reference (see ``model/issue.py``): one request, if their projects are known.

        Raises NameUnknown for the first that does not exist or is hidden, and UserChangedError.
        """
        return await self._on_demand.load(references, self._find, self.hosts)

    @property
    def hosts(self) -> tuple[str, ...]:
        """The server as it is asked, and as GitLab itself calls it in the addresses of pages."""
        host = self._host()
        one = next(iter(self._store.issues().values()), None)
        own = server_of(one.web_url, one.project) if one is not None else ""
        return tuple(dict.fromkeys(name for name in (host, own) if name)) if host else ()

    async def reread(self, issues: Sequence[IssueId]) -> None:
        """Read these issues again: for commands that change them. Raises UserChangedError."""
        known = [
            issue for identity in issues if (issue := self._local_state.shown.get(identity)) and issue.iid
        ]
        found = await self._find([Reference(issue.project, issue.iid) for issue in known])
        now = {issue.id: issue for issue in found.values() if issue.id in issues}
        # By id where a project was renamed, or an issue was moved.
        now |= await self._gateway.read([identity for identity in issues if identity not in now])
        self._local_state.confirm(now.values(), "load")

    async def _find(self, references: Sequence[Reference]) -> Mapping[Reference, Issue]:
        """The issues; the same request tells who we are."""
        found = await self._gateway.find(references)
        if self._gateway.user is not None and (catalog := self._store.catalog()) is not None:
            self._keep_catalog(structs.replace(catalog, me=self._gateway.user))
        return found
