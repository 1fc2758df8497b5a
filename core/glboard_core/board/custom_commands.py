"""What a command of one's own runs: once for each issue, or once for all of them, or for the board."""

from __future__ import annotations

from collections.abc import Sequence

from glboard_core.command_template import OF_ISSUE, CommandSettings, Invocation, filled
from glboard_core.model.issue import Issue, short_reference
from glboard_core.model.printable import printable


def invocations(command: CommandSettings, issues: Sequence[Issue], milestone: str | None) -> list[Invocation]:
    """The runs, in the order of the issues. ``milestone`` is the board's.

    Raises GlboardError if a text could be taken for an option; ValueError for a command with ``problems``.
    """
    if command.on == "board":
        return [filled(command, {"milestone": (_text(milestone),)})]
    if not command.for_all:
        return [filled(command, _values(issue), short_reference(issue.reference)) for issue in issues]
    values = {
        "references": tuple(_text(issue.reference) for issue in issues),
        "iids": tuple(str(issue.iid) for issue in issues),
        "urls": tuple(_text(issue.web_url) for issue in issues),
        **{name: _shared(issues, name) for name in OF_ISSUE},
    }
    about = f"{len(issues)} issues" if len(issues) > 1 else short_reference(issues[0].reference)
    return [filled(command, values, about)]


def _values(issue: Issue) -> dict[str, tuple[str, ...]]:
    return {
        "reference": (_text(issue.reference),),
        "iid": (str(issue.iid),),
        "project": (_text(issue.project),),
        "title": (_text(issue.title),),
        "url": (_text(issue.web_url),),
        "milestone": (_text(issue.milestone),),
    }


def _shared(issues: Sequence[Issue], name: str) -> tuple[str, ...]:
    """What all issues have in common, such as their project; else nothing."""
    found = {_values(issue)[name] for issue in issues}
    return found.pop() if len(found) == 1 else ("",)


def _text(value: str | None) -> str:
    """A value on one line, without characters that no one sees."""
    return " ".join(printable(value or "").split())
