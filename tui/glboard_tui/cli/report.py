"""``glboard report``: what the planning rules compute, as text or data."""

from __future__ import annotations

from functools import partial

import click
from msgspec import structs

from glboard_core.errors import GroupNotFound, NameUnknown, UsageError
from glboard_core.sync.timing import RECENT
from glboard_tui.cli import context, printing, sharing
from glboard_tui.cli.context import Options
from glboard_tui.cli.report_kinds import REPORTS
from glboard_tui.cli.report_output import Report, ReportOptions

_BY_KIND = {report.kind: report for report in REPORTS}
_HELP = """Print a report on MILESTONE: a title, current, next, or an alias (none for triage).

\b
""" + "\n".join(f"{report.kind:<10}  {report.about}" for report in REPORTS)


@click.command("report", help=_HELP)
@click.argument("kind", type=click.Choice(list(_BY_KIND)), metavar="KIND")
@click.argument("milestone", required=False, shell_complete=context.complete_milestone)
@click.option("--names", is_flag=True, help="In Markdown, add a line per person (capacity).")
@click.option(
    "--since", metavar="WHEN", help="Start: a date, a time, or 7d or 36h ago (decisions; default 7d)."
)
@click.option("--by", metavar="USER", help="Only this user's decisions (decisions).")
@context.format_option
@context.locked_at_option
@context.team_option
@context.as_of_option
@context.share_option
@sharing.confidential_option
@click.pass_obj
def report_command(
    options: Options,
    kind: str,
    milestone: str | None,
    names: bool,
    since: str | None,
    by: str | None,
    style: str,
    confidential: bool,
) -> int:
    """Print a report."""
    wanted = _BY_KIND[kind]
    if (since is not None or by is not None) and kind != "decisions":
        raise UsageError("--since and --by are for decisions.", hint=f"Omit them for {kind}.")
    # In a script an empty value is a variable that is not set: it must not pass for everyone, or a week.
    for flag, value in (("--since", since), ("--by", by)):
        if value is not None and not value.strip():
            raise UsageError(f"{flag} needs a value: it is empty.", hint="Pass one, or omit the option.")
    if milestone is not None and not wanted.takes_milestone:
        raise UsageError(
            f"{kind} covers all open issues and takes no milestone.", hint=f"Run: glboard report {kind}"
        )
    if milestone is None and wanted.takes_milestone:
        raise UsageError("Which milestone?", hint=f"Try: glboard report {kind} next")
    asked = ReportOptions(
        options=options,
        milestone=milestone or "",
        names=names,
        since=since or "7d",
        by=(by or "").lstrip("@"),
    )

    async def read(seconds: float | None) -> tuple[Report, tuple[str, ...], list[str]]:
        async with options.reports(keep=True, seconds=seconds) as reports:
            await reports.engine.names.know_milestones([asked.milestone] if asked.milestone else [])
            printed = options.printed(reports.engine, confidential=confidential)
            if wanted.private:
                printed.refuse_figures()
            found = await wanted.compute(asked, reports)
            found = structs.replace(found, printed=printed)
            return found, reports.unread, reports.notes(asked.milestone)

    try:
        try:
            found, unread, notes = context.run_signed_in(partial(read, RECENT))
        except (NameUnknown, GroupNotFound):
            # The stored catalog may lack what is new, or the group's new path.
            found, unread, notes = context.run_signed_in(partial(read, None))
    except KeyboardInterrupt:
        context.end_progress()
        if wanted.keep:
            printing.echo("glboard: stopped. Loaded data is kept for the next run.", err=True)
        raise
    for note in notes:
        printing.echo(f"glboard: {note}", err=True)
    if style == "json":
        printing.echo(found.printed.text(printing.as_json(found.shape())))
    else:
        text = found.text()
        printers = {"table": text.as_table, "markdown": text.as_markdown, "csv": text.as_csv}
        printing.echo(found.printed.text(printers[style]()))
    return context.tell_unread(unread)
