"""My one note of a kind on an issue, such as the capacity: what it says, and the change that replaces it."""

from __future__ import annotations

from glboard_core.board.batch import EditBatch
from glboard_core.board.operations import NoteSought, NoteWrite
from glboard_core.errors import NotConnected
from glboard_core.model.issue import Issue
from glboard_core.model.milestone import Milestone
from glboard_core.sync.engine import Engine


def _mark(milestone: Milestone) -> str:
    return f"capacity {milestone.title}"


async def posted_before(engine: Engine | None, issue: Issue, milestone: Milestone) -> str | None:
    """The text of my existing note, sent or unsent; None if there is none.

    Raises what reading raises.
    """
    return await note_before(engine, issue, _mark(milestone))


async def note_before(engine: Engine | None, issue: Issue, mark: str) -> str | None:
    """The text of my note with a mark, as for ``posted_before``."""
    if engine is None or engine.catalog is None:
        raise NotConnected
    waiting = [op.change for op in engine.outbox.of(issue.id)]
    for change in reversed(waiting):
        if change.note_sought == NoteSought(mark):
            return change.typed[1]
    note = await engine.gateway.marked_note(issue.id, mark, engine.catalog.me.username)
    return note.body if note is not None else None


def post(issue: Issue, milestone: Milestone, text: str, was: str | None) -> EditBatch:
    """The change that posts ``text``; ``was`` is the result of ``posted_before``."""
    change = NoteWrite(mark=_mark(milestone), body=text, was=was)
    title = f"capacity of {milestone.title} on {issue.reference}"
    return EditBatch(changes=((issue.id, change),), title=title)
