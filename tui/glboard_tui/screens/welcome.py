"""The first run without an account: offers the demo and explains how to connect.

The command line decides when it is shown; this screen knows no accounts.
"""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Static

_HOW = (
    ("glboard", "bold"),
    "\nPlan a milestone on its GitLab boards, from the keyboard.\n\n",
    (" d ", "bold $accent"),
    " try the demo: a built-in fake GitLab, on this machine only\n",
    (" q ", "bold $accent"),
    " quit\n\n",
    ("To connect to your GitLab", "bold"),
    ", quit and start it like this:\n\n",
    ("  export GITLAB_TOKEN=…       ", "$primary"),
    "a token with the “api” scope\n",
    ("  glboard --group GROUP       ", "$primary"),
    "on gitlab.com\n",
    ("  glboard --url URL --group GROUP\n\n", "$primary"),
    "glboard also finds a glab sign-in or a python-gitlab configuration.\n",
)


class Welcome(Screen[bool]):
    """Dismissed with True for the demo."""

    DEFAULT_CSS = """
    Welcome { align: center middle; }
    Welcome VerticalScroll { width: 100%; max-width: 76; height: auto; max-height: 100%; padding: 0 1; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("d,enter", "demo", show=False),
        Binding("q,escape,ctrl+c", "leave", show=False),
    ]

    def compose(self) -> ComposeResult:
        """Yield the text."""
        with VerticalScroll():
            yield Static(Content.assemble(*_HOW))

    def action_demo(self) -> None:
        """Start the demo."""
        self.dismiss(True)

    def action_leave(self) -> None:
        """Quit the program."""
        self.app.exit()
