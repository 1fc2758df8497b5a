"""Makes lines of a proposal: what was found for one, or what a person chose instead.

Pure.
"""

from __future__ import annotations

from collections.abc import Sequence

from glboard_core.setup.found import FoundGroup
from glboard_core.setup.matching import TitleMatch
from glboard_core.setup.proposal import Chosen, Kind, Section, SettingLine, Trust

#: Which issues are a person's own: those of the token's user.
YOURS = "assigned to you or created by you"


class LineMaker:
    """What all lines are made of: the findings, and the choices."""

    def __init__(self, found: FoundGroup, chosen: Chosen) -> None:
        self.found = found
        self.chosen = chosen
        self.titles = [one.title for one in found.labels]
        self.known = frozenset(self.titles)

    def line(
        self,
        key: str,
        section: Section,
        title: str,
        kind: Kind,
        match: TitleMatch,
        default: Sequence[str],
        *,
        values: Sequence[str] | None = None,
        trust: Trust | None = None,
        why: str = "",
        none: str = "",
        advice: str = "",
        shown: bool = True,
    ) -> SettingLine:
        """A line from a match; what a person chose goes before it."""
        value = tuple(values) if values is not None else (match.title,) if match.title else ()
        if (own := self.chosen.get(key)) is not None:
            gone = [one for one in own if kind in ("label", "labels") and one not in self.known]
            missing = bool(gone) and self.found.whole
            why = "your choice; not in GitLab yet" if missing else "chosen"
            value, trust, advice = own, "chosen", ""
        near = dict.fromkeys([*match.near, *([match.title] if match.title else [])])
        return SettingLine(
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

    def use_words(self, title: str) -> str:
        """How often the latest issues have a label, in words."""
        recent, mine = self.found.recent, self.found.mine
        if count := mine.labels.get(title, 0):
            return self.own_words(count)
        if count := recent.labels.get(title, 0):
            return f"on {count} of the {recent.issues} latest issues"
        return "not on the latest issues"

    def own_words(self, count: int) -> str:
        """On so many of the person's own issues, in words."""
        return f"on {count} of {self.found.mine.issues} issues {YOURS}"

    def unscoped(self) -> list[str]:
        """The labels without a scope."""
        return [one for one in self.titles if "::" not in one]
