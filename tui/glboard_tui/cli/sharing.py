"""What a command prints of confidential issues: nothing but their reference, unless asked for.

On a shared screen (``--share``, ``[share] always``, or share mode is on in a window with the same mirror),
the rest of them is hidden, too, and masked words and references are in no output: every line that is printed
passes here (``printing.mask_with``), whatever the command.
"""

from __future__ import annotations

from collections.abc import Callable, Container
from typing import TYPE_CHECKING

import click
from msgspec import structs

from glboard_core.board.share import (
    CONFIDENTIAL,
    MASKED_WORD,
    Known,
    Masking,
    about_hidden,
    shown_to_all,
    without_references,
)
from glboard_core.config import ShareSettings
from glboard_core.errors import SharedScreen, UsageError
from glboard_core.model.issue import Issue, IssueId, short_reference
from glboard_core.sync.events import Event, IssuesChanged
from glboard_tui.cli import printing

if TYPE_CHECKING:
    from glboard_core.board.operations import Op
    from glboard_core.model.catalog import Catalog
    from glboard_core.sync.engine import Engine

#: The option of commands that print titles.
confidential_option = click.option(
    "--confidential", is_flag=True, help="Include the titles of confidential issues."
)


class Printed:
    """What is printed of issues, and of a whole text. ``team`` are people whom everybody knows."""

    def __init__(
        self,
        *,
        confidential: bool = False,
        share: ShareSettings | None = None,
        team: Callable[[], Container[str]] = tuple,
    ) -> None:
        self._confidential = confidential
        self._share = share
        self._team = team
        self._known = Known()
        self._catalog: Callable[[], Catalog | None] = lambda: None
        #: The masking, and what it was made of.
        self._made: tuple[object, Masking] | None = None

    @property
    def is_shared(self) -> bool:
        """Whether others watch."""
        return self._share is not None

    def know(self, engine: Engine) -> None:
        """Know the labels to be masked, and what confidential issues there are, also later."""
        if self._share is None:
            return
        self._catalog = lambda: engine.catalog
        for issue in engine.shown.values():
            self._known.add(issue)
        engine.listen(self._hear)

    def _hear(self, event: Event) -> None:
        if isinstance(event, IssuesChanged):
            for issue in (one for change in (*event.changes, *event.confirmed) for one in change):
                if issue is not None:
                    self._known.add(issue)

    @property
    def _masking(self) -> Masking:
        catalog, known, share = self._catalog(), self._known, self._share or ShareSettings()
        labels = catalog.labels if catalog is not None else ()
        made_of = (id(catalog), len(known.hidden), len(known.open))
        if self._made is None or self._made[0] != made_of:
            team = self._team() if known.people() else ()
            people = [name for name in known.people() if name not in team]
            self._made = (made_of, Masking(share, (label.title for label in labels), people))
        return self._made[1]

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

    def hides_facts(self, issue: Issue) -> bool:
        """Whether nothing is printed of an issue but its reference and weight."""
        if self._share is not None:
            self._known.add(issue)
        return self._share is not None and issue.confidential

    def may_tell(self, issue: IssueId) -> bool:
        """Whether something typed about an issue may be printed."""
        return self._share is None or issue not in self._known.ids

    def hides_reference(self, reference: str) -> bool:
        """Whether it is the reference of an issue that is hidden."""
        path, _, iid = short_reference(reference).partition("#")
        hidden = self._share is not None and iid.isdecimal()
        return hidden and self._known.hides_reference(path, int(iid))

    def hides(self, engine: Engine, op: Op) -> bool:
        """Whether it is not said what was changed: others watch, and the issue is confidential or unknown."""
        if self._share is None:
            return False
        issue = engine.shown.get(op.issue) or op.before
        return issue is None or issue.confidential or (op.before is not None and op.before.confidential)

    def change(self, engine: Engine, op: Op) -> str:
        """What was changed, in words."""
        return "changed" if self.hides(engine, op) else op.change.describe(op.before)

    def text(self, text: str) -> str:
        """A whole output."""
        if self._share is None:
            return text
        text = self._known.titles.text(text, lambda _: MASKED_WORD)
        text = self._masking.text(text)
        if not self._share.hide_references:
            return text
        return without_references(text, self._known.hides_reference, lambda _: CONFIDENTIAL)

    def typed(self, text: str) -> str:
        """What a person typed about issues: also without the lines that tell of a hidden one."""
        if self._share is None:
            return text
        known, references = self._known, self._share.hide_references

        def hides(path: str, iid: int) -> bool:
            return references and known.hides_reference(path, iid)

        return self.text(about_hidden(text, known.hides_reference, known.titles.tells, hides))

    def refuse_figures(self) -> None:
        """Raises SharedScreen for a report about what people can do, if others watch."""
        if self.is_shared:
            raise SharedScreen


def printed(
    shared: bool, engine: Engine, *, confidential: bool = False, team: Callable[[], Container[str]] = tuple
) -> Printed:
    """How this command prints; ``shared``: with ``--share``.

    Raises UsageError if it shall print what a shared screen hides.
    """
    from glboard_tui.share import SHARE

    share = engine.settings.share
    if not (shared or share.always or engine.store.meta(SHARE) == b"on"):
        return Printed(confidential=confidential)
    if confidential:
        raise UsageError(
            "Titles of confidential issues are hidden on the shared screen.",
            hint="Stop sharing first (pp on screen), or omit --confidential.",
        )
    found = Printed(share=share, team=team)
    found.know(engine)
    printing.mask_with(found.text)
    return found


def mask_words(shared: bool, share: ShareSettings) -> None:
    """Mask the configured words in what a command without a mirror prints, if any window is shared."""
    from glboard_core.folders import state_folder
    from glboard_core.store.peek import meta_of
    from glboard_tui.share import SHARE

    files = state_folder().glob("*.sqlite3")
    if shared or share.always or any(meta_of(file, SHARE) == b"on" for file in files):
        printing.mask_with(Masking(share).text)
