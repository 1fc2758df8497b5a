"""The least a Textual app can be: one Static, changed by every key. What the program is compared with."""

from __future__ import annotations

from textual import events
from textual.app import App, ComposeResult
from textual.widgets import Static


class Empty(App[None]):
    """Says which key was pressed."""

    def compose(self) -> ComposeResult:
        """One widget."""
        yield Static("an empty app")

    def on_key(self, event: events.Key) -> None:
        """Repaint."""
        if event.key == "q":
            self.exit()
        self.query_one(Static).update(f"key {event.key} at {event.time}", layout=False)


if __name__ == "__main__":
    Empty().run()
