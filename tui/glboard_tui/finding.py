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


class IssueTexts:
    """The lines of all issues, in the mirror and pinned there."""

    def __init__(self, engine: Callable[[], Engine | None], share: ShareMode) -> None:
        self._engine = engine
        self._share = share
        self._lines: dict[IssueId, Findable] = {}
        self._started = False
        #: Whether they are all there.
        self.complete = False
        #: Changes whenever they do.
        self.version = 0

    def __iter__(self) -> Iterator[Findable]:
        return iter(self._lines.values())

    async def fill(self) -> None:
        """Make those that are missing."""
        engine = self._engine()
        if self.complete or engine is None:
            return
        self._started = True
        version = self.version
        for one in engine.local_state.pinned.ids():
            if (pinned := engine.shown.get(one)) is not None:
                self._add(pinned)
        for number, issue in enumerate(engine.shown.matching(None), 1):
            # One that has changed meanwhile is newer than what is read here.
            if issue.id not in self._lines:
                self._add(issue)
            if number % _SLICE == 0:
                await asyncio.sleep(0)
                if version != self.version:
                    return  # they are made of other words now
        self.complete = True

    def heard(self, changes: Iterable[tuple[Issue | None, Issue | None]]) -> None:
        """These issues changed."""
        if not self._started:
            return
        for before, after in changes:
            if after is not None:
                self._add(after)
            elif before is not None:
                self._lines.pop(before.id, None)

    def forget(self, *, all_of_them: bool = False) -> None:
        """Nothing is searched for any longer; or what everybody may see has changed."""
        if all_of_them or len(self._lines) > _KEPT:
            self._lines = {}
            self._started = self.complete = False
            self.version += 1

    def _add(self, issue: Issue) -> None:
        share = self._share
        reference = share.reference(issue)
        at = issue.updated_at.timestamp() - (0.0 if issue.is_open else _CLOSED)
        if share.hides(issue):
            self._lines.pop(issue.id, None)
            if not share.settings.hide_references:
                # Its number is on the board; nothing else of it is found.
                self._lines[issue.id] = findable("issue", issue.id, reference, latest=at)
            return
        shown = share.view(issue)
        self._lines[issue.id] = findable(
            "issue",
            issue.id,
            f"{reference} {shown.title}",
            also=f"{share.text(issue.project)} {' '.join(sorted(shown.labels))}",
            latest=at,
        )


class Finding:
    """One per bridge: the texts of issues, and issues that are read on demand."""

    def __init__(self, engine: Callable[[], Engine | None], share: ShareMode) -> None:
        self._engine = engine
        self._share = share
        self.issues = IssueTexts(engine, share)

    def address(self, text: str) -> IssueAddress | None:
        """The issue that a text names, by its reference or its URL."""
        return issue_address(text)

    def elsewhere(self, address: IssueAddress) -> str:
        """Why the address cannot be opened here, in a sentence; "" if it is on this server."""
        engine = self._engine()
        if engine is None or not engine.host or on_server(address, engine.host) is not None:
            return ""
        ours = engine.host.partition("/")[0]
        return f"{address.host} is another GitLab: this board is connected to {ours}."

    def name_of(self, address: IssueAddress) -> str:
        """How the address is called: ``app#12``."""
        return self._share.text(short_reference(str(address)))

    async def read(self, address: IssueAddress) -> list[Issue]:
        """The issues that it can mean, from GitLab, taken into the mirror.

        Raises IssueNotFound, NotConnected, NameUnknown, and what the gateway raises.
        """
        engine = self._engine()
        if engine is None:
            raise NotConnected
        if why := self.elsewhere(address):
            raise IssueNotFound(why, hint="Open it in the browser, or start glboard with --url.")
        here = on_server(address, engine.host) if engine.host else address
        found = await engine.on_demand.read(here or address)
        if not (seen := [issue for issue in found if not self._is_secret(issue)]):
            # The same words as for one that does not exist.
            raise engine.on_demand.not_found(here or address)
        return seen

    def keep_open(self, issues: Sequence[IssueId]) -> None:
        """These are open on screen: they stay in the mirror."""
        if (engine := self._engine()) is not None:
            engine.local_state.pinned.open = frozenset(issues)

    def _is_secret(self, issue: Issue) -> bool:
        return self._share.settings.hide_references and self._share.hides(issue)
