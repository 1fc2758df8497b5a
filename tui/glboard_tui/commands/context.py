"""What a command can use: its target issues, and ways to change, ask and report.

Owns the safety rules every edit shares: an action applies to the whole selection, but
only its visible part; the selection clears after an action; an action can be repeated. It knows no keys.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from glboard_core.board.batch import EditBatch
from glboard_core.board.columns import Column
from glboard_core.board.use_cases import Edits, joined, reachable
from glboard_core.errors import GlboardError, NameUnknown
from glboard_core.model.issue import Issue, IssueId
from glboard_core.model.workflow import STATES
from glboard_core.planning import confirmations
from glboard_tui import notices
from glboard_tui.actions import ActionContext, Scope, Slot
from glboard_tui.bridge import Bridge
from glboard_tui.keymap import keys_for_labels
from glboard_tui.screens.dialogs import Ask
from glboard_tui.screens.picker import Choice, Result, Ticks
from glboard_tui.texts import rooms_words, short_names
from glboard_tui.widgets.selection import Listed

if TYPE_CHECKING:
    from glboard_tui.screens.board import BoardScreen

Make = Callable[[Edits, Sequence[Issue]], EditBatch]
"""An intent: from its target issues to one keystroke's acts."""

_DIGITS = dict.fromkeys("0123456789", "")


class OnTop(Protocol):
    """A list over the board, which owns focus and selection while it is open."""

    @property
    def listed(self) -> Listed:
        """Its lines, cursor and selection."""

    def go(self, step: int) -> None:
        """Move the cursor by lines."""

    def half(self, direction: int) -> None:
        """Move the cursor by half the visible lines."""

    def painted_anew(self) -> None:
        """Repaint after selection or cursor changed."""

    def leave(self) -> None:
        """Close it."""

    def tell(self, text: str) -> None:
        """Show a message where it is visible."""


class CommandContext:
    """One per board screen."""

    def __init__(self, screen: BoardScreen, bridge: Bridge) -> None:
        self.screen = screen
        self.bridge = bridge
        #: The list on top of the board, whose issue the keys act on.
        self.top: OnTop | None = None
        #: Repeats the last edit on the current focus or selection.
        self.again: Callable[[], None] | None = None
        #: Typed text that was not sent: comments by their issues, other texts by their kind.
        self.drafts: dict[tuple[str, ...], str] = {}
        #: Warnings that were confirmed: they are not asked again (planning rule 13).
        self.settled: confirmations.Settled = set()

    # State

    @property
    def in_detail(self) -> bool:
        """Whether keys go to the open issue."""
        return self.top is None and self.screen.pane.has_keys

    @property
    def in_room(self) -> bool:
        """Whether keys go to the capacity pane next to the board, and so to no card."""
        room = self.screen.docking.pane
        return self.top is None and room is not None and room.has_keys

    @property
    def _scope(self) -> Scope:
        if self.top is not None:
            return "list"
        return "detail" if self.in_detail else "room" if self.in_room else "board"

    def make_way(self) -> None:
        """Close the list on top, to show another one or the board."""
        if self.top is not None:
            self.top.leave()

    def situation(self) -> ActionContext:
        """Return the state that decides which actions apply."""
        bridge = self.bridge
        selection = self.top.listed.selection if self.top is not None else self.screen.board.selection
        selected = len(self.selected())
        catalog = bridge.catalog
        status = bridge.status
        return ActionContext(
            scope=self._scope,
            targets=len(self.targets()),
            selected=selected,
            can_restore=selection.can_restore,
            undo=bool(bridge.undo_title),
            redo=bridge.can_redo,
            repeat=self.again is not None,
            escape=bool(bridge.view.text or selected),
            failed=status.failed if status else 0,
            conflicting=bool(status and status.conflicts)
            and any(bridge.is_conflicting(issue.id) for issue in self.targets()),
            weights=catalog is None or catalog.server.has_weight,
            ready=catalog is not None and bridge.index is not None,
            writable=bridge.writable,
        )

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
            case "priority":
                return self._labels(self.bridge.settings.labels.priority_prefix)
            case "severity":
                return self._labels(self.bridge.settings.labels.severity_prefix)

    def rooms(self) -> dict[str, str]:
        """Each team member's free capacity as text, by username; empty without a team."""
        plan = self.screen.plan
        return rooms_words(plan.rooms(), blind=plan.roster.blind)

    def _people(self) -> dict[str, str]:
        people, rooms = self.bridge.people(), self.rooms()
        if not rooms:
            return people
        # People with capacity but no letter yet are found by the search.
        names = short_names({*people.values(), *rooms})
        return {key: f"{names[name]} {rooms.get(name, '')}".rstrip() for key, name in people.items()}

    def _labels(self, prefix: str) -> dict[str, str]:
        catalog = self.bridge.catalog
        known = keys_for_labels((label.title for label in catalog.labels), prefix) if catalog else {}
        # If GitLab has none, offer the usual four: the key then reports that the label does not exist.
        return known or {digit: prefix + digit for digit in "1234"}

    def selected(self) -> list[Issue]:
        """The selected issues that are visible now."""
        if self.top is not None:
            return self._issues(self.top.listed.selected)
        board = self.screen.board
        if not len(board.selection) or self.in_room:
            return []
        return self._issues(issue for issue, _ in board.targets() if issue in board.selection)

    def targets(self) -> list[Issue]:
        """The next edit's targets: open issue, visible selection or focused card; none in the pane."""
        if self.top is not None:
            return self._issues(self.top.listed.targets)
        if self.in_detail and self.screen.pane.issue is not None:
            return self._issues([self.screen.pane.issue])
        if self.in_room:
            return []
        return self._issues(issue for issue, _ in self.screen.board.targets())

    def now(self, issues: Iterable[Issue]) -> list[Issue]:
        """The current state of these issues: they may have changed or gone while a dialog was open."""
        return self._issues(issue.id for issue in issues)

    def column(self) -> Column | None:
        """The focused column."""
        return self.screen.board.focused[1]

    def _issues(self, ids: Iterable[IssueId]) -> list[Issue]:
        return [issue for identity in ids if (issue := self.bridge.issue(identity)) is not None]

    # Changing

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
            self._ask_first(make, on, answers + letter, follow=follow)

        self.ask(question.text, question.choices, answered, note=question.note)

    def _confirm(self, work: EditBatch, edits: Edits, *, follow: bool) -> None:
        """Do it, after asking about any warnings (planning rule 13): do all, only the rest, or nothing."""
        question = confirmations.confirmation(work, edits, self.bridge.issue, self.settled)
        if question is None:
            self.perform(work, follow=follow)
            return

        def answered(letter: str) -> None:
            if letter == "y":
                self.settled |= question.settles
            self.perform(question.answers[letter].work, follow=follow)

        self.ask(question.text, question.choices, answered, note=question.note)

    def perform(self, work: EditBatch, *, follow: bool = False) -> bool:
        """Do it, show it in the next frame, clear the selection. Return whether anything changed."""
        if not work.changes:
            self.say(f"No change: {work.skipped}" if work.skipped else "Nothing to change.")
            return False
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
        self.screen.sync(follow=follow)
        if self.top is not None:
            self.top.listed.selection.clear()
            self.top.painted_anew()
        elif not self.in_detail:
            self.screen.board.clear_selection()
        return True

    def _keep_words(self, work: EditBatch) -> None:
        """Keep the text of an edit that failed as a draft."""
        comments = [(issue, change.comment) for issue, change in work.changes if change.comment]
        if comments:
            self.drafts[tuple(issue for issue, _ in comments)] = comments[0][1]
            self.say("Comment saved as draft; press c to resume.")
        for issue, change in work.changes:
            title, text = change.typed
            if change.creates:
                self.drafts[("new",)] = title
                self.say("Title saved as draft; press n to resume.")
            if "description" in change.touches():
                found = self.bridge.issue(issue)
                self.drafts["edit", issue] = joined(title or (found.title if found else ""), text)
                self.say("Text saved as draft; press e to resume.")

    # Reporting and asking

    def say(self, text: str, *, bad: bool = False) -> None:
        """Show a message in the footer until the next key."""
        self.screen.say(text, bad=bad)
        if self.top is not None:
            self.top.tell(text)

    def tell(self, error: GlboardError) -> None:
        """Show an error with its hint."""
        notices.tell(self.screen.app, notices.notice_of(error))

    def ask(
        self, question: str, answers: Mapping[str, str], then: Callable[[str], None], *, note: str = ""
    ) -> None:
        """Ask; ``then`` gets the letter, and is not called on Esc."""

        def answered(answer: str | None) -> None:
            if answer is not None:
                then(answer)

        self.screen.app.push_screen(Ask(question, answers, note=note), answered)

    def pick(
        self,
        title: str,
        choices: Sequence[Choice],
        then: Callable[[Result], None],
        *,
        ticks: Ticks | None = None,
        note: str = "",
    ) -> None:
        """Open a picker; ``then`` gets the result, and is not called on Esc."""

        def picked(result: Result | None) -> None:
            if result is not None:
                then(result)

        from glboard_tui.screens.picker import Picker

        self.screen.app.push_screen(Picker(title, choices, ticks=ticks, note=note), picked)
