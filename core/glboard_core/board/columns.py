"""The columns of a board: one class for each kind.

A kind knows how its columns are resolved from names, which of them an issue is in, the edit that moves a card
in and out, what a new issue gets there, and how GitLab is asked for its issues. An issue with two list labels
is in both columns, but in one state only: of two, in the one farthest from completion. One that fits no
column is in (unlisted); a closed one is only in (closed).

``COLUMN_KINDS`` is the one table: a new kind is a class here, and its name in ``config.ColumnsBy``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import ClassVar, Literal

from msgspec import Struct, structs

from glboard_core.board.edits import chosen, set_flow
from glboard_core.board.operations import Create, Edit
from glboard_core.board.priorities import priority_label, priority_word
from glboard_core.config import BoardSettings, LabelSettings, Limit
from glboard_core.errors import NameUnknown
from glboard_core.model.catalog import Catalog
from glboard_core.model.issue import Issue, Placeable, same_scope
from glboard_core.model.query import IssueQuery
from glboard_core.model.workflow import BY_NAME, STATES, WorkflowScheme, near

UNLISTED = "(unlisted)"
CLOSED = "(closed)"
UNASSIGNED = "(unassigned)"
#: The key in ``limits`` for all columns without a limit.
EVERY = "*"

Lists = tuple["Column", ...]


class ColumnQuery(Struct, frozen=True):
    """A query, and the keys of the columns it reads; None: all columns of the board."""

    query: IssueQuery
    keys: frozenset[str] | None = None


class BoardContext(Struct, frozen=True, kw_only=True):
    """What columns are resolved from. ``milestone`` gives the title for a name, or raises NameUnknown;
    ``issues`` are the open issues of the board, ``team`` the usernames of its people, with issues or not;
    problems are added to ``warnings``, as texts.
    """

    settings: BoardSettings
    catalog: Catalog
    flow: WorkflowScheme
    milestone: Callable[[str], str]
    issues: Callable[[], Iterable[Issue]]
    warnings: list[str]
    team: frozenset[str] = frozenset()
    #: All priorities, the most urgent first, and how labels are named.
    priorities: tuple[str, ...] = ()
    names: LabelSettings = LabelSettings()

    def limit(self, name: str) -> Limit | None:
        """The limit of a column, its own or the one of every column."""
        return self.settings.limits.get(name) or self.settings.limits.get(EVERY)


class Column(Struct, frozen=True, kw_only=True):
    """One column. ``key`` is unique on the board and its name in JSON; ``title`` is for the screen.

    ``value`` decides membership: a label title, a workflow state's name, a milestone title, a username;
    None for unassigned, (unlisted) and (closed). The class is the kind; methods of the class answer for all
    columns of a board, which are of one kind.
    """

    key: str
    title: str
    value: str | None = None
    color: str | None = None
    letter: str = ""
    limit_issues: int | None = None
    limit_weight: int | None = None

    #: What all its cards have in common, so that cards do not repeat it.
    tells: ClassVar[Literal["", "labels", "workflow", "milestone", "assignees"]] = ""
    #: Whether it is one of the board's own, not (unlisted) or (closed).
    is_list: ClassVar[bool] = True
    #: Whether it holds the closed issues.
    is_closed: ClassVar[bool] = False
    #: Whether an issue of the board can be in no list, and be moved there.
    has_unlisted: ClassVar[bool] = True

    @classmethod
    def of_board(cls, context: BoardContext) -> list[Column]:
        """The resolved columns of a board, each once."""
        found: dict[str, Column] = {}
        for name in cls.names_of(context):
            if (column := cls.resolved(name, context)) is not None:
                found.setdefault(column.key, column.limited(context.limit(name)))
        return list(found.values())

    @classmethod
    def names_of(cls, context: BoardContext) -> Iterable[str]:
        """The names of the columns, as the settings have them."""
        return context.settings.columns

    def limited(self, limit: Limit | None) -> Column:
        """The column with its limit."""
        if limit is None:
            return self
        return structs.replace(self, limit_issues=limit.issues, limit_weight=limit.weight)

    @classmethod
    def resolved(cls, name: str, context: BoardContext) -> Column | None:
        """The column for a name in the settings; None, with a warning, if there is no such column."""
        return None

    @classmethod
    def added(cls, key: str) -> Column:
        """The column for a key that no column had when the board was resolved."""
        return cls(key=key, title=key, value=key)

    @classmethod
    def keys_of(cls, columns: Lists, issue: Placeable, flow: WorkflowScheme) -> tuple[str, ...]:
        """The keys of the columns that an open issue of the board is in."""
        return (UNLISTED,)

    @classmethod
    def queries(cls, columns: Lists, base: IssueQuery, flow: WorkflowScheme) -> list[ColumnQuery]:
        """The queries for the board's open issues, so that columns can be read concurrently."""
        return [ColumnQuery(base)]

    @classmethod
    def off(cls, columns: Lists, issue: Issue, flow: WorkflowScheme) -> Edit:
        """Take an issue out of all lists."""
        return Edit()

    @classmethod
    def no_list(cls, flow: WorkflowScheme) -> str:
        """Why GitLab has no such lists, or ""."""
        return "its columns are not labels, so GitLab cannot show this board"

    def enter(self, issue: Issue, source: Column, columns: Lists, flow: WorkflowScheme) -> Edit:
        """Move an issue here from another column."""
        return Edit()

    def new_issue(self, new: Create, flow: WorkflowScheme) -> Create:
        """The new issue with what puts it here."""
        return new

    def after_new(self, flow: WorkflowScheme) -> Edit:
        """The edit that moves a new issue here after it is created, if it cannot be created here."""
        return Edit()

    def list_label(self, flow: WorkflowScheme) -> str | None:
        """The label of GitLab's own list; None if it is not one of a label."""
        return None

    def is_visible(self, count: int, *, show_closed: bool) -> bool:
        """Whether it is drawn with ``count`` issues."""
        return True


class LabelColumn(Column, frozen=True, kw_only=True):
    """The issues with a label."""

    tells = "labels"

    @classmethod
    def resolved(cls, name: str, context: BoardContext) -> Column | None:
        catalog = context.catalog
        if catalog.labels and catalog.color(name) is None:
            near = catalog.near_labels(name)
            similar = f" Did you mean “{near[0]}”?" if near else ""
            context.warnings.append(f"The label “{name}” does not exist in {catalog.group}.{similar}")
        return cls(key=name, title=name.rpartition("::")[2], value=name, color=catalog.color(name))

    @classmethod
    def keys_of(cls, columns: Lists, issue: Placeable, flow: WorkflowScheme) -> tuple[str, ...]:
        # Of several workflow labels, the one farthest from completion counts (rule 4).
        left = {flow.label(state) for state in flow.labelled(issue)[1:]}
        return tuple(c.key for c in columns if c.value in issue.labels and c.value not in left) or (UNLISTED,)

    @classmethod
    def queries(cls, columns: Lists, base: IssueQuery, flow: WorkflowScheme) -> list[ColumnQuery]:
        return _by_labels({column.key: [column.value or ""] for column in columns}, base)

    @classmethod
    def off(cls, columns: Lists, issue: Issue, flow: WorkflowScheme) -> Edit:
        return Edit(remove=frozenset(c.value or "" for c in columns) & issue.labels)

    @classmethod
    def no_list(cls, flow: WorkflowScheme) -> str:
        return ""

    def enter(self, issue: Issue, source: Column, columns: Lists, flow: WorkflowScheme) -> Edit:
        label = self.value or ""
        gone = same_scope(label, issue.labels) | (frozenset({source.value or ""}) & issue.labels)
        return Edit(add=chosen(issue, frozenset({label}), gone), remove=gone - {label})

    def new_issue(self, new: Create, flow: WorkflowScheme) -> Create:
        return structs.replace(new, labels=new.labels | {self.value or ""})

    def list_label(self, flow: WorkflowScheme) -> str | None:
        return self.value


class PriorityColumn(LabelColumn, frozen=True, kw_only=True):
    """The issues of a priority. ``others`` are all priorities: a card that comes here loses them."""

    others: frozenset[str] = frozenset()

    @classmethod
    def names_of(cls, context: BoardContext) -> Iterable[str]:
        if not context.settings.columns and not context.priorities:
            prefix = context.names.priority_prefix
            context.warnings.append(
                f"{context.catalog.group} has no label {prefix}…, so board “{context.settings.name}” has "
                "no columns. Set labels.priorities to your labels."
            )
        return context.settings.columns or context.priorities

    @classmethod
    def resolved(cls, name: str, context: BoardContext) -> Column | None:
        column = super().resolved(priority_label(name, context.names), context)
        if column is None:
            return None
        word = priority_word(column.value or "", context.names)
        wanted = (priority_label(one, context.names) for one in context.settings.columns)
        return structs.replace(
            column,
            title=f"Priority {word}" if word.isdecimal() else word,
            letter=word if len(word) == 1 and word.isdecimal() else "",
            others=frozenset((*context.priorities, *wanted)),
        )

    @classmethod
    def off(cls, columns: Lists, issue: Issue, flow: WorkflowScheme) -> Edit:
        others = frozenset(label for c in columns if isinstance(c, PriorityColumn) for label in c.others)
        return Edit(remove=others & issue.labels)

    def enter(self, issue: Issue, source: Column, columns: Lists, flow: WorkflowScheme) -> Edit:
        label = self.value or ""
        gone = (same_scope(label, issue.labels) | (self.others & issue.labels)) - {label}
        return Edit(add=chosen(issue, frozenset({label}), gone), remove=gone)


class FlowColumn(Column, frozen=True, kw_only=True):
    """The issues in a workflow state, and in those that it absorbed (rule 2)."""

    tells = "workflow"

    @classmethod
    def of_board(cls, context: BoardContext) -> list[Column]:
        if cls is FlowColumn and context.flow.backend == "status":
            return StatusColumn.of_board(context)
        return super().of_board(context)

    @classmethod
    def resolved(cls, name: str, context: BoardContext) -> Column | None:
        state = near(name)
        if state is None:
            board = context.settings.name
            context.warnings.append(
                f"“{name}” is not a workflow state, so board “{board}” has no such column."
            )
            return None
        label = context.flow.label(state)
        return cls(
            key=context.flow.status(state) if context.flow.backend == "status" else label,
            title=state.name,
            value=state.name,
            color=context.catalog.color(label),
            letter=state.letter,
        )

    @classmethod
    def keys_of(cls, columns: Lists, issue: Placeable, flow: WorkflowScheme) -> tuple[str, ...]:
        listed = {column.value for column in columns}
        # An absorbed state (scheduling) is shown in the other's column, unless the board has one for it.
        if (state := flow.of(issue)) is None:
            return (UNLISTED,)
        value = state.name if state.name in listed else (state.shown_as or state.name)
        return tuple(column.key for column in columns if column.value == value) or (UNLISTED,)

    @classmethod
    def queries(cls, columns: Lists, base: IssueQuery, flow: WorkflowScheme) -> list[ColumnQuery]:
        if flow.backend == "status":
            return [ColumnQuery(base)]
        listed = {column.value for column in columns}
        return _by_labels(
            {
                column.key: [
                    flow.label(state)
                    for state in STATES
                    if state.name == column.value
                    or (state.shown_as == column.value and state.name not in listed)
                ]
                for column in columns
            },
            base,
        )

    @classmethod
    def off(cls, columns: Lists, issue: Issue, flow: WorkflowScheme) -> Edit:
        # With both backends the status stays: every issue in GitLab has one.
        return Edit(remove=frozenset(c.list_label(flow) or "" for c in columns) & issue.labels)

    @classmethod
    def no_list(cls, flow: WorkflowScheme) -> str:
        return ""

    def enter(self, issue: Issue, source: Column, columns: Lists, flow: WorkflowScheme) -> Edit:
        return set_flow(issue, BY_NAME[self.value or ""], flow)

    def new_issue(self, new: Create, flow: WorkflowScheme) -> Create:
        return structs.replace(new, labels=new.labels | {flow.label(BY_NAME[self.value or ""])})

    def after_new(self, flow: WorkflowScheme) -> Edit:
        return Edit() if flow.backend == "label" else Edit(status=flow.status(BY_NAME[self.value or ""]))

    def list_label(self, flow: WorkflowScheme) -> str | None:
        return flow.label(BY_NAME[self.value or ""])


class StatusColumn(FlowColumn, frozen=True, kw_only=True):
    """The issues in a workflow state stored only as status: every issue always has one."""

    has_unlisted: ClassVar[bool] = False

    @classmethod
    def off(cls, columns: Lists, issue: Issue, flow: WorkflowScheme) -> Edit:
        return Edit()

    def new_issue(self, new: Create, flow: WorkflowScheme) -> Create:
        return new

    def list_label(self, flow: WorkflowScheme) -> str | None:
        return None


class MilestoneColumn(Column, frozen=True, kw_only=True):
    """The issues of a milestone."""

    tells = "milestone"
    #: The letters of the ``m`` keys.
    LETTERS: ClassVar[Mapping[str, str]] = {
        "next": "n",
        "after-next": "f",
        "next-1-3": "1",
        "next-4-6": "4",
        "backlog": "k",
        "awaiting": "a",
    }

    @classmethod
    def resolved(cls, name: str, context: BoardContext) -> Column | None:
        try:
            title = context.milestone(name)
        except NameUnknown as error:
            context.warnings.append(str(error))
            return None
        return cls(key=title, title=title, value=title, letter=cls.LETTERS.get(name, ""))

    @classmethod
    def keys_of(cls, columns: Lists, issue: Placeable, flow: WorkflowScheme) -> tuple[str, ...]:
        return tuple(c.key for c in columns if c.value == issue.milestone) or (UNLISTED,)

    @classmethod
    def queries(cls, columns: Lists, base: IssueQuery, flow: WorkflowScheme) -> list[ColumnQuery]:
        if base.milestone is not None:
            return [ColumnQuery(base)]
        listed = tuple(sorted(column.value for column in columns if column.value))
        found = [
            ColumnQuery(structs.replace(base, milestone=column.value or ""), frozenset({column.key}))
            for column in columns
        ]
        rest = structs.replace(base, without_milestones=listed)
        return [*found, ColumnQuery(rest, frozenset({UNLISTED}))]

    @classmethod
    def off(cls, columns: Lists, issue: Issue, flow: WorkflowScheme) -> Edit:
        return Edit(milestone=None)

    def enter(self, issue: Issue, source: Column, columns: Lists, flow: WorkflowScheme) -> Edit:
        return Edit(milestone=self.value)

    def new_issue(self, new: Create, flow: WorkflowScheme) -> Create:
        return structs.replace(new, milestone=self.value)


class AssigneeColumn(Column, frozen=True, kw_only=True):
    """The issues of a person, or the unassigned ones."""

    tells = "assignees"
    has_unlisted: ClassVar[bool] = False

    @classmethod
    def of_board(cls, context: BoardContext) -> list[Column]:
        # Of the team, and assigned; the index adds anyone assigned later.
        names = {name for issue in context.issues() for name in issue.assignees}
        names |= {name for name in context.team if context.catalog.person(name) is not None}
        everybody = [cls(key=UNASSIGNED, title="unassigned"), *map(cls.added, sorted(names))]
        # Unassigned work is no one's load: that column has a limit only by its own name.
        own = context.settings.limits.get(UNASSIGNED)
        return [
            column.limited(own if column.key == UNASSIGNED else context.limit(column.key))
            for column in everybody
        ]

    @classmethod
    def keys_of(cls, columns: Lists, issue: Placeable, flow: WorkflowScheme) -> tuple[str, ...]:
        return issue.assignees or (UNASSIGNED,)

    def enter(self, issue: Issue, source: Column, columns: Lists, flow: WorkflowScheme) -> Edit:
        came = {self.value} - {None, *issue.assignees}
        gone = (name for name in issue.assignees if name == source.value)
        return Edit(assign=frozenset(name for name in came if name), unassign=frozenset(gone))

    def new_issue(self, new: Create, flow: WorkflowScheme) -> Create:
        return new if self.value is None else structs.replace(new, assignees=(self.value,))


class AllColumn(Column, frozen=True, kw_only=True):
    """All issues of the board, in one column."""

    has_unlisted: ClassVar[bool] = False

    @classmethod
    def of_board(cls, context: BoardContext) -> list[Column]:
        return [cls(key="(all)", title=context.settings.name).limited(context.limit("(all)"))]

    @classmethod
    def keys_of(cls, columns: Lists, issue: Placeable, flow: WorkflowScheme) -> tuple[str, ...]:
        return (columns[0].key,)


class UnlistedColumn(Column, frozen=True, kw_only=True):
    """The open issues that are in no list; also the kind of a board without lists."""

    key: str = UNLISTED
    title: str = UNLISTED
    letter: str = "u"

    is_list: ClassVar[bool] = False

    def enter(self, issue: Issue, source: Column, columns: Lists, flow: WorkflowScheme) -> Edit:
        return kind_of(columns).off(columns, issue, flow)

    def is_visible(self, count: int, *, show_closed: bool) -> bool:
        return count > 0


class ClosedColumn(Column, frozen=True, kw_only=True):
    """The closed issues. Moving there only closes, unlike the web, which removes the labels."""

    key: str = CLOSED
    title: str = CLOSED
    letter: str = "c"

    is_list: ClassVar[bool] = False
    is_closed: ClassVar[bool] = True

    def enter(self, issue: Issue, source: Column, columns: Lists, flow: WorkflowScheme) -> Edit:
        return Edit(state="closed")

    def is_visible(self, count: int, *, show_closed: bool) -> bool:
        return show_closed


#: The kinds that settings can choose (``by``).
COLUMN_KINDS: Mapping[str, type[Column]] = {
    "label": LabelColumn,
    "flow": FlowColumn,
    "milestone": MilestoneColumn,
    "assignee": AssigneeColumn,
    "priority": PriorityColumn,
    "none": AllColumn,
}

#: The columns that every board has after its own.
REST: Lists = (UnlistedColumn(), ClosedColumn())


def kind_of(columns: Lists) -> type[Column]:
    """The kind of a board's own columns."""
    return type(columns[0]) if columns else UnlistedColumn


def _by_labels(labels: Mapping[str, list[str]], base: IssueQuery) -> list[ColumnQuery]:
    """A query for each label of each column, by the column's key, and one for the rest."""
    found = [
        ColumnQuery(structs.replace(base, labels=(*base.labels, title)), frozenset({key}))
        for key, titles in labels.items()
        for title in titles
        if title not in base.labels
    ]
    listed = sorted({title for titles in labels.values() for title in titles})
    rest = structs.replace(base, without=(*base.without, *listed))
    return [*found, ColumnQuery(rest, frozenset({UNLISTED}))]
