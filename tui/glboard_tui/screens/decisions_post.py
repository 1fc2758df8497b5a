"""The preview before decisions are posted: the exact text, to be edited, copied or written to a file.

On a shared screen the preview, copies and files are without what is hidden there. The comment is not: it goes
to the planning issue, where it must say the same whether or not the screen was shared when it was posted.
"""

from __future__ import annotations

import os

from textual.containers import VerticalScroll
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from glboard_core.errors import GlboardError
from glboard_core.files import path_of
from glboard_core.model.issue import Issue
from glboard_core.planning.call import Call
from glboard_core.planning.decisions_text import DecisionList, without_capacity
from glboard_core.planning.hidden_lines import with_hidden
from glboard_core.planning.text import counted
from glboard_tui.commands.call import attempt
from glboard_tui.commands.context import CommandContext
from glboard_tui.own_note import note_before
from glboard_tui.screens.editor import edit_in_editor
from glboard_tui.screens.keys import PaneDialog, hint_line
from glboard_tui.widgets.text import clean

#: How the message is written to a file: a pipe is not waited for.
_WRITE = os.O_WRONLY | os.O_CREAT | getattr(os, "O_NONBLOCK", 0)


class PostDecisions(PaneDialog[tuple[str, str | None]]):
    """Dismissed with the text to post and the one it replaces, if any. ``issue`` is the planning issue."""

    scope = "decisions-post"
    asks = True
    DEFAULT_CSS = """
    PostDecisions .preview {
        height: auto; max-height: 45vh; margin: 1 0; background: $surface; padding: 0 1;
    }
    PostDecisions .preview Static { height: auto; }
    PostDecisions .state { height: auto; max-height: 4; }
    PostDecisions.-low .preview { max-height: 25vh; margin: 0; }
    PostDecisions.-tiny .preview { max-height: 4; margin: 0; }
    """

    def __init__(self, context: CommandContext, call: Call, issue: Issue | None, person: str = "") -> None:
        where = f" on {context.bridge.text(issue.reference)}" if issue is not None else ""
        note = clean(context.bridge.title_of(issue)) if issue is not None else ""
        by = f" by @{person}" if person else ""
        super().__init__(context, f"Post the decisions of {call.milestone}{by}{where}", note=note)
        self._calls = context.planning.calls
        self._call = call
        self._issue = issue
        self._person = person
        #: The message as generated and as it is posted, and what of it everybody may see.
        self._generated = self._text = self._seen = ""
        self._was: str | None = None
        self._looked = False
        self._trouble = ""
        self._shown = Static()
        self._scroll = VerticalScroll(self._shown, classes="preview", can_focus=False)
        self._state = Static(classes="state")

    def inside(self) -> list[Widget]:
        """The text, and what posting it will do."""
        return [self._scroll, self._state]

    def on_mount(self) -> None:
        """Show the text at once, and look for the earlier comment in the background."""
        self._show()
        if self._issue is not None:
            self.run_worker(self._look(self._issue), group="post", exit_on_error=False)
        super().on_mount()

    async def _look(self, issue: Issue) -> None:
        try:
            self._was = await note_before(self.context.bridge.engine, issue, self._call.mark_of(self._person))
            self._looked = True
        except GlboardError as error:
            self._trouble = f"Cannot load your earlier comment: {clean(str(error))}"
        self._show()

    @property
    def _edited(self) -> str:
        """The message as a person edited it; "" if no one did."""
        return self._call.text_of(self._person)[0]

    def _show(self) -> None:
        self._generated = self._calls.text(self._call, self._person, whole=True)
        self._text = self._edited or self._generated
        self._seen = self._calls.text(self._call, self._person)
        if self._edited:
            self._seen = self._edited_for_all(self._seen)
        self._shown.update(Content("\n".join(map(clean, self._seen.splitlines()))))
        self._state.update(Content("\n").join(self._notes()))
        names = ("send", "edit", "copy", "write", *(("again",) if self._edited else ()))
        keymap = self.context.keymap
        self.hint = hint_line(keymap, *(f"decisions-post.{name}" for name in names), "escape")
        self.say(self.hint)

    def _edited_for_all(self, generated: str) -> str:
        """What everybody may see of the edited message; the lines of ``generated`` are for everybody."""
        bridge = self.context.bridge
        if not bridge.share.is_on:
            return self._edited
        lines, whole = frozenset(generated.splitlines()), frozenset(self._generated.splitlines())
        rows = {issue: line for line in lines if (issue := _issue_of_row(line))}
        found = []
        for line in without_capacity(self._edited).splitlines():
            shown = rows.get(_issue_of_row(line), "") if line in whole else ""
            shown = shown or bridge.text(line)
            found.append(shown if shown in lines else bridge.typed(line))
        return bridge.text("\n".join(found))

    @property
    def modes(self) -> frozenset[str]:
        return frozenset({"edited"} if self._edited else ())

    def _notes(self) -> list[Content]:
        lines: list[Content] = []
        if self._edited:
            again = self.context.keymap.key("decisions-post.again")
            if self._call.text_of(self._person)[1] == self._generated:
                lines.append(Content("Edited by you."))
            else:
                words = f"Edited by you; the list has changed since. {again} discards your edits."
                lines.append(Content.styled(words, "$text-warning"))
        found = self._calls.listed(self._call, self._person, whole=True)
        confidential = found.confidential_notes if found is not None else 0
        if self._seen != self._text:
            after = found.after if found is not None else None
            hidden = [
                *(["the capacity"] if after is not None and after.total is not None else []),
                *([f"your {counted(confidential, 'note')} on confidential issues"] if confidential else []),
                *(["masked words"] if self.context.bridge.text(self._text) != self._text else []),
                *(["lines about confidential issues"] if self._tells(found) else []),
            ]
            what = ", ".join(hidden) or "lines about confidential issues"
            words = f"The comment includes what this screen hides: {what}."
            lines.append(Content.styled(words, "$text-warning"))
        elif confidential:
            of = counted(confidential, "note")
            lines.append(
                Content.styled(f"Includes your {of} on confidential issues, as typed.", "$text-warning")
            )
        if self._issue is None:
            lines.append(Content(f"No planning issue for {clean(self._call.milestone)}."))
        elif self._trouble:
            lines.append(Content.styled(self._trouble, "$text-error"))
        elif not self._looked:
            lines.append(Content("Looking for your earlier comment …"))
        elif self._was is None:
            own = " Everyone's decisions get a separate comment." if self._person else ""
            lines.append(Content(f"A new comment will be posted.{own}"))
        elif self._was == self._text:
            lines.append(Content("Your earlier comment is up to date."))
        else:
            own = f" with the decisions by @{clean(self._person)}" if self._person else ""
            lines.append(Content(f"Your earlier comment{own} will be updated."))
        return lines

    def _tells(self, found: DecisionList | None) -> bool:
        """Whether something typed elsewhere than on a confidential issue is hidden since it tells of one."""
        if found is None:
            return False
        typed = [one.note.text for one in found.decisions if one.note and not one.issue.confidential]
        bridge = self.context.bridge
        return any(bridge.typed(one) != bridge.text(one) for one in (*typed, *found.questions))

    def go(self, step: int) -> None:
        self._scroll.scroll_relative(y=2 * step, animate=False)

    def half(self, direction: int) -> None:
        self._scroll.scroll_relative(y=direction * self._scroll.size.height // 2, animate=False)

    def action_send(self) -> None:
        if self._issue is None:
            self.say(f"No planning issue for {self._call.milestone}. Open the milestone first.")
        elif not self._looked:
            self.say(self._trouble or "Still looking for your earlier comment …")
        elif self._was == self._text:
            self.say("Nothing to post: your earlier comment is up to date.")
        elif self.context.bridge.drafts.is_on:
            key = self.context.keymap.key("draft.toggle")
            self.say(f"A draft is on, so nothing is sent. Turn it off with {key} to post.")
        else:
            self.dismiss((self._text, self._was))

    def action_edit(self) -> None:
        try:
            after = edit_in_editor(self.app, self._seen + "\n")
        except GlboardError as error:
            self.context.tell(error)
            return
        if after is None or after.strip() == self._seen.strip():
            self.say("No changes.")
            return
        if not after.strip():
            # As in Git: whoever empties the text does not want to use it.
            self.say("Not changed: the text was empty.")
            return
        self._keep(with_hidden(after.strip(), self._seen, self._text))

    def action_again(self) -> None:
        self._keep("")

    def _keep(self, text: str) -> None:
        def keep() -> None:
            self._call = self._calls.edit(self._call, text, self._generated, self._person)

        if attempt(self.context, keep):
            self._show()

    def action_copy(self) -> None:
        self.app.copy_to_clipboard(self._seen)
        self.say("Sent to the terminal's clipboard.")

    def action_write(self) -> None:
        day = self._call.started.astimezone(self._calls.zone)
        name = f"decisions-{self._call.milestone}-{day:%Y-%m-%d}.md".replace("/", "-")
        self.context.prompt(
            "Save the decisions to a file",
            self._write,
            value=name,
            hint="Enter saves · Esc cancels",
        )

    def _write(self, typed: str, over: bool = False) -> None:
        if not typed.strip():
            return
        file = path_of(typed.strip())
        try:
            handle = os.open(file, _WRITE | (os.O_TRUNC if over else os.O_EXCL), 0o600)
            with os.fdopen(handle, "w", encoding="utf-8") as out:
                out.write(self._seen + "\n")
        except FileExistsError:
            self.context.ask(
                f"{file} already exists. Overwrite it?",
                {"y": "overwrite it"},
                lambda _: self._write(typed, over=True),
            )
        except OSError as error:
            self.say(f"Cannot save {file}: {error.strerror}. Choose another location.")
        else:
            self.say(f"Saved {file}.")


def _issue_of_row(line: str) -> str:
    """The reference in the first cell of a row of the message; "" for another line."""
    cell = line.removeprefix("| ").partition(" | ")[0] if line.startswith("| ") else ""
    return cell if "#" in cell else ""
