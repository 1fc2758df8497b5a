"""What a command prints of confidential issues: nothing but their reference, unless asked for.

On a shared screen (``--share``, ``[share] always``, or share mode is on in a window with the same mirror),
the rest of them is hidden, too, and masked words and references are in no output.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
from msgspec import structs

from glboard_core.board.share import (
    CONFIDENTIAL,
    Known,
    Masking,
    shown_to_all,
    without_references,
)
from glboard_core.config import ShareSettings
from glboard_core.errors import UsageError
from glboard_core.model.issue import Issue

if TYPE_CHECKING:
    from glboard_core.board.operations import Op
    from glboard_core.sync.engine import Engine
    from glboard_tui.cli.context import Options

#: The option of commands that print titles.
confidential_option = click.option(
    "--confidential", is_flag=True, help="Print the titles of confidential issues, too."
)


class Printed:
    """What is printed of issues, and of a whole text."""

    def __init__(self, *, confidential: bool = False, share: ShareSettings | None = None) -> None:
        self._confidential = confidential
        self._share = share
        self._masking = Masking(share or ShareSettings())
        self._known = Known()

    def know(self, engine: Engine) -> None:
        """Know the labels to be masked, and the references to be hidden."""
        if self._share is None:
            return
        if engine.catalog is not None:
            self._masking = Masking(self._share, (label.title for label in engine.catalog.labels))
        for issue in engine.shown.values():
            self._known.add(issue)

    def title(self, issue: Issue) -> str:
        """The title of an issue."""
        return self.issue(issue).title

    def issue(self, issue: Issue) -> Issue:
        """The issue as it is printed."""
        if self._share is not None:
            self._known.add(issue)
            return shown_to_all(issue, self._masking)
        if issue.confidential and not self._confidential:
            return structs.replace(issue, title=CONFIDENTIAL)
        return issue

    def hides(self, engine: Engine, op: Op) -> bool:
        """Whether it is not said what was changed: others watch, and the issue is confidential or unknown."""
        if self._share is None:
            return False
        issue = engine.shown.get(op.issue) or op.before
        return issue is None or issue.confidential or (op.before is not None and op.before.confidential)

    def text(self, text: str) -> str:
        """A whole output."""
        if self._share is None:
            return text
        text = self._masking.text(text)
        if not self._share.hide_references:
            return text
        return without_references(text, self._known.hides_reference, lambda _: CONFIDENTIAL)


def printed(options: Options, engine: Engine, *, confidential: bool) -> Printed:
    """How this command prints. Raises UsageError if it shall print what a shared screen hides."""
    from glboard_tui.share import SHARE

    share = engine.settings.share
    if not (options.share or share.always or engine.store.meta(SHARE) == b"on"):
        return Printed(confidential=confidential)
    if confidential:
        raise UsageError(
            "The screen is shared: titles of confidential issues are hidden.",
            hint="Stop sharing first (pp on screen), or leave --confidential out.",
        )
    found = Printed(share=share)
    found.know(engine)
    return found
