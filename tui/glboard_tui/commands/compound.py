"""Compound keys: one question or comment, one group of changes, one undo (DOMAIN.md 7.14).

No single key closes an issue, and closing more than one asks first. A label that is missing in GitLab is
reported, and the change is done without it only after a yes. Esc keeps typed text as a draft.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from msgspec import structs

from glboard_core.board import use_cases
from glboard_core.board.definition import milestone_title
from glboard_core.board.use_cases import Means
from glboard_core.errors import GlboardError, NameUnknown
from glboard_core.model.issue import Issue, IssueId, parse_reference
from glboard_core.planning.readiness import suggested_weight
from glboard_tui.commands.context import CommandContext
from glboard_tui.commands.labels import person_choices
from glboard_tui.screens.picker import Ticks

_CLOSED = "already closed"


def breakdown(desk: CommandContext, _: str) -> None:
    """Move to planning breakdown, with a comment to the chosen people; an existing draft is resumed."""
    issues = desk.targets()
    desk.again = lambda: breakdown(desk, "")

    def write(text: str) -> None:
        _write(
            desk,
            issues,
            "B",
            "Request breakdown",
            lambda comment: _do(desk, issues, use_cases.breakdown, "breakdown requested", _CLOSED, comment),
            text=text,
        )

    if _draft_key("B", issues) in desk.drafts:
        write("")
        return
    assigned = sorted({name for issue in issues for name in issue.assignees})
    desk.pick(
        "Request breakdown from",
        person_choices(desk, assigned),
        lambda result: write(use_cases.request_text(result.add)),
        ticks=Ticks(),
    )


def blocked(desk: CommandContext, _: str) -> None:
    """Mark as blocked, with a comment that gives the link or the reason."""
    issues = desk.targets()
    desk.again = lambda: blocked(desk, "")
    _write(
        desk,
        issues,
        "b",
        "Blocked by what? A link or a reason",
        lambda comment: _do(desk, issues, use_cases.blocked, "blocked", _CLOSED, comment),
    )


def slip(desk: CommandContext, _: str) -> None:
    """Label as missed and move to the following milestone."""
    issues = desk.targets()
    desk.again = lambda: slip(desk, "")
    _do(desk, issues, use_cases.slipped, "slipped", "closed, or no version milestone to slip from or to")


def drop(desk: CommandContext, _: str) -> None:
    """Move to the Backlog without Deliverable, with the reason as a comment."""
    issues = desk.targets()
    catalog, today = desk.bridge.catalog, desk.bridge.today
    if catalog is None or today is None:
        return
    try:
        bucket = milestone_title("backlog", desk.bridge.settings, catalog, today)
    except NameUnknown as error:
        desk.tell(error)
        return
    desk.again = lambda: drop(desk, "")
    means = use_cases.dropped(bucket)
    _write(
        desk,
        issues,
        "x p",
        f"Drop to {bucket}: why?",
        lambda comment: _do(desk, issues, means, f"dropped to {bucket}", _CLOSED, comment),
    )


def wont_do(desk: CommandContext, _: str) -> None:
    """Close as won't do."""
    issues = desk.targets()
    desk.again = lambda: wont_do(desk, "")
    _closing(desk, issues, lambda: _do(desk, issues, use_cases.wont_do, "won't do, closed", _CLOSED))


def duplicate(desk: CommandContext, _: str) -> None:
    """Close as a duplicate of the issue whose reference is typed; a comment names it."""
    issues = desk.targets()
    catalog = desk.bridge.catalog
    if catalog is None:
        return
    desk.again = lambda: duplicate(desk, "")

    def reference(text: str) -> str:
        # A bare number is an issue of the same project, if all targets share one project.
        projects = {issue.project for issue in issues}
        text = text.strip()
        short = text.startswith("#") and len(projects) == 1
        return str(parse_reference(projects.pop() + text if short else text, catalog))

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
        means = use_cases.duplicate(full)
        why_not = "already closed, or the issue itself"
        comment = f"Duplicate of {full}"
        _closing(desk, issues, lambda: _do(desk, issues, means, "duplicate, closed", why_not, comment))

    from glboard_tui.screens.dialogs import Prompt

    prompt = Prompt(
        "Duplicate of which issue?",
        note=use_cases.where(issues),
        placeholder="project#12, #12 or its URL",
        check=wrong,
    )
    desk.screen.app.push_screen(prompt, typed)


def spike(desk: CommandContext, _: str) -> None:
    """Add the spike label, and offer the usual weight if there is none."""
    issues = desk.targets()
    desk.again = lambda: spike(desk, "")
    names, planning = desk.bridge.settings.labels, desk.bridge.settings.planning
    marked = [_marked(issue, names.spike) for issue in issues]
    offered = next((w for i in marked if (w := suggested_weight(i, names, planning)) is not None), None)

    def go(weight: int | None) -> None:
        what = "spike" if weight is None else f"spike, weight {weight}"
        _do(desk, issues, use_cases.spiked(weight), what, "")

    if offered is None or not desk.situation().weights:
        go(None)
        return
    desk.ask(
        f"Weight {offered} for a time-boxed spike?",
        {"y": f"set weight {offered} if empty", "n": "only add the spike label"},
        lambda answer: go(offered if answer == "y" else None),
        note="Describe what to find out and the time box.",
    )


def _marked(issue: Issue, label: str) -> Issue:
    return structs.replace(issue, labels=issue.labels | {label})


# Shared by all


def _do(
    desk: CommandContext, issues: Sequence[Issue], means: Means, what: str, why_not: str, comment: str = ""
) -> None:
    """Do it, after listing the labels that do not exist and asking whether to continue without them."""
    planner, now = desk.bridge.planner(), desk.now(issues)
    if planner is None or not now:
        desk.say("Nothing to change here.")
        return
    made = use_cases.compounded(planner, now, means, what, why_not=why_not, comment=comment)
    if not made.lacks:
        desk.careful(made.work)
        return
    answers = {"y": "continue without it"}
    if made.whole.acts:
        answers["o"] = "only where the label exists"
    desk.ask(
        "A label is missing. Continue without it?",
        answers,
        lambda answer: desk.careful(made.work if answer == "y" else made.whole),
        note=made.missing,
    )


def _closing(desk: CommandContext, issues: Sequence[Issue], go: Callable[[], None]) -> None:
    closing = sum(issue.is_open for issue in issues)
    if closing > 1:
        desk.ask(f"Close {closing} issues?", {"y": "close them"}, lambda _: go())
    else:
        go()


def _draft_key(action: str, issues: Sequence[Issue]) -> tuple[str, ...]:
    return (action, *(issue.id for issue in issues))


def _write(
    desk: CommandContext,
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
            desk.drafts.pop(draft, None)
            send(typed)
        elif typed.strip():
            desk.drafts[draft] = typed
            desk.say(f"Nothing changed. Draft saved; press {key} to resume.")
        else:
            desk.drafts.pop(draft, None)

    from glboard_tui.screens.dialogs import CommentDialog

    note = use_cases.where(issues)
    desk.screen.app.push_screen(CommentDialog(title, text=desk.drafts.get(draft, text), note=note), written)


# Conflicts, when someone else changed the same field: keep mine, keep theirs, or look first.


def mine(desk: CommandContext, _: str) -> None:
    """Keep mine: send my change over the current value."""
    _choose(desk, desk.bridge.take_mine, "Kept yours")


def theirs(desk: CommandContext, _: str) -> None:
    """Keep theirs: the current value stays and my change is discarded."""
    _choose(desk, desk.bridge.take_theirs, "Kept theirs")


def _choose(desk: CommandContext, take: Callable[[IssueId], None], said: str) -> None:
    for issue in _clashing(desk):
        try:
            take(issue.id)
        except GlboardError as error:  # it cannot be stored, or this session is read-only: the conflict stays
            desk.tell(error)
            break
        desk.say(f"{said}: {issue.reference.rpartition('/')[2]}.")
    desk.screen.sync()


def look(desk: CommandContext, _: str) -> None:
    """Show each field: what I saw, what I want, and its current value."""
    found = _clashing(desk)
    if not found:
        return
    issue = found[0]
    clashes = desk.bridge.clashes(issue.id)
    lines = [f"{c.field}: was {c.saw}, mine {c.mine}, theirs {c.theirs}" for c in clashes]
    if any(clash.maybe for clash in clashes):
        lines.append("GitLab's reply to your change was lost; it may have been applied before theirs.")
    desk.ask(
        f"Someone else changed {issue.reference.rpartition('/')[2]} since you saw it.",
        {"m": "keep mine", "t": "keep theirs, discard mine"},
        lambda answer: (mine if answer == "m" else theirs)(desk, ""),
        note="\n".join(lines),
    )


def history(desk: CommandContext, _: str) -> None:
    """Open the change log."""
    from glboard_tui.screens.failed_changes import History

    desk.screen.app.push_screen(History(desk.bridge))


def _clashing(desk: CommandContext) -> list[Issue]:
    found = [issue for issue in desk.targets() if desk.bridge.is_conflicting(issue.id)]
    if not found:
        desk.say("No conflict here.")
    return found
