"""The first frame of a dialog: painted once, when everything in it has its place.

Textual lays a new screen out and paints it up to five times, while its widgets get their sizes, classes and
focus; each time the whole terminal. Owns whether the dialog may be painted yet.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from textual import events
from textual.message_pump import MessagePump
from textual.screen import Screen

#: Seconds after which it is painted in any case.
_PATIENCE = 0.1


class FirstFrame:
    """Holds the first frame back. ``screen`` asks ``may_paint`` each time; ``painted`` is called with it."""

    def __init__(self, screen: Screen[Any], painted: Callable[[], None]) -> None:
        self._screen = screen
        self._painted = painted
        self._held = False
        #: The state of the style sheets that it was styled with.
        self._styled = -1

    def fit(self) -> None:
        """Give the screen the classes for its size before it has widgets: else all are styled twice."""
        screen, size = self._screen, self._screen.app.size
        across = screen._get_breakpoint_classes(size.width, screen.HORIZONTAL_BREAKPOINTS or [])
        down = screen._get_breakpoint_classes(size.height, screen.VERTICAL_BREAKPOINTS or [])
        screen.add_class(*across, *down)
        self._styled = screen.app._css_update_count

    def begin(self, event: events.ScreenResume) -> None:
        """The screen is shown from now on."""
        count = self._screen.app._css_update_count
        # Its widgets were styled when they were mounted.
        event.refresh_styles = event.refresh_styles and self._styled != count
        self._styled = count
        self._held = True
        self._screen.app.set_timer(_PATIENCE, self._paint)
        # The size comes after this event, and what the size leads to after that.
        self._screen.call_later(self._screen.call_later, self._sized)

    def may_paint(self) -> bool:
        """Whether the screen may be painted; what changed is remembered if not."""
        if self._held:
            self._screen._dirty_widgets.clear()
        return not self._held

    def _sized(self) -> None:
        """Paint when all widgets have done what the size made them do."""
        waiting: list[MessagePump] = [*self._screen.walk_children()]
        left = len(waiting)

        def done() -> None:
            nonlocal left
            left -= 1
            if not left:
                self._screen.call_later(self._paint)

        for widget in waiting:
            if not widget.call_later(done):
                done()

    def _paint(self) -> None:
        if not self._held:
            return
        self._held = False
        screen = self._screen
        if not screen.is_current:
            return
        # Before it is written: on a busy machine somebody can answer before the writing returns.
        self._painted()
        self._now()

    def _now(self) -> None:
        screen = self._screen
        screen._repaint_required = False
        screen._compositor.update_widgets({screen, *screen._dirty_widgets})
        if screen._layout_required:
            screen._layout_required = False
            screen._dirty_widgets.clear()
            screen._refresh_layout()
        else:
            screen._compositor_refresh()


def take_waiting(screen: Screen[Any]) -> None:
    """Paint with this frame all that waits to be painted: otherwise, what a key changes takes several frames.

    What changes its size is left to the frame in which it has its new one.
    """
    compositor = screen._compositor
    compositor.update_widgets(
        {
            widget
            for widget in compositor.visible_widgets
            if widget._repaint_regions and not widget._layout_required
        }
    )
