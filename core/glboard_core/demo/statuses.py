"""Work item statuses (Premium): the names beside `workflow::` labels. Nothing syncs the two."""

from __future__ import annotations

from dataclasses import dataclass

_ROWS = (
    ("Validation backlog", "TRIAGE"), ("Problem validation", "TRIAGE"), ("Ready for design", "TO_DO"),
    ("Design", "IN_PROGRESS"), ("Solution validation", "IN_PROGRESS"), ("Planning breakdown", "TO_DO"),
    ("Refinement", "TO_DO"), ("Ready for development", "TO_DO"), ("In dev", "IN_PROGRESS"),
    ("In review", "IN_PROGRESS"), ("Blocked", "IN_PROGRESS"), ("Verification", "IN_PROGRESS"),
    ("Awaiting security release", "IN_PROGRESS"), ("Complete", "DONE"), ("Duplicate", "CANCELED"),
    ("Won't do", "CANCELED"),
)  # fmt: skip
_COLORS = {
    "TRIAGE": "#995715",
    "TO_DO": "#737278",
    "IN_PROGRESS": "#1f75cb",
    "DONE": "#108548",
    "CANCELED": "#DD2B0E",
}
_ICONS = {
    "TRIAGE": "status-neutral", "TO_DO": "status-waiting", "IN_PROGRESS": "status-running",
    "DONE": "status-success", "CANCELED": "status-cancelled",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Status:
    """A status of the root group."""

    id: int
    name: str
    category: str
    position: int

    @property
    def color(self) -> str:
        """The colour of its category."""
        return _COLORS[self.category]

    @property
    def icon(self) -> str:
        """The icon of its category."""
        return _ICONS[self.category]

    @property
    def closes(self) -> bool:
        """Whether an item in it is closed."""
        return self.category in ("DONE", "CANCELED")


def default_statuses() -> dict[str, Status]:
    """The statuses of the planning process, by name."""
    return {name: Status(at + 1, name, category, at) for at, (name, category) in enumerate(_ROWS)}
