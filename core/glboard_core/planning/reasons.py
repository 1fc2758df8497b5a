"""The words of reason codes: why an issue needs fixing, is not eligible, or needs a confirmation. Pure.

One table for cards, lists, questions and the command line. The codes are those of ``board/rules.py``,
``readiness.py``, ``triage.py`` and ``confirmations.py``.
"""

from __future__ import annotations

from collections.abc import Iterable

from glboard_core.config import Settings
from glboard_core.model.catalog import Catalog, Server

_WORDS = {
    "missing-type": "no type",
    "several-types": "several types",
    "missing-subtype": "no subtype",
    "missing-milestone": "no milestone",
    "missing-label:devops": "no devops label",
    "missing-label:section": "no section label",
    "missing-label:category": "no category",
    "bug-without-severity": "bug without severity",
    "bug-without-priority": "bug without priority",
    "deliverable-without-milestone": "Deliverable without a milestone",
    "deliverable-beyond-next": "Deliverable beyond the next milestone",
    "deliverable-in-bucket": "Deliverable in a milestone without dates",
    "deliverable-not-ready": "Deliverable, not ready",
    "expired-milestone": "its milestone has ended",
    "ready-without-weight": "ready without a weight",
    "ready-without-type": "ready without exactly one type",
    "over-weight": "weight over 3: break it down",
    "label-status-conflict": "label and status differ",
    "several-states": "several workflow labels",
    "several-of-scope": "several labels of one scope",
    "not-ready": "not ready",
    "no-weight": "no weight",
    "other-milestone": "neither current nor next milestone",
    "in-dev-without-assignee": "in dev without an assignee",
    "complete-with-merge-requests": "complete while merge requests are open",
    "merge-requests-unknown": "complete, merge request states unknown",
    "unblocked-without-comment": "unblocked without a comment",
}
#: Where they are too long for a card.
_ON_CARDS = {
    "ready-without-weight": "ready, no weight",
    "over-weight": "break down",
    "label-status-conflict": "label ≠ status",
    "several-states": "several states",
    "several-of-scope": "labels exclude each other",
}


def tier_notes(server: Server) -> list[str]:
    """What this server's edition or licence lacks, or the token may not do; empty if all is there."""
    notes = []
    if not server.enterprise:
        notes.append("GitLab Community Edition: no weights or blocked issues.")
    elif not server.has_weight:
        notes.append("GitLab without a Premium license: no weights, statuses or blocked issues.")
    if server.fine_grained:
        notes.append("Fine-grained tokens cannot read statuses, so statuses are not shown.")
    return notes


def words_of(code: str) -> str:
    """A code in words."""
    return _WORDS.get(code, code)


def card_words(codes: Iterable[str]) -> tuple[str, ...]:
    """Codes as a card shows them."""
    return tuple(_ON_CARDS.get(code, words_of(code)) for code in codes)


def team_label_notes(settings: Settings, catalog: Catalog) -> list[str]:
    """What to know if the label that all issues must have does not exist: then every board is empty."""
    title = settings.labels.group
    if not title or any(one.title == title for one in catalog.labels):
        return []
    remedy = 'Set group under [labels], "" for all issues, or run: glboard config init --group GROUP'
    return [f"the team's label “{title}” does not exist in {catalog.group}: all boards are empty. {remedy}"]
