"""Recovery: after a lost response, reads the server to find out whether an Op was applied.

Owns the decision, so that nothing is done twice: a new issue and a comment have the marker of their Op, an
edit shows in the issue itself, or in its events if someone has changed it since. It sends nothing.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from msgspec import Struct, structs

from glboard_core.board.conflicts import kinds, proven_by_events, shown_by
from glboard_core.board.operations import Op, OpId
from glboard_core.errors import EditFailed, EditForbidden, EditUnknown
from glboard_core.model.issue import Issue, IssueId
from glboard_core.ports import Gateway
from glboard_core.sync.log import ServerAnswer
from glboard_core.sync.outbox import OutboxItem

#: Times in the API are in whole seconds, and so is the server's clock.
PRECISION = timedelta(seconds=2)
#: How often an Op with a lost response is retried before a person must decide.
MAX_TRIES = 8
#: How often an Op is sent if GitLab fails on it: a failure can be temporary, such as two writes at once.
MAX_CRASHES = 2


class Recovered(Struct):
    """The result: outcomes, and items that were not applied and must be sent again."""

    answers: list[ServerAnswer]
    again: list[OutboxItem]
    #: The notes that comments created.
    notes: dict[OpId, str]
    #: The issues as they are now.
    now: Mapping[IssueId, Issue]


async def recover(items: Sequence[OutboxItem], gateway: Gateway, me: str) -> Recovered:
    """Check the server; ``me`` is the username whose events count. Raises what the gateway raises."""
    existing = [item.op.issue for item in items if not item.op.issue.startswith("new:")]
    seen = {item.op.issue: item.op.before for item in items if item.op.before is not None}
    now = await gateway.read(existing, seen) if existing else {}
    found = Recovered([], [], {}, now)
    by_issue: dict[IssueId, list[OutboxItem]] = {}
    for item in items:
        by_issue.setdefault(item.op.issue, []).append(item)
    made: set[OpId] = set()
    for issue, queue in by_issue.items():
        if issue in now:
            made |= {op.id for op in shown_by([item.op for item in queue], now[issue])}
            made |= await _in_events([i for i in queue if i.op.id not in made], now[issue], gateway, me)
    for item in items:
        answer = await _answer(item, found, made, gateway)
        if answer is not None:
            found.answers.append(answer)
        else:
            found.again.append(item)
    return found


async def _in_events(items: Sequence[OutboxItem], now: Issue, gateway: Gateway, me: str) -> set[OpId]:
    """Edits of one issue that do not show in it, but were made according to its events.

    Read only if the issue is not as it was when the key was pressed: one request per kind of event. Whether
    ``updated_at`` has grown proves nothing, since GitLab does not move it with each change.
    """
    since = {item.op.id: max(item.op.at, _sent_after(item, gateway)) - PRECISION for item in items}
    ops = [item.op for item in items if item.op.before != now]
    wanted = kinds(ops)
    if not wanted:
        return set()
    events = await gateway.events([now], wanted)
    return {op.id for op in proven_by_events(ops, now, events.get(now.id, ()), me, since)}


def _sent_after(item: OutboxItem, gateway: Gateway) -> datetime:
    """The earliest time an Op can have been sent, by the server's clock."""
    claimed = item.claimed_at or item.lost_at
    return gateway.now() - timedelta(seconds=max(0.0, time.time() - claimed))


async def _answer(
    item: OutboxItem, found: Recovered, made: set[OpId], gateway: Gateway
) -> ServerAnswer | None:
    """The outcome of an Op; None if it was not applied and can be sent again."""
    op, issue = item.op, found.now.get(item.op.issue)
    trace, marker = op.change.trace, op.change.note_marker(op.id)
    if trace == "issue":
        issue = await gateway.created_by(_when_sent(item, gateway))
        was_made = issue is not None
    elif issue is None:
        return ServerAnswer(op, None, EditForbidden("Issue not found, or you no longer have access."))
    elif trace == "fields":
        was_made = op.id in made
    elif marker is None:
        was_made = False
    else:
        note = await gateway.note_of(op.issue, marker)
        was_made = (note is None) == (trace == "no note")
        if was_made and note is not None:
            found.notes[op.id] = note
    if was_made:
        return ServerAnswer(op, issue)
    if item.crashed and item.crashes >= MAX_CRASHES:
        return ServerAnswer(op, issue, _crashed())
    return ServerAnswer(op, issue, _unknown()) if item.tries >= MAX_TRIES else None


def _when_sent(item: OutboxItem, gateway: Gateway) -> Op:
    """The Op with the earliest time it can have been made, by the server's clock.

    Its own time may come from this machine's clock, before the server's was known.
    """
    ago = timedelta(seconds=max(0.0, time.time() - item.lost_at))
    return structs.replace(item.op, at=min(item.op.at, gateway.now() - ago))


def _unknown() -> EditUnknown:
    return EditUnknown(
        "The connection kept failing before GitLab replied; the change may have been applied.",
        hint="Check the issue in GitLab, then retry or discard the change in the failed changes.",
    )


def _crashed() -> EditFailed:
    return EditFailed(
        "GitLab failed twice on this change (internal server error) and did not apply it.",
        hint="Retry it later, or discard it, in the failed changes.",
    )
