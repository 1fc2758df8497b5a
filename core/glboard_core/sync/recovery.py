"""Recovery: finds out what happened to Ops whose answer was lost, by reading the server.

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
from glboard_core.errors import EditForbidden, EditUnknown, GlboardError
from glboard_core.model.issue import Issue, IssueId
from glboard_core.ports import Gateway
from glboard_core.sync.outbox import OutboxItem

#: Times in the API are in whole seconds, and so is the server's clock.
TOLD_TO = timedelta(seconds=2)
#: How often an Op whose answer was lost is sent again before a person must decide.
MAX_TRIES = 8


class Found(Struct):
    """The outcomes: made, given up, or not made and to be sent again."""

    done: list[tuple[Op, Issue | None]]
    failed: list[tuple[Op, GlboardError, Issue | None]]
    again: list[OutboxItem]
    #: The notes that comments created.
    notes: dict[OpId, str]
    #: The issues as they are now.
    now: Mapping[IssueId, Issue]


async def look_for(items: Sequence[OutboxItem], gateway: Gateway, me: str) -> Found:
    """Check the server; ``me`` is the username whose events count. Raises what the gateway raises."""
    existing = [item.op.issue for item in items if not item.op.issue.startswith("new:")]
    now = await gateway.read(existing) if existing else {}
    found = Found([], [], [], {}, now)
    by_issue: dict[IssueId, list[OutboxItem]] = {}
    for item in items:
        by_issue.setdefault(item.op.issue, []).append(item)
    made: set[OpId] = set()
    for identity, line in by_issue.items():
        if identity in now:
            made |= {op.id for op in shown_by([item.op for item in line], now[identity])}
            made |= await _in_events([i for i in line if i.op.id not in made], now[identity], gateway, me)
    for item in items:
        await _judge(item, found, made, gateway)
    return found


async def _in_events(items: Sequence[OutboxItem], now: Issue, gateway: Gateway, me: str) -> set[OpId]:
    """Edits of one issue that do not show in it, but were made according to its events.

    Read only if someone changed the issue since they were sent: one request per kind of event.
    """
    since = {item.op.id: max(item.op.at, _left(item, gateway)) - TOLD_TO for item in items}
    ops = [item.op for item in items if now.updated_at >= since[item.op.id]]
    wanted = kinds(ops)
    if not wanted:
        return set()
    events = await gateway.events([now], wanted)
    return {op.id for op in proven_by_events(ops, now, events.get(now.id, ()), me, since)}


def _left(item: OutboxItem, gateway: Gateway) -> datetime:
    """The earliest time an Op can have been sent, by the server's clock."""
    claimed = item.claimed or item.lost
    return gateway.now() - timedelta(seconds=max(0.0, time.time() - claimed))


async def _judge(item: OutboxItem, found: Found, made: set[OpId], gateway: Gateway) -> None:
    op, issue = item.op, found.now.get(item.op.issue)
    trace, marker = op.change.trace, op.change.note_marker(op.id)
    if trace == "issue":
        issue = await gateway.created_by(_when_sent(item, gateway))
        was_made = issue is not None
    elif issue is None:
        gone = EditForbidden("Issue not found, or you no longer have access.")
        found.failed.append((op, gone, None))
        return
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
        found.done.append((op, issue))
    elif item.tries >= MAX_TRIES:
        found.failed.append((op, _unknown(), issue))
    else:
        found.again.append(item)


def _when_sent(item: OutboxItem, gateway: Gateway) -> Op:
    """The Op with the earliest time it can have been made, by the server's clock.

    Its own time may come from this machine's clock, before the server's was known.
    """
    ago = timedelta(seconds=max(0.0, time.time() - item.lost))
    return structs.replace(item.op, at=min(item.op.at, gateway.now() - ago))


def _unknown() -> EditUnknown:
    return EditUnknown(
        "The connection kept failing before GitLab replied; the change may have been applied.",
        hint="Check the issue in GitLab, then retry or discard the change in failed changes (g f).",
    )
