"""How an issue becomes a card on this board: passes the bridge's data to ``widgets/card_view.py``."""

from __future__ import annotations

from glboard_core.board import rules
from glboard_core.board.definition import Column
from glboard_core.board.index import BoardIndex
from glboard_core.config import LabelSettings
from glboard_core.model.issue import Issue
from glboard_core.planning.org_labels import missing_codes
from glboard_tui.bridge import Asked, Bridge
from glboard_tui.texts import warning_words
from glboard_tui.widgets.card import CardView
from glboard_tui.widgets.card_view import Around, Names, present
from glboard_tui.widgets.painter import Present


def presenter(bridge: Bridge, index: BoardIndex) -> Present:
    """Return the function that creates this board's cards; flags are read for every card."""
    around = _around(bridge)

    def picture(issue: Issue, column: Column) -> CardView:
        return present(issue, column, index.board, around)

    return picture


def _around(bridge: Bridge) -> Around:
    names = bridge.settings.labels
    catalog = bridge.catalog
    today = bridge.today
    people = {person.username: person.initials for person in catalog.people} if catalog else {}
    return Around(
        flow=bridge.view.flow,
        names=Names(
            type_prefix=names.type_prefix,
            priority_prefix=names.priority_prefix,
            severity_prefix=names.severity_prefix,
            missed_prefix=names.missed_prefix,
            deliverable=names.deliverable,
            missed_deliverable=names.missed_deliverable,
        ),
        has_weight=catalog is None or catalog.server.has_weight,
        today=today,
        color=catalog.color if catalog else lambda _: None,
        initials=lambda username: people.get(username, username[:2].upper()),
        warnings=lambda issue: (
            *warning_words(rules.warnings(issue, bridge.view.flow, names)),
            *missing_words(issue, names),
        ),
        ready=lambda issue: rules.ready(issue, bridge.view.flow, names),
        over=frozenset(m.title for m in catalog.milestones if m.due and m.due < today)
        if catalog and today
        else frozenset(),
        mask=bridge.mask,
        pending=Asked(bridge.is_pending),
        failed=Asked(bridge.is_failed),
        conflicts=Asked(bridge.is_conflicting),
        glow=bridge.unseen,
    )


def missing_words(issue: Issue, names: LabelSettings) -> tuple[str, ...]:
    """The group's required labels that this open issue lacks, in short (7.8).

    A missing type is a warning of its own.
    """
    if not issue.is_open:
        return ()
    kinds = [
        code.removeprefix("missing-").removeprefix("label:")
        for code in missing_codes(issue, names)
        if code not in ("missing-type", "several-types")
    ]
    if not kinds:
        return ()
    return (f"no {kinds[0]}" if len(kinds) == 1 else f"{len(kinds)} labels missing",)
