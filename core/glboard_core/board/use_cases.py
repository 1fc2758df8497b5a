"""What a key or a command does to several issues: issues in, a batch of changes out.

The screen and the command line call the same methods. Pure: questions are part of the batch. ``edits.py`` has
the meaning for one issue; ``planning/confirmations.py`` checks the result against the rules.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date

from msgspec import Struct, structs

from glboard_core.board import edits
from glboard_core.board.batch import EditBatch, Question, Remedy, Reply, each
from glboard_core.board.columns import UNLISTED, Column
from glboard_core.board.definition import Board, flow_scheme, milestone_for, milestone_title
from glboard_core.board.edits import CompoundEdit
from glboard_core.board.flow_differences import Prefer, alignment
from glboard_core.board.index import BoardIndex
from glboard_core.board.operations import Create, Edit
from glboard_core.config import LabelSettings, Settings
from glboard_core.model.catalog import Catalog
from glboard_core.model.clean_text import typed_body
from glboard_core.model.issue import Issue, IssueId, same_scope
from glboard_core.model.workflow import BY_NAME, WorkflowScheme, WorkflowState

_CLOSED = "already closed"
#: How the title of a request for a breakdown ends.
BREAKDOWN = "breakdown requested"


def request_text(people: Sequence[str]) -> str:
    """The default text of a request for a breakdown."""
    asked = " ".join(f"@{name}" for name in people)
    return f"{asked} please break this down, and set a weight and a type label."


def _project(issues: Sequence[Issue]) -> str:
    projects = {issue.project for issue in issues}
    return projects.pop() if len(projects) == 1 else "their project"


def _whose(issues: Sequence[Issue]) -> str:
    return "their project" if len(issues) > 1 else _project(issues)


def _signed(add: Iterable[str], plus: str, remove: Iterable[str], minus: str) -> str:
    return ", ".join([*(plus + one for one in add), *(minus + one for one in sorted(remove))])


class Edits(Struct, frozen=True, kw_only=True):
    """Intents on issues, with what they need to know about the settings, the server and the team's day.

    Methods that ask a question say so.
    """

    settings: Settings
    catalog: Catalog
    today: date

    @property
    def names(self) -> LabelSettings:
        """The labels with a meaning."""
        return self.settings.labels

    @property
    def version(self) -> str:
        """The pattern of version titles."""
        return self.settings.planning.version

    @property
    def flow(self) -> WorkflowScheme:
        """How workflow states are stored."""
        return flow_scheme(self.settings)

    # Weight and milestone

    def weight(self, issues: Sequence[Issue], weight: int | None) -> EditBatch:
        """Set or clear the weight."""
        what = "no weight" if weight is None else f"weight {weight}"
        return each(issues, lambda _: Edit(weight=weight), what)

    def weight_ready(self, issues: Sequence[Issue], weight: int) -> EditBatch:
        """Set weight and ready for development in one edit ("done weighting", planning rule 14)."""
        ready, flow = BY_NAME["ready for development"], self.flow
        return each(
            issues,
            lambda issue: structs.replace(edits.set_flow(issue, ready, flow), weight=weight),
            f"weight {weight}, ready",
            wish=f"Set {{}} to weight {weight} and ready for development",
        )

    def milestone(self, issues: Sequence[Issue], title: str | None) -> EditBatch:
        """Set or clear the milestone."""
        return each(
            issues,
            lambda _: Edit(milestone=title),
            f"to {title}" if title else "no milestone",
        )

    def milestone_named(self, issues: Sequence[Issue], name: str) -> EditBatch:
        """Set the milestone that ``name`` (a title, ``next``, an alias) means in each issue's project.

        Issues whose project cannot see one are left. Raises NameUnknown if the group has none.
        """
        title = milestone_title(name, self.settings, self.catalog, self.today)
        titles = {
            project: milestone_for(name, project, self.settings, self.catalog, self.today)
            for project in {issue.project for issue in issues}
        }
        found = {own for own in titles.values() if own}
        return each(
            issues,
            lambda issue: Edit(milestone=own) if (own := titles[issue.project]) else None,
            f"to {found.pop() if len(found) == 1 else title}",
            f"{_whose(issues)} has no milestone {title}",
        )

    def defer(self, issues: Sequence[Issue]) -> EditBatch:
        """Move each issue to its project's next version milestone and remove Deliverable (rule 1)."""
        targets = {issue.id: edits.later(issue, self.catalog, self.today, self.version) for issue in issues}
        titles = {after.title for after in targets.values() if after}
        return each(
            issues,
            lambda issue: edits.unplan(to.title, self.names, issue) if (to := targets[issue.id]) else None,
            f"to {titles.pop()}" if len(titles) == 1 else "deferred",
            f"{_whose(issues)} has no later version milestone",
        )

    def slip(self, issues: Sequence[Issue]) -> EditBatch:
        """Mark as missed and move to the following version milestone. Asks if a label does not exist."""
        return self._with_labels(
            issues,
            lambda issue: edits.slip(issue, self.catalog, self.names, self.today, self.version),
            "slipped",
            "closed, or no version milestone to slip from or to",
        )

    @property
    def bucket(self) -> str:
        """The milestone that dropped issues go to. Raises NameUnknown if the group has none."""
        return milestone_title("backlog", self.settings, self.catalog, self.today)

    def drop(self, issues: Sequence[Issue], reason: str) -> EditBatch:
        """Drop from the plan, with the reason as comment. Asks if a label does not exist."""
        bucket = self.bucket
        return self._with_labels(
            issues,
            lambda issue: edits.drop(issue, bucket, self.catalog, self.names, self.today, self.version),
            f"dropped to {bucket}",
            _CLOSED,
            comment=reason,
        )

    # Workflow

    def set_flow(self, issues: Sequence[Issue], state: WorkflowState) -> EditBatch:
        """Set the workflow state."""
        flow = self.flow
        return each(
            issues,
            lambda issue: edits.set_flow(issue, state, flow),
            state.name,
            wish=f"Set {{}} to {state.name}",
        )

    def advance(self, issues: Sequence[Issue]) -> EditBatch:
        """Advance each issue by one workflow state."""
        flow = self.flow
        states = {issue.id: edits.advance(issue, flow) for issue in issues}
        names = {state.name for state in states.values() if state}
        return each(
            issues,
            lambda issue: edits.set_flow(issue, state, flow) if (state := states[issue.id]) else None,
            (to := names.pop() if len(names) == 1 else "advanced"),
            "already complete; close it instead",
            wish="Advance {}" if to == "advanced" else f"Advance {{}} to {to}",
        )

    def align_flow(self, issues: Sequence[Issue], right: Prefer | None = None) -> EditBatch:
        """Label and status the same where they differ. Asks which is right, unless that is configured."""
        return alignment(issues, self.flow, right or self.settings.flow.prefer)

    def breakdown(self, issues: Sequence[Issue], comment: str) -> EditBatch:
        """Set planning breakdown, with a comment that mentions people; open issues only."""
        return self._open(issues, BY_NAME["planning breakdown"], BREAKDOWN, comment)

    def block(self, issues: Sequence[Issue], comment: str) -> EditBatch:
        """Set blocked, with a comment that gives the reason; open issues only."""
        return self._open(issues, BY_NAME["blocked"], "blocked", comment)

    def _open(self, issues: Sequence[Issue], state: WorkflowState, what: str, comment: str) -> EditBatch:
        flow = self.flow
        return each(
            issues,
            lambda issue: edits.set_flow(issue, state, flow) if issue.is_open else None,
            what,
            _CLOSED,
            comment=comment,
        )

    def take(self, issues: Sequence[Issue]) -> EditBatch:
        """Assign me and set in dev: the start of work on an issue (rule 22); open issues only."""
        me, state, flow = self.catalog.me.username, BY_NAME["in dev"], self.flow

        def edit(issue: Issue) -> Edit | None:
            alone = frozenset({me}) - set(issue.assignees)
            taken = structs.replace(edits.set_flow(issue, state, flow), assign=alone)
            return taken if issue.is_open else None

        return each(issues, edit, "assigned to me, in dev", _CLOSED, wish="Start work on {}")

    # Accepting

    def new_issue(
        self, board: Board, column: Column | None, project: str, title: str, flow: WorkflowScheme
    ) -> Create:
        """A new issue in this column, with the labels that every issue of the group has (rule 8).

        The category only where just one is configured; none that the project does not know, that the board
        excludes, or whose scope has a label already.
        """
        new = new_issue(board, column, project, title, flow)
        names = self.names
        category = names.categories if len(names.categories) == 1 else ()
        usual = (names.group, names.devops, names.section, *category)
        for label in usual:
            if label in board.without or same_scope(label, new.labels):
                continue
            if label and self.catalog.label(project, label) is not None:
                new = structs.replace(new, labels=new.labels | {label})
        return new

    def accept(self, issues: Sequence[Issue], assignee: str | None, *, otherwise: str = "") -> EditBatch:
        """Accept for ``assignee``; without one the current assignees stay (rule 4).

        Unassigned issues are then accepted for ``otherwise``, or left.
        """

        def edit(issue: Issue) -> Edit | None:
            who = assignee or (None if issue.assignees else otherwise)
            return None if who == "" else edits.accept(issue, who, self.names)

        alone = assignee or ("" if any(issue.assignees for issue in issues) else otherwise)
        return each(
            issues,
            edit,
            f"accepted for {alone}" if alone else "accepted",
            "unassigned; choose who to accept it for",
            wish=f"Accept {{}} for @{alone}" if alone else "Accept {}",
        )

    def accept_each(self, issues: Sequence[Issue], takers: Mapping[IssueId, str]) -> EditBatch:
        """Accept each for its taker, and those that have none for their assignees (rule 4)."""
        return each(
            issues,
            lambda issue: edits.accept(issue, takers.get(issue.id), self.names),
            "accepted",
            "already accepted",
            wish="Accept {}",
        )

    def take_back(self, issues: Sequence[Issue]) -> EditBatch:
        """Remove Deliverable."""
        label = self.names.deliverable
        return each(
            issues,
            lambda issue: edits.take_back(issue, self.names) if label in issue.labels else None,
            f"-{label}",
            f"has no {label} label",
        )

    def spike(self, issues: Sequence[Issue], weight: int | None) -> EditBatch:
        """Mark as spikes; unweighted ones get ``weight``. Asks if the label does not exist."""
        return self._with_labels(
            issues,
            lambda issue: edits.spike(issue, self.catalog, self.names, weight),
            "spike" if weight is None else f"spike, weight {weight}",
        )

    def spike_weight(self, issues: Sequence[Issue]) -> int | None:
        """The weight to offer for unweighted spikes (rule 4); None if there is nothing to offer."""
        if not self.catalog.server.has_weight or all(issue.weight is not None for issue in issues):
            return None
        return self.settings.planning.spike_weight

    # Closing

    def complete(self, issues: Sequence[Issue]) -> EditBatch:
        """Set complete and close. Asks if several are closed."""
        flow = self.flow
        work = each(
            issues,
            lambda issue: edits.complete(issue, flow),
            "complete, closed",
            wish="Complete and close {}",
        )
        return _closing(work, issues, "Complete and close")

    def set_state(self, issues: Sequence[Issue], *, close: bool) -> EditBatch:
        """Close or reopen; issues already in that state are left. Asks if several are closed."""
        work = each(
            issues,
            lambda issue: Edit(state="closed" if close else "opened") if issue.is_open == close else None,
            "closed" if close else "reopened",
            _CLOSED if close else "already open",
        )
        return _closing(work, issues) if close else work

    def wont_do(self, issues: Sequence[Issue]) -> EditBatch:
        """Close as won't do. Asks if several are closed, and if the label does not exist."""
        work = self._with_labels(
            issues,
            lambda issue: edits.close_as(issue, edits.WONT_DO, self.names.wont_do, self.catalog, self.flow),
            "won't do, closed",
            _CLOSED,
        )
        return _closing(work, issues)

    def duplicate(self, issues: Sequence[Issue], of: str) -> EditBatch:
        """Close as a duplicate of the issue with that full reference, which a comment names.

        An issue cannot duplicate itself. Asks if several are closed, and if the label does not exist.
        """

        def wanted(issue: Issue) -> CompoundEdit | None:
            if issue.reference == of:
                return None
            return edits.close_as(issue, edits.DUPLICATE, self.names.duplicate, self.catalog, self.flow)

        why_not = "already closed, or the issue itself"
        work = self._with_labels(issues, wanted, "duplicate, closed", why_not, comment=f"Duplicate of {of}")
        return _closing(work, issues)

    # People and labels

    def toggle_me(self, issues: Sequence[Issue]) -> EditBatch:
        """Assign me wherever I am missing; if I am on all issues, unassign me from all."""
        me = self.catalog.me.username
        on = any(me not in issue.assignees for issue in issues)
        return each(
            issues,
            lambda issue: edits.toggle_assignee(issue, me) if (me in issue.assignees) != on else None,
            f"assign {me}" if on else f"unassign {me}",
        )

    def reassign(self, issues: Sequence[Issue], add: Sequence[str], remove: frozenset[str]) -> EditBatch:
        """Assign and unassign people; other assignees stay."""
        what = _signed(add, "assign ", remove, "unassign ")
        return each(issues, lambda issue: edits.reassign(issue, add, remove), what)

    def relabel(self, issues: Sequence[Issue], add: frozenset[str], remove: frozenset[str]) -> EditBatch:
        """Add and remove labels; scoped siblings of added labels are removed."""
        what = _signed(sorted(add), "+", remove, "-")
        return each(issues, lambda issue: edits.relabel(issue, add, remove), what)

    def one_of_scope(self, issues: Sequence[Issue], label: str) -> EditBatch:
        """Add a scoped label and remove its siblings, where the issue's project has the label.

        Configured priorities exclude one another like the labels of a scope.
        """
        priorities = frozenset(self.names.priorities if label in self.names.priorities else ())

        def edit(issue: Issue) -> Edit | None:
            if self.catalog.lacks(issue.project, label):
                return None
            gone = same_scope(label, issue.labels) | (priorities & issue.labels)
            return edits.relabel(issue, frozenset({label}), gone - {label})

        return each(issues, edit, f"+{label}", f"no label {label} in {_project(issues)}")

    def one_each(self, issues: Sequence[Issue], index: BoardIndex | None, here: str | None) -> EditBatch:
        """Keep one label of each scope: that of the focused column ``here``, or where the board shows it."""
        column = index.column(here) if index is not None and here is not None else None
        label = column.column.list_label(self.flow) if column is not None else None
        return each(
            issues,
            lambda issue: edits.one_each(issue, label, self.flow),
            "one label of each scope",
            "no scope with several labels",
        )

    # Moving

    def move(
        self, issues: Sequence[Issue], index: BoardIndex, here: str | None, to: Mapping[IssueId, Column]
    ) -> EditBatch:
        """Move each issue to its column in ``to``, from ``here`` (the focused column) if it is in it.

        Asks if several are closed, else if a type changes (planning rule 18).
        """
        found = {
            issue.id: plan
            for issue in issues
            if (target := to.get(issue.id)) is not None
            and (source := source_of(index, issue, here)) is not None
            and (plan := index.board.move(issue, source, target, self.flow, self.names)) is not None
        }
        moved = [issue for issue in issues if issue.id in found]
        names = {to[issue.id].title for issue in moved}
        what = f"to {names.pop()}" if len(names) == 1 else "moved"
        wish = f"Move {{}} {what}" if what != "moved" else "Move {}"
        work = each(moved, lambda issue: found[issue.id].edit, what, wish=wish)
        closing = _closing(work, moved)
        if closing.question is not None or not any(plan.asks for plan in found.values()):
            return closing
        if all(plan.if_asked is None for plan in found.values()):
            answers, note = {"y": Reply("change the type", work)}, ""
        else:
            further = each(moved, lambda issue: found[issue.id].if_asked or found[issue.id].edit, what)
            answers = {
                "y": Reply("change the type, keep the subtype label", work),
                "t": Reply("change the type, remove the subtype label", further),
            }
            note = "Its subtype label will no longer fit."
        of = f"{len(moved)} issues" if len(moved) > 1 else "this issue"
        asks = Question(text=f"Change the type of {of}?", answers=answers, note=note)
        return structs.replace(work, question=asks)

    # Shared by the compound actions

    def _with_labels(
        self,
        issues: Sequence[Issue],
        wanted: Callable[[Issue], CompoundEdit | None],
        what: str,
        why_not: str = "",
        *,
        comment: str = "",
    ) -> EditBatch:
        """Each issue's edit and comment; asks whether to continue without labels that do not exist."""
        found = {issue.id: wanted(issue) for issue in issues}

        def batch(on: Sequence[Issue]) -> EditBatch:
            return each(
                on,
                lambda issue: one.edit if (one := found[issue.id]) else None,
                what,
                why_not,
                comment=comment,
            )

        lacks: dict[str, dict[str, None]] = {}
        for issue in issues:
            for label in one.lacks if (one := found[issue.id]) else ():
                lacks.setdefault(label, {})[issue.project.rpartition("/")[2]] = None
        whole = [issue for issue in issues if not ((one := found[issue.id]) and one.lacks)]
        work = batch(issues)
        if not lacks:
            return work
        answers = {"y": Reply("continue without it", work)}
        if (only := batch(whole)).changes:
            answers["o"] = Reply("only where the label exists", only)
        note = "\n".join(f"{label} does not exist for {', '.join(of)}." for label, of in lacks.items())
        lacking = tuple(lacks)
        words = "create it in the group" if len(lacking) == 1 else "create them in the group"
        asks = Question(
            text=f"{' and '.join(lacking)} {'does' if len(lacking) == 1 else 'do'} not exist. Continue?",
            answers=answers,
            note=note,
            remedies=(Remedy("c", words, "labels", lacking),),
        )
        return structs.replace(work, question=asks)


def _closing(work: EditBatch, issues: Sequence[Issue], what: str = "Close") -> EditBatch:
    """The batch, which asks first if it closes more than one open issue (planning rule 18)."""
    still_open = {issue.id: issue for issue in issues if issue.is_open}
    closing = sum(
        issue in still_open and not change.apply(still_open[issue]).is_open for issue, change in work.changes
    )
    if closing <= 1:
        return work
    answers = {"y": Reply("close them", work)}
    return structs.replace(work, question=Question(text=f"{what} {closing} issues?", answers=answers))


# Columns as targets


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
    """The column next to each issue's own. Never (unlisted) or (closed): an extra key is harmless."""
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


def targets(index: BoardIndex) -> list[Column]:
    """The columns a card can be moved to, with (unlisted) and (closed) where moving there makes sense."""
    everywhere = index.board.kind.has_unlisted
    return [c.column for c in index.columns if everywhere or c.column.key != UNLISTED]


def reachable(index: BoardIndex) -> dict[str, Column]:
    """The columns ``>`` offers, by letter."""
    return {column.letter: column for column in targets(index) if column.letter}


def new_issue(board: Board, column: Column | None, project: str, title: str, flow: WorkflowScheme) -> Create:
    """A new issue that belongs on this board, in this column: with its labels, milestone, assignee."""
    new = Create(
        project=project, title=typed_body(title), labels=board.labels, milestone=board.milestone or None
    )
    return new if column is None else column.new_issue(new, flow)


def joined(title: str, description: str) -> str:
    """An issue's text for the editor: title on the first line, a blank line, then the description."""
    return f"{title}\n\n{description}\n"


def split(text: str) -> tuple[str, str]:
    """Title and description of an edited text; the blank line between them is optional."""
    first, _, rest = text.partition("\n")
    return first.strip(), rest.removeprefix("\n").rstrip()
