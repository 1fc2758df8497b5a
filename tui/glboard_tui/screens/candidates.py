"""Candidates: a milestone's issues in suggested order, accepted line by line (planning rules 4 and 12).

Owns the line where the capacity is reached, and the proposal that fills it. Nothing is written until a line,
or the proposal as a whole, is accepted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import partial

from msgspec import structs

from glboard_core.board.batch import short
from glboard_core.errors import READ_ONLY, GlboardError
from glboard_core.model.issue import Issue, IssueId
from glboard_core.model.milestone import Milestone
from glboard_core.planning.candidates import Candidate, Order, capacity_ends, fill, running, takers
from glboard_core.planning.readiness import over_weight
from glboard_core.planning.reasons import words_of
from glboard_core.planning.text import number
from glboard_tui.commands.context import CommandContext
from glboard_tui.screens.issue_list import Entry, Hint, MilestoneList, weight_words
from glboard_tui.texts import acceptable_words, what_to_press
from glboard_tui.widgets.colors import Ink
from glboard_tui.widgets.table import Col, Head

_ORDERS: dict[Order, str] = {
    "suggested": "suggested order",
    "priority": "by priority",
    "weight": "by weight",
}
_HINTS: tuple[Hint, ...] = (
    "candidates.accept",
    ("accept.with", "assign to"),
    "accept.remove",
    "candidates.fill",
    "candidates.order",
    "weight.ready",
    "milestone.defer",
    "description.toggle",
)
_PROPOSING: tuple[Hint, ...] = (
    ("candidates.accept", "accept this line"),
    ("accept.with", "assign to"),
    "candidates.leave-out",
    ("candidates.fill", "accept all proposed"),
    "candidates.stop",
)


class Candidates(MilestoneList):
    """The candidates of one milestone."""

    scope = "candidates"
    empty = "No open issues in this milestone."
    cols = (
        Col(title="slipped", right=True),
        Col(title="#", right=True),
        Col(title="pr"),
        Col(title="sev"),
        Col(title="w", right=True),
        Col(title="sum", right=True),
        Col(title="issue", reference=True, least=12, drop=1),
        Col(title="title", least=24),
        Col(title="for", least=6),
        Col(title="state", least=20),
    )

    def __init__(self, context: CommandContext, milestone: Milestone) -> None:
        super().__init__(context, milestone)
        self._order: Order = "suggested"
        self._found: list[Candidate] = []
        self._ends: int | None = None
        self._whole: float | None = None
        #: Whether a proposal is shown, the issues in it, and those left out of it.
        self._proposing = False
        self._proposed: set[IssueId] = set()
        self._out: set[IssueId] = set()
        #: Who would take the unassigned ones, and whom the user chose instead.
        self._takers: dict[IssueId, str] = {}
        self._wished: dict[IssueId, str] = {}

    @property
    def hints(self) -> Sequence[Hint]:  # type: ignore[override]
        """The hints; a proposal has its own."""
        return _PROPOSING if self._proposing else _HINTS

    @property
    def _space(self) -> float | None:
        """The capacity left after likely carry-over; None without a team."""
        found = self.planning.capacity(self.milestone) if self.planning.team is not None else None
        return found.space() if found is not None else None

    # The lines

    def fill(self) -> Sequence[Entry]:
        """One line per candidate; the weight sum covers what is or can be accepted."""
        self._found = self.planning.candidates(self.milestone, self._order)
        capacity = self.planning.capacity(self.milestone) if self.planning.team is not None else None
        # The running weight includes accepted issues, so the limit is the capacity before accepting.
        self._whole = capacity.space() + capacity.accepted if capacity is not None else None
        sums = running(self._found)
        self._ends = None if self._whole is None else capacity_ends(sums, self._whole)
        self._propose()
        return [
            self._entry(one, weight, ends=row == self._ends)
            for row, (one, weight) in enumerate(zip(self._found, sums, strict=True))
        ]

    def _propose(self) -> None:
        space = self._space
        if not self._proposing or space is None:
            self._proposed, self._takers = set(), {}
            return
        offered = [one for one in self._found if one.issue.id not in self._out]
        self._proposed = {line.candidate.issue.id for line in fill(offered, space) if line.chosen}
        self._proposing = bool(self._proposed)
        capacity = self.planning.capacity(self.milestone)
        # What was chosen by hand is taken off before the rest is distributed.
        by_hand = {issue: who for issue, who in self._wished.items() if issue in self._proposed}
        people = capacity.people if capacity is not None else ()
        weights = {one.issue.id: one.issue.weight or 0 for one in self._found}
        taken = Counter[str]()
        for issue, who in by_hand.items():
            taken[who] += weights[issue]
        people = tuple(structs.replace(p, committed=p.committed + taken[p.username]) for p in people)
        rest = [issue for issue in self._chosen() if issue.id not in by_hand]
        self._takers = takers(rest, people) | by_hand

    def _entry(self, one: Candidate, weight: int | None, *, ends: bool) -> Entry:
        issue = one.issue
        title = self.context.bridge.title_of(issue)
        over = weight is not None and self._whole is not None and weight > self._whole
        state, ink = self._state(one)
        heavy: Ink = "warn" if issue.weight is None or over_weight(issue) else "strong"
        return Entry(
            issue,
            (
                (f"{one.slipped}" if one.slipped else "", "warn"),
                (f"{one.rank}", "muted"),
                (f"P{one.priority}" if one.priority else "", "muted"),
                (f"S{one.severity}" if one.severity else "", "bad" if one.severe else "muted"),
                (weight_words(issue.weight), heavy),
                ("" if weight is None else f"!{weight}" if over else f"{weight}", "bad" if over else "muted"),
                (short(issue), "strong"),
                (title, "muted" if one.reasons and not one.accepted else "text"),
                self._for(issue),
                (state, ink),
            ),
            partial(self._said_of, one, title),
            (Head(f"capacity {self._figure(max(self._whole or 0, 0))}reached", "warn", rule=True),)
            if ends
            else (),
        )

    def _for(self, issue: Issue) -> tuple[str, Ink]:
        """Who has it, or would get it: a proposed person has an arrow."""
        short = self.context.bridge.people_words.short
        if (who := self._takers.get(issue.id)) is not None:
            return f"→ {short(who)}", "accent"
        return " ".join(map(short, issue.assignees)), "muted"

    def _state(self, one: Candidate) -> tuple[str, Ink]:
        if one.accepted:
            return "accepted", "good"
        if one.issue.id in self._proposed:
            return "proposed", "accent"
        if one.reasons:
            return ", ".join(map(words_of, one.reasons)), "muted"
        return ("ready, weight over 3" if over_weight(one.issue) else "ready"), "text"

    def _said_of(self, one: Candidate, title: str) -> str:
        keymap = self.context.keymap
        codes = [*one.reasons, *(["over-weight"] if over_weight(one.issue) else [])]
        helps = what_to_press(codes, keymap)
        severe = f"A severity {one.severity} bug. " if one.severe else ""
        if one.accepted:
            does = f"Accepted for {', '.join(one.issue.assignees) or 'no one'}."
        elif (who := self._takers.get(one.issue.id)) is not None:
            does = f"Proposed for {who}; {keymap.key('accept.with')} proposes someone else."
        elif one.reasons:
            does = "Accepting asks for confirmation."
        elif one.issue.assignees:
            does = f"Enter accepts it for {', '.join(one.issue.assignees)}."
        else:
            does = "Unassigned. Press d and a letter to accept and assign."
        return f"{title}\n{severe}{does}" + (f"\n{helps}" if helps else "")

    def after(self) -> Sequence[Head]:
        space = self._space
        if self._ends is not None or space is None or not self._found or self._whole is None:
            return ()
        weights = [weight for weight in running(self._found) if weight is not None]
        left = self._whole - (weights[-1] if weights else 0)
        more = "" if self._is_shared else f", {number(left)} left"
        return (Head(f"everything fits{more}", "good", rule=True),)

    def heading_of(self, place: int, count: int) -> str:
        """Milestone, how many are accepted, the free capacity, the order, and the cursor's line."""
        accepted = sum(one.accepted for one in self._found)
        space = self._space
        free = f" · {acceptable_words(space)}" if space is not None and not self._is_shared else ""
        at = f" · line {place}" if count else ""
        return (
            f"Candidates {self.milestone.title}: {accepted} of {self.total} accepted{free} · "
            f"{_ORDERS[self._order]}{at}"
        )

    def refill(self) -> None:
        """Refill; once a proposed line is decided the cursor moves to the next one."""
        was = self.listed.here in self._proposed
        super().refill()
        if was and self.listed.here not in self._proposed:
            self._to_next()

    def _to_next(self) -> None:
        ids = self.listed.ids
        order = [*ids[self.listed.cursor :], *ids]
        found = next((issue for issue in order if issue in self._proposed), None)
        if found is not None:
            self.listed.find(found)
            self.painted_anew()

    # Keys

    @property
    def modes(self) -> frozenset[str]:
        return super().modes | ({"proposing"} if self._proposing else frozenset())

    def action_accept(self) -> None:
        if not self.context.bridge.writable:
            self.tell(READ_ONLY)
        elif self.listed.here is not None:
            here = self.chosen()
            if here is not None and here.id in self._takers:
                self._accept([here])
            else:
                self.context.run("accept.keep")

    def _accept(self, issues: Sequence[Issue]) -> None:
        """Accept these, each for its proposed taker if it has one."""
        takers = dict(self._takers)
        self.context.do(lambda edits, on: edits.accept_each(on, takers), on=issues, again=False)

    def propose_for(self, username: str) -> bool:
        here = self.listed.here
        if here is None or here not in self._proposed or self.listed.selection:
            return False
        self._wished[here] = username
        self.refill()
        return True

    def action_order(self) -> None:
        orders = list(_ORDERS)
        self._order = orders[(orders.index(self._order) + 1) % len(orders)]
        self.refill()

    def action_leave_out(self) -> None:
        here = self.listed.here
        if here is not None and here in self._proposed:
            self._out.add(here)
            self.refill()

    def action_stop(self) -> None:
        self._proposing = False
        self.refill()
        self.tell("Proposal discarded; nothing changed.")

    def action_fill(self) -> None:
        """Propose issues that fill the capacity, or ask to accept all that are proposed."""
        space = self._space
        if space is None:
            key = self.context.keymap.key("pane.capacity")
            self.tell(f"Capacity needs team.toml; {key} shows how to create it.")
        elif not self.context.bridge.writable:
            self.tell(READ_ONLY)
        elif self._proposing:
            self._ask_all()
        else:
            self._proposing, self._out, self._wished = True, set(), {}
            self.refill()
            if not self._proposing:
                self.tell(f"Nothing to propose: no ready issue fits in {self._figure(space) or 'it'}.")
                return
            self._to_next()
            of = "" if self._is_shared else f" of {number(space)}"
            self.tell(f"{self._sum_of(self._chosen())}{of} proposed; nothing changed yet.")

    @property
    def _is_shared(self) -> bool:
        return self.context.bridge.share.is_on

    def _figure(self, value: float) -> str:
        """A figure of the team's capacity, and a space; "" if others watch."""
        return "" if self._is_shared else f"{number(value)} "

    def _chosen(self) -> list[Issue]:
        return [one.issue for one in self._found if one.issue.id in self._proposed]

    @staticmethod
    def _sum_of(issues: Sequence[Issue]) -> str:
        return f"{len(issues)} issues, weight {sum(issue.weight or 0 for issue in issues)}"

    def _ask_all(self) -> None:
        chosen = self._chosen()
        bridge = self.context.bridge
        whose = {i.id: self._takers.get(i.id) or " ".join(bridge.view_of(i).assignees) for i in chosen}
        lines = [f"{bridge.reference_of(i)}  {i.weight}  {whose[i.id]}" for i in chosen[:3]]
        if len(chosen) > 3:
            lines[2:] = [f"… and {len(chosen) - 2} more"]
        answers = {"y": f"{self._sum_of(chosen)}: as proposed", "n": "change nothing"}
        if not self.context.bridge.drafts.is_on:
            answers["d"] = "save as a draft; nothing is sent"
        self.context.ask(
            "Accept the proposal?"
            + ("" if self._is_shared else f" So far {acceptable_words(self._space or 0)}."),
            answers,
            lambda answer: self._answered(answer, chosen),
            note="\n".join(lines),
        )

    def _answered(self, answer: str, chosen: Sequence[Issue]) -> None:
        drafts = self.context.bridge.drafts
        if answer == "d":
            try:
                drafts.begin(drafts.unused(f"fill {self.milestone.title}"))
            except GlboardError as error:
                self.context.tell(error)
                return
            self.context.shell.sync()
        if answer in ("y", "d"):
            self._accept(chosen)
