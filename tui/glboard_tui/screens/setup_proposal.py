"""The proposed configuration, line by line: every value can be changed, and the file be seen before.

Owns what a line can be changed to, and by which dialog. What follows from a change is up to the
proposal itself.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Protocol

from textual.app import ComposeResult
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Static

from glboard_core.errors import GlboardError
from glboard_core.model.milestone import Milestone
from glboard_core.model.query import Found
from glboard_core.setup.found import FoundLabel
from glboard_core.setup.proposal import BoardLine, Proposal, SettingLine, Trust
from glboard_core.setup.propose import LEFT, TAKEN
from glboard_core.setup.versions import shape_of
from glboard_core.setup.write import is_state
from glboard_tui.keymap import Keymap
from glboard_tui.screens.dialogs import Dialog
from glboard_tui.screens.picker import Picker, Result, Ticks
from glboard_tui.screens.picker_source import Choice, FixedChoices, Source
from glboard_tui.screens.prompts import Prompt
from glboard_tui.screens.setup_page import SetupPage
from glboard_tui.screens.setup_sources import (
    SearchedChoices,
    label_choices,
    milestone_choices,
    pattern_choices,
    text_choices,
    zone_choices,
)
from glboard_tui.widgets.colors import Ink
from glboard_tui.widgets.table import Cell, Col, Head, Table
from glboard_tui.widgets.text import clean

_SIGNS: dict[Trust, tuple[str, Ink]] = {
    "sure": ("✓", "good"),
    "likely": ("~", "warn"),
    "missing": ("!", "bad"),
    "default": ("·", "muted"),
    "chosen": ("●", "accent"),
}
_SECTIONS = {
    "Team": "Which issues belong to the team",
    "Types": "Types: columns of the Planning board",
    "Planning": "Planning",
    "Priorities": "Priorities",
    "Workflow": "Workflow: columns of the Build and Next boards",
    "Milestones": "Milestones",
    "Time": "Time",
}
#: The width from which the footer says how much is missing, next to the keys.
_WIDE = 100
_BACKENDS = {
    "label": "scoped labels, such as workflow::in dev",
    "status": "GitLab statuses (Premium)",
    "both": "both: the label counts, and differences are shown",
}


class ProposalSource(Protocol):
    """Where the proposal comes from, and what changes it."""

    def proposal(self) -> Proposal:
        """The proposal, with what was chosen."""

    def choose(self, key: str, value: tuple[str, ...] | None) -> None:
        """Change a line; None takes what is proposed."""

    async def labels(self, text: str) -> Found[FoundLabel]:
        """Search the group's labels. Raises GlboardError."""

    async def milestones(self, text: str) -> Found[Milestone]:
        """Search the group's milestones. Raises GlboardError."""

    def learn(self, labels: tuple[FoundLabel, ...]) -> None:
        """These labels are known from now on."""


class ProposalPage(SetupPage[str]):
    """Dismissed with "write"."""

    step = 3
    title_text = "Proposed from your group"

    def __init__(
        self,
        keymap: Keymap,
        source: ProposalSource,
        text: Callable[[], str],
        *,
        known: str = "",
        trouble: GlboardError | None = None,
    ) -> None:
        """``text`` is the file as it would be written. Raises ConfigError."""
        lead = "✓ found by name  ~ similar: check it  ! not found  · not used  ● yours"
        super().__init__(keymap, known=known, lead=lead, trouble=trouble)
        self._source = source
        self._text = text
        self._proposal = source.proposal()
        self._rows: list[SettingLine | BoardLine] = []
        #: Labels that a search found, until one is chosen.
        self._seen: dict[str, FoundLabel] = {}

    def on_mount(self) -> None:
        super().on_mount()
        missing = [
            at for at, row in enumerate(self._rows) if isinstance(row, SettingLine) and row.trust == "missing"
        ]
        if missing:
            self.go(missing[0])

    # What is shown

    def table(self) -> Table:
        self._rows = [line for line in self._proposal.lines if line.shown]
        heads: dict[int, list[Head]] = {}
        before = ""
        for at, line in enumerate(self._rows):
            if isinstance(line, SettingLine) and line.section != before:
                before = line.section
                heads[at] = [Head("")] if at else []
                heads[at].append(Head(_SECTIONS[line.section]))
        if self._proposal.boards:
            heads[len(self._rows)] = [Head(""), Head("GitLab boards to add")]
            self._rows += self._proposal.boards
        cols = (
            Col(),
            Col(title="Setting", least=22),
            Col(title="In your group", least=26),
            # On a narrow terminal it would be cut: it is said below, of the line under the cursor.
            Col(title="Why", least=30, drop=1),
        )
        return Table(cols=cols, rows=[_cells(row) for row in self._rows], heads=heads)

    @property
    def current(self) -> SettingLine | BoardLine | None:
        """The line under the cursor."""
        return self._rows[self.rows.cursor] if self.rows.cursor < len(self._rows) else None

    def said(self) -> Content:
        row = self.current
        if row is None:
            return Content("")
        if isinstance(row, BoardLine):
            note = row.offer.note or f"columns: {', '.join(row.offer.board.columns) or 'people'}"
            return Content(clean(f"{row.offer.title}: {note}."))
        sign, ink = _SIGNS[row.trust]
        style = {"good": "$text-success", "warn": "$text-warning", "bad": "$text-error"}.get(
            ink, "$text-accent"
        )
        lines = [Content.assemble((f"{sign} ", style), clean(f"{row.title}: {row.why}."))]
        if row.near:
            lines.append(Content(clean(f"Similar: {', '.join(row.near[:5])}")))
        if row.advice and row.trust == "missing":
            lines.append(Content(clean(row.advice)))
        if row.kind == "zone" and row.trust != "chosen":
            key = self.keymap.key("setup.open")
            lines.append(Content(clean(f"If the team works in another one, {key} chooses it.")))
        return Content("\n").join(lines)

    @property
    def target(self) -> str:
        if self.app.size.width < _WIDE:
            return ""  # the keys need the space
        missing = len(self._proposal.missing)
        return f"{missing} not found" if missing else "all found"

    def hints(self) -> Sequence[str]:
        row = self.current
        if isinstance(row, BoardLine):
            return ("write", "open", "preview", "back", "leave")
        more = ("none",) if row is not None and row.none else ()
        return ("write", "open", *more, "type", "reset", "preview", "back", "leave")

    # Changing

    def action_open(self) -> None:
        row = self.current
        if isinstance(row, BoardLine):
            self._set(row.key, LEFT if row.taken else TAKEN)
        elif row is not None:
            self._pick(row)

    def action_none(self) -> None:
        row = self.current
        if isinstance(row, BoardLine):
            self._set(row.key, LEFT)
        elif row is not None and row.none:
            self._set(row.key, ())
        else:
            self.tell("This line needs a value.", bad=True)

    def action_reset(self) -> None:
        if (row := self.current) is not None:
            self._set(row.key, None)

    def action_type(self) -> None:
        row = self.current
        if isinstance(row, SettingLine):
            several = row.kind in ("labels", "milestones")
            self.app.push_screen(
                Prompt(
                    row.title,
                    value=", ".join(row.value),
                    note="Separate several with commas." if several else _typing_note(row),
                    check=lambda text: _wrong(row, text),
                ),
                lambda text: self._typed(row, text),
            )
        else:
            self._nothing()

    def action_preview(self) -> None:
        try:
            self.app.push_screen(FilePreview(self._text()))
        except GlboardError as error:
            self.warn(error)

    def action_write(self) -> None:
        self.dismiss("write")

    def _pick(self, row: SettingLine) -> None:
        several = row.kind in ("labels", "milestones")
        if row.kind == "pattern":
            source: Source = FixedChoices(pattern_choices(row))
        else:
            source = self._choices(row)
        if not source.known() and not source.searches:
            if row.kind == "state":
                self.tell(_NO_STATE_LEFT, bad=True)
            else:
                self.action_type()
            return
        ticks = Ticks(dict.fromkeys(row.value, "on")) if several else None
        key = self.keymap.key("setup.type")
        note = row.why if row.kind != "prefix" else f"{row.why}. {key} types another value."
        if row.kind == "pattern":
            note = f"{row.why}. To type other titles: Esc, {key}."
        self.app.push_screen(
            Picker(row.title, source, ticks=ticks, note=note), lambda result: self._picked(row, result)
        )

    def _choices(self, row: SettingLine) -> Source:
        found = self._proposal.found
        match row.kind:
            case "label" | "labels":
                known = label_choices(found.labels, row.near, row.value)
                return FixedChoices(known) if found.whole else SearchedChoices(known, self._labels)
            case "milestones":
                known = milestone_choices(found.milestones, row.near, row.value)
                return SearchedChoices(known, self._milestones)
            case "status":
                titles = dict.fromkeys((*row.value, *row.near, *found.statuses))
                return FixedChoices(text_choices([one for one in titles if one in found.statuses]))
            case "state":
                return FixedChoices(text_choices(list(dict.fromkeys((*row.value, *row.near)))))
            case "zone":
                return FixedChoices(zone_choices(row.value))
            case "backend":
                ways = list(dict.fromkeys((*row.value, *row.near)))
                return FixedChoices(text_choices(ways, [_BACKENDS.get(one, "") for one in ways]))
        return FixedChoices(text_choices(list(dict.fromkeys((*row.value, *row.near)))))

    async def _labels(self, text: str) -> Found[Choice]:
        found = await self._source.labels(text)
        self._seen |= {one.title: one for one in found.items}
        return Found(tuple(label_choices(found.items, ())), found.more)

    async def _milestones(self, text: str) -> Found[Choice]:
        found = await self._source.milestones(text)
        return Found(tuple(milestone_choices(found.items, (), ())), found.more)

    def _picked(self, row: SettingLine, result: Result | None) -> None:
        if result is None:
            return
        if row.kind in ("labels", "milestones"):
            kept = [one for one in row.value if one not in result.remove]
            value = tuple(dict.fromkeys([*kept, *result.add]))
            if not value and not row.none:
                self.tell("This line needs a value.", bad=True)
                return
        else:
            value = result.add[:1]
        self._source.learn(tuple(self._seen[one] for one in value if one in self._seen))
        self._set(row.key, value)

    def _typed(self, row: SettingLine, text: str | None) -> None:
        if text is None:
            return
        several = row.kind in ("labels", "milestones")
        parts = text.split(",") if several else [text]
        titles = {one.title for one in self._proposal.found.milestones}
        if row.kind == "pattern" and text.strip() in titles:
            parts = [shape_of(text.strip())]
        self._set(row.key, tuple(part.strip() for part in parts if part.strip()))

    def _set(self, key: str, value: tuple[str, ...] | None) -> None:
        self._source.choose(key, value)
        self._proposal = self._source.proposal()
        self.fill()


_NO_STATE_LEFT = "Every state has a label or status. To use this one, change the line of a state."


def _cells(row: SettingLine | BoardLine) -> Sequence[Cell]:
    if isinstance(row, BoardLine):
        board = row.offer.board
        note = row.offer.note or f"by {board.by}: {', '.join(board.columns[:4])}"
        sign: Cell = ("✓", "good") if row.taken else ("-", "muted")
        return (
            sign,
            (row.offer.title, "text"),
            ("taken" if row.taken else "left out", "strong"),
            (note, "muted"),
        )
    mark, ink = _SIGNS[row.trust]
    shown = row.words or row.none or "none"
    if is_state(row) and row.trust == "default":
        shown = "not used"
    lacks = row.trust in ("missing", "default")
    return (mark, ink), (row.title, "text"), (shown, "muted" if lacks else "strong"), (row.why, "muted")


def _typing_note(row: SettingLine) -> str:
    if row.kind != "pattern":
        return row.why
    return "The title of one such milestone, or a regular expression that matches all of them."


def _wrong(row: SettingLine, text: str) -> str:
    """What is wrong with a typed value; "" if nothing is."""
    text = text.strip()
    if not text:
        return "" if row.none else "This line needs a value."
    if row.kind == "pattern":
        try:
            everything = re.compile(text).search("") is not None
        except re.error as error:
            return f"Not a regular expression: {error}."
        return "It matches every title." if everything else ""
    if row.kind == "state" and text not in (free := (*row.value, *row.near)):
        if not free:
            return _NO_STATE_LEFT
        return f"One of the states without a label or status: {', '.join(free)}."
    if row.kind == "zone" and all(one.value != text for one in zone_choices(())):
        return "Not a time zone. Use Region/City, such as Europe/Berlin."
    if row.kind == "backend" and text not in _BACKENDS:
        return f"One of {', '.join(_BACKENDS)}."
    return ""


class FilePreview(Dialog[None]):
    """The file as it would be written."""

    DEFAULT_CSS = """
    FilePreview > .overlay { width: 100%; max-width: 116; height: 100%; }
    FilePreview VerticalScroll { height: 1fr; margin: 1 0; }
    """

    def __init__(self, text: str) -> None:
        super().__init__("Preview of config.toml", hint="↑ ↓ scroll · Esc closes")
        self._text = text

    def parts(self) -> ComposeResult:
        with Vertical(classes="overlay"):
            yield self._title_line
            with VerticalScroll():
                yield Static(Content("\n".join(map(clean, self._text.splitlines()))))
            yield self._hint_line
