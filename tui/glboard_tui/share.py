"""Share mode: whether others watch this screen, and what they may see of issues, names and texts.

Owns the state (on, the one issue shown for a moment, the last change) and is the one seam: the bridge hands
out every issue, catalog and text through it. What is hidden is decided by ``board/share.py``. It knows no
widget; ``tick`` is called once a second and says whether something on screen is over.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Container, Iterable

from msgspec import Struct, structs

from glboard_core.board.share import (
    CONFIDENTIAL,
    MASKED_WORD,
    Known,
    Masking,
    about_hidden,
    detail_for_all,
    shown_to_all,
    without_references,
)
from glboard_core.config import Settings, ShareSettings
from glboard_core.model.catalog import Catalog
from glboard_core.model.issue import Issue, IssueDetail, IssueId, short_reference

#: The store key: whether the last session was shared.
SHARE = "share"
#: Seconds a confidential issue is shown, and for which the last change stays marked.
SHOWN, MARKED = 20.0, 8.0


class LastChange(Struct, frozen=True):
    """What was changed last, in words, and until when it is marked."""

    issues: frozenset[IssueId]
    words: str
    until: float


class ShareMode:
    """One per app. ``clock`` counts seconds."""

    def __init__(
        self, settings: ShareSettings, *, on: bool = False, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.settings = settings
        self.clock = clock
        #: Called after it was turned on or off, or an issue was shown or hidden.
        self.changed: Callable[[], None] = lambda: None
        self._on = on or settings.always
        #: The team: people whom everybody knows.
        self.team: Callable[[], Container[str]] = tuple
        self._found: tuple[object, Masking] | None = None
        self._keep: Callable[[bytes], object] = lambda _: None
        self._issues: Callable[[], Iterable[Issue]] = tuple
        self._known: Known | None = None
        #: Confidential issues that changed before the screen was shared: people remember their former titles.
        self._earlier: dict[tuple[IssueId, str], Issue] = {}
        self._revealed: tuple[Issue, float] | None = None
        self._last: LastChange | None = None
        self._catalog: tuple[Catalog, Masking, Catalog] | None = None
        self._titles: tuple[str, ...] = ()
        self._titles_of: object = None

    # On and off

    @property
    def is_on(self) -> bool:
        """Whether the screen is shared."""
        return self._on

    @property
    def names_people(self) -> bool:
        """Whether the words full, free and over may be said of single people."""
        return not self._on or self.settings.people == "words"

    def take_up(
        self, kept: bytes | None, keep: Callable[[bytes], object], issues: Callable[[], Iterable[Issue]]
    ) -> None:
        """Continue as an earlier session ended; ``issues`` are those on this machine."""
        self._keep, self._issues, self._known = keep, issues, None
        if kept == b"on":
            self._on = True
        elif self._on:
            keep(b"on")

    def start(self) -> None:
        """Others watch from now on, also after a restart."""
        self._on, self._revealed = True, None
        self._keep(b"on")
        self.changed()

    def stop(self) -> None:
        """No one watches from now on."""
        self._on, self._revealed, self._last = False, None, None
        self._keep(b"")
        self.changed()

    # One confidential issue for a moment

    @property
    def revealed(self) -> tuple[Issue, int] | None:
        """The confidential issue shown now, and the seconds left."""
        if self._revealed is None:
            return None
        issue, until = self._revealed
        return issue, max(round(until - self.clock()), 0)

    def reveal(self, issue: Issue) -> None:
        """Show a confidential issue; it hides again by itself."""
        self._revealed = (issue, self.clock() + SHOWN)
        self.changed()

    def hide(self) -> None:
        """Hide it now."""
        if self._revealed is not None:
            self._revealed = None
            self.changed()

    def tick(self) -> bool:
        """A second has passed; whether something shown has changed."""
        if self._revealed is not None and self.clock() >= self._revealed[1]:
            self.hide()
            return True
        if self._last is not None and self.clock() >= self._last.until:
            self._last = None
            return True
        return self._revealed is not None

    # The last change

    @property
    def last(self) -> LastChange | None:
        """What was changed a moment ago, for those who watch."""
        return self._last if self._on else None

    def tell(self, issues: Iterable[IssueId], words: str) -> None:
        """Something was changed: mark it."""
        if self._on:
            self._last = LastChange(frozenset(issues), words, self.clock() + MARKED)

    def is_marked(self, issue: IssueId) -> bool:
        """Whether an issue was changed a moment ago."""
        return self._last is not None and issue in self._last.issues

    # The seam: what everybody may see

    @property
    def _masking(self) -> Masking:
        """The words to mask, with the people who are only known from confidential issues."""
        known = self.known
        key = (self.settings, self._titles, len(known.hidden), len(known.open))
        if self._found is None or self._found[0] != key:
            team = self.team()
            people = [name for name in known.people() if name not in team]
            self._found = (key, Masking(self.settings, self._titles, people))
        return self._found[1]

    def hides(self, issue: Issue) -> bool:
        """Whether nothing but place, weight and number of an issue is shown."""
        if not self._on or not issue.confidential:
            return False
        return self._revealed is None or self._revealed[0].id != issue.id

    def view(self, issue: Issue, columns: frozenset[str] = frozenset()) -> Issue:
        """The issue as everybody may see it. ``columns`` are labels that only say where its card is."""
        if not self._on:
            return issue
        if issue.confidential and not self.hides(issue):
            return structs.replace(
                shown_to_all(structs.replace(issue, confidential=False), self._masking), confidential=True
            )
        return shown_to_all(issue, self._masking, columns)

    def matched(self, issue: Issue, columns: frozenset[str] = frozenset()) -> Issue:
        """What filters match: the view, whether the issue is shown for a moment or not.

        Masked words are also gone from its project and its people.
        """
        if not self._on:
            return issue
        found, text = shown_to_all(issue, self._masking, columns), self._masking.text
        if not self._masking:
            return found
        return structs.replace(
            found, project=text(found.project), assignees=tuple(map(text, found.assignees))
        )

    def detail(self, issue: Issue | None, detail: IssueDetail) -> IssueDetail:
        """Description and comments as everybody may see them: none of a hidden or unknown issue."""
        if not self._on:
            return detail
        if issue is None or self.hides(issue):
            return IssueDetail(id=detail.id, description="")
        return detail_for_all(detail, self.text)

    def reference(self, issue: Issue) -> str:
        """``platform#12``, or the word instead if references are hidden, too."""
        hidden = self.settings.hide_references and self.hides(issue)
        return CONFIDENTIAL if hidden else short_reference(issue.reference)

    def finds(self, text: str) -> bool:
        """Whether a text has something that may not be shown."""
        return self.text(text) != text

    def text(self, text: str) -> str:
        """A text without masked words, and without hidden references."""
        return self.masked(text, None)

    def masked(self, text: str, instead: Callable[[str], str] | None) -> str:
        """The same, with ``instead`` in place of each hidden part."""
        if not self._on:
            return text
        blocks = instead or (lambda _: MASKED_WORD)
        found = self.known.titles.text(text, blocks, self._revealed[0].id if self._revealed else None)
        found = self._masking.text(found, blocks)
        if self.settings.hide_references and ("#" in found or "/-/" in found):
            found = without_references(found, self._hides_reference, instead or (lambda _: CONFIDENTIAL))
        return found

    def typed(self, text: str) -> str:
        """What a person typed about issues: also without the lines that tell of a hidden one."""
        if not self._on:
            return text
        shown = self._revealed[0].id if self._revealed else None
        found = about_hidden(
            text, self._is_hidden, lambda line: self.known.titles.tells(line, shown), self._hides_reference
        )
        return self.text(found)

    def _hides_reference(self, path: str, iid: int) -> bool:
        return self.settings.hide_references and self._is_hidden(path, iid)

    def _is_hidden(self, path: str, iid: int) -> bool:
        if self._revealed is not None:
            shown = self._revealed[0]
            if shown.iid == iid and short_reference(shown.project).startswith(path):
                return False
        return self.known.hides_reference(path, iid)

    # Names that only confidential issues have

    @property
    def known(self) -> Known:
        """What is known of all issues, read when it is asked for first."""
        if self._known is None:
            self._known = Known()
            for issue in (*self._earlier.values(), *self._issues()):
                self._known.add(issue)
        return self._known

    def learn(self, issues: Iterable[Issue | None]) -> None:
        """These issues are new, or changed."""
        for issue in issues:
            if issue is not None and self._known is not None:
                self._known.add(issue)
            elif issue is not None and issue.confidential:
                self._earlier[issue.id, issue.title] = issue

    def know(self, titles: Iterable[str], of: object) -> None:
        """The labels there are; ``of`` is where they come from, so that they are read once."""
        if self.settings.labels and of is not self._titles_of:
            self._titles_of, self._titles = of, tuple(titles)

    def label(self, title: str, ours: Container[str]) -> bool:
        """Whether a label may be named at all. ``ours`` are names everybody knows."""
        if not self._on:
            return True
        return not self._masking.label(title) and (title in ours or not self.known.hides_name(title))

    def person(self, username: str, ours: Container[str]) -> bool:
        """Whether a person may be named: not if only a confidential issue names them."""
        return not self._on or username in ours or not self.known.hides_name(username)

    def catalog(self, catalog: Catalog, ours: Container[str], people: Container[str]) -> Catalog:
        """The catalog without names that may not be shown."""
        if not self._on:
            return catalog
        masking = self._masking
        if self._catalog is None or self._catalog[0] is not catalog or self._catalog[1] is not masking:
            shown = structs.replace(
                catalog,
                labels=tuple(one for one in catalog.labels if self.label(one.title, ours)),
                people=tuple(one for one in catalog.people if self.person(one.username, people)),
            )
            self._catalog = (catalog, masking, shown)
        return self._catalog[2]


class ProcessLabels(Struct, frozen=True):
    """Labels that everybody knows: those that the configuration names, and those of its scopes."""

    titles: frozenset[str]
    prefixes: tuple[str, ...]

    def __contains__(self, title: object) -> bool:
        return isinstance(title, str) and (title in self.titles or title.startswith(self.prefixes))


def process_labels(settings: Settings) -> ProcessLabels:
    """The labels that the configuration names."""
    names = settings.labels
    titles = {
        *(names.group, names.devops, names.section, names.deliverable, names.spike, names.ignore),
        *(names.missed_deliverable, *names.categories, *names.duplicate, *names.wont_do),
        *(label for board in settings.boards for label in (*board.columns, *board.labels)),
        *settings.flow.labels.values(),
    }
    prefixes = (
        *(names.type_prefix, names.workflow_prefix, names.priority_prefix),
        *(names.severity_prefix, names.missed_prefix),
    )
    return ProcessLabels(frozenset(titles), tuple(filter(None, prefixes)))
