"""``glboard milestone open M``: the planning issue, the boards and the labels of a milestone in GitLab."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, get_args

import click

from glboard_core.errors import READ_ONLY, UsageError
from glboard_core.planning.milestone_setup import Part, Step, StepOutcome
from glboard_tui.cli import context, printing
from glboard_tui.cli.context import PARTLY, Options
from glboard_tui.cli.groups import NamedGroup

if TYPE_CHECKING:
    from glboard_core.milestone_setup import MilestoneSetup

_DOES = {"create": "create", "update": "update", "nothing": "no change", "impossible": "not possible"}


@click.group("milestone", cls=NamedGroup)
@context.as_of_option
@context.team_option
def milestone_command() -> None:
    """Set up a milestone in GitLab."""


@milestone_command.command("open")
@click.argument("milestone", shell_complete=context.complete_milestone)
@click.option("--dry-run", is_flag=True, help="Print the changes; change nothing.")
@click.option("--yes", is_flag=True, help="Apply without confirmation, including labels.")
@click.option(
    "--without",
    multiple=True,
    type=click.Choice(get_args(Part)),
    metavar="PART",
    help="Skip this part: label, board or issue.",
)
@context.team_option
@context.as_of_option
@context.share_option
@click.option(
    "--format",
    "style",
    type=click.Choice(("table", "json")),
    default="table",
    show_default=True,
    help="Output format.",
)
@click.pass_context
def open_milestone(
    ctx: click.Context, milestone: str, dry_run: bool, yes: bool, without: tuple[Part, ...], style: str
) -> None:
    """Create or update the planning issue, the boards and the labels of MILESTONE.

    MILESTONE is a title, current, next, or after-next. A preview is shown first. Existing parts are updated
    and never created twice; what people wrote or chose is preserved. Exit status 3: partly done, and what is
    missing is listed.
    """
    if style == "json" and not (dry_run or yes):
        raise UsageError(
            "--format json requires --dry-run or --yes.", hint="JSON output cannot ask for confirmation."
        )
    options: Options = ctx.obj
    if options.read_only and not dry_run:
        raise UsageError(READ_ONLY, hint="Add --dry-run to preview the changes.")
    skipped, team, as_json = frozenset(without), options.read_team(), style == "json"

    async def task() -> int:
        from glboard_core.milestone_setup import MilestoneSetup

        folder = options.config_path.parent
        async with options.signed_in(keep=True) as engine:
            opening = MilestoneSetup(engine, milestone, team=team, folder=folder)
            return await _open(opening, skipped, dry_run=dry_run, yes=yes, as_json=as_json)

    ctx.exit(context.run_signed_in(task))


async def _open(
    opening: MilestoneSetup, without: frozenset[Part], *, dry_run: bool, yes: bool, as_json: bool
) -> int:
    steps = [step for step in await opening.look() if step.part not in without]
    title = opening.milestone.title
    due = any(step.is_due for step in steps)
    if as_json and (dry_run or not due):
        printing.echo(printing.as_json({"milestone": title, "steps": [_step(step) for step in steps]}))
        return 0
    if not as_json:
        printing.echo("\n".join((f"Milestone {title}", *_lines(steps), "")))
    if not due:
        printing.echo("Nothing to do.")
        return 0
    if dry_run:
        printing.echo("No changes made (--dry-run).")
        return 0
    if not yes:
        chosen = _asked(steps)
        if chosen is None:
            printing.echo("No changes made.")
            return 0
        without |= chosen
    left = [step for step in opening.steps if step.part in without]
    tell = not as_json and sys.stderr.isatty()
    outcomes = await opening.do(without=left, progress=_progress if tell else lambda *_: None)
    if as_json:
        printing.echo(printing.as_json(_result(title, steps, outcomes)))
    elif outcomes:
        printing.echo("\n".join(_results(outcomes)))
    if all(one.is_whole for one in outcomes):
        return 0
    return PARTLY if any(one.state == "done" for one in outcomes) else 1


def _asked(steps: Sequence[Step]) -> frozenset[Part] | None:
    """The parts to skip; None to do nothing."""
    labels = [step.name for step in steps if step.part == "label" and step.is_due]
    others = any(step.is_due for step in steps if step.part != "label")
    if others and not printing.confirm(
        "Apply these changes" + (" (labels are asked separately)?" if labels else "?")
    ):
        return None
    if labels and not printing.confirm(f"Create {', '.join(labels)} in the group?", default=not others):
        return frozenset({"label"}) if others else None
    return frozenset()


def _progress(step: Step, outcome: StepOutcome | None) -> None:
    if outcome is None:
        printing.echo(f"{step.part} {step.name} …", err=True)


def _lines(steps: Sequence[Step]) -> list[str]:
    lines = []
    for step in steps:
        lines.append(f"  {_DOES[step.action]:<12}  {step.part:<5}  {step.name}")
        lines += [f"{'':23}{words}" for words in (*step.words, *step.notes)]
    return lines


def _results(outcomes: Sequence[StepOutcome]) -> list[str]:
    lines = []
    for one in outcomes:
        state = "partly done" if one.state == "done" and one.message else one.state
        lines.append(f"  {state:<12}  {one.step.part:<5}  {one.step.name}  {one.url}".rstrip())
        lines += [f"{'':23}{words}" for words in (one.message, one.hint) if words]
    return lines


def _step(step: Step) -> dict[str, Any]:
    return {
        "part": step.part,
        "name": step.name,
        "action": step.action,
        "changes": list(step.words),
        "notes": list(step.notes),
        "url": step.url or None,
    }


def _result(title: str, steps: Sequence[Step], outcomes: Sequence[StepOutcome]) -> dict[str, Any]:
    results = {(one.step.part, one.step.name): one for one in outcomes}
    rows = []
    for step in steps:
        row = _step(step)
        if (one := results.get((step.part, step.name))) is not None:
            row |= {"result": one.state, "message": one.message or None, "url": one.url or row["url"]}
        rows.append(row)
    return {"milestone": title, "steps": rows}
