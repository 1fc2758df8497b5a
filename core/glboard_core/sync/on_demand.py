"""Issues that a person named: read at once, whether they are in the mirror or not.

Owns what a name leads to, and the words for one that leads nowhere. What is out of the mirror's scope is
pinned there, ready for every edit.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence

from glboard_core.errors import NOT_LOADED, IssueNotFound, NameUnknown, UsageError
from glboard_core.model.address import IssueAddress, could_mean, issue_address, on_server
from glboard_core.model.catalog import Catalog
from glboard_core.model.issue import Issue, IssueId, Reference, parse_reference
from glboard_core.model.query import IssueQuery
from glboard_core.ports import Gateway
from glboard_core.sync.known_names import KnownNames
from glboard_core.sync.local_state import LocalState

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
        asked = asyncio.get_running_loop().time()
        issues = await (self._in_project(address) if address.project else self._in_group(address))
        if not issues:
            raise self.not_found(address)
        # Nothing is adopted before the server has confirmed who we are.
        await self._names.checked()
        ids = {issue.id for issue in issues}
        self._names.learn(ids.__contains__)
        self.take(issues, asked=asked)
        return issues

    async def _in_group(self, address: IssueAddress) -> list[Issue]:
        """The issues of this number in all projects of the group."""
        self._catalog(str(address))
        found, _ = await self._gateway.page(IssueQuery(iids=(str(address.iid),), order="created"), None)
        return found

    async def _in_project(self, address: IssueAddress) -> list[Issue]:
        wanted = self._could_mean(address)
        if not wanted:
            await self._names.know_projects([str(address)])
            wanted = self._could_mean(address)
        if not wanted:
            raise IssueNotFound(f"Project “{address.project}” not found.", hint=_NO_PROJECT)
        found = dict(await self._gateway.find(wanted))
        if not found:
            found |= await self._names.find_renamed(wanted)
        return list({issue.id: issue for issue in found.values()}.values())

    async def load(self, references: Sequence[str], find: Find, host: str = "") -> list[Issue]:
        """See ``Engine.load_issues``; ``find`` reads them, and learns who we are from the same answer.

        ``host`` is the server's, with port and relative root.
        """
        for text in references:
            address = issue_address(text)
            if address is not None and host and on_server(address, host) is None:
                raise UsageError(
                    f"{text} is on another GitLab.", hint=f"This session uses {host}; see --url."
                )
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
        return could_mean(address, self._catalog(str(address)), sorted(self._local_state.store.projects()))

    def _catalog(self, name: str) -> Catalog:
        if (catalog := self._local_state.store.catalog()) is None:
            raise NameUnknown("issue", name, hint=f"{NOT_LOADED} Try again in a moment.")
        return catalog

    def not_found(self, address: IssueAddress) -> IssueNotFound:
        """The error for an address that leads to nothing, or to what no one may know of."""
        if not address.project:
            group = self._catalog(str(address)).group
            return IssueNotFound(
                f"No issue with this number in the projects of {group} that you can access.", hint=_HIDDEN
            )
        wanted = self._could_mean(address)
        where = wanted[0].project
        here = {one.lower() for one in self._local_state.store.projects()}
        if any(one.project.lower() in here for one in wanted):
            return IssueNotFound(
                f"{where} has no issue with this number, or you have no access.", hint=_HIDDEN
            )
        return IssueNotFound(f"Issue {where}#{address.iid} not found.", hint=_NOWHERE)


_HIDDEN = "Check the number. The issue may be deleted, moved, or confidential."
_NO_PROJECT = "Enter the full path or paste the URL. A private project is hidden if you have no access."
_NOWHERE = "Check the project and number. The project may be private, or the issue confidential."
