"""``glboard demo``: the embedded GitLab, with the board or on its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from glboard_core import errors
from glboard_core.demo.http.process import (
    DEFAULT_ISSUES,
    DEFAULT_UNPLACED,
    EDITIONS,
    FLOWS,
    SIZES,
    TIERS,
    VERSIONS,
    DemoOptions,
    OptionsError,
)
from glboard_core.errors import UsageError
from glboard_tui.cli import context
from glboard_tui.cli.context import Options


@click.command("demo")
@click.option("--scenario", type=click.Path(path_type=Path), metavar="FILE", help="Load a scenario (JSON).")
@click.option(
    "--size",
    type=click.Choice(SIZES),
    default="team",
    show_default=True,
    help="Generate a team's group, or an organization with 100,000 issues.",
)
@click.option(
    "--issues",
    type=click.IntRange(min=1),
    default=DEFAULT_ISSUES,
    show_default=True,
    metavar="N",
    help="Number of issues of the group.",
)
@click.option(
    "--unplaced",
    type=click.IntRange(0, 100),
    default=DEFAULT_UNPLACED,
    show_default=True,
    metavar="PERCENT",
    help="Number of issues without a rank.",
)
@click.option(
    "--seed", type=int, default=1, show_default=True, metavar="S", help="Random seed of the generated group."
)
@click.option(
    "--flow",
    type=click.Choice(FLOWS),
    default="label",
    show_default=True,
    help="Where to store workflow states; with both, some differ.",
)
@click.option("--user", metavar="NAME", help="User to sign in as (default: the EM).")
@click.option(
    "--latency", type=click.FloatRange(min=0), default=0, metavar="MS", help="Delay every response."
)
@click.option(
    "--faults", default="", metavar="SPEC", help="Inject faults, such as 429:0.1,500:0.05,reset-after:0.05."
)
@click.option("--plain-headers", is_flag=True, help="Omit Date and RateLimit headers.")
@click.option("--tier", type=click.Choice(TIERS), default="ultimate", show_default=True, help="GitLab tier.")
@click.option(
    "--edition", type=click.Choice(EDITIONS), default="ee", show_default=True, help="GitLab edition."
)
@click.option(
    "--gitlab-version", type=click.Choice(VERSIONS), default="18.9", show_default=True, help="GitLab version."
)
@click.option(
    "--token-life",
    type=click.IntRange(min=1),
    default=7200,
    show_default=True,
    metavar="SECONDS",
    help="Expire OAuth access tokens after this time.",
)
@click.option("--approve", is_flag=True, help="Grant OAuth sign-ins without a click in the browser.")
@click.option("--relative-url", default="", metavar="PATH", help="Serve under this relative URL.")
@click.option(
    "--serve",
    metavar="HOST:PORT",
    help="Run only the server; port 0 picks a free port. Prints how to connect.",
)
@click.option("--allow-remote", is_flag=True, help="Let --serve listen on other addresses than loopback.")
@click.option(
    "--board",
    metavar="BOARD",
    default="planning",
    show_default=True,
    help="The board to open.",
    shell_complete=context.complete_board,
)
@click.option("--call", is_flag=True, help="Start a planning call.")
@context.as_of_option
@context.team_option
@context.share_option
@click.pass_context
def demo_command(
    ctx: click.Context,
    /,
    scenario: Path | None,
    latency: float,
    serve: str | None,
    board: str,
    call: bool,
    **given: Any,
) -> None:
    """Open the board on the built-in demo server with a realistic group; changes last for the session.

    It never touches your configuration or account. With --as-of its clock starts at that time and runs on:
    the same day gives the same group.

    To try a sign-in, run `glboard demo --serve 127.0.0.1:8080`, and in another terminal
    `GLBOARD_CLIENT_ID=glboard-demo glboard auth login --url http://127.0.0.1:8080`.
    """
    globally: Options = ctx.obj
    host, port = _address(serve) if serve is not None else ("127.0.0.1", 0)
    options = DemoOptions(
        scenario=str(scenario) if scenario else None,
        host=host,
        port=port,
        latency_ms=latency,
        # A scenario has its own time; --as-of then moves only the dates, as with any GitLab.
        as_of=globally.as_of.isoformat() if globally.as_of and scenario is None else None,
        **given,
    )
    try:
        options.check()
    except OptionsError as error:
        raise UsageError(str(error), hint="See glboard demo --help.") from None
    if serve is not None:
        from glboard_core.demo.http.server import serve as serve_alone

        ctx.exit(serve_alone(options))
    if options.allow_remote:
        raise UsageError("--allow-remote requires --serve.", hint="Example: --serve 0.0.0.0:8080")
    if scenario is not None and not scenario.is_file():
        raise errors.ScenarioError(f"{scenario}: no such file.")
    from glboard_tui.cli.open import open_demo

    ctx.exit(
        open_demo(globally, options, context.board_id(Options(config=globally.config), board), call=call)
    )


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal() or len(port) > 5:
        raise UsageError(f"“{text}” is not HOST:PORT.", hint="For example 127.0.0.1:8080, or 127.0.0.1:0.")
    return host.strip("[]"), int(port)
