"""The texts of header, footer and open issue: from state to the values their widgets paint. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date

from glboard_core.board.compound import later
from glboard_core.board.index import BoardIndex
from glboard_core.board.use_cases import short
from glboard_core.config import Settings
from glboard_core.model.catalog import Catalog
from glboard_core.model.issue import Blocker, Issue
from glboard_core.model.workflow import WorkflowScheme
from glboard_core.planning.capacity import Capacity
from glboard_tui.action import ActionContext
from glboard_tui.actions import BY_ID
from glboard_tui.bridge import Status
from glboard_tui.keymap import Keymap
from glboard_tui.screens.plan_words import capacity_facts, people_facts, plan_words
from glboard_tui.widgets.card import Fact
from glboard_tui.widgets.footer import FooterView
from glboard_tui.widgets.header import Fresh, HeaderView

#: Seconds below which an age is not shown.
_YOUNG = 45

_FRESH: dict[str, Fresh] = {
    "loading": "loading",
    "live": "live",
    "cached": "cached",
    "offline": "offline",
    "signed-out": "signed out",
}

_WARNINGS = {
    "missing-type": "no type",
    "several-types": "several types",
    "ready-without-weight": "ready, no weight",
    "over-weight": "break down",
    "label-status-conflict": "label ≠ status",
}


def warning_words(codes: Sequence[str]) -> tuple[str, ...]:
    """Reason codes as a card shows them."""
    return tuple(_WARNINGS.get(code, code) for code in codes)


def header_view(
    settings: Settings,
    board_id: str,
    index: BoardIndex | None,
    text: str,
    status: Status | None,
    *,
    waited: float = 0.0,
    catalog: Catalog | None = None,
    writable: bool = True,
    failed_start: bool = False,
    changed: int = 0,
    capacity: Capacity | None = None,
    team: bool = False,
    closed: float | None = None,
    partial: bool = False,
) -> HeaderView:
    """The header. ``waited``: seconds since the status arrived, added to its age.

    ``capacity``: the milestone's, if the board has one; ``team``: whether the team's days are known;
    ``closed``: the mean closed weight of previous milestones; ``changed``: cards of this board with unseen
    changes by others; ``partial``: some of the board's columns are still being read.
    """
    found = settings.board(board_id)
    name = index.board.name if index else found.name if found else board_id
    if status is None:
        return HeaderView(
            board=name,
            filter=text,
            fresh="offline" if failed_start else "loading",
            progress="" if failed_start else "connecting",
        )
    fresh = _FRESH[status.freshness]
    progress = ""
    if fresh == "loading":
        progress = progress_words(status)
    elif fresh == "cached" and status.loading:
        progress = f"· {progress_words(status)}"
    age = "" if fresh in ("live", "loading") or status.age is None else age_words(status.age + waited)
    has_weight = catalog is None or catalog.server.has_weight
    # A filter's sums cover only the visible cards; a capacity can only be compared with the whole plan.
    planned = capacity if has_weight and (team or not text) else None
    title = f"{name} {index.board.milestone}" if index and index.board.milestone else name
    return HeaderView(
        board=title,
        role=index.board.role if index else "",
        filter=text,
        fresh=fresh,
        age=age or ("slowed" if status.slowed else ""),
        progress=progress,
        changed=changed,
        unsent=status.unsent,
        failed=status.failed,
        conflicts=status.conflicts,
        read_only=not writable,
        sums=(Fact("plan …"),)
        if partial
        else capacity_facts(planned, team=team, closed=closed)
        if planned
        else sums(index, has_weight=has_weight)
        if index
        else (),
        people=people_facts(planned) if planned and team else (),
    )


def progress_words(status: Status) -> str:
    """The loading progress: ``1,200 of 6,041`` if the total is known."""
    if not status.loaded:
        return status.loading
    # The total was counted before reading: there may be more meanwhile.
    total = f" of {status.total:,}" if status.total >= status.loaded else ""
    return f"{status.loaded:,}{total}"


def sums(index: BoardIndex, *, has_weight: bool = True) -> tuple[Fact, ...]:
    """The sums of a board without a milestone's plan."""
    issues = f"{index.count} issue" if index.count == 1 else f"{index.count} issues"
    if not has_weight:
        return (Fact(issues),)
    return (Fact(plan_words(index.weight, index.unweighted)), Fact(issues))


def age_words(seconds: float) -> str:
    """An age in short form; "" if it is too young to show."""
    if seconds < _YOUNG:
        return ""
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{max(minutes, 1)}m"
    hours = minutes // 60
    return f"{hours}h" if hours < 48 else f"{hours // 24}d"


_HINTS = (
    "milestone.defer",
    "accept.with",
    "weight.set",
    "flow.set",
    "milestone.next",
    "move.right",
    "labels.edit",
    "open.detail",
    "text.new",
    "filter.edit",
    "view.refresh",
)
_DETAIL_HINTS = (
    "milestone.defer",
    "accept.with",
    "weight.set",
    "flow.set",
    "text.comment",
    "text.edit",
    "card.next",
    "open.browser",
)


def footer_view(
    keymap: Keymap,
    now: ActionContext,
    targets: Sequence[Issue],
    *,
    catalog: Catalog | None,
    today: date | None,
    undo: str,
    message: str = "",
    bad: bool = False,
) -> FooterView:
    """The footer: what the next key acts on, some keys, what ``u`` would undo."""
    hints: list[tuple[str, str]] = []
    for name in _DETAIL_HINTS if now.scope == "detail" else _HINTS:
        action = BY_ID[name]
        if not action.applies(now) or not (keys := keymap.shown(action)):
            continue
        words = action.word
        if name == "milestone.defer":
            words = _deferred(targets, catalog, today) or words
        elif name in ("accept.with", "flow.set", "milestone.next"):
            # A prefix: its next keys are shown when it is pressed.
            keys = keys.split(" ")[0] if " " in keys else keys[:1]
            words = {"milestone.next": "milestone"}.get(name, words)
        elif name == "card.next":
            words = "next"
        hints.append((keys, words))
    if help_key := keymap.shown(BY_ID["help"]):
        hints.append((help_key, "keys"))
    # The capacity pane has its own undo, for the team's days.
    last = f"{keymap.shown(BY_ID['undo'])} undo: {undo}" if undo and now.scope != "room" else ""
    return FooterView(
        target=target_words(now, targets),
        hints=tuple(hints),
        last=last,
        message=message,
        bad=bad,
        marked=now.marked > 0 and now.scope != "detail",
    )


def target_words(now: ActionContext, targets: Sequence[Issue]) -> str:
    """What the next key acts on."""
    if now.scope == "room":
        return "capacity pane"
    if now.marked and now.scope != "detail":
        return f"{now.marked} selected"
    return short(targets[0]) if targets else ""


def _deferred(targets: Sequence[Issue], catalog: Catalog | None, today: date | None) -> str:
    if catalog is None or today is None:
        return ""
    # Cards of one board mostly share a milestone, so a few decide the key's text.
    alike = {(issue.milestone, issue.project): issue for issue in targets[:20]}
    after = {found.title if (found := later(one, catalog, today)) else "" for one in alike.values()}
    return f"to {after.pop()}" if len(after) == 1 and "" not in after else ""


def blocker_facts(
    blockers: Sequence[Blocker], title_of: Callable[[Blocker], str]
) -> list[tuple[str, tuple[str, ...]]]:
    """What blocks an open issue, each on its own lines: ``by platform#12 (open)``, then its title."""
    facts: list[tuple[str, tuple[str, ...]]] = []
    for one in blockers:
        state = "open" if one.state == "opened" else "closed"
        short_one = f"by {one.reference.rpartition('/')[2]} ({state})"
        facts.append(("" if facts else "Blocked", (short_one, title_of(one))))
    return facts


def detail_facts(
    issue: Issue, catalog: Catalog | None, flow: WorkflowScheme
) -> list[tuple[str, tuple[str, ...]]]:
    """Name and items of each fact of an open issue; the widget leaves out empty ones."""
    milestone = catalog.find_milestone(issue.milestone) if catalog and issue.milestone else None
    dates = " to ".join(d.isoformat() for d in (milestone.start, milestone.due) if d) if milestone else ""
    state = flow.of(issue)
    has_weight = catalog is None or catalog.server.has_weight
    weight = "none" if issue.weight is None else str(issue.weight)
    return [
        ("Issue", (issue.reference,)),
        (
            "State",
            (
                "open" if issue.is_open else "closed",
                state.name if state else "",
                "confidential" if issue.confidential else "",
                "blocked" if issue.blocked else "",
            ),
        ),
        ("Milestone", (issue.milestone or "none", dates)),
        ("Weight", (weight if has_weight else "",)),
        ("Assigned", issue.assignees or ("none",)),
        ("Labels", tuple(sorted(issue.labels, key=str.casefold))),
        ("Due", (issue.due.isoformat() if issue.due else "",)),
        ("Created", (f"{issue.created_at:%Y-%m-%d}", f"updated {issue.updated_at:%Y-%m-%d %H:%M} UTC")),
        ("Closed", (f"{issue.closed_at:%Y-%m-%d %H:%M} UTC" if issue.closed_at else "",)),
    ]
