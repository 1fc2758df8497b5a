"""Compound keys: one question or comment, one group of changes, one undo (planning rule 14).

No single key closes an issue, and closing more than one asks first. A label that is missing in GitLab is
reported, and the change is done without it only after a yes. Esc keeps typed text as a draft.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from msgspec import structs

from glboard_core.board import use_cases
from glboard_core.board.definition import milestone_title
from glboard_core.board.use_cases import Means, short
from glboard_core.errors import GlboardError, NameUnknown
from glboard_core.model.issue import Issue, parse_reference
from glboard_core.planning.readiness import suggested_weight
from glboard_tui.commands.context import CommandContext
from glboard_tui.screens.choices import person_choices
from glboard_tui.screens.picker import Ticks

_CLOSED = "already closed"


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
            lambda comment: _do(
                context, issues, use_cases.breakdown, "breakdown requested", _CLOSED, comment
            ),
            text=text,
        )

    if _draft_key("B", issues) in context.drafts:
        write("")
        return
    assigned = sorted({name for issue in issues for name in issue.assignees})
    context.pick(
        "Request breakdown from",
        person_choices(context.bridge, assigned),
        lambda result: write(use_cases.request_text(result.add)),
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
        lambda comment: _do(context, issues, use_cases.blocked, "blocked", _CLOSED, comment),
    )


def slip(context: CommandContext, _: str) -> None:
    """Label as missed and move to the following milestone."""
    issues = context.targets()
    context.again = lambda: slip(context, "")
    _do(context, issues, use_cases.slipped, "slipped", "closed, or no version milestone to slip from or to")


def drop(context: CommandContext, _: str) -> None:
    """Move to the Backlog without Deliverable, with the reason as a comment."""
    issues = context.targets()
    catalog, today = context.bridge.catalog, context.bridge.today
    if catalog is None or today is None:
        return
    try:
        bucket = milestone_title("backlog", context.bridge.settings, catalog, today)
    except NameUnknown as error:
        context.tell(error)
        return
    context.again = lambda: drop(context, "")
    means = use_cases.dropped(bucket)
    _write(
        context,
        issues,
        "x p",
        f"Drop to {bucket}: why?",
        lambda comment: _do(context, issues, means, f"dropped to {bucket}", _CLOSED, comment),
    )


def wont_do(context: CommandContext, _: str) -> None:
    """Close as won't do."""
    issues = context.targets()
    context.again = lambda: wont_do(context, "")
    _close(context, issues, lambda: _do(context, issues, use_cases.wont_do, "won't do, closed", _CLOSED))


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
        means = use_cases.duplicate(full)
        why_not = "already closed, or the issue itself"
        comment = f"Duplicate of {full}"
        _close(context, issues, lambda: _do(context, issues, means, "duplicate, closed", why_not, comment))

    context.prompt(
        "Duplicate of which issue?",
        typed,
        note=use_cases.where(issues),
        placeholder="project#12, #12 or its URL",
        check=wrong,
    )


def spike(context: CommandContext, _: str) -> None:
    """Add the spike label, and offer the usual weight if there is none."""
    issues = context.targets()
    context.again = lambda: spike(context, "")
    names, planning = context.bridge.settings.labels, context.bridge.settings.planning
    marked = [_marked(issue, names.spike) for issue in issues]
    offered = next((w for i in marked if (w := suggested_weight(i, names, planning)) is not None), None)

    def go(weight: int | None) -> None:
        what = "spike" if weight is None else f"spike, weight {weight}"
        _do(context, issues, use_cases.spiked(weight), what, "")

    if offered is None or not context.situation().weights:
        go(None)
        return
    context.ask(
        f"Weight {offered} for a time-boxed spike?",
        {"y": f"set weight {offered} if empty", "n": "only add the spike label"},
        lambda answer: go(offered if answer == "y" else None),
        note="Describe what to find out and the time box.",
    )


def _marked(issue: Issue, label: str) -> Issue:
    return structs.replace(issue, labels=issue.labels | {label})


# Shared by all


def _do(
    context: CommandContext, issues: Sequence[Issue], means: Means, what: str, why_not: str, comment: str = ""
) -> None:
    """Do it, after listing the labels that do not exist and asking whether to continue without them."""
    edits, now = context.bridge.edits(), context.now(issues)
    if edits is None or not now:
        context.say("Nothing to change here.")
        return
    made = use_cases.compounded(edits, now, means, what, why_not=why_not, comment=comment)
    if not made.lacks:
        context.careful(made.work)
        return
    answers = {"y": "continue without it"}
    if made.whole.changes:
        answers["o"] = "only where the label exists"
    context.ask(
        "A label is missing. Continue without it?",
        answers,
        lambda answer: context.careful(made.work if answer == "y" else made.whole),
        note=made.missing,
    )


def _close(context: CommandContext, issues: Sequence[Issue], go: Callable[[], None]) -> None:
    closing(context, sum(issue.is_open for issue in issues), go)


def closing(context: CommandContext, count: int, go: Callable[[], None], what: str = "Close") -> None:
    """Close that many issues, after asking if it is more than one."""
    if count > 1:
        context.ask(f"{what} {count} issues?", {"y": "close them"}, lambda _: go())
    else:
        go()


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
    context.write(
        title,
        _draft_key(key, issues),
        send,
        kept=f"Nothing changed. Draft saved; press {key} to resume.",
        text=text,
        note=use_cases.where(issues),
    )


# Conflicts, when someone else changed the same field: keep mine, keep theirs, or compare first


def decide(context: CommandContext, which: str) -> None:
    """Keep mine: send my change over the current value; or theirs: my change is discarded."""
    take = context.bridge.take_mine if which == "mine" else context.bridge.take_theirs
    for issue in _clashing(context):
        try:
            take(issue.id)
        except GlboardError as error:  # it cannot be stored, or this session is read-only: the conflict stays
            context.tell(error)
            break
        context.say(f"Kept {'yours' if which == 'mine' else 'theirs'}: {short(issue)}.")
    context.shell.sync()


def compare(context: CommandContext, _: str) -> None:
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
        lambda answer: decide(context, "mine" if answer == "m" else "theirs"),
        note="\n".join(lines),
    )


def _clashing(context: CommandContext) -> list[Issue]:
    found = [issue for issue in context.targets() if context.bridge.is_conflicting(issue.id)]
    if not found:
        context.say("No conflict here.")
    return found
