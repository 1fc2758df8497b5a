"""What a walk says: how far it is, the facts of its card, who has how much free, what a key decided. Pure.

All text is remote or fixed; what paints it cleans it. Of a masked issue nothing but its reference is said.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence

from msgspec import Struct

from glboard_core.board.batch import short
from glboard_core.config import LabelSettings
from glboard_core.model.catalog import Catalog
from glboard_core.model.issue import Issue, IssueId
from glboard_core.model.workflow import WorkflowScheme
from glboard_core.planning.capacity import PersonCapacity
from glboard_core.planning.readiness import missing_codes, over_weight, reasons_against
from glboard_core.planning.reasons import words_of
from glboard_core.planning.text import counted
from glboard_core.planning.walk import Outcome, Walk, tally
from glboard_tui.issue_facts import IssueMore, detail_facts
from glboard_tui.keymap import Keymap
from glboard_tui.texts import free_words, state_of, what_to_press
from glboard_tui.widgets.card import Chip, Fact
from glboard_tui.widgets.facts import Item, NamedItems
from glboard_tui.widgets.walk import PersonFree, WalkHeadView

# How far it is


def head_view(
    walk: Walk,
    subject: str,
    found: Collection[Outcome],
    *,
    left: str = "",
    stays: bool = False,
    clock: str = "",
) -> WalkHeadView:
    """``Walk 7 of 23 · bug``. ``found`` is what became of those that were passed; ``left`` why the card is
    no longer in what is walked."""
    over = walk.current is None
    skipped = sum(one == "skipped" for one in found)
    notes = [Fact(left, "warn")] if left else []
    if walk.was_put_off:
        notes.append(Fact("postponed before", "warn"))
    if walk.later:
        notes.append(Fact(f"{len(walk.later)} later", "warn"))
    if stays and not over:
        notes.append(Fact("stays on the issue"))
    return WalkHeadView(
        title=f"{walk.total} walked" if over else f"Walk {walk.place} of {walk.total}",
        subject=subject,
        notes=tuple(notes),
        clock=clock,
        parts=((len(found) - skipped, "good"), (skipped, "muted"), (int(not over), "accent")),
        piled=len(walk.later),
        total=walk.total,
    )


def clock_words(seconds: float) -> str:
    """``04:12``; longer than an hour is in minutes too."""
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes:02}:{rest:02}"


def result_words(walk: Walk, found: Collection[Outcome]) -> str:
    """``23 walked: 9 accepted, 4 deferred, 2 later``; before the end ``7 of 23 walked: …``."""
    over = walk.current is None
    words = tally(found, len(walk.later))
    count = f"{walk.total} walked" if over else f"{walk.passed} of {walk.total} walked"
    return f"{count}: {words}" if words else count


# Its card


class CardRules(Struct, frozen=True, kw_only=True):
    """What the facts of a card depend on besides the issue. ``allowed`` are the milestones open for
    Deliverables (planning rule 4)."""

    catalog: Catalog
    flow: WorkflowScheme
    names: LabelSettings
    allowed: frozenset[str]
    keymap: Keymap


#: The facts of an open issue's pane that the card above them says, or that decide nothing in a call.
_SAID = ("Issue", "Weight", "Deliverable", "Labels")


def walk_facts(
    issue: Issue,
    rules: CardRules,
    chips: Sequence[Chip],
    more: IssueMore,
) -> list[NamedItems]:
    """What the card does not say, the readiness first with the keys that help. ``chips`` are other labels."""
    known = detail_facts(issue, rules.catalog, rules.flow, rules.names, more=more)
    facts = _readiness(issue, rules)
    for name, items in known:
        if name not in _SAID or (name == "Weight" and over_weight(issue)):
            facts.append((name, items))
        elif name == "Labels":
            facts.append((name, tuple(chips)))
    return facts


def _readiness(issue: Issue, rules: CardRules) -> list[NamedItems]:
    if not issue.is_open:
        return []
    weights = rules.catalog.server.has_weight
    codes = reasons_against(
        issue, issue.milestone or "", rules.allowed, rules.flow, rules.names, weights=weights
    )
    missing = [code for code in missing_codes(issue, rules.names) if code not in codes]
    # Reasons that the same keys help with are on one line.
    reasons: dict[str, list[str]] = {}
    for code in (*codes, *missing):
        words = words_of(code)
        helps = what_to_press([code], rules.keymap).removeprefix(f"{words}: ")
        reasons.setdefault(helps, []).append(words)
    lines: list[tuple[Item, ...]] = [] if codes else [(Fact("ready", "good"),)]
    lines += [(Fact(", ".join(why), "warn"), Fact(helps, minor=True)) for helps, why in reasons.items()]
    return [("" if row else "Readiness", items) for row, items in enumerate(lines)]


# Who has how much free


def people_free(
    people: Mapping[str, PersonCapacity],
    letters: Mapping[str, str],
    accept: str,
    *,
    short_name: Callable[[str], str],
    hidden: bool,
) -> tuple[PersonFree, ...]:
    """A line for each person with days, in the team's order, with the keys that accept for them.

    ``letters`` are usernames by letter, ``accept`` is the key before it; ``hidden`` leaves words only.
    """
    by_name = {username: letter for letter, username in letters.items()}
    found = []
    for username, one in people.items():
        words, tone = state_of(one)
        budget = one.budget.weight if one.budget is not None else 0
        taken = one.committed + one.likely
        found.append(
            PersonFree(
                key=f"{accept}{by_name[username]}" if username in by_name else "",
                name=short_name(username),
                words=Fact(words if hidden else free_words(one.free or 0), tone),
                taken=None if hidden else taken / budget if budget else float(taken > 0) * 2,
            )
        )
    return tuple(found)


# What a key decided


def decision_words(
    before: Issue, after: Issue | None, title: str, names: LabelSettings, short_name: Callable[[str], str]
) -> str:
    """``@birch accepts platform#11, weight 3``, ``platform#3 to 19.9``, else the title of the edit."""
    if after is None:
        return title
    for name in after.assignees:
        title = title.replace(f"accepted for {name}", f"accepted for @{short_name(name)}")
    if names.deliverable in after.labels - before.labels:
        weight = "" if after.weight is None else f", weight {after.weight}"
        if not after.assignees:
            return f"{short(after)} accepted{weight}"
        who = " and ".join(f"@{short_name(name)}" for name in after.assignees)
        return f"{who} {'accepts' if len(after.assignees) == 1 else 'accept'} {short(after)}{weight}"
    if after.is_open and after.milestone != before.milestone:
        return f"{short(after)} to {after.milestone}" if after.milestone else f"{short(after)}: no milestone"
    return title


# What left, and what is new


def resumed_words(walk: Walk, left: int, new: int, subject: str) -> str:
    """``Resumed at 7 of 23: 2 left bug, 1 is new.``"""
    parts = [f"{left} left {subject}"] if left else []
    if new:
        parts.append(f"{new} {'is' if new == 1 else 'are'} new")
    return f"Resumed at {walk.place} of {walk.total}" + (f": {', '.join(parts)}." if parts else ".")


def left_words(gone: Sequence[str], subject: str) -> str:
    """``platform#4 left bug``; ``3 cards left bug`` for several; "" for none."""
    if not gone:
        return ""
    return f"{gone[0] if len(gone) == 1 else counted(len(gone), 'card')} left {subject}"


class Remaining(Struct, frozen=True, kw_only=True):
    """A heading of the end, and the issues below it that were not decided."""

    heading: str
    issues: tuple[IssueId, ...]


def remaining(walk: Walk, found: Mapping[IssueId, Outcome]) -> tuple[Remaining, ...]:
    """What is left at the end: those put off, then those skipped."""
    skipped = tuple(issue for issue, one in found.items() if one == "skipped")
    parts = (
        Remaining(heading=f"Later · {len(walk.later)}", issues=walk.later),
        Remaining(heading=f"Skipped · {len(skipped)}", issues=skipped),
    )
    return tuple(part for part in parts if part.issues)
