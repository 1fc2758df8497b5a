"""Options of ``glboard edit`` that link issues: which there are, the issues they name, and what they do."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

import click
from msgspec import Struct

from glboard_core.board import issue_cases
from glboard_core.board.batch import EditBatch
from glboard_core.board.use_cases import Edits
from glboard_core.model.issue import Issue, LinkedIssue, to_link

if TYPE_CHECKING:
    from glboard_core.sync.engine import Engine

F = TypeVar("F", bound=Callable[..., Any])

Others = Mapping[str, LinkedIssue]
"""The issues to be linked, by the names that they have in the options."""

_OPTIONS = (
    click.option(
        "--blocked-by",
        multiple=True,
        metavar="REF",
        help="Set the state to blocked and link the blocking issue.",
    ),
    click.option("--relate", multiple=True, metavar="REF", help="Link an issue as related."),
    click.option("--unblock", multiple=True, metavar="REF", help="Remove the link to an issue."),
)


class LinkOptions(Struct, frozen=True, kw_only=True):
    """The options, as given."""

    blocked_by: tuple[str, ...] = ()
    relate: tuple[str, ...] = ()
    unblock: tuple[str, ...] = ()


#: The fields that name issues.
NAMES = LinkOptions.__struct_fields__


def link_options(command: F) -> F:
    """Give a command these options."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


async def named_issues(engine: Engine, asked: LinkOptions) -> Others:
    """The issues that the options name. Raises what ``Engine.load_issues`` raises."""
    names = dict.fromkeys(name for field in NAMES for name in getattr(asked, field))
    found: dict[str, LinkedIssue] = {}
    for name in names:
        [issue] = await engine.reader.load_issues([name])
        found[name] = to_link(issue)
    return found


def intents(edits: Edits, asked: LinkOptions, others: Others) -> list[Callable[[Sequence[Issue]], EditBatch]]:
    """What each option means."""
    return [
        *(partial(_blocked_by, edits, others[name]) for name in asked.blocked_by),
        *(partial(_related, edits, others[name]) for name in asked.relate),
        *(partial(_unlinked, edits, others[name]) for name in asked.unblock),
    ]


def _blocked_by(edits: Edits, other: LinkedIssue, on: Sequence[Issue]) -> EditBatch:
    return issue_cases.block_by(edits, on, other)


def _related(edits: Edits, other: LinkedIssue, on: Sequence[Issue]) -> EditBatch:
    return issue_cases.link(on, other, "relates_to")


def _unlinked(edits: Edits, other: LinkedIssue, on: Sequence[Issue]) -> EditBatch:
    return issue_cases.unlink(on, other)
