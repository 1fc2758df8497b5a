"""Ids for Ops and for issues not yet made: unique, and in the order they were made."""

from __future__ import annotations

import itertools
import secrets
import time

from glboard_core.model.issue import IssueId

_counter = itertools.count()


def new_id() -> str:
    """An id that sorts by the time it was made (milliseconds), then by a counter, and is unique anywhere."""
    return f"{int(time.time() * 1000):012x}-{next(_counter) & 0xFFFF:04x}-{secrets.token_hex(6)}"


def new_issue_id() -> IssueId:
    """The id of an issue that the server does not know yet."""
    return IssueId(f"new:{new_id()}")
