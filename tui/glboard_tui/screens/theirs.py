"""Changes by others, in words: for the footer, the open issue, the list, and cards that left the board."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from glboard_core.board.use_cases import short
from glboard_core.model.issue import Issue
from glboard_tui.texts import age_words
from glboard_tui.unseen_changes import ExternalChange

Mask = Callable[[Issue], str | None]
"""Returns the text shown for a masked issue, or None: the hook of share mode."""

#: The most cards named in the line about those that left.
_NAMED = 3


def who(row: ExternalChange, me: str) -> str:
    """The people GitLab names, the latest last; one's own name means a change made elsewhere."""
    return ", ".join("you, elsewhere" if name == me else name for name in row.by) or "someone"


def when(row: ExternalChange, now: datetime) -> str:
    """How long ago: ``2m ago``."""
    age = age_words((now - row.at).total_seconds())
    return f"{age} ago" if age else "just now"


def what(row: ExternalChange, mask: Mask) -> tuple[str, ...]:
    """What changed; for a masked issue only that something did."""
    return ("changed",) if mask(row.issue) is not None else row.what


def line(row: ExternalChange, *, me: str, now: datetime, mask: Mask) -> str:
    """``eng_birch: milestone 19.8 to 19.9, weight 2 to 3, 2m ago``."""
    return f"{who(row, me)}: {', '.join(what(row, mask))}, {when(row, now)}"


def left_words(rows: Sequence[ExternalChange], *, me: str, mask: Mask) -> str:
    """``3 left the board: platform#4219 to 19.9 by pm_cedar, …``."""
    named = []
    for row in rows[:_NAMED]:
        if mask(row.issue) is not None:
            named.append("a masked issue")
            continue
        by = f" by {who(row, me)}" if row.by else ""
        named.append(f"{short(row.issue)} {row.where_to}{by}")
    if len(rows) > _NAMED:
        named.append(f"and {len(rows) - _NAMED} more")
    return f"{len(rows)} left the board: {', '.join(named)}"
