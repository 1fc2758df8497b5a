"""Options of ``glboard edit`` that link issues: which there are, the issues they name, and what they do."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

import click
from msgspec import Struct

from glboard_core.board import issue_cases
from glboard_core.board.batch import EditBatch
from glboard_core.board.operations import Change
from glboard_core.board.use_cases import Edits
from glboard_core.model.issue import Issue, IssueId, LinkedIssue, short_reference, to_link

if TYPE_CHECKING:
    from glboard_core.sync.engine import Engine

F = TypeVar("F", bound=Callable[..., Any])


class Others(Struct, frozen=True, kw_only=True):
    """The issues that the options name, by these names, and what is linked to each issue already."""

    named: Mapping[str, LinkedIssue] = {}
    links: Mapping[IssueId, Sequence[LinkedIssue]] = {}

    def not_linked(self, issue: Issue, names: Sequence[str]) -> Sequence[str]:
        """Those of the named issues that this one has no link to, in short."""
        linked = {one.id for one in self.links.get(issue.id, ())}
        others = (self.named[name] for name in names)
        return [short_reference(one.reference) for one in others if one.id not in linked]

    def has(self, issue: IssueId, change: Change) -> bool:
        """Whether the change adds a link that is there already: undo would remove it."""
        wanted = change.link_wanted
        there = self.links.get(issue, ())
        return wanted is not None and any((one.id, one.kind) == (wanted.other, wanted.kind) for one in there)


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


async def named_issues(engine: Engine, asked: LinkOptions, issues: Sequence[Issue]) -> Others:
    """The issues that the options name. Raises what ``Engine.load_issues`` and the gateway raise."""
    names = dict.fromkeys(name for field in NAMES for name in getattr(asked, field))
    found: dict[str, LinkedIssue] = {}
    for name in names:
        [issue] = await engine.reader.load_issues([name])
        found[name] = to_link(issue)
    links = {one.id: (await engine.gateway.detail(one.id)).links for one in issues} if found else {}
    return Others(named=found, links=links)


def intents(edits: Edits, asked: LinkOptions, others: Others) -> list[Callable[[Sequence[Issue]], EditBatch]]:
    """What each option means."""
    return [
        *(partial(_blocked_by, edits, others.named[name]) for name in asked.blocked_by),
        *(partial(_related, edits, others.named[name]) for name in asked.relate),
        *(partial(_unlinked, others, others.named[name]) for name in asked.unblock),
    ]


def _blocked_by(edits: Edits, other: LinkedIssue, on: Sequence[Issue]) -> EditBatch:
    return issue_cases.block_by(edits, on, other)


def _related(edits: Edits, other: LinkedIssue, on: Sequence[Issue]) -> EditBatch:
    return issue_cases.link(on, other, "relates_to")


def _unlinked(others: Others, other: LinkedIssue, on: Sequence[Issue]) -> EditBatch:
    return issue_cases.unlink(others.links, on, other.id)
