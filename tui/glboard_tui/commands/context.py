"""What a command can use: its target issues, and ways to change, ask and report.

Owns the safety rules every edit shares: an action applies to the whole selection, but only its visible part;
the selection clears after an action; an action can be repeated. It knows no keys, and of the screen only what
``Shell`` and ``CapacityDock`` say.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeVar

from msgspec import structs
from textual.app import App

from glboard_core.board.batch import EditBatch, Question, about
from glboard_core.board.columns import Column
from glboard_core.board.use_cases import Edits, joined, reachable
from glboard_core.errors import GlboardError, NameUnknown
from glboard_core.model.issue import Issue, IssueId
from glboard_core.model.merge_requests import MergeRequest
from glboard_core.model.workflow import STATES
from glboard_core.planning import confirmations
from glboard_tui import notices
from glboard_tui.action import ActionContext, Scope, Slot
from glboard_tui.bridge import Bridge
from glboard_tui.keymap import Keymap, keys_for_labels
from glboard_tui.own_commands import OwnCommands
from glboard_tui.planning import PlanningFigures
from glboard_tui.screens.dialogs import Ask, Waiting
from glboard_tui.screens.issue_pane import OpenIssue
from glboard_tui.texts import PlanWords, free_by_name, free_words, staged_line
from glboard_tui.widgets.board import BoardWidget
from glboard_tui.widgets.selection import Listed

if TYPE_CHECKING:
    from glboard_tui.screens.picker import Result, Ticks
    from glboard_tui.screens.picker_source import Source

T = TypeVar("T")
Make = Callable[[Edits, Sequence[Issue]], EditBatch]
"""An intent: from its target issues to one keystroke's changes."""

_DIGITS = dict.fromkeys("0123456789", "")


class Shell(Protocol):
    """What surrounds the board: messages, repainting, the filter line, keys, background work, the app."""

    @property
    def app(self) -> App[Any]: ...
    def say(self, text: str, *, bad: bool = False) -> None: ...
    def sync(self, *, follow: bool = False) -> None: ...
    def show_board(self) -> None: ...
    def show_header(self) -> None: ...
    def show_footer(self) -> None: ...
    def filter(self, text: str) -> None: ...
    def edit_filter(self) -> None: ...
    def press(self, token: str) -> None: ...
    def tell_view(self) -> None: ...
    def work(self, job: Coroutine[Any, Any, None], group: str, *, only: bool = False) -> None: ...
    def quit(self) -> None: ...


class CapacityDock(Protocol):
    """The capacity pane next to the board; ``toggle`` and ``focus`` return False if it has no space."""

    @property
    def is_open(self) -> bool: ...
    @property
    def key_owner(self) -> Pane | None: ...
    def toggle(self) -> bool: ...
    def focus(self) -> bool: ...
    def close(self) -> None: ...


class Pane(Protocol):
    """What has the keys in place of board and open issue. ``own`` has its own actions as methods."""

    @property
    def scope(self) -> Scope: ...
    @property
    def modes(self) -> frozenset[str]: ...
    @property
    def own(self) -> object: ...
    def go(self, step: int) -> None: ...
    def half(self, direction: int) -> None: ...
    def tell(self, text: str) -> None: ...
    def escape(self) -> None: ...
    def leave(self) -> None: ...


class OnTop(Pane, Protocol):
    """A list over the board, which owns focus and selection while it is open."""

    @property
    def listed(self) -> Listed: ...
    def in_view(self) -> Sequence[IssueId]: ...
    def painted_anew(self) -> None: ...
    def step_milestone(self, step: int) -> None: ...
    def renew(self) -> None: ...
    def edit_filter(self) -> None: ...
    def sort(self) -> None: ...
    def chosen(self) -> Issue | None: ...
    @property
    def subject(self) -> str: ...
    def propose_for(self, username: str) -> bool: ...
    def performed(self, work: EditBatch) -> None: ...
    def came_back(self, issues: Sequence[IssueId]) -> None: ...


class CommandContext:
    """One per board screen."""

    def __init__(
        self,
        bridge: Bridge,
        planning: PlanningFigures,
        keymap: Keymap,
        board: BoardWidget,
        open_issue: OpenIssue,
        dock: CapacityDock,
        shell: Shell,
    ) -> None:
        self.bridge = bridge
        self.planning = planning
        self.keymap = keymap
        self.board = board
        self.open_issue = open_issue
        self.dock = dock
        self.shell = shell
        #: The list on top of the board, whose issue the keys act on.
        self.top: OnTop | None = None
        #: The panes over the board, the one with the keys last.
        self.panes: list[Pane] = []
        #: Repeats the last edit on the current focus or selection.
        self.again: Callable[[], None] | None = None
        #: Commands of one's own: which runs, and what it said.
        self.own_commands = OwnCommands()
        #: Typed text that was not sent: comments by their issues, other texts by their kind.
        self.drafts: dict[tuple[str, ...], str] = {}
        #: Confidential issues whose title may be copied: that is asked once.
        self.copied: set[IssueId] = set()
        #: Warnings that were confirmed: they are not asked again (planning rule 13).
        self.settled: confirmations.Settled = set()

    # State

    @property
    def pane(self) -> Pane | None:
        """The pane that has the keys; None on the board and in an open issue."""
        return self.panes[-1] if self.panes else self.dock.key_owner

    @property
    def scope(self) -> Scope:
        """Where keys go."""
        if (pane := self.pane) is not None:
            return pane.scope
        if not self.open_issue.has_keys:
            return "board"
        return "task" if self.open_issue.tasks.focused is not None else "detail"

    def make_way(self) -> None:
        """Close the list on top, and what is below it, to show another one or the board."""
        while (top := self.top) is not None:
            top.leave()
            if self.top is top:
                return

    def situation(self) -> ActionContext:
        """Return the state that decides which actions apply."""
        bridge, catalog, status = self.bridge, self.bridge.catalog, self.bridge.status
        selection = self.top.listed.selection if self.top is not None else self.board.selection
        selected, targets, pane = len(self.selected()), self.targets(), self.pane
        return ActionContext(
            scope=self.scope,
            modes=pane.modes if pane is not None else self.open_issue.modes,
            differing=any(map(bridge.view.flow.conflict, targets)),
            targets=len(targets),
            selected=selected,
            can_restore=selection.can_restore,
            undo=bool(bridge.undoing.title or bridge.undoing.no_undo),
            redo=bridge.undoing.can_redo,
            repeat=self.again is not None,
            conflicting=bool(status and status.conflicts),
            trouble=self._trouble(targets) if status and (status.conflicts or status.failed) else "",
            draft=bridge.drafts.is_on,
            weights=catalog is None or catalog.server.has_weight,
            health=bridge.reads.health is not False,
            ready=catalog is not None and bridge.index is not None,
            writable=bridge.writable,
            calling=self.planning.calls.running is not None,
            shared=bridge.share.is_on,
            revealed=bridge.share.revealed is not None,
            hidden=any(map(bridge.share.hides, targets)),
        )

    def _trouble(self, targets: Sequence[Issue]) -> Literal["", "conflict", "failed"]:
        if any(self.bridge.flags.is_conflicting(issue.id) for issue in targets):
            return "conflict"
        return "failed" if any(self.bridge.flags.is_failed(issue.id) for issue in targets) else ""

    def options(self, slot: Slot) -> Mapping[str, str]:
        """The possible letters of an argument now, with their names."""
        match slot:
            case "digit":
                return _DIGITS
            case "flow":
                return {state.letter: state.name for state in STATES}
            case "person":
                return self._people()
            case "column":
                index = self.bridge.index
                return {k: c.title for k, c in reachable(index).items()} if index else {}
            case "filter":
                return {letter: one.name for letter, one in self.bridge.filters.saved.items()}
            case "priority":
                names = self.bridge.settings.labels
                listed = {str(place): label for place, label in enumerate(names.priorities[:9], 1)}
                return listed or self._labels(names.priority_prefix)
            case "severity":
                return self._labels(self.bridge.settings.labels.severity_prefix)

    def _people(self) -> dict[str, str]:
        people, planning = self.bridge.people(), self.planning
        share = self.bridge.share
        free = free_by_name(planning.people_with_days(), hidden=share.is_on) if share.names_people else {}
        # People with capacity but no letter yet are found by the search.
        short = self.bridge.people_words.short
        return {key: f"{short(name)} {free.get(name, '')}".rstrip() for key, name in people.items()}

    def _labels(self, prefix: str) -> dict[str, str]:
        catalog = self.bridge.catalog
        known = keys_for_labels((label.title for label in catalog.labels), prefix) if catalog else {}
        # If GitLab has none, offer the usual four: the key then reports that the label does not exist.
        return known or {digit: prefix + digit for digit in "1234"}

    def selected(self) -> list[Issue]:
        """The selected issues that are visible now."""
        if self.top is not None:
            return self._issues(self.top.listed.selected)
        selection = self.board.selection
        if not len(selection) or self.scope not in ("board", "detail", "task"):
            return []
        return self._issues(issue for issue, _ in self.board.targets() if issue in selection)

    def targets(self) -> list[Issue]:
        """The next edit's targets: open issue, visible selection or focused card; none in the pane."""
        if self.top is not None:
            return self._issues(self.top.listed.targets)
        if (scope := self.scope) == "board":
            return self._issues(issue for issue, _ in self.board.targets())
        shown = self.open_issue.id
        return self._issues([shown]) if scope in ("detail", "task") and shown is not None else []

    def now(self, issues: Iterable[Issue]) -> list[Issue]:
        """The current state of these issues: they may have changed or gone while a dialog was open."""
        return self._issues(issue.id for issue in issues)

    def column(self) -> Column | None:
        """The focused column."""
        return self.board.focused[1]

    def _looked_at(self) -> list[Issue]:
        """The targets; in a list also an issue that is on no board."""
        issues = self.targets()
        chosen = self.top.chosen() if self.top is not None and not issues else None
        return issues if chosen is None else [chosen]

    def refuses(self, issues: Iterable[Issue]) -> bool:
        """Whether one of these is hidden on the shared screen, after a message that says so."""
        if not any(map(self.bridge.share.hides, issues)):
            return False
        key = self.keymap.key("share.reveal")
        self.say(f"Confidential: hidden on the shared screen. {key} shows an issue briefly.")
        return True

    def _issues(self, ids: Iterable[IssueId]) -> list[Issue]:
        return [issue for identity in ids if (issue := self.bridge.whole_issue(identity)) is not None]

    # Changing

    def run(self, action: str, argument: str = "") -> None:
        """Run an action of the registry. ``argument`` is the digit or letter of its slot.

        One that would show what share mode hides is refused.
        """
        found = self.keymap.action(action)
        if found.shows and self.refuses(self._looked_at()):
            return
        found.command(self, argument or found.fixed)

    def do(
        self, make: Make, *, on: Sequence[Issue] | None = None, follow: bool = False, again: bool = True
    ) -> None:
        """Edit the targets (or ``on``) and remember the edit for ``.``."""
        issues = self.targets() if on is None else on
        if again:
            self.again = lambda: self.do(make, follow=follow)
        self._ask_first(make, issues, "", follow=follow)

    def _ask_first(self, make: Make, on: Sequence[Issue], answers: str, *, follow: bool) -> None:
        """Ask what the use case asks, after each answer with the issues as they are by then."""
        edits, issues = self.bridge.edits(), self.now(on)
        if edits is None or not issues:
            self.say("Nothing to change here.")
            return
        try:
            work = make(edits, issues)
        except NameUnknown as error:
            self.tell(error)
            return
        for letter in answers:
            work = work.answered(letter)
        question = work.question
        if question is None:
            self._confirm(work, edits, follow=follow)
            return

        def answered(letter: str) -> None:
            if letter in question.choices:
                self._ask_first(make, on, answers + letter, follow=follow)
                return
            [labels] = [one.labels for one in question.remedies if one.letter == letter]
            again = partial(self._ask_first, make, on, answers, follow=follow)
            self.shell.work(self._create_labels(labels, again), "labels")

        self._put(question, work, answered)

    def _put(self, question: Question, work: EditBatch, then: Callable[[str], None]) -> None:
        """Ask; about a hidden issue only whether to continue, since the rest says what it is like."""
        issues = self._issues(identity for identity, _ in work.changes)
        if any(map(self.bridge.share.hides, issues)):
            who = self.bridge.reference_of(issues[0]) if len(issues) == 1 else f"{len(issues)} issues"
            self.ask(f"{who}: continue?", question.offers, then)
        else:
            self.ask(question.text, question.offers, then, note=question.note)

    async def _create_labels(self, labels: Sequence[str], then: Callable[[], None]) -> None:
        try:
            await self.bridge.create_labels(labels)
        except GlboardError as error:
            self.tell(error)
            return
        self.say(f"Created {' and '.join(labels)}.")
        then()

    def _confirm(self, work: EditBatch, edits: Edits, *, follow: bool) -> None:
        """Do it, after asking about any warnings (planning rule 13): do all, only the rest, or nothing.

        If the states of merge requests matter, GitLab is asked for them first.
        """
        ending = confirmations.completes(work, edits, self.bridge.whole_issue)
        if not ending:
            self._warn(work, edits, {}, follow=follow)
            return

        waiting = Waiting(
            f"{work.wish or work.title}?",
            lambda: self.bridge.reads.requests_now(ending),
            note="Checking for open merge requests …",
        )
        then = _unless_cancelled(partial(self._warn, work, edits, follow=follow))
        self.shell.app.push_screen(waiting, then)

    def _warn(
        self,
        work: EditBatch,
        edits: Edits,
        requests: Mapping[IssueId, Sequence[MergeRequest]],
        *,
        follow: bool,
    ) -> None:
        question = confirmations.confirmation(work, edits, self.bridge.whole_issue, self.settled, requests)
        if question is None:
            self.perform(work, follow=follow)
            return

        def answered(letter: str) -> None:
            if letter not in question.choices:
                [what] = [one.what for one in question.remedies if one.letter == letter]
                self._remedy(what, work, edits, follow=follow)
                return
            if letter == "y":
                self.settled |= question.settles
            self.perform(question.answers[letter].work, follow=follow)

        self._put(question, work, answered)

    def _remedy(self, what: str, work: EditBatch, edits: Edits, *, follow: bool) -> None:
        """What the question offered in place of the batch, or first."""
        if what == "breakdown":
            self.run("plan.breakdown")
            return
        issues = self._issues(dict.fromkeys(issue for issue, _ in work.changes))

        def typed(text: str) -> None:
            weight = edits.weight(issues, int(text))
            both = structs.replace(work, changes=(*work.changes, *weight.changes))
            self._confirm(both, edits, follow=follow)

        from glboard_tui.screens.prompts import wrong_weight

        self.prompt(
            f"Weight of {about(issues)}",
            typed,
            check=lambda text: wrong_weight(text) if text.strip() else "Enter a weight.",
        )

    def perform(self, work: EditBatch, *, follow: bool = False) -> bool:
        """Do it, show it in the next frame, clear the selection. Return whether anything changed."""
        if not work.changes:
            self.say(f"No change: {work.skipped}" if work.skipped else "Nothing to change.")
            return False
        free = self._plan()
        try:
            ops = self.bridge.perform(work)
        except GlboardError as error:  # it cannot be stored, or this session is read-only
            self.tell(error)
            self._keep_words(work)
            return False
        if not ops:
            self.say("No change: already set.")
            return False
        if work.skipped:
            self.say(work.skipped)
        self.shell.sync(follow=follow)
        if self.bridge.drafts.is_on and not work.skipped:
            self.say(staged_line(work.title, free, self._plan()))
        if self.top is not None:
            self.top.performed(work)
        elif not self.open_issue.has_keys:
            self.board.clear_selection()
        return True

    def _plan(self) -> PlanWords | None:
        """What a staged change is compared with: the milestone, and what is free or planned in it."""
        found = self.planning.milestone() if self.bridge.drafts.is_on else None
        capacity = self.planning.capacity(found)
        if found is None or capacity is None:
            return None
        if self.planning.team is None:
            return found.title, f"{capacity.planned}w planned"
        words = free_words(capacity.free_likely)
        # Others see whether it fits, but no figure of the team.
        return found.title, words.rpartition(" ")[2] if self.bridge.share.is_on else words

    def _keep_words(self, work: EditBatch) -> None:
        """Keep the text of an edit that failed as a draft."""
        comments = [(issue, change.comment) for issue, change in work.changes if change.comment]
        if comments:
            self.drafts[tuple(issue for issue, _ in comments)] = comments[0][1]
            self.say(f"Comment saved as draft; press {self.keymap.key('text.comment')} to resume.")
        for issue, change in work.changes:
            title, text = change.typed
            if change.creates:
                self.drafts[("new",)] = title
                self.say(f"Title saved as draft; press {self.keymap.key('text.new')} to resume.")
            if "description" in change.touches():
                found = self.bridge.issue(issue)
                self.drafts["edit", issue] = joined(title or (found.title if found else ""), text)
                self.say(f"Text saved as draft; press {self.keymap.key('text.edit')} to resume.")

    # Reporting and asking

    def say(self, text: str, *, bad: bool = False) -> None:
        """Show a message in the footer until the next key."""
        self.shell.say(text, bad=bad)
        if self.panes:
            self.panes[-1].tell(text)

    def tell(self, error: GlboardError) -> None:
        """Show an error with its hint."""
        notices.tell(self.shell.app, notices.notice_of(error))

    def ask(
        self,
        question: str,
        answers: Mapping[str, str],
        then: Callable[[str], None],
        *,
        note: str = "",
        hint: str = "Esc cancels",
    ) -> None:
        """Ask; ``then`` gets the letter, and is not called on Esc."""
        text = self.bridge.text
        said = {letter: text(words) for letter, words in answers.items()}
        self.shell.app.push_screen(
            Ask(text(question), said, note=text(note), hint=hint), _unless_cancelled(then)
        )

    def pick(
        self,
        title: str,
        source: Source,
        then: Callable[[Result], None],
        *,
        ticks: Ticks | None = None,
        note: str = "",
        typed: str = "",
    ) -> None:
        """Open a picker; ``then`` gets the result, and is not called on Esc."""
        from glboard_tui.screens.picker import Picker
        from glboard_tui.screens.picker_source import MaskedChoices

        text = self.bridge.text
        if self.bridge.share.is_on:
            source = MaskedChoices(source, text)
        picker = Picker(text(title), source, ticks=ticks, note=text(note), typed=typed)
        self.shell.app.push_screen(picker, _unless_cancelled(then))

    def prompt(
        self,
        title: str,
        then: Callable[[str], None],
        *,
        value: str = "",
        note: str = "",
        placeholder: str = "",
        hint: str = "Enter confirms · Esc cancels",
        check: Callable[[str], str] = lambda _: "",
    ) -> None:
        """Ask for one line; ``then`` gets it, and is not called on Esc. ``check`` returns what is wrong."""
        from glboard_tui.screens.prompts import Prompt

        said = self.bridge.text(note)
        prompt = Prompt(
            self.bridge.text(title), value=value, note=said, placeholder=placeholder, hint=hint, check=check
        )
        self.shell.app.push_screen(prompt, _unless_cancelled(then))

    def write(
        self,
        title: str,
        draft: tuple[str, ...],
        send: Callable[[str], None],
        *,
        kept: str = "",
        text: str = "",
        note: str = "",
    ) -> None:
        """Open the comment editor with the draft or ``text``; ``send`` gets the comment.

        Esc keeps what was typed as a draft and says ``kept``.
        """
        from glboard_tui.screens.prompts import CommentDialog

        def written(answer: tuple[str, bool]) -> None:
            typed, sent = answer
            self.drafts.pop(draft, None)
            if sent:
                send(typed)
            elif typed.strip():
                self.drafts[draft] = typed
                if kept:
                    self.say(kept)

        catalog = self.bridge.catalog
        people = [person.username for person in catalog.people] if catalog is not None else []
        typed_before = self.drafts.get(draft, text)
        about = (found for part in draft if (found := self.bridge.whole_issue(IssueId(part))) is not None)
        if typed_before and (self.refuses(about) or self.bridge.share.finds(typed_before)):
            self.say("You have a draft here; it is hidden on the shared screen.")
            return
        said = self.bridge.text(note)
        dialog = CommentDialog(self.keymap, title, text=typed_before, note=said, people=people)
        self.shell.app.push_screen(dialog, _unless_cancelled(written))


def _unless_cancelled(then: Callable[[T], None]) -> Callable[[T | None], None]:
    """For a dialog's result, which is None after Esc."""

    def closed(result: T | None) -> None:
        if result is not None:
            then(result)

    return closed
