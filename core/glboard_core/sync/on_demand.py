"""Issues that a person named: read at once, whether they are in the mirror or not.

Owns what a name leads to, and the words for one that leads nowhere. What is out of the mirror's scope is
pinned there, ready for every edit.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence

from glboard_core.errors import LOAD_FIRST, IssueNotFound, NameUnknown, UsageError
from glboard_core.model.address import IssueAddress, could_mean, issue_address, on_server
from glboard_core.model.catalog import Catalog
from glboard_core.model.issue import Issue, IssueId, Reference, parse_reference
from glboard_core.ports import Gateway
from glboard_core.sync.local_state import LocalState
from glboard_core.sync.names import KnownNames

#: A bare number is looked for in so many projects at most: all in one request.
MOST_PROJECTS = 20

Find = Callable[[Sequence[Reference]], Awaitable[Mapping[Reference, Issue]]]


class IssuesOnDemand:
    """Reads issues by their names, and takes them into the mirror."""

    def __init__(self, gateway: Gateway, local_state: LocalState, names: KnownNames) -> None:
        self._gateway = gateway
        self._local_state = local_state
        self._names = names

    async def read(self, address: IssueAddress) -> list[Issue]:
        """The issues that an address on this server can mean: one request, if its project is known.

        Raises IssueNotFound, NameUnknown before anything was loaded, and what the gateway raises.
        """
        wanted = self._could_mean(address)
        if not wanted:
            await self._names.know_projects([str(address)])
            wanted = self._could_mean(address)
        if not wanted:
            raise IssueNotFound(f"There is no project “{address.project}” here.", hint=_NO_PROJECT)
        asked = asyncio.get_running_loop().time()
        found = dict(await self._gateway.find(wanted[:MOST_PROJECTS]))
        if not found:
            found |= await self._names.find_renamed(wanted)
        if not found:
            raise self.not_found(address)
        # Nothing is adopted before the server has confirmed who we are.
        await self._names.checked()
        issues = list({issue.id: issue for issue in found.values()}.values())
        ids = {issue.id for issue in issues}
        self._names.learn(ids.__contains__)
        self.take(issues, asked=asked)
        return issues

    async def load(self, references: Sequence[str], find: Find, host: str = "") -> list[Issue]:
        """See ``Engine.load_issues``; ``find`` reads them, and learns who we are from the same answer.

        ``host`` is the server's, with port and relative root.
        """
        for text in references:
            address = issue_address(text)
            if address is not None and host and on_server(address, host) is None:
                raise UsageError(f"{text} is on another GitLab.", hint=f"This one is {host}; see --url.")
        await self._names.know_projects(references)
        catalog = self._catalog(references[0])
        wanted = [parse_reference(text, catalog) for text in references]
        found = dict(await find(wanted))
        found |= await self._names.find_renamed([one for one in wanted if one not in found])
        for reference in wanted:
            if reference not in found:
                raise NameUnknown(
                    "issue",
                    str(reference),
                    hint="Check its number: it does not exist, or you have no access.",
                )
        issues = list({found[reference].id: found[reference] for reference in wanted}.values())
        self.take(issues)
        return issues

    def take(self, issues: Iterable[Issue], *, asked: float | None = None) -> None:
        """Take into the mirror what was just read, pinned where it is out of scope."""
        state, rows = self._local_state, list(issues)
        gone = state.pinned.pin(rows, self._needed())
        state.confirm(rows, "load", asked=asked)
        state.forget(gone)

    def _needed(self) -> frozenset[IssueId]:
        """The issues with something that is not done yet, or can be undone in this session."""
        state = self._local_state
        last, following = state.undo_stack.last, state.undo_stack.next
        undoable = (op.issue for group in (last, following) if group is not None for op in group.ops)
        failed = (op.issue for op, _ in state.failed)
        return frozenset([*state.outbox.issues(), *state.drafts.issues(), *failed, *undoable])

    def _could_mean(self, address: IssueAddress) -> list[Reference]:
        return could_mean(address, self._catalog(str(address)), self._local_state.store.projects())

    def _catalog(self, name: str) -> Catalog:
        if (catalog := self._local_state.store.catalog()) is None:
            raise NameUnknown("issue", name, hint=LOAD_FIRST)
        return catalog

    def not_found(self, address: IssueAddress) -> IssueNotFound:
        """The error for an address that leads to nothing, or to what no one may know of."""
        wanted = self._could_mean(address)
        if not address.project:
            many = f"{len(wanted)} projects" if len(wanted) > 1 else wanted[0].project
            more = " It was looked for in the first 20 only." if len(wanted) > MOST_PROJECTS else ""
            return IssueNotFound(f"There is no issue of this number in {many}.", hint=f"{_HIDDEN}{more}")
        where = wanted[0].project
        here = {one.lower() for one in self._local_state.store.projects()}
        if any(one.project.lower() in here for one in wanted):
            return IssueNotFound(f"{where} has no issue of this number for you.", hint=_HIDDEN)
        return IssueNotFound(f"Issue {where}#{address.iid} not found.", hint=_NOWHERE)


_HIDDEN = "Check the number: it was deleted or moved, or is confidential and you have no access."
_NO_PROJECT = "Type its whole path or paste the URL; a private project is hidden without access."
_NOWHERE = "Check the path: it does not exist, or is private or confidential and you have no access."
