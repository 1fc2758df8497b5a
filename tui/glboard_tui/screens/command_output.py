"""What a command of one's own says: its output while it runs, and how it ended.

Closing it stops nothing. On a shared screen the output is not shown: what a program prints cannot be told
apart from what is hidden.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from textual.content import Content
from textual.geometry import Size
from textual.strip import Strip
from textual.timer import Timer
from textual.widget import Widget
from textual.widgets import Static

from glboard_core.command_run import CommandRun
from glboard_tui.commands.context import CommandContext
from glboard_tui.screens.keys import PaneDialog, hint_line
from glboard_tui.widgets.colors import palette_of
from glboard_tui.widgets.table import LineList
from glboard_tui.widgets.text import Line, clean

#: Seconds between two looks at what came.
_EVERY = 0.1
#: Lines of the output from the start.
_LEAST = 6
_HIDDEN = "The output of commands is hidden on the shared screen."


class OutputView(LineList):
    """Lines of text, without a cursor. It follows the end while the end is in view."""

    DEFAULT_CSS = """
    OutputView { height: auto; margin: 1 0; background: $surface; overflow-x: hidden; }
    CommandOutput.-low OutputView, CommandOutput.-tiny OutputView { margin: 0; }
    """

    def __init__(self) -> None:
        super().__init__()
        self.lines: Sequence[str] = ()

    def show(self, lines: Sequence[str]) -> None:
        """Show these lines."""
        at_end = self.scroll_offset.y + self.seen >= len(self.lines)
        grows = len(lines) > max(len(self.lines), _LEAST)
        self.lines = lines
        self.measure(len(lines))
        if grows and self.size.height < self._most:
            self.refresh(layout=True)
        if at_end:
            self.scroll_to(y=max(0, len(lines) - self.seen), animate=False, immediate=True)
        self.refresh()

    def scroll_lines(self, step: int) -> None:
        """Scroll by lines."""
        most = max(0, len(self.lines) - self.seen)
        self.scroll_to(y=min(max(self.scroll_offset.y + step, 0), most), animate=False, immediate=True)
        self.refresh()

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """As many lines as there are, within bounds: it grows as lines come."""
        return min(max(len(self.lines), _LEAST), self._most)

    @property
    def _most(self) -> int:
        return max(3, self.app.size.height * 60 // 100 - 2)

    def render_line(self, y: int) -> Strip:
        """One line."""
        palette = palette_of(self.app)
        line = Line(self.scrollable_content_region.width)
        style = palette.style("card")
        at = self.line_at(y)
        if at is not None and at < len(self.lines):
            line.add(f" {clean(self.lines[at])}", style)
        return line.strip(style)


class CommandOutput(PaneDialog[None]):
    """The last command. ``again`` runs it once more."""

    scope = "command-output"
    DEFAULT_CSS = """
    CommandOutput .state { height: auto; max-height: 3; }
    CommandOutput .state.-bad { color: $text-error; }
    """

    def __init__(self, context: CommandContext, again: Callable[[], None]) -> None:
        run = context.own_commands.last
        assert run is not None
        super().__init__(context, context.bridge.text(run.name), note=_line(context, run))
        self._run = run
        self._again = again
        self._view = OutputView()
        self._state = Static(classes="state")
        self._timer: Timer | None = None

    def inside(self) -> list[Widget]:
        return [self._view, self._state]

    def on_mount(self) -> None:
        super().on_mount()
        self._timer = self.set_interval(_EVERY, self._look)
        self._look()

    @property
    def modes(self) -> frozenset[str]:
        return frozenset({"ended" if self._run.ended else "running"})

    def _look(self) -> None:
        """Show what came since the last look."""
        run = self._run
        shared = self.context.bridge.share.is_on
        lines = [_HIDDEN] if shared else run.output.lines
        if run.output.dropped and not shared:
            lines = [f"… {run.output.dropped:,} earlier lines are not kept", *lines]
        self._view.show(lines)
        self._state.set_class(run.ended and not run.worked, "-bad")
        self._state.update(Content("\n".join(map(clean, self._words()))))
        names = ("copy", "again") if run.ended else ("stop", "copy")
        hint = hint_line(self.context.keymap, *(f"command-output.{one}" for one in names), "escape")
        if hint != self.hint:
            self.hint = hint
            self.say(hint)
        if run.ended and self._timer is not None:
            self._timer.stop()
            self._timer = None

    def _words(self) -> list[str]:
        run, command = self._run, self.context.own_commands.command
        words = [run.words if run.error else f"{run.words} · {run.seconds:.1f} s"]
        if run.ended and run.status and not run.stopped and command is not None:
            glab = "glab" in command.run.split()
            own = (
                "glab needs a separate sign-in: glab auth login." if glab else "They need a separate sign-in."
            )
            words.append(f"glboard does not pass its token to commands. {own}")
        return [self.context.bridge.text(one) for one in words]

    # Keys

    def go(self, step: int) -> None:
        self._view.scroll_lines(step)

    def half(self, direction: int) -> None:
        self._view.scroll_lines(direction * max(1, self._view.seen // 2))

    def action_stop(self) -> None:
        """Stop the command and all that it started."""
        self.context.shell.work(self._run.stop(), "stop")

    def action_again(self) -> None:
        """Run it again."""
        self.leave()
        self.call_later(self._again)

    def action_copy(self) -> None:
        """Copy the output."""
        if self.context.bridge.share.is_on:
            self.say(_HIDDEN)
            return
        self.app.copy_to_clipboard("\n".join(self._run.output.lines))
        self.say("Sent to the terminal's clipboard: the output")


def _line(context: CommandContext, run: CommandRun) -> str:
    """The command line, or how many there are."""
    more = f" · and {len(run.runs) - 1} more" if len(run.runs) > 1 else ""
    return context.bridge.text(f"$ {run.runs[0].shown}{more}")
