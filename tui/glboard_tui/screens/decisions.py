"""What was decided: one line for each issue, by kind, and what is still open (planning rule 29).

Of the planning call that goes on, of an earlier one, or without a call since a day. Owns the reading of what
others decided, which may take a while; our own changes are listed at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from textual.content import Content

from glboard_core.board.batch import EditBatch, short
from glboard_core.board.operations import NoteWrite
from glboard_core.errors import READ_ONLY, GlboardError, UsageError
from glboard_core.model.issue import Issue
from glboard_core.planning.call import Call, PlanFigures, moment_of
from glboard_core.planning.decisions import KINDS, Decision, DecisionKind, said_short, short_question
from glboard_core.planning.text import counted, day_words, number, time_words
from glboard_tui.commands.call import attempt, questions
from glboard_tui.commands.context import CommandContext
from glboard_tui.screens.issue_list import Entry, IssueList, weight_words
from glboard_tui.texts import free_words
from glboard_tui.widgets.colors import Ink
from glboard_tui.widgets.table import Col, Head
from glboard_tui.widgets.text import clean

if TYPE_CHECKING:
    from glboard_core.planning.decisions_text import DecisionList

_INKS: dict[DecisionKind, Ink] = {
    "accepted": "good",
    "deferred": "warn",
    "reweighted": "accent",
    "breakdown": "warn",
    "dropped": "bad",
    "other": "muted",
}
#: Earlier calls that can be chosen from.
_LETTERS = "abcdefghijklmno"


class DecisionsPane(IssueList):
    """The decisions of one call, or since a day."""

    scope = "decisions"
    empty = "No decisions yet."
    hints = (
        "decisions.post",
        ("call.note", "note"),
        "decisions.question",
        "decisions.end",
        "decisions.start",
        "decisions.read",
        "decisions.person",
        "decisions.earlier",
        "escape",
    )
    cols = (
        Col(title="issue", reference=True, least=12),
        Col(title="w", right=True),
        Col(title="title", least=24),
        Col(title="what", least=16),
        Col(title="by", least=6, drop=2),
        Col(title="at", drop=3),
        Col(title="note", least=12, drop=1),
    )

    def __init__(self, context: CommandContext, call: Call) -> None:
        super().__init__(context)
        self._calls = context.planning.calls
        self.call = call
        self._found: DecisionList | None = None
        self._person = ""
        self._progress: tuple[str, int, int] | None = None
        self._error = ""

    def on_mount(self) -> None:
        super().on_mount()
        self.begin()

    def begin(self) -> None:
        """Show the call from the start; without a call, others' changes are what matters, and are read."""
        self._person, self._error = "", ""
        self.refill()
        if not self.call.is_call and not self._calls.has_read(self.call):
            self._read()

    def _read(self) -> None:
        self._progress, self._error = ("", 0, 0), ""
        self.refill()
        self.run_worker(self._reading(), group="decisions", exclusive=True, exit_on_error=False)

    async def _reading(self) -> None:
        try:
            await self._calls.read(self.call, self._count)
        except GlboardError as error:
            self._error = error.message
        finally:
            self._progress = None
        self.refill()
        self.context.shell.show_header()

    def _count(self, what: str, done: int, of: int) -> None:
        before, self._progress = self._progress, (what, done, of)
        if before is None or before[0] != what or done == of or done % 20 == 0:
            self.told_above()

    # The lines

    def fill(self) -> Sequence[Entry]:
        """A line for each issue, below a heading for each kind."""
        self.call = self._calls.newest(self.call)
        found = self._found = self._calls.listed(self.call, self._person)
        if found is None:
            return []
        entries: list[Entry] = []
        for kind, title in KINDS.items():
            some = found.of_kind(kind)
            head = Head(f"{title} ({len(some)})", _INKS[kind])
            entries += [self._entry(one, found, () if n else (head,)) for n, one in enumerate(some)]
        return entries

    def _entry(self, one: Decision, found: DecisionList, heads: tuple[Head, ...]) -> Entry:
        issue = one.issue
        bridge = self.context.bridge
        title, said = bridge.title_of(issue), said_short(one, found.rules)
        note = bridge.typed(one.note.text) if one.note is not None else ""
        at = one.at.astimezone(self._calls.zone)
        same_day = at.date() == found.since.astimezone(self._calls.zone).date()
        when = f"{at:%H:%M}" if same_day and self.call.is_call else time_words(at)
        by = ", ".join(map(bridge.people_words.name, one.by))
        said = bridge.people_words.spoken(said)
        if bridge.mask(issue) is not None:
            said = by = note = ""  # hidden on a shared screen
        about = [title, f"{said} · by {by}, {when}" if said else "", *note.splitlines()]
        return Entry(
            issue,
            (
                (short(issue), "strong"),
                (weight_words(issue.weight), "strong"),
                (title, "text"),
                (said, _INKS[one.kind] if one.kind != "other" else "text"),
                (by, "muted"),
                (when, "muted"),
                (" ".join(note.split()), "warn" if one.note is not None and one.note.asks else "muted"),
            ),
            "\n".join(filter(None, about)),
            heads,
        )

    def after(self) -> Sequence[Head]:
        """The open questions."""
        found = self._found
        asked = list(map(self.context.bridge.typed, found.open_questions)) if found is not None else []
        if not asked:
            return ()
        return (
            Head(f"Open questions ({len(asked)})", "warn"),
            *(Head(f"  {clean(short_question(' '.join(one.split())))}", "text") for one in asked),
        )

    def heading_of(self, place: int, count: int) -> str:
        milestone = self._found.milestone if self._found is not None else self.call.milestone
        where = f": {place} of {count}" if count else ""
        return f"Decisions {milestone}{where}"

    # What is above

    def above(self) -> Content:
        """Which call it is, the capacity before and after, and whether others' changes are in it."""
        lines = [self._which(), self._capacity(), self._others()]
        return Content("\n").join(line for line in lines if line is not None)

    def told_above(self) -> None:
        """Show the progress of reading."""
        self._above.update(self.above())

    def _which(self) -> Content:
        call, zone = self.call, self._calls.zone
        count = self._found.count if self._found is not None else 0
        start = call.started.astimezone(zone)
        today = self.context.bridge.server_now().astimezone(zone).date()
        at = f"{start:%H:%M}" if start.date() == today else time_words(start)
        by = f" by {self.context.bridge.people_words.name(self._person)}" if self._person else ""
        what = f"{counted(count, 'decision')}{by}"
        posted = self._posted_words()
        if call.goes_on:
            words, tail = f"Call since {at}", ""
        elif call.ended is not None:
            words, tail = f"Call {at} to {call.ended.astimezone(zone):%H:%M}, ended", ""
        else:
            words = f"Since {day_words(start.date())}" + (f" {start:%H:%M}" if start.time().minute else "")
            key = self.context.keymap.key("decisions.start")
            tail = f" · no call in progress, {key} starts one" if self._calls.running is None else ""
        return Content.assemble((words, "bold"), f" · {clean(what)}{posted}{tail}")

    def _posted_words(self) -> str:
        """What became of the comment: it is never called posted before GitLab has it."""
        found = self._calls.posted(self.call, self._person)
        if found is None:
            return ""
        if found.result != "posted":
            return " · comment not sent yet" if found.result == "waits" else " · comment not posted"
        return f" · posted {time_words(found.at.astimezone(self._calls.zone))}"

    def _capacity(self) -> Content | None:
        found = self._found
        if found is None or found.after is None:
            return None
        before, after = found.before, found.after
        words = [
            *([f"capacity {number(after.total)}w"] if after.total is not None else []),
            f"planned {_from_to(before.planned if before else None, after.planned)}",
            f"accepted {_from_to(before.accepted if before else None, after.accepted)}",
        ]
        line = " · ".join(words)
        if after.free is None:
            return Content(line[0].upper() + line[1:])
        was = _free(before) if before is not None and before.free is not None else ""
        now = _free(after)
        free = now if was in ("", now) else f"{was} → {now}"
        style = "bold $text-error" if after.free < 0 else "bold $text-success"
        return Content.assemble(f"{line[0].upper()}{line[1:]} · ", (free, style))

    def _others(self) -> Content:
        key = self.context.keymap.key("decisions.read")
        if self._progress is not None:
            what, done, of = self._progress
            return Content(f"Loading {what} {done:,} of {of:,} …" if of else "Loading others' decisions …")
        if self._error:
            return Content.styled(f"Only your decisions: {clean(self._error)} {key} retries.", "$text-error")
        if not self._calls.has_read(self.call):
            return Content.styled(f"Only your decisions; {key} loads others'.", "dim")
        if unread := self._calls.unread(self.call):
            return Content.styled(f"No history for {counted(len(unread), 'issue')}.", "$text-warning")
        return Content.styled("Includes others' decisions.", "dim")

    # Keys

    def action_post(self) -> None:
        from glboard_tui.screens.decisions_post import PostDecisions

        context, milestone = self.context, self.planning.history.named(self.call.milestone)
        found = self.planning.planning_issue(milestone) if milestone is not None else None
        issue = found.issue if found is not None else None
        if issue is not None and issue.is_new:
            issue = None

        def answered(answer: tuple[str, str | None] | None) -> None:
            if answer is not None and issue is not None:
                self._post(issue, *answer, doubt=found.doubt if found is not None else "")
            self.refill()

        context.shell.app.push_screen(PostDecisions(context, self.call, issue, self._person), answered)

    def _post(self, issue: Issue, text: str, was: str | None, *, doubt: str) -> None:
        if not self.context.bridge.writable:
            self.tell(READ_ONLY)
            return
        change = NoteWrite(mark=self.call.mark_of(self._person), body=text, was=was)
        by = f" by @{self._person}" if self._person else ""
        title = f"decisions of {self.call.milestone}{by} on {issue.reference}"
        if self.context.perform(EditBatch(changes=((issue.id, change),), title=title)):
            words = f"Posting to {issue.reference}; {self.context.keymap.key('undo')} undoes it. {doubt}"
            self.tell(words.rstrip())

    def action_question(self) -> None:
        questions(self.context, self.call)

    def action_start(self) -> None:
        if self.call.ended is not None:
            self.context.ask(
                "Start a call?",
                {"r": "resume this one", "n": "start a new one"},
                lambda answer: self._resume() if answer == "r" else self._start(),
            )
        else:
            self._start()

    def _start(self) -> None:
        def start() -> None:
            if (call := self._calls.start()) is not None:
                self.call = call

        if attempt(self.context, start):
            self._restarted("Call started: every change from now on is a decision.")

    def _resume(self) -> None:
        if attempt(self.context, lambda: self._calls.resume(self.call)):
            self._restarted("Call resumed.")

    def _restarted(self, words: str) -> None:
        self.begin()
        self.context.shell.show_header()
        self.tell(words)

    def action_end(self) -> None:
        if (running := self._calls.running) is None:
            return
        self.call = running
        if attempt(self.context, lambda: self._calls.end(running)):
            post, start = (self.context.keymap.key(f"decisions.{name}") for name in ("post", "start"))
            self._restarted(f"Call ended. {post} posts the decisions, {start} resumes it.")

    def action_earlier(self) -> None:
        known: list[Call] = [*self._calls.earlier()[: len(_LETTERS) - 1]]
        if (span := self._calls.span()) is not None:
            known.append(span)
        choices = dict(zip(_LETTERS, known, strict=False))

        def chosen(letter: str) -> None:
            self.call = choices[letter]
            self.begin()

        self.context.ask(
            "Which decisions?", {letter: self._named(call) for letter, call in choices.items()}, chosen
        )

    def _named(self, call: Call) -> str:
        zone = self._calls.zone
        start = call.started.astimezone(zone)
        if not call.is_call:
            return f"{call.milestone} since {day_words(start.date())}, without a call"
        end = f" to {call.ended.astimezone(zone):%H:%M}" if call.ended is not None else ", in progress"
        return f"{day_words(start.date())} {start:%H:%M}{end}, {call.milestone}"

    def action_read(self) -> None:
        if self._progress is None:
            self._read()

    def action_person(self) -> None:
        """The next of those who decided something; after the last one everyone."""
        whole = self._calls.listed(self.call)
        people = sorted({name for one in whole.decisions for name in one.by}) if whole is not None else []
        line = ["", *people]
        self._person = line[(line.index(self._person) + 1) % len(line)] if self._person in line else ""
        self.refill()

    def action_since(self) -> None:
        if self.call.is_call:
            self.tell(f"A call has a fixed start; {self.context.keymap.key('decisions.earlier')} changes.")
            return
        zone, bridge = self._calls.zone, self.context.bridge

        def wrong(text: str) -> str:
            try:
                moment_of(text, bridge.server_now(), zone)
            except UsageError as error:
                return " ".join(str(error).split())
            return ""

        def typed(text: str) -> None:
            at = moment_of(text, bridge.server_now(), zone)
            if attempt(self.context, lambda: self._calls.begin_at(self.call, at)):
                self.begin()

        self.context.prompt(
            "Since when?",
            typed,
            value=f"{self.call.started.astimezone(zone):%Y-%m-%d}",
            note="A date, a time, or 7d or 36h ago. Posting then adds a new comment.",
            check=wrong,
        )


def _from_to(before: int | None, after: int) -> str:
    return f"{after}w" if before in (None, after) else f"{before}w → {after}w"


def _free(figures: PlanFigures) -> str:
    return free_words(figures.free or 0.0)
