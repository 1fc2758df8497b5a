"""The room pane: a bar per person and for the team, what is asked of each, what is left (7.10)."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from glboard_core.model.milestone import Milestone
from glboard_core.planning.capacity import Capacity
from glboard_tui.plan import Plan
from glboard_tui.screens.dialog import Dialog
from glboard_tui.screens.plan_words import TEAM_EXAMPLE, number, plan_words, signed, state_of
from glboard_tui.widgets.card import Tone
from glboard_tui.widgets.text import clean, fit, fit_right

_BAR = 16
_INKS: dict[Tone, str] = {"plain": "", "good": "$text-success", "warn": "$text-warning", "bad": "$text-error"}


class Room(Dialog[None]):
    """Dismissed by ``Esc``. It moves with every change."""

    DEFAULT_CSS = """
    Room .figures { height: auto; margin: 1 0; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q", "cancel", show=False),
        Binding("r", "reload", show=False),
    ]

    def __init__(self, plan: Plan, milestone: Milestone) -> None:
        super().__init__(f"Room in {milestone.title}", hint="r reads team.toml again · Esc closes")
        self._plan = plan
        self._milestone = milestone
        self._figures = Static(classes="figures")
        self._unwatch: Callable[[], None] = lambda: None

    def inside(self) -> list[Widget]:
        """The figures."""
        return [self._figures]

    def on_mount(self) -> None:
        """Follow what changes."""
        self._unwatch = self._plan.watch(self._changed)
        self._show()
        super().on_mount()

    def _changed(self) -> None:
        self.call_later(self._show)

    def on_unmount(self) -> None:
        """Stop following."""
        self._unwatch()

    def action_reload(self) -> None:
        """The team's file was changed."""
        self._plan.reload()
        self._show()

    def _show(self) -> None:
        found = self._plan.capacity(self._milestone)
        if self._plan.trouble is not None:
            words = _trouble(str(self._plan.trouble), self._plan.trouble.hint)
        elif self._plan.team is None:
            words = _no_team(str(self._plan.team_file) if self._plan.team_file else "")
        elif found is None:
            words = Content("This milestone has no dates.")
        else:
            words = figures(found)
        self._figures.update(words)


def _trouble(message: str, hint: str) -> Content:
    text = clean(message)
    return Content.assemble(
        ("team.toml cannot be used.\n\n", "bold $text-error"),
        text,
        f"\n{clean(hint)}" if hint and clean(hint) not in text else "",
    )


def _no_team(path: str) -> Content:
    where = f"Write {clean(path)}:" if path else "Start with --config FILE and write team.toml beside it:"
    return Content.assemble(
        ("Without the team's days there is no capacity.\n", "bold"), f"{where}\n\n", (TEAM_EXAMPLE, "$accent")
    )


def figures(found: Capacity) -> Content:
    """A table with a bar each, the team's line, and the sums beside it."""
    name = max([12, *(len(person.username) for person in found.people)])
    head = f"{'':{name}}  {'days':>5} {'budget':>7} {'carry':>6} {'plan':>5} {'room':>8}"
    lines: list[Content] = [Content.styled(head, "bold")]
    for person in found.people:
        budget = person.budget
        words, tone = state_of(person)
        cells = (
            f"{fit(clean(person.username), name)}  "
            f"{fit_right(number(budget.net_days) if budget else '', 5)} "
            f"{fit_right(number(budget.weight) if budget else '', 7)} "
            f"{person.carry_over:>6} {person.committed:>5} "
        )
        if budget is None:
            lines.append(Content.assemble(cells, (f"{'':8}  not in team.toml", "dim")))
            continue
        lines.append(
            Content.assemble(
                cells,
                (fit_right(signed(person.room or 0), 8), _INKS[tone]),
                "  ",
                bar(person.carry_over, person.committed, budget.weight),
                (f" {words}", _INKS[tone]),
            )
        )
    tone = "bad" if found.room_likely < 0 else "warn" if found.room < 0 else "good"
    over = " !over" if found.room_likely < 0 else " !over with all carry-over" if found.room < 0 else ""
    lines.append(
        Content.assemble(
            (f"{'team':{name}}  {'':5} {number(found.total):>7} ", "bold"),
            f"{found.carry_over.weight:>6} {found.planned:>5} ",
            (fit_right(signed(found.room), 8), _INKS[tone]),
            "  ",
            bar(found.carry_over.weight, found.planned, found.total),
            (over, _INKS[tone]),
        )
    )
    carried = found.carry_over
    before = f" of {clean(carried.milestone)}" if carried.milestone else ""
    says = [
        (
            f"{plan_words(found.planned, found.unweighted)}, {found.accepted} accepted, "
            f"{found.unassigned} assigned to nobody · {found.workdays} workdays"
        ),
        f"carry-over{before}: {number(carried.likely)} likely, {carried.weight} all"
        + (f" + {carried.unweighted} unweighted" if carried.unweighted else ""),
        f"room {signed(found.room_likely)} with the likely carry-over, {signed(found.room)} with all",
    ]
    roles = {role: weight for role, weight in found.by_role().items() if role}
    if roles:
        says.append("budget by role: " + ", ".join(f"{clean(r)} {number(w)}" for r, w in roles.items()))
    says.append("bars: █ carry-over, ▓ planned, ░ room, ! over")
    return Content("\n").join([*lines, Content(""), *map(Content, says)])


def bar(carried: float, planned: float, budget: float) -> Content:
    """What is taken of a budget, in cells; what goes beyond it ends in a sign."""
    if budget <= 0:
        taken = "!" if carried + planned > 0 else ""
        return Content.styled(fit(taken, _BAR + 1), "$text-error")
    first = min(_BAR, round(carried / budget * _BAR))
    second = min(_BAR - first, round(planned / budget * _BAR))
    over = carried + planned > budget
    return Content.assemble(
        ("█" * first, "$text-warning"),
        "▓" * second,
        ("░" * (_BAR - first - second), "dim"),
        ("!" if over else " ", "bold $text-error"),
    )
