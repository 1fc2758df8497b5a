"""Posting a capacity on the planning issue: which note it is, and the change that writes it.

Owns the mark that identifies a milestone's note. Each user has one per milestone: posting again updates it.
The text comes from ``planning.capacity_text``; sending, holding back and undo belong to the engine.
"""

from __future__ import annotations

from glboard_core.board.operations import NoteWrite
from glboard_core.board.use_cases import EditBatch
from glboard_core.errors import GlboardError
from glboard_core.model.issue import Issue
from glboard_core.model.milestone import Milestone
from glboard_tui.planning import PlanningFigures


def mark_of(milestone: Milestone) -> str:
    """The mark of a milestone's capacity."""
    return f"capacity {milestone.title}"


async def posted_before(plan: PlanningFigures, issue: Issue, milestone: Milestone) -> str | None:
    """The text of my existing note, sent or unsent; None if there is none.

    Raises what reading raises.
    """
    engine, mark = plan.bridge.engine, mark_of(milestone)
    if engine is None or engine.catalog is None:
        raise GlboardError("Not connected yet.", hint="Wait a moment, then try again.")
    waiting = [op.act for op in engine.pending.of(issue.id)]
    for act in reversed(waiting):
        if isinstance(act, NoteWrite) and act.mark == mark:
            return act.body
    note = await engine.gateway.marked_note(issue.id, mark, engine.catalog.me.username)
    return note.body if note is not None else None


def post(issue: Issue, milestone: Milestone, text: str, was: str | None) -> EditBatch:
    """The change that posts ``text``; ``was`` is the result of ``posted_before``."""
    act = NoteWrite(mark=mark_of(milestone), body=text, was=was)
    return EditBatch(acts=((issue.id, act),), title=f"capacity of {milestone.title} on {issue.reference}")
