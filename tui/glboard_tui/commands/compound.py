"""Compound keys: one question or comment, one group of changes, one undo (planning rule 14); and conflicts.

No single key closes an issue, and closing more than one asks first. Esc keeps typed text as a draft.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from glboard_core.board import issue_cases
from glboard_core.board.batch import about, short
from glboard_core.board.use_cases import request_text
from glboard_core.errors import GlboardError, NameUnknown
from glboard_core.model.issue import Issue, parse_reference
from glboard_tui.commands.context import CommandContext, Make
from glboard_tui.screens.choices import PersonSource
from glboard_tui.screens.linkable_issues import LinkableIssues
from glboard_tui.screens.picker import Result, Ticks

#: What is told where a link cannot block.
ONLY_RELATED = "Blocking links need GitLab Premium; linking as related instead."


def breakdown(context: CommandContext, _: str) -> None:
    """Move to planning breakdown, with a comment to the chosen people; an existing draft is resumed."""
    issues = context.targets()
    context.again = lambda: breakdown(context, "")
    if context.refuses(issues):
        return

    def write(text: str) -> None:
        def make(comment: str) -> Make:
            return lambda edits, on: edits.breakdown(on, comment)

        _write(context, issues, "B", "Request breakdown", make, text=text)

    if _draft_key("B", issues) in context.drafts:
        write("")
        return
    assigned = sorted({name for issue in issues for name in issue.assignees})
    source = PersonSource(context.bridge, assigned, projects={issue.project for issue in issues})
    context.pick(
        "Request breakdown from", source, lambda result: write(request_text(result.add)), ticks=Ticks()
    )


def blocked(context: CommandContext, _: str) -> None:
    """Mark as blocked: by an issue, which is linked, or with a comment that gives the reason."""
    issues = context.targets()
    context.again = lambda: blocked(context, "")

    def make(comment: str) -> Make:
        return lambda edits, on: edits.block(on, comment)

    if _draft_key("b", issues) in context.drafts:
        _write(context, issues, "b", "Blocked by an issue, or for a reason", make)
        return
    source = LinkableIssues(context.bridge, without=[issue.id for issue in issues])

    def picked(result: Result) -> None:
        if result.typed:
            context.do(make(result.typed), on=issues, again=False)
        elif (other := source.linked(result.add[0])) is not None:
            context.do(lambda edits, on: issue_cases.block_by(edits, on, other), on=issues, again=False)

    catalog = context.bridge.catalog
    relates = "" if catalog is None or catalog.server.has_weight else f" {ONLY_RELATED}"
    context.pick(
        "Blocked by which issue?",
        source,
        picked,
        note=f"{about(issues)}{relates}",
        typed="sets the reason",
    )


def drop(context: CommandContext, _: str) -> None:
    """Move to the Backlog without Deliverable, with the reason as a comment."""
    if (edits := context.bridge.edits()) is None:
        return
    try:
        bucket = edits.bucket
    except NameUnknown as error:
        context.tell(error)
        return
    context.again = lambda: drop(context, "")

    def make(reason: str) -> Make:
        return lambda edits, on: edits.drop(on, reason)

    _write(context, context.targets(), "x p", f"Drop to {bucket}: why?", make)


def duplicate(context: CommandContext, _: str) -> None:
    """Close as a duplicate of the issue whose reference is typed; a comment names it."""
    issues = context.targets()
    catalog = context.bridge.catalog
    if catalog is None:
        return
    context.again = lambda: duplicate(context, "")

    def reference(text: str) -> str:
        # A bare number is an issue of the same project, if all targets share one project.
        projects = {issue.project for issue in issues}
        text = text.strip()
        bare = text.startswith("#") and len(projects) == 1
        return str(parse_reference(projects.pop() + text if bare else text, catalog))

    def wrong(text: str) -> str:
        try:
            full = reference(text)
        except GlboardError as error:
            return " ".join(str(error).split())
        return "An issue cannot be a duplicate of itself." if [i.reference for i in issues] == [full] else ""

    def typed(text: str) -> None:
        full = reference(text)
        context.do(lambda edits, on: edits.duplicate(on, full), on=issues, again=False)

    context.prompt(
        "Duplicate of which issue?",
        typed,
        note=about(issues),
        placeholder="project#12, #12 or its URL",
        check=wrong,
    )


def spike(context: CommandContext, _: str) -> None:
    """Add the spike label, and offer the usual weight if there is none."""
    issues, edits = context.targets(), context.bridge.edits()
    context.again = lambda: spike(context, "")
    offered = edits.spike_weight(issues) if edits is not None else None

    def go(weight: int | None) -> None:
        context.do(lambda edits, on: edits.spike(on, weight), on=issues, again=False)

    if offered is None:
        go(None)
        return
    context.ask(
        f"Weight {offered} for a time-boxed spike?",
        {"y": f"set weight {offered} if empty", "n": "only add the spike label"},
        lambda answer: go(offered if answer == "y" else None),
        note="Describe what to find out and the time box.",
    )


def _draft_key(action: str, issues: Sequence[Issue]) -> tuple[str, ...]:
    return (action, *(issue.id for issue in issues))


def _write(
    context: CommandContext,
    issues: Sequence[Issue],
    key: str,
    title: str,
    make: Callable[[str], Make],
    *,
    text: str = "",
) -> None:
    """Open the comment editor for ``key``, and do what ``make`` returns for the comment."""
    context.write(
        title,
        _draft_key(key, issues),
        lambda comment: context.do(make(comment), on=issues, again=False),
        kept=f"No changes. Draft saved; press {key} to resume.",
        text=text,
        note=about(issues),
    )


# Conflicts, when someone else changed the same field


def decide(context: CommandContext, which: str) -> None:
    """Keep mine: send my change over the current value; or theirs: my change is discarded."""
    for issue in _conflicting(context):
        try:
            context.bridge.flags.decide(issue.id, mine=which == "mine")
        except GlboardError as error:  # it cannot be stored, or this session is read-only: the conflict stays
            context.tell(error)
            break
        context.say(f"Kept {'yours' if which == 'mine' else 'theirs'}: {short(issue)}.")
    context.shell.sync()


def compare(context: CommandContext, _: str) -> None:
    """Show each field: what I saw, what I want, and its current value."""
    found = _conflicting(context)
    if not found:
        return
    issue = found[0]
    conflicts = context.bridge.flags.conflicts(issue.id)
    lines = [f"{c.field}: was {c.saw}, mine {c.mine}, theirs {c.theirs}" for c in conflicts]
    if any(conflict.maybe for conflict in conflicts):
        lines.append("GitLab's response to your change was lost; your change may have been applied first.")
    context.ask(
        f"Someone else changed {short(issue)} since you saw it.",
        {"m": "keep mine", "t": "keep theirs, discard mine"},
        lambda answer: decide(context, "mine" if answer == "m" else "theirs"),
        note="\n".join(lines),
    )


def _conflicting(context: CommandContext) -> list[Issue]:
    found = [issue for issue in context.targets() if context.bridge.flags.is_conflicting(issue.id)]
    if not found:
        context.say(f"No conflict on this issue; {context.keymap.key('pane.failed')} lists all conflicts.")
    return found
