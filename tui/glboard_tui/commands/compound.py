"""Compound keys: one question or comment, one group of changes, one undo (planning rule 14).

No single key closes an issue, and closing more than one asks first. A label that is missing in GitLab is
reported, and the change is done without it only after a yes. Esc keeps typed text as a draft.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from glboard_core.board.batch import about, short
from glboard_core.board.use_cases import request_text
from glboard_core.errors import GlboardError, NameUnknown
from glboard_core.model.issue import Issue, IssueId, parse_reference
from glboard_tui.commands.context import CommandContext
from glboard_tui.commands.labels import person_choices
from glboard_tui.screens.picker import Ticks


def breakdown(context: CommandContext, _: str) -> None:
    """Move to planning breakdown, with a comment to the chosen people; an existing draft is resumed."""
    issues = context.targets()
    context.again = lambda: breakdown(context, "")

    def write(text: str) -> None:
        _write(
            context,
            issues,
            "B",
            "Request breakdown",
            lambda comment: context.do(
                lambda edits, on: edits.breakdown(on, comment), on=issues, again=False
            ),
            text=text,
        )

    if _draft_key("B", issues) in context.drafts:
        write("")
        return
    assigned = sorted({name for issue in issues for name in issue.assignees})
    context.pick(
        "Request breakdown from",
        person_choices(context, assigned),
        lambda result: write(request_text(result.add)),
        ticks=Ticks(),
    )


def blocked(context: CommandContext, _: str) -> None:
    """Mark as blocked, with a comment that gives the link or the reason."""
    issues = context.targets()
    context.again = lambda: blocked(context, "")
    _write(
        context,
        issues,
        "b",
        "Blocked by what? A link or a reason",
        lambda comment: context.do(lambda edits, on: edits.block(on, comment), on=issues, again=False),
    )


def slip(context: CommandContext, _: str) -> None:
    """Label as missed and move to the following milestone."""
    context.do(lambda edits, issues: edits.slip(issues))


def drop(context: CommandContext, _: str) -> None:
    """Move to the Backlog without Deliverable, with the reason as a comment."""
    issues = context.targets()
    edits = context.bridge.edits()
    if edits is None:
        return
    try:
        bucket = edits.bucket
    except NameUnknown as error:
        context.tell(error)
        return
    context.again = lambda: drop(context, "")
    _write(
        context,
        issues,
        "x p",
        f"Drop to {bucket}: why?",
        lambda reason: context.do(lambda edits, on: edits.drop(on, reason), on=issues, again=False),
    )


def wont_do(context: CommandContext, _: str) -> None:
    """Close as won't do."""
    context.do(lambda edits, issues: edits.wont_do(issues))


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

    def typed(text: str | None) -> None:
        if text is None:
            return
        full = reference(text)
        context.do(lambda edits, on: edits.duplicate(on, full), on=issues, again=False)

    from glboard_tui.screens.dialogs import Prompt

    prompt = Prompt(
        "Duplicate of which issue?",
        note=about(issues),
        placeholder="project#12, #12 or its URL",
        check=wrong,
    )
    context.screen.app.push_screen(prompt, typed)


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
    send: Callable[[str], None],
    *,
    text: str = "",
) -> None:
    """Open the comment editor with the draft or ``text``; Esc keeps what was typed."""
    draft = _draft_key(key, issues)

    def written(answer: tuple[str, bool] | None) -> None:
        if answer is None:
            return
        typed, sent = answer
        if sent:
            context.drafts.pop(draft, None)
            send(typed)
        elif typed.strip():
            context.drafts[draft] = typed
            context.say(f"Nothing changed. Draft saved; press {key} to resume.")
        else:
            context.drafts.pop(draft, None)

    from glboard_tui.screens.dialogs import CommentDialog

    note = about(issues)
    context.screen.app.push_screen(
        CommentDialog(title, text=context.drafts.get(draft, text), note=note), written
    )


# Conflicts, when someone else changed the same field: keep mine, keep theirs, or look first.


def mine(context: CommandContext, _: str) -> None:
    """Keep mine: send my change over the current value."""
    _choose(context, context.bridge.take_mine, "Kept yours")


def theirs(context: CommandContext, _: str) -> None:
    """Keep theirs: the current value stays and my change is discarded."""
    _choose(context, context.bridge.take_theirs, "Kept theirs")


def _choose(context: CommandContext, take: Callable[[IssueId], None], said: str) -> None:
    for issue in _clashing(context):
        try:
            take(issue.id)
        except GlboardError as error:  # it cannot be stored, or this session is read-only: the conflict stays
            context.tell(error)
            break
        context.say(f"{said}: {short(issue)}.")
    context.screen.sync()


def look(context: CommandContext, _: str) -> None:
    """Show each field: what I saw, what I want, and its current value."""
    found = _clashing(context)
    if not found:
        return
    issue = found[0]
    conflicts = context.bridge.conflicts(issue.id)
    lines = [f"{c.field}: was {c.saw}, mine {c.mine}, theirs {c.theirs}" for c in conflicts]
    if any(clash.maybe for clash in conflicts):
        lines.append("GitLab's reply to your change was lost; it may have been applied before theirs.")
    context.ask(
        f"Someone else changed {short(issue)} since you saw it.",
        {"m": "keep mine", "t": "keep theirs, discard mine"},
        lambda answer: (mine if answer == "m" else theirs)(context, ""),
        note="\n".join(lines),
    )


def history(context: CommandContext, _: str) -> None:
    """Open the change log."""
    from glboard_tui.screens.failed_changes import History

    context.screen.app.push_screen(History(context.bridge))


def _clashing(context: CommandContext) -> list[Issue]:
    found = [issue for issue in context.targets() if context.bridge.is_conflicting(issue.id)]
    if not found:
        context.say("No conflict here.")
    return found
