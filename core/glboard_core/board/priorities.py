"""Priorities: scoped labels of one prefix, or the labels that the configuration lists. Pure.

Owns which labels of an issue say its priority, and which of two is more urgent. A list in the configuration
replaces the scope: its labels need not exclude one another in GitLab, so whoever sets one removes the others.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import inf

from glboard_core.config import LabelSettings


def priority_label(name: str, names: LabelSettings) -> str:
    """The label that a name in the configuration means: a title, or what follows the prefix."""
    if names.priorities or name.startswith(names.priority_prefix):
        return name
    return names.priority_prefix + name


def priority_word(label: str, names: LabelSettings) -> str:
    """A priority in a word: without the prefix, and without the scope."""
    return label.removeprefix(names.priority_prefix).rpartition("::")[2] or label


def known_priorities(titles: Iterable[str], names: LabelSettings) -> tuple[str, ...]:
    """All priorities, the most urgent first; ``titles`` are the labels there are."""
    if names.priorities:
        return names.priorities
    prefix = names.priority_prefix
    return tuple(sorted({t for t in titles if prefix and t.startswith(prefix)}, key=lambda t: rank(t, names)))


def priorities_of(labels: Iterable[str], names: LabelSettings) -> tuple[str, ...]:
    """The labels of an issue that say its priority, the most urgent first."""
    return known_priorities(labels, names) if not names.priorities else _listed(labels, names)


def _listed(labels: Iterable[str], names: LabelSettings) -> tuple[str, ...]:
    present = frozenset(labels)
    return tuple(label for label in names.priorities if label in present)


def rank(label: str, names: LabelSettings) -> tuple[float, str]:
    """What sorts priorities: the place in the list, or the number after the prefix; then the name."""
    if names.priorities:
        return (names.priorities.index(label) if label in names.priorities else inf, label)
    value = label.removeprefix(names.priority_prefix)
    return (int(value) if value.isdecimal() else inf, value)
