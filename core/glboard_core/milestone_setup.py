"""Setting up a milestone in GitLab: read what exists, list the steps, do them one by one.

Owns the order (labels, boards, then the issue that links them) and what a failed step means for the rest.
``planning/milestone_setup.py`` decides what is wanted; ``gitlab/admin.py`` sends it.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from contextlib import suppress
from importlib.resources import files
from pathlib import Path

import msgspec
from msgspec import structs

from glboard_core.board.definition import milestone_title
from glboard_core.config import Settings
from glboard_core.errors import (
    NOT_LOADED,
    READ_ONLY,
    AuthError,
    ConfigError,
    ConnectionFailed,
    DraftOn,
    GlboardError,
    NameUnknown,
    ReadOnly,
    StoreFailed,
)
from glboard_core.files import read_text
from glboard_core.gitlab.admin import Admin, FinishedBoard
from glboard_core.gitlab.gateway import transport_of
from glboard_core.gitlab.status_lists import StatusLists, may_have_status_lists
from glboard_core.model.catalog import Catalog
from glboard_core.model.catalog_needs import Needs, titles_of
from glboard_core.model.issue import Issue
from glboard_core.model.milestone import Milestone
from glboard_core.model.query import IssueQuery
from glboard_core.planning import milestone_setup
from glboard_core.planning.capacity import dates_of
from glboard_core.planning.figures import Figures
from glboard_core.planning.milestone_setup import (
    IssueText,
    Progress,
    Seen,
    SeenIssue,
    Step,
    StepOutcome,
    WantedBoard,
    WantedSetup,
)
from glboard_core.planning.planning_issue import labels_for, project_for
from glboard_core.planning.planning_issue_sections import Month
from glboard_core.planning.team import Team
from glboard_core.sync.engine import Engine

#: Meta key of the ids of boards created from this machine.
_MADE = "boards-made"
#: Colours of new labels.
_MISSED, _GREY = "#d9534f", "#808080"

_COMMAND = re.compile(r"/[a-z]")


class MilestoneSetup:
    """Sets up one milestone. ``look`` first, then ``do``; both can be called again.

    ``team`` is None without a ``team.toml``; a template's relative path starts at ``folder``.
    """

    def __init__(
        self,
        engine: Engine,
        name: str,
        *,
        team: Team | None = None,
        folder: Path | None = None,
    ) -> None:
        self._engine = engine
        self._name = name
        self._team = team
        self._folder = folder
        self._admin = Admin(transport_of(engine.gateway))
        self._wanted: WantedSetup | None = None
        self._seen = Seen()
        self.steps: list[Step] = []

    @property
    def milestone(self) -> Milestone:
        """The milestone to set up. Raises NameUnknown; UsageError if it has no dates."""
        catalog, settings = self._catalog, self._engine.settings
        title = milestone_title(self._name, settings, catalog, self._engine.today())
        if (found := catalog.find_milestone(title)) is None:
            raise NameUnknown("milestone", title, catalog.near_milestones(title))
        dates_of(found)
        return found

    @property
    def _catalog(self) -> Catalog:
        if (catalog := self._engine.catalog) is None:
            raise GlboardError(NOT_LOADED, hint="Try again in a moment.")
        return catalog

    # What exists, and the steps that follow

    async def look(self) -> list[Step]:
        """Read what exists in GitLab; return the steps that follow.

        Raises what the gateway does, NameUnknown, UsageError, and ConfigError for template, title, project.
        """
        await self._engine.names.know_milestones([self._name])
        milestone = self.milestone
        wanted = await self._with_statuses(await self._want(milestone))
        wanted = await self._with_names(wanted)
        seen = await self._read(wanted, milestone.title)
        wanted = await self._with_names(wanted, seen.issues)
        self._wanted, self._seen, self.steps = wanted, seen, milestone_setup.plan(wanted, seen)
        return self.steps

    async def _want(self, milestone: Milestone) -> WantedSetup:
        settings, catalog, today = self._engine.settings, self._catalog, self._engine.today()
        figures = Figures(settings=settings, catalog=catalog, today=today)
        issues = await self._open_issues(figures.concerned(milestone))
        template, where = template_of(settings, self._folder)
        month = Month(
            milestone=milestone,
            before=figures.before(milestone),
            candidates=figures.candidates(issues, milestone),
            carry_over=figures.carry_over(issues, milestone),
            capacity=figures.capacity(issues, milestone, self._team) if self._team else None,
            flow=figures.flow,
            words=settings.planning.issue.capacity,
        )
        return WantedSetup(
            settings=settings,
            catalog=catalog,
            month=month,
            boards=tuple(milestone_setup.wanted_boards(settings, catalog, milestone, today)),
            template=template,
            template_where=where,
            known=await self._planning_issues(),
        )

    async def _with_statuses(self, wanted: WantedSetup) -> WantedSetup:
        """With the statuses that the group has, for boards whose lists are statuses."""
        asked = [name for board in wanted.boards if board.statuses for name in board.lists]
        if not asked:
            return wanted
        known: tuple[str, ...] = ()
        if possible := may_have_status_lists(self._catalog.server):
            known = await self._status_lists.known(self._catalog.group, asked)
        boards = (milestone_setup.with_statuses(one, known, possible=possible) for one in wanted.boards)
        return structs.replace(wanted, boards=tuple(boards))

    @property
    def _status_lists(self) -> StatusLists:
        return StatusLists(transport_of(self._engine.gateway), self._catalog.server)

    async def _with_names(self, wanted: WantedSetup, issues: Iterable[SeenIssue] = ()) -> WantedSetup:
        """With the project of the planning issue, or those of ``issues``, and labels and milestone there."""
        projects = {one.issue.project for one in issues}
        with suppress(ConfigError):
            projects.add(project_for(wanted.known, wanted.settings))
        names = wanted.settings.labels
        marks = (names.missed_prefix + wanted.month.milestone.title, names.missed_deliverable)
        needs = Needs(
            labels=titles_of(projects, labels_for(wanted.settings))
            | titles_of([self._catalog.group], [title for title in marks if title]),
            milestones=titles_of(projects, [wanted.month.milestone.title]),
            projects=frozenset(projects),
        )
        await self._engine.names.need(needs)
        unknown = {one for one in projects if self._catalog.project(one) is None}
        # To say which ones have a similar name.
        await self._engine.names.need(
            Needs(project_names=frozenset(one.rpartition("/")[2][:4] for one in unknown))
        )
        return structs.replace(wanted, catalog=self._catalog)

    async def _open_issues(self, milestones: Iterable[str]) -> list[Issue]:
        label = self._engine.settings.labels.group
        labels = (label,) if label else ()
        queries = [IssueQuery(labels=labels, milestone=title, state="opened") for title in milestones]
        pages = self._engine.gateway.pages
        found = {issue.id: issue for query in queries async for page in pages(query) for issue in page}
        return list(found.values())

    async def _planning_issues(self) -> list[Issue]:
        """The group's latest issues with the ignore label: they include earlier planning issues."""
        names = self._engine.settings.labels
        query = IssueQuery(
            labels=tuple(label for label in (names.group, names.ignore) if label), order="updated"
        )
        async for page in self._engine.gateway.pages(query):
            return page
        return []

    async def _read(self, wanted: WantedSetup, milestone: str) -> Seen:
        group, names = self._catalog.group, wanted.settings.labels
        marks = [label for label in (names.group, names.ignore) if label]
        issues = await self._admin.planning_issues(group, marks, milestone, _project(wanted))
        boards = await self._admin.boards(group)
        seen = Seen(boards=tuple(boards), issues=tuple(issues), made=frozenset(self._remembered()))
        # The lists returned with a board may be truncated: read those of the boards we need completely.
        for board in wanted.boards:
            if (there := seen.board(board)) is not None:
                reader = self._status_lists if board.statuses else self._admin
                lists = await reader.lists(group, there.id)
                seen = seen.with_board(structs.replace(there, lists=lists))
        return seen

    # Doing the steps

    async def do(
        self, *, without: Collection[Step] = (), progress: Progress = lambda *_: None
    ) -> list[StepOutcome]:
        """Do the due steps of the last ``look``, except those in ``without``.

        A rejected step does not stop the others; without a connection, or if the token is rejected, the rest
        is not tried. Raises ReadOnly, DraftOn.
        """
        if self._engine.read_only:
            raise ReadOnly(READ_ONLY, hint="Restart without --read-only to make changes.")
        if self._engine.drafts.current is not None:
            raise DraftOn("You cannot open a milestone in a draft.")
        doing = {"label": self._label, "board": self._board, "issue": self._issue}
        done: list[StepOutcome] = []
        broken: GlboardError | None = None
        for step in self.steps:
            # The planning issue links the boards, so a new one changes it.
            linked = any(one.step.part == "board" and one.state == "done" for one in done)
            if step in without or not (step.is_due or (step.part == "issue" and linked)):
                continue
            if broken is not None:
                done.append(StepOutcome(step=step, state="not tried", message=broken.message))
                continue
            progress(step, None)
            try:
                outcome = await doing[step.part](step)
            except GlboardError as error:
                outcome = StepOutcome(step=step, state="failed", message=error.message, hint=error.hint)
                if isinstance(error, AuthError | ConnectionFailed):
                    broken = error
            done.append(outcome)
            progress(step, outcome)
        return done

    async def _label(self, step: Step) -> StepOutcome:
        names = self._engine.settings.labels
        color, description = _GREY, ""
        if step.name.startswith(names.missed_prefix):
            # As existing labels of this kind, so that a new one matches them.
            alike = (one for one in self._catalog.labels if one.title.startswith(names.missed_prefix))
            color = next((one.color for one in alike), _MISSED)
            description = f"Was planned for {self._must().month.milestone.title} and not done in it"
        await self._admin.ensure_label(self._catalog.group, step.name, color, description)
        await self._engine.names.read()
        self._wanted = structs.replace(self._must(), catalog=self._catalog)
        return StepOutcome(step=step, state="done")

    async def _board(self, step: Step) -> StepOutcome:
        wanted = next(board for board in self._must().boards if board.name == step.name)
        there = self._seen.board(wanted)
        if there is None:
            there = await self._admin.create_board(self._catalog.group, wanted.name)
            # At once: if its creation is interrupted later, the board is ours to finish.
            self._remember(there.id)
            self._know(there)
        made = await self._finish(there, wanted)
        self._know(made.board)
        problems = []
        if not made.scoped:
            problems.append("GitLab did not save its filter (needs Premium), so it shows all milestones")
        if made.missing:
            problems.append(f"no list was added for {', '.join(made.missing)}")
        if not made.ordered:
            problems.append("its lists are not in order")
        return StepOutcome(step=step, state="done", url=made.board.url, message="; ".join(problems))

    async def _finish(self, there: milestone_setup.SeenBoard, wanted: WantedBoard) -> FinishedBoard:
        """Set the filter of a board, and add and order its lists."""
        if not wanted.statuses:
            return await self._admin.finish_board(self._catalog, there, wanted)
        scope = await self._admin.finish_board(self._catalog, there, structs.replace(wanted, lists=()))
        made = await self._status_lists.finish(self._catalog.group, there, wanted)
        return structs.replace(made, scoped=scope.scoped)

    def _know(self, board: milestone_setup.SeenBoard) -> None:
        self._seen = structs.replace(self._seen.with_board(board), made=self._seen.made | {board.id})

    async def _issue(self, step: Step) -> StepOutcome:
        wanted = self._must()
        now, text = milestone_setup.issue_step(wanted, self._seen)
        if text is None:
            if now.action == "impossible":
                return StepOutcome(step=step, state="failed", message="; ".join(now.notes))
            return StepOutcome(step=step, state="done", url=now.url)
        written: IssueText | None = text
        if text.seen is None:
            issue = await self._admin.create_issue(self._catalog, text)
        else:
            issue, written = await self._admin.update_issue(
                self._catalog,
                text,
                lambda fresh: milestone_setup.issue_step(wanted, self._seen.with_issue(fresh))[1],
            )
        message = _dropped(written, issue) if written is not None else ""
        return StepOutcome(
            step=step, state="done", url=issue.issue.web_url, issue=issue.issue.id, message=message
        )

    def _must(self) -> WantedSetup:
        if self._wanted is None:
            raise ValueError("look first")
        return self._wanted

    # What this machine remembers

    def _remembered(self) -> list[int]:
        raw = self._engine.store.meta(_MADE)
        with suppress(msgspec.DecodeError):
            return msgspec.json.decode(raw, type=list[int]) if raw else []
        return []

    def _remember(self, board: int) -> None:
        # The planning issue records the boards too, so failing to store this does no harm.
        with suppress(StoreFailed):
            self._engine.store.put_meta(_MADE, msgspec.json.encode([*self._remembered(), board]))


def template_of(settings: Settings, folder: Path | None) -> tuple[str, str]:
    """The template, and its name in errors. Raises ConfigError if a file cannot be read."""
    own = settings.planning.issue.template
    if not own:
        text = files("glboard_core.planning").joinpath("planning_issue.md").read_text(encoding="utf-8")
        return text, "the built-in template"
    path = Path(own).expanduser()
    path = path if path.is_absolute() or folder is None else folder / path
    try:
        return read_text(path), str(path)
    except FileNotFoundError:
        raise ConfigError("no such file.", where=str(path), key="planning.issue.template") from None


def _project(wanted: WantedSetup) -> str:
    # An unknown project is an error only if an issue is to be created there.
    with suppress(ConfigError):
        project = project_for(wanted.known, wanted.settings)
        return project if wanted.catalog.project(project) is not None else ""
    return ""


def _kept_lines(text: str) -> list[str]:
    """The lines of a text that GitLab keeps: all but quick actions (a template may contain some)."""
    lines = (line.rstrip() for line in text.splitlines())
    return [line for line in lines if line and not _COMMAND.match(line)]


def _dropped(wanted: IssueText, made: SeenIssue) -> str:
    """What GitLab silently left out of what was requested."""
    lost = [label for label in (*wanted.labels, *wanted.add_labels) if label not in made.issue.labels]
    words = [f"GitLab left out {', '.join(lost)}"] if lost else []
    if made.issue.milestone != wanted.milestone:
        words.append(f"GitLab did not set the milestone {wanted.milestone}")
    if _kept_lines(made.description) != _kept_lines(wanted.description):
        words.append("GitLab changed its description")
    return "; ".join(words)
