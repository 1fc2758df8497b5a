"""The failed changes and conflicts, each with the reason: retry, edit, copy or discard.

A conflict is listed here because its card may have left the board: to retry it is to keep mine, to discard it
is to keep theirs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from msgspec import structs
from textual.content import Content

from glboard_core.board.operations import Change, OpId
from glboard_core.board.spelling import folded
from glboard_core.board.use_cases import joined, split
from glboard_core.errors import READ_ONLY, GlboardError, SharedScreen
from glboard_tui.change_lists import FailedRow
from glboard_tui.commands.context import CommandContext
from glboard_tui.screens.choices import LabelSource, MilestoneSource, PersonSource
from glboard_tui.screens.editor import edit_in_editor
from glboard_tui.screens.keys import RowDialog
from glboard_tui.screens.picker import Tick, Ticks
from glboard_tui.screens.prompts import wrong_weight
from glboard_tui.widgets.text import clean, clip

#: The letter of each part, the same as its key on the board.
_LETTERS = {
    "milestone": "m",
    "weight": "w",
    "assignees": "a",
    "labels": "t",
    "title": "e",
    "description": "e",
}


def parts_of(change: Change) -> list[str]:
    """The parts that can be edited; none for a rank, a state or a deletion."""
    return [part for part in change.parts() if part == "comment" or part in _LETTERS]


def text_of(change: Change) -> str:
    """The text a person typed for it, or "" for a change made by keys alone."""
    title, text = change.typed
    return joined(title, text).strip() if title and text else title or text


class Mending:
    """Edits a failed change with the editor for its part, filled in with the failed value.

    ``done`` gets the edited change, and is not called on Esc.
    """

    def __init__(self, context: CommandContext, row: FailedRow, done: Callable[[Change], None]) -> None:
        self._context = context
        self._row = row
        self._change = row.change
        self._done = done
        self._issue = context.bridge.issue(row.issue)

    def start(self) -> None:
        """Open the editor of its part, after asking which if it has several."""
        parts = parts_of(self._change)
        if len(parts) == 1:
            self._open(parts[0])
            return
        self._context.ask(
            "Which part do you want to edit? The rest is sent unchanged.",
            {_LETTERS[part]: part for part in parts},
            lambda letter: self._open(next(part for part in parts if _LETTERS[part] == letter)),
            note=self._row.message,
        )

    def _open(self, part: str) -> None:
        {
            "comment": self._comment,
            "milestone": self._milestone,
            "weight": self._weight,
            "assignees": self._assignees,
            "labels": self._labels,
            "title": self._title,
            "description": self._description,
        }[part]()

    def _with(self, **values: Any) -> None:
        self._done(structs.replace(self._change, **values))

    def _comment(self) -> None:
        key = ("failed", self._row.op)

        def send(text: str) -> None:
            # It stays a draft until it is sent.
            self._context.drafts[key] = text
            self._with(body=text)

        title = f"Comment on {self._row.reference}"
        self._context.write(title, key, send, text=self._change.comment, note=self._row.message)

    def _weight(self) -> None:
        weight = self._change.value("weight")
        self._context.prompt(
            f"Weight of {self._row.reference}",
            lambda text: self._with(weight=int(text) if text.strip() else None),
            value="" if weight is None else str(weight),
            note=self._row.message,
            placeholder="leave empty to clear",
            check=wrong_weight,
        )

    def _title(self) -> None:
        self._context.prompt(
            f"Title of {self._row.reference}",
            lambda text: self._with(title=text.strip()),
            value=self._change.typed[0],
            note=self._row.message,
            check=lambda text: "" if text.strip() else "An issue needs a title.",
        )

    def _description(self) -> None:
        context, key = self._context, ("failed", self._row.op)
        title, description = self._change.typed
        was = title or (self._issue.title if self._issue else "")
        before = context.drafts.get(key, joined(was, description))
        try:
            if context.bridge.share.finds(before):
                raise SharedScreen
            after = edit_in_editor(context.shell.app, before)
        except GlboardError as error:
            context.tell(error)
            return
        if after is not None:
            context.drafts[key] = after
            title, description = split(after)
            self._with(**({"title": title} if title and title != was else {}), description=description)

    def _milestone(self) -> None:
        failed = self._change.value("milestone")
        # The failed one first, if it can be chosen at all: the cursor starts there.
        self._context.pick(
            f"Milestone of {self._row.reference} instead of {failed or 'none'}",
            MilestoneSource(self._context.bridge, self._projects, [failed] if failed else []),
            lambda result: self._with(milestone=result.add[0]),
            note=self._row.message,
        )

    @property
    def _projects(self) -> set[str]:
        return {self._change.project_of(self._issue) or self._row.project}

    def _assignees(self) -> None:
        now = self._issue.assignees if self._issue else ()
        wanted = self._change.assignees_on(now)
        first = [*wanted, *(name for name in now if name not in wanted)]
        self._context.pick(
            f"Assignees of {self._row.reference}",
            PersonSource(self._context.bridge, first, projects=self._projects),
            lambda result: self._done(self._change.with_assignees(frozenset(result.add), result.remove)),
            ticks=_ticked(now, wanted),
            note=self._row.message,
        )

    def _labels(self) -> None:
        now = self._issue.labels if self._issue else frozenset()
        wanted = self._change.labels_on(now)
        first = sorted(wanted - now, key=str.casefold) + sorted(now, key=str.casefold)
        self._context.pick(
            f"Labels of {self._row.reference}",
            LabelSource(self._context.bridge, self._projects, first),
            lambda result: self._done(self._change.with_labels(frozenset(result.add), result.remove)),
            ticks=_ticked(now, wanted, scoped=True),
            note=self._row.message,
        )


def _ticked(now: Iterable[str], wanted: Iterable[str], *, scoped: bool = False) -> Ticks:
    """The current values, with the failed change already ticked."""
    start: dict[str, Tick] = dict.fromkeys(now, "on")
    ticks, wanted = Ticks(start, scoped=scoped), set(wanted)
    for value in sorted(start.keys() - wanted):
        ticks.toggle(value)
    for value in sorted(wanted - start.keys()):
        ticks.toggle(value)
    return ticks


#: The most rows shown; each has several lines.
_MOST = 200
#: Cells of typed text that a row shows.
_PREVIEW = 60


_FAILED = "Failed changes and conflicts"


class FailedList(RowDialog):
    """The failed changes and the conflicts, newest first."""

    scope = "failed"
    search = ("Search the failed changes", "issue, change, reason")

    def __init__(self, context: CommandContext) -> None:
        super().__init__(context, _FAILED)
        self._bridge = context.bridge
        self._rows: list[FailedRow] = []

    def fill(self) -> None:
        """Show the current list; close it once it is empty."""
        found, words = self._bridge.changes.failed(), folded(self.query_text).split()
        if not found:
            self.dismiss(None)
            return
        fitting = [row for row in found if all(word in _searched(row) for word in words)]
        self._rows = self.ordered(fitting, lambda row: row.reference)
        parts = [_FAILED, *([self.order_words] if self.order_words else [])]
        if words:
            parts.append(f"filter {self.query_text}: {len(self._rows)} of {len(found)}")
        self._title_line.update(Content(clean(" · ".join(parts))))
        self.show_rows(map(self._words, self._rows[:_MOST]), empty="No failed changes match.")

    def escape(self) -> None:
        """End the search first, then close."""
        if not self.end_search():
            self.leave()

    def _chosen(self) -> FailedRow | None:
        at = self.list.highlighted
        return self._rows[at] if at is not None and at < len(self._rows) else None

    def action_retry(self) -> None:
        if row := self._chosen():
            self.attempt(lambda: self._bridge.changes.retry(row))
            self.fill()

    def action_edit(self) -> None:
        """Edit the change and send it instead; until then it stays in the list."""
        row = self._chosen()
        if row is None:
            return
        if row.conflict:
            self.say("Conflict: retry to keep yours, discard to keep theirs.")
        elif self._hides(row):
            self.say("Hidden on the shared screen.")
        elif not parts_of(row.change):
            self.say("Nothing to edit: retry or discard it.")
        elif not self._bridge.writable:
            self.say(READ_ONLY)
        else:
            Mending(self.context, row, lambda change: self._mended(row.op, change)).start()

    def _mended(self, op: OpId, change: Change) -> None:
        taken: list[bool] = []
        if not self.attempt(lambda: taken.append(self._bridge.changes.instead(op, change))):
            return
        if taken[0]:
            self.context.drafts.pop(("failed", op), None)
            self.context.say("Sent instead.")
            self.fill()
        else:
            self.say("Nothing sent: already set, or the issue is gone.")

    def action_copy(self) -> None:
        """Copy your text, or the change and its error if there is none."""
        row = self._chosen()
        if row and self._hides(row):
            self.say("Hidden on the shared screen.")
        elif row:
            text = self.context.drafts.get(("failed", row.op)) or text_of(row.change)
            self.app.copy_to_clipboard(text or f"{row.reference} {row.what}: {row.message}")
            what = "text" if text else "change and error"
            self.say(f"Sent to the terminal's clipboard: {what}")

    def _hides(self, row: FailedRow) -> bool:
        """Whether the text typed for it belongs to an issue that share mode hides."""
        issue = self._bridge.issue(row.issue)
        return self._bridge.share.is_on and (issue is None or self._bridge.mask(issue) is not None)

    def action_discard(self) -> None:
        """Discard the change, after asking if it has typed text, which exists nowhere else."""
        if row := self._chosen():
            self._drop([row])

    def action_retry_all(self) -> None:
        """Retry all that are listed, in their original order."""
        listed = {row.op for row in self._failed}
        newest = [row for row in self._bridge.changes.failed() if row.op in listed]
        self._each(self._bridge.changes.retry, list(reversed(newest)))

    def action_discard_all(self) -> None:
        self._drop(self._failed)

    @property
    def _failed(self) -> list[FailedRow]:
        """Without conflicts, each of which is decided by itself."""
        return [row for row in self._rows if not row.conflict]

    def _drop(self, rows: list[FailedRow]) -> None:
        texts = sum(bool(text_of(row.change)) for row in rows)
        one = len(rows) == 1
        if not texts and len(rows) < 2:
            self._each(self._bridge.changes.drop, rows)
            return
        if not texts:
            self.context.ask(
                f"Discard {len(rows)} failed changes?",
                {"y": "discard them all"},
                lambda _: self._each(self._bridge.changes.drop, rows),
            )
            return
        self.context.ask(
            "Discard it and your text?" if one else f"Discard {len(rows)} changes, {texts} with your text?",
            {"y": "discard it" if one else "discard them all"},
            lambda _: self._each(self._bridge.changes.drop, rows),
            note=f"To copy a text first, press {self.context.keymap.key('failed.copy')} in the list.",
        )

    def _each(self, change: Callable[[FailedRow], None], rows: Sequence[FailedRow]) -> None:
        """Apply to each row and stop at the first error: the others would fail for the same reason."""

        def go() -> None:
            for row in rows:
                change(row)

        self.attempt(go)
        self.fill()

    def _words(self, row: FailedRow) -> Content:
        typed = "" if self._hides(row) else self._bridge.text(" ".join(text_of(row.change).split()))
        parts: list[str | tuple[str, str]] = [
            (clean(row.reference), "bold"),
            "  ",
            clean(row.what),
            "  ",
            (clean(row.title), "dim"),
        ]
        if typed:
            parts.append(("\n  " + clip(clean(f"“{typed}”"), _PREVIEW), "italic"))
        parts.append(("\n  " + clean(row.message), "$text-error"))
        if row.hint:
            parts.append(("\n  " + clean(row.hint), "dim"))
        if row.conflict:
            mine, theirs = (self.context.keymap.key(f"failed.{name}") for name in ("retry", "discard"))
            parts.append((f"\n  {mine} keeps yours · {theirs} keeps theirs", "dim"))
        return Content.assemble(*parts)


def _searched(row: FailedRow) -> str:
    return folded(" ".join((row.reference, row.what, row.title, row.message, row.hint)))
