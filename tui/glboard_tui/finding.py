"""What can be found by typing: actions, boards, milestones, people, saved filters, and every issue here.

Owns the texts that issues are found by: made once, a slice at a time so that no key waits, and kept up to
date by the engine's events. In share mode they are made of what everybody may see, so that no search finds,
and no count tells, what is hidden. It also reads issues that are not on this machine, by what a person typed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Sequence

from glboard_core.board.find import Findable, findable
from glboard_core.errors import IssueNotFound, NotConnected
from glboard_core.model.address import IssueAddress, issue_address, on_server
from glboard_core.model.issue import Issue, IssueId, short_reference
from glboard_core.sync.engine import Engine
from glboard_tui.share import ShareMode

#: Issues whose texts are made between two looks at the keyboard.
_SLICE = 250
#: With more than this they are not kept once nothing is searched for.
_KEPT = 20_000
#: Closed issues come after all open ones that fit as well.
_CLOSED = 1e10


class FindableIssues:
    """All issues on this machine as lines to find, and the way to those that are not. One per bridge.

    ``every`` gives the issues, ``issue_of`` one of them by its id.
    """

    def __init__(
        self,
        engine: Callable[[], Engine | None],
        share: ShareMode,
        every: Callable[[], Iterable[Issue]],
        issue_of: Callable[[IssueId], Issue | None],
    ) -> None:
        self._engine = engine
        self._share = share
        self._every = every
        self._issue_of = issue_of
        self._lines: dict[IssueId, Findable] = {}
        self._started = False
        #: Whether they are all there.
        self.complete = False
        #: Changes when what everybody may see does.
        self.version = 0

    def __iter__(self) -> Iterator[Findable]:
        return iter(self._lines.values())

    async def fill(self) -> None:
        """Make those lines that are missing."""
        if self.complete:
            return
        self._started = True
        version = self.version
        for number, issue in enumerate(self._every(), 1):
            # One that has changed meanwhile is newer than what is read here.
            if issue.id not in self._lines:
                self._add(issue)
            if number % _SLICE == 0:
                await asyncio.sleep(0)
                if version != self.version:
                    return  # they are made of other words now
        self.complete = self._engine() is not None

    def heard(self, changes: Iterable[tuple[Issue | None, Issue | None]]) -> None:
        """These issues changed."""
        if not self._started:
            return
        for before, after in changes:
            if after is not None:
                self._add(after)
            elif before is not None:
                self._lines.pop(before.id, None)

    def forget(self, *, every_one: bool = False) -> None:
        """No search is open now; or what everybody may see has changed."""
        if every_one or len(self._lines) > _KEPT:
            self._lines = {}
            self._started = self.complete = False
            self.version += 1

    def line_of(self, identity: IssueId) -> Findable | None:
        """The line of an issue as everybody may see it; None if even its number is hidden."""
        issue = self._issue_of(identity)
        return None if issue is None else self._line(issue)

    def _add(self, issue: Issue) -> None:
        if (line := self._line(issue)) is not None:
            self._lines[issue.id] = line
        else:
            self._lines.pop(issue.id, None)

    def _line(self, issue: Issue) -> Findable | None:
        share = self._share
        reference = share.reference(issue)
        at = issue.updated_at.timestamp() - (0.0 if issue.is_open else _CLOSED)
        if share.hides(issue):
            # Its number is on the board; it is found by nothing else.
            hidden = share.settings.hide_references
            return None if hidden else findable("issue", issue.id, reference, latest=at)
        shown = share.view(issue)
        return findable(
            "issue",
            issue.id,
            f"{share.text(reference)} {shown.title}",
            also=f"{share.text(issue.project)} {' '.join(sorted(shown.labels))}",
            latest=at,
        )

    # By name, also if they are not here

    def address(self, text: str) -> IssueAddress | None:
        """The issue that a text names, by its reference or its URL."""
        return issue_address(text)

    def is_named(self, line: Findable, address: IssueAddress) -> bool:
        """Whether the line is of an issue that the address can mean."""
        issue = self._issue_of(IssueId(line.key)) if line.kind == "issue" else None
        if issue is None or issue.iid != address.iid:
            return False
        here, typed = f"/{issue.project}".lower(), address.project.lower()
        # A URL can have a relative root in front of the project.
        return not typed or here.endswith(f"/{typed}") or (bool(address.host) and f"/{typed}".endswith(here))

    def elsewhere(self, address: IssueAddress) -> str:
        """Why the address cannot be opened here, in a sentence; "" if it is on this server."""
        engine = self._engine()
        if engine is None or not engine.host or on_server(address, *engine.reader.hosts) is not None:
            return ""
        ours = engine.host.partition("/")[0]
        return f"{address.host} is another GitLab: this board is connected to {ours}."

    def name_of(self, address: IssueAddress) -> str:
        """How the address is called: ``app#12``."""
        return self._share.text(short_reference(str(address)))

    async def read(self, address: IssueAddress) -> list[Findable]:
        """The issues that it can mean, from GitLab, taken into the mirror.

        Raises IssueNotFound, NotConnected, NameUnknown, and what the gateway raises.
        """
        engine = self._engine()
        if engine is None:
            raise NotConnected
        if why := self.elsewhere(address):
            raise IssueNotFound(why, hint="Open it in the browser, or start glboard with --url.")
        here = on_server(address, *engine.reader.hosts) if engine.host else address
        found = await engine.on_demand.read(here or address)
        if not (lines := [line for issue in found if (line := self._line(issue)) is not None]):
            # The same words as for one that does not exist.
            raise engine.on_demand.not_found(here or address)
        return lines

    def keep_open(self, issues: Sequence[IssueId]) -> None:
        """These are open on screen: they stay in the mirror."""
        if (engine := self._engine()) is not None:
            engine.local_state.pinned.open = frozenset(issues)
