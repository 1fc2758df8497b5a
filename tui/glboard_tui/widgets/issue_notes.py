"""The comments of an open issue, as threads, and what was done to it.

Owns how much of them is shown, and how they are wrapped. All of it is remote: no markup, no control
characters.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, tzinfo

from msgspec import Struct
from textual.content import Content
from textual.widgets import Static

from glboard_core.model.issue import Note
from glboard_core.planning.text import date_words, moment_words
from glboard_tui.widgets import markdown
from glboard_tui.widgets.text import clean, fit, width_of, wrap

_MOST_NOTES = 50
#: Lines of activity: what changed last, below the comments.
_MOST_ACTIVITY = 8
#: Characters of a system note.
_LONGEST_LINE = 1_000
#: In front of each line of a comment, and of a reply.
_TEXT, _REPLY = "  ", "  │ "
#: Lines that one line of a comment is wrapped to; what is longer than that was cut before.
_MOST_WRAPPED = 200
#: The width before the first layout.
_WIDTH = 76


class NotesView(Struct, frozen=True, kw_only=True):
    """How notes are shown: a person as on the cards, the time of now, the zone of dates."""

    short_name: Callable[[str], str] = lambda username: username
    now: datetime | None = None
    zone: tzinfo = UTC


def show_text(static: Static, content: Content) -> None:
    """Show another text: the same one again would lay out the whole screen."""
    if not (isinstance(static.content, Content) and static.content.is_same(content)):
        static.update(content)


class IssueNotes(Static):
    """The comments and the activity, wrapped to its width."""

    def __init__(self, *, classes: str = "") -> None:
        super().__init__(classes=classes)
        self._make: Callable[[int], Content] = lambda _: Content("")
        self._made_for = 0

    def show(self, make: Callable[[int], Content]) -> None:
        """Show what is made for a width."""
        self._make, self._made_for = make, self.size.width or _WIDTH
        show_text(self, make(self._made_for))

    def on_resize(self) -> None:
        """Wrap it again."""
        if self.size.width and self.size.width != self._made_for:
            self.show(self._make)


def threads(comments: Sequence[Note]) -> list[list[Note]]:
    """The comments as threads, in the order in which these begin; a comment without replies is one alone."""
    found: dict[str, list[Note]] = {}
    for note in comments:
        found.setdefault(note.thread or note.id, []).append(note)
    return list(found.values())


def notes_content(
    notes: Sequence[Note], width: int = _WIDTH, view: NotesView | None = None, *, older: bool = False
) -> Content:
    """The comments in order, the newest last, then the activity, the newest first; of many only the last.

    Replies are below the comment that they answer. ``older``: there are more before these.
    """
    view = view or NotesView()
    comments = [note for note in notes if not note.system]
    activity = [note for note in notes if note.system][::-1]
    more = "more than " if older else ""
    lines = [Content.styled(f"Comments {more}{len(comments)}" if comments else "Comments", "bold")]
    if hidden := len(comments) - len(shown := comments[-_MOST_NOTES:]):
        lines.append(Content.styled(f"… {more}{hidden:,} earlier comments", "dim"))
    for thread in threads(shown):
        for place, note in enumerate(thread):
            lines.extend(_comment(note, width, view, reply=place > 0))
    if not comments:
        lines.append(Content.styled("No comments.", "dim"))
    if activity:
        lines += [Content(""), Content.styled("Activity", "bold")]
        lines += _activity(activity[:_MOST_ACTIVITY], width, view)
        if (folded := len(activity) - _MOST_ACTIVITY) > 0:
            lines.append(Content.styled(f"… {folded:,} earlier", "dim"))
    return Content("\n").join(lines)


def _comment(note: Note, width: int, view: NotesView, *, reply: bool) -> Iterator[Content]:
    """Who wrote it and when, then the text; of the first of a thread, whether that is resolved."""
    name = (f"@{clean(view.short_name(note.author))}", "bold $primary")
    resolved = ("  resolved", "$text-success") if note.resolved and not reply else ""
    lead = _REPLY if reply else ""
    when = moment_words(note.created_at, view.now, view.zone)
    yield Content.assemble((lead, "dim"), name, (f"  {when}", "dim"), resolved)
    lead = _REPLY if reply else _TEXT
    room = max(width - len(lead), 1)
    for line in markdown.comment(note.body).split("\n"):
        for part in _wrapped(line, room):
            yield Content.assemble((lead, "dim"), part)


def _wrapped(line: str, room: int) -> Iterator[str]:
    """A line of a comment in ``room`` cells, with its indent as far as that leaves half of them."""
    text = line.strip()
    indent = " " * min(len(line) - len(line.lstrip()), room // 2)
    left = max(room - len(indent), 1)
    for part in wrap(text, left, left, _MOST_WRAPPED):
        yield f"{indent}{part}" if part else ""


def _activity(notes: Sequence[Note], width: int, view: NotesView) -> Iterator[Content]:
    """A line for each change, after its day."""
    days = [date_words(note.created_at, view.now, view.zone) for note in notes]
    column = max(map(width_of, days)) + 2
    for day, note in zip(days, notes, strict=True):
        body = note.body.strip()[:_LONGEST_LINE]
        first, more, _ = body.partition("\n")
        said = f"@{view.short_name(note.author)} {first.rstrip()}{' …' if more else ''}"
        room = max(width - column, 1)
        for place, part in enumerate(wrap(clean(said), room, room, _MOST_WRAPPED)):
            yield Content.styled(f"{fit('' if place else day, column)}{part}", "dim")
