"""``glboard completion``: the shell's completion of commands and options."""

from __future__ import annotations

import click

from glboard_tui.cli import printing

SHELLS = ("bash", "zsh", "fish")
#: Where each shell reads completions from.
_PLACES = {
    "bash": "~/.local/share/bash-completion/completions/glboard",
    "zsh": '"${fpath[1]}/_glboard"',
    "fish": "~/.config/fish/completions/glboard.fish",
}


@click.command("completion", epilog=f"For example:\n\n\b\n  glboard completion bash > {_PLACES['bash']}")
@click.argument("shell", type=click.Choice(SHELLS))
@click.pass_context
def completion_command(ctx: click.Context, shell: str) -> None:
    """Print the completion script for SHELL: bash (4.4 or later), zsh or fish."""
    from click.shell_completion import get_completion_class

    found = get_completion_class(shell)
    assert found is not None  # click has all three
    made = found(ctx.find_root().command, {}, "glboard", "_GLBOARD_COMPLETE")
    # Not its source(), which starts a bash to ask for its version.
    script = made.source_template % made.source_vars()
    # From its second call on, zsh runs the file as a function, which Click takes for being sourced: nothing
    # would be completed then.
    printing.echo(script.replace("$zsh_eval_context[-1] == loadautofunc", "$funcstack[1] == _glboard"))
