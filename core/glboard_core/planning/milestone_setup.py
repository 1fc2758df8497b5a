"""Setting up a milestone: the steps from what exists in GitLab to what is wanted, without carrying them out.

Pure. Owns what is shown before anything is written: a step for each label, each board and the planning issue,
to be created, updated, left unchanged, or not possible on this server. What a person set on a board stays.
Steps computed right after their execution have nothing left to do.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import date
from difflib import get_close_matches
from typing import Literal

from msgspec import Struct, structs

from glboard_core.board.columns import COLUMN_KINDS
from glboard_core.board.definition import Board, flow_scheme, resolve
from glboard_core.config import BoardSettings, Settings
from glboard_core.errors import NameUnknown
from glboard_core.model.catalog import Catalog
from glboard_core.model.issue import Issue, IssueId
from glboard_core.model.milestone import Milestone
from glboard_core.planning import planning_issue
from glboard_core.planning.planning_issue import check, fill, find, labels_for, project_for, title_for
from glboard_core.planning.planning_issue_sections import BoardLink, Month, parts, tells_capacity, values
from glboard_core.unknown_names import no_board

Part = Literal["label", "board", "issue"]
Action = Literal["create", "update", "nothing", "impossible"]
State = Literal["done", "failed", "not tried"]

#: Milestones of boards that are created for each month.
_OF_A_MONTH = frozenset({"current", "next", "after-next"})
_BOARDS = re.compile(r"<!-- glboard boards(?P<ids>( [0-9]{1,18})*) -->")
_NO_STATUSES = "its lists are statuses, which need GitLab 18.5 or later and a Premium license"
_NO_SCOPE = "board filters and multiple boards per group need GitLab Premium"


class WantedBoard(Struct, frozen=True, kw_only=True):
    """A board as it should be. ``lists`` are label titles in order; ``lacking`` are those that do not exist.

    ``why`` is the reason if it cannot be created at all, else "".
    """

    name: str
    milestone: str
    labels: frozenset[str] = frozenset()
    lists: tuple[str, ...] = ()
    lacking: tuple[str, ...] = ()
    #: Whether its lists are statuses, by name.
    statuses: bool = False
    why: str = ""


class SeenList(Struct, frozen=True):
    """A list of a board. ``label`` is None for a list of another kind."""

    id: int
    label: str | None


class SeenBoard(Struct, frozen=True, kw_only=True):
    """A board in GitLab; its movable lists in order. ``scoped``: whether its boards have filters."""

    id: int
    name: str
    url: str
    milestone: str | None = None
    labels: frozenset[str] = frozenset()
    lists: tuple[SeenList, ...] = ()
    scoped: bool = True

    @property
    def is_empty(self) -> bool:
        """No lists and no filter, as right after its creation."""
        return not self.lists and self.milestone is None and not self.labels


class BoardWork(Struct, frozen=True, kw_only=True):
    """What to change on a board. ``notes`` say what is left unchanged."""

    scope: bool = False
    add: tuple[str, ...] = ()
    order: bool = False
    notes: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.scope or self.add or self.order)


class SeenIssue(Struct, frozen=True):
    """An issue with its description, as GitLab has it."""

    issue: Issue
    description: str


class Seen(Struct, frozen=True, kw_only=True):
    """What GitLab has. ``made`` are the boards that this machine remembers creating."""

    boards: tuple[SeenBoard, ...] = ()
    issues: tuple[SeenIssue, ...] = ()
    made: frozenset[int] = frozenset()

    @property
    def scopes(self) -> bool | None:
        """Whether boards can have filters; None if unknown."""
        told = {board.scoped for board in self.boards}
        return told.pop() if len(told) == 1 else None

    @property
    def ours(self) -> frozenset[int]:
        """The boards glboard created, as recorded on this machine or in the planning issue."""
        marks = (mark for one in self.issues for mark in _BOARDS.finditer(one.description))
        return self.made | {int(n) for mark in marks for n in mark["ids"].split()}

    def board(self, wanted: WantedBoard) -> SeenBoard | None:
        """The board that is this one."""
        return match(wanted, self.boards, self.ours)

    def with_board(self, board: SeenBoard) -> Seen:
        """The same with this board as it is now."""
        others = (one for one in self.boards if one.id != board.id)
        return structs.replace(self, boards=(*others, board))

    def with_issue(self, issue: SeenIssue) -> Seen:
        """The same with this issue as it is now."""
        others = (one for one in self.issues if one.issue.id != issue.issue.id)
        return structs.replace(self, issues=(*others, issue))


class Step(Struct, frozen=True, kw_only=True):
    """One step. ``words`` say what changes, ``notes`` what is left unchanged and why."""

    part: Part
    name: str
    action: Action
    words: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    url: str = ""

    @property
    def is_due(self) -> bool:
        """Whether the step writes anything."""
        return self.action in ("create", "update")


class StepOutcome(Struct, frozen=True, kw_only=True):
    """The result of a step. ``message`` says what went wrong, or which part of it is missing; ``issue`` is
    the issue that was written.
    """

    step: Step
    state: State
    url: str = ""
    issue: IssueId | None = None
    message: str = ""
    hint: str = ""

    @property
    def is_whole(self) -> bool:
        """Whether the step was done completely."""
        return self.state == "done" and not self.message


#: Called when a step begins (no outcome) and when it ends.
Progress = Callable[[Step, StepOutcome | None], None]


class IssueText(Struct, frozen=True, kw_only=True):
    """The wanted planning issue. Without ``seen`` it does not exist yet; else its title and labels stay."""

    project: str
    description: str
    milestone: str
    title: str = ""
    labels: tuple[str, ...] = ()
    confidential: bool = False
    seen: SeenIssue | None = None
    #: Labels and milestone that our issue has lost.
    add_labels: tuple[str, ...] = ()
    set_milestone: bool = False


class WantedSetup(Struct, frozen=True, kw_only=True):
    """What the milestone needs. ``template_where`` names the template's file in errors."""

    settings: Settings
    catalog: Catalog
    month: Month
    boards: tuple[WantedBoard, ...]
    template: str
    template_where: str
    #: Issues from which the project of a new planning issue is derived.
    known: Sequence[Issue] = ()


def needed_labels(wanted: WantedSetup) -> list[str]:
    """Required labels that the group does not have: those for missed issues, and ``type::ignore``."""
    names = wanted.settings.labels
    titles = (names.missed_prefix + wanted.month.milestone.title, names.missed_deliverable, names.ignore)
    catalog = wanted.catalog
    return [t for t in dict.fromkeys(titles) if t and catalog.label(catalog.group, t) is None]


def planning_issue_of(wanted: WantedSetup, seen: Seen) -> tuple[SeenIssue | None, str]:
    """The planning issue, and a note if there are several. One with our marker comes first."""
    milestone = wanted.month.milestone
    marked = [one for one in seen.issues if planning_issue.is_owned(one.description, milestone.title)]
    marked.sort(key=lambda one: (not one.issue.is_open, one.issue.created_at, one.issue.reference))
    found = find((one.issue for one in seen.issues), milestone, wanted.settings)
    if not marked:
        own = next((one for one in seen.issues if found.issue and one.issue.id == found.issue.id), None)
        return own, found.doubt
    also = [*(one.issue for one in marked[1:]), *([found.issue] if found.issue else []), *found.others]
    others = dict.fromkeys(i.reference for i in also if i.id != marked[0].issue.id)
    return marked[0], f"also found: {', '.join(others)}" if others else ""


def plan(wanted: WantedSetup, seen: Seen) -> list[Step]:
    """The steps, in order of execution. Raises ConfigError if template, title or project is wrong."""
    labels = [
        Step(part="label", name=title, action="create", words=("group label",))
        for title in needed_labels(wanted)
    ]
    boards = [board_step(board, seen) for board in wanted.boards]
    return [*labels, *boards, issue_step(wanted, seen, coming=[step.name for step in labels])[0]]


# -- boards


def wanted_boards(
    settings: Settings, catalog: Catalog, milestone: Milestone, today: date
) -> list[WantedBoard]:
    """The configured boards for ``milestone``, in their order.

    Raises NameUnknown for a board that is not configured.
    """
    found: list[WantedBoard] = []
    for name in settings.planning.boards:
        if (board := settings.board(name)) is None:
            raise no_board(name, (b.id for b in settings.boards))
        found.append(_wanted(board, settings, catalog, milestone, today))
    return found


def _wanted(
    board: BoardSettings, settings: Settings, catalog: Catalog, milestone: Milestone, today: date
) -> WantedBoard:
    of_month, flow = board.milestone in _OF_A_MONTH, flow_scheme(settings)
    resolved = resolve(board, settings, catalog, today, milestone=milestone.title if of_month else None)
    title = settings.planning.board_title if of_month else "{board}"
    stated = resolved.kind.tells == "workflow" and flow.backend == "status"
    lists = [label for column in resolved.columns if (label := column.list_label(flow)) is not None]
    known, lacking = _usable(lists, catalog.group, catalog, ())
    if stated:
        # Which of them the group has is asked for before anything is planned.
        known = tuple(dict.fromkeys(column.key for column in resolved.columns))
    return WantedBoard(
        name=title.replace("{board}", board.name).replace("{milestone}", milestone.title),
        milestone=resolved.milestone or "",
        labels=resolved.labels,
        lists=known,
        lacking=lacking,
        statuses=stated,
        why=COLUMN_KINDS[board.by].no_list(flow) or _why_not(resolved, catalog),
    )


def with_statuses(board: WantedBoard, known: Collection[str], *, possible: bool) -> WantedBoard:
    """A board of statuses with those that the group has; ``possible``: whether its lists can be created."""
    if not board.statuses:
        return board
    if not possible:
        return structs.replace(board, why=board.why or _NO_STATUSES)
    lists = tuple(name for name in board.lists if name in known)
    lacking = tuple(name for name in board.lists if name not in known)
    return structs.replace(board, lists=lists, lacking=lacking)


def _why_not(resolved: Board, catalog: Catalog) -> str:
    if not resolved.milestone:
        return "it has no milestone"
    if catalog.milestone(catalog.group, resolved.milestone) is None:
        return f"the group has no milestone “{resolved.milestone}”"
    unknown = sorted(label for label in resolved.labels if catalog.label(catalog.group, label) is None)
    if unknown:
        return f"the group has no label “{unknown[0]}” to filter by"
    return ""


def match(wanted: WantedBoard, boards: Iterable[SeenBoard], ours: Collection[int]) -> SeenBoard | None:
    """The existing board: by name, ours before others', the oldest first; else by filter and lists."""
    boards = list(boards)
    named = [board for board in boards if board.name.casefold() == wanted.name.casefold()]
    alike = [
        board
        for board in boards
        if (board.milestone, board.labels) == (wanted.milestone, wanted.labels)
        and any(one.label in wanted.lists for one in board.lists)
    ]
    return min(named or alike, key=lambda board: (board.id not in ours, board.id), default=None)


def work(wanted: WantedBoard, seen: SeenBoard, *, ours: bool) -> BoardWork:
    """What to change on an existing board."""
    notes: list[str] = []
    if seen.name != wanted.name:
        notes.append(f"named “{seen.name}” in GitLab")
    present = [one.label for one in seen.lists]
    missing = tuple(label for label in wanted.lists if label not in present)
    ordered = _in_order(present, wanted.lists)
    scoped = (seen.milestone, seen.labels) == (wanted.milestone, wanted.labels)
    chosen = seen.milestone is not None or bool(seen.labels)
    # Lists are created one by one: a board with the first of them is unfinished and only gets the rest.
    unfinished = scoped and present == list(wanted.lists[: len(present)])
    if not ours and not seen.is_empty and not unfinished:
        if not scoped:
            notes.append("created by someone else with a different filter; left unchanged")
        elif missing or not ordered:
            notes.append("created by someone else with different lists; left unchanged")
        return BoardWork(notes=tuple(notes))
    if chosen and not scoped:
        return BoardWork(notes=(*notes, "its filter was changed; left unchanged"))
    return BoardWork(
        scope=not scoped,
        add=missing,
        order=not _in_order([*present, *missing], wanted.lists),
        notes=tuple(notes),
    )


def _in_order(present: Sequence[str | None], wanted: Sequence[str]) -> bool:
    own = [label for label in present if label in wanted]
    return own == [label for label in wanted if label in own]


def moves(lists: Sequence[SeenList], wanted: Sequence[str]) -> list[tuple[int, int]]:
    """The moves (list, position), to be applied one by one, that bring our lists into order.

    Lists that others added keep their places between them.
    """
    place: dict[str | None, int] = {label: at for at, label in enumerate(wanted)}
    own = iter(sorted((one for one in lists if one.label in place), key=lambda one: place[one.label]))
    target = [next(own) if one.label in place else one for one in lists]
    now = list(lists)
    found: list[tuple[int, int]] = []
    for position, one in enumerate(target):
        if now[position] != one:
            now.remove(one)
            now.insert(position, one)
            found.append((one.id, position))
    return found


def board_step(board: WantedBoard, seen: Seen) -> Step:
    """The step for one board."""
    there = seen.board(board)
    kind = "status" if board.statuses else "label"
    notes = [f"no {kind} for {_short(board.lacking)}"] if board.lacking else []
    words: list[str] = []

    def step(action: Action) -> Step:
        url = there.url if there is not None else ""
        return Step(
            part="board", name=board.name, action=action, words=tuple(words), notes=tuple(notes), url=url
        )

    if why := board.why or (_NO_SCOPE if there is None and seen.scopes is False else ""):
        notes = [why]
        return step("impossible" if there is None else "nothing")
    if there is None:
        words = [
            f"filter {', '.join([board.milestone, *sorted(board.labels)])}",
            f"lists {_short(board.lists)}",
        ]
        return step("create")
    todo = work(board, there, ours=there.id in seen.ours)
    notes = [*todo.notes, *notes]
    if todo.scope and there.scoped:
        words.append("set filter")
    elif todo.scope:
        notes.append(_NO_SCOPE)
    if todo.add:
        words.append(f"add {_short(todo.add)}")
    if todo.order:
        words.append("reorder lists")
    return step("update" if words else "nothing")


def _short(labels: Iterable[str]) -> str:
    return ", ".join(label.rpartition("::")[2] for label in labels)


# -- the planning issue


def issue_step(
    wanted: WantedSetup, seen: Seen, *, coming: Collection[str] = ()
) -> tuple[Step, IssueText | None]:
    """The step for the planning issue, and its text; None if there is nothing to write.

    ``coming`` are labels that earlier steps create. Raises ConfigError.
    """
    in_template = check(wanted.template, wanted.template_where)
    there, doubt = planning_issue_of(wanted, seen)
    if there is None:
        return _new_issue(wanted, seen, coming)
    issue, title = there.issue, wanted.month.milestone.title
    notes, words = [doubt] if doubt else [], list[str]()
    # A confidential title must not appear on a shared screen.
    name = f"{'planning issue' if issue.confidential else issue.title} ({issue.reference})"

    def step(action: Action) -> Step:
        return Step(
            part="issue", name=name, action=action, words=tuple(words), notes=tuple(notes), url=issue.web_url
        )

    if not issue.is_open:
        notes.append("closed; left unchanged")
        return step("nothing"), None
    owned = planning_issue.is_owned(there.description, title)
    # A person without a team.toml must not overwrite the EM's capacity.
    silent = {"capacity"} if owned and not tells_capacity(wanted.month) else set()
    text = {
        name: part
        for name, part in _parts(wanted, seen, issue.confidential).items()
        if name in in_template and name not in silent
    }
    if owned:
        merged = planning_issue.merge(there.description, text)
    else:
        merged = planning_issue.appended(there.description, text, title)
    notes += [f"{name} left unchanged: {why}" for name, why in merged.kept.items()]
    if merged.changed:
        how = "regenerate" if owned else "append below the existing text"
        words.append(f"{how}: {', '.join(merged.changed)}")
    must = (wanted.settings.labels.group, wanted.settings.labels.ignore)
    lost = [label for label in must if label and label not in issue.labels]
    known, unknown = _usable(lost, issue.project, wanted.catalog, coming)
    notes += [f"the label “{label}” does not exist" for label in unknown]
    if known:
        words.append(f"label {', '.join(known)}")
    if issue.milestone is None:
        words.append(f"set milestone {title}")
    if not words:
        return step("nothing"), None
    return step("update"), IssueText(
        project=issue.project,
        description=merged.text,
        milestone=title,
        seen=there,
        add_labels=known,
        set_milestone=issue.milestone is None,
    )


def _new_issue(wanted: WantedSetup, seen: Seen, coming: Collection[str]) -> tuple[Step, IssueText | None]:
    settings, milestone = wanted.settings, wanted.month.milestone
    own = settings.planning.issue
    title, project = title_for(milestone, own), project_for(wanted.known, settings)
    _known_project(project, wanted)

    def impossible(why: str) -> tuple[Step, None]:
        return Step(part="issue", name=title, action="impossible", notes=(why,)), None

    if wanted.catalog.milestone(project, milestone.title) is None:
        return impossible(f"{project} cannot see the milestone {milestone.title}")
    usable, lacking = _usable(labels_for(settings), project, wanted.catalog, coming)
    for label in (settings.labels.group, settings.labels.ignore):
        if label in lacking:
            return impossible(
                f"the label “{label}” does not exist; without it the issue would appear on the boards"
            )
    month = wanted.month
    generated = _parts(wanted, seen, own.confidential)
    text = fill(wanted.template, values(month), generated, wanted.template_where)
    counts = f"{len(month.candidates)} candidates, {len(month.carry_over.issues)} carried over"
    step = Step(
        part="issue",
        name=title,
        action="create",
        words=(f"in {project}", f"labels {', '.join(usable)}", counts),
        notes=tuple(f"the label “{label}” does not exist; left out" for label in lacking),
    )
    return step, IssueText(
        project=project,
        title=title,
        labels=usable,
        description=f"{text}\n\n{planning_issue.owner_mark(milestone.title)}",
        milestone=milestone.title,
        confidential=own.confidential,
    )


def _known_project(project: str, wanted: WantedSetup) -> None:
    found = wanted.catalog.project(project)
    if found is not None and not found.archived:
        return
    seen = (issue.project for issue in (*wanted.known, *(one.issue for one in wanted.month.candidates)))
    paths = sorted({*(one.path for one in wanted.catalog.projects), *seen})
    near = tuple(get_close_matches(project, paths, 3, 0.4))
    hint = "Set project under [planning.issue] in config.toml."
    if found is not None:
        hint = f"It is archived. {hint}"
    elif near:
        hint = f"{hint} Similar: {', '.join(near)}."
    raise NameUnknown("project of the planning issue", project, near, hint=hint)


def _parts(wanted: WantedSetup, seen: Seen, confidential: bool) -> Mapping[str, str]:
    links = [
        BoardLink(board.name, there.url)
        if (there := seen.board(board)) is not None
        else BoardLink(board.name, why=board.why or "not in GitLab")
        for board in wanted.boards
    ]
    found = dict(parts(structs.replace(wanted.month, confidential=confidential), links))
    if present := sorted(seen.ours & {board.id for board in seen.boards}):
        found["boards"] += f"\n\n<!-- glboard boards {' '.join(map(str, present))} -->"
    return found


def _usable(
    labels: Collection[str], project: str, catalog: Catalog, coming: Collection[str]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The labels that can be set in the project, and those that do not exist."""
    known = tuple(one for one in labels if one in coming or catalog.label(project, one) is not None)
    return known, tuple(label for label in labels if label not in known)
