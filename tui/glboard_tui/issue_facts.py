"""The facts of an open issue, in the order in which they are asked for: what its pane paints.

Pure. All text is remote or fixed; the pane cleans it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from glboard_core.board.rules import missed_titles
from glboard_core.config import LabelSettings
from glboard_core.model.catalog import Catalog
from glboard_core.model.issue import Blocker, Issue, short_reference
from glboard_core.model.merge_requests import MergeRequest
from glboard_core.model.milestone import present_titles
from glboard_core.model.workflow import WorkflowScheme
from glboard_core.planning.readiness import over_weight
from glboard_core.planning.text import counted, day_words
from glboard_tui.widgets.card import Chip, Fact, Tone
from glboard_tui.widgets.issue_pane import Item, NamedItems

_REQUEST_STATES = {"opened": "open", "locked": "being merged", "merged": "merged", "closed": "closed"}
#: The colour of a label that the catalog does not know.
_NO_COLOR = "#6e7681"


def blocker_facts(blockers: Sequence[Blocker], title_of: Callable[[Blocker], str]) -> list[NamedItems]:
    """What blocks an open issue, each on its own lines: ``platform#12 (open)``, then its title."""
    facts: list[NamedItems] = []
    for one in blockers:
        is_open = one.state == "opened"
        words = f"{short_reference(one.reference)} ({'open' if is_open else 'closed'})"
        facts.append(
            ("" if facts else "Blocked by", (Fact(words, "bad" if is_open else "good"), title_of(one)))
        )
    return facts


_PIPELINES = {"success": "passed", "canceled": "canceled", "failed": "failed", "skipped": "skipped"}


def merge_request_facts(requests: Sequence[MergeRequest]) -> list[NamedItems]:
    """The merge requests that close an open issue, the open ones first, each with its state and pipeline."""
    facts: list[NamedItems] = []
    for one in sorted(requests, key=lambda request: not request.is_open):
        words = ["draft" if one.draft and one.is_open else _REQUEST_STATES[one.state]]
        tone: Tone = "good" if one.state == "merged" else "plain"
        if one.is_open and one.pipeline:
            words.append(f"pipeline {_PIPELINES.get(one.pipeline, one.pipeline.replace('_', ' '))}")
            tone = "bad" if one.pipeline == "failed" else "good" if one.pipeline == "success" else "plain"
        state = Fact(", ".join(words), tone, minor=one.state == "closed")
        facts.append(("" if facts else "Merge requests", (one.number, state, one.title)))
    return facts


def hidden_facts(reference: str, issue: Issue) -> list[NamedItems]:
    """What everybody may see of a hidden issue: where it is, and its weight."""
    return [
        ("Issue", (reference,)),
        ("State", ("open" if issue.is_open else Fact("closed", "good"), Fact("confidential", "warn"))),
        ("Milestone", (issue.milestone or "none",)),
        ("Weight", ("none" if issue.weight is None else str(issue.weight),)),
    ]


def detail_facts(
    issue: Issue, catalog: Catalog | None, flow: WorkflowScheme, names: LabelSettings, where: str = ""
) -> list[NamedItems]:
    """Name and items of each fact of an open issue; the widget leaves out empty ones.

    ``where`` is its place in its column: ``1 of 4 in bug``.
    """
    has_weight = catalog is None or catalog.server.has_weight
    renamed = present_titles(catalog.milestones) if catalog else {}
    slipped = missed_titles(issue.labels, names.missed_prefix, renamed)
    times = "once:" if len(slipped) == 1 else f"{len(slipped)} times:"
    merge_requests = counted(issue.merge_requests, "merge request") if issue.merge_requests else ""
    accepted: Item = Fact("yes", "good") if names.deliverable in issue.labels else "no"
    return [
        ("Issue", (issue.reference, Fact(where, minor=True))),
        ("State", _state(issue, flow)),
        ("Milestone", (issue.milestone or "none", *_dates(issue, catalog))),
        ("Weight", _weight(issue) if has_weight else ()),
        ("Assignee", tuple(f"@{name}" for name in issue.assignees) or ("unassigned",)),
        ("Deliverable", (accepted,)),
        ("Slipped", (Fact(times, "warn"), *slipped) if slipped else ()),
        ("Merge requests", (merge_requests,)),
        ("Labels", tuple(_chip(label, catalog) for label in sorted(issue.labels, key=str.casefold))),
        ("Due", (day_words(issue.due) if issue.due else "",)),
        ("Created", (_moment(issue.created_at), Fact(f"updated {_moment(issue.updated_at)}", minor=True))),
        ("Closed", (_moment(issue.closed_at) if issue.closed_at else "",)),
    ]


def _state(issue: Issue, flow: WorkflowScheme) -> tuple[Item, ...]:
    state = flow.of(issue)
    tones: dict[str, Tone] = {"ready for development": "good", "blocked": "bad"}
    items: list[Item] = ["open" if issue.is_open else Fact("closed", "good")]
    if state is not None:
        items.append(Fact(state.name, tones.get(state.name, "plain")))
    if issue.confidential:
        items.append(Fact("confidential", "warn"))
    if issue.blocked:
        items.append(Fact("blocked", "bad"))
    return tuple(items)


def _dates(issue: Issue, catalog: Catalog | None) -> tuple[Item, ...]:
    milestone = catalog.find_milestone(issue.milestone) if catalog and issue.milestone else None
    if milestone is None or milestone.start is None or milestone.due is None:
        return ()
    return (Fact(f"{day_words(milestone.start)} – {day_words(milestone.due)}", minor=True),)


def _weight(issue: Issue) -> tuple[Item, ...]:
    if issue.weight is None:
        return (Fact("none", "warn"),)
    over = (Fact("over 3: break it down", "bad"),) if over_weight(issue) else ()
    return (str(issue.weight), *over)


def _chip(label: str, catalog: Catalog | None) -> Chip:
    return Chip(label, (catalog.color(label) if catalog else None) or _NO_COLOR)


def _moment(moment: datetime) -> str:
    return f"{day_words(moment.date())} {moment:%Y, %H:%M} UTC"
