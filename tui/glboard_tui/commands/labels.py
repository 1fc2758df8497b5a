"""Priority, severity and missing labels: what triage asks for, on any list or board."""

from __future__ import annotations

from collections.abc import Sequence

from glboard_core.board.operations import Edit
from glboard_core.board.use_cases import each, short
from glboard_core.model.issue import Issue, IssueId
from glboard_core.planning import completing
from glboard_core.planning.completing import Kind, Question
from glboard_tui.commands.context import CommandContext
from glboard_tui.widgets.choices import Choice, Result

_LEAVE = ""


def priority(desk: CommandContext, key: str) -> None:
    """Set the priority with that key."""
    label = desk.options("priority")[key]
    desk.do(lambda planner, issues: planner.one_of_scope(issues, label))


def severity(desk: CommandContext, key: str) -> None:
    """Set the severity with that key."""
    label = desk.options("severity")[key]
    desk.do(lambda planner, issues: planner.one_of_scope(issues, label))


def missing(desk: CommandContext, _: str) -> None:
    """Add all missing labels in one change, after asking where there is a choice; Esc changes nothing."""
    desk.again = lambda: missing(desk, "")
    issues = desk.targets()
    _ask(desk, issues, issues, frozenset())


def _ask(
    desk: CommandContext,
    issues: Sequence[Issue],
    so_far: Sequence[Issue],
    left: frozenset[tuple[IssueId, Kind]],
) -> None:
    names, catalog = desk.bridge.settings.labels, desk.bridge.catalog
    if catalog is None:
        return

    def valid(of: Sequence[Issue]) -> list[str]:
        return [label.title for label in catalog.labels_for({issue.project for issue in of})]

    asked = completing.question(so_far, left, names, valid)
    if asked is None:
        _add(desk, issues, so_far)
        return

    def picked(result: Result) -> None:
        label = result.add[0]
        if label == _LEAVE:
            _ask(desk, issues, so_far, left | {(issue.id, asked.kind) for issue in asked.issues})
        else:
            _ask(desk, issues, completing.answered(so_far, asked, label), left)

    choices = [Choice(value=title, text=title, color=catalog.color(title)) for title in asked.choices]
    desk.pick(_title(asked), [*choices, Choice(value=_LEAVE, text="leave unchanged")], picked)


def _title(asked: Question) -> str:
    of = short(asked.issues[0]) if len(asked.issues) == 1 else f"{len(asked.issues)} issues"
    what = {
        "keep": f"Keep which of {asked.of}",
        "type": "Type",
        "subtype": f"Subtype of {asked.of}",
        "category": "Category",
    }[asked.kind]
    return f"{what}: {of}"


def _add(desk: CommandContext, issues: Sequence[Issue], chosen: Sequence[Issue]) -> None:
    names, catalog = desk.bridge.settings.labels, desk.bridge.catalog
    if catalog is None:
        return
    edits: dict[IssueId, Edit] = {}
    lacks: dict[str, None] = {}
    for before, after in zip(issues, chosen, strict=True):

        def exists(title: str, project: str = before.project) -> bool:
            return catalog.label(project, title) is not None

        whole, absent = completing.completed(after, names, exists)
        edit = Edit(add=whole.labels - before.labels, remove=before.labels - whole.labels)
        if edit.add or edit.remove:
            edits[before.id] = edit
        lacks.update(dict.fromkeys(absent))
    missed = f"GitLab has no label {', '.join(lacks)}" if lacks else ""
    if not edits:
        desk.say(f"No labels to add: {missed or 'none is missing'}.")
        return
    added = sorted({label for edit in edits.values() for label in edit.add})
    what = f"+{added[0]}" if len(added) == 1 else f"{len(added)} labels" if added else "one type"
    nothing = "no label is missing"
    desk.do(lambda _, on: each(on, lambda issue: edits.get(issue.id), what, nothing), on=issues, again=False)
    if lacks:
        desk.say(f"Added the labels that exist. {missed}.")
