"""The planning call: whether one goes on, what was noted in it, and the list of what was decided.

Owns when the list is computed again: when a change was made, undone, sent or refused, never because the focus
moved. What a person types is in the state file before a key returns, so a call survives a crash; the running
one is found there at the next start. What counts as a decision is in ``glboard_core.planning.decisions``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from msgspec import structs

from glboard_core.errors import GlboardError, NotConnected, StoreFailed
from glboard_core.model.issue import Issue, IssueId
from glboard_core.model.milestone import Milestone
from glboard_core.planning.capacity import Capacity
from glboard_core.planning.text import counted, time_words
from glboard_core.sync.engine import Engine
from glboard_core.sync.events import CatalogChanged, Event, IssuesChanged, Renamed, Settled, WrittenElsewhere
from glboard_core.zones import zone_named
from glboard_tui.bridge import Bridge

if TYPE_CHECKING:
    # A session without a call loads none of it.
    from glboard_core.decision_log import Known, PostedComment, ReadChanges
    from glboard_core.planning.call import Call, PlanFigures
    from glboard_core.planning.decisions_text import DecisionList
    from glboard_core.ports import Logged
    from glboard_core.reports import Reports

#: Called with what is read, how many are read, and of how many.
ReadProgress = Callable[[str, int, int], None]
#: How many days back a list without a call begins.
WEEK = timedelta(days=7)
#: Until so long after its end, a call is what is shown first.
_RECENT = timedelta(hours=12)


def _title(issue: Issue) -> str:
    return issue.title


def _text_on(call: Call, issue: IssueId) -> str:
    """What is noted about an issue, or ""."""
    note = call.note_on(issue)
    return note.text if note is not None else ""


class Calls:
    """One per app. ``milestone`` is the one being planned, ``capacity`` has its figures.

    ``reports`` opens a reader of events.
    """

    def __init__(
        self,
        bridge: Bridge,
        milestone: Callable[[], Milestone | None],
        capacity: Callable[[Milestone | None], Capacity | None],
        reports: Callable[[Engine], AbstractAsyncContextManager[Reports]] | None,
    ) -> None:
        self._bridge = bridge
        self._milestone = milestone
        self._capacity = capacity
        self._reports = reports
        #: Whether a call begins as soon as there is a milestone (``glboard open --call``).
        self.wanted = False
        self._engine: Engine | None = None
        self._calls: dict[str, Call] = {}
        #: The log since the start of the oldest list asked for, newest first.
        self._log: list[Logged] = []
        self._log_from: datetime | None = None
        self._count: int | None = None
        #: Whether another process may have changed a call since they were read.
        self._stale = False
        self._steps: Known = {}
        #: The ids of new issues, also for a note that was begun before GitLab gave them.
        self._renamed: dict[IssueId, IssueId] = {}
        #: What events told, by call.
        self._read: dict[str, ReadChanges] = {}

    # The store

    def _attach(self) -> Engine | None:
        engine = self._bridge.engine
        if engine is not None and engine is not self._engine:
            self._engine = engine
            self._log, self._log_from, self._count = [], None, None
            self._read.clear()
            self._steps.clear()
            engine.listen(self._hear)
            self.reload()
        elif engine is not None and self._stale:
            self._read_calls(engine)
        return engine

    def reload(self) -> None:
        """Read the calls again: another process may have changed one."""
        if self._engine is not None:
            self._log, self._log_from, self._count = [], None, None
            self._read_calls(self._engine)

    def _read_calls(self, engine: Engine) -> None:
        self._stale = False
        try:
            if not (any(engine.store.records("call:"))):
                self._calls = {}
                return
            from glboard_core.decision_log import kept_calls

            self._calls = {call.id: call for call in kept_calls(engine.store)}
        except StoreFailed:
            return  # what cannot be read is not shown; the store's own error is

    def _hear(self, event: Event) -> None:
        match event:
            case IssuesChanged() if event.cause in ("mine", "answer"):
                self._count = None
            case Settled() | CatalogChanged():
                self._count = None
            case WrittenElsewhere():
                self._count, self._stale = None, True
            case Renamed():
                self._rename(event.old, event.new)
            case _:
                pass

    def _rename(self, old: IssueId, new: IssueId) -> None:
        self._renamed[old] = new
        issue = self._bridge.whole_issue(new)

        def renamed(kept: Call) -> Call:
            return kept.renamed(old, new, issue.reference if issue is not None else "")

        for call in list(self._calls.values()):
            if call.note_on(old) is not None:
                self._change(call, renamed)

    def _keep(self, call: Call) -> Call:
        """Store a call. Raises StoreFailed, and NotConnected before there is a store."""
        from glboard_core.decision_log import keep_call

        if (engine := self._attach()) is None:
            raise NotConnected
        keep_call(engine.store, call)
        self._calls[call.id] = call
        self._count = None
        return call

    def _change(self, call: Call, step: Callable[[Call], Call]) -> Call:
        """Change a call as it is kept now, whoever changed it last. Raises as ``_keep``."""
        if (engine := self._attach()) is None:
            raise NotConnected
        self._read_calls(engine)
        return self._keep(step(self.newest(call)))

    def newest(self, call: Call) -> Call:
        """The call as it is kept now: a dialog may have been open for a while."""
        return self._calls.get(call.id, call)

    # Which there are

    @property
    def running(self) -> Call | None:
        """The call that goes on, or None; of several, the newest."""
        self._attach()
        found = [call for call in self._calls.values() if call.goes_on]
        return max(found, key=lambda call: call.started) if found else None

    def earlier(self) -> list[Call]:
        """The calls of this group, newest first."""
        from glboard_core.decision_log import MOST_CALLS
        from glboard_core.planning.call import newest_first

        self._attach()
        return list(newest_first(call for call in self._calls.values() if call.is_call))[:MOST_CALLS]

    def span(self) -> Call | None:
        """What is decided without a call, in the milestone being planned; by default in the last week."""
        from glboard_core.planning.call import since

        engine, milestone = self._attach(), self._milestone()
        if engine is None or milestone is None:
            return None
        for call in self._calls.values():
            if not call.is_call and self._title(call) == milestone.title:
                return call
        day = (self._bridge.server_now() - WEEK).astimezone(self.zone).date()
        start = datetime.combine(day, time.min, self.zone)
        return since(milestone.title, start.astimezone(self._bridge.server_now().tzinfo), group=self._group)

    def first(self) -> Call | None:
        """What is shown first: the call that goes on, or one that just ended, or the last week."""
        if (running := self.running) is not None:
            return running
        now = self._bridge.server_now()
        last = next(iter(self.earlier()), None)
        if last is not None and last.ended is not None and now - last.ended < _RECENT:
            return last
        return self.span()

    @property
    def zone(self) -> ZoneInfo:
        """The team's time zone."""
        return zone_named(self._bridge.settings.ui.time_zone)

    @property
    def _group(self) -> str:
        return self._bridge.whole_catalog.group if self._bridge.whole_catalog is not None else ""

    def _title(self, call: Call) -> str:
        """The present title of its milestone."""
        catalog = self._bridge.whole_catalog
        return catalog.present("milestone", call.milestone) if catalog is not None else call.milestone

    def _of(self, call: Call) -> Milestone | None:
        catalog = self._bridge.whole_catalog
        return catalog.find_milestone(self._title(call)) if catalog is not None else None

    # Beginning and ending

    def begin_wanted(self) -> None:
        """Begin the call that the command line asked for, once there is a milestone, unless one goes on.

        A call on an earlier milestone that no one ended does not go on for ever.
        """
        if not self.wanted or self._attach() is None or not self._bridge.is_complete:
            return
        if (milestone := self._milestone()) is None or self._bridge.index is None:
            return
        self.wanted = False
        running = self.running
        if running is None or (
            self._title(running) != milestone.title and self._bridge.server_now() - running.started > _RECENT
        ):
            self.start()

    def start(self) -> Call | None:
        """Begin a call on the milestone being planned; None if there is none. Raises StoreFailed.

        One that goes on is ended: a change is a decision of one call.
        """
        from glboard_core.planning.call import new_call

        if (milestone := self._milestone()) is None:
            return None
        while (open_ := self.running) is not None:
            self.end(open_)
        before = self._figures(milestone)
        return self._keep(
            new_call(milestone.title, self._bridge.server_now(), group=self._group, before=before)
        )

    def end(self, call: Call) -> Call:
        """End a call, with the capacity as it is now. Raises StoreFailed."""
        milestone = self._of(call)
        after = self._figures(milestone) if milestone is not None else None
        now = self._bridge.server_now()
        return self._change(call, lambda kept: structs.replace(kept, ended=now, after=after))

    def resume(self, call: Call) -> Call:
        """Go on with a call that was ended. Raises StoreFailed."""
        return self._change(call, lambda kept: structs.replace(kept, ended=None, after=None))

    def _figures(self, milestone: Milestone) -> PlanFigures | None:
        from glboard_core.planning.call import figures_of

        if not self._bridge.is_complete:
            return None
        found = self._capacity(milestone)
        return figures_of(found) if found is not None else None

    # What a person types

    def note(self, call: Call, issues: Sequence[Issue], text: str) -> Call:
        """Note something about an issue, in place of its note; about several, below. Raises StoreFailed.

        ``call`` is as the person saw it: what another session noted since then stays above.
        """
        now = [self._bridge.whole_issue(self._renamed.get(one.id, one.id)) or one for one in issues]
        at = self._bridge.server_now()

        def noted(kept: Call) -> Call:
            # An issue that was new when the note was begun may have its id from GitLab.
            pairs = zip(issues, now, strict=True)
            seen = [_text_on(call, was.id) or _text_on(call, one.id) for was, one in pairs]
            new = seen != [_text_on(kept, one.id) for one in now]
            return kept.noted(now, text, at, add=new or len(now) > 1)

        return self._change(call, noted)

    def ask(self, call: Call, text: str) -> Call:
        """The open questions, one on each line, as ``note``. Raises StoreFailed."""

        def asking(kept: Call) -> Call:
            new = [one for one in kept.questions if one not in call.questions]
            return kept.asking("\n".join([text, *new]))

        return self._change(call, asking)

    def edit(self, call: Call, text: str, generated: str, person: str = "") -> Call:
        """Keep the message as a person edited it. Raises StoreFailed."""
        return self._change(call, lambda kept: kept.edited(text, generated, person))

    def begin_at(self, call: Call, at: datetime) -> Call:
        """Since when a list without a call begins, with a comment of its own. Raises StoreFailed."""
        self._read.pop(call.id, None)
        return self._change(
            call,
            lambda kept: structs.replace(kept, started=at, text="", text_from="", texts={}),
        )

    # What was decided

    def listed(self, call: Call, person: str = "", *, whole: bool = False) -> DecisionList | None:
        """The decisions of a call, or since a moment; of one person if named.

        Without what a shared screen hides, unless ``whole``. None before the catalog, and without the log.
        """
        from glboard_core.decision_log import decision_list, issues_after, made_here
        from glboard_core.planning.figures import Figures

        engine, catalog, today = self._attach(), self._bridge.whole_catalog, self._bridge.today
        if engine is None or catalog is None or today is None:
            return None
        call = structs.replace(self.newest(call), milestone=self._title(call))
        try:
            lines = [*engine.log.unsent(), *self._lines(call.started)]
        except StoreFailed:
            return None
        made = made_here(lines, call.started, call.ended, catalog)
        then = issues_after(made) if call.ended is not None else {}
        read = self._read.get(call.id)
        before, after = call.before, call.after
        if call.ended is None and (milestone := self._of(call)) is not None:
            after = self._figures(milestone)
        if not call.is_call and read is not None:
            before = read.before
            if after is not None:
                # What the team could take is only known for now.
                before = structs.replace(before, total=after.total, carried=after.carried)

        def issue_of(issue: IssueId) -> Issue | None:
            now, was = self._bridge.whole_issue(issue), then.get(issue)
            if now is None or was is None:
                return now or was
            # As it was then, but nothing that is confidential now is shown.
            return structs.replace(
                was,
                title=now.title,
                confidential=now.confidential,
                project=now.project,
                iid=now.iid,
                web_url=now.web_url,
            )

        kept = list(call.notes)
        if self._bridge.share.is_on and not whole:
            before, after = (
                one and structs.replace(one, total=None, carried=None) for one in (before, after)
            )
            # Notes on what is hidden are hidden as well.
            mask = self._bridge.mask
            kept = [one for one in kept if (issue := issue_of(one.issue)) is not None and mask(issue) is None]
        return decision_list(
            structs.replace(call, notes=tuple(kept)),
            made,
            read,
            issue_of,
            Figures(settings=self._bridge.settings, catalog=catalog, today=today).decision_rules(
                call.milestone
            ),
            me=self._bridge.me,
            before=before,
            after=after,
            until=call.ended if call.is_call else self._bridge.server_now(),
            person=person,
            whole=call.is_call or read is None,
            steps=self._steps,
        )

    def posted(self, call: Call, person: str = "") -> PostedComment | None:
        """What became of the comment with everyone's or one person's decisions, if there is one."""
        from glboard_core.decision_log import posted_comment

        if (engine := self._attach()) is None:
            return None
        try:
            lines = [*engine.log.unsent(), *self._lines(call.started)]
        except StoreFailed:
            return None
        return posted_comment(lines, self.newest(call).mark_of(person))

    def text(self, call: Call, person: str = "", *, whole: bool = False) -> str:
        """The message as generated from the list, for everybody or ``whole``; "" before the catalog."""
        from glboard_core.planning.decisions_text import markdown

        if (found := self.listed(call, person, whole=whole)) is None:
            return ""
        # Of a confidential issue the message has no title in any case.
        if whole:
            return markdown(found, self.zone, _title)
        bridge = self._bridge
        return bridge.text(markdown(found, self.zone, bridge.title_of, bridge.typed))

    def _lines(self, since: datetime) -> list[Logged]:
        """The log since a moment, newest first: only what is new is read."""
        from glboard_core.decision_log import log_since, newer

        engine = self._engine
        assert engine is not None
        if self._log_from is None or since < self._log_from:
            self._log, self._log_from = log_since(engine.store, since), since
        elif (new := newer(engine.store, self._log)) is not None:
            self._log = new + self._log
        else:
            self._log = log_since(engine.store, self._log_from)
        return self._log

    # Others' changes

    def has_read(self, call: Call) -> bool:
        """Whether others' changes were read."""
        return call.id in self._read

    def unread(self, call: Call) -> Sequence[str]:
        """The references of issues whose history could not be read."""
        found = self._read.get(call.id)
        return found.unread if found is not None else ()

    async def read(self, call: Call, progress: ReadProgress) -> None:
        """Read what everyone changed in the milestone. Raises what reading raises."""
        from glboard_core.decision_log import read_changes

        if (engine := self._attach()) is None:
            raise NotConnected
        if self._reports is None:
            raise GlboardError(
                "This session cannot load events.", hint="Run glboard report decisions instead."
            )
        async with self._reports(engine) as reports:
            self._read[call.id] = await read_changes(
                reports, self._title(call), call.started, call.ended, progress
            )
        self._count = None

    # The header

    @property
    def words(self) -> str:
        """``call since 14:02 · 11 decisions``; "" without a call."""
        if (call := self.running) is None:
            return ""
        if self._count is None:
            found = self.listed(call)
            self._count = found.count if found is not None else 0
        start = call.started.astimezone(self.zone)
        today = self._bridge.server_now().astimezone(self.zone).date()
        at = f"{start:%H:%M}" if start.date() == today else time_words(start)
        return f"call since {at} · {counted(self._count, 'decision')}"
