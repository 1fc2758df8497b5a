"""Opening a milestone in GitLab: a preview line by line, then the progress.

Owns the lines and which of them are left out. Nothing is written before Enter; reading and writing run in the
background, and closing the dialog does not stop a write in progress.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from textwrap import wrap
from typing import TYPE_CHECKING, cast

from textual.content import Content

from glboard_core.errors import GlboardError
from glboard_core.model.milestone import Milestone
from glboard_core.planning.milestone_setup import Action, Step, StepOutcome
from glboard_tui.commands.context import CommandContext
from glboard_tui.screens.keys import RowDialog, hint_line
from glboard_tui.terminal import has_browser
from glboard_tui.widgets.text import clean, fit

if TYPE_CHECKING:
    from glboard_core.milestone_setup import MilestoneSetup

_DOES: dict[Action, tuple[str, str]] = {
    "create": ("create", "$text-success"),
    "update": ("update", "$text-accent"),
    "nothing": ("no change", "dim"),
    "impossible": ("not possible", "$text-warning"),
}
#: Cells before a line's text; for an option's padding and the scrollbar; and the width if it is not known.
_INDENT, _PADDING, _WIDTH = 4, 4, 60
_READING = "Loading from GitLab …"


class MilestoneSetupDialog(RowDialog):
    """``Enter`` applies the plan. Closing the dialog before that changes nothing."""

    DEFAULT_CSS = """
    MilestoneSetupDialog OptionList, MilestoneSetupDialog OptionList:focus { margin: 1 0; }
    MilestoneSetupDialog OptionList:focus > .option-list--option-highlighted {
        color: $foreground; background: $primary 30%;
    }
    """
    scope = "milestone-setup"

    def __init__(self, context: CommandContext, milestone: Milestone) -> None:
        super().__init__(context, f"Open {milestone.title} in GitLab", hint=_READING)
        self._milestone = milestone
        self._setup: MilestoneSetup | None = None
        self._steps: list[Step] = []
        self._left: set[Step] = set()
        self._at: Step | None = None
        self._done: dict[Step, StepOutcome] = {}
        self._trouble: GlboardError | None = None
        self._left_for_good = False
        #: Whether a request to GitLab is running.
        self.is_busy = False
        #: The line of hints.
        self.said = _READING

    def on_mount(self) -> None:
        self.action_reload()

    def fill(self) -> None:
        if self._trouble is not None:
            error = self._trouble
            words = Content.assemble(
                (clean(error.message), "$text-error"), f"\n{clean(error.hint)}" if error.hint else ""
            )
            self.show_rows([words])
        else:
            self.show_rows((self._words(step) for step in self._steps), empty="Loading …")

    # Reading

    def action_reload(self) -> None:
        if not self.is_busy:
            self._begin(self._look)

    async def _look(self) -> None:
        self._trouble, self._steps, self._left, self._done = None, [], set(), {}
        self._tell(_READING)
        try:
            self._setup = self._setup or self.context.planning.setup(self._milestone)
            self._steps = await self._setup.look()
        except GlboardError as error:
            self._trouble = error
            self._tell(self._keys_of("reload"))
            return
        self._tell(self._what_next)

    @property
    def _what_next(self) -> str:
        if self._is_due():
            return self._keys_of("apply", "leave-out", "reload")
        return f"Nothing to do · {self._keys_of('reload')}"

    def _keys_of(self, *names: str) -> str:
        ids = [f"milestone-setup.{name}" for name in names]
        return hint_line(self.context.keymap, *ids, "escape")

    def _is_due(self) -> bool:
        return any(step.is_due and step not in self._left for step in self._steps)

    # Applying

    def action_leave_out(self) -> None:
        at = self.list.highlighted
        if self.is_busy or self._done or at is None or at >= len(self._steps):
            return
        step = self._steps[at]
        if not step.is_due:
            self.say("Nothing to do on this line.")
            return
        self._left ^= {step}
        self._tell(self._what_next)

    def action_apply(self) -> None:
        if self.is_busy:
            return
        if self._done or self._trouble is not None:
            key = self.context.keymap.key("milestone-setup.reload")
            self._tell(f"{key} refreshes and finds what is missing.")
        elif self._is_due():
            self._begin(self._go)
        else:
            self.say(self._what_next)

    async def _go(self) -> None:
        setup = cast("MilestoneSetup", self._setup)
        due = sum(step.is_due and step not in self._left for step in self._steps)

        def progress(step: Step, outcome: StepOutcome | None) -> None:
            self._at = step if outcome is None else None
            if outcome is not None:
                self._done[step] = outcome
            self._tell(f"{len(self._done)} of {due} done …")

        try:
            outcomes = await setup.do(without=self._left, progress=progress)
        except GlboardError as error:
            self._at = None
            self.context.tell(error)
            self._tell(self._keys_of("reload"))
            return
        self._done = {one.step: one for one in outcomes}
        # What is written here is no news, and nothing that undo can revert.
        self.context.bridge.wrote([one.issue for one in outcomes if one.issue is not None])
        if any(one.state == "done" for one in outcomes):
            self.context.bridge.undoing.no_undo = (
                f"Opening {self._milestone.title} cannot be undone: boards, labels and the issue stay in "
                "GitLab."
            )
        # The board and the planning issue's key need what was created.
        self.context.bridge.refresh()
        missing = sum(not one.is_whole for one in outcomes)
        if missing:
            said = f"{missing} of {len(outcomes)} not done, or only in part"
        else:
            said = f"Opened {self._milestone.title}"
        self.context.say(said, bad=bool(missing))
        self._tell(f"{said} · {self._keys_of(*(['reload'] if missing else []), 'browser')}")

    def action_browser(self) -> None:
        at = self.list.highlighted
        step = self._steps[at] if at is not None and at < len(self._steps) else None
        done = self._done.get(step) if step is not None else None
        url = (done.url if done else "") or (step.url if step is not None else "")
        if url.startswith(("https://", "http://")):
            if has_browser():
                self.app.open_url(url)
            else:
                self.app.copy_to_clipboard(url)
                self.say(f"No browser here; sent to the terminal's clipboard: {url}")
        else:
            self.say("Not in GitLab yet.")

    # Background

    def _begin(self, job: Callable[[], Awaitable[None]]) -> None:
        """Run a job on the board screen, which outlives this dialog, so that closing does not stop it."""
        self.is_busy = True

        async def run() -> None:
            try:
                await job()
            finally:
                self.is_busy = False

        self.context.shell.work(run(), "opening")

    def _tell(self, hint: str) -> None:
        self.said = hint
        if not self._left_for_good:
            self.fill()
            self.say(hint)

    def action_cancel(self) -> None:
        self._gone()
        super().action_cancel()

    def on_unmount(self) -> None:
        self._gone()

    def _gone(self) -> None:
        # Set before the widgets are removed: a running job would look for them.
        self._left_for_good = True

    # Texts

    def _words(self, step: Step) -> Content:
        state, ink = self._state(step)
        head = Content.assemble((fit(state, 15), ink), (fit(step.part, 7), "dim"), (clean(step.name), "bold"))
        outcome = self._done.get(step)
        lines = [head]
        if outcome is None and step not in self._left:
            lines += [line for words in step.words for line in self._indented(words)]
        if outcome is not None:
            lines += self._indented(outcome.message, "$text-error") + self._indented(outcome.hint, "dim")
        lines += [line for note in step.notes for line in self._indented(note, "dim")]
        return Content("\n").join(lines)

    def _indented(self, text: str, style: str = "") -> list[Content]:
        """Text under a line, wrapped at the width of the list."""
        width = self.list.size.width
        cells = max(20, width - _PADDING - _INDENT) if width else _WIDTH
        return [Content.styled(" " * _INDENT + line, style) for line in wrap(clean(text), cells)]

    def _state(self, step: Step) -> tuple[str, str]:
        outcome = self._done.get(step)
        if outcome is not None:
            if outcome.is_whole:
                return "✓ done", "$text-success"
            return ("! partly" if outcome.state == "done" else f"! {outcome.state}"), "$text-error"
        if step is self._at:
            return "…", "$text-accent"
        if step in self._left:
            return "- left out", "dim"
        does, ink = _DOES[step.action]
        return f"{'+' if step.is_due else ' '} {does}", ink
