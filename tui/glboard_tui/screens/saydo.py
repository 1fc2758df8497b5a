"""Say/Do of a milestone: in words first, every figure with its definition and its list (DOMAIN.md 7.6)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from glboard_core.errors import GlboardError
from glboard_core.model.milestone import Milestone
from glboard_core.planning.say_do import DEFINITIONS, TARGETS, Definition, SayDo
from glboard_tui.plan import Plan
from glboard_tui.screens.dialog import Dialog
from glboard_tui.widgets.text import clean

_MARKUP = re.compile(r"([\\`*_{}\[\]()<>#+!|~-])")


class SayDoPane(Dialog[None]):
    """Dismissed by ``Esc``, also while events are still read."""

    DEFAULT_CSS = """
    SayDoPane .words { height: auto; max-height: 30; margin: 1 0; }
    SayDoPane Static { height: auto; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q", "cancel", show=False),
        Binding("d", "definitions", show=False),
        Binding("l", "lists", show=False),
        Binding("y", "copy", show=False),
        Binding("j,down", "scroll(2)", show=False),
        Binding("k,up", "scroll(-2)", show=False),
    ]

    def __init__(self, plan: Plan, milestone: Milestone) -> None:
        hint = "d other definitions · l lists · y copy as Markdown · Esc closes"
        super().__init__(f"Say/Do {milestone.title}", hint=hint)
        self._plan = plan
        self._milestone = milestone
        self._words = Static("Reading …")
        self._scroll = VerticalScroll(self._words, classes="words", can_focus=False)
        self._all = self._listed = False
        self._found: tuple[SayDo, Sequence[str], datetime] | None = None

    def inside(self) -> list[Widget]:
        """The words."""
        return [self._scroll]

    def on_mount(self) -> None:
        """Read the events."""
        self.run_worker(self._read(), exclusive=True, exit_on_error=False)
        super().on_mount()

    async def _read(self) -> None:
        try:
            read = await self._plan.past.say_do(self._milestone, self._progress)
            self._found = read.report, read.unread, read.at
        except GlboardError as error:
            hint = f"\n{clean(error.hint)}" if error.hint else ""
            self._words.update(Content.assemble((clean(error.message), "$text-error"), hint))
            return
        self._show()

    def _progress(self, done: int, of: int) -> None:
        filled = round(24 * done / of) if of else 24
        self._words.update(Content(f"reading events {done} of {of}  {'█' * filled}{'░' * (24 - filled)}"))

    def _show(self) -> None:
        if self._found is None:
            return
        report, unread, now = self._found
        lines = said(report, self._milestone, now)
        text = [Content.styled(clean(lines[0]), "bold"), *(Content(clean(line)) for line in lines[1:])]
        shown: Sequence[Definition] = DEFINITIONS if self._all else ("group", "committed")
        if self._all:
            text += [Content(""), *(Content(_line(name, report)) for name in DEFINITIONS)]
        if self._listed:
            for title, references in listed(report, shown):
                text.append(
                    Content.assemble(
                        (f"\n{title} ({len(references)}): ", "bold"), ", ".join(map(clean, references))
                    )
                )
        if unread:
            text.append(Content(f"\nOf {len(unread)} issues only today is known: {clean(', '.join(unread))}"))
        self._words.update(Content("\n").join(text))

    def action_definitions(self) -> None:
        """All five definitions, or the two."""
        self._all = not self._all
        self._show()

    def action_lists(self) -> None:
        """The issues behind the figures."""
        self._listed = not self._listed
        self._show()

    def action_scroll(self, lines: int) -> None:
        """Up or down."""
        self._scroll.scroll_relative(y=lines, animate=False)

    def action_copy(self) -> None:
        """For the retrospective: everything, as Markdown."""
        if self._found is None:
            self.say("Not read yet.")
            return
        report, _, now = self._found
        self.app.copy_to_clipboard(markdown(report, self._milestone, now))
        self.say("Copied as Markdown.")


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f} %"


def said(report: SayDo, milestone: Milestone, now: datetime) -> list[str]:
    """The group's figure in words, ``committed`` beside it, and where that comes from."""
    group, committed = report.definitions["group"], report.definitions["committed"]
    due = f"{milestone.due.day} {milestone.due:%b}" if milestone.due else "?"
    when = f"so far, until {due}" if now < report.cut_off else f"by {due}"
    source = "from the plan locked" if report.source == "snapshot" else "rebuilt from events as of"
    return [
        f"{len(group.done)} of {len(group.said)} closed {when} ({_percent(group.percent)}), definition group",
        (
            f"{len(committed.done)} of {len(committed.said)} ({_percent(committed.percent)}), "
            f"definition committed, {source} {report.locked_at:%Y-%m-%d %H:%M} UTC"
        ),
    ]


def _line(name: Definition, report: SayDo) -> str:
    ratio = report.definitions[name]
    target = f"  target {TARGETS[name]} %" if name in TARGETS else ""
    return f"{name:22} {len(ratio.done):>3} of {len(ratio.said):<3} {_percent(ratio.percent):>8}{target}"


def listed(report: SayDo, shown: Sequence[Definition]) -> list[tuple[str, tuple[str, ...]]]:
    """The lists behind the figures, those that hold something."""
    lists = [
        *(
            part
            for name in shown
            for part in (
                (f"{name}: done", report.definitions[name].done),
                (f"{name}: not done", report.definitions[name].missed),
            )
        ),
        ("late added", report.late_added),
        ("removed or moved early", report.removed_or_moved_early),
        ("moved to another milestone without a missed label", report.quiet_slips),
        ("late closed", report.late_closed),
        ("unresolved", report.unresolved),
        ("closed as won't do", report.wont_do),
        ("closed as duplicate", report.duplicates),
    ]
    return [(title, references) for title, references in lists if references]


def _plain(text: str) -> str:
    return _MARKUP.sub(r"\\\1", text)


def markdown(report: SayDo, milestone: Milestone, now: datetime) -> str:
    """The whole report for the retrospective. References stay as they are, so that GitLab links them."""
    parts = ["## " + _plain(f"Say/Do {report.milestone}")]
    parts += [_plain(line) + "." for line in said(report, milestone, now)]
    rows = ["| definition | said | done | percent | target |", "| --- | ---: | ---: | ---: | ---: |"]
    for name in DEFINITIONS:
        ratio = report.definitions[name]
        target = f"{TARGETS[name]} %" if name in TARGETS else ""
        rows.append(
            f"| {name} | {len(ratio.said)} | {len(ratio.done)} | {_percent(ratio.percent)} | {target} |"
        )
    parts.append("\n".join(rows))
    for title, references in listed(report, DEFINITIONS):
        parts.append(f"**{title}** ({len(references)})\n\n" + "\n".join(f"- {r}" for r in references))
    return "\n\n".join(parts) + "\n"
