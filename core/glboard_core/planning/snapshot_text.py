"""A locked plan as text, the same on screen and in print. Times are shown in UTC."""

from __future__ import annotations

from datetime import datetime

from glboard_core.planning.plan_lock import PlanSnapshot


def minute(at: datetime) -> str:
    """``2026-11-13 17:00 UTC``."""
    return f"{at:%Y-%m-%d %H:%M} UTC"


def locked_words(plan: PlanSnapshot) -> str:
    """When and by whom it was locked, or rebuilt from events: ``locked 2026-11-13 17:00 UTC by em_maple``."""
    by = f" by {plan.locked_by}" if plan.locked_by else ""
    if plan.rebuilt:
        return f"rebuilt from events as of {minute(plan.locked_at)}{', locked' + by if by else ''}"
    return f"locked {minute(plan.locked_at)}{by}"


def count_words(plan: PlanSnapshot) -> str:
    """``12 Deliverables, weight 20``."""
    count = len(plan.issues)
    return f"{count} Deliverable{'' if count == 1 else 's'}, weight {plan.weight}"
