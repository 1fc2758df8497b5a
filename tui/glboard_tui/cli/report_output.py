"""What a report is, and how it is printed: as text, Markdown, CSV and JSON.

Titles of confidential issues are only included if asked for, because reports are meant to be pasted.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Self

from msgspec import Struct

from glboard_core.planning.text import plain
from glboard_tui.cli import context
from glboard_tui.cli.context import Options
from glboard_tui.cli.sharing import Printed

if TYPE_CHECKING:
    from glboard_core.model.milestone import Milestone
    from glboard_core.planning.plan_lock import PlanSnapshot
    from glboard_core.reports import Reports

Shape = dict[str, Any]
Rows = Sequence[Sequence[str]]


class TextTable(Struct, frozen=True):
    """A table with its heading; ``right`` are the number columns."""

    title: str
    heads: tuple[str, ...]
    rows: Rows
    right: frozenset[int] = frozenset()


class Text(Struct, frozen=True, kw_only=True):
    """A report for reading: a heading, sentences, tables, lists; and its CSV."""

    heading: str
    lines: tuple[str, ...] = ()
    tables: tuple[TextTable, ...] = ()
    #: Titles, and the references of each.
    lists: Sequence[tuple[str, Sequence[str]]] = ()
    #: What the CSV has; without it, the first table.
    csv: TextTable | None = None
    #: The report as Markdown, if it is not built from the parts above.
    markdown: str = ""

    def as_table(self) -> str:
        """For a terminal."""
        parts = ["\n".join((self.heading, *self.lines))]
        for table in self.tables:
            if table.rows:
                body = context.as_table(table.heads, table.rows, right=table.right)
                parts.append((f"{table.title}\n" if table.title else "") + body)
        parts += [
            f"{title} ({len(references)}): {', '.join(references)}"
            for title, references in self.lists
            if references
        ]
        return "\n\n".join(parts)

    def as_markdown(self) -> str:
        """For GitLab."""
        if self.markdown:
            return self.markdown
        parts = ["## " + plain(self.heading), *map(plain, self.lines)]
        for table in self.tables:
            if table.rows:
                parts += ["### " + plain(table.title)] if table.title else []
                parts.append(context.as_markdown(table.heads, table.rows, right=table.right))
        for title, references in self.lists:
            if references:
                items = "\n".join(f"- {context.linked(one)}" for one in references)
                parts.append(f"**{plain(title)}** ({len(references)})\n\n{items}")
        return "\n\n".join(parts)

    def as_csv(self) -> str:
        """For a spreadsheet."""
        table = self.csv or self.tables[0]
        return context.as_csv(table.heads, table.rows)


class ReportOptions(Struct, frozen=True, kw_only=True):
    """What the command line asks for. ``milestone`` is "" if none is given."""

    options: Options
    milestone: str
    names: bool = False
    #: Since when, and by whom, as typed: for decisions only.
    since: str = ""
    by: str = ""

    def plan(self, reports: Reports, milestone: Milestone) -> PlanSnapshot | None:
        """The plan locked here, unless ``--locked-at`` names another moment."""
        from glboard_core.reports import kept_plan

        if self.options.locked_at is not None:
            return None
        return kept_plan(reports.engine.store, milestone.title, reports.catalog.group_id)


class Report(Struct, frozen=True, kw_only=True):
    """One kind of report, computed."""

    #: Its name on the command line, and what it shows.
    kind: ClassVar[str]
    about: ClassVar[str]
    #: Whether what it read is stored for the next time, if it is stopped too.
    keep: ClassVar[bool] = False
    takes_milestone: ClassVar[bool] = True
    #: Whether it is about what people and the team can do, and nothing of it is for a shared screen.
    private: ClassVar[bool] = False

    #: What is printed of titles.
    printed: Printed = Printed()

    @classmethod
    @abstractmethod
    async def compute(cls, asked: ReportOptions, reports: Reports) -> Self:
        """Read what it needs and compute it. Raises what reading raises, NameUnknown, UsageError."""

    @abstractmethod
    def shape(self) -> Shape:
        """The JSON."""

    @abstractmethod
    def text(self) -> Text:
        """For reading."""
