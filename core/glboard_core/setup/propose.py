"""Proposes a configuration from what a group has. Pure: the same findings and choices give the same lines.

Owns the order of the lines, milestones and boards. What a person chose goes before what is proposed, and the
rest follows from it: with another scope, the states are sought there.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date

from msgspec import structs

from glboard_core.config import DEFAULT_MILESTONES, VERSION
from glboard_core.setup import matching
from glboard_core.setup.flow import FlowLines
from glboard_core.setup.found import FoundGroup
from glboard_core.setup.labels import LabelLines
from glboard_core.setup.lines import LineMaker
from glboard_core.setup.matching import Sure, TitleMatch
from glboard_core.setup.offered import OfferedBoard, offered_boards
from glboard_core.setup.proposal import BoardLine, Chosen, Proposal, SettingLine
from glboard_core.setup.versions import TitleShape, fitting, shapes

_BUCKETS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "next-1-3": ("Next 1-3", (r"next\W*1\W*(-|to)?\W*3", r"^(up )?next\b(?!.*4)", r"^soon\b")),
    "next-4-6": ("Next 4-6", (r"next\W*4\W*(-|to)?\W*6", r"^later\b", r"^future\b", r"^next quarter")),
    "backlog": ("Backlog", (r"^%?\W*backlog$", r"\bbacklog\b", r"^icebox", r"^some ?day", r"^parking")),
    "awaiting": ("Awaiting", (r"^await", r"^waiting", r"\bfeedback\b", r"\bdemand\b", r"^on hold")),
}
_DATES = "Set start and due dates for milestones of the group itself in GitLab."
_LATER = "Create the next one in GitLab, with start and due dates."
#: What it means that a bucket does not exist.
_BUCKET_DOES = {
    "next-1-3": "Its board stays empty until the milestone exists.",
    "next-4-6": "Its board stays empty until the milestone exists.",
    "backlog": "Its board shows the issues without a milestone instead.",
    "awaiting": "The Milestones board has no such column until the milestone exists.",
}


def propose(found: FoundGroup, today: date, *, zone: str = "UTC", chosen: Chosen | None = None) -> Proposal:
    """The proposal for a group; ``zone`` is this machine's time zone, ``chosen`` what a person changed."""
    make = LineMaker(found, chosen or {})
    labels, flow = LabelLines(make), FlowLines(make)
    proposer = _Proposer(make, today)
    team = labels.team()
    prefix, states, other_labels = flow.labels()
    statuses, other_statuses = flow.statuses()
    backend = flow.backend(states, statuses)
    [kept] = backend.value or ("label",)
    version, shape = proposer.version()
    buckets = proposer.buckets()
    lines = [
        team,
        *labels.organisation(),
        version,
        *buckets,
        *labels.types(),
        *labels.planning(),
        *labels.priorities(),
        backend,
        *([] if kept == "status" else [prefix, *states, *other_labels]),
        *([] if kept == "label" else [*statuses, *other_statuses]),
        proposer.zone(zone),
    ]
    return Proposal(
        found=found, lines=tuple(lines), boards=proposer.boards(team, [*states, *statuses], buckets, shape)
    )


class _Proposer:
    def __init__(self, make: LineMaker, today: date) -> None:
        self._make = make
        self._today = today

    def version(self) -> tuple[SettingLine, TitleShape]:
        ranked = list(shapes(self._make.found.milestones, self._today))
        own = self._make.chosen.get("planning.version")
        shape = ranked[0] if ranked else TitleShape(pattern=VERSION)
        shown = fitting(own[0], self._make.found.milestones, self._today) if own else shape
        words = [f"current is {shown.current}" if shown.current else "no current milestone"]
        words += [f"next is {shown.next}" if shown.next else "no next milestone"]
        missing = not ranked or not (shape.current or shape.next)
        line = self._make.line(
            "planning.version",
            "Milestones",
            "Version titles",
            "pattern",
            TitleMatch(title=shape.pattern, near=tuple(one.pattern for one in ranked[1:5])),
            [VERSION],
            trust="missing" if missing else "sure" if shape.current and shape.next else "likely",
            why=", ".join(words) if ranked else "no milestone has start and due dates",
            advice=f"{_DATES if not ranked else _LATER} Until then the boards show all milestones.",
        )
        if own:
            line = structs.replace(line, why=", ".join(words))
        examples = {one.pattern: one.example for one in (*ranked, shown) if one.example}
        return structs.replace(line, examples=examples), shown

    def buckets(self) -> list[SettingLine]:
        undated = [
            one.title for one in self._make.found.milestones if one.active and not (one.start and one.due)
        ]
        titles = list(dict.fromkeys(undated))
        lines = []
        for key, (name, patterns) in _BUCKETS.items():
            default = DEFAULT_MILESTONES[key]
            exact = [one for one in default if one in titles]
            found = (
                exact
                or [one for p in patterns for one in titles if re.search(p, one, re.IGNORECASE) is not None][
                    :1
                ]
            )
            near_ = tuple(one for one in matching.near_titles([*default, name], titles) if one not in found)
            rest = tuple(one for one in titles if one not in found and one not in near_)
            why = "a similar title" if found else "no such milestone"
            if exact:
                why = f"in GitLab: {' and '.join(exact)}"
            sure: Sure = "sure" if exact else "likely" if found else "missing"
            lines.append(
                self._make.line(
                    f"milestones.{key}",
                    "Milestones",
                    name,
                    "milestones",
                    TitleMatch(sure=sure, near=near_ + rest[:6]),
                    default,
                    values=default if exact or not found else found,
                    why=why,
                    advice=_BUCKET_DOES[key],
                )
            )
        return lines

    def zone(self, zone: str) -> SettingLine:
        return self._make.line(
            "ui.time_zone",
            "Time",
            "The team's time zone",
            "zone",
            TitleMatch(title=zone, sure="likely"),
            ["UTC"],
            trust="likely" if zone != "UTC" else "default",
            why="this computer's, since GitLab does not tell the team's",
        )

    def boards(
        self,
        group: SettingLine,
        states: Sequence[SettingLine],
        buckets: Sequence[SettingLine],
        shape: TitleShape,
    ) -> tuple[BoardLine, ...]:
        by_label = {
            value: one.key.rpartition(".")[2]
            for one in states
            if one.trust != "default"
            for value in one.value
        }
        by_title = {value: one.key.removeprefix("milestones.") for one in buckets for value in one.value}
        dated = {shape.current: "current", shape.next: "next"}
        chosen = self._make.chosen
        offers = offered_boards(
            self._make.found.boards,
            group_label=next(iter(group.value), ""),
            milestone_name=lambda title: by_title.get(title) or dated.get(title) or title,
            states=lambda label: by_label.get(label, ""),
            versions=[one.title for one in self._make.found.milestones if one.is_version(shape.pattern)],
        )
        return tuple(
            BoardLine(offer=one, taken=chosen.get(f"boards.{one.board.id}", default_of(one)) == TAKEN)
            for one in offers
        )


#: What is chosen for a board: that it becomes one of our own, or not.
TAKEN, LEFT = ("yes",), ("no",)


def default_of(offer: OfferedBoard) -> tuple[str, ...]:
    """What is proposed for a board."""
    return TAKEN if offer.proposed else LEFT
