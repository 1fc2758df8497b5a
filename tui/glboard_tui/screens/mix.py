"""Mix: a milestone's work by type, by count and by weight, compared with the target (planning rule 11).

Lists its issues by type below the bars; deferring an issue or changing its type updates the bars at once.
"""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content

from glboard_core.board.batch import short
from glboard_core.model.issue import Issue
from glboard_core.planning.mix import UNDEFINED, Mix
from glboard_core.planning.readiness import Sum
from glboard_core.planning.text import number
from glboard_tui.screens.issue_list import Entry, MilestoneList, weight_words
from glboard_tui.widgets.table import Col, Head
from glboard_tui.widgets.text import clean, clip, fit, fit_right

#: Percentage points within which a share counts as near the target.
_NEAR = 5.0

_Row = tuple[str, str, float | None, str, float | None, float | None]
"""Name, count, percent of count, weight, percent of weight, target."""


class MixList(MilestoneList):
    """The issues of one milestone by type."""

    scope = "mix"
    empty = "No open issues in this milestone."
    hints = (
        "labels.edit",
        "milestone.defer",
        ("milestone.search", "milestone"),
        "weight.set",
        "escape",
    )
    cols = (
        Col(title="issue", reference=True, least=12),
        Col(title="w", right=True),
        Col(title="title", least=28),
        Col(title="state", least=8, drop=1),
    )

    def above(self) -> Content:
        prefix = self.context.bridge.settings.labels.type_prefix
        return figures(self.planning.mix(self.milestone), prefix, self.app.size.width - 8)

    def fill(self) -> Sequence[Entry]:
        entries: list[Entry] = []
        for name, issues in self.planning.typed(self.milestone).items():
            # No sums here: an issue of two types counts in both bars but is listed once.
            head = Head(self._plain(name))
            entries += [self._entry(issue, name, () if at else (head,)) for at, issue in enumerate(issues)]
        return entries

    def _entry(self, issue: Issue, group: str, heads: tuple[Head, ...]) -> Entry:
        bridge = self.context.bridge
        prefix = bridge.settings.labels.type_prefix
        also = [self._plain(n) for n in sorted(issue.labels) if n.startswith(prefix) and n != group]
        said = [self.state_of(issue), *(f"also {name}" for name in also)]
        title = bridge.title_of(issue)
        return Entry(
            issue,
            (
                (short(issue), "strong"),
                (weight_words(issue.weight), "strong"),
                (title, "text"),
                (" · ".join(said), "warn" if also else "muted"),
            ),
            f"{title}\n{' '.join(sorted(issue.labels))}",
            heads,
            # After setting a type the cursor moves to the next issue without one.
            done=group != UNDEFINED,
        )

    def _plain(self, name: str) -> str:
        return plain(name, self.context.bridge.settings.labels.type_prefix)

    def heading_of(self, place: int, count: int) -> str:
        whole = _sums(self.planning.mix(self.milestone).whole)
        return f"Mix {self.milestone.title}: {place} of {count} · {whole}"


def plain(name: str, prefix: str) -> str:
    """``bug`` for ``type::bug``, also for several joined types; ``no type`` for an undefined one."""
    return " + ".join(
        "no type" if part == UNDEFINED else part.removeprefix(prefix) for part in name.split(" + ")
    )


def _sums(sums: Sum) -> str:
    unweighted = f" + {sums.unweighted} unweighted" if sums.unweighted else ""
    return f"{sums.count} issue{'' if sums.count == 1 else 's'}, weight {sums.weight}{unweighted}"


def figures(found: Mix, prefix: str, width: int) -> Content:
    """One line per type and per target of several types: share of count and of weight, as bars.

    ``│`` in a bar is the target; a larger deviation is shown with a sign.
    """
    rows: list[_Row] = []
    for name, share in found.types.items():
        if share.sums.count or name != UNDEFINED:
            sums, wanted = share.sums, found.target.get(name)
            of_count, of_weight = share.percent_count, share.percent_weight
            rows.append((name, str(sums.count), of_count, str(sums.weight), of_weight, wanted))
    for target, wanted in found.target.items():
        if target not in found.types:
            of_count, of_weight = found.reached(target)
            rows.append((target, "", of_count, "", of_weight, wanted))
    names = [clean(plain(row[0], prefix)) for row in rows]
    ends = [_end(row[4], row[5]) for row in rows]
    # What does not fit goes in this order: the words of the deviation, the bars of the count, all bars.
    name_width, bars = max(map(len, names), default=0), 2
    room = width - name_width - 1 - 2 * _VALUES - _longest(ends)
    if room < 2 * (_LEAST_BAR + 4):
        ends = [end[:1] + [(text.removesuffix(_BY_WEIGHT), ink) for text, ink in end[1:]] for end in ends]
        room = width - name_width - 1 - 2 * _VALUES - _longest(ends)
        bars = min(2, max(room, 0) // (_LEAST_BAR + 4))
    name_width = (
        max(min(name_width, width - 1 - 2 * (_VALUES + 2) - _longest(ends)), 8) if not bars else name_width
    )
    cells = min(_MOST_BAR, max(_LEAST_BAR, room // bars - 4)) if bars else 0
    drawn = (cells if bars > 1 else 0, cells)
    of = [
        fit(f"   of {what}", _VALUES + (2 + one if one else 0))
        for what, one in zip(("count", "weight"), drawn, strict=True)
    ]
    heads = f"{'':{name_width}} {of[0]}  {of[1]}  target{' │' if bars else ''}"
    lines = [Content.styled(clip(heads, width), "dim")]
    for words, (_, count, of_count, weight, of_weight, wanted), end in zip(names, rows, ends, strict=True):
        parts: list[Content | str | tuple[str, str]] = [(fit(words, name_width), "bold"), " "]
        for value, percent, one in ((count, of_count, drawn[0]), (weight, of_weight, drawn[1])):
            said = "-" if percent is None else f"{percent:.1f} %"
            parts += [fit_right(value, 4), fit_right(said, 8), "  "]
            parts += [bar(percent, wanted, one), "  "] if one else []
        lines.append(Content.assemble(*parts, *end))
    return Content("\n").join(lines)


#: Cells of a value with its share; of a bar, at least and at most.
_VALUES, _LEAST_BAR, _MOST_BAR = 12, 6, 24
_BY_WEIGHT = " by weight"


def _end(share: float | None, wanted: float | None) -> list[tuple[str, str]]:
    """The target, and how far the weight is from it."""
    return [] if wanted is None else [(f"{number(wanted)} %", ""), _off(share, wanted)]


def _longest(ends: Sequence[Sequence[tuple[str, str]]]) -> int:
    return max((sum(len(text) for text, _ in end) for end in ends), default=0)


def _off(share: float | None, wanted: float) -> tuple[str, str]:
    """How far the weight is from the target, with a sign; "near" if it is close."""
    if share is None:
        return "", ""
    off = share - wanted
    if abs(off) < _NEAR:
        return "  near", "$text-success"
    return f"  {'+' if off > 0 else '−'}{number(round(abs(off), 1))}{_BY_WEIGHT}", "$text-warning"


def bar(share: float | None, wanted: float | None, cells: int) -> Content:
    """A share of the whole as a bar; ``│`` marks the target."""
    filled = round(min(100.0, share or 0.0) / 100 * cells)
    marks = ["█"] * filled + ["░"] * (cells - filled)
    if wanted is not None:
        marks[min(cells - 1, max(0, round(wanted / 100 * cells) - 1))] = "│"
    done, rest = "".join(marks[:filled]), "".join(marks[filled:])
    return Content.assemble((done, "$accent"), (rest, "dim"))
