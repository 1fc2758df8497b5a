"""Proposes a configuration from what a group has. Pure: the same findings and choices give the same lines.

Owns which label, milestone or board takes which part, and what is said of it. What a person chose goes
before what is proposed, and the rest follows from it: with another scope, the states are sought there.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Literal

from msgspec import structs

from glboard_core.config import DEFAULT_MILESTONES, VERSION, LabelSettings, Settings
from glboard_core.model.workflow import STATES, WorkflowState, near
from glboard_core.setup import matching
from glboard_core.setup.found import FoundGroup, Used
from glboard_core.setup.matching import LABEL_WORDS, STATE_WORDS, TYPE_WORDS, Match, plain
from glboard_core.setup.offered import OfferedBoard, offered_boards
from glboard_core.setup.proposal import BoardLine, Chosen, Kind, Line, Proposal, Section, Trust
from glboard_core.setup.versions import Shape, fitting, shapes

_NAMES = LabelSettings()
_PLANNING = Settings().planning
#: The share of our own issues from which a label is taken for that of our team, and of others' issues.
_MOST_MINE, _MOST_RECENT = 0.5, 0.9
#: So many categories at most, used by such a share of our issues.
_CATEGORIES, _OFTEN = 8, 0.05
#: So many states make a workflow.
_LEAST_STATES = 2

_BUCKETS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "next-1-3": ("Next 1-3", (r"next\W*1\W*(-|to)?\W*3", r"^(up )?next\b(?!.*4)", r"^soon\b")),
    "next-4-6": ("Next 4-6", (r"next\W*4\W*(-|to)?\W*6", r"^later\b", r"^future\b", r"^next quarter")),
    "backlog": ("Backlog", (r"^%?\W*backlog$", r"\bbacklog\b", r"^icebox", r"^some ?day", r"^parking")),
    "awaiting": ("Awaiting", (r"^await", r"^waiting", r"\bfeedback\b", r"\bdemand\b", r"^on hold")),
}
_BUCKET_DOES = {
    "next-1-3": "Its board stays empty",
    "next-4-6": "Its board stays empty",
    "backlog": "Its board stays empty",
    "awaiting": "The Milestones board has no such column",
}


def propose(found: FoundGroup, today: date, *, zone: str = "UTC", chosen: Chosen | None = None) -> Proposal:
    """The proposal for a group; ``zone`` is this machine's time zone, ``chosen`` what a person changed."""
    return _Proposer(found, today, zone, chosen or {}).proposal()


class _Proposer:
    def __init__(self, found: FoundGroup, today: date, zone: str, chosen: Chosen) -> None:
        self.found = found
        self.today = today
        self.zone = zone
        self.chosen = chosen
        self.titles = [one.title for one in found.labels]
        self.known = frozenset(self.titles)

    def proposal(self) -> Proposal:
        group = self._group()
        prefix, states = self._workflow()
        backend = self._backend(states)
        by_status = backend.value == ("status",)
        version, shape = self._version()
        buckets = self._buckets()
        lines = [
            group,
            *self._organisation(),
            version,
            *buckets,
            *self._types(),
            *self._planning(),
            *self._priorities(),
            backend,
            *([] if by_status else [prefix, *states]),
            self._zone(),
        ]
        return Proposal(
            found=self.found,
            lines=tuple(lines),
            boards=self._boards(group, states, buckets, shape),
        )

    # -- making lines

    def _line(
        self,
        key: str,
        section: Section,
        title: str,
        kind: Kind,
        match: Match,
        default: Sequence[str],
        *,
        values: Sequence[str] | None = None,
        trust: Trust | None = None,
        why: str = "",
        none: str = "",
        advice: str = "",
        shown: bool = True,
    ) -> Line:
        """A line from a match; what a person chose goes before it."""
        value = tuple(values) if values is not None else (match.title,) if match.title else ()
        if (own := self.chosen.get(key)) is not None:
            gone = [one for one in own if kind in ("label", "labels") and one not in self.known]
            why = "chosen" if not gone else "chosen; GitLab has no such label yet"
            value, trust, advice = own, "chosen", ""
        near = dict.fromkeys([*match.near, *([match.title] if match.title else [])])
        return Line(
            key=key,
            section=section,
            title=title,
            kind=kind,
            value=value,
            default=tuple(default),
            trust=trust or match.sure,
            why=why,
            near=tuple(one for one in near if one not in value),
            none=none,
            advice=advice,
            shown=shown,
        )

    # -- the team

    def _group(self) -> Line:
        scopes = tuple(matching.scopes_of("group", self.titles))
        scoped = [title for title in self.titles if title.startswith(scopes)]
        mine, recent = self.found.mine, self.found.recent
        ranked = sorted(scoped, key=lambda one: (-mine.labels.get(one, 0), -recent.labels.get(one, 0)))
        path = {plain(self.found.path), plain(self.found.name)}
        first = next((one for one in ranked if plain(one) in path), ranked[0] if ranked else "")
        used = [one for one in ranked if mine.labels.get(one, 0) or recent.labels.get(one, 0)]
        none = f"all issues of {self.found.path}"
        near = tuple(used[:6] or matching.near_titles([self.found.name, *path], scoped))
        if first and plain(first) not in path and not used:
            first = ""
        count, of = mine.labels.get(first, 0), mine.issues
        trust: Trust
        if not scoped:
            match, trust, why = Match(), "likely", "no label names a team: every issue is the team's"
        elif first and of and count >= of * _MOST_MINE:
            match, trust = Match(title=first, near=near), "sure"
            why = f"on {count} of your {of} latest issues"
        elif first and (count or plain(first) in path or self._everywhere(first)):
            match, trust = Match(title=first, near=near), "likely"
            why = f"on {count} of your {of} latest issues" if count else self._use_words(first)
        else:
            match, trust = Match(near=near), "missing"
            why = f"{len(scoped)} labels name a team; none is on your issues"
        return self._line(
            "labels.group",
            "Team",
            "Team's label",
            "label",
            match,
            [_NAMES.group],
            trust=trust,
            why=why,
            none=none,
            advice="Choose the label that your team's issues have.",
        )

    def _everywhere(self, title: str) -> bool:
        recent = self.found.recent
        return bool(recent.issues) and recent.labels.get(title, 0) >= recent.issues * _MOST_RECENT

    def _use_words(self, title: str) -> str:
        recent, mine = self.found.recent, self.found.mine
        if count := mine.labels.get(title, 0):
            return f"on {count} of your {mine.issues} latest issues"
        if count := recent.labels.get(title, 0):
            return f"on {count} of the {recent.issues} issues changed last"
        return "not on the latest issues"

    def _organisation(self) -> list[Line]:
        """Department, section and categories: what some organisations put on every issue."""
        lines = []
        for key, title, default in (
            ("devops", "Stage", _NAMES.devops),
            ("section", "Section", _NAMES.section),
        ):
            scope = default.partition("::")[0] + "::"
            found = self._mostly(scope, default)
            why = self._use_words(found.title) if found.title else "no label is on most of your issues"
            lines.append(
                self._line(
                    f"labels.{key}",
                    "Team",
                    f"{title}'s label",
                    "label",
                    found,
                    [default],
                    trust="sure" if found.title else "default",
                    why=why,
                    none="not used",
                    shown=bool(found.title or found.near),
                )
            )
        own = [one for one in self.titles if one.startswith("Category:")]
        used = self._often(own)
        lines.append(
            self._line(
                "labels.categories",
                "Team",
                "Categories",
                "labels",
                Match(near=tuple(own[:12])),
                _NAMES.categories,
                values=_ordered(used, _NAMES.categories),
                trust="sure" if used else "default",
                why="on your latest issues" if used else "none is on your latest issues",
                none="not used",
                shown=bool(own),
            )
        )
        return lines

    def _mostly(self, scope: str, default: str) -> Match:
        """The label of a scope that most of our issues have."""
        mine = self.found.mine
        below = [one for one in self.titles if one.startswith(scope)]
        ranked = sorted(below, key=lambda one: -mine.labels.get(one, 0))
        near = tuple(one for one in ranked if mine.labels.get(one, 0))[:6] or tuple(ranked[:3])
        if ranked and mine.issues and mine.labels.get(ranked[0], 0) >= mine.issues * _MOST_MINE:
            return Match(title=ranked[0], sure="sure", near=near)
        return Match(near=near)

    def _often(self, titles: Iterable[str]) -> list[str]:
        mine = self.found.mine
        least = max(1, round(mine.issues * _OFTEN))
        counted = sorted(titles, key=lambda one: (-mine.labels.get(one, 0), one))
        return [one for one in counted if mine.labels.get(one, 0) >= least][:_CATEGORIES]

    # -- types

    def _types(self) -> list[Line]:
        scope = matching.scope_of("type", self.titles, TYPE_WORDS)
        usual = [_NAMES.type_prefix + name for name in TYPE_WORDS]
        pool = [one for one in self.titles if one.startswith(scope)] if scope else self._unscoped()
        matches = [matching.best([scope + name], words, pool) for name, words in TYPE_WORDS.items()]
        found = list(dict.fromkeys(one.title for one in matches if one.title))
        near = tuple(one for one in pool if one not in found)[:8] if scope else ()
        trust: Trust = "missing"
        if found:
            trust = "sure" if found == usual else "likely"
        why = ", ".join(
            f"{name}: {'none' if not one.title else 'found'}"
            for name, one in zip(TYPE_WORDS, matches, strict=True)
            if not one.title
        )
        if found and not scope:
            why = "without a scope: boards work, rules that need a type do not"
        elif not found:
            why = "no labels for bugs, maintenance and features"
        types = self._line(
            "types",
            "Types",
            "Types of work",
            "labels",
            Match(near=near),
            usual,
            values=found or usual,
            trust=trust,
            why=why or f"scope {scope}",
            advice="Create the labels in GitLab, or choose others.",
        )
        ignore_default = _NAMES.ignore
        ignore = matching.best([scope + "ignore", ignore_default], LABEL_WORDS["ignore"], self.titles)
        return [types, self._single("ignore", "Types", "Never counted", ignore, ignore_default)]

    def _unscoped(self) -> list[str]:
        return [one for one in self.titles if "::" not in one]

    def _single(self, key: str, section: Section, title: str, match: Match, default: str) -> Line:
        """A label that glboard works without, less well: if it is missing, the default stays."""
        values = (match.title,) if match.title else (default,)
        why = self._use_words(match.title) if match.title else "not in GitLab"
        return self._line(
            f"labels.{key}",
            section,
            title,
            "label",
            match,
            [default],
            values=values,
            why=why,
            advice="Create it in GitLab, or choose another.",
        )

    # -- planning

    def _planning(self) -> list[Line]:
        lines = []
        for key, title, default in (
            ("deliverable", "Deliverable: accepted", _NAMES.deliverable),
            ("spike", "Spike: research", _NAMES.spike),
            ("missed_deliverable", "Missed Deliverable", _NAMES.missed_deliverable),
        ):
            match = matching.best([default], LABEL_WORDS[key], self.titles)
            lines.append(self._single(key, "Planning", title, match, default))
        planning = matching.best(_PLANNING.issue.labels, LABEL_WORDS["planning_issue"], self.titles)
        lines.append(
            self._line(
                "planning.issue.labels",
                "Planning",
                "Planning issue",
                "labels",
                planning,
                _PLANNING.issue.labels,
                values=[planning.title] if planning.title else _PLANNING.issue.labels,
                why=self._use_words(planning.title) if planning.title else "not in GitLab",
                none="none",
                advice="The planning issue of a milestone gets it if it exists.",
            )
        )
        for key, title in (("wont_do", "Closed as won't do"), ("duplicate", "Closed as duplicate")):
            match = matching.best([], LABEL_WORDS[key], self.titles)
            lines.append(
                self._line(
                    f"labels.{key}",
                    "Planning",
                    title,
                    "labels",
                    match,
                    (),
                    trust=match.sure if match.title else "default",
                    why=self._use_words(match.title) if match.title else "no such label",
                    none="not used",
                )
            )
        return lines

    def _priorities(self) -> list[Line]:
        lines = []
        scopes: tuple[tuple[Literal["priority", "severity"], str, str], ...] = (
            ("priority", "Priorities", _NAMES.priority_prefix),
            ("severity", "Severities", _NAMES.severity_prefix),
        )
        for key, title, default in scopes:
            scope, *others = matching.scopes_of(key, self.titles) or [""]
            below = [one for one in self.titles if scope and one.startswith(scope)]
            match = Match(title=scope, sure="sure" if scope == default else "likely", near=tuple(others))
            lines.append(
                self._line(
                    f"labels.{key}_prefix",
                    "Priorities",
                    f"{title} start with",
                    "prefix",
                    match,
                    [default],
                    values=[scope or default],
                    trust=None if scope else "default",
                    why=_examples(below) if scope else "no such labels",
                )
            )
        return lines

    # -- workflow

    def _workflow(self) -> tuple[Line, list[Line]]:
        words = {state.name: STATE_WORDS.get(state.name, ()) for state in STATES}
        scope = next(iter(self.chosen.get("labels.workflow_prefix", ())), "") or matching.scope_of(
            "workflow", self.titles, words
        )
        pool = [one for one in self.titles if one.startswith(scope)] if scope else self._unscoped()
        states = self._states(pool, scope)
        hits = [one for one in states if one.trust in ("sure", "likely")]
        default = _NAMES.workflow_prefix
        why = f"{len(hits)} of {len(STATES)} states have a label" if hits else "no labels for states"
        prefix = self._line(
            "labels.workflow_prefix",
            "Workflow",
            "States start with",
            "prefix",
            Match(title=scope, sure="sure" if scope == default else "likely", near=self._other_scopes(scope)),
            [default],
            values=[scope or default],
            trust=None if scope and hits else "default",
            why=why if scope or not hits else "the states have labels of their own",
        )
        return prefix, states

    def _other_scopes(self, scope: str) -> tuple[str, ...]:
        return tuple(one for one in matching.scopes_of("workflow", self.titles) if one != scope)

    def _states(self, pool: Sequence[str], scope: str) -> list[Line]:
        """A line for each state; a label is one state's only: the one that has it by name goes first."""
        prefix = scope or _NAMES.workflow_prefix
        free = dict.fromkeys(pool)
        matches: dict[str, Match] = {}
        for names_only in (True, False):
            for state in STATES:
                if state.name in matches:
                    continue
                words = () if names_only else STATE_WORDS.get(state.name, ())
                match = matching.best([prefix + state.name, state.name], words, free)
                if match.title:
                    matches[state.name] = match
                    free.pop(match.title, None)
        some = len(matches) >= _LEAST_STATES
        return [self._state(state, matches.get(state.name), prefix, pool, some=some) for state in STATES]

    def _state(
        self, state: WorkflowState, match: Match | None, prefix: str, pool: Sequence[str], *, some: bool
    ) -> Line:
        default = prefix + state.name
        words = [state.name, *STATE_WORDS.get(state.name, ())]
        near_ = tuple(matching.near_titles(words, pool))
        if match is None or not some:
            match = Match(near=near_)
        found = bool(match.title)
        return self._line(
            f"flow.labels.{state.name}",
            "Workflow",
            state.name,
            "label",
            Match(title=match.title, sure=match.sure, near=near_),
            [default],
            values=[match.title or default],
            trust=("sure" if match.title == default else "likely") if found else "default",
            why=self._use_words(match.title) if found else "no label: the state is not used",
        )

    def _backend(self, states: Sequence[Line]) -> Line:
        labelled = sum(one.trust in ("sure", "likely", "chosen") for one in states)
        named = [one for one in STATES if one.shown_as is None and self._has_status(one)]
        recent = self.found.recent
        with_status = sum(n for name, n in recent.statuses.items() if near(name) is not None)
        in_labels = {value for one in states if one.trust != "default" for value in one.value}
        with_label = _share(recent, in_labels)
        can_status, can_label = len(named) >= _LEAST_STATES, labelled >= _LEAST_STATES
        others = tuple(
            one
            for one, can in (("label", can_label), ("status", can_status), ("both", can_label and can_status))
            if can
        )
        trust: Trust = "sure"
        if can_status and (not can_label or (with_status > recent.issues / 2 and not with_label)):
            value = "status"
            why = f"{len(named)} states are statuses in GitLab"
            why += ", and no label is one" if not can_label else ", and recent issues have them"
        elif can_label:
            value, why = "label", f"{labelled} states have a label"
            why += f"; {len(named)} are statuses, too" if can_status else ""
            trust = "sure" if not can_status or with_label else "likely"
        else:
            value, trust = "label", "missing"
            why = "neither labels nor statuses name the states"
        return self._line(
            "flow.backend",
            "Workflow",
            "States are kept as",
            "backend",
            Match(title=value, sure="sure", near=others),
            ["label"],
            trust=trust,
            why=why,
            advice="Boards by state stay empty until labels for states exist.",
        )

    def _has_status(self, state: WorkflowState) -> bool:
        return any(one.casefold() == state.status.casefold() for one in self.found.statuses)

    # -- milestones

    def _version(self) -> tuple[Line, Shape]:
        ranked = list(shapes(self.found.milestones, self.today))
        own = self.chosen.get("planning.version")
        shape = ranked[0] if ranked else Shape(pattern=VERSION)
        shown = fitting(own[0], self.found.milestones, self.today) if own else shape
        words = [f"current is {shown.current}" if shown.current else "none runs today"]
        words += [f"next is {shown.next}" if shown.next else "none comes next"]
        missing = not ranked or not (shape.current or shape.next)
        line = self._line(
            "planning.version",
            "Milestones",
            "A version is called",
            "pattern",
            Match(title=shape.pattern, near=tuple(one.pattern for one in ranked[1:5])),
            [VERSION],
            trust="missing" if missing else "sure" if shape.current and shape.next else "likely",
            why=", ".join(words) if ranked else "no milestone has a start and a due date",
            advice="Give the milestones in GitLab a start and a due date.",
        )
        if own:
            line = structs.replace(line, why=", ".join(words))
        return line, shown

    def _buckets(self) -> list[Line]:
        undated = [one.title for one in self.found.milestones if one.active and not (one.start and one.due)]
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
            lines.append(
                self._line(
                    f"milestones.{key}",
                    "Milestones",
                    name,
                    "milestones",
                    Match(sure="sure" if exact else "likely" if found else "missing", near=near_ + rest[:6]),
                    default,
                    values=default if exact or not found else found,
                    why=" and ".join(exact) if exact else "a similar title" if found else "no such milestone",
                    advice=f"{_BUCKET_DOES[key]} until the milestone exists.",
                )
            )
        return lines

    # -- the rest

    def _zone(self) -> Line:
        return self._line(
            "ui.time_zone",
            "Time",
            "The team's time zone",
            "zone",
            Match(title=self.zone, sure="likely"),
            ["UTC"],
            trust="likely" if self.zone != "UTC" else "default",
            why="this computer's" if self.zone != "UTC" else "this computer has no other",
        )

    def _boards(
        self, group: Line, states: Sequence[Line], buckets: Sequence[Line], shape: Shape
    ) -> tuple[BoardLine, ...]:
        by_label = {
            value: one.key.removeprefix("flow.labels.")
            for one in states
            if one.trust != "default"
            for value in one.value
        }
        by_title = {value: one.key.removeprefix("milestones.") for one in buckets for value in one.value}
        dated = {shape.current: "current", shape.next: "next"}
        offers = offered_boards(
            self.found.boards,
            group_label=next(iter(group.value), ""),
            milestone_name=lambda title: by_title.get(title) or dated.get(title) or title,
            states=lambda label: by_label.get(label, ""),
        )
        return tuple(
            BoardLine(offer=one, taken=self.chosen.get(f"boards.{one.board.id}", default_of(one)) == TAKEN)
            for one in offers
        )


#: What is chosen for a board: that it becomes one of our own, or not.
TAKEN, LEFT = ("yes",), ("no",)


def default_of(offer: OfferedBoard) -> tuple[str, ...]:
    """What is proposed for a board."""
    return TAKEN if offer.proposed else LEFT


def _ordered(found: Sequence[str], default: Sequence[str]) -> tuple[str, ...]:
    """The same in the usual order, if they are the usual ones."""
    return tuple(default) if {*found} == {*default} else tuple(found)


def _examples(titles: Sequence[str]) -> str:
    shown = ", ".join(sorted(titles)[:2])
    return f"{shown} and {len(titles) - 2} more" if len(titles) > 2 else shown


def _share(used: Used, titles: Iterable[str]) -> int:
    return sum(used.labels.get(one, 0) for one in titles)
