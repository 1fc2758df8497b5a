"""Share mode: on, off, and one confidential issue shown for a moment."""

from __future__ import annotations

from glboard_tui.commands.context import CommandContext
from glboard_tui.share import SHOWN


def start(context: CommandContext, _: str) -> None:
    """Share the screen; if a confidential issue is shown for a moment, hide it now."""
    share = context.bridge.share
    if share.revealed is not None:
        share.hide()
        context.say("Hidden again.")
        return
    share.start()
    stop = context.keymap.key("share.off")
    context.say(f"Share mode on: {stop} stops sharing. Confidential issues and people's figures are hidden.")


def stop(context: CommandContext, _: str) -> None:
    """Stop sharing."""
    context.bridge.share.stop()
    context.say("Share mode off: everything is shown.")


def reveal(context: CommandContext, _: str) -> None:
    """Show one confidential issue, after asking; it hides again by itself."""
    share = context.bridge.share
    hidden = [issue for issue in context.targets() if share.hides(issue)]
    if len(hidden) != 1:
        context.say("Show one confidential issue at a time.")
        return
    (issue,) = hidden
    key = context.keymap.key("share.on")
    context.ask(
        f"Show {context.bridge.reference_of(issue)} to everyone watching?",
        {"y": f"show it for {SHOWN:.0f} s; {key} hides it sooner"},
        lambda _: share.reveal(issue),
    )
