"""Opening a milestone in GitLab: what would be done, line by line, then how it goes.

Owns the lines and which of them are left out. Nothing is written before Enter; reading and writing run beside
the screen, and leaving it does not stop what was begun.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from textwrap import wrap
from typing import TYPE_CHECKING, ClassVar, cast

from textual.binding import Binding, BindingType
from textual.content import Content

from glboard_core.errors import GlboardError
from glboard_core.model.milestone import Milestone
from glboard_core.planning.opening import Action, Outcome, Step
from glboard_tui.screens.desk import Desk
from glboard_tui.screens.listing import Listing
from glboard_tui.widgets.text import clean, fit

if TYPE_CHECKING:
    from glboard_core.opening import Opening

_DOES: dict[Action, tuple[str, str]] = {
    "create": ("create", "$text-success"),
    "update": ("update", "$text-accent"),
    "nothing": ("as it is", "dim"),
    "impossible": ("not possible", "$text-warning"),
}
_READING = "Reading what GitLab has … · Esc closes"
_LOOKED = "Enter does it · Space leaves a line out · r looks again · Esc closes"
_NOTHING = "Nothing to do · r looks again · Esc closes"
#: Cells before the words of a line; an option's own padding and the scrollbar; and where nothing is known.
_INDENT, _BESIDE, _ROOM = 4, 4, 60


class OpeningPane(Listing):
    """``Enter`` carries the plan out. Closed before that, nothing happened."""

    DEFAULT_CSS = """
    OpeningPane OptionList, OpeningPane OptionList:focus { border: none; padding: 0; margin: 1 0; }
    OpeningPane OptionList:focus > .option-list--option-highlighted {
        color: $foreground; background: $primary 30%;
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "go", show=False, priority=True),
        Binding("space", "leave_out", show=False),
        Binding("r", "look", show=False),
        Binding("o", "browser", show=False),
    ]

    def __init__(self, desk: Desk, milestone: Milestone) -> None:
        super().__init__(f"Open {milestone.title} in GitLab", hint=_READING)
        self._desk = desk
        self._milestone = milestone
        self._opening: Opening | None = None
        self._steps: list[Step] = []
        self._left: set[Step] = set()
        self._at: Step | None = None
        self._done: dict[Step, Outcome] = {}
        self._trouble: GlboardError | None = None
        self._left_for_good = False
        #: Whether GitLab is asked, or written to.
        self.is_busy = False
        #: The line of hints.
        self.said = self.hint

    def on_mount(self) -> None:
        """Look what there is."""
        self.action_look()

    def fill(self) -> None:
        """The plan, or what is going on."""
        if self._trouble is not None:
            error = self._trouble
            words = Content.assemble(
                (clean(error.message), "$text-error"), f"\n{clean(error.hint)}" if error.hint else ""
            )
            self.show_rows([words])
        else:
            self.show_rows((self._words(step) for step in self._steps), empty="Reading …")

    # Looking

    def action_look(self) -> None:
        """Read what GitLab has, and plan anew."""
        if not self.is_busy:
            self._begin(self._look)

    async def _look(self) -> None:
        self._trouble, self._steps, self._left, self._done = None, [], set(), {}
        self._tell(_READING)
        try:
            self._opening = self._opening or self._desk.screen.plan.opening(self._milestone)
            self._steps = await self._opening.look()
        except GlboardError as error:
            self._trouble = error
            self._tell("r tries again · Esc closes")
            return
        self._tell(_LOOKED if self._is_due() else _NOTHING)

    def _is_due(self) -> bool:
        return any(step.is_due and step not in self._left for step in self._steps)

    # Doing

    def action_leave_out(self) -> None:
        """Leave a line out, or take it in again."""
        at = self.list.highlighted
        if self.is_busy or self._done or at is None or at >= len(self._steps):
            return
        step = self._steps[at]
        if not step.is_due:
            self.say("There is nothing to do in this line.")
            return
        self._left ^= {step}
        self._tell(_LOOKED if self._is_due() else _NOTHING)

    def action_go(self) -> None:
        """Carry it out."""
        if self.is_busy:
            return
        if self._done or self._trouble is not None:
            self._tell("r looks again, and plans what is missing.")
        elif self._is_due():
            self._begin(self._go)
        else:
            self.say(_NOTHING)

    async def _go(self) -> None:
        opening = cast("Opening", self._opening)
        due = sum(step.is_due and step not in self._left for step in self._steps)

        def progress(step: Step, outcome: Outcome | None) -> None:
            self._at = step if outcome is None else None
            if outcome is not None:
                self._done[step] = outcome
            self._tell(f"{len(self._done)} of {due} done …")

        try:
            outcomes = await opening.do(without=self._left, progress=progress)
        except GlboardError as error:
            self._at = None
            self._desk.tell(error)
            self._tell("r looks again · Esc closes")
            return
        self._done = {one.step: one for one in outcomes}
        # The board and the planning issue's key are to know what was made.
        self._desk.bridge.refresh()
        missing = sum(not one.is_whole for one in outcomes)
        if missing:
            said = f"{missing} of {len(outcomes)} not done, or only in part"
        else:
            said = f"Opened {self._milestone.title}"
        self._desk.say(said, bad=bool(missing))
        again = "r looks again · " if missing else ""
        self._tell(f"{said} · {again}o browser · Esc closes")

    def action_browser(self) -> None:
        """Open what the line is about."""
        at = self.list.highlighted
        step = self._steps[at] if at is not None and at < len(self._steps) else None
        done = self._done.get(step) if step is not None else None
        url = (done.url if done else "") or (step.url if step is not None else "")
        if url.startswith(("https://", "http://")):
            self.app.open_url(url)
        else:
            self.say("It is not in GitLab yet.")

    # Beside the screen

    def _begin(self, job: Callable[[], Awaitable[None]]) -> None:
        """Run a job of the board screen's, which outlives this one: what was begun is not stopped."""
        self.is_busy = True

        async def run() -> None:
            try:
                await job()
            finally:
                self.is_busy = False
                if self._left_for_good:
                    self._close()

        self._desk.screen.work(run(), "opening")

    def _tell(self, hint: str) -> None:
        self.said = hint
        if not self._left_for_good:
            self.fill()
            self.say(hint)

    def action_cancel(self) -> None:
        """Leave; what was begun goes on."""
        self._gone()
        super().action_cancel()

    def on_unmount(self) -> None:
        """The same, where the whole program is left."""
        self._gone()

    def _gone(self) -> None:
        # Known before the widgets go: what is under way would look for them.
        self._left_for_good = True
        if not self.is_busy:
            self._close()

    def _close(self) -> None:
        if self._opening is not None:
            self._opening.close()
            self._opening = None

    # Words

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
        """Words under a line, wrapped where the list ends."""
        width = self.list.size.width
        room = max(20, width - _BESIDE - _INDENT) if width else _ROOM
        return [Content.styled(" " * _INDENT + line, style) for line in wrap(clean(text), room)]

    def _state(self, step: Step) -> tuple[str, str]:
        outcome = self._done.get(step)
        if outcome is not None:
            if outcome.is_whole:
                return "✓ done", "$text-success"
            return ("! in part" if outcome.state == "done" else f"! {outcome.state}"), "$text-error"
        if step is self._at:
            return "…", "$text-accent"
        if step in self._left:
            return "- left out", "dim"
        does, ink = _DOES[step.action]
        return f"{'+' if step.is_due else ' '} {does}", ink
