"""The failed changes, each with the reason: retry, edit, copy or discard it."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterable, Sequence
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widget import Widget
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from glboard_core.board.operations import Change, OpId
from glboard_core.board.use_cases import joined, split
from glboard_core.errors import GlboardError
from glboard_core.model.issue import Issue
from glboard_tui import notices
from glboard_tui.bridge import WAITS, Bridge, Past, Refused
from glboard_tui.commands.context import CommandContext
from glboard_tui.commands.edit import milestone_choices, wrong_weight
from glboard_tui.commands.labels import label_choices, person_choices
from glboard_tui.commands.text import edit_in_editor
from glboard_tui.screens.dialogs import Dialog
from glboard_tui.screens.picker import Result, Tick, Ticks
from glboard_tui.widgets.text import clean, clip

# The base of dialogs with a list, such as the failed changes and the change log.


class RowDialog(Dialog[None]):
    """Rows, newest first. ``j`` and ``k`` move, ``q`` and Esc close."""

    DEFAULT_CSS = """
    RowDialog OptionList { height: auto; max-height: 22; border: none; padding: 0; background: $panel; }
    RowDialog OptionList:focus { border: none; }
    RowDialog OptionList:focus > .option-list--option-highlighted {
        background: $primary 25%; color: $foreground; text-style: none;
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j", "move(1)", show=False),
        Binding("k", "move(-1)", show=False),
        Binding("q", "cancel", show=False),
    ]

    def __init__(self, title: str, *, hint: str) -> None:
        super().__init__(title, hint=hint)
        self.list = OptionList(markup=False)

    def inside(self) -> list[Widget]:
        """The list."""
        return [self.list]

    def on_mount(self) -> None:
        """Fill the list and focus it."""
        self.fill()
        self.list.focus()

    @abstractmethod
    def fill(self) -> None:
        """Show the current rows."""

    def show_rows(self, rows: Iterable[Content], *, empty: str = "") -> None:
        """Replace the rows and keep the cursor's position. ``empty`` is shown if there are none."""
        at = self.list.highlighted or 0
        options = [Option(row) for row in rows]
        self.list.clear_options()
        self.list.add_options(options or [Option(Content(empty), disabled=True)])
        if options:
            self.list.highlighted = min(at, len(options) - 1)

    def attempt(self, change: Callable[[], object]) -> bool:
        """Do something that a full disk or a read-only session can refuse; return whether it was done."""
        try:
            change()
        except GlboardError as error:
            notices.tell(self.app, notices.notice_of(error))
            return False
        return True

    def action_move(self, step: int) -> None:
        """Move up or down."""
        self.list.action_cursor_down() if step > 0 else self.list.action_cursor_up()


# The change log: each change made with glboard, when, the value before, and the result.

_TONES = {"failed": "$text-error", "dropped": "$text-warning", "undone": "$text-warning"}


class History(RowDialog):
    """The log, newest first. ``u`` undoes the last change, as on the board."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("u", "undo", show=False)]

    def __init__(self, bridge: Bridge) -> None:
        super().__init__("Changes made with glboard", hint="u undoes the last one · Esc closes")
        self._bridge = bridge

    def fill(self) -> None:
        """Show the current log."""
        self.show_rows((_row(row) for row in self._bridge.history()), empty="No changes yet.")

    def action_undo(self) -> None:
        """Undo the last change and close, so that the board shows it; stay open if undo fails."""
        if self.attempt(self._bridge.undo):
            self.dismiss(None)


def _row(row: Past) -> Content:
    parts: list[str | tuple[str, str]] = [
        (row.when, "dim"),
        "  ",
        (clean(row.reference), "bold"),
        f"  {clean(row.what)}",
    ]
    if row.was:
        parts.append((f"  was: {clean(row.was)}", "dim"))
    if row.result not in ("done", WAITS):
        parts.append((f"  {row.result}", _TONES.get(row.result, "dim")))
    if row.message:
        parts.append((f"\n       {clean(row.message)}", "$text-error"))
    return Content.assemble(*parts)


# Editing a failed change: opens the editor for its kind, filled in with the failed value.

Done = Callable[[Change], None]

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


def mend(context: CommandContext, row: Refused, done: Done) -> None:
    """Open the editor; ``done`` gets the edited change, and is not called on Esc."""
    parts = parts_of(row.change)
    if len(parts) > 1:
        context.ask(
            "Which part do you want to edit? The rest is sent unchanged.",
            {_LETTERS[part]: part for part in parts},
            lambda letter: _mend(context, row, next(p for p in parts if _LETTERS[p] == letter), done),
            note=row.message,
        )
    elif parts:
        _mend(context, row, parts[0], done)


def _mend(context: CommandContext, row: Refused, part: str, done: Done) -> None:
    issue = context.bridge.issue(row.issue)
    if part == "comment":
        _comment(context, row, done)
    elif part == "weight":
        _weight(context, row, done)
    elif part == "title":
        _title(context, row, done)
    elif part == "description":
        _description(context, row, issue, done)
    elif part == "assignees":
        _assignees(context, row, issue, done)
    else:
        choose = {"milestone": _milestone, "labels": _labels}[part]
        choose(context, row, issue, {row.change.project_of(issue) or row.project}, done)


def _comment(context: CommandContext, row: Refused, done: Done) -> None:
    from glboard_tui.screens.dialogs import CommentDialog

    key = ("failed", row.op)

    def written(answer: tuple[str, bool] | None) -> None:
        if answer is None:
            return
        text, send = answer
        # It stays a draft until it is sent.
        context.drafts[key] = text
        if send:
            done(row.change.with_values(body=text))

    draft = CommentDialog(
        f"Comment on {row.reference}", text=context.drafts.get(key, row.change.comment), note=row.message
    )
    context.screen.app.push_screen(draft, written)


def _weight(context: CommandContext, row: Refused, done: Done) -> None:
    from glboard_tui.screens.dialogs import Prompt

    def typed(text: str | None) -> None:
        if text is not None:
            done(row.change.with_values(weight=int(text) if text.strip() else None))

    weight = row.change.value("weight")
    prompt = Prompt(
        f"Weight of {row.reference}",
        value="" if weight is None else str(weight),
        note=row.message,
        placeholder="leave empty to clear",
        check=wrong_weight,
    )
    context.screen.app.push_screen(prompt, typed)


def _title(context: CommandContext, row: Refused, done: Done) -> None:
    from glboard_tui.screens.dialogs import Prompt

    def typed(text: str | None) -> None:
        if text is not None:
            done(row.change.with_values(title=text.strip()))

    prompt = Prompt(
        f"Title of {row.reference}",
        value=row.change.typed[0],
        note=row.message,
        check=lambda text: "" if text.strip() else "An issue needs a title.",
    )
    context.screen.app.push_screen(prompt, typed)


def _description(context: CommandContext, row: Refused, issue: Issue | None, done: Done) -> None:
    key = ("failed", row.op)
    change = row.change
    title, description = change.typed
    was = title or (issue.title if issue else "")
    before = joined(was, description)
    try:
        after = edit_in_editor(context.screen.app, context.drafts.get(key, before))
    except GlboardError as error:
        context.tell(error)
        return
    if after is None:
        return
    context.drafts[key] = after
    title, description = split(after)
    if title and title != was:
        change = change.with_values(title=title)
    done(change.with_values(description=description))


def _milestone(
    context: CommandContext, row: Refused, _: Issue | None, projects: set[str], done: Done
) -> None:
    failed = row.change.value("milestone")
    choices = milestone_choices(context, projects)
    # The failed one first, if it can be chosen at all: the cursor starts there.
    choices.sort(key=lambda choice: choice.value != failed)
    context.pick(
        f"Milestone of {row.reference} instead of {failed or 'none'}",
        choices,
        lambda result: done(row.change.with_values(milestone=result.add[0])),
        note=row.message,
    )


def _assignees(context: CommandContext, row: Refused, issue: Issue | None, done: Done) -> None:
    wanted: tuple[str, ...] = row.change.value("assignees") or ()
    now = issue.assignees if issue else ()

    def picked(result: Result) -> None:
        kept = [name for name in now if name not in result.remove]
        done(row.change.with_values(assignees=tuple(dict.fromkeys((*kept, *result.add)))))

    context.pick(
        f"Assignees of {row.reference}",
        person_choices(context, [*wanted, *(name for name in now if name not in wanted)]),
        picked,
        ticks=_ticked(now, wanted),
        note=row.message,
    )


def _labels(
    context: CommandContext, row: Refused, issue: Issue | None, projects: set[str], done: Done
) -> None:
    now = issue.labels if issue else frozenset()
    wanted = row.change.labels_on(now)
    first = sorted(wanted - now, key=str.casefold) + sorted(now, key=str.casefold)

    def picked(result: Result) -> None:
        done(row.change.with_labels(frozenset(result.add), result.remove))

    context.pick(
        f"Labels of {row.reference}",
        label_choices(context, projects, first),
        picked,
        ticks=_ticked(now, wanted, scoped=True),
        note=row.message,
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


class FailedList(RowDialog):
    """The failed changes, newest first."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("r", "retry", show=False),
        Binding("e", "edit", show=False),
        Binding("y", "copy", show=False),
        Binding("d", "drop", show=False),
        Binding("R", "retry_all", show=False),
        Binding("D", "drop_all", show=False),
    ]

    def __init__(self, context: CommandContext) -> None:
        hint = "r retry · e edit · y copy · d discard · R, D all of them · Esc closes"
        super().__init__("Failed changes", hint=hint)
        self._command_context = context
        self._bridge = context.bridge
        self._rows: list[Refused] = []

    def fill(self) -> None:
        """Show the current list; close it once it is empty."""
        self._rows = self._bridge.failed()
        if self._rows:
            self.show_rows(self._words(row) for row in self._rows[:_MOST])
        else:
            self.dismiss(None)

    def _chosen(self) -> Refused | None:
        at = self.list.highlighted
        return self._rows[at] if at is not None and at < len(self._rows) else None

    def action_retry(self) -> None:
        """Retry the change."""
        if row := self._chosen():
            self.attempt(lambda: self._bridge.retry(row.op))
            self.fill()

    def action_edit(self) -> None:
        """Edit the change and send it instead; until then it stays in the list."""
        row = self._chosen()
        if row is None:
            return
        if not parts_of(row.change):
            self.say("Nothing to edit: r retries, d discards it.")
        elif not self._bridge.writable:
            self.say("Read-only session: nothing changed.")
        else:
            mend(self._command_context, row, lambda change: self._mended(row.op, change))

    def _mended(self, op: OpId, change: Change) -> None:
        taken: list[bool] = []
        if not self.attempt(lambda: taken.append(self._bridge.instead(op, change))):
            return
        if taken[0]:
            self._command_context.drafts.pop(("failed", op), None)
            self._command_context.say("Sent instead.")
            self.fill()
        else:
            self.say("Nothing sent: already set, or the issue is gone.")

    def action_copy(self) -> None:
        """Copy the typed text, or the change and its error if there is none."""
        if row := self._chosen():
            text = self._command_context.drafts.get(("failed", row.op)) or text_of(row.change)
            self.app.copy_to_clipboard(text or f"{row.reference} {row.what}: {row.message}")
            self.say("Copied: text" if text else "Copied: change and error")

    def action_drop(self) -> None:
        """Discard the change, after asking if it has typed text, which exists nowhere else."""
        if row := self._chosen():
            self._drop([row])

    def action_retry_all(self) -> None:
        """Retry all, in their original order."""
        self._each(self._bridge.retry, list(reversed(self._rows)))

    def action_drop_all(self) -> None:
        """Discard all."""
        self._drop(self._rows)

    def _drop(self, rows: list[Refused]) -> None:
        def go() -> None:
            self._each(self._bridge.drop, rows)

        texts = sum(bool(text_of(row.change)) for row in rows)
        if not texts:
            go()
            return
        one = len(rows) == 1
        self._command_context.ask(
            "Discard it and your text?" if one else f"Discard {len(rows)} changes, {texts} with your text?",
            {"y": "discard it" if one else "discard them all"},
            lambda _: go(),
            note="To copy a text first, press y in the list.",
        )

    def _each(self, change: Callable[[OpId], None], rows: Sequence[Refused]) -> None:
        """Apply to each row and stop at the first error: the others would fail for the same reason."""

        def go() -> None:
            for row in rows:
                change(row.op)

        self.attempt(go)
        self.fill()

    def _words(self, row: Refused) -> Content:
        issue = self._bridge.issue(row.issue)
        masked = issue is not None and self._bridge.mask(issue) is not None
        typed = "" if masked else " ".join(text_of(row.change).split())
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
        return Content.assemble(*parts)
