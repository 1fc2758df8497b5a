"""Textual's style sheets, parsed once for all apps of a process: a sixth of the time of a screen test."""

from __future__ import annotations

from textual.css.model import RuleSet
from textual.css.stylesheet import Stylesheet
from textual.css.types import CSSLocation

_parsed: dict[object, list[RuleSet]] = {}
_parse = Stylesheet._parse_rules


def _parse_once(
    sheet: Stylesheet,
    css: str,
    read_from: CSSLocation,
    is_default_rules: bool = False,
    tie_breaker: int = 0,
    scope: str = "",
) -> list[RuleSet]:
    key = (frozenset(sheet._variables.items()), css, read_from, is_default_rules, tie_breaker, scope)
    if key not in _parsed:
        _parsed[key] = _parse(sheet, css, read_from, is_default_rules, tie_breaker, scope)
    return _parsed[key]


def parse_once() -> None:
    """Let all apps of this process share parsed rules. A sheet with errors is parsed every time."""
    setattr(Stylesheet, "_parse_rules", _parse_once)  # noqa: B010 - a method of another package
