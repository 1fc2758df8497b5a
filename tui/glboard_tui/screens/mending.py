"""Editing a failed change: opens the editor for its kind, filled in with the failed value.

Owns which parts of a change can be edited, and its text for copying. It sends nothing: the caller gets the
edited change, and the failed one stays in the list until that is accepted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from msgspec import UNSET, UnsetType, structs

from glboard_core.board.operations import Change, Comment, Create, Edit, NoteWrite
from glboard_core.board.use_cases import joined, split
from glboard_core.errors import GlboardError
from glboard_core.model.issue import Issue
from glboard_tui.commands.context import CommandContext
from glboard_tui.commands.edit import milestone_choices, wrong_weight
from glboard_tui.commands.people import label_choices, person_choices
from glboard_tui.known import Refused
from glboard_tui.screens.editor import edit_in_editor
from glboard_tui.widgets.choices import Result, Tick, Ticks

Done = Callable[[Change], None]

#: The letter of each part, the same as its key on the board.
_LETTERS = {
    "milestone": "m",
    "weight": "w",
    "assignees": "a",
    "labels": "t",
    "title": "e",
    "description": "e",
}


def parts_of(act: Change) -> list[str]:
    """The parts that can be edited; none for a rank, a state or a deletion."""
    if isinstance(act, Comment):
        return ["comment"]
    if not isinstance(act, Edit | Create):
        return []
    found = [name for name in ("milestone", "weight", "assignees") if _has(getattr(act, name), act)]
    labels = act.labels if isinstance(act, Create) else act.add | act.remove
    if labels:
        found.append("labels")
    if act.description is not UNSET and act.description:
        found.append("description")
    elif act.title is not UNSET:
        found.append("title")
    return found


def _has(value: object, act: Edit | Create) -> bool:
    return value not in (None, ()) if isinstance(act, Create) else value is not UNSET


def text_of(act: Change) -> str:
    """The text a person typed for it, or "" for a change made by keys alone."""
    match act:
        case Comment() | NoteWrite():
            return act.body
        case Create() | Edit():
            title, description = _text(act.title), _text(act.description)
            return joined(title, description).strip() if title and description else title or description
        case _:
            return ""


def _text(value: str | UnsetType) -> str:
    return "" if value is UNSET else value


def mend(desk: CommandContext, row: Refused, done: Done) -> None:
    """Open the editor; ``done`` gets the edited change, and is not called on Esc."""
    parts = parts_of(row.act)
    if len(parts) > 1:
        desk.ask(
            "Which part do you want to edit? The rest is sent unchanged.",
            {_LETTERS[part]: part for part in parts},
            lambda letter: _mend(desk, row, next(p for p in parts if _LETTERS[p] == letter), done),
            note=row.message,
        )
    elif parts:
        _mend(desk, row, parts[0], done)


def _mend(desk: CommandContext, row: Refused, part: str, done: Done) -> None:
    act, issue = row.act, desk.bridge.issue(row.issue)
    if isinstance(act, Comment):
        _comment(desk, row, act, done)
    elif not isinstance(act, Edit | Create):
        return
    elif part == "weight":
        _weight(desk, row, act, done)
    elif part == "title":
        _title(desk, row, act, done)
    elif part == "description":
        _description(desk, row, act, issue, done)
    else:
        projects = {act.project if isinstance(act, Create) else row.project}
        choose = {"milestone": _milestone, "assignees": _assignees, "labels": _labels}[part]
        choose(desk, row, act, issue, projects, done)


def _comment(desk: CommandContext, row: Refused, act: Comment, done: Done) -> None:
    from glboard_tui.screens.compose import CommentDialog

    key = ("failed", row.op)

    def written(answer: tuple[str, bool] | None) -> None:
        if answer is None:
            return
        text, send = answer
        # It stays a draft until it is sent.
        desk.drafts[key] = text
        if send:
            done(Comment(body=text))

    draft = CommentDialog(
        f"Comment on {row.reference}", text=desk.drafts.get(key, act.body), note=row.message
    )
    desk.screen.app.push_screen(draft, written)


def _weight(desk: CommandContext, row: Refused, act: Edit | Create, done: Done) -> None:
    from glboard_tui.screens.prompt import Prompt

    def typed(text: str | None) -> None:
        if text is not None:
            done(structs.replace(act, weight=int(text) if text.strip() else None))

    value = act.weight if isinstance(act.weight, int) else ""
    prompt = Prompt(
        f"Weight of {row.reference}",
        value=str(value),
        note=row.message,
        placeholder="leave empty to clear",
        check=wrong_weight,
    )
    desk.screen.app.push_screen(prompt, typed)


def _title(desk: CommandContext, row: Refused, act: Edit | Create, done: Done) -> None:
    from glboard_tui.screens.prompt import Prompt

    def typed(text: str | None) -> None:
        if text is not None:
            done(structs.replace(act, title=text.strip()))

    prompt = Prompt(
        f"Title of {row.reference}",
        value=_text(act.title),
        note=row.message,
        check=lambda text: "" if text.strip() else "An issue needs a title.",
    )
    desk.screen.app.push_screen(prompt, typed)


def _description(
    desk: CommandContext, row: Refused, act: Edit | Create, issue: Issue | None, done: Done
) -> None:
    key = ("failed", row.op)
    was = _text(act.title) or (issue.title if issue else "")
    before = joined(was, _text(act.description))
    try:
        after = edit_in_editor(desk.screen.app, desk.drafts.get(key, before))
    except GlboardError as error:
        desk.tell(error)
        return
    if after is None:
        return
    desk.drafts[key] = after
    title, description = split(after)
    if title and title != was:
        act = structs.replace(act, title=title)
    done(structs.replace(act, description=description))


def _milestone(
    desk: CommandContext, row: Refused, act: Edit | Create, _: Issue | None, projects: set[str], done: Done
) -> None:
    choices = milestone_choices(desk, projects)
    # The failed one first, if it can be chosen at all: the cursor starts there.
    choices.sort(key=lambda choice: choice.value != act.milestone)
    desk.pick(
        f"Milestone of {row.reference} instead of {act.milestone or 'none'}",
        choices,
        lambda result: done(structs.replace(act, milestone=result.add[0])),
        note=row.message,
    )


def _assignees(
    desk: CommandContext, row: Refused, act: Edit | Create, issue: Issue | None, _: set[str], done: Done
) -> None:
    wanted = act.assignees if act.assignees is not UNSET else ()
    now = issue.assignees if issue else ()

    def picked(result: Result) -> None:
        kept = [name for name in now if name not in result.remove]
        done(structs.replace(act, assignees=tuple(dict.fromkeys((*kept, *result.add)))))

    desk.pick(
        f"Assignees of {row.reference}",
        person_choices(desk, [*wanted, *(name for name in now if name not in wanted)]),
        picked,
        ticks=_ticked(now, wanted),
        note=row.message,
    )


def _labels(
    desk: CommandContext,
    row: Refused,
    act: Edit | Create,
    issue: Issue | None,
    projects: set[str],
    done: Done,
) -> None:
    now = issue.labels if issue else frozenset()
    wanted = act.labels if isinstance(act, Create) else (now - act.remove) | act.add
    first = sorted(wanted - now, key=str.casefold) + sorted(now, key=str.casefold)

    def picked(result: Result) -> None:
        if isinstance(act, Create):
            done(structs.replace(act, labels=frozenset(result.add)))
        else:
            done(structs.replace(act, add=frozenset(result.add), remove=result.remove))

    desk.pick(
        f"Labels of {row.reference}",
        label_choices(desk, projects, first),
        picked,
        ticks=_ticked(now, wanted, scoped=True),
        note=row.message,
    )


def _ticked(now: Iterable[str], wanted: Iterable[str], *, scoped: bool = False) -> Ticks:
    """The current values, with the failed change already ticked."""
    start: dict[str, Tick] = dict.fromkeys(now, "on")
    ticks, wanted = Ticks(start, scoped=scoped), set(wanted)
    for value in sorted(start.keys() - wanted):
        ticks.toggle(value)
    for value in sorted(wanted - start.keys()):
        ticks.toggle(value)
    return ticks
