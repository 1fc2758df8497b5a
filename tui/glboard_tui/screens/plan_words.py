"""The texts of planning figures: sums with signs and words, for the header and the panes. Pure.

Over is always shown with a sign and a word; the colour only underlines it (DOMAIN.md 7.10).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from glboard_core.planning.capacity import Capacity, PersonCapacity
from glboard_tui.widgets.card import Fact, Tone

#: With less free capacity than this a person is full.
_LEAST = 1.0


def number(value: float) -> str:
    """At most two decimals, without trailing zeros."""
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def signed(value: float) -> str:
    """With a sign, and a mark if it is over: ``+4.25``, ``!-9.75``."""
    words = number(value)
    return f"!{words}" if words.startswith("-") else f"+{words}"


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
