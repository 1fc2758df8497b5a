"""Where the states of the workflow are kept, and which label is which state. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from msgspec import structs

from glboard_core.config import LabelSettings
from glboard_core.model.workflow import STATES, WorkflowState
from glboard_core.planning.text import counted
from glboard_core.setup import matching
from glboard_core.setup.lines import LineMaker
from glboard_core.setup.matching import STATE_WORDS, TitleMatch
from glboard_core.setup.proposal import SettingLine, Trust

_NAMES = LabelSettings()
#: So many states make a workflow.
_LEAST_STATES = 2
#: GitLab's own statuses of issues that are closed without being done: no step of the work.
_NOT_DONE = ("won't do", "duplicate")
#: Starts of the keys of labels and statuses that no state has by itself.
_OTHER_LABEL, _OTHER_STATUS = "flow.other.label.", "flow.other.status."
#: What it means that a label or status is of no state.
_UNLISTED = "no state: in (unlisted)"


class FlowLines:
    """Proposes the lines of the workflow."""

    def __init__(self, make: LineMaker) -> None:
        self._make = make

    def labels(self) -> tuple[SettingLine, list[SettingLine], list[SettingLine]]:
        """The start of states' labels, the label of each state, and the other labels with that start."""
        words = {state.name: STATE_WORDS.get(state.name, ()) for state in STATES}
        scope = next(iter(self._make.chosen.get("labels.workflow_prefix", ())), "") or matching.scope_of(
            "workflow", self._make.titles, words
        )
        pool = [one for one in self._make.titles if one.startswith(scope)] if scope else self._make.unscoped()
        states = self._states(pool, scope)
        hits = [one for one in states if one.trust in ("sure", "likely")]
        default = _NAMES.workflow_prefix
        why = f"{len(hits)} of {len(STATES)} states have a label" if hits else "no labels for workflow states"
        # The states are fixed: an issue with another label has none, unless one is chosen for it.
        others = self._others(_OTHER_LABEL, pool, states, self._make.use_words) if scope and hits else []
        if others:
            why += f"; {counted(len(others), 'other label')} below"
        prefix = self._make.line(
            "labels.workflow_prefix",
            "Workflow",
            "States start with",
            "prefix",
            TitleMatch(
                title=scope, sure="sure" if scope == default else "likely", near=self._other_scopes(scope)
            ),
            [default],
            values=[scope or default],
            trust=None if scope and hits else "default",
            why=why if scope or not hits else "each state has a label",
        )
        return prefix, states, others

    def _others(
        self, start: str, titles: Sequence[str], states: Sequence[SettingLine], use: Callable[[str], str]
    ) -> list[SettingLine]:
        """A line for each label or status that no state has by itself: the states that it can be."""
        key = _STATES_OF[start]
        by_itself = {
            value
            for one in _found(states)
            for value in one.value
            if value not in self._chosen(start).values()
        }
        free = [one.key.removeprefix(key) for one in states if one.trust == "default"]
        lines: list[SettingLine] = []
        for title in titles:
            if title.casefold() in {one.casefold() for one in by_itself}:
                continue
            near = matching.near_titles([title], free)
            match = TitleMatch(near=tuple(dict.fromkeys((*near, *free))))
            line = self._make.line(
                f"{start}{title}",
                "Workflow",
                title if start == _OTHER_LABEL else f"{title} (status)",
                "state",
                match,
                (),
                trust="default",
                why=use(title),
                none=_UNLISTED,
            )
            if not any(value == title for one in states for value in one.value):
                # Another one was chosen for that state since.
                line = structs.replace(line, value=(), trust="default", why=use(title))
            lines.append(line)
        return lines

    def _chosen(self, start: str) -> Mapping[str, str]:
        """The labels or statuses that were chosen for a state that had none, by the state's name."""
        return {
            state: key.removeprefix(start)
            for key, value in self._make.chosen.items()
            if key.startswith(start)
            for state in value
        }

    def _other_scopes(self, scope: str) -> tuple[str, ...]:
        return tuple(one for one in matching.scopes_of("workflow", self._make.titles) if one != scope)

    def _states(self, pool: Sequence[str], scope: str) -> list[SettingLine]:
        """A line for each state; a label is one state's only: the one that has it by name goes first."""
        prefix = scope or _NAMES.workflow_prefix
        wanted = {state.name: ([prefix + state.name, state.name], _words(state)) for state in STATES}
        matches = _matched(pool, wanted)
        some = len(matches) >= _LEAST_STATES
        return [self._state(state, matches.get(state.name), prefix, pool, some=some) for state in STATES]

    def _state(
        self, state: WorkflowState, match: TitleMatch | None, prefix: str, pool: Sequence[str], *, some: bool
    ) -> SettingLine:
        default = prefix + state.name
        if (own := self._chosen(_OTHER_LABEL).get(state.name)) is not None:
            match, some = TitleMatch(title=own, sure="likely"), True
        words = [state.name, *_words(state)]
        near_ = tuple(matching.near_titles(words, pool))
        if match is None or not some:
            match = TitleMatch(near=near_)
        found = bool(match.title)
        return self._make.line(
            f"flow.labels.{state.name}",
            "Workflow",
            state.name,
            "label",
            TitleMatch(title=match.title, sure=match.sure, near=near_),
            [default],
            values=[match.title or default],
            trust=("sure" if match.title == default else "likely") if found else "default",
            why=self._make.use_words(match.title) if found else "no label; state not used",
        )

    def statuses(self) -> tuple[list[SettingLine], list[SettingLine]]:
        """The status of each state, and the other statuses."""
        states = [state for state in STATES if state.shown_as is None]
        matches = _matched(
            self._make.found.statuses, {state.name: ([state.status], _words(state)) for state in states}
        )
        lines = [self._status(state, matches.get(state.name)) for state in states]
        known = [one for one in self._make.found.statuses if one.casefold() not in _NOT_DONE]
        return lines, self._others(_OTHER_STATUS, known, lines, self._status_use) if _found(lines) else []

    def _status(self, state: WorkflowState, match: TitleMatch | None) -> SettingLine:
        known = self._make.found.statuses
        title = match.title if match is not None else ""
        title = self._chosen(_OTHER_STATUS).get(state.name, title)
        near_ = tuple(matching.near_titles([state.status, *_words(state)], known))
        exact = title.casefold() == state.status.casefold()
        return self._make.line(
            f"flow.statuses.{state.name}",
            "Workflow",
            f"{state.name} (status)",
            "status",
            TitleMatch(title=title, near=near_),
            [state.status],
            # Statuses are found in any case.
            values=[state.status if exact or not title else title],
            trust=("sure" if exact else "likely") if title else "default",
            why=self._status_use(title) if title else "no status; state not used",
        )

    def _status_use(self, title: str) -> str:
        recent = self._make.found.recent
        count = recent.statuses.get(title, 0)
        return f"on {count} of the {recent.issues} latest issues" if count else "not on the latest issues"

    def backend(self, labels: Sequence[SettingLine], statuses: Sequence[SettingLine]) -> SettingLine:
        """Whether labels or statuses are the states; what is given are the lines of both."""
        recent = self._make.found.recent
        labelled, named = _found(labels), _found(statuses)
        in_labels = {value for one in labelled for value in one.value}
        in_statuses = {value.casefold() for one in named for value in one.value}
        with_label = sum(recent.labels.get(one, 0) for one in in_labels)
        with_status = sum(n for name, n in recent.statuses.items() if name.casefold() in in_statuses)
        can_label, can_status = len(labelled) >= _LEAST_STATES, len(named) >= _LEAST_STATES
        others = tuple(
            one
            for one, can in (("label", can_label), ("status", can_status), ("both", can_label and can_status))
            if can
        )
        trust: Trust = "sure"
        # GitLab gives every issue a status, also where no one looks at it: by itself that says little.
        exact = any(one.trust == "sure" for one in named)
        if can_status and (not can_label or (exact and with_status > recent.issues / 2 and not with_label)):
            value = "status"
            trust = "sure" if exact else "likely"
            why = f"{len(named)} states are statuses in GitLab"
            why += ", none are labels" if not can_label else ", used on recent issues"
        elif can_label:
            value, why = "label", f"{len(labelled)} states have a label"
            why += f"; {len(named)} are also statuses" if can_status else ""
            trust = "sure" if not can_status or with_label else "likely"
        else:
            value, trust = "label", "missing"
            why = "no labels or statuses for workflow states"
        return self._make.line(
            "flow.backend",
            "Workflow",
            "States are stored as",
            "backend",
            TitleMatch(title=value, sure="sure", near=others),
            ["label"],
            trust=trust,
            why=why,
            advice="Boards by state stay empty until the states have labels.",
        )


#: The starts of the keys of the states, for those of the others.
_STATES_OF = {_OTHER_LABEL: "flow.labels.", _OTHER_STATUS: "flow.statuses."}


def _words(state: WorkflowState) -> Sequence[str]:
    return STATE_WORDS.get(state.name, ())


def _found(lines: Sequence[SettingLine]) -> list[SettingLine]:
    """The lines of states that have a label or a status."""
    return [one for one in lines if one.trust in ("sure", "likely", "chosen")]


def _matched(
    titles: Iterable[str], wanted: Mapping[str, tuple[Sequence[str], Sequence[str]]]
) -> dict[str, TitleMatch]:
    """A title for each of ``wanted``, by names and words; the ones found by name go first, and no title
    is taken twice."""
    free = dict.fromkeys(titles)
    matches: dict[str, TitleMatch] = {}
    for by_words in (False, True):
        for name, (names, words) in wanted.items():
            if name in matches:
                continue
            match = matching.best(names, words if by_words else (), free)
            if match.title:
                matches[name] = match
                free.pop(match.title, None)
    return matches
