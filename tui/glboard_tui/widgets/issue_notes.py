"""The comments of an open issue, as threads, and what was done to it.

Owns how much of them is shown. All of it is remote: no markup, no control characters.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from msgspec import structs
from textual.content import Content

from glboard_core.model.issue import Note
from glboard_core.planning.text import day_words
from glboard_tui.widgets import markdown
from glboard_tui.widgets.text import clean

_MOST_NOTES = 50
#: Lines of activity: what changed last, below the comments.
_MOST_ACTIVITY = 8
#: Characters of a system note.
_LONGEST_LINE = 1_000
#: In front of each line of a reply.
_REPLY = "  │ "


def threads(comments: Sequence[Note]) -> list[list[Note]]:
    """The comments as threads, in the order in which these begin; a comment without replies is one alone."""
    found: dict[str, list[Note]] = {}
    for note in comments:
        found.setdefault(note.thread or note.id, []).append(note)
    return list(found.values())


def notes_content(
    notes: Sequence[Note],
    *,
    older: bool = False,
    short_name: Callable[[str], str] = lambda username: username,
) -> Content:
    """The comments in order, the newest last, then the activity, the newest first; of many only the last.

    Replies are below the comment that they answer. ``older``: there are more before these.
    """
    notes = [structs.replace(note, author=short_name(note.author)) for note in notes]
    comments = [note for note in notes if not note.system]
    activity = [note for note in notes if note.system][::-1]
    more = "more than " if older else ""
    parts: list[Content] = [Content.styled(f"Comments {more}{len(comments)}", "bold")] if comments else []
    if hidden := len(comments) - len(shown := comments[-_MOST_NOTES:]):
        parts.append(Content.styled(f"… {more}{hidden:,} earlier comments", "dim"))
    parts.extend(map(_thread, threads(shown)))
    if not comments:
        parts.append(Content.styled("No comments.", "dim"))
    if activity:
        lines = [Content.styled("Activity", "bold")]
        lines += [
            Content.styled(f"{_moment(note)}  {clean(note.author)} {clean(note.body[:_LONGEST_LINE])}", "dim")
            for note in activity[:_MOST_ACTIVITY]
        ]
        if folded := len(activity) - _MOST_ACTIVITY:
            lines += [Content.styled(f"… {folded:,} earlier", "dim")] if folded > 0 else []
        parts.append(Content("\n").join(lines))
    return Content("\n\n").join(parts)


def _thread(thread: Sequence[Note]) -> Content:
    return Content("\n").join(line for n, note in enumerate(thread) for line in _lines(note, reply=n > 0))


def _lines(note: Note, *, reply: bool) -> list[Content]:
    """Who wrote it and when, then the text; of the first of a thread, whether that is resolved."""
    name = (f"@{clean(note.author)}", "bold $primary")
    resolved = ("  resolved", "$text-success") if note.resolved and not reply else ""
    lead = (_REPLY, "dim") if reply else ""
    head = Content.assemble(lead, name, (f"  {_moment(note)}", "dim"), resolved)
    text = markdown.comment(note.body)
    if not reply:
        return [head, Content(text)]
    return [head, *(Content.assemble(lead, line) for line in text.split("\n"))]


def _moment(note: Note) -> str:
    at = note.created_at
    return f"{day_words(at.date())} {at:%Y, %H:%M} UTC"
