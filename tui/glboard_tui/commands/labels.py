"""Priority, severity, missing labels, and the pickers for labels and assignees."""

from __future__ import annotations

from collections.abc import Sequence

from glboard_core.board.batch import each, short
from glboard_core.board.operations import Edit
from glboard_core.model.issue import Issue, IssueId
from glboard_core.planning import readiness
from glboard_core.planning.readiness import Kind, LabelQuestion
from glboard_tui.commands.context import CommandContext
from glboard_tui.screens.choices import LabelSource, PersonSource, ScopeSource, titled
from glboard_tui.screens.picker import Result, Ticks, ticks_of
from glboard_tui.screens.picker_source import Choice, FixedChoices, Source

_LEAVE = ""


def priority(context: CommandContext, key: str) -> None:
    """Set the priority with that key."""
    _set(context, context.options("priority")[key])


def severity(context: CommandContext, key: str) -> None:
    """Set the severity with that key."""
    _set(context, context.options("severity")[key])


def _set(context: CommandContext, label: str) -> None:
    context.do(lambda edits, issues: edits.one_of_scope(issues, label))


def one_each(context: CommandContext, _: str) -> None:
    """Keep one of several labels of a scope: the one of the column in which the card is shown."""
    index, column = context.bridge.index, context.column()
    here = column.key if column is not None else None
    context.do(lambda edits, issues: edits.one_each(issues, index, here))


def missing(context: CommandContext, _: str) -> None:
    """Add all missing labels in one change, after asking where there is a choice; Esc changes nothing."""
    context.again = lambda: missing(context, "")
    issues = context.targets()
    if not context.refuses(issues):
        _ask(context, issues, issues, frozenset())


def _ask(
    context: CommandContext,
    issues: Sequence[Issue],
    so_far: Sequence[Issue],
    left: frozenset[tuple[IssueId, Kind]],
) -> None:
    names, catalog = context.bridge.settings.labels, context.bridge.catalog
    if catalog is None:
        return

    def valid(of: Sequence[Issue]) -> list[str]:
        return [label.title for label in catalog.labels_for({issue.project for issue in of})]

    asked = readiness.question(so_far, left, names, valid)
    if asked is None:
        _add(context, issues, so_far)
        return

    def picked(result: Result) -> None:
        label = result.add[0]
        if label == _LEAVE:
            _ask(context, issues, so_far, left | {(issue.id, asked.kind) for issue in asked.issues})
        else:
            _ask(context, issues, readiness.answered(so_far, asked, label), left)

    leave = Choice(value=_LEAVE, text="leave unchanged")
    projects = {issue.project for issue in asked.issues}
    source: Source
    if asked.kind in ("type", "subtype"):
        source = ScopeSource(context.bridge, projects, asked.choices, [leave])
    else:
        # Which of an issue's own labels to keep, or one of the configured ones: there are no others.
        source = FixedChoices([*titled(asked.choices, catalog), leave])
    context.pick(_title(asked), source, picked)


def _title(asked: LabelQuestion) -> str:
    of = short(asked.issues[0]) if len(asked.issues) == 1 else f"{len(asked.issues)} issues"
    what = {
        "keep": f"Which to keep: {asked.of}",
        "type": "Type",
        "subtype": f"Subtype of {asked.of}",
        "category": "Category",
    }[asked.kind]
    return f"{what}: {of}"


def _add(context: CommandContext, issues: Sequence[Issue], chosen: Sequence[Issue]) -> None:
    names, catalog = context.bridge.settings.labels, context.bridge.catalog
    if catalog is None:
        return
    edits: dict[IssueId, Edit] = {}
    lacks: dict[str, None] = {}
    for before, after in zip(issues, chosen, strict=True):

        def exists(title: str, project: str = before.project) -> bool:
            return not catalog.lacks(project, title)

        whole, absent = readiness.completed(after, names, exists)
        edit = Edit(add=whole.labels - before.labels, remove=before.labels - whole.labels)
        if edit.add or edit.remove:
            edits[before.id] = edit
        lacks.update(dict.fromkeys(absent))
    missed = f"No label {', '.join(lacks)} in GitLab" if lacks else ""
    if not edits:
        context.say(f"No labels to add: {missed or 'none is missing'}.")
        return
    added = sorted({label for edit in edits.values() for label in edit.add})
    what = f"+{added[0]}" if len(added) == 1 else f"{len(added)} labels" if added else "one type"
    nothing = "no label is missing"
    context.do(
        lambda _, on: each(on, lambda issue: edits.get(issue.id), what, nothing), on=issues, again=False
    )
    if lacks:
        context.say(f"Added existing labels. {missed}.")


# Pickers for assignees and labels


def edit_assignees(context: CommandContext, _: str) -> None:
    """Choose assignees. Of several issues, people on all are ticked, people on some are half ticked."""
    issues = context.targets()
    start = ticks_of([issue.assignees for issue in issues])

    def picked(result: Result) -> None:
        context.do(lambda edits, on: edits.reassign(on, result.add, result.remove), on=issues)

    first = sorted(start, key=lambda name: (start[name] != "on", name))
    source = PersonSource(context.bridge, first, projects={issue.project for issue in issues})
    context.pick(_of("Assignees", issues), source, picked, ticks=Ticks(start))


def edit_labels(context: CommandContext, _: str) -> None:
    """Choose labels valid in every target's project; labels of one scope exclude each other."""
    issues = context.targets()
    start = ticks_of([issue.labels for issue in issues])
    present = sorted(start, key=lambda title: (start[title] != "on", title.casefold()))
    source = LabelSource(context.bridge, {issue.project for issue in issues}, present)

    def picked(result: Result) -> None:
        add = frozenset(result.add)
        context.do(lambda edits, on: edits.relabel(on, add, result.remove), on=issues)

    context.pick(_of("Labels", issues), source, picked, ticks=Ticks(start, scoped=True))


def _of(what: str, issues: Sequence[Issue]) -> str:
    return what if len(issues) == 1 else f"{what} of {len(issues)} issues"
