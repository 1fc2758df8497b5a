"""Where the states of the workflow are kept, and which label is which state. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from glboard_core.config import LabelSettings
from glboard_core.model.workflow import STATES, WorkflowState
from glboard_core.setup import matching
from glboard_core.setup.lines import LineMaker
from glboard_core.setup.matching import STATE_WORDS, TitleMatch
from glboard_core.setup.proposal import SettingLine, Trust

_NAMES = LabelSettings()
#: So many states make a workflow.
_LEAST_STATES = 2


class FlowLines:
    """Proposes the lines of the workflow."""

    def __init__(self, make: LineMaker) -> None:
        self._make = make

    def labels(self) -> tuple[SettingLine, list[SettingLine]]:
        """The start of states' labels, and the label of each state."""
        words = {state.name: STATE_WORDS.get(state.name, ()) for state in STATES}
        scope = next(iter(self._make.chosen.get("labels.workflow_prefix", ())), "") or matching.scope_of(
            "workflow", self._make.titles, words
        )
        pool = [one for one in self._make.titles if one.startswith(scope)] if scope else self._make.unscoped()
        states = self._states(pool, scope)
        hits = [one for one in states if one.trust in ("sure", "likely")]
        default = _NAMES.workflow_prefix
        why = f"{len(hits)} of {len(STATES)} states have a label" if hits else "no labels for workflow states"
        meant = {value for one in hits for value in one.value}
        if scope and hits and (others := [one for one in pool if one not in meant]):
            # The states are fixed: an issue with such a label has none.
            named = others[0].removeprefix(scope) + (f" and {len(others) - 1} more" if others[1:] else "")
            why += f"; no state: {named}"
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
        return prefix, states

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

    def statuses(self) -> list[SettingLine]:
        """The status of each state."""
        states = [state for state in STATES if state.shown_as is None]
        matches = _matched(
            self._make.found.statuses, {state.name: ([state.status], _words(state)) for state in states}
        )
        return [self._status(state, matches.get(state.name)) for state in states]

    def _status(self, state: WorkflowState, match: TitleMatch | None) -> SettingLine:
        known = self._make.found.statuses
        title = match.title if match is not None else ""
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
