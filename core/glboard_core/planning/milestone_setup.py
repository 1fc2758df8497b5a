"""Opening a milestone: plan the steps from what exists to what is wanted, without carrying them out.

Pure. Owns the plan that is shown before anything is written: a step for each label, each board and the
planning issue, to be created, updated, left unchanged, or not possible on this server. A plan computed right
after its execution has nothing left to do.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import date
from typing import Literal

from msgspec import Struct

from glboard_core.board.columns import COLUMN_KINDS
from glboard_core.board.definition import Board, flow_scheme, resolve
from glboard_core.config import BoardSettings, Settings
from glboard_core.errors import NameUnknown
from glboard_core.model.catalog import Catalog
from glboard_core.model.issue import Issue
from glboard_core.model.milestone import Milestone
from glboard_core.planning import planning_issue
from glboard_core.planning.planning_issue import check, fill, find, labels_for, project_for, title_for
from glboard_core.planning.planning_issue_sections import BoardLink, Month, parts, tells_capacity, values

#: Milestones of boards that are created for each month.
_OF_A_MONTH = frozenset({"current", "next", "after-next"})


# Boards: what is missing, and what is left as a person set it


class WantedBoard(Struct, frozen=True, kw_only=True):
    """A board as it should be. ``lists`` are label titles in order; ``lacking`` are those that do not exist.

    ``why`` is the reason if it cannot be created at all, else "".
    """

    name: str
    milestone: str
    labels: frozenset[str] = frozenset()
    lists: tuple[str, ...] = ()
    lacking: tuple[str, ...] = ()
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


def wanted_boards(
    settings: Settings, catalog: Catalog, milestone: Milestone, today: date
) -> list[WantedBoard]:
    """The configured boards for ``milestone``, in their order.

    Raises NameUnknown for a board that is not configured.
    """
    found: list[WantedBoard] = []
    for name in settings.planning.boards:
        if (board := settings.board(name)) is None:
            raise NameUnknown("board", name, tuple(b.id for b in settings.boards))
        found.append(_wanted(board, settings, catalog, milestone, today))
    return found


def _wanted(
    board: BoardSettings, settings: Settings, catalog: Catalog, milestone: Milestone, today: date
) -> WantedBoard:
    of_month = board.milestone in _OF_A_MONTH
    own = milestone.title if of_month else None
    resolved = resolve(board, settings, catalog, today, milestone=own)
    title = settings.planning.board_title if of_month else "{board}"
    name = title.replace("{board}", board.name).replace("{milestone}", milestone.title)
    lists = _lists(resolved, settings)
    known = tuple(label for label in lists if catalog.label(catalog.group, label) is not None)
    return WantedBoard(
        name=name,
        milestone=resolved.milestone or "",
        labels=resolved.labels,
        lists=known,
        lacking=tuple(label for label in lists if label not in known),
        why=_why_not(board, resolved, settings, catalog),
    )


def _lists(board: Board, settings: Settings) -> list[str]:
    scheme = flow_scheme(settings)
    return [label for column in board.columns if (label := column.list_label(scheme)) is not None]


def _why_not(board: BoardSettings, resolved: Board, settings: Settings, catalog: Catalog) -> str:
    if why := COLUMN_KINDS[board.by].no_list(flow_scheme(settings)):
        return why
    if not resolved.milestone:
        return "it is of no milestone"
    if catalog.milestone(catalog.group, resolved.milestone) is None:
        return f"the group has no milestone “{resolved.milestone}”"
    unknown = sorted(label for label in resolved.labels if catalog.label(catalog.group, label) is None)
    if unknown:
        return f"the group has no label “{unknown[0]}” to filter by"
    return ""


def match(wanted: WantedBoard, boards: Iterable[SeenBoard], ours: Collection[int]) -> SeenBoard | None:
    """The existing board: by name, ours before others', the oldest first; else by filter and lists."""
    known = sorted(boards, key=lambda board: (board.id not in ours, board.id))
    named = [board for board in known if board.name.casefold() == wanted.name.casefold()]
    if named:
        return named[0]
    alike = (
        board
        for board in known
        if (board.milestone, board.labels) == (wanted.milestone, wanted.labels)
        and any(one.label in wanted.lists for one in board.lists)
    )
    return next(alike, None)


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
    own = iter(sorted((one for one in lists if one.label in wanted), key=lambda one: _place(one, wanted)))
    target = [next(own) if one.label in wanted else one for one in lists]
    now = list(lists)
    found: list[tuple[int, int]] = []
    for position, one in enumerate(target):
        if now[position] != one:
            now.remove(one)
            now.insert(position, one)
            found.append((one.id, position))
    return found


def _place(one: SeenList, wanted: Sequence[str]) -> int:
    return wanted.index(one.label) if one.label in wanted else len(wanted)


Part = Literal["label", "board", "issue"]
Action = Literal["create", "update", "nothing", "impossible"]
State = Literal["done", "failed", "not tried"]

_BOARDS = re.compile(r"<!-- glboard boards(?P<ids>( \d+)*) -->")
_NO_SCOPE = "board filters and multiple boards per group need GitLab Premium"


class SeenIssue(Struct, frozen=True):
    """An issue with its description, as GitLab has it."""

    issue: Issue
    description: str


class Seen(Struct, frozen=True, kw_only=True):
    """What GitLab has. ``scopes``: whether its boards can have filters; None if unknown.

    ``made`` are the boards that this machine remembers creating.
    """

    boards: tuple[SeenBoard, ...] = ()
    issues: tuple[SeenIssue, ...] = ()
    scopes: bool | None = None
    made: frozenset[int] = frozenset()


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
    """The result of a step. ``message`` says what went wrong, or which part of it is missing."""

    step: Step
    state: State
    url: str = ""
    message: str = ""
    hint: str = ""

    @property
    def is_whole(self) -> bool:
        """Whether the step was done completely."""
        return self.state == "done" and not self.message


#: Called when a step begins (no outcome) and when it ends.
Progress = Callable[[Step, StepOutcome | None], None]


class IssueText(Struct, frozen=True, kw_only=True):
    """The wanted planning issue. ``seen`` is None if it does not exist yet."""

    project: str
    title: str
    labels: tuple[str, ...]
    description: str
    milestone: str
    confidential: bool
    seen: SeenIssue | None = None
    #: Labels and milestone that our issue has lost.
    add_labels: tuple[str, ...] = ()
    set_milestone: bool = False


class Wanted(Struct, frozen=True, kw_only=True):
    """What opening the milestone needs. ``template_where`` names the template's file in errors."""

    settings: Settings
    catalog: Catalog
    month: Month
    boards: tuple[WantedBoard, ...]
    template: str
    template_where: str
    #: Issues from which the project of a new planning issue is derived.
    known: Sequence[Issue] = ()


def needed_labels(wanted: Wanted) -> list[str]:
    """Required labels that the group does not have: those for missed issues, and ``type::ignore``."""
    names = wanted.settings.labels
    titles = (names.missed_prefix + wanted.month.milestone.title, names.missed_deliverable, names.ignore)
    catalog = wanted.catalog
    return [t for t in dict.fromkeys(titles) if t and catalog.label(catalog.group, t) is None]


def ours(seen: Seen) -> frozenset[int]:
    """The boards glboard created, as recorded on this machine or in the planning issue."""
    told = (_BOARDS.finditer(one.description) for one in seen.issues)
    return seen.made | {int(n) for marks in told for mark in marks for n in mark["ids"].split()}


def planning_issue_of(wanted: Wanted, seen: Seen) -> tuple[SeenIssue | None, str]:
    """The planning issue, and a note if there are several. One with our marker comes first."""
    milestone = wanted.month.milestone
    marked = [one for one in seen.issues if planning_issue.is_owned(one.description, milestone.title)]
    marked.sort(key=lambda one: (not one.issue.is_open, one.issue.created_at, one.issue.reference))
    found = find((one.issue for one in seen.issues), milestone, wanted.settings)
    by_id = {one.issue.id: one for one in seen.issues}
    if not marked:
        return (by_id[found.issue.id] if found.issue else None), found.doubt
    others = [one.issue.reference for one in marked[1:]]
    others += [i.reference for i in (found.issue, *found.others) if i and i.reference not in others]
    others = [reference for reference in others if reference != marked[0].issue.reference]
    return marked[0], f"also found: {', '.join(others)}" if others else ""


def plan(wanted: Wanted, seen: Seen) -> list[Step]:
    """The steps, in order of execution. Raises ConfigError if template, title or project is wrong."""
    labels = [
        Step(part="label", name=title, action="create", words=("group label",))
        for title in needed_labels(wanted)
    ]
    boards = [board_step(board, seen) for board in wanted.boards]
    links = [link(board, seen) for board in wanted.boards]
    return [*labels, *boards, issue_step(wanted, seen, links, coming=[step.name for step in labels])[0]]


# Boards


def board_step(board: WantedBoard, seen: Seen) -> Step:
    """The step for one board."""
    lacking = (f"no label for {', '.join(map(_short, board.lacking))}",) if board.lacking else ()
    made = ours(seen)
    there = match(board, seen.boards, made)
    if there is None:
        why = board.why or (_NO_SCOPE if seen.scopes is False else "")
        if why:
            return Step(part="board", name=board.name, action="impossible", notes=(why,))
        scope = ", ".join([board.milestone, *sorted(board.labels)])
        new = (f"filter {scope}", f"lists {', '.join(map(_short, board.lists))}")
        return Step(part="board", name=board.name, action="create", words=new, notes=lacking)
    if board.why:
        return Step(part="board", name=board.name, action="nothing", notes=(board.why,), url=there.url)
    todo = work(board, there, ours=there.id in made)
    words: tuple[str, ...] = ()
    notes = (*todo.notes, *lacking)
    if todo.scope and not there.scoped:
        notes = (*notes, _NO_SCOPE)
    elif todo.scope:
        words = ("set filter",)
    if todo.add:
        words = (*words, f"add {', '.join(map(_short, todo.add))}")
    if todo.order:
        words = (*words, "reorder lists")
    action: Action = "update" if words else "nothing"
    return Step(part="board", name=board.name, action=action, words=words, notes=notes, url=there.url)


def link(board: WantedBoard, seen: Seen) -> BoardLink:
    """The line of the planning issue for a board, as it is now."""
    there = match(board, seen.boards, ours(seen))
    if there is not None:
        return BoardLink(board.name, there.url)
    return BoardLink(board.name, why=board.why or "not in GitLab")


def _short(label: str) -> str:
    return label.rpartition("::")[2]


# The planning issue


def issue_step(
    wanted: Wanted, seen: Seen, links: Sequence[BoardLink], *, coming: Collection[str] = ()
) -> tuple[Step, IssueText | None]:
    """The step for the planning issue, and its text; None if there is nothing to write.

    ``coming`` are labels that earlier steps create. Raises ConfigError.
    """
    in_template = check(wanted.template, wanted.template_where)
    there, doubt = planning_issue_of(wanted, seen)
    if there is None:
        return _new_issue(wanted, seen, links, coming)
    issue, title = there.issue, wanted.month.milestone.title
    notes: tuple[str, ...] = (doubt,) if doubt else ()
    if not issue.is_open:
        note = (*notes, "it is closed, so it is left unchanged")
        return _issue_step(issue, "nothing", notes=note), None
    owned = planning_issue.is_owned(there.description, title)
    # A person without a team.toml must not overwrite the EM's capacity.
    silent = {"capacity"} if owned and not tells_capacity(wanted.month) else set()
    text = {
        name: part
        for name, part in _parts(wanted, seen, links, issue.confidential).items()
        if name in in_template and name not in silent
    }
    merged = (
        planning_issue.merge(there.description, text)
        if owned
        else planning_issue.appended(there.description, text, title)
    )
    notes += tuple(f"{one.name} left unchanged: {one.why}" for one in merged.kept)
    words = _changes(merged.changed, owned)
    must = (wanted.settings.labels.group, wanted.settings.labels.ignore)
    lost = tuple(label for label in must if label and label not in issue.labels)
    known = tuple(label for label in lost if _usable(label, issue.project, wanted.catalog, coming))
    notes += tuple(f"the label “{label}” does not exist" for label in lost if label not in known)
    if known:
        words = (*words, f"label {', '.join(known)}")
    to_milestone = issue.milestone is None
    if to_milestone:
        words = (*words, f"set milestone {title}")
    if not words:
        return _issue_step(issue, "nothing", notes=notes), None
    return _issue_step(issue, "update", words=words, notes=notes), IssueText(
        project=issue.project,
        title=issue.title,
        labels=(),
        description=merged.text,
        milestone=title,
        confidential=issue.confidential,
        seen=there,
        add_labels=known,
        set_milestone=to_milestone,
    )


def _new_issue(
    wanted: Wanted, seen: Seen, links: Sequence[BoardLink], coming: Collection[str]
) -> tuple[Step, IssueText | None]:
    settings, milestone = wanted.settings, wanted.month.milestone
    own = settings.planning.issue
    title, project = title_for(milestone, own), project_for(wanted.known, settings)
    _known_project(project, wanted)
    if wanted.catalog.milestone(project, milestone.title) is None:
        why = f"{project} cannot see the milestone {milestone.title}"
        return Step(part="issue", name=title, action="impossible", notes=(why,)), None
    labels = labels_for(settings)
    usable = tuple(label for label in labels if _usable(label, project, wanted.catalog, coming))
    lacking = [label for label in labels if label not in usable]
    must = [label for label in (settings.labels.group, settings.labels.ignore) if label in lacking]
    if must:
        why = f"the label “{must[0]}” does not exist; without it the issue would appear on the boards"
        return Step(part="issue", name=title, action="impossible", notes=(why,)), None
    month = wanted.month
    text = fill(
        wanted.template,
        values(month),
        _parts(wanted, seen, links, own.confidential),
        wanted.template_where,
    )
    step = Step(
        part="issue",
        name=title,
        action="create",
        words=(f"in {project}", f"labels {', '.join(usable)}", *_counted(month)),
        notes=tuple(f"the label “{label}” does not exist, so it is left out" for label in lacking),
    )
    return step, IssueText(
        project=project,
        title=title,
        labels=usable,
        description=f"{text}\n\n{planning_issue.owner_mark(milestone.title)}",
        milestone=milestone.title,
        confidential=own.confidential,
    )


def _known_project(project: str, wanted: Wanted) -> None:
    paths = tuple(one.path for one in wanted.catalog.projects)
    found = wanted.catalog.project(project)
    if paths and (found is None or found.archived):
        from difflib import get_close_matches

        near = tuple(get_close_matches(project, paths, 3, 0.4))
        hint = "" if found is None else "It is archived. "
        raise NameUnknown(
            "project to plan in",
            project,
            near,
            hint=f"{hint}Set project under [planning.issue] in config.toml."
            + (f" Near matches: {', '.join(near)}." if near and found is None else ""),
        )


def _parts(wanted: Wanted, seen: Seen, links: Sequence[BoardLink], confidential: bool) -> Mapping[str, str]:
    from msgspec import structs

    found = dict(parts(structs.replace(wanted.month, confidential=confidential), links))
    made = sorted(ours(seen) & {board.id for board in seen.boards})
    if made:
        found["boards"] += f"\n\n<!-- glboard boards {' '.join(map(str, made))} -->"
    return found


def _changes(changed: Iterable[str], owned: bool) -> tuple[str, ...]:
    named = ", ".join(changed)
    if not named:
        return ()
    return (f"regenerate: {named}",) if owned else (f"append below the existing text: {named}",)


def _counted(month: Month) -> tuple[str, ...]:
    found, carried = len(month.candidates), len(month.carry_over.issues)
    return (f"{found} candidates, {carried} carried over",)


def _usable(label: str, project: str, catalog: Catalog, coming: Collection[str]) -> bool:
    return label in coming or catalog.label(project, label) is not None


def _issue_step(
    issue: Issue, action: Action, *, words: tuple[str, ...] = (), notes: tuple[str, ...] = ()
) -> Step:
    # A confidential title must not appear on a shared screen.
    name = f"{'planning issue' if issue.confidential else issue.title} ({issue.reference})"
    return Step(part="issue", name=name, action=action, words=words, notes=notes, url=issue.web_url)
