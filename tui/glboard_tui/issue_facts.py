"""The facts of an open issue, in the order in which they are asked for: what its pane paints.

Pure. All text is remote or fixed; the pane cleans it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, tzinfo

from msgspec import Struct

from glboard_core.board.fields import health_words
from glboard_core.board.rules import missed_titles
from glboard_core.config import LabelSettings
from glboard_core.model.catalog import Catalog
from glboard_core.model.issue import HealthStatus, Issue, LinkedIssue, LinkKind, short_reference
from glboard_core.model.merge_requests import MergeRequest
from glboard_core.model.milestone import present_titles
from glboard_core.model.workflow import WorkflowScheme
from glboard_core.planning.label_history import Added, LabelHistory, added, days_since
from glboard_core.planning.readiness import over_weight
from glboard_core.planning.text import counted, day_words, moment_words
from glboard_tui.widgets.card import Chip, Fact, Tone
from glboard_tui.widgets.facts import Item, NamedItems

_REQUEST_STATES = {"opened": "open", "locked": "being merged", "merged": "merged", "closed": "closed"}
#: The colour of a label that the catalog does not know.
_NO_COLOR = "#6e7681"


class IssueMore(Struct, frozen=True, kw_only=True):
    """What is read of an issue beyond its card, as far as it is there; nothing of a hidden one.

    ``requests`` are None if only their number is known. ``title_of`` is what everybody may see of a linked
    issue, ``text`` of any text, ``person`` of a username: "" if it is hidden; ``assignee`` of one who may be
    named. ``since`` is when its status was set.
    """

    links: Sequence[LinkedIssue] = ()
    requests: Sequence[MergeRequest] | None = None
    history: LabelHistory | None = None
    since: Added | None = None
    today: date | None = None
    now: datetime | None = None
    zone: tzinfo = UTC
    title_of: Callable[[LinkedIssue], str] = lambda one: one.title
    text: Callable[[str], str] = lambda text: text
    person: Callable[[str], str] = lambda name: f"@{name}" if name else ""
    assignee: Callable[[str], str] = "@{}".format

    def added(self, issue: Issue, label: str) -> Added | None:
        """When the issue got a label."""
        return added(issue, label, self.history) if self.history is not None else None

    def when(self, at: datetime) -> str:
        """How long ago, or on which day."""
        return moment_words(at, self.now, self.zone)

    def by_whom(self, found: Added | None) -> str:
        """``by @maple, 4 Dec``; "" if it is not known."""
        if found is None:
            return ""
        day = day_words(found.at.astimezone(self.zone).date())
        who = self.person(found.by)
        return f"by {who}, {day}" if who else day


#: The links of an issue, in the order in which they are asked for.
_LINKS: dict[LinkKind, str] = {"is_blocked_by": "Blocked by", "blocks": "Blocks", "relates_to": "Related to"}


def link_facts(more: IssueMore) -> list[NamedItems]:
    """The linked issues, open ones first, each on its own line: ``platform#12 (open)``, then its title."""
    facts: list[NamedItems] = []
    for kind, name in _LINKS.items():
        its = sorted((one for one in more.links if one.kind == kind), key=lambda one: not one.is_open)
        for row, one in enumerate(its):
            words = f"{short_reference(one.reference)} ({'open' if one.is_open else 'closed'})"
            waits = kind == "is_blocked_by"
            tone: Tone = "plain" if not waits else "bad" if one.is_open else "good"
            facts.append(("" if row else name, (Fact(more.text(words), tone), more.title_of(one))))
    return facts


_PIPELINE_TONES: dict[str, Tone] = {"success": "good", "failed": "bad"}
_PIPELINES = {"success": "passed", "canceled": "canceled", "failed": "failed", "skipped": "skipped"}


def merge_request_facts(
    requests: Sequence[MergeRequest], text: Callable[[str], str] = lambda text: text
) -> list[NamedItems]:
    """The merge requests that close an issue, the open ones first: state, pipeline, approvals, title."""
    facts: list[NamedItems] = []
    for one in sorted(requests, key=lambda request: not request.is_open):
        word = "draft" if one.draft and one.is_open else _REQUEST_STATES[one.state]
        tone: Tone = "good" if one.state == "merged" else "plain"
        items: list[Item] = [one.number, Fact(word, tone, minor=one.state == "closed")]
        if one.is_open:
            items += [
                Fact(words, "good" if words == "approved" else "plain") for words in approval_words(one)
            ]
        if one.is_open and one.pipeline:
            words = f"pipeline {_PIPELINES.get(one.pipeline, one.pipeline.replace('_', ' '))}"
            items.append(Fact(words, _PIPELINE_TONES.get(one.pipeline, "plain")))
        facts.append(("" if facts else "Merge requests", (*items, text(one.title))))
    return facts


def approval_words(one: MergeRequest) -> list[str]:
    """``approved``, ``2 of 3 approvals``; nothing where none are needed, or that is not known."""
    needed, left = one.approvals_required, one.approvals_left
    if not needed or left is None:
        return []
    return ["approved"] if left <= 0 else [f"{max(0, needed - left)} of {needed} approvals"]


def hidden_facts(issue: Issue) -> list[NamedItems]:
    """What everybody may see of a hidden issue: its milestone, and its weight."""
    return [
        ("State", ("open" if issue.is_open else Fact("closed", "good"), Fact("confidential", "warn"))),
        ("Milestone", (issue.milestone or "none",)),
        ("Weight", ("none" if issue.weight is None else str(issue.weight),)),
    ]


def detail_facts(
    issue: Issue,
    catalog: Catalog | None,
    flow: WorkflowScheme,
    names: LabelSettings,
    more: IssueMore | None = None,
) -> list[NamedItems]:
    """Name and items of each fact of an open issue; the widget leaves out empty ones."""
    more = more or IssueMore()
    has_weight = catalog is None or catalog.server.has_weight
    merge_requests = counted(issue.merge_requests, "merge request") if issue.merge_requests else ""
    requests: list[NamedItems] = [("Merge requests", (merge_requests,))]
    if more.requests:
        requests = merge_request_facts(more.requests, more.text)
    accepted: tuple[Item, ...] = ("no",)
    if names.deliverable in issue.labels:
        by = more.by_whom(more.added(issue, names.deliverable))
        accepted = (Fact("yes", "good"), Fact(by, minor=True))
    updated = f"updated {more.when(issue.updated_at)}"
    return [
        ("State", _state(issue, flow, more)),
        ("Milestone", (issue.milestone or "none", *_dates(issue, catalog))),
        ("Weight", _weight(issue) if has_weight else ()),
        ("Assignee", tuple(map(more.assignee, issue.assignees)) or ("unassigned",)),
        ("Deliverable", accepted),
        ("Health", _health(issue)),
        *link_facts(more),
        *requests,
        *_slips(issue, catalog, names, more),
        ("Labels", tuple(_chip(label, catalog) for label in sorted(issue.labels, key=str.casefold))),
        ("Due", (day_words(issue.due) if issue.due else "",)),
        ("Created", (more.when(issue.created_at), Fact(updated, minor=True))),
        ("Closed", (more.when(issue.closed_at) if issue.closed_at else "",)),
    ]


def _slips(issue: Issue, catalog: Catalog | None, names: LabelSettings, more: IssueMore) -> list[NamedItems]:
    """Each milestone that it missed, by its present title, with who marked it, and when."""
    renamed = present_titles(catalog.milestones) if catalog else {}
    told: dict[str, str] = {}
    for label in issue.scoped(names.missed_prefix):
        (title,) = missed_titles((label,), names.missed_prefix, renamed)
        told[title] = told.get(title) or more.by_whom(more.added(issue, label))
    times = "once:" if len(told) == 1 else f"{len(told)} times:"
    if not any(told.values()):
        return [("Slipped", (Fact(times, "warn"), *told))] if told else []
    lines = [(title, Fact(by, minor=True)) for title, by in told.items()]
    return [("Slipped", (Fact(times, "warn"), *lines[0])), *(("", line) for line in lines[1:])]


def _state(issue: Issue, flow: WorkflowScheme, more: IssueMore) -> tuple[Item, ...]:
    state = flow.of(issue)
    tones: dict[str, Tone] = {"ready for development": "good", "blocked": "bad"}
    items: list[Item] = ["open" if issue.is_open else Fact("closed", "good")]
    if state is not None:
        items.append(Fact(state.name, tones.get(state.name, "plain")))
        by_label = flow.by_label(issue)
        since = more.since if by_label is None else more.added(issue, flow.label(by_label)) or more.since
        if since is not None and more.today is not None and issue.is_open:
            days = days_since(since.at, more.today, more.zone)
            items.append(Fact(f"for {counted(days, 'day')}" if days else "since today", minor=True))
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


_HEALTH: dict[HealthStatus, Tone] = {"onTrack": "good", "needsAttention": "warn", "atRisk": "bad"}


def _health(issue: Issue) -> tuple[Item, ...]:
    status = issue.health_status
    return () if status is None else (Fact(health_words(status), _HEALTH[status]),)


def _chip(label: str, catalog: Catalog | None) -> Chip:
    return Chip(label, (catalog.color(label) if catalog else None) or _NO_COLOR)
