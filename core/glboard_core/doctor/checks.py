"""What a check says: its status, a sentence, what to do, and the figures behind it.

Owns the list of all checks, so that one that could not run is told of, too, with the reason. No text of a
check holds a secret or the title of an issue: all of it can be pasted into a report.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal

from msgspec import Struct

from glboard_core.errors import GlboardError

CheckStatus = Literal["ok", "warning", "problem", "skipped"]

#: Every check in order: its id, what it is of, and what it is called.
CHECKS: Mapping[str, tuple[str, str]] = {
    "config": ("Configuration", "File"),
    "team": ("Configuration", "Team"),
    "address": ("Server", "Address"),
    "proxy": ("Server", "Proxy"),
    "tls": ("Server", "TLS"),
    "token": ("Server", "Token"),
    "version": ("Server", "Version"),
    "tier": ("Server", "Tier"),
    "clock": ("Server", "Clock"),
    "rate-limit": ("Server", "Rate limit"),
    "group": ("Group", "Group"),
    "labels": ("Group", "Labels"),
    "milestones": ("Group", "Milestones"),
    "boards": ("Group", "Boards"),
    "roles": ("Group", "Roles"),
    "flow": ("Group", "Workflow"),
    "mirror": ("On this computer", "Mirror"),
    "changes": ("On this computer", "Changes"),
    "requests": ("On this computer", "Requests"),
    "log": ("On this computer", "Log"),
    "disk": ("On this computer", "Disk"),
    "terminal": ("Terminal", "Size"),
    "colors": ("Terminal", "Colors"),
    "encoding": ("Terminal", "Encoding"),
    "keys": ("Terminal", "Keys"),
    "clipboard": ("Terminal", "Clipboard"),
    "tmux": ("Terminal", "Multiplexer"),
}


class Check(Struct, frozen=True, kw_only=True):
    """One check. ``advice`` is what to do; ``facts`` are the figures behind ``text``, for programs."""

    id: str
    area: str
    name: str
    status: CheckStatus
    text: str
    advice: str = ""
    facts: dict[str, Any] = {}


class Diagnosis(Struct, frozen=True, kw_only=True):
    """All checks, in order, and how many requests they took."""

    status: CheckStatus
    requests: int
    checks: tuple[Check, ...]

    def number(self, status: CheckStatus) -> int:
        """How many checks have this status."""
        return sum(one.status == status for one in self.checks)


class Checks:
    """Collects what the checks say. One that no one reported is skipped, with the reason."""

    def __init__(self) -> None:
        self._found: dict[str, Check] = {}
        self._reasons: dict[str, str] = {}

    def __contains__(self, check: str) -> bool:
        return check in self._found

    def add(self, check: str, status: CheckStatus, text: str, advice: str = "", **facts: Any) -> None:
        """A check has this status; the first word on a check counts."""
        area, name = CHECKS[check]
        one = Check(
            id=check,
            area=area,
            name=name,
            status=status,
            text=_without_home(text),
            advice=_without_home(advice),
            facts={key: _without_home(one) if isinstance(one, str) else one for key, one in facts.items()},
        )
        self._found.setdefault(check, one)

    def ok(self, check: str, text: str, **facts: Any) -> None:
        """All is well."""
        self.add(check, "ok", text, **facts)

    def warn(self, check: str, text: str, advice: str, **facts: Any) -> None:
        """It works, with a limit."""
        self.add(check, "warning", text, advice, **facts)

    def fail(self, check: str, text: str, advice: str, **facts: Any) -> None:
        """It does not work."""
        self.add(check, "problem", text, advice, **facts)

    def refused(self, check: str, error: GlboardError) -> None:
        """It does not work, as an error says."""
        self.fail(check, error.message, error.what_to_do)

    def told(self, error: GlboardError) -> bool:
        """Whether some check says this already."""
        return any(one.text == _without_home(error.message) for one in self._found.values())

    def skip(self, checks: Iterable[str], why: str) -> None:
        """These cannot run, unless they did."""
        for check in checks:
            self._reasons.setdefault(check, why)

    def diagnosis(self, requests: int) -> Diagnosis:
        """Everything, in order."""
        for check in CHECKS:
            if check not in self._found:
                self.add(check, "skipped", self._reasons.get(check, "Not checked."))
        checks = tuple(self._found[check] for check in CHECKS)
        statuses = [one.status for one in checks]
        worst: CheckStatus = next((one for one in _BY_WEIGHT if one in statuses), "ok")
        return Diagnosis(status=worst, requests=requests, checks=checks)


def _without_home(text: str) -> str:
    """A text in which paths below the home folder do not name whose it is."""
    home = str(Path.home()).rstrip("/")
    return text.replace(f"{home}/", "~/") if home else text


_BY_WEIGHT: tuple[CheckStatus, ...] = ("problem", "warning")


def listed(names: Iterable[str], most: int = 3) -> str:
    """Some names in a sentence: “a”, “b” and 4 more."""
    found = [f"“{name}”" for name in names]
    more = len(found) - most
    if more > 0:
        return f"{', '.join(found[:most])} and {more} more"
    return " and ".join(filter(None, (", ".join(found[:-1]), *found[-1:])))


def counted(number: int, one: str, several: str = "") -> str:
    """A number with its noun."""
    return f"{number:,} {one if number == 1 else several or one + 's'}"
