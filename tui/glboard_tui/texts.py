"""The texts of header, footer and open issue: from state to the values their widgets paint. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime

from glboard_core.board.batch import short
from glboard_core.board.edits import later
from glboard_core.board.index import BoardIndex
from glboard_core.config import Settings
from glboard_core.model.catalog import Catalog
from glboard_core.model.issue import Blocker, Issue
from glboard_core.model.workflow import WorkflowScheme
from glboard_core.planning.capacity import Capacity, PersonCapacity
from glboard_core.planning.text import number, signed
from glboard_tui.actions import BY_ID, ActionContext
from glboard_tui.bridge import Status
from glboard_tui.keymap import Keymap
from glboard_tui.unseen_changes import ExternalChange
from glboard_tui.widgets.card import Fact, Tone
from glboard_tui.widgets.footer import FooterView
from glboard_tui.widgets.header import Fresh, HeaderView

# The texts of planning figures: sums with signs and words, for the header and the panes. Pure.

#: With less free capacity than this a person is full.
_LEAST = 1.0


def free_words(value: float) -> str:
    """Capacity left in words: ``free 4.25``, ``!over 9.75``."""
    words = number(value)
    return f"!over {words[1:]}" if words.startswith("-") else f"free {words}"


def plan_words(weight: int, unweighted: int) -> str:
    """``plan 25 + 3 unweighted``: a missing weight never looks like 0."""
    return f"plan {weight}" + (f" + {unweighted} unweighted" if unweighted else "")


def capacity_facts(found: Capacity, *, team: bool, closed: float | None = None) -> tuple[Fact, ...]:
    """The header's second line, from the left. Without a team the plan cannot be compared with a capacity.

    ``closed`` is the mean closed weight of previous milestones, if known.
    """
    plan = plan_words(found.planned, found.unweighted)
    carried = found.carry_over
    carry = Fact(f"carry-over {number(carried.likely)} likely, {carried.weight} all", minor=True)
    if not team:
        return (Fact(plan), carry) if carried.issues else (Fact(plan),)
    tone: Tone = "bad" if found.room_likely < 0 else "warn" if found.room < 0 else "good"
    return (
        Fact(f"{plan} / capacity {number(found.total)}"),
        carry,
        Fact(f"{free_words(found.room_likely)} likely, {free_words(found.room)} all", tone),
        *([] if closed is None else [Fact(f"closed before {number(closed)}", minor=True)]),
    )


def state_of(person: PersonCapacity) -> tuple[str, Tone]:
    """``free``, ``full`` or ``!over``; "" for a person without days."""
    room = person.room
    if room is None:
        return "", "plain"
    if room < 0:
        return "!over", "bad"
    return ("full", "warn") if room < _LEAST else ("free", "good")


def rooms_words(rooms: Mapping[str, PersonCapacity], *, blind: bool) -> dict[str, str]:
    """Each person's free capacity, by username: ``+4.5``, ``!-2``; ``blind`` leaves only the words."""
    return {name: state_of(one)[0] if blind else signed(one.room or 0) for name, one in rooms.items()}


def people_facts(found: Capacity) -> tuple[Fact, ...]:
    """Who is free, full or over; those over come first, since a narrow header drops the last ones."""
    people = [person for person in found.people if person.budget is not None]
    names = short_names([person.username for person in people])
    ordered = sorted(people, key=lambda person: (person.room or 0) >= 0)
    facts = []
    for person in ordered:
        words, tone = state_of(person)
        facts.append(Fact(f"{names[person.username]} {words}", tone))
    return tuple(facts)


def short_names(usernames: Iterable[str]) -> dict[str, str]:
    """Usernames without their common prefix, up to a separator: ``eng_alder`` becomes ``alder``."""
    known: Sequence[str] = list(usernames)
    if len(known) < 2:
        return {name: name for name in known}
    low, high = min(known), max(known)
    same = next(
        (n for n, (a, b) in enumerate(zip(low, high, strict=False)) if a != b), min(len(low), len(high))
    )
    cut = max(low.rfind(sign, 0, same) for sign in "_-.") + 1
    return {name: name[cut:] if len(name) > cut else name for name in known}


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
        selected=now.selected > 0 and now.scope != "detail",
    )


def target_words(now: ActionContext, targets: Sequence[Issue]) -> str:
    """What the next key acts on."""
    if now.scope == "room":
        return "capacity pane"
    if now.selected and now.scope != "detail":
        return f"{now.selected} selected"
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


# Changes by others, in words: for the footer, the open issue, the list, and cards that left the board.

Mask = Callable[[Issue], str | None]
"""Returns the text shown for a masked issue, or None: the hook of share mode."""

#: The most cards named in the line about those that left.
_NAMED = 3


def who(row: ExternalChange, me: str) -> str:
    """The people GitLab names, the latest last; one's own name means a change made elsewhere."""
    return ", ".join("you, elsewhere" if name == me else name for name in row.by) or "someone"


def when(row: ExternalChange, now: datetime) -> str:
    """How long ago: ``2m ago``."""
    age = age_words((now - row.at).total_seconds())
    return f"{age} ago" if age else "just now"


def what(row: ExternalChange, mask: Mask) -> tuple[str, ...]:
    """What changed; for a masked issue only that something did."""
    return ("changed",) if mask(row.issue) is not None else row.what


def line(row: ExternalChange, *, me: str, now: datetime, mask: Mask) -> str:
    """``eng_birch: milestone 19.8 to 19.9, weight 2 to 3, 2m ago``."""
    return f"{who(row, me)}: {', '.join(what(row, mask))}, {when(row, now)}"


def left_words(rows: Sequence[ExternalChange], *, me: str, mask: Mask) -> str:
    """``3 left the board: platform#4219 to 19.9 by pm_cedar, …``."""
    named = []
    for row in rows[:_NAMED]:
        if mask(row.issue) is not None:
            named.append("a masked issue")
            continue
        by = f" by {who(row, me)}" if row.by else ""
        named.append(f"{short(row.issue)} {row.where_to}{by}")
    if len(rows) > _NAMED:
        named.append(f"and {len(rows) - _NAMED} more")
    return f"{len(rows)} left the board: {', '.join(named)}"


# What is wrong with an issue, in words, and which keys fix it: for the lists. Pure.

Remedy = tuple[str, str]
"""An action's id, and what its key does here."""

_ADDS: tuple[Remedy, ...] = (("labels.missing", "adds it"),)
_OFF: Remedy = ("accept.back", "removes Deliverable")

_KNOWN: dict[str, tuple[str, tuple[Remedy, ...]]] = {
    "missing-type": ("no type", (("labels.missing", "asks which"),)),
    "several-types": ("several types", (("labels.missing", "asks which to keep"),)),
    "missing-subtype": ("no subtype", (("labels.missing", "asks which"),)),
    "missing-milestone": (
        "no milestone",
        (("milestone.next", "next"), ("milestone.backlog", "Backlog"), ("milestone.search", "another")),
    ),
    "missing-label:devops": ("no devops label", _ADDS),
    "missing-label:section": ("no section label", _ADDS),
    "missing-label:category": ("no category", _ADDS),
    "bug-without-severity": ("bug without severity", (("labels.severity", "sets it"),)),
    "bug-without-priority": ("bug without priority", (("labels.priority", "sets it"),)),
    "deliverable-without-milestone": (
        "Deliverable without a milestone",
        (("milestone.next", "to the next"), _OFF),
    ),
    "deliverable-beyond-next": (
        "Deliverable beyond the next milestone",
        (("milestone.next", "to the next"), _OFF),
    ),
    "deliverable-in-bucket": (
        "Deliverable in a milestone without dates",
        (("milestone.next", "to the next"), _OFF),
    ),
    "deliverable-not-ready": (
        "Deliverable, not ready",
        (("weight.ready", "weight and ready"), _OFF),
    ),
    "expired-milestone": (
        "its milestone has ended",
        (("plan.slip", "slips it"), ("milestone.defer", "defers it"), ("plan.drop", "drops it")),
    ),
    "ready-without-weight": ("ready, no weight", (("weight.set", "sets it"),)),
    "over-weight": (
        "weight over 3: break it down",
        (("plan.breakdown", "requests it"), ("weight.set", "changes the weight")),
    ),
    "label-status-conflict": ("label and status differ", (("flow.set", "sets both"),)),
    # Only used for candidates.
    "not-ready": ("not ready", (("weight.ready", "weight and ready"),)),
    "no-weight": ("no weight", (("weight.set", "sets it"),)),
    "other-milestone": ("neither current nor next milestone", (("milestone.next", "to the next"),)),
}


def reason_words(codes: Sequence[str]) -> str:
    """Reason codes as text."""
    return " · ".join(_KNOWN[code][0] if code in _KNOWN else code for code in codes)


def what_to_press(codes: Sequence[str], keymap: Keymap) -> str:
    """The keys that help, each once, after their reasons: ``no category, no devops label: T adds it``."""
    helps: dict[Remedy, list[str]] = {}
    for code in codes:
        words, remedies = _KNOWN.get(code, (code, ()))
        for remedy in remedies:
            helps.setdefault(remedy, []).append(words)
    parts: dict[tuple[str, ...], list[str]] = {}
    for (action, does), reasons in helps.items():
        if keys := keymap.shown(BY_ID[action]):
            parts.setdefault(tuple(reasons), []).append(f"{keys} {does}")
    return " · ".join(f"{', '.join(reasons)}: {', '.join(keys)}" for reasons, keys in parts.items())
