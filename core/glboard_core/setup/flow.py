"""Where the states of the workflow are kept, and which label is which state. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from glboard_core.config import LabelSettings
from glboard_core.model.workflow import STATES, WorkflowState, near
from glboard_core.setup import matching
from glboard_core.setup.found import Used
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
        why = f"{len(hits)} of {len(STATES)} states have a label" if hits else "no labels for states"
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
            why=why if scope or not hits else "the states have labels of their own",
        )
        return prefix, states

    def _other_scopes(self, scope: str) -> tuple[str, ...]:
        return tuple(one for one in matching.scopes_of("workflow", self._make.titles) if one != scope)

    def _states(self, pool: Sequence[str], scope: str) -> list[SettingLine]:
        """A line for each state; a label is one state's only: the one that has it by name goes first."""
        prefix = scope or _NAMES.workflow_prefix
        free = dict.fromkeys(pool)
        matches: dict[str, TitleMatch] = {}
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
        self, state: WorkflowState, match: TitleMatch | None, prefix: str, pool: Sequence[str], *, some: bool
    ) -> SettingLine:
        default = prefix + state.name
        words = [state.name, *STATE_WORDS.get(state.name, ())]
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
            why=self._make.use_words(match.title) if found else "no label: the state is not used",
        )

    def backend(self, states: Sequence[SettingLine]) -> SettingLine:
        """Whether labels or statuses are the states; ``states`` are the lines of labels."""
        labelled = sum(one.trust in ("sure", "likely", "chosen") for one in states)
        named = [one for one in STATES if one.shown_as is None and self._has_status(one)]
        recent = self._make.found.recent
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
        return self._make.line(
            "flow.backend",
            "Workflow",
            "States are kept as",
            "backend",
            TitleMatch(title=value, sure="sure", near=others),
            ["label"],
            trust=trust,
            why=why,
            advice="Boards by state stay empty until labels for states exist.",
        )

    def _has_status(self, state: WorkflowState) -> bool:
        return any(one.casefold() == state.status.casefold() for one in self._make.found.statuses)


def _share(used: Used, titles: Iterable[str]) -> int:
    return sum(used.labels.get(one, 0) for one in titles)
