"""Assignees and labels: pickers for what the catalog holds."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from glboard_core.model.issue import Issue
from glboard_tui.commands.context import CommandContext
from glboard_tui.widgets.choices import Choice, Result, Ticks, ticks_of


def person_choices(desk: CommandContext, first: Sequence[str] = ()) -> list[Choice]:
    """All group members: ``first``, then those with cards on a board, then the rest, by username."""
    catalog = desk.bridge.catalog
    if catalog is None:
        return []
    busy = set(desk.bridge.people().values())
    known = {person.username: person.name for person in catalog.people}
    # A person who left the group may still be assigned.
    names = dict.fromkeys([*first, *sorted(busy), *sorted(known)])
    return [Choice(value=name, text=name, note=known.get(name, "")) for name in names]


def edit_assignees(desk: CommandContext, _: str) -> None:
    """Choose assignees. Of several issues, people on all are ticked, people on some are half ticked."""
    issues = desk.targets()
    start = ticks_of([issue.assignees for issue in issues])

    def picked(result: Result) -> None:
        desk.do(lambda planner, on: planner.reassign(on, result.add, result.remove), on=issues)

    choices = person_choices(desk, sorted(start, key=lambda name: (start[name] != "on", name)))
    desk.pick(_of("Assignees", issues), choices, picked, ticks=Ticks(start))


def assign_me(desk: CommandContext, _: str) -> None:
    """Assign or unassign me."""
    desk.do(lambda planner, issues: planner.toggle_me(issues))


def edit_labels(desk: CommandContext, _: str) -> None:
    """Choose labels valid in every target's project; labels of one scope exclude each other."""
    issues = desk.targets()
    start = ticks_of([issue.labels for issue in issues])
    present = sorted(start, key=lambda title: (start[title] != "on", title.casefold()))
    choices = label_choices(desk, {issue.project for issue in issues}, present)

    def picked(result: Result) -> None:
        add = frozenset(result.add)
        desk.do(lambda planner, on: planner.relabel(on, add, result.remove), on=issues)

    desk.pick(_of("Labels", issues), choices, picked, ticks=Ticks(start, scoped=True))


def label_choices(desk: CommandContext, projects: Collection[str], first: Sequence[str]) -> list[Choice]:
    """Labels valid in all projects, after ``first``: a label on an issue can always be removed from it."""
    catalog = desk.bridge.catalog
    if catalog is None:
        return []
    valid = {label.title: label for label in catalog.labels_for(projects)}
    return [
        Choice(
            value=title,
            text=title,
            color=catalog.color(title),
            note="" if title in valid else "not in every project",
        )
        for title in dict.fromkeys([*first, *valid])
    ]


def _of(what: str, issues: Sequence[Issue]) -> str:
    return what if len(issues) == 1 else f"{what} of {len(issues)} issues"
