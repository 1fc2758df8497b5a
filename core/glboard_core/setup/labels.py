"""Which labels mean the team, its types of work, and the steps of planning. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

from glboard_core.config import LabelSettings, PlanningSettings
from glboard_core.setup import matching
from glboard_core.setup.lines import YOURS, LineMaker
from glboard_core.setup.matching import LABEL_WORDS, TYPE_WORDS, TitleMatch, plain
from glboard_core.setup.proposal import Section, SettingLine, Trust

_NAMES = LabelSettings()
_PLANNING = PlanningSettings()
#: The share of our own issues from which a label is taken for that of our team, and of others' issues.
_MOST_MINE, _MOST_RECENT = 0.5, 0.9
#: So many categories at most, used by such a share of our issues.
_CATEGORIES, _OFTEN = 8, 0.05


class LabelLines:
    """Proposes the lines of labels, but those of the workflow."""

    def __init__(self, make: LineMaker) -> None:
        self._make = make

    def team(self) -> SettingLine:
        """The label that the team's issues have."""
        scopes = tuple(matching.scopes_of("group", self._make.titles))
        scoped = [title for title in self._make.titles if title.startswith(scopes)]
        mine, recent = self._make.found.mine, self._make.found.recent
        ranked = sorted(scoped, key=lambda one: (-mine.labels.get(one, 0), -recent.labels.get(one, 0)))
        path = {plain(self._make.found.path), plain(self._make.found.name)}
        first = next((one for one in ranked if plain(one) in path), ranked[0] if ranked else "")
        used = [one for one in ranked if mine.labels.get(one, 0) or recent.labels.get(one, 0)]
        none = f"all issues of {self._make.found.path}"
        alike = matching.near_titles([self._make.found.name, *path], scoped)
        near = tuple(dict.fromkeys([*used[:6], *alike, *(scoped if len(scoped) <= 6 else ())]))
        if first and plain(first) not in path and not used:
            first = ""
        count, of = mine.labels.get(first, 0), mine.issues
        trust: Trust
        if not scoped:
            match, trust, why = TitleMatch(), "likely", "no team label: every issue belongs to the team"
        elif first and of and count >= of * _MOST_MINE:
            match, trust = TitleMatch(title=first, near=near), "sure"
            why = self._make.own_words(count)
        elif first and (count or plain(first) in path or self._everywhere(first)):
            match, trust = TitleMatch(title=first, near=near), "likely"
            why = self._make.use_words(first)
        else:
            match, trust = TitleMatch(near=near), "missing"
            why = f"{len(scoped)} team labels; none is on an issue {YOURS}"
        return self._make.line(
            "labels.group",
            "Team",
            "Team label",
            "label",
            match,
            [_NAMES.group],
            trust=trust,
            why=why,
            none=none,
            advice="Choose your team's label.",
        )

    def _everywhere(self, title: str) -> bool:
        recent = self._make.found.recent
        return bool(recent.issues) and recent.labels.get(title, 0) >= recent.issues * _MOST_RECENT

    def organisation(self) -> list[SettingLine]:
        """Department, section and categories: what some organisations put on every issue."""
        lines = []
        for key, title, default in (
            ("devops", "Stage", _NAMES.devops),
            ("section", "Section", _NAMES.section),
        ):
            scope = default.partition("::")[0] + "::"
            found = self._mostly(scope)
            why = self._make.use_words(found.title) if found.title else f"no label on most issues {YOURS}"
            lines.append(
                self._make.line(
                    f"labels.{key}",
                    "Team",
                    f"{title} label",
                    "label",
                    found,
                    [default],
                    trust="sure" if found.title else "default",
                    why=why,
                    none="not used",
                    shown=bool(found.title or found.near),
                )
            )
        own = [one for one in self._make.titles if one.startswith("Category:")]
        used = self._often(own)
        lines.append(
            self._make.line(
                "labels.categories",
                "Team",
                "Categories",
                "labels",
                TitleMatch(near=tuple(own[:12])),
                _NAMES.categories,
                values=_ordered(used, _NAMES.categories),
                trust="sure" if used else "default",
                why=f"on issues {YOURS}" if used else f"on no issue {YOURS}",
                none="not used",
                shown=bool(own),
            )
        )
        return lines

    def _mostly(self, scope: str) -> TitleMatch:
        """The label of a scope that most of our issues have."""
        mine = self._make.found.mine
        below = [one for one in self._make.titles if one.startswith(scope)]
        ranked = sorted(below, key=lambda one: -mine.labels.get(one, 0))
        near = tuple(one for one in ranked if mine.labels.get(one, 0))[:6] or tuple(ranked[:3])
        if ranked and mine.issues and mine.labels.get(ranked[0], 0) >= mine.issues * _MOST_MINE:
            return TitleMatch(title=ranked[0], sure="sure", near=near)
        return TitleMatch(near=near)

    def _often(self, titles: Iterable[str]) -> list[str]:
        mine = self._make.found.mine
        least = max(1, round(mine.issues * _OFTEN))
        counted = sorted(titles, key=lambda one: (-mine.labels.get(one, 0), one))
        return [one for one in counted if mine.labels.get(one, 0) >= least][:_CATEGORIES]

    def types(self) -> list[SettingLine]:
        """The types of work, and what is none."""
        scope = matching.scope_of("type", self._make.titles, TYPE_WORDS)
        usual = [_NAMES.type_prefix + name for name in TYPE_WORDS]
        pool = [one for one in self._make.titles if one.startswith(scope)] if scope else self._make.unscoped()
        matches = [matching.best([scope + name], words, pool) for name, words in TYPE_WORDS.items()]
        found = list(dict.fromkeys(one.title for one in matches if one.title))
        near = tuple(one for one in pool if one not in found)[:8] if scope else self._scoped()
        trust: Trust = "missing"
        if found:
            trust = "sure" if found == usual else "likely"
        why = ", ".join(
            f"{name}: {'none' if not one.title else 'found'}"
            for name, one in zip(TYPE_WORDS, matches, strict=True)
            if not one.title
        )
        if found and not scope:
            why = "no scope: boards work, but rules that need a type do not"
        elif not found:
            why = "no labels for bugs, maintenance and features"
        types = self._make.line(
            "types",
            "Types",
            "Types of work",
            "labels",
            TitleMatch(near=near),
            usual,
            values=found or usual,
            trust=trust,
            why=why or f"scope {scope}",
            advice="Create the labels in GitLab, or choose others. "
            "Until then the Planning board is one list.",
        )
        ignore_default = _NAMES.ignore
        ignore = matching.best([scope + "ignore", ignore_default], LABEL_WORDS["ignore"], self._make.titles)
        return [types, self._single("ignore", "Types", "Never counted", ignore, ignore_default)]

    def _scoped(self) -> tuple[str, ...]:
        """Labels with a scope that issues have, the most used first: types may be called anything."""
        recent, mine = self._make.found.recent.labels, self._make.found.mine.labels
        team = tuple(matching.scopes_of("group", self._make.titles))
        scoped = [one for one in self._make.titles if "::" in one and not (team and one.startswith(team))]
        used = {one: recent.get(one, 0) + mine.get(one, 0) for one in scoped}
        ranked = sorted(scoped, key=lambda one: (-used[one], one))
        return tuple(one for one in ranked if used[one])[:8]

    def _single(self, key: str, section: Section, title: str, match: TitleMatch, default: str) -> SettingLine:
        """A label that glboard works without, less well: if it is missing, the default stays."""
        values = (match.title,) if match.title else (default,)
        why = self._make.use_words(match.title) if match.title else "not in GitLab"
        # The others are not missed where a team never had them.
        matters = key == "deliverable" or bool(match.near)
        return self._make.line(
            f"labels.{key}",
            section,
            title,
            "label",
            match,
            [default],
            trust=None if match.title or matters else "default",
            values=values,
            why=why,
            advice="Create it in GitLab, or choose another."
            + (
                " Until then the Build board shows all issues of the milestone."
                if key == "deliverable"
                else ""
            ),
        )

    def planning(self) -> list[SettingLine]:
        """What marks an issue in planning, and how it ended."""
        lines = []
        for key, title, default in (
            ("deliverable", "Deliverable: accepted", _NAMES.deliverable),
            ("spike", "Spike: research", _NAMES.spike),
            ("missed_deliverable", "Missed Deliverable", _NAMES.missed_deliverable),
        ):
            match = matching.best([default], LABEL_WORDS[key], self._make.titles)
            lines.append(self._single(key, "Planning", title, match, default))
        planning = matching.best(_PLANNING.issue.labels, LABEL_WORDS["planning_issue"], self._make.titles)
        lines.append(
            self._make.line(
                "planning.issue.labels",
                "Planning",
                "Planning issue",
                "labels",
                planning,
                _PLANNING.issue.labels,
                values=[planning.title] if planning.title else _PLANNING.issue.labels,
                trust=None if planning.title or planning.near else "default",
                why=self._make.use_words(planning.title) if planning.title else "not in GitLab",
                none="none",
                advice="Added to a milestone's planning issue if the label exists.",
            )
        )
        for key, title in (("wont_do", "Closed as won't do"), ("duplicate", "Closed as duplicate")):
            match = matching.best([], LABEL_WORDS[key], self._make.titles)
            lines.append(
                self._make.line(
                    f"labels.{key}",
                    "Planning",
                    title,
                    "labels",
                    match,
                    (),
                    trust=match.sure if match.title else "default",
                    why=self._make.use_words(match.title) if match.title else "no such label",
                    none="not used",
                )
            )
        return lines

    def priorities(self) -> list[SettingLine]:
        """The starts of priorities and severities."""
        lines = []
        scopes: tuple[tuple[Literal["priority", "severity"], str, str], ...] = (
            ("priority", "Priorities", _NAMES.priority_prefix),
            ("severity", "Severities", _NAMES.severity_prefix),
        )
        for key, title, default in scopes:
            scope, *others = matching.scopes_of(key, self._make.titles) or [""]
            below = [one for one in self._make.titles if scope and one.startswith(scope)]
            match = TitleMatch(title=scope, sure="sure" if scope == default else "likely", near=tuple(others))
            lines.append(
                self._make.line(
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


def _ordered(found: Sequence[str], default: Sequence[str]) -> tuple[str, ...]:
    """The same in the usual order, if they are the usual ones."""
    return tuple(default) if {*found} == {*default} else tuple(found)


def _examples(titles: Sequence[str]) -> str:
    shown = ", ".join(sorted(titles)[:2])
    return f"{shown} and {len(titles) - 2} more" if len(titles) > 2 else shown
