"""What pickers offer: people, labels and milestones of the catalog."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from glboard_core.board.definition import role_of
from glboard_core.model.milestone import Milestone
from glboard_tui.bridge import Bridge
from glboard_tui.screens.picker import Choice


def person_choices(bridge: Bridge, first: Sequence[str] = ()) -> list[Choice]:
    """All group members: ``first``, then those with cards on a board, then the rest, by username."""
    catalog = bridge.catalog
    if catalog is None:
        return []
    known = {person.username: person.name for person in catalog.people}
    # A person who left the group may still be assigned.
    names = dict.fromkeys([*first, *sorted(set(bridge.people().values())), *sorted(known)])
    return [Choice(value=name, text=name, note=known.get(name, "")) for name in names]


def label_choices(bridge: Bridge, projects: Collection[str], first: Sequence[str]) -> list[Choice]:
    """Labels valid in all projects, after ``first``: a label on an issue can always be removed from it."""
    catalog = bridge.catalog
    if catalog is None:
        return []
    valid = dict.fromkeys(label.title for label in catalog.labels_for(projects))
    return [
        Choice(
            value=title,
            text=title,
            color=catalog.color(title),
            note="" if title in valid else "not in every project",
        )
        for title in dict.fromkeys([*first, *valid])
    ]


def milestone_choices(bridge: Bridge, projects: Collection[str]) -> list[Choice]:
    """Titles valid in all projects, with dates: current and future, then buckets, then past ones."""
    catalog, today = bridge.catalog, bridge.today
    if catalog is None or today is None:
        return []
    version = bridge.settings.planning.version
    titles = dict.fromkeys(m.title for m in catalog.milestones)
    valid = [
        milestone
        for title in titles
        if all(catalog.milestone(project, title) for project in projects)
        and (milestone := catalog.find_milestone(title)) is not None
    ]

    def order(milestone: Milestone) -> tuple[int, int, str]:
        if not milestone.is_version(version) or milestone.start is None or milestone.due is None:
            return 1, 0, milestone.title
        over = milestone.due < today
        days = milestone.start.toordinal()
        return (2, -days, milestone.title) if over else (0, days, milestone.title)

    def note(milestone: Milestone) -> str:
        dates = " to ".join(day.isoformat() for day in (milestone.start, milestone.due) if day)
        role = role_of(milestone.title, bridge.settings, catalog, today)
        return " · ".join(word for word in (role, dates) if word)

    return [Choice(value=m.title, text=m.title, note=note(m)) for m in sorted(valid, key=order)]
