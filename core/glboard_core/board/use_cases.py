"""What a key does to its target issues: issues in, the acts and title of one keystroke out.

Pure. Owns the step from "these issues, this intent" to the list the engine performs as one undo level; what a
change of one issue means is in ``glboard_core.board.plans``. It asks nothing and sends nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from typing import Literal

from msgspec import Struct, structs

from glboard_core.board import edits
from glboard_core.board import edits as compound
from glboard_core.board import edits as plans
from glboard_core.board.columns import UNLISTED, Column
from glboard_core.board.definition import Board
from glboard_core.board.edits import Wanted, later
from glboard_core.board.index import BoardIndex, ColumnIndex
from glboard_core.board.operations import Change, Comment, Create, Edit
from glboard_core.config import LabelSettings
from glboard_core.model.catalog import Catalog
from glboard_core.model.issue import Issue, IssueId, same_scope
from glboard_core.model.workflow import BY_NAME, WorkflowScheme, WorkflowState

Acts = tuple[tuple[IssueId, Change], ...]

#: Column kinds that cannot be moved out of a list to "no list".


def joined(title: str, description: str) -> str:
    """An issue's text for the editor: title on the first line, a blank line, then the description."""
    return f"{title}\n\n{description}\n"


def split(text: str) -> tuple[str, str]:
    """Title and description of an edited text; the blank line between them is optional."""
    first, _, rest = text.partition("\n")
    return first.strip(), rest.lstrip("\n").rstrip()


class EditBatch(Struct, frozen=True, kw_only=True):
    """One keystroke's acts; footer, undo and failures show its ``title``.

    ``skipped`` says how many issues were skipped and why.
    """

    changes: Acts = ()
    title: str = ""
    skipped: str = ""


class Moves(Struct, frozen=True, kw_only=True):
    """A move that may need a question: ``further`` holds the acts of the answer that changes more."""

    work: EditBatch
    asks: bool = False
    #: The acts that also remove subtype labels; None if no issue has one.
    further: EditBatch | None = None
    closing: int = 0


def short(issue: Issue) -> str:
    """The reference without the groups above the project: ``platform#4219``."""
    return issue.reference.rpartition("/")[2]


def titled(issues: Sequence[Issue], what: str) -> str:
    """``platform#4219 to 19.9`` for one issue, ``4 to 19.9`` for several. Never holds an issue's title."""
    return f"{short(issues[0])} {what}" if len(issues) == 1 else f"{len(issues)} {what}"


def each(
    issues: Sequence[Issue], edit: Callable[[Issue], Edit | None], what: str, why_not: str = ""
) -> EditBatch:
    """The same intent on each issue. Issues for which ``edit`` returns None are skipped, with ``why_not``."""
    reached: list[Issue] = []
    changes: list[tuple[IssueId, Change]] = []
    for issue in issues:
        made = edit(issue)
        if made is not None:
            reached.append(issue)
            changes.append((issue.id, made))
    left = len(issues) - len(reached)
    skipped = f"{left} skipped: {why_not}" if left and len(issues) > 1 else why_not if left else ""
    return EditBatch(changes=tuple(changes), title=titled(reached, what) if reached else "", skipped=skipped)


def _project(issues: Sequence[Issue]) -> str:
    projects = {issue.project for issue in issues}
    return projects.pop() if len(projects) == 1 else "their project"


class Edits(Struct, frozen=True, kw_only=True):
    """Intents on issues, with what they need to know about the server, the settings and the day."""

    flow: WorkflowScheme
    names: LabelSettings
    catalog: Catalog
    today: date

    def weight(self, issues: Sequence[Issue], weight: int | None) -> EditBatch:
        """Set or clear the weight."""
        return each(
            issues, lambda _: Edit(weight=weight), "no weight" if weight is None else f"weight {weight}"
        )

    def weight_ready(self, issues: Sequence[Issue], weight: int) -> EditBatch:
        """Set weight and ready for development in one edit ("done weighting", planning rule 14)."""
        ready = BY_NAME["ready for development"]
        return each(
            issues,
            lambda issue: structs.replace(edits.set_flow(issue, ready, self.flow), weight=weight),
            f"weight {weight}, ready",
        )

    def milestone(self, issues: Sequence[Issue], title: str | None) -> EditBatch:
        """Set or clear the milestone."""
        return each(
            issues,
            lambda issue: edits.set_milestone(title, self.names, issue),
            f"to {title}" if title else "no milestone",
        )

    def milestones(
        self, issues: Sequence[Issue], titles: Mapping[IssueId, str | None], name: str
    ) -> EditBatch:
        """Set each issue's own title; issues whose project cannot see such a milestone are skipped."""
        found = sorted({title for title in titles.values() if title})
        return each(
            issues,
            lambda issue: (
                edits.set_milestone(title, self.names, issue) if (title := titles.get(issue.id)) else None
            ),
            f"to {found[0]}" if len(found) == 1 else f"to {name}",
            f"their project has no milestone {name}"
            if len(issues) > 1
            else f"{_project(issues)} has no milestone {name}",
        )

    def defer(self, issues: Sequence[Issue]) -> EditBatch:
        """Move each issue to its project's next version milestone and remove Deliverable (rule 1)."""
        targets: dict[IssueId, str] = {}
        for issue in issues:
            after = later(issue, self.catalog, self.today)
            if after is not None:
                targets[issue.id] = after.title
        titles = sorted(set(targets.values()))
        return each(
            issues,
            lambda issue: (
                edits.set_milestone(targets[issue.id], self.names, issue, drop=True)
                if issue.id in targets
                else None
            ),
            f"to {titles[0]}" if len(titles) == 1 else "deferred",
            "their project has no later version milestone"
            if len(issues) > 1
            else f"{_project(issues)} has no later version milestone",
        )

    def set_flow(self, issues: Sequence[Issue], state: WorkflowState) -> EditBatch:
        """Set the workflow state."""
        return each(issues, lambda issue: edits.set_flow(issue, state, self.flow), state.name)

    def advance(self, issues: Sequence[Issue]) -> EditBatch:
        """Advance each issue by one workflow state."""
        states = {issue.id: edits.advance(issue, self.flow) for issue in issues}
        names = {state.name for state in states.values() if state}

        def edit(issue: Issue) -> Edit | None:
            state = states[issue.id]
            return edits.set_flow(issue, state, self.flow) if state else None

        return each(
            issues,
            edit,
            names.pop() if len(names) == 1 else "advanced",
            "already complete; press x x to close",
        )

    def accept(self, issues: Sequence[Issue], assignee: str | None) -> EditBatch:
        """Accept with that assignee or the current ones; unassigned issues are skipped (rule 4)."""

        def edit(issue: Issue) -> Edit | None:
            if assignee is None and not issue.assignees:
                return None
            return edits.accept(issue, assignee, self.names)

        return each(
            issues,
            edit,
            f"accepted for {assignee}" if assignee else "accepted",
            "unassigned; press d and a letter to accept and assign",
        )

    def take_back(self, issues: Sequence[Issue]) -> EditBatch:
        """Remove Deliverable."""
        return each(
            issues,
            lambda issue: (
                edits.take_back(issue, self.names) if self.names.deliverable in issue.labels else None
            ),
            f"-{self.names.deliverable}",
            f"has no {self.names.deliverable} label",
        )

    def complete(self, issues: Sequence[Issue]) -> EditBatch:
        """Set complete and close."""
        return each(issues, lambda issue: edits.complete(issue, self.flow), "complete, closed")

    def set_state(self, issues: Sequence[Issue], *, close: bool) -> EditBatch:
        """Close or reopen; issues already in that state are skipped."""
        state = "closed" if close else "opened"
        return each(
            issues,
            lambda issue: None if issue.state == state else Edit(state="closed" if close else "opened"),
            "closed" if close else "reopened",
            "already closed" if close else "already open",
        )

    def toggle_me(self, issues: Sequence[Issue]) -> EditBatch:
        """Assign me wherever I am missing; if I am on all issues, unassign me from all."""
        me = self.catalog.me.username
        on = any(me not in issue.assignees for issue in issues)
        return each(
            issues,
            lambda issue: edits.toggle_assignee(issue, me) if (me in issue.assignees) != on else None,
            f"assign {me}" if on else f"unassign {me}",
        )

    def relabel(self, issues: Sequence[Issue], add: frozenset[str], remove: frozenset[str]) -> EditBatch:
        """Add and remove labels; scoped siblings of added labels are removed."""
        what = ", ".join(
            [*(f"+{label}" for label in sorted(add)), *(f"-{label}" for label in sorted(remove))]
        )
        return each(issues, lambda issue: edits.relabel(issue, add, remove), what)

    def one_of_scope(self, issues: Sequence[Issue], label: str) -> EditBatch:
        """Add a scoped label and remove its siblings, where the issue's project has the label."""
        return each(
            issues,
            lambda issue: (
                edits.relabel(issue, frozenset({label}), same_scope(label, issue.labels))
                if self.catalog.label(issue.project, label) is not None
                else None
            ),
            f"+{label}",
            f"no label {label} in {_project(issues)}",
        )

    def take(self, issues: Sequence[Issue]) -> EditBatch:
        """Assign me and set in dev: the start of work on an issue (rule 22)."""
        me, state = self.catalog.me.username, BY_NAME["in dev"]

        def edit(issue: Issue) -> Edit | None:
            if not issue.is_open:
                return None
            people = issue.assignees if me in issue.assignees else (*issue.assignees, me)
            return structs.replace(edits.set_flow(issue, state, self.flow), assignees=people)

        return each(issues, edit, "assigned to me, in dev", "already closed")

    def reassign(self, issues: Sequence[Issue], add: Sequence[str], remove: frozenset[str]) -> EditBatch:
        """Assign and unassign people; other assignees stay."""

        def edit(issue: Issue) -> Edit:
            kept = [name for name in issue.assignees if name not in remove]
            return Edit(assignees=tuple(dict.fromkeys((*kept, *add))))

        what = ", ".join(
            [*(f"assign {name}" for name in add), *(f"unassign {name}" for name in sorted(remove))]
        )
        return each(issues, edit, what)

    # Moving

    def move(
        self, issues: Sequence[Issue], index: BoardIndex, here: str | None, to: Mapping[IssueId, Column]
    ) -> Moves:
        """Move each issue to its column in ``to``, from ``here`` (the focused column) if it is in it."""
        asked = False
        closing = 0
        plain: dict[IssueId, Edit] = {}
        further: dict[IssueId, Edit] = {}
        for issue in issues:
            target = to.get(issue.id)
            source = source_of(index, issue, here)
            if target is None or source is None:
                continue
            plan = index.board.move(issue, source, target, self.flow, self.names)
            if plan is None:
                continue
            asked = asked or plan.asks is not None
            closing += plan.edit.state == "closed"
            plain[issue.id] = plan.edit
            further[issue.id] = plan.if_asked or plan.edit
        names = {to[issue].title for issue in plain}
        what = f"to {names.pop()}" if len(names) == 1 else "moved"
        return Moves(
            work=each([i for i in issues if i.id in plain], lambda issue: plain[issue.id], what),
            asks=asked,
            further=each([i for i in issues if i.id in plain], lambda issue: further[issue.id], what)
            if further != plain
            else None,
            closing=closing,
        )


def source_of(index: BoardIndex, issue: Issue, here: str | None) -> Column | None:
    """The column an issue is moved from: the focused one if it is in it, else its first."""
    keys = index.keys_of(issue)
    if not keys:
        return None
    found = index.column(here if here in keys and here is not None else keys[0])
    return found.column if found else None


def sideways(
    index: BoardIndex, issues: Iterable[Issue], here: str | None, step: int
) -> dict[IssueId, Column]:
    """The column next to each issue's own. Never (unlisted) or (closed): an extra key does no harm."""
    line = [c.column for c in index.columns if c.column.is_list]
    keys = [column.key for column in line]
    found: dict[IssueId, Column] = {}
    for issue in issues:
        source = source_of(index, issue, here)
        if source is None or not line:
            continue
        # (unlisted) and (closed) are the rightmost columns, so the way back is to the left.
        at = keys.index(source.key) + step if source.key in keys else (len(line) - 1 if step < 0 else None)
        if at is not None and 0 <= at < len(line):
            found[issue.id] = line[at]
    return found


def reachable(index: BoardIndex) -> dict[str, Column]:
    """The columns ``>`` offers, by letter, with (unlisted) and (closed) where moving there makes sense."""
    return {
        c.column.letter: c.column
        for c in index.columns
        if c.column.letter and (index.board.kind.has_unlisted or c.column.key != UNLISTED)
    }


def new_issue(board: Board, column: Column | None, project: str, title: str, flow: WorkflowScheme) -> Create:
    """A new issue that belongs on this board, in this column: with its labels, milestone, assignee."""
    new = Create(project=project, title=title, labels=board.labels, milestone=board.milestone or None)
    return new if column is None else column.new_issue(new, flow)


# Compound actions on several issues at once: the acts of one keystroke, and what to ask first (rule 14).

Means = Callable[[Edits, Issue], Wanted | None]
"""The edit wanted for one issue; None if the action does not apply to it."""


class Compound(Struct, frozen=True, kw_only=True):
    """The work, the missing labels with their projects, and the work on only the issues with all labels."""

    work: EditBatch
    lacks: Mapping[str, tuple[str, ...]] = {}
    whole: EditBatch = EditBatch()

    @property
    def missing(self) -> str:
        """The labels that do not exist, as text: ``missed:19.7 does not exist for platform``."""
        return "\n".join(
            f"{label} does not exist for {', '.join(projects)}." for label, projects in self.lacks.items()
        )


def compounded(
    edits: Edits, issues: Sequence[Issue], means: Means, what: str, *, why_not: str, comment: str = ""
) -> Compound:
    """Each issue's edit, then the comment: the edit can be sent while the comment is still held back."""
    wanted = [(issue, found) for issue in issues if (found := means(edits, issue)) is not None]
    lacks: dict[str, dict[str, None]] = {}
    for issue, found in wanted:
        for label in found.lacks:
            lacks.setdefault(label, {})[issue.project.rpartition("/")[2]] = None
    left = len(issues) - len(wanted)
    skipped = "" if not left else f"{left} skipped: {why_not}" if len(issues) > 1 else why_not
    return Compound(
        work=_work([(issue, found.edit) for issue, found in wanted], what, comment, skipped),
        lacks={label: tuple(projects) for label, projects in lacks.items()},
        whole=_work([(i, found.edit) for i, found in wanted if not found.lacks], what, comment, skipped),
    )


def _work(edits: Sequence[tuple[Issue, Edit]], what: str, comment: str, skipped: str) -> EditBatch:
    changes: list[tuple[IssueId, Change]] = []
    for issue, edit in edits:
        changes.append((issue.id, edit))
        if comment:
            changes.append((issue.id, Comment(body=comment)))
    title = titled([issue for issue, _ in edits], what) if edits else ""
    return EditBatch(changes=tuple(changes), title=title, skipped=skipped)


def breakdown(edits: Edits, issue: Issue) -> Wanted | None:
    """Set planning breakdown; open issues only."""
    return Wanted(edit=compound.ask_breakdown(issue, edits.flow)) if issue.is_open else None


def blocked(edits: Edits, issue: Issue) -> Wanted | None:
    """Set blocked; open issues only."""
    return Wanted(edit=compound.block(issue, edits.flow)) if issue.is_open else None


def slipped(edits: Edits, issue: Issue) -> Wanted | None:
    """Mark as missed and move to the next milestone."""
    return compound.slip(issue, edits.catalog, edits.names, edits.today)


def dropped(bucket: str) -> Means:
    """Drop from the plan into ``bucket``."""
    return lambda edits, issue: compound.drop(issue, bucket, edits.catalog, edits.names, edits.today)


def wont_do(edits: Edits, issue: Issue) -> Wanted | None:
    """Close as won't do."""
    return compound.wont_do_edit(issue, edits.catalog, edits.flow, edits.names)


def duplicate(of: str) -> Means:
    """Close as a duplicate of the issue with that full reference; an issue cannot duplicate itself."""

    def means(edits: Edits, issue: Issue) -> Wanted | None:
        if issue.reference == of:
            return None
        return compound.duplicate_edit(issue, edits.catalog, edits.flow, edits.names)

    return means


def spiked(weight: int | None) -> Means:
    """Mark as a spike, with that weight if the issue is unweighted."""
    return lambda edits, issue: compound.spike(issue, edits.catalog, edits.names, weight)


def accepted(edits: Edits, issues: Sequence[Issue], otherwise: str) -> EditBatch:
    """Accept for the current assignees, and for ``otherwise`` if unassigned (rule 4)."""
    return each(
        issues,
        lambda issue: plans.accept(issue, None if issue.assignees else otherwise, edits.names),
        "accepted" if any(issue.assignees for issue in issues) else f"accepted for {otherwise}",
    )


def request_text(people: Sequence[str]) -> str:
    """The default text of a request for a breakdown."""
    asked = " ".join(f"@{name}" for name in people)
    return f"{asked} please break this down, and set a weight and a type label."


def where(issues: Sequence[Issue]) -> str:
    """Which issues a dialog is about."""
    return short(issues[0]) if len(issues) == 1 else f"{len(issues)} issues, one comment on each"


# Ranking one or several cards of a column: the Ops that move them up, down, to the top or the bottom.

Where = Literal["up", "down", "top", "bottom"]

_WORDS: dict[Where, str] = {"up": "ranked up", "down": "ranked down", "top": "to top", "bottom": "to bottom"}


def ranked(index: BoardIndex, cards: ColumnIndex, issues: Sequence[Issue], where: Where) -> EditBatch:
    """The Ops that move these cards of one column; cards already in place are left alone."""
    here = [(row, issue) for issue in issues if (row := cards.row_of(issue)) is not None]
    here.sort()
    if not here:
        return EditBatch(skipped="not in this column")
    changes = _one(index, cards, *here[0], where) if len(here) == 1 else _many(index, cards, here, where)
    if not changes:
        return EditBatch(skipped="already there")
    return EditBatch(changes=tuple(changes), title=titled([issue for _, issue in here], _WORDS[where]))


def _one(
    index: BoardIndex, cards: ColumnIndex, row: int, issue: Issue, where: Where
) -> list[tuple[IssueId, Change]]:
    places = edits.ranked(_Rows(cards), row, _target(row, len(cards), where))
    if places is None:
        return []
    above, below, was_above, was_below = (index.issue(place) if place else None for place in places)
    return [(issue.id, edits.rank(issue, above, below, was_above, was_below))]


class _Rows(Sequence[IssueId]):
    """A column as a sequence of ids, without copying it."""

    def __init__(self, cards: ColumnIndex) -> None:
        self._cards = cards

    def __len__(self) -> int:
        return len(self._cards)

    def __getitem__(self, row: int) -> IssueId:  # type: ignore[override]  # never sliced
        return self._cards[row]


def _target(row: int, count: int, where: Where) -> int:
    return {"up": row - 1, "down": row + 1, "top": 0, "bottom": count - 1}[where]


def _many(
    index: BoardIndex, cards: ColumnIndex, here: list[tuple[int, Issue]], where: Where
) -> list[tuple[IssueId, Change]]:
    rows = [cards[row] for row in range(len(cards))]
    now = {issue.id: issue for _, issue in here}
    forward = where in ("up", "top")
    changes: list[tuple[IssueId, Change]] = []
    blocked = -1 if forward else len(rows)
    for nth, (_, issue) in enumerate(here if forward else reversed(here)):
        row = rows.index(issue.id)
        edge = nth if forward else len(rows) - 1 - nth
        to = edge if where in ("top", "bottom") else row + (-1 if forward else 1)
        # A selected card at the end stops the one behind it, so that their order is kept.
        if to in (blocked, row) or not 0 <= to < len(rows):
            blocked = row
            continue
        blocked = to
        places = edits.ranked(rows, row, to)
        if places is None:
            continue
        near = [now.get(place) or index.issue(place) if place else None for place in places]
        change = edits.rank(now[issue.id], *near)
        changes.append((issue.id, change))
        if change.position is not None:
            now[issue.id] = structs.replace(now[issue.id], position=change.position)
        rows.insert(to, rows.pop(row))
    return changes
