"""The content of the header: the board's question and figures, the milestone's dates, people. Pure.

Each figure has one meaning: capacity is the weight the team can do; carried over is likely carry-over;
planned is the weight in the milestone, accepted or not; free or over is the rest. The figures of people and
unassigned add up to planned, unless an issue has two assignees.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, time

from msgspec import Struct, structs

from glboard_core.board.columns import CLOSED
from glboard_core.board.index import BoardIndex
from glboard_core.board.names_needed import BY_DATE
from glboard_core.model.catalog import Catalog
from glboard_core.model.milestone import Milestone
from glboard_core.planning.capacity import Capacity
from glboard_core.planning.text import age_in_words, counted, day_words, number
from glboard_core.sync.events import Status
from glboard_tui.board_view import BoardView
from glboard_tui.bridge import Bridge
from glboard_tui.drafts import staged_words
from glboard_tui.keymap import Keymap
from glboard_tui.texts import age_words, free_words, progress_words, state_of
from glboard_tui.widgets.card import Fact
from glboard_tui.widgets.colors import Ink
from glboard_tui.widgets.column_headers import ink_of
from glboard_tui.widgets.header import Fresh, HeaderView, Tab

_FRESH: dict[str, Fresh] = {
    "loading": "loading",
    "live": "live",
    "cached": "cached",
    "offline": "offline",
    "signed-out": "signed out",
}


class ShareView(Struct, frozen=True, kw_only=True):
    """What is said of share mode: how many cards are masked, which issue is shown for a moment, what was
    changed last. ``people``: whether full, free and over are said of single people."""

    masked: int = 0
    people: bool = False
    revealed: str = ""
    last: str = ""


class BoardQuestion(Struct, frozen=True, kw_only=True):
    """A board's one question: its figures, the bar that shows them, and the warning that matters."""

    sums: tuple[Fact, ...] = ()
    bar: tuple[tuple[float, Ink], ...] = ()
    full: float = 0
    warning: Fact | None = None


def header_view(
    view: BoardView,
    status: Status | None,
    *,
    waited: float = 0.0,
    catalog: Catalog | None = None,
    today: date | None = None,
    writable: bool = True,
    failed_start: bool = False,
    changed: int = 0,
    capacity: Capacity | None = None,
    team: bool = False,
    team_key: str = "",
    partial: bool = False,
    call: str = "",
    share: ShareView | None = None,
    short_name: Callable[[str], str] = lambda username: username,
) -> HeaderView:
    """The header. ``waited``: seconds since the status arrived, added to its age.

    ``capacity``: the milestone's, if the board has one; ``team``: whether the team's days are known;
    ``team_key``: the key that leads to them, if they can be set up; ``changed``: cards of this board with
    unseen changes by others; ``partial``: some of the board's columns are still being read; ``call``: the
    call that goes on; ``share``: others watch, so that no figure of capacity and people is shown.
    """
    index, found = view.index, view.settings.board(view.board_id)
    name = index.board.name if index else found.name if found else view.board_id
    start = HeaderView(
        board=name,
        group=catalog.group if catalog is not None else "",
        tabs=tuple(Tab(board.id, board.name) for board in view.settings.boards),
        shown=view.board_id,
        filter=view.text,
        only=found.filter if found is not None else "",
        call=call,
        share=share is not None,
        masked=share.masked if share else 0,
        revealed=share.revealed if share else "",
        last=share.last if share else "",
    )
    if status is None:
        return structs.replace(
            start,
            fresh="offline" if failed_start else "loading",
            progress="" if failed_start else "connecting",
        )
    fresh = _FRESH[status.freshness]
    progress = ""
    if fresh == "loading":
        progress = progress_words(status)
    elif fresh == "cached" and status.loading:
        progress = f"· {progress_words(status)}"
    elif status.next_try is not None:
        left = round(status.next_try - waited)
        progress = f"· again in {left} s" if left > 0 else "· trying again …"
    age = "" if fresh in ("live", "loading") or status.age is None else age_words(status.age + waited)
    title = (index.board.milestone or "") if index else ""
    milestone = catalog.find_milestone(title) if catalog is not None and title else None
    has_weight = catalog is None or catalog.server.has_weight
    # A filter's sums cover only the visible cards; a capacity can only be compared with the whole plan.
    planned = capacity if has_weight and (team or not view.text) else None
    asked = BoardQuestion()
    if index is not None:
        is_version = milestone is not None and milestone.is_version(view.settings.planning.version)
        asked = (
            _how_old(index, today)
            if view.asks_age and today is not None
            else question(
                index,
                milestone if is_version else None,
                today,
                planned,
                team=team,
                team_key="" if share is not None else team_key,
                weighs=has_weight,
            )
        )
        if share is not None and planned is not None and team:
            asked = structs.replace(asked, sums=_without_figures(asked.sums))
    if partial:
        asked = BoardQuestion(sums=(Fact("loading …"),))
    filtered = view.text
    if view.text and index is not None and not partial:
        filtered = f"{view.text}: {index.count} of {index.total}"
    sorted_by = view.sorted_words(view.sort_by)
    if sorted_by and (found is None or found.order != view.sort_by):
        # Chosen for a while; a board that is configured so is always in that order.
        sorted_by += ", not GitLab's order"
    return structs.replace(
        start,
        board=f"{name} {title}".rstrip(),
        milestone=title,
        dates=dates_words(milestone, today),
        filter=filtered,
        sorted_by=sorted_by,
        fresh=fresh,
        age=age or ("slowed" if status.slowed else ""),
        progress=progress,
        changed=changed,
        unsent=status.unsent,
        failed=status.failed,
        conflicts=status.conflicts,
        draft=status.draft,
        staged=staged_words(status.staged),
        read_only=not writable,
        sums=asked.sums,
        bar=asked.bar,
        full=asked.full,
        warning=asked.warning,
        people=people_facts(planned, short_name, hidden=share is not None)
        if planned is not None
        and team
        and not partial
        and (share is None or share.people)
        and not _is_over(milestone, today)
        else (),
    )


def share_view(bridge: Bridge) -> ShareView | None:
    """What the header says of share mode; None if it is off."""
    share, index = bridge.share, bridge.index
    if not share.is_on:
        return None
    shown = share.revealed
    return ShareView(
        masked=sum(map(index.has, share.known.ids)) if index is not None else 0,
        people=share.names_people,
        revealed=f"{bridge.reference_of(shown[0])} is shown for {shown[1]} s" if shown else "",
        last=last_change(bridge),
    )


def last_change(bridge: Bridge) -> str:
    """What was changed a moment ago, for those who watch; "" if nothing was, or no one watches."""
    last = bridge.share.last
    return bridge.people_words.spoken(last.words) if last else ""


def _without_figures(sums: tuple[Fact, ...]) -> tuple[Fact, ...]:
    """``Capacity``, what the parts of its bar are, and ``over``: all without the team's figures."""
    if not sums or not sums[0].text.startswith("Capacity"):
        return sums
    return tuple(structs.replace(fact, text=_FIGURE.sub("", fact.text).strip()) for fact in sums)


#: A weight in words: "18.5w".
_FIGURE = re.compile(r"[\d.,]+w ?")


def dates_words(milestone: Milestone | None, today: date | None) -> tuple[str, str]:
    """``12 Dec – 15 Jan`` and ``starts in 5 days``; empty where unknown."""
    if milestone is None or milestone.start is None or milestone.due is None:
        return "", ""
    dates = f"{day_words(milestone.start)} – {day_words(milestone.due)}"
    if today is None:
        return dates, ""
    if today < milestone.start:
        days = (milestone.start - today).days
        return dates, "starts tomorrow" if days == 1 else f"starts in {days} days"
    left = (milestone.due - today).days
    if left < 0:
        return dates, "ended yesterday" if left == -1 else f"ended {-left} days ago"
    return dates, "ends today" if left == 0 else f"{counted(left, 'day')} left"


def _is_over(milestone: Milestone | None, today: date | None) -> bool:
    """Whether a milestone has ended: then it matters what was closed, not what anyone can still take."""
    due = milestone.due if milestone is not None else None
    return due is not None and today is not None and due < today


# The one question of a board


def question(
    index: BoardIndex,
    milestone: Milestone | None,
    today: date | None,
    capacity: Capacity | None,
    *,
    team: bool,
    weighs: bool,
    team_key: str = "",
) -> BoardQuestion:
    """What a board asks: of a milestone that is being built or over what is closed, of one to plan whether it
    fits, of a bucket what is ready. ``milestone`` is a version, or None for a bucket."""
    board = index.board
    if milestone is not None and (_is_over(milestone, today) or (board.kind.tells == "workflow")):
        return _done(index, weighs=weighs)
    if capacity is not None:
        return (
            _fits(capacity)
            if team
            else _plan(capacity.planned, capacity.accepted, capacity.unweighted, team_key)
        )
    if milestone is not None and weighs:
        return _plan(index.weight, index.sums.accepted, index.unweighted)
    if not weighs:
        return BoardQuestion(sums=(Fact(counted(index.count, "issue")),))
    ready = index.sums.ready
    return BoardQuestion(
        sums=(
            Fact(f"ready with weight {ready} of {index.count}", "good"),
            Fact(f"{index.sums.ready_weight}w of {index.weight}w", minor=True),
        ),
        bar=((ready, "good"),),
        full=index.count,
        warning=_no_weight(index.unweighted),
    )


#: Days of which less is told as ``under a week``.
WEEK = 7


def _how_old(index: BoardIndex, today: date) -> BoardQuestion:
    """The age of issues that no one works on."""
    found = index.sums.ages(datetime.combine(today, time.min, UTC).timestamp())
    if found is None:
        return BoardQuestion(sums=(Fact(counted(index.count, "issue")),))
    middle = index.count - found.young - found.old
    many = f"{found.old} {'is' if found.old == 1 else 'are'} over a year old"
    return BoardQuestion(
        sums=(
            Fact(f"Oldest {age_in_words(found.oldest)}"),
            Fact(f"{middle} up to a year", "accent", minor=True),
            Fact(f"{found.young} under 3 months", "good", minor=True),
            Fact(f"half {'' if found.middle < WEEK else 'over '}{age_in_words(found.middle)}"),
        ),
        bar=((found.old, "warn"), (middle, "accent"), (found.young, "good")),
        full=index.count,
        warning=Fact(many, "warn") if found.old else None,
    )


def _plan(planned: int, accepted: int, unweighted: int, team_key: str = "") -> BoardQuestion:
    """What is planned, where it cannot be compared with a capacity, and the key that sets one up."""
    leads = (Fact(f"no capacity yet: {team_key}", "warn"),) if team_key else ()
    return BoardQuestion(
        sums=(Fact(f"planned {planned}w"), Fact(f"{accepted}w accepted", "good", minor=bool(leads)), *leads),
        # Only what is accepted: the whole of what is planned would fill it, whatever it is.
        bar=((accepted, "good"),),
        full=planned,
        warning=_no_weight(unweighted),
    )


def _fits(found: Capacity) -> BoardQuestion:
    """Whether what is planned fits into what the team can take."""
    carried = found.carry_over.likely
    free = found.free_likely
    # The part that is over is the end of the planned part; the accepted part is its start, as in column bars.
    over = min(max(-free, 0.0), found.planned)
    accepted = min(found.accepted, found.planned - over)
    return BoardQuestion(
        sums=(
            Fact(f"Capacity {number(found.total)}w"),
            Fact(f"{number(carried)}w carried over", "warn", minor=True),
            Fact(f"{found.planned}w planned", "accent", minor=True),
            Fact(f"({found.accepted}w accepted)", "good", minor=True),
            Fact(free_words(free), "bad" if free < 0 else "good"),
        ),
        bar=(
            (carried, "warn"),
            (accepted, "good"),
            (found.planned - over - accepted, "accent"),
            (over, "bad"),
        ),
        full=found.total,
        warning=_no_weight(found.unweighted),
    )


def _done(index: BoardIndex, *, weighs: bool) -> BoardQuestion:
    """What is closed, and what is blocked."""
    closed = index.column(CLOSED)
    done, weight = (len(closed), closed.weight) if closed is not None else (0, 0)
    every, total = done + index.count, weight + index.weight
    parts: list[tuple[float, Ink]] = [(weight if weighs else done, "good")]
    blocked = 0
    for column in index.columns:
        ink = ink_of(column.column)
        if not column.column.is_list or ink is None:
            continue
        if column.column.value == "blocked":
            blocked = len(column)
        if ink != "good":
            parts.append((column.weight if weighs else len(column), ink))
    words = [f"{blocked} blocked"] if blocked else []
    if index.sums.heavy:
        words.append(f"{index.sums.heavy} over weight")
    warning = Fact(" · ".join(words), "warn") if words else _no_weight(index.unweighted) if weighs else None
    sums: tuple[Fact, ...] = (Fact(f"closed {done} of {every}", "good"),)
    if weighs:
        sums = (*sums, Fact(f"{weight}w of {total}w done"))
    return BoardQuestion(sums=sums, bar=tuple(parts), full=total if weighs else every, warning=warning)


def _no_weight(count: int) -> Fact | None:
    return Fact(f"{count} {'has' if count == 1 else 'have'} no weight", "warn") if count else None


# Who has what


def people_facts(found: Capacity, short_name: Callable[[str], str], *, hidden: bool) -> tuple[Fact, ...]:
    """Whom the planned weight is for, which adds up to it; who is over, full and free: each under its name.

    ``hidden``: only whether each is over, full or free.
    """
    people = [person for person in found.people if person.budget is not None or person.committed]
    names = {person.username: short_name(person.username) for person in people}
    if hidden:
        ordered = sorted(people, key=lambda person: (person.free or 0) >= 0)
        states = [(names[person.username], *state_of(person)) for person in ordered]
        return tuple(Fact(f"{name} {words}".rstrip(), tone) for name, words, tone in states)
    planned = [Fact(f"{names[person.username]} {person.committed}w") for person in people if person.committed]
    if found.unassigned:
        planned.append(Fact(f"unassigned {found.unassigned}w"))
    groups: dict[str, list[Fact]] = {"Planned for": planned, "Over": [], "Full": [], "Free": []}
    for person in people:
        if person.free is None:
            continue
        left, name = number(abs(person.free)), names[person.username]
        tone = state_of(person)[1]
        group = "Full" if left == "0" else "Over" if person.free < 0 else "Free"
        groups[group].append(Fact(name if group == "Full" else f"{name} {left}w", tone))
    return tuple(
        fact for title, facts in groups.items() if facts for fact in (Fact(title, minor=True), *facts)
    )


# Why there are no cards


def empty_words(index: BoardIndex, keymap: Keymap, catalog: Catalog | None) -> str:
    """Why a board without a filter has no cards, and the keys that help; the first line is the reason."""
    board = index.board
    titles = {label.title for label in catalog.labels} if catalog is not None else board.labels
    if missing := sorted(board.labels - titles):
        # Typical of a first start without a configuration: the default label is another team's.
        name, helps = ", ".join(missing), "glboard config init finds the label of your team"
        return f"The label {name} does not exist, so all boards are empty\n{helps}"
    if board.remedy:
        no_such = f"The milestone {board.milestone} does not exist"
        if board.milestone in BY_DATE:
            no_such = f"There is no {board.milestone} milestone"
        return f"{no_such}, so this board is empty\n{board.remedy}"
    if board.warnings:
        return "\n".join(["No issues here", *board.warnings])
    closed = index.column(CLOSED)
    new, shows, back, on = (
        keymap.key(name)
        for name in ("text.new", "view.closed", "board.previous-milestone", "board.next-milestone")
    )
    helps = f"{new} creates one · {back} and {on} change the milestone"
    if closed is not None and len(closed):
        were = "1 issue is closed" if len(closed) == 1 else f"{len(closed)} issues are closed"
        return f"No open issues in {board.milestone or board.name}\n{were}: {shows} shows them\n{helps}"
    labels = f" with the label {', '.join(sorted(board.labels))}" if board.labels else ""
    where = f" in {board.milestone}" if board.milestone else ""
    return f"No issues{where}{labels}\n{helps if board.milestone else f'{new} creates one'}"
