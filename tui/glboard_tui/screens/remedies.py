"""What is wrong with an issue, in words, and which keys fix it: for the lists. Pure.

Owns the texts of the reason codes (DOMAIN.md 7.4, 7.9) and the actions that help. Keys come from the keymap,
so that rebound keys are shown.
"""

from __future__ import annotations

from collections.abc import Sequence

from glboard_tui.actions import BY_ID
from glboard_tui.keymap import Keymap

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
