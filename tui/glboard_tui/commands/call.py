"""What a person adds to the decisions by key: notes about issues, and open questions."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from glboard_core.errors import GlboardError, SharedScreen
from glboard_tui.commands.context import CommandContext

if TYPE_CHECKING:
    from glboard_core.planning.call import Call


def note(context: CommandContext, _: str) -> None:
    """Note something about the targets: in the call that goes on, else with the decisions of the week."""
    issues, calls = context.targets(), context.planning.calls
    call = calls.running or calls.span()
    if call is None or not issues:
        context.say("No version milestone with dates to plan.")
        return
    kept = call.note_on(issues[0].id) if len(issues) == 1 else None
    if kept is not None and context.bridge.typed(kept.text) != kept.text:
        context.tell(SharedScreen())
        return

    def typed(text: str) -> None:
        if not attempt(context, lambda: calls.note(call, issues, text)):
            return
        what = context.bridge.reference_of(issues[0]) if len(issues) == 1 else f"{len(issues)} issues"
        where = "the call" if call.is_call else f"the decisions of {call.milestone}"
        key = context.keymap.key("pane.decisions")
        words = f"Noted on {what}" if text.strip() else f"No note on {what}"
        context.say(f"{words}, for {where}; {key} shows them.")
        refresh(context)

    write(
        context,
        "Note for the decisions",
        typed,
        text=kept.text if kept is not None else "",
        note=context.bridge.reference_of(issues[0])
        if len(issues) == 1
        else f"{len(issues)} issues, same note on each",
    )


def questions(context: CommandContext, call: Call) -> None:
    """Edit the open questions, one on each line."""
    calls = context.planning.calls
    call = calls.newest(call)
    if context.bridge.typed("\n".join(call.questions)) != "\n".join(call.questions):
        context.tell(SharedScreen())
        return

    def typed(text: str) -> None:
        if attempt(context, lambda: calls.ask(call, text)):
            refresh(context)

    write(
        context,
        "Open questions",
        typed,
        text="\n".join(call.questions),
        note="One per line. Notes that end with ? are listed, too.",
    )


def attempt(context: CommandContext, change: Callable[[], object]) -> bool:
    """Do something that a full disk can refuse; return whether it was done."""
    try:
        change()
    except GlboardError as error:
        context.tell(error)
        return False
    return True


def refresh(context: CommandContext) -> None:
    """Show what was typed: in the header, and in a list on top."""
    context.shell.show_header()
    if context.top is not None:
        context.top.renew()


def write(context: CommandContext, title: str, typed: Callable[[str], None], *, text: str, note: str) -> None:
    """Open a dialog for some lines; both of its ends keep them, and an empty text removes what was there."""
    from glboard_tui.screens.prompts import CommentDialog

    def closed(answer: tuple[str, bool] | None) -> None:
        if answer is not None and answer[0].strip() != text.strip():
            typed(answer[0])

    catalog = context.bridge.catalog
    people = [person.username for person in catalog.people] if catalog is not None else []
    dialog = CommentDialog(context.keymap, title, text=text, note=note, people=people, keeps=True)
    context.shell.app.push_screen(dialog, closed)
