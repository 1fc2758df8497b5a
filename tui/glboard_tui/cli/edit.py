"""``glboard edit REF...``: what the screen's keys do, from the command line.

Owns the options, which of them contradict each other, and what is printed. What an option does, and the
questions it raises, come from the use cases in ``glboard_core``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import click
from msgspec import Struct, structs

from glboard_core.board import issue_cases
from glboard_core.board.batch import EditBatch, Several, combined, commented
from glboard_core.board.columns import Column
from glboard_core.board.fields import HEALTH_WORDS
from glboard_core.board.flow_differences import Right
from glboard_core.board.index import BoardIndex
from glboard_core.board.operations import Change, Op
from glboard_core.board.use_cases import Edits, request_text, targets
from glboard_core.errors import LOAD_FIRST, NameUnknown, UsageError
from glboard_core.model.catalog import Catalog
from glboard_core.model.catalog_needs import Needs, titles_of
from glboard_core.model.issue import HealthStatus, Issue, IssueId
from glboard_core.model.merge_requests import MergeRequest
from glboard_core.model.workflow import BY_NAME
from glboard_core.planning.confirmations import completes, confirmation, heavy
from glboard_core.sync.timing import DAY, RECENT
from glboard_core.unknown_names import not_among
from glboard_tui.cli import context, printing
from glboard_tui.cli.context import PARTLY, UNCONFIRMED, Options
from glboard_tui.cli.edit_names import (
    ME,
    check_labels,
    check_people,
    is_no_milestone,
    label_title,
    not_there,
    present_username,
    username,
    word,
)
from glboard_tui.cli.link_options import NAMES, LinkOptions, link_options, named_issues
from glboard_tui.cli.link_options import intents as link_intents
from glboard_tui.cli.sending import Outcomes

if TYPE_CHECKING:
    from glboard_core.sync.engine import Engine
    from glboard_tui.cli.sharing import Printed

Intent = Callable[[Sequence[Issue]], EditBatch]

#: Options of which one at most makes sense.
_EXCLUSIVE = (
    ("milestone", "defer", "slip", "drop"),
    ("ready", "take", "blocked", "breakdown", "complete"),
    ("close", "reopen", "complete"),
    ("align_flow", "ready"),
    ("align_flow", "take"),
    ("align_flow", "blocked"),
    ("align_flow", "breakdown"),
    ("align_flow", "complete"),
    ("confidential", "public"),
    ("accept", "defer"),
    ("accept", "slip"),
    ("accept", "drop"),
)


class EditOptions(LinkOptions, frozen=True, kw_only=True):
    """The options of ``edit``, as given; None, False or empty means no change."""

    board: str | None
    to: str | None
    milestone: str | None
    weight: str | None
    add: tuple[str, ...]
    remove: tuple[str, ...]
    assign: tuple[str, ...]
    unassign: tuple[str, ...]
    accept: str | None
    defer: bool
    slip: bool
    drop: str | None
    spike: bool
    ready: bool
    take: bool
    blocked: str | None
    breakdown: tuple[str, ...]
    complete: bool
    align_flow: Right | None
    close: bool
    reopen: bool
    confidential: bool
    public: bool
    health: str | None
    comment: str | None

    @property
    def by_date(self) -> bool:
        """Whether the dates of milestones decide what is changed."""
        named = self.milestone not in (None, "none") and not (self.milestone or "")[:1].isdecimal()
        return self.defer or self.slip or bool(self.drop) or named

    def check(self, deliverable: str) -> None:
        """Raises UsageError if nothing is asked for, or if options contradict each other."""
        given = {name for name, value in structs.asdict(self).items() if value not in (None, False, ())}
        # In a script an empty value is a variable that is not set: it must not pass for no change.
        for name, example in (("weight", "3"), ("board", "build"), ("to", "'in dev'"), ("health", "none")):
            if getattr(self, name) == "":
                raise UsageError(f"--{name} needs a value: it is empty.", hint=f"Example: --{name} {example}")
        if bool(self.board) != bool(self.to):
            raise UsageError(
                "--board and --to must be used together.", hint="Example: --board build --to 'in dev'."
            )
        if not given:
            raise UsageError(
                "Nothing to change.",
                hint="Pass at least one change, such as --weight 3 or --to COLUMN.",
            )
        for names in _EXCLUSIVE:
            if len(both := [name for name in names if name in given]) > 1:
                one, other = (_NAMED.get(name, name) for name in both[:2])
                raise UsageError(f"--{one} and --{other} cannot be combined.", hint="Pass only one of them.")
        for name in ("drop", "blocked", "comment"):
            if name in given and not getattr(self, name).strip():
                raise UsageError(f"--{name} needs a value.", hint=f'Example: --{name} "waits for the API"')
        for name in ("milestone", "accept", "add", "remove", "assign", "unassign", "breakdown", *NAMES):
            value = getattr(self, name)
            if any(not one.strip() for one in ((value,) if isinstance(value, str) else value or ())):
                raise UsageError(f"--{_NAMED.get(name, name)} needs a name.", hint="Pass one; it is empty.")
        if self.weight not in (None, "none") and not _is_weight(self.weight or ""):
            raise UsageError(
                f"“{self.weight}” is not a weight.", hint="Use a whole number from 0 to 2147483647, or none."
            )
        plus = {*self.add, *self.assign, *([self.accept, deliverable] if self.accept else [])}
        minus = {*self.remove, *self.unassign, *([deliverable] if self.defer or self.drop else [])}
        if twice := sorted(plus & minus):
            raise UsageError(f"{twice[0]} cannot be both added and removed.", hint="Omit one.")


#: Options with another name than their field.
_NAMED = {
    "add": "add-label",
    "remove": "remove-label",
    "align_flow": "align-flow",
    "blocked_by": "blocked-by",
}


#: How the command line names a health status.
_HEALTH: dict[str, HealthStatus | None] = {
    **{words.replace(" ", "-"): status for status, words in HEALTH_WORDS.items()},
    "none": None,
}


def _is_weight(text: str) -> bool:
    """Whether it is a number that GitLab can store."""
    return text.isdecimal() and len(text) <= 10 and int(text) < 2**31


@click.command("edit")
@click.argument("references", nargs=-1, required=True, metavar="REF...")
@click.option(
    "--board",
    metavar="B",
    help="Board with the column of --to.",
    shell_complete=context.complete_board,
)
@click.option("--to", metavar="COLUMN", help="Move to this column of the board.")
@click.option(
    "--milestone",
    metavar="M",
    help="Set the milestone: a title, current, next, an alias, or none.",
    shell_complete=context.complete_milestone,
)
@click.option("--defer", is_flag=True, help="Move to the next version milestone and remove Deliverable.")
@click.option("--slip", is_flag=True, help="Add the missed label and move to the following milestone.")
@click.option(
    "--drop", metavar="REASON", help="Move to the backlog, remove Deliverable, and comment the reason."
)
@click.option("--weight", metavar="N", help="Set the weight: a whole number, or none.")
@click.option("--ready", is_flag=True, help="Set the state to ready for development.")
@click.option("--take", is_flag=True, help="Assign to me and set the state to in dev.")
@click.option("--blocked", metavar="REASON", help="Set the state to blocked and comment the reason.")
@link_options
@click.option(
    "--breakdown",
    metavar="USER",
    multiple=True,
    help="Set the state to planning breakdown and ask USER in a comment.",
)
@click.option("--spike", is_flag=True, help="Mark as spike; sets the default weight if empty.")
@click.option("--accept", metavar="USER", help="Accept as Deliverable for USER.")
@click.option("--add-label", "add", multiple=True, metavar="LABEL", help="Add a label.")
@click.option("--remove-label", "remove", multiple=True, metavar="LABEL", help="Remove a label.")
@click.option("--assign", multiple=True, metavar="USER", help="Assign to USER, or me; other assignees stay.")
@click.option("--unassign", multiple=True, metavar="USER", help="Unassign USER.")
@click.option("--complete", is_flag=True, help="Set the state to complete and close.")
@click.option(
    "--align-flow",
    type=click.Choice(("label", "status")),
    help="Where label and status differ, keep this one and set the other.",
)
@click.option("--close", is_flag=True, help="Close, without changing the state.")
@click.option("--reopen", is_flag=True, help="Reopen.")
@click.option("--confidential", is_flag=True, help="Make confidential.")
@click.option("--public", is_flag=True, help="Make non-confidential.")
@click.option("--health", type=click.Choice(list(_HEALTH)), help="Set or clear the health status.")
@click.option("--comment", metavar="TEXT", help="Comment on each issue.")
@click.option("--yes", is_flag=True, help="Answer yes to every question.")
@click.option("--dry-run", is_flag=True, help="Print the changes and questions; change nothing.")
@context.as_of_option
@context.share_option
@click.pass_context
def edit_command(
    ctx: click.Context, /, references: tuple[str, ...], yes: bool, dry_run: bool, **given: Any
) -> None:
    """Change issues. REF is group/project#12, project#12 or an issue's URL.

    The options do what the keys on the board do, and ask the same questions, such as whether to accept an
    issue that is not ready. Options that contradict each other are a usage error.

    \b
    Exit status:
      1  nothing was changed
      3  some issues were changed and some were not; each is listed
      4  a question needs --yes; nothing was sent, whatever the other issues are
    With --dry-run the status is 4 as well if --yes would be needed.
    """
    for name in ("assign", "unassign", "breakdown"):
        given[name] = tuple(map(username, given[name]))
    for name in ("add", "remove"):
        given[name] = tuple(map(label_title, given[name]))
    for name, clean in (
        ("accept", username),
        ("weight", word),
        ("to", str.strip),
    ):
        given[name] = clean(given[name]) if given[name] is not None else None
    asked, options = EditOptions(**given), ctx.obj
    asked.check(options.settings().labels.deliverable)
    ctx.exit(context.run_signed_in(lambda: _run(options, references, asked, dry_run=dry_run, yes=yes)))


class _Prepared(Struct, frozen=True, kw_only=True):
    """What is to be done: the issues as they are now, and what the options mean for them.

    ``doubtful``: a label does not exist, or something has to be asked, as far as the stored catalog knows.
    """

    issues: Sequence[Issue]
    found: Several
    changes: Sequence[tuple[IssueId, Change]]
    questions: Sequence[tuple[str, str]]
    doubtful: bool
    #: What was to be removed and is not on an issue, in words.
    absent: Mapping[IssueId, Sequence[str]]


async def _run(
    options: Options, references: Sequence[str], asked: EditOptions, *, dry_run: bool, yes: bool
) -> int:
    if asked.board:
        asked = structs.replace(asked, board=context.board_id(options, asked.board))
    async with options.engine() as engine:
        work = await _prepared(engine, references, asked)
        issues, changes, found = work.issues, work.changes, work.found
        printed = options.printed(engine)
        if dry_run:
            _preview(work, printed)
        if work.questions and not yes:
            _ask(_for_all(work, printed))
            return UNCONFIRMED
        if dry_run:
            return 0 if not found.left else PARTLY if len(found.left) < len(issues) else 1
        _tell_unchanged(work, printed)
        if not changes:
            return 0 if not found.left else PARTLY if len(found.left) < len(issues) else 1
        engine.gateway.prefer_titles()
        ops = engine.perform(changes, found.work.title)
        if (draft := engine.drafts.remembered) is not None:
            printing.echo(
                f"Draft {draft.name} is on in glboard, but this edit is sent, not staged.", err=True
            )
        outcomes = Outcomes(engine, ops, printed)
        await outcomes.send()
        missing = _tell_untaken(engine, issues, changes, ops, printed)
        whole = not (missing or found.left)
        return outcomes.status if whole else PARTLY if outcomes.done else 1


def _tell_untaken(
    engine: Engine,
    issues: Sequence[Issue],
    changes: Sequence[tuple[IssueId, Change]],
    ops: Sequence[Op],
    printed: Printed,
) -> bool:
    """Name the changes that the engine did not take, since an unsent change of an earlier session does them.

    That was sent with the others. Returns whether any of them is still not in GitLab.
    """
    by_id = {issue.id: issue for issue in issues}
    taken = {(op.issue, op.change) for op in ops}
    missing = False
    for identity, change in (one for one in changes if one not in taken):
        now = engine.store.issue(identity)
        done = now is not None and change.changes_nothing(now)
        missing = missing or not done
        what = "set by an earlier change" if done else "not changed: waiting for an earlier change"
        issue = by_id[identity]
        words = "change" if printed.hides_facts(issue) else change.describe()
        printing.echo(f"{issue.reference}: {words}: {what}", err=not done)
    return missing


async def _prepared(engine: Engine, references: Sequence[str], asked: EditOptions) -> _Prepared:
    """Read the issues. A stored catalog that lacks a name is read again before anything is refused."""
    if not await engine.reader.sign_in(RECENT if asked.by_date else DAY):
        with suppress(NameUnknown, UsageError):
            work = await _prepare(engine, references, asked)
            if not work.doubtful:
                return work
        await engine.names.read()
    return await _prepare(engine, references, asked)


async def _prepare(engine: Engine, references: Sequence[str], asked: EditOptions) -> _Prepared:
    issues = await engine.reader.load_issues(references)
    await _know(engine, issues, asked)
    if (catalog := engine.catalog) is None:
        raise NameUnknown("issue", references[0], hint=LOAD_FIRST)
    asked = _present(asked, catalog)
    people = (asked.accept or "", *asked.breakdown, *asked.assign, *asked.unassign)
    check_people(catalog, issues, [name for name in people if name])
    edits = Edits(settings=engine.settings, catalog=catalog, today=engine.today())
    check_labels(catalog, issues, asked.add, asked.remove)
    others = await named_issues(engine, asked, issues)
    found = combined(issues, [*_intents(engine, edits, issues, asked), *link_intents(edits, asked, others)])
    by_id = {issue.id: issue for issue in issues}
    changes = [
        one for one in found.work.changes if not (one[1].changes_nothing(by_id[one[0]]) or others.has(*one))
    ]
    ending = completes(found.work, edits, by_id.get)
    requests = await engine.gateway.merge_requests(ending) if ending else {}
    questions = _questions(found, edits, by_id, asked, requests)
    lacking = any(
        catalog.label(by_id[identity].project, title) is None
        for identity, change in changes
        for title in change.labels_on(by_id[identity].labels) - by_id[identity].labels
    )
    return _Prepared(
        issues=issues,
        found=found,
        changes=changes,
        questions=questions,
        doubtful=lacking or _takes_nothing(catalog, issues, asked) or bool(questions) or bool(found.left),
        absent={
            one.id: not_there(one, asked.remove, asked.unassign, others.not_linked(one, asked.unblock))
            for one in issues
        },
    )


def _takes_nothing(catalog: Catalog, issues: Sequence[Issue], asked: EditOptions) -> bool:
    """Whether a label or person to take off is known and on none of the issues: it may have another name now,
    which no issue read by itself tells."""
    labels = {title for issue in issues for title in issue.labels}
    people = {name for issue in issues for name in issue.assignees}
    titles = {(issue.project, title) for issue in issues for title in set(asked.remove) - labels}
    return any(catalog.label(project, title) is not None for project, title in titles) or any(
        catalog.person(name) is not None for name in set(asked.unassign) - people
    )


async def _know(engine: Engine, issues: Sequence[Issue], asked: EditOptions) -> None:
    """Ask for what the options name, as far as it is not known."""
    await engine.names.know_milestones([asked.milestone] if asked.milestone else [])
    projects = {issue.project for issue in issues}
    assigned = {name for issue in issues for name in issue.assignees}
    gone = (name for name in asked.unassign if name not in assigned)
    people, names = (asked.accept or "", *asked.breakdown, *asked.assign, *gone), engine.settings.labels
    used = [
        title
        for wanted, title in ((asked.spike, names.spike), (asked.slip, names.missed_deliverable))
        if wanted
    ]
    await engine.names.need(
        Needs(
            labels=titles_of(projects, (*asked.add, *asked.remove, *used))
            | frozenset(
                (issue.project, names.missed_prefix + issue.milestone)
                for issue in issues
                if issue.milestone and (asked.slip or asked.drop)
            ),
            people=frozenset(name for name in people if name and name != ME),
        )
    )
    if (catalog := engine.catalog) is not None:
        # To say which ones have a similar name.
        unknown = frozenset(name for name in people if name not in ("", ME) and catalog.person(name) is None)
        await engine.names.need(Needs(near_people=unknown))


def _present(asked: EditOptions, catalog: Catalog) -> EditOptions:
    """The options with the names as they are now: a former name of a label or person still means it."""

    def person(name: str) -> str:
        return present_username(name, catalog)

    def labels(titles: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(catalog.present("label", title) for title in titles)

    return structs.replace(
        asked,
        add=labels(asked.add),
        remove=labels(asked.remove),
        assign=tuple(map(person, asked.assign)),
        unassign=tuple(map(person, asked.unassign)),
        breakdown=tuple(map(person, asked.breakdown)),
        accept=person(asked.accept) if asked.accept else asked.accept,
    )


def _intents(engine: Engine, edits: Edits, issues: Sequence[Issue], asked: EditOptions) -> list[Intent]:
    """What the options mean, in an order in which each finds what it needs of the ones before."""
    weight = int(asked.weight) if asked.weight not in (None, "none") else None
    together = asked.ready and weight is not None
    milestone, reason, blocker, comment = (
        text or "" for text in (asked.milestone, asked.drop, asked.blocked, asked.comment)
    )
    none = engine.catalog is not None and is_no_milestone(milestone, engine.catalog)
    possible: tuple[tuple[object, Intent], ...] = (
        (asked.reopen, lambda on: _set(edits.set_state(on, close=False))),
        (none, lambda on: edits.milestone(on, None)),
        (milestone and not none, lambda on: edits.milestone_named(on, milestone)),
        (asked.defer, edits.defer),
        (asked.slip, edits.slip),
        (reason, lambda on: edits.drop(on, reason)),
        (together, lambda on: edits.weight_ready(on, weight or 0)),
        (asked.weight is not None and not together, lambda on: edits.weight(on, weight)),
        (asked.ready and not together, lambda on: edits.set_flow(on, BY_NAME["ready for development"])),
        (blocker, lambda on: edits.block(on, blocker)),
        (asked.breakdown, lambda on: edits.breakdown(on, request_text(asked.breakdown))),
        (asked.spike, lambda on: edits.spike(on, None if asked.weight == "none" else edits.spike_weight(on))),
        (asked.accept, lambda on: edits.accept(on, asked.accept)),
        (
            asked.assign or asked.unassign,
            lambda on: edits.reassign(on, asked.assign, frozenset(asked.unassign)),
        ),
        (asked.take, edits.take),
        (
            asked.add or asked.remove,
            lambda on: edits.relabel(on, frozenset(asked.add), frozenset(asked.remove)),
        ),
        (asked.align_flow, lambda on: _set(edits.align_flow(on, asked.align_flow))),
        (asked.complete, edits.complete),
        (
            asked.confidential or asked.public,
            lambda on: _set(issue_cases.confidential(on, on=asked.confidential)),
        ),
        (asked.health, lambda on: issue_cases.health(on, _HEALTH[asked.health or "none"])),
        (asked.close, lambda on: _set(edits.set_state(on, close=True))),
        (comment, lambda on: commented(on, comment)),
    )
    moves = [_move(engine, edits, issues, asked.board, asked.to)] if asked.board and asked.to else []
    return [*moves, *(intent for wanted, intent in possible if wanted)]


def _set(work: EditBatch) -> EditBatch:
    """The batch, for which an issue that is closed or open already is as it should be."""
    return structs.replace(work, left=(), why_not="")


def _move(engine: Engine, edits: Edits, issues: Sequence[Issue], board_id: str, to: str) -> Intent:
    board = engine.board(board_id)
    index = BoardIndex(board, edits.flow, {issue.id: issue for issue in issues})
    target = _column(targets(index), to)
    for issue in issues:
        if not index.keys_of(issue):
            where = board.milestone or "all milestones"
            raise UsageError(
                f"{issue.reference} is not on the {board.name} board for {where}.",
                hint="Set its milestone or labels first, or use another board.",
            )
    return lambda on: edits.move(on, index, None, {issue.id: target for issue in on})


def _column(columns: Sequence[Column], name: str) -> Column:
    wanted = name.casefold()
    for column in columns:
        if wanted in (column.key.casefold(), column.title.casefold()):
            return column
    raise not_among("column", name, (column.title for column in columns))


def _questions(
    found: Several,
    edits: Edits,
    issues: dict[IssueId, Issue],
    asked: EditOptions,
    requests: Mapping[IssueId, Sequence[MergeRequest]],
) -> list[tuple[str, str]]:
    """Each question with its note, in the screen's words."""
    asking = (*found.questions, confirmation(found.work, edits, issues.get, (), requests))
    texts = [(question.text, question.note) for question in asking if question is not None]
    if asked.ready and asked.weight not in (None, "none"):
        over = heavy([i for i in issues.values() if i.id not in found.left], int(asked.weight or 0), ())
        texts = [(over[0], ""), *texts] if over is not None else texts
    return texts


def _for_all(work: _Prepared, printed: Printed) -> Sequence[tuple[str, str]]:
    """The questions; about a hidden issue only whether to continue, since the rest says what it is like."""
    hidden = [issue.reference for issue in work.issues if printed.hides_facts(issue)]
    return [(f"{', '.join(hidden)}: continue?", "")] if hidden else work.questions


def _ask(questions: Sequence[tuple[str, str]]) -> None:
    printing.echo("glboard: nothing sent, confirmation needed:", err=True)
    for text, note in questions:
        printing.echo(f"  {text}", err=True)
        for line in note.splitlines():
            printing.echo(f"    {line}", err=True)
    printing.echo("  To continue, run again with --yes.", err=True)


def _preview(work: _Prepared, printed: Printed) -> None:
    for issue in work.issues:
        changes = [change for identity, change in work.changes if identity == issue.id]
        if printed.hides_facts(issue):
            printing.echo(f"{issue.reference}: would {'' if changes else 'not '}change")
            continue
        would = (
            f"change: {', '.join(change.describe(issue) for change in changes)}" if changes else "not change"
        )
        why = list(filter(None, (work.found.left.get(issue.id), *work.absent.get(issue.id, ()))))
        said = f": {'; '.join(why)}" if why and not changes else f" ({'; '.join(why)})" if why else ""
        printing.echo(f"{issue.reference}: would {would}{said}")


def _tell_unchanged(work: _Prepared, printed: Printed) -> None:
    changed = {identity for identity, _ in work.changes}
    for issue in work.issues:
        hidden = printed.hides_facts(issue)
        absent = "; ".join(() if hidden else work.absent.get(issue.id, ()))
        if (reason := work.found.left.get(issue.id)) is not None:
            printing.echo(f"{issue.reference}: not changed{'' if hidden else f': {reason}'}", err=True)
        elif issue.id not in changed:
            printing.echo(f"{issue.reference}: no change, {absent or 'already set'}")
        elif absent:
            printing.echo(f"{issue.reference}: {absent}")
