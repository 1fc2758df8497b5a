"""Workflow states: one logical workflow, stored in GitLab as labels or as statuses.

Owns planning rules 2 and 16. Boards and rules use workflow states; only this module (by configuration)
and the gateway know how GitLab stores them.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from msgspec import Struct

from glboard_core.model.issue import Issue, Placeable

Backend = Literal["label", "status", "both"]


class WorkflowState(Struct, frozen=True):
    """One step of the workflow.

    ``name`` is the label without its prefix and the key in every board and rule; ``letter`` selects it on
    the keyboard; ``order`` grows towards completion; ``shown_as`` names the state that absorbed this one.
    """

    name: str
    status: str
    letter: str
    order: int
    shown_as: str | None = None


STATES: tuple[WorkflowState, ...] = (
    WorkflowState("validation backlog", "Validation backlog", "k", 10),
    WorkflowState("problem validation", "Problem validation", "p", 20),
    WorkflowState("ready for design", "Ready for design", "f", 30),
    WorkflowState("design", "Design", "g", 40),
    WorkflowState("solution validation", "Solution validation", "s", 50),
    WorkflowState("planning breakdown", "Planning breakdown", "b", 60),
    WorkflowState("scheduling", "Planning breakdown", "h", 61, shown_as="planning breakdown"),
    WorkflowState("refinement", "Refinement", "e", 62),
    WorkflowState("ready for development", "Ready for development", "r", 70),
    WorkflowState("in dev", "In dev", "d", 80),
    WorkflowState("blocked", "Blocked", "x", 85),
    WorkflowState("in review", "In review", "v", 90),
    WorkflowState("verification", "Verification", "y", 100),
    WorkflowState("awaiting security release", "Awaiting security release", "a", 110),
    WorkflowState("complete", "Complete", "z", 120),
)
"""All states in the order of planning rule 16; blocked is parallel to development."""

BY_NAME = {state.name: state for state in STATES}

#: The states that ``S`` (advance) steps through; ``s`` and a letter can still skip states.
ADVANCE = (
    "validation backlog",
    "problem validation",
    "ready for design",
    "design",
    "solution validation",
    "planning breakdown",
    "ready for development",
    "in dev",
    "in review",
    "verification",
    "complete",
)


class WorkflowScheme(Struct, frozen=True, kw_only=True):
    """How workflow states are stored: the label prefix, and which backend decides.

    ``titles`` are the labels of states that have another label than prefix and name, by the state's name;
    ``statuses`` the statuses of states that have another one than their own, by the state's name too.
    """

    prefix: str = "workflow::"
    backend: Backend = "label"
    titles: tuple[tuple[str, str], ...] = ()
    statuses: tuple[tuple[str, str], ...] = ()

    def status(self, state: WorkflowState) -> str:
        """The status for ``state``."""
        return next((title for name, title in self.statuses if name == state.name), state.status)

    def label(self, state: WorkflowState) -> str:
        """The scoped label for ``state``."""
        return next((title for name, title in self.titles if name == state.name), self.prefix + state.name)

    def _state(self, label: str) -> WorkflowState | None:
        for name, title in self.titles:
            if title == label:
                return BY_NAME.get(name)
        return BY_NAME.get(label[len(self.prefix) :]) if label.startswith(self.prefix) else None

    def labelled(self, issue: Placeable) -> tuple[WorkflowState, ...]:
        """All states named by labels, the one farthest from completion first (several only by mistake)."""
        found = [state for label in issue.labels if (state := self._state(label)) is not None]
        return tuple(sorted(found, key=lambda state: state.order))

    def by_label(self, issue: Placeable) -> WorkflowState | None:
        """The state named by labels; of several, the one farthest from completion (rules 4 and 16)."""
        return next(iter(self.labelled(issue)), None)

    def by_status(self, issue: Placeable) -> WorkflowState | None:
        """The state named by the work item status, ignoring case."""
        if issue.status is None:
            return None
        wanted = issue.status.casefold()
        return next((s for s in STATES if self.status(s).casefold() == wanted and s.shown_as is None), None)

    def of(self, issue: Placeable) -> WorkflowState | None:
        """flow(i) of rule 2. With backend "both" the label decides; a difference is a ``conflict``."""
        return self.by_status(issue) if self.backend == "status" else self.by_label(issue)

    def workflow_labels(self, issue: Issue) -> frozenset[str]:
        """All labels with the workflow prefix, known or not: what a change of state removes."""
        others = {title for _, title in self.titles}
        return frozenset(label for label in issue.labels if label.startswith(self.prefix) or label in others)

    def conflict(self, issue: Issue) -> bool:
        """Whether label and status name different states (only if both are used, rule 2)."""
        if self.backend != "both":
            return False
        label, status = self.by_label(issue), self.by_status(issue)
        shown = label and (label.shown_as or label.name)
        return bool(label and status and shown != status.name)


def near(name: str, states: Iterable[WorkflowState] = STATES) -> WorkflowState | None:
    """The state a person means by ``name``: its name, its label or its status, in any case."""
    wanted = name.casefold().rpartition("::")[2].strip()
    return next((s for s in states if wanted in (s.name.casefold(), s.status.casefold())), None)
