"""Ids for Ops and for issues not created yet: unique, and sorted by creation."""

from __future__ import annotations

import itertools
import secrets
import time

from glboard_core.model.issue import IssueId

_counter = itertools.count()


def new_id() -> str:
    """An id that sorts by creation time (milliseconds), then by a counter, and is globally unique."""
    return f"{int(time.time() * 1000):012x}-{next(_counter) & 0xFFFF:04x}-{secrets.token_hex(6)}"


def new_issue_id() -> IssueId:
    """A temporary id of an issue that the server does not know yet."""
    return IssueId(f"new:{new_id()}")
