"""Drafts: one on or off, the list of them, and the comparison."""

from __future__ import annotations

from glboard_core.errors import GlboardError
from glboard_tui.commands.context import CommandContext
from glboard_tui.drafts import staged_words

#: What a first draft is called where no milestone tells.
_FIRST = "draft"


def toggle(context: CommandContext, _: str) -> None:
    """Turn the draft off; or turn on the last one, the only one or a new one. Of several, ask which."""
    drafts = context.bridge.drafts
    try:
        if (current := drafts.current) is not None:
            drafts.turn_off()
            context.shell.sync()
            key = context.keymap.key("draft.toggle")
            kept = f"it keeps {staged_words(len(current.issues))}" if current.issues else "it is empty"
            context.say(f"Draft {current.name} is off, {kept}; {key} turns it on. Edits are sent to GitLab.")
            return
        known = {draft.id: draft for draft in drafts.all}
        if drafts.latest in known and drafts.latest is not None:
            drafts.turn_on(drafts.latest)
        elif len(known) == 1:
            drafts.turn_on(next(iter(known)))
        elif known:
            show(context)
            return
        else:
            drafts.begin(first_name(context))
    except GlboardError as error:
        context.tell(error)
        return
    context.shell.sync()
    _say_on(context)


def first_name(context: CommandContext) -> str:
    """A name for a new draft: that of the milestone it is about."""
    milestone = context.planning.milestone()
    return context.bridge.drafts.unused(milestone.title if milestone is not None else _FIRST)


def _say_on(context: CommandContext) -> None:
    drafts = context.bridge.drafts
    if (current := drafts.current) is not None:
        compares, off = (context.keymap.key(name) for name in ("pane.drafts", "draft.toggle"))
        context.say(
            f"Draft {current.name} is on, {staged_words(drafts.count)}: nothing is sent. "
            f"{compares} compares and applies, {off} turns it off"
        )


def compare(context: CommandContext, _: str) -> None:
    """Show the plan before and after, with every staged change; from there, or without a draft, the list."""
    from glboard_tui.screens.drafts import DraftList

    milestone = context.planning.milestone()
    if not context.bridge.drafts.is_on or milestone is None or isinstance(context.top, DraftList):
        show(context)
        return
    context.make_way()
    context.shell.app.push_screen(DraftList(context, milestone), lambda _: context.shell.show_footer())


def show(context: CommandContext) -> None:
    """List the drafts by name."""
    from glboard_tui.screens.drafts import DraftNames

    context.shell.app.push_screen(DraftNames(context), lambda _: context.shell.sync())
