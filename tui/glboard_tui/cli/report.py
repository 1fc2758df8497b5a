"""``glboard report``: what the planning rules compute, as text or data.

Owns the command's arguments and which issues each report reads. The rules are in ``glboard_core.planning``,
the JSON in ``report_output.py``, texts and tables in ``report_output.py``.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from typing import TYPE_CHECKING

import click
from msgspec import Struct, structs

from glboard_core.board.definition import flow_scheme
from glboard_core.errors import ConfigError, UsageError
from glboard_core.model.issue import Issue
from glboard_core.model.milestone import Milestone, by_title, preceding
from glboard_core.planning import capacity as capacities
from glboard_core.planning.candidates import candidates
from glboard_core.planning.capacity import load_of
from glboard_core.planning.mix import mix
from glboard_core.planning.plan_lock import PlanSnapshot
from glboard_core.planning.readiness import open_for_deliverables
from glboard_core.planning.team import Team
from glboard_core.planning.triage import Rules, triage
from glboard_tui.cli import context, report_output
from glboard_tui.cli.context import Options
from glboard_tui.cli.report_output import Printed

if TYPE_CHECKING:
    from glboard_core.reports import Reports

KINDS = ("say-do", "capacity", "candidates", "mix", "load", "scope", "triage")


#: Reports that use the plan locked on this machine, or data stored between runs.
_KEEPING = frozenset({"say-do", "scope", "capacity"})


class Asked(Struct, frozen=True, kw_only=True):
    """What the command line asks for."""

    options: Options
    milestone: str | None
    locked_at: datetime | None
    names: bool = False


Reader = Callable[[Asked, "Reports"], Awaitable[Printed]]


@click.command("report")
@click.argument("kind", type=click.Choice(KINDS), metavar="KIND")
@click.argument("milestone", required=False)
@click.option("--names", is_flag=True, help="Markdown with a line per person, not only totals (capacity).")
@context.format_option
@context.locked_at_option
@context.team_option
@context.as_of_option
@click.pass_obj
def report_command(
    options: Options,
    kind: str,
    milestone: str | None,
    names: bool,
    style: str,
) -> int:
    """Print a report on MILESTONE: a title, current, next, or an alias. triage takes none.

    \b
    say-do      what was planned and what was done, by every definition
    capacity    days and weight per person; carry-over, planned, free
    candidates  what can become a Deliverable, in suggested order, and why not
    mix         bugs, maintenance and features compared with the target
    load        Deliverable weight per person compared with the budget
    scope       what was added, removed and reweighted since the plan was locked
    triage      open issues that need fixing
    """
    if kind == "triage" and milestone is not None:
        raise UsageError("triage covers all open issues and takes no milestone.")
    if kind != "triage" and milestone is None:
        raise UsageError(f"Which milestone? Try: glboard report {kind} next")
    asked = Asked(
        options=options,
        milestone=milestone,
        locked_at=options.locked_at,
        names=names,
    )
    printed, unread = _settled(asked, _READERS[kind], keep=kind in _KEEPING)
    click.echo(printed.as_(style))
    for line in _about_unread(unread):
        click.echo(line, err=True)
    return 3 if unread else 0


def _settled(asked: Asked, reader: Reader, *, keep: bool) -> tuple[Printed, tuple[str, ...]]:
    """Run a reader; ``keep`` if it uses data stored on this machine."""
    from glboard_core.sync.engine import UserChangedError

    try:
        return asyncio.run(_read(asked, reader, keep))
    except UserChangedError:
        # The token belongs to another user than last time. That is stored now, so their state file is opened.
        return asyncio.run(_read(asked, reader, keep))


async def _read(asked: Asked, reader: Reader, keep: bool) -> tuple[Printed, tuple[str, ...]]:
    async with _reports(asked.options, keep) as reports:
        await reports.engine.load_catalog()
        return await reader(asked, reports), reports.unread


@asynccontextmanager
async def _reports(options: Options, keep: bool) -> AsyncIterator[Reports]:
    from glboard_core.gitlab.account import find_account
    from glboard_core.reports import open_reports
    from glboard_core.session import open_engine

    settings = options.settings()
    account = find_account(options.url, configured=settings.gitlab.url)
    place = structs.replace(options.place, keep=keep)
    async with (
        open_engine(place, settings, account=account) as engine,
        open_reports(engine, account, as_of=options.as_of) as reports,
    ):
        yield reports


def _about_unread(unread: tuple[str, ...]) -> list[str]:
    if not unread:
        return []
    return [
        f"glboard: no history for {len(unread)} issues; using their current state:",
        f"  {', '.join(unread)}",
    ]


def _progress(done: int, of: int) -> None:
    """A progress line, on a terminal only: a pipe gets nothing but the report."""
    if sys.stderr.isatty():
        click.echo(f"\rreading events {done}/{of}", nl=False, err=True)
        if done == of:
            click.echo("\r\x1b[K", nl=False, err=True)


def _kept(asked: Asked, reports: Reports, milestone: Milestone) -> PlanSnapshot | None:
    from glboard_core.reports import kept_plan

    if asked.locked_at is not None:
        return None
    return kept_plan(reports.engine.store, milestone.title, reports.catalog.group_id)


# -- one reader per report


async def _say_do(asked: Asked, reports: Reports) -> Printed:
    milestone = reports.milestone(asked.milestone or "")
    found = await reports.say_do(
        milestone, locked_at=asked.locked_at, plan=_kept(asked, reports, milestone), progress=_progress
    )
    return Printed(
        report_output.say_do_as_json(found),
        report_output.say_do_as_text(found, milestone, reports.engine.now()),
    )


async def _scope(asked: Asked, reports: Reports) -> Printed:
    milestone = reports.milestone(asked.milestone or "")
    found = await reports.scope(
        milestone, locked_at=asked.locked_at, plan=_kept(asked, reports, milestone), progress=_progress
    )
    return Printed(report_output.scope_as_json(found), report_output.scope_as_text(found))


async def _capacity(asked: Asked, reports: Reports) -> Printed:
    milestone = reports.milestone(asked.milestone or "")
    team = asked.options.read_team()
    if team is None:
        raise ConfigError(
            "no such file; capacity needs the team's days.",
            where=str(asked.options.config_path.parent / "team.toml"),
            hint="Create one (see the README), or set another with --team.",
        )
    found = _capacity_of(await _with_carry_over(reports, milestone), milestone, team, reports)
    from glboard_core.planning.capacity import markdown
    from glboard_core.reports import read_closed

    closed = await read_closed(reports, milestone)
    posted = markdown(found, milestone, closed, names=asked.names)
    return Printed(
        report_output.capacity_as_json(found), report_output.capacity_as_text(found, closed, posted)
    )


async def _with_carry_over(reports: Reports, milestone: Milestone) -> list[Issue]:
    before = preceding(reports.catalog.milestones, milestone.title)
    return await reports.open_issues([milestone.title, *([before.title] if before else [])])


def _capacity_of(
    issues: list[Issue], milestone: Milestone, team: Team, reports: Reports
) -> capacities.Capacity:
    settings = reports.settings
    return capacities.capacity(
        issues,
        milestone,
        team,
        reports.catalog.milestones,
        flow_scheme(settings),
        settings.labels,
        settings.planning,
    )


async def _candidates(asked: Asked, reports: Reports) -> Printed:
    milestone = reports.milestone(asked.milestone or "")
    team = asked.options.read_team()
    dated = milestone.start is not None and milestone.due is not None
    issues = await _with_carry_over(reports, milestone)
    found = candidates(
        issues,
        milestone.title,
        open_for_deliverables(reports.catalog.milestones, reports.engine.today()),
        flow_scheme(reports.settings),
        reports.settings.labels,
    )
    space = _capacity_of(issues, milestone, team, reports).space() if team and dated else None
    return Printed(
        report_output.candidates_as_json(milestone.title, found),
        report_output.candidates_as_text(milestone.title, found, space),
    )


async def _mix(asked: Asked, reports: Reports) -> Printed:
    milestone = reports.milestone(asked.milestone or "")
    issues = await reports.open_issues([milestone.title])
    found = mix(issues, milestone.title, reports.settings.labels, reports.settings.planning.mix)
    return Printed(report_output.mix_as_json(found), report_output.mix_as_text(found))


async def _load(asked: Asked, reports: Reports) -> Printed:
    milestone = reports.milestone(asked.milestone or "")
    team = asked.options.read_team()
    found = load_of(await reports.open_issues([milestone.title]), milestone, team, reports.settings.labels)
    return Printed(report_output.load_as_json(found), report_output.load_as_text(found))


async def _triage(_: Asked, reports: Reports) -> Printed:
    issues = await reports.open_issues()
    await reports.extend_for(issues)
    rules = Rules(
        names=reports.settings.labels,
        flow=flow_scheme(reports.settings),
        milestones=by_title(reports.catalog.milestones),
        today=reports.engine.today(),
    )
    found = triage(issues, rules)
    now = reports.engine.now()
    return Printed(report_output.triage_as_json(found, now), report_output.triage_as_text(found, now))


_READERS: dict[str, Reader] = {
    "say-do": _say_do,
    "scope": _scope,
    "capacity": _capacity,
    "candidates": _candidates,
    "mix": _mix,
    "load": _load,
    "triage": _triage,
}
