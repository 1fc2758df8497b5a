"""Texts of header, footer, open issue and lists: from state to the values their widgets paint. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime

from glboard_core.board.batch import short
from glboard_core.board.edits import later
from glboard_core.model.catalog import Catalog
from glboard_core.model.issue import Issue
from glboard_core.planning.capacity import PersonCapacity
from glboard_core.planning.reasons import words_of
from glboard_core.planning.text import number
from glboard_core.sync.events import LiveStatus, Status
from glboard_tui.action import ActionContext
from glboard_tui.actions import BY_ID
from glboard_tui.keymap import Keymap
from glboard_tui.unseen_changes import ExternalChange
from glboard_tui.widgets.card import Tone
from glboard_tui.widgets.footer import FooterView

# Planning figures: numbers, signs, capacity

#: With less free capacity than this a person is full.
_LEAST = 1.0


def free_words(value: float) -> str:
    """What remains of a capacity: ``4.25w free``, ``9.75w over``."""
    words = number(value)
    return f"{words[1:]}w over" if words.startswith("-") else f"{words}w free"


def acceptable_words(value: float) -> str:
    """What can still be accepted, where only accepted work counts: ``4.25w left to accept``."""
    words = number(value)
    return f"{words[1:]}w too much accepted" if words.startswith("-") else f"{words}w left to accept"


def state_of(person: PersonCapacity) -> tuple[str, Tone]:
    """``free``, ``full`` or ``over``; "" for a person without days."""
    free = person.free
    if free is None:
        return "", "plain"
    if free < 0:
        return "over", "bad"
    return ("full", "warn") if free < _LEAST else ("free", "good")


def free_by_name(people: Mapping[str, PersonCapacity], *, hidden: bool) -> dict[str, str]:
    """What remains of each person's days, by username: ``4.5w free``; ``hidden`` leaves only ``free``."""
    return {name: state_of(one)[0] if hidden else free_words(one.free or 0) for name, one in people.items()}


PlanWords = tuple[str, str]
"""A milestone, and what is free or planned in it."""


def staged_line(title: str, before: PlanWords | None, after: PlanWords | None) -> str:
    """What a staged change does to the plan: ``19.8: 2w over, now 3w free``; else only what it is."""
    if before is None or after is None or before == after:
        return f"Staged: {title}"
    return f"{after[0]}: {before[1]}, now {after[1]}"


# The connection


def live_words(live: LiveStatus, poll: float) -> list[str]:
    """How changes by others arrive, and why not at once; ``poll`` is the time between two polls."""
    every = f"every {number(poll)} s"
    if live.state == "on":
        cards = "1 issue" if live.cards == 1 else f"{live.cards} issues"
        return [f"Changes by others: live for the {cards} in view, {every} for the rest."]
    lines = [f"Changes by others: by polling, {every}."]
    if live.state == "off":
        lines.append("Live events are switched off ([sync] live).")
    elif live.state == "connecting":
        lines.append("Connecting for live events …")
    elif live.error is not None:
        lines += [live.error.message, live.error.hint]
    if live.next_try is not None:
        minutes = round(live.next_try / 60)
        soon = f"{minutes} min" if minutes > 1 else f"{max(live.next_try, 1):.0f} s"
        lines.append(f"glboard retries within {soon}.")
    return list(filter(None, lines))


# The header

#: Seconds below which an age is not shown.
_YOUNG = 45


def progress_words(status: Status) -> str:
    """The loading progress: ``1,200 of 6,041`` if the total is known."""
    if not status.loaded:
        return status.loading
    # The total was counted before reading: there may be more meanwhile.
    total = f" of {status.total:,}" if status.total >= status.loaded else ""
    return f"{status.loaded:,}{total}"


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
    "labels.edit",
    "open.detail",
    "move.right",
    "filter.edit",
    "board.planning",
    "text.new",
    "view.refresh",
)
#: On a board of workflow states.
_BUILD_HINTS = (
    "move.right",
    "flow.set",
    "accept.with",
    "weight.set",
    "milestone.defer",
    "flow.blocked",
    "text.comment",
    "open.detail",
    "filter.edit",
    "board.planning",
    "text.new",
)
_CAPACITY_HINTS = (
    "capacity.time-off",
    "capacity.support",
    "capacity.factor",
    "capacity.net-days",
    "capacity.holidays",
    "capacity.role",
    "capacity.add",
    "capacity.post",
    "capacity.undo",
    "escape",
)
_DETAIL_HINTS = (
    "milestone.defer",
    "accept.with",
    "weight.set",
    "flow.set",
    "text.comment",
    "text.edit",
    "task.next",
    "issue.next",
    "open.browser",
)
#: While a task of its description has the focus.
_TASK_HINTS = ("task.toggle", "task.next", "task.previous", "escape")

#: These stay next to what is said: they are the way on.
_STAY = ("walk.skip", "walk.later", "walk.back")
_WALK_HINTS = (
    *_STAY,
    "accept.with",
    "weight.set",
    "milestone.defer",
    "flow.set",
    "text.comment",
    "labels.edit",
    "flow.blocked",
)
#: While a planning call goes on, after the first ones.
_CALL_HINTS = ("call.note", "pane.decisions")
#: On a shared screen: those who watch need not read keys.
_SHARED_HINTS = ("accept.with", "weight.set", "milestone.defer", "pane.walk", "pane.decisions", "share.off")

#: What the first key of these means.
_PREFIXES = {
    "accept.with": "accept for…",
    "flow.set": "",
    "milestone.next": "milestone",
    "board.planning": "go to…",
}


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
    right: str = "",
    builds: bool = False,
    person: str = "",
    shared: bool = False,
) -> FooterView:
    """The footer: what the next key acts on, the keys that matter here, what ``u`` would undo.

    ``right`` is the title of the next column, ``builds`` whether columns are workflow states, ``person`` whom
    the capacity pane's keys are about, ``shared`` whether others watch: then there are few.
    """
    hints: list[tuple[str, str]] = []
    stay = 0
    names = _hints_of(now, builds=builds)
    if shared:
        names = _SHARED_HINTS if now.scope not in ("walk", "capacity") else names[:6]
    if now.calling:
        names = tuple(dict.fromkeys((*names[:4], *_CALL_HINTS, *names[4:])))
    if now.scope in ("board", "detail"):
        # What is wrong with this card is worth more than what is usual.
        names = tuple(dict.fromkeys((*_TROUBLE[now.trouble], *names)))
    for name in names:
        action = BY_ID[name]
        if not action.applies(now) or not (keys := keymap.key(name)):
            continue
        words = action.word
        if name == "milestone.defer":
            words = f"{words} {to}" if (to := _deferred(targets, catalog, today)) else words
        elif name == "move.right":
            if not right:
                continue
            words = right
        elif name in _PREFIXES:
            # Its next keys are shown when it is pressed.
            keys = keys.split(" ")[0] if " " in keys else keys[:1]
            words = _PREFIXES[name] or words
        hints.append((keys, words))
        stay += name in _STAY
    if now.draft and (keys := keymap.key("pane.drafts")):
        hints.insert(stay, (keys, "compare, apply"))
    if not shared and now.scope in ("board", "detail"):
        own = (action for action in keymap.own_commands if action.applies(now))
        hints += [(keys, action.word) for action in own if (keys := keymap.key(action.id))]
    if help_key := keymap.key("help"):
        hints.append((help_key, "all keys"))
    # The capacity pane has its own undo, for the team's days.
    last = f"{keymap.key('undo')} {undo}" if undo and now.scope != "capacity" else ""
    if now.draft and message:
        last = last.partition(":")[0]  # the message says more
    return FooterView(
        target=person if now.scope == "capacity" else target_words(now, targets),
        hints=tuple(hints),
        last=last,
        message=message,
        bad=bad,
        selected=now.selected > 0 and now.scope not in ("detail", "task"),
        stay=stay,
    )


_TROUBLE = {
    "": (),
    "conflict": ("conflict.mine", "conflict.theirs", "conflict.look"),
    "failed": ("pane.failed",),
}


def _hints_of(now: ActionContext, *, builds: bool) -> Sequence[str]:
    board = _BUILD_HINTS if builds else _HINTS
    # Without a team there is no one whose days could be set.
    capacity = ("capacity.create", "capacity.reload") if "no-team" in now.modes else _CAPACITY_HINTS
    scopes = {"detail": _DETAIL_HINTS, "task": _TASK_HINTS, "walk": _WALK_HINTS, "capacity": capacity}
    return scopes.get(now.scope, board)


def target_words(now: ActionContext, targets: Sequence[Issue]) -> str:
    """What the next key acts on."""
    if now.selected and now.scope not in ("detail", "task"):
        words = f"{now.selected} selected"
    else:
        words = short(targets[0]) if targets else ""
    return f"draft · {words}".removesuffix(" · ") if now.draft else words


def _deferred(targets: Sequence[Issue], catalog: Catalog | None, today: date | None) -> str:
    if catalog is None or today is None:
        return ""
    # Cards of one board mostly share a milestone, so a few decide the key's text.
    alike = {(issue.milestone, issue.project): issue for issue in targets[:20]}
    after = {found.title if (found := later(one, catalog, today)) else "" for one in alike.values()}
    return f"to {after.pop()}" if len(after) == 1 and "" not in after else ""


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
    """What changed; of a masked issue only that something did."""
    return ("changed",) if mask(row.issue) is not None else row.what


def line(row: ExternalChange, *, me: str, now: datetime, mask: Mask) -> str:
    """``eng_birch: milestone 19.8 to 19.9, weight 2 to 3, 2m ago``; of a masked issue no name."""
    by = "someone" if mask(row.issue) is not None else who(row, me)
    return f"{by}: {', '.join(what(row, mask))}, {when(row, now)}"


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
    "label-status-conflict": (("flow.align", "asks which to keep"), ("flow.set", "sets both")),
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
