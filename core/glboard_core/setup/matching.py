"""Which of a group's titles mean the same as a name of ours: by the name, by a synonym, or nearly.

Owns the words that teams use for states, types and planning labels. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from typing import Literal

from msgspec import Struct

Sure = Literal["sure", "likely", "missing"]

#: What else a workflow state is called.
STATE_WORDS: Mapping[str, tuple[str, ...]] = {
    "validation backlog": ("triage", "inbox", "new", "open", "to triage"),
    "problem validation": ("discovery", "analysis", "idea", "ideas", "investigation"),
    "ready for design": ("to design",),
    "design": ("in design", "designing", "ux"),
    "solution validation": ("specification", "spec", "solution"),
    "planning breakdown": ("breakdown", "break down", "planning", "estimation"),
    "scheduling": ("scheduled",),
    "refinement": ("refining", "needs refinement", "grooming", "in refinement", "to refine"),
    "ready for development": (
        "ready", "to do", "todo", "ready for dev", "ready to start", "selected", "up next", "planned",
        "ready to develop",
    ),
    "in dev": (
        "in development", "doing", "in progress", "development", "dev", "wip", "working", "started",
        "implementation",
    ),
    "blocked": ("on hold", "waiting", "stuck", "impediment"),
    "in review": ("review", "code review", "reviewing", "needs review", "ready for review"),
    "verification": (
        "testing", "in test", "test", "qa", "verify", "validation", "staging", "to verify", "in testing",
    ),
    "awaiting security release": ("security release",),
    "complete": ("done", "completed", "finished", "deployed", "released", "closed"),
}  # fmt: skip

#: The types of work, in the order of the Planning board, and what else they are called.
TYPE_WORDS: Mapping[str, tuple[str, ...]] = {
    "bug": ("bugs", "defect", "error", "fix", "incident"),
    "maintenance": (
        "chore", "tech debt", "technical debt", "refactoring", "refactor", "task", "upkeep", "tooling",
        "debt", "dependencies",
    ),
    "feature": ("enhancement", "story", "user story", "improvement", "new feature", "feature request"),
}  # fmt: skip

#: What else single labels are called, by their key.
LABEL_WORDS: Mapping[str, tuple[str, ...]] = {
    "deliverable": ("deliverable", "committed", "commitment", "accepted", "planned", "in plan"),
    "spike": ("spike", "research", "investigation", "timebox"),
    "ignore": ("ignore", "ignored", "not counted", "meta"),
    "missed_deliverable": ("missed-deliverable", "missed", "slipped", "carry over", "carried over"),
    "planning_issue": ("planning issue", "planning", "milestone planning"),
    "wont_do": (
        "won't do",
        "wont do",
        "won't fix",
        "wontfix",
        "rejected",
        "invalid",
        "declined",
        "cancelled",
    ),
    "duplicate": ("duplicate", "duplicated"),
}

#: The starts of titles that scope labels, by what they scope, the likeliest first.
SCOPES: Mapping[str, tuple[str, ...]] = {
    "group": ("group::", "team::", "squad::", "group:", "team:", "squad:"),
    "workflow": (
        "workflow::", "status::", "state::", "stage::", "flow::", "progress::", "workflow:", "status:",
        "state:", "stage:",
    ),
    "type": ("type::", "kind::", "category::", "issue::", "type:", "kind:"),
    "priority": ("priority::", "prio::", "p::", "priority:", "prio:"),
    "severity": ("severity::", "sev::", "s::", "severity:", "impact::"),
}  # fmt: skip


class TitleMatch(Struct, frozen=True, kw_only=True):
    """The title that means a name; "" with ``sure`` "missing". ``near`` are others that could."""

    title: str = ""
    sure: Sure = "missing"
    near: tuple[str, ...] = ()


def plain(text: str) -> str:
    """A title without case, scope, and signs: ``Workflow::In-dev`` is ``in dev``."""
    bare = re.split(r"::|:\s?|/", text)[-1]
    return " ".join(re.sub(r"[^\w' ]+|_", " ", bare.casefold().replace("’", "'")).split())


def best(names: Sequence[str], words: Sequence[str], titles: Iterable[str]) -> TitleMatch:
    """The title that is one of ``names``, or means one of them or of ``words``, the first of these first."""
    known = list(titles)
    exact = next((name for name in names if name in known), "")
    by_word: dict[str, str] = {}
    for title in known:
        by_word.setdefault(plain(title), title)
    wanted = [*map(plain, names), *words]
    found = exact or next((by_word[word] for word in wanted if word in by_word), "")
    near = tuple(title for title in near_titles([*names, *words], known) if title != found)
    if not found:
        return TitleMatch(near=near)
    return TitleMatch(title=found, sure="sure" if found in names else "likely", near=near)


def near_titles(names: Iterable[str], titles: Iterable[str], most: int = 4) -> list[str]:
    """Titles that are nearly one of the names, best first."""
    known: dict[str, str] = {}
    for title in titles:
        known.setdefault(plain(title), title)
    found: dict[str, None] = {}
    for name in names:
        for word in get_close_matches(plain(name), known, 2, 0.72):
            found.setdefault(known[word])
    return list(found)[:most]


def in_scope(title: str, scope: str) -> bool:
    """Whether a title has that start, in any case; ``priority:`` is not that of ``priority::1``."""
    start, rest = title[: len(scope)].casefold(), title[len(scope) :]
    return start == scope.casefold() and bool(rest) and not rest.startswith(":")


def scopes_of(kind: str, titles: Iterable[str]) -> list[str]:
    """The scopes that any title has, as they are written there, the likeliest first."""
    known = list(titles)
    found = (title[: len(scope)] for scope in SCOPES[kind] for title in known if in_scope(title, scope))
    return list(dict.fromkeys(found))


def scope_of(kind: str, titles: Iterable[str], words: Mapping[str, Sequence[str]]) -> str:
    """The scope under which most of ``words`` are found; "" if none has any. The likeliest wins a draw."""
    known = list(titles)
    scored = []
    for at, scope in enumerate(scopes_of(kind, known)):
        below = {plain(title) for title in known if title.startswith(scope)}
        hits = sum(not below.isdisjoint((name, *more)) for name, more in words.items())
        if hits:
            scored.append((-hits, at, scope))
    return min(scored)[2] if scored else ""
