"""Resource events: the history of an issue, read over REST, since GraphQL does not offer it.

Owns the paths, the paging and the JSON format of label, milestone, state and weight events. Each kind of
event of each issue is a separate request, so a few run concurrently, and known histories are not read again.
It must not know what the events mean; ``planning/timeline.py`` replays them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar
from urllib.parse import quote

from msgspec import Struct

from glboard_core.errors import (
    AuthError,
    GlboardError,
    NotGitLab,
    NotUnderstood,
    ScopeMissing,
    TokenMissing,
    TokenRejected,
)
from glboard_core.gitlab.answer_errors import CHECK_PROXY, not_json, too_deep
from glboard_core.gitlab.answers import Count, Name, NotJsonError, Number, TooDeepError, decoded, moment
from glboard_core.gitlab.graphql import side_by_side
from glboard_core.gitlab.http import Transport
from glboard_core.model.clean_text import line
from glboard_core.model.event import Event, EventAction, EventKind, History
from glboard_core.model.issue import Issue, IssueId
from glboard_core.purpose import with_purpose

T = TypeVar("T")

#: Concurrent requests: the transport has eight connections, of which some stay free.
PARALLEL = 6
PAGE = 100
#: No issue worth replaying has more pages of events of one kind than this.
MOST_PAGES = 50

#: Called with the number of issues read, and the number to read.
Progress = Callable[[int, int], None]
#: Given an issue and its events of the first kinds, the further kinds to read.
Further = Callable[[Issue, Sequence[Event]], Collection[EventKind]]

_STATES: Mapping[str, EventAction] = {"closed": "closed", "reopened": "reopened", "opened": "reopened"}
_ACTIONS: Mapping[str, EventAction] = {"add": "add", "remove": "remove"}


class _Username(Struct, frozen=True, gc=False):
    """A user of the REST API, whose other ids are numbers."""

    username: Name = ""


class _Label(Struct, frozen=True, gc=False):
    """A label of the REST API."""

    name: Name | None = None
    id: Number | None = None


class _Milestone(Struct, frozen=True, gc=False):
    """A milestone of the REST API."""

    title: Name
    id: Number | None = None


class WireEvent(Struct, frozen=True, kw_only=True):
    """An event of any kind. Label and milestone are null if they were deleted since, as is the user."""

    id: Number
    created_at: datetime
    user: _Username | None = None
    action: Name = ""
    state: Name = ""
    label: _Label | None = None
    milestone: _Milestone | None = None
    weight: Count | None = None


class Read(Struct, frozen=True):
    """The histories by issue, and the issues whose events cannot be read (gone, or forbidden)."""

    histories: Mapping[IssueId, History]
    unread: tuple[IssueId, ...] = ()


class EventReader:
    """Reads the histories of issues over one transport."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    @with_purpose("history")
    async def histories(
        self,
        issues: Iterable[Issue],
        kinds: Iterable[EventKind],
        known: Mapping[IssueId, History] | None = None,
        progress: Progress | None = None,
        each: Callable[[History], None] | None = None,
        further: Further | None = None,
    ) -> Read:
        """The events of these kinds for each issue, and of the ``further`` kinds that those decide.

        ``each`` is called with each history as it is read. ``known`` histories of issues not updated since
        are reused, and only the kinds they lack are read; other kinds in them are kept. ``progress`` counts
        the issues that need a request. A 403 or 404 for one issue never stops the rest: it is listed in
        ``unread``. Raises ConnectionFailed, TokenRejected and ScopeMissing, and if not a single issue could
        be read, the first error.
        """
        first = frozenset(kinds)
        asked = list({issue.id: issue for issue in issues}.values())
        final = {
            i.id: old for i in asked if (old := (known or {}).get(i.id)) is not None and old.holds_for(i)
        }
        found: dict[IssueId, History] = {}
        wanting: list[Issue] = []
        for issue in asked:
            old = final.get(issue.id)
            if old is None or _lacking(old, first) or (further and _lacking(old, further(issue, old.events))):
                wanting.append(issue)
            else:
                found[issue.id] = old
        refused: dict[IssueId, GlboardError] = {}
        done = 0

        async def one(issue: Issue) -> History:
            nonlocal done
            history = await self._history(issue, first, further, final.get(issue.id), refused)
            done += 1
            if each is not None:
                each(history)
            if progress is not None:
                progress(done, len(wanting))
            return history

        read_now = await side_by_side([partial(one, issue) for issue in wanting], PARALLEL)
        if refused and len(refused) == len(asked):
            raise self._nothing(next(iter(refused.values())))
        found |= {history.issue: history for history in read_now}
        return Read({issue.id: found[issue.id] for issue in asked}, tuple(refused))

    async def _history(
        self,
        issue: Issue,
        first: Collection[EventKind],
        further: Further | None,
        old: History | None,
        refused: dict[IssueId, GlboardError],
    ) -> History:
        """One issue's history: what ``old`` has, and the kinds it lacks. Fills ``refused``."""
        started = time.monotonic()
        events = list(old.events) if old is not None else []
        read: set[EventKind] = set(old.kinds) if old is not None else set()

        async def read_all(kinds: Collection[EventKind]) -> None:
            for kind in sorted(frozenset(kinds) - read):
                try:
                    events.extend(await self._events(issue, kind))
                    read.add(kind)
                except (TokenRejected, TokenMissing, ScopeMissing):
                    raise
                except (AuthError, NotGitLab, NotUnderstood) as error:
                    if kind == "weight":
                        read.add(kind)  # not licensed: there are no such events
                    else:
                        refused.setdefault(issue.id, error)

        await read_all(first)
        if further is not None:
            await read_all(further(issue, events))
        # When reading began, by the server's clock, which is known only after an answer.
        began = self._transport.now() - timedelta(seconds=time.monotonic() - started)
        return History(
            issue=issue.id,
            updated_at=issue.updated_at,
            read_at=old.read_at if old is not None else began,
            kinds=frozenset(read),
            events=tuple(events),
        )

    def _nothing(self, first: GlboardError) -> GlboardError:
        """The error if every issue was refused. Elsewhere, a 404 is worded for GraphQL."""
        if isinstance(first, AuthError | NotUnderstood):
            return first
        return NotGitLab(
            f"{self._transport.account.host} returned no issue events.",
            hint=f"Check that the token has access to the issues' history. {CHECK_PROXY}",
        )

    async def _events(self, issue: Issue, kind: EventKind) -> list[Event]:
        found: dict[int, Event] = {}
        for page in range(1, MOST_PAGES + 1):
            path = (
                f"/api/v4/projects/{quote(issue.project, safe='')}/issues/{issue.iid}"
                f"/resource_{kind}_events?per_page={PAGE}&page={page}"
            )
            count, events = self._decoded(await self._transport.get(path), kind)
            # Pages overlap if events are added while they are read.
            found |= events
            if count < PAGE:
                break
        return list(found.values())

    def _decoded(self, raw: bytes, kind: EventKind) -> tuple[int, dict[int, Event]]:
        """How many rows a page has, and the events in them by number."""
        host = self._transport.account.host
        try:
            rows = decoded(raw, list[WireEvent])
        except NotJsonError as problem:
            deep = isinstance(problem, TooDeepError)
        else:
            found = ((row.id, event_of(row, kind)) for row in rows)
            return len(rows), {number: event for number, event in found if event is not None}
        raise too_deep(host) if deep else not_json(host)


def event_of(row: WireEvent, kind: EventKind) -> Event | None:
    """The model's event, with clean text; None for one without content, such as of a deleted label."""
    action = (_STATES if kind == "state" else _ACTIONS).get(row.state if kind == "state" else row.action)
    value: str | int | None = None
    of: int | None = None
    match kind:
        case "label":
            if row.label is None or row.label.name is None:
                return None
            value, of = line(row.label.name), row.label.id
        case "milestone":
            if row.milestone is not None:
                value, of = line(row.milestone.title), row.milestone.id
        case "weight":
            # A weight event has no action: it has the new weight, or null.
            action, value = "add", row.weight
        case "state":
            pass
    if action is None:
        return None
    return Event(
        kind=kind,
        action=action,
        at=moment(row.created_at),
        value=value,
        by=line(row.user.username) if row.user is not None else "",
        id=row.id,
        of="" if of is None else str(of),
    )


def _lacking(history: History, kinds: Collection[EventKind]) -> bool:
    return not history.kinds.issuperset(kinds)
