"""The configuration file: edited in the person's own editor, and taken up at once."""

from __future__ import annotations

from typing import Protocol, cast

from glboard_core.errors import GlboardError
from glboard_tui.commands.context import CommandContext
from glboard_tui.config_file import FIRST_LINES, ConfigFile
from glboard_tui.live_config import LiveConfig
from glboard_tui.screens.editor import edit_file


class _Configured(Protocol):
    @property
    def config(self) -> LiveConfig: ...


def edit(context: CommandContext, _: str) -> None:
    """Open the configuration in $EDITOR, then use what it says."""
    app = context.shell.app
    live = cast("_Configured", app).config
    if live.file is None:
        context.say("No configuration file in use. Start with --config FILE to use one.")
        return
    try:
        _create(live.file)
        ended = edit_file(app, live.file.path)
    except GlboardError as error:
        context.tell(error)
        return
    if not ended:
        context.say("The editor exited with an error. Reading the file anyway.")
    if live.file.changed(settled=False):
        live.reload()
    else:
        context.say("No changes to the configuration.")


def _create(file: ConfigFile) -> None:
    """A file that does not exist yet, only for its owner. Raises GlboardError."""
    path = file.path
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not path.exists():
            path.touch(mode=0o600)
            path.write_text(FIRST_LINES, encoding="utf-8")
    except OSError as error:
        raise GlboardError(
            f"Cannot create {path}: {error.strerror or error}.",
            title="Configuration",
            hint="Make the folder writable, or start with --config FILE.",
        ) from None
