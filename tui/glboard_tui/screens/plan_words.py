"""What the planning figures say: sums with signs and words, for the header and the panes. Pure.

Over is always said with a sign and a word; the colour only underlines it (DOMAIN.md 7.10).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from glboard_core.planning.capacity import Capacity, PersonCapacity
from glboard_tui.widgets.card import Fact, Tone

#: Less room than this takes no issue: full.
_LEAST = 1.0


def number(value: float) -> str:
    """At most two decimals, and none that say nothing."""
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def signed(value: float) -> str:
    """With a sign, and a mark where it is over: ``+4.25``, ``!-9.75``."""
    words = number(value)
    return f"!{words}" if words.startswith("-") else f"+{words}"


def plan_words(weight: int, unweighted: int) -> str:
    """``plan 25 + 3 unweighted``: what has no weight never looks like 0."""
    return f"plan {weight}" + (f" + {unweighted} unweighted" if unweighted else "")


def capacity_facts(found: Capacity, *, team: bool, closed: float | None = None) -> tuple[Fact, ...]:
    """The header's second line, from the left. Without a team there is nothing to compare the plan with.

    ``closed`` is the mean closed weight of the milestones before, where it is known.
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
        Fact(f"room {signed(found.room_likely)} likely, {signed(found.room)} all", tone),
        *([] if closed is None else [Fact(f"closed before {number(closed)}", minor=True)]),
    )


def state_of(person: PersonCapacity) -> tuple[str, Tone]:
    """``room``, ``full`` or ``!over``; nothing for somebody without days."""
    room = person.room
    if room is None:
        return "", "plain"
    if room < 0:
        return "!over", "bad"
    return ("full", "warn") if room < _LEAST else ("room", "good")


def rooms_words(rooms: Mapping[str, PersonCapacity], *, blind: bool) -> dict[str, str]:
    """What each person has left, by username: ``+4.5``, ``!-2``; blind only full, room or over."""
    return {name: state_of(one)[0] if blind else signed(one.room or 0) for name, one in rooms.items()}


def people_facts(found: Capacity) -> tuple[Fact, ...]:
    """Who is full, has room or is over; those over first, since the last give way in a narrow header."""
    people = [person for person in found.people if person.budget is not None]
    names = short_names([person.username for person in people])
    ordered = sorted(people, key=lambda person: (person.room or 0) >= 0)
    facts = []
    for person in ordered:
        words, tone = state_of(person)
        facts.append(Fact(f"{names[person.username]} {words}", tone))
    return tuple(facts)


def short_names(usernames: Iterable[str]) -> dict[str, str]:
    """Usernames without what all of them begin with, up to a separator: ``eng_alder`` is ``alder``."""
    known: Sequence[str] = list(usernames)
    if len(known) < 2:
        return {name: name for name in known}
    low, high = min(known), max(known)
    same = next(
        (n for n, (a, b) in enumerate(zip(low, high, strict=False)) if a != b), min(len(low), len(high))
    )
    cut = max(low.rfind(sign, 0, same) for sign in "_-.") + 1
    return {name: name[cut:] if len(name) > cut else name for name in known}
