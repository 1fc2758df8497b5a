"""Since when issues have their labels: read when an issue is opened, seen while the board is, and kept.

GitLab tells the events of an issue's labels over REST only, a request for each issue. So no card costs one:
what a pane has read, or what was seen to change here, is kept with the mirror, and that is what cards show.
Owns what is kept, and when it is read again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from datetime import date

import msgspec
from msgspec import structs

from glboard_core.model.event import SETTLED
from glboard_core.model.issue import Issue, IssueId
from glboard_core.planning.label_history import LabelHistory, with_seen
from glboard_core.ports import Gateway, Store
from glboard_core.sync.events import ReadsChanged

#: Change the prefix with the format, so that old entries are never read.
_KEY = "labels-1:"
#: Issues kept in memory; the store has more.
_MOST = 5_000

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(LabelHistory).decode


class LabelEvents:
    """What is known of when issues got their labels."""

    def __init__(
        self,
        gateway: Gateway,
        store: Store,
        *,
        emit: Callable[[ReadsChanged], None],
        today: Callable[[], date],
    ) -> None:
        self._gateway = gateway
        self._store = store
        self._emit = emit
        self._today = today
        self._known: dict[IssueId, LabelHistory] = {}
        #: What was looked up in the store already.
        self._recalled: set[IssueId] = set()

    def of(self, issue: IssueId) -> LabelHistory | None:
        """What is known of an issue, if it was in view or read before."""
        return self._known.get(issue)

    def look(self, cards: Sequence[IssueId]) -> None:
        """These cards are in view: look up what is kept of them."""
        wanted = [card for card in cards if card not in self._recalled and not card.startswith("new:")]
        if found := self._recall(wanted):
            self._emit(ReadsChanged(tuple(found)))

    def saw(self, changes: Iterable[tuple[Issue, Iterable[str]]]) -> None:
        """These issues were seen to get these labels just now."""
        now, fresh = self._gateway.now(), list[LabelHistory]()
        for issue, labels in changes:
            if issue.id not in self._recalled:
                self._recall([issue.id])
            known = self._known.get(issue.id) or LabelHistory(issue=issue.id)
            fresh.append(with_seen(known, labels, now))
        self._keep(fresh)

    async def read(self, issue: Issue) -> LabelHistory | None:
        """The label events of an issue: one request, unless they were read since it was last changed.

        None if GitLab does not tell them. Raises what the gateway raises.
        """
        if issue.id not in self._recalled:
            self._recall([issue.id])
        known = self._known.get(issue.id) or LabelHistory(issue=issue.id)
        if _holds(known, issue):
            return known
        events = (await self._gateway.events([issue], ("label",))).get(issue.id)
        if events is None:
            return None
        read = structs.replace(
            known, read_at=self._gateway.now(), updated_at=issue.updated_at, events=tuple(events), seen={}
        )
        self._keep([read])
        self._emit(ReadsChanged((issue.id,)))
        return read

    def _recall(self, issues: Sequence[IssueId]) -> list[IssueId]:
        if len(self._recalled) > _MOST:
            self._recalled.clear()
            self._known.clear()
        self._recalled |= set(issues)
        found: list[IssueId] = []
        for body in self._store.recall([_KEY + issue for issue in issues], self._today()).values():
            with suppress(msgspec.DecodeError):
                known = _decode(body)
                self._known[known.issue] = known
                found.append(known.issue)
        return found

    def _keep(self, histories: Sequence[LabelHistory]) -> None:
        if not histories:
            return
        self._known |= {one.issue: one for one in histories}
        self._recalled |= {one.issue for one in histories}
        self._store.remember({_KEY + one.issue: _encode(one) for one in histories}, self._today())


def _holds(known: LabelHistory, issue: Issue) -> bool:
    """Whether no event can be missing: a label may change for a while without moving ``updated_at``."""
    if known.read_at is None or known.updated_at != issue.updated_at:
        return False
    return known.read_at - known.updated_at >= SETTLED
