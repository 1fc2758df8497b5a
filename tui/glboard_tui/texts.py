"""Texts of header, footer, open issue and lists: from state to the values their widgets paint. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime

from glboard_core.board.batch import short
from glboard_core.board.edits import later
from glboard_core.board.index import BoardIndex
from glboard_core.model.catalog import Catalog
from glboard_core.model.issue import Blocker, Issue, short_reference
from glboard_core.model.workflow import WorkflowScheme
from glboard_core.planning.capacity import Capacity, PersonCapacity
from glboard_core.planning.reasons import words_of
from glboard_core.planning.text import number, signed
from glboard_core.sync.events import Status
from glboard_tui.actions import BY_ID, ActionContext
from glboard_tui.bridge import BoardView
from glboard_tui.keymap import Keymap
from glboard_tui.unseen_changes import ExternalChange
from glboard_tui.widgets.card import Fact, Tone
from glboard_tui.widgets.footer import FooterView
from glboard_tui.widgets.header import Fresh, HeaderView

# Planning figures: numbers, signs, capacity

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
    tone: Tone = "bad" if found.free_likely < 0 else "warn" if found.free < 0 else "good"
    return (
        Fact(f"{plan} / capacity {number(found.total)}"),
        carry,
        Fact(f"{free_words(found.free_likely)} likely, {free_words(found.free)} all", tone),
        *([] if closed is None else [Fact(f"closed before {number(closed)}", minor=True)]),
    )


def state_of(person: PersonCapacity) -> tuple[str, Tone]:
    """``free``, ``full`` or ``!over``; "" for a person without days."""
    free = person.free
    if free is None:
        return "", "plain"
    if free < 0:
        return "!over", "bad"
    return ("full", "warn") if free < _LEAST else ("free", "good")


def free_by_name(people: Mapping[str, PersonCapacity], *, hidden: bool) -> dict[str, str]:
    """Each person's free capacity, by username: ``+4.5``, ``!-2``; ``hidden`` leaves only the words."""
    return {name: state_of(one)[0] if hidden else signed(one.free or 0) for name, one in people.items()}


def people_facts(found: Capacity) -> tuple[Fact, ...]:
    """Who is free, full or over; those over come first, since a narrow header drops the last ones."""
    people = [person for person in found.people if person.budget is not None]
    names = short_names([person.username for person in people])
    ordered = sorted(people, key=lambda person: (person.free or 0) >= 0)
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


# The header

#: Seconds below which an age is not shown.
_YOUNG = 45

_FRESH: dict[str, Fresh] = {
    "loading": "loading",
    "live": "live",
    "cached": "cached",
    "offline": "offline",
    "signed-out": "signed out",
}


def header_view(
    view: BoardView,
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
    index, found = view.index, view.settings.board(view.board_id)
    name = index.board.name if index else found.name if found else view.board_id
    if status is None:
        return HeaderView(
            board=name,
            filter=view.text,
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
    planned = capacity if has_weight and (team or not view.text) else None
    title = f"{name} {index.board.milestone}" if index and index.board.milestone else name
    return HeaderView(
        board=title,
        role=index.board.role if index else "",
        filter=view.text,
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


# The footer

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
    "issue.next",
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
        if not action.applies(now) or not (keys := keymap.key(name)):
            continue
        words = action.word
        if name == "milestone.defer":
            words = _deferred(targets, catalog, today) or words
        elif name in ("accept.with", "flow.set", "milestone.next"):
            # A prefix: its next keys are shown when it is pressed.
            keys = keys.split(" ")[0] if " " in keys else keys[:1]
            words = {"milestone.next": "milestone"}.get(name, words)
        hints.append((keys, words))
    if help_key := keymap.key("help"):
        hints.append((help_key, "keys"))
    # The capacity pane has its own undo, for the team's days.
    last = f"{keymap.key('undo')} {undo}" if undo and now.scope != "capacity" else ""
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
    if now.scope == "capacity":
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


# The open issue


def blocker_facts(
    blockers: Sequence[Blocker], title_of: Callable[[Blocker], str]
) -> list[tuple[str, tuple[str, ...]]]:
    """What blocks an open issue, each on its own lines: ``by platform#12 (open)``, then its title."""
    facts: list[tuple[str, tuple[str, ...]]] = []
    for one in blockers:
        state = "open" if one.state == "opened" else "closed"
        short_one = f"by {short_reference(one.reference)} ({state})"
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


# Changes by others: for the footer, the open issue, the list, and cards that left the board

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


# What is wrong with an issue, and which keys fix it

Remedy = tuple[str, str]
"""An action's id, and what its key does here."""

_ADDS: Remedy = ("labels.missing", "adds it")
_ASKS: Remedy = ("labels.missing", "asks which")
_NEXT: Remedy = ("milestone.next", "to the next")
_OFF: Remedy = ("accept.remove", "removes Deliverable")
_WEIGHT: Remedy = ("weight.set", "sets it")
_READY: Remedy = ("weight.ready", "weight and ready")

_REMEDIES: dict[str, tuple[Remedy, ...]] = {
    "missing-type": (_ASKS,),
    "several-types": (("labels.missing", "asks which to keep"),),
    "missing-subtype": (_ASKS,),
    "missing-milestone": (
        ("milestone.next", "next"),
        ("milestone.backlog", "Backlog"),
        ("milestone.search", "another"),
    ),
    "missing-label:devops": (_ADDS,),
    "missing-label:section": (_ADDS,),
    "missing-label:category": (_ADDS,),
    "bug-without-severity": (("labels.severity", "sets it"),),
    "bug-without-priority": (("labels.priority", "sets it"),),
    "deliverable-without-milestone": (_NEXT, _OFF),
    "deliverable-beyond-next": (_NEXT, _OFF),
    "deliverable-in-bucket": (_NEXT, _OFF),
    "deliverable-not-ready": (_READY, _OFF),
    "expired-milestone": (
        ("plan.slip", "slips it"),
        ("milestone.defer", "defers it"),
        ("plan.drop", "drops it"),
    ),
    "ready-without-weight": (_WEIGHT,),
    "over-weight": (("plan.breakdown", "requests it"), ("weight.set", "changes the weight")),
    "label-status-conflict": (("flow.set", "sets both"),),
    "several-states": (("labels.one-each", "keeps this one"),),
    "several-of-scope": (("labels.one-each", "keeps one"),),
    # Only used for candidates.
    "not-ready": (_READY,),
    "no-weight": (_WEIGHT,),
    "other-milestone": (_NEXT,),
}


def what_to_press(codes: Sequence[str], keymap: Keymap) -> str:
    """The keys that help, each once, after their reasons: ``no category, no devops label: T adds it``."""
    helps: dict[Remedy, list[str]] = {}
    for code in codes:
        for remedy in _REMEDIES.get(code, ()):
            helps.setdefault(remedy, []).append(words_of(code))
    parts: dict[tuple[str, ...], list[str]] = {}
    for (action, does), reasons in helps.items():
        if keys := keymap.key(action):
            parts.setdefault(tuple(reasons), []).append(f"{keys} {does}")
    return " · ".join(f"{', '.join(reasons)}: {', '.join(keys)}" for reasons, keys in parts.items())
