"""The walk: one card at a time fills the screen, and each usual decision is one key, as on the board.

Owns which card is shown when: after a change the walk goes on by itself, undo brings the card back, what left
meanwhile is skipped. Every step is kept, so that the walk can be resumed. The steps are values of
``glboard_core.planning.walk``; what the screen says is in ``walk_view.py``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from time import monotonic

from textual.app import ComposeResult
from textual.containers import Container, Vertical, VerticalScroll
from textual.content import Content
from textual.timer import Timer
from textual.widgets import Static

from glboard_core.board.batch import EditBatch
from glboard_core.board.columns import UNLISTED
from glboard_core.model.issue import Issue, IssueDetail, IssueId
from glboard_core.planning.readiness import open_for_deliverables
from glboard_core.planning.walk import Outcome, Walk, begun, outcomes, resumed
from glboard_tui import texts
from glboard_tui.action import Action
from glboard_tui.actions import BY_ID
from glboard_tui.commands.context import CommandContext, OnTop
from glboard_tui.more_of_issue import MoreOfIssue
from glboard_tui.screens.issue_pane import DescriptionPane
from glboard_tui.screens.keys import PaneDialog
from glboard_tui.walk_view import (
    CardRules,
    clock_words,
    decision_words,
    head_view,
    left_words,
    people_free,
    remaining,
    result_words,
    resumed_words,
    walk_facts,
)
from glboard_tui.walks import WalkMemory, WalkSource
from glboard_tui.widgets.card_view import presenter
from glboard_tui.widgets.facts import Facts
from glboard_tui.widgets.footer import FooterBar
from glboard_tui.widgets.selection import Listed
from glboard_tui.widgets.text import clean
from glboard_tui.widgets.walk import PeopleFree, WalkCard, WalkHead

#: The width from which the footer has both a message and what undo would do.
_BOTH = 120
#: Lines of the description that a key scrolls, and cards that the end names.
_SCROLL, _NAMED = 3, 200


class WalkPane(PaneDialog[None]):
    """Fills the screen from below the header to the footer."""

    scope = "walk"
    AUTO_FOCUS = ""
    #: Facts and description are next to each other if both fit, otherwise one below the other.
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (96, "-middle"), (130, "-wide")]  # noqa: RUF012  (Textual declares it so)

    def __init__(self, context: CommandContext, source: WalkSource) -> None:
        super().__init__(context, "")
        self._source = source
        self._memory = WalkMemory(context.bridge)
        known = self._memory.of(source.key)
        ids = source.ids()
        if known is not None and source.chosen and frozenset(known.ids) != frozenset(ids):
            known = None
        found = resumed(known, source.key, ids)
        self.walk = found.walk
        self._said = (
            ""
            if found.afresh
            else context.bridge.text(resumed_words(found.walk, found.left, found.new, source.title))
        )
        #: The one issue that keys act on.
        self.listed = Listed()
        self.head, self.card, self._facts, self.people = WalkHead(), WalkCard(), Facts(), PeopleFree()
        self.reading = DescriptionPane(context.bridge, self, self._loaded)
        self.reading.on = True
        self._left = VerticalScroll(self._facts, self.people, classes="left", can_focus=False)
        self._body = VerticalScroll(self._left, self.reading.pane, classes="body", can_focus=False)
        self._end_words = Static(classes="end-words")
        self._end = VerticalScroll(self._end_words, classes="end", can_focus=False)
        self.footer = FooterBar()
        #: The issue as painted: what the next change is compared with.
        self._shown: Issue | None = None
        self._more = MoreOfIssue(context.bridge)
        self._since = monotonic()
        self._stays = False
        #: What became of the cards that were passed.
        self._results: dict[IssueId, Outcome] = {}
        self._asked = False
        #: Cards whose changes by others were seen here: they glow on the board until it is shown again.
        self._looked: set[IssueId] = set()
        self._below: OnTop | None = None
        self._unwatch: Callable[[], None] = lambda: None
        self._ticking: Timer | None = None

    def parts(self) -> ComposeResult:
        with Vertical(classes="overlay"):
            yield self.head
            yield self.card
            yield self._body
            yield self._end
        yield self.footer
        yield Container(self._strip, id="strip")

    def on_mount(self) -> None:
        """Take over the keys, and follow changes."""
        super().on_mount()
        self._below, self.context.top = self.context.top, self
        self._unwatch = self.context.planning.watch(self._changed)
        if self.context.bridge.settings.walk.clock:
            self._ticking = self.set_interval(1, self._show_head)
        self._go(self.walk)

    def give_back(self) -> None:
        super().give_back()
        self._unwatch()
        self._asked = False
        if self.context.top is self:
            self.context.top = self._below
            self.context.shell.tell_view()

    def leave(self) -> None:
        """Close it; the board or list below is at the card where the walk stopped."""
        words, here, below = result_words(self.walk, self._results.values()), self.walk.current, self._below
        self._follow_on_board()
        super().leave()
        self.context.board.changed(set(), self._looked)
        self.context.shell.show_header()
        if below is not None and here is not None:
            below.listed.find(here)
            below.painted_anew()
        key = self.context.keymap.key("pane.walk")
        self.context.say(f"{words}." if here is None else f"{words}. {key} resumes.")

    def before(self, action: Action) -> None:
        """What is a key of the board, too, may ask where the card is there."""
        if "board" in action.scopes:
            self._follow_on_board()

    def _follow_on_board(self) -> None:
        """Focus the card on the board: not at every step, since that paints all of the board below."""
        if self.walk.current is not None:
            self.context.board.focus_card(self.walk.current, self._source.column)

    # The steps

    def _go(self, walk: Walk) -> list[str]:
        """Show the current card of a walk, without those that left; return their references."""
        gone: dict[IssueId, str] = {}
        while True:
            if walk.current is None:
                # What left just now is not new, whatever a list says that was not updated yet.
                walk = walk.join(issue for issue in self._source.ids() if issue not in gone)
            if (here := walk.current) is None:
                break
            issue = self._issue(here)
            # One that was changed here, and one the user went back to, are shown wherever they are now.
            if issue is not None and (here in walk.before or self._source.holds(issue)):
                break
            gone[here] = self.context.bridge.reference_of(issue) if issue is not None else "1 card"
            walk = walk.drop([here])
        self._take(walk)
        return list(gone.values())

    def _issue(self, issue: IssueId) -> Issue | None:
        """The issue that steps and outcomes depend on. What is shown of it passes the mask."""
        return self.context.bridge.whole_issue(issue)

    def _take(self, walk: Walk) -> None:
        if walk.current != self.walk.current or self._shown is None:
            self._since = monotonic()
            for part in (self._body, self._left):
                part.scroll_to(y=0, animate=False, immediate=True)
        self.walk = walk
        self._memory.keep(walk)
        if walk.current is not None and self.context.bridge.unseen.look(walk.current):
            self._looked.add(walk.current)
        self._paint()

    def _step(self, walk: Walk, words: str = "") -> None:
        gone = left_words(self._go(walk), self.subject)
        self.tell(" · ".join(filter(None, (words, gone))))

    def _found(self) -> dict[IssueId, Outcome]:
        """What became of each card that was passed."""
        bridge = self.context.bridge
        catalog, version = bridge.catalog, bridge.settings.planning.version

        def is_version(title: str) -> bool:
            milestone = catalog.find_milestone(title) if catalog is not None else None
            return milestone is not None and milestone.is_version(version)

        return outcomes(self.walk, self._issue, bridge.settings.labels, is_version)

    def action_skip(self) -> None:
        if self.walk.current is not None:
            self._step(self.walk.skip())
        elif self.walk.later:
            self._step(self.walk.pile_again())
        else:
            self.tell("That was the last issue. Esc ends the walk.")

    def action_later(self) -> None:
        if (here := self._shown) is None:
            self.action_skip()
        else:
            words = "stays at the end" if self.walk.again else "moved to the end"
            self._step(self.walk.put_off(), f"{self.context.bridge.reference_of(here)} {words}.")

    def action_back(self) -> None:
        walk = self.walk
        while walk.trail and self._issue(walk.trail[-1]) is None:
            walk = walk.drop(walk.trail[-1:])  # deleted meanwhile
        if not walk.trail:
            self.tell("This is the first issue.")
        else:
            self._take(walk.back())

    def action_start(self) -> None:
        self._step(begun(self._source.key, self._source.ids()), "Started over.")

    def action_stay(self) -> None:
        self._stays = not self._stays
        self._show_head()
        key = self.context.keymap.key("walk.skip")
        self.tell(
            f"A change now stays on the issue; {key} goes to the next."
            if self._stays
            else "A change now goes to the next issue."
        )

    # Called by commands

    def performed(self, work: EditBatch) -> None:
        """A key changed issues: if one is the card, go on, and say what was decided."""
        bridge, before = self.context.bridge, self._shown
        if before is None or before.id not in {issue for issue, _ in work.changes}:
            return
        after, comments = self._issue(before.id), any(change.comment for _, change in work.changes)
        words = decision_words(
            bridge.view_of(before),
            bridge.view_of(after) if after is not None else None,
            bridge.text(work.title),
            bridge.settings.labels,
            bridge.people_words.short,
        )
        if bridge.mask(before) is not None:
            words = f"{bridge.reference_of(before)} changed"
        walk = self.walk.change(before, commented=comments)
        self._step(walk if self._stays else walk.skip(), words)

    def came_back(self, issues: Sequence[IssueId]) -> None:
        """A change was undone or redone: show the card, if the walk has it."""
        found = next((issue for issue in issues if issue in self.walk.ids), None)
        if found is not None:
            self._take(self.walk.uncomment(found).show(found))

    def painted_anew(self) -> None:
        """There is no cursor to repaint."""

    def step_milestone(self, step: int) -> None:
        """A walk stays in its milestone."""

    def renew(self) -> None:
        """A walk lists no notes and no decisions."""

    def edit_filter(self) -> None:
        """A walk has no filter."""

    def sort(self) -> None:
        """A walk keeps its order."""

    def propose_for(self, username: str) -> bool:
        """A walk proposes nothing: it accepts."""
        return False

    def in_view(self) -> Sequence[IssueId]:
        """The card and the next one: their changes arrive at once."""
        return self.walk.ahead[:2]

    def chosen(self) -> Issue | None:
        """The card."""
        return self._shown

    @property
    def subject(self) -> str:
        """What is walked, as everybody may read it."""
        return self.context.bridge.text(self._source.title)

    # Showing

    def _changed(self) -> None:
        if not self._asked:
            self._asked = True
            self.call_later(self._follow)

    def _follow(self) -> None:
        """Show what changed; a card that no longer exists is skipped."""
        if not self._asked:
            return
        self._asked = False
        here = self.walk.current
        if here is not None and self._issue(here) is None:
            self._step(self.walk)
        else:
            self._paint()

    def _paint(self) -> None:
        here = self.walk.current
        self._shown = issue = self._issue(here) if here is not None else None
        self._results = self._found()
        self.listed.replace([issue.id] if issue is not None else [])
        self.context.shell.tell_view()
        self._show_head()
        for part in (self.card, self._body):
            part.display = issue is not None
        self._end.display = issue is None
        if issue is not None:
            self._paint_card(issue)
        else:
            self._end_words.update(self._ending())
        self.reading.show(issue)
        self._show_footer()

    def _paint_card(self, issue: Issue) -> None:
        bridge, planning = self.context.bridge, self.context.planning
        index, catalog, today = bridge.index, bridge.catalog, bridge.today
        column = index.column(UNLISTED) if index is not None else None
        if index is None or column is None or catalog is None or today is None:
            return
        view = presenter(bridge, index)(issue, column.column)
        self.card.show(view)
        masked = bridge.mask(issue) is not None
        rules = CardRules(
            catalog=catalog,
            flow=bridge.view.flow,
            names=bridge.settings.labels,
            allowed=open_for_deliverables(catalog.milestones, today, bridge.settings.planning.version),
            keymap=self.context.keymap,
        )
        shown = bridge.view_of(issue)
        facts = walk_facts(shown, rules, view.chips, self._more.of(shown))
        if (row := bridge.unseen.of(issue.id)) is not None:
            by = f"{texts.who(row, bridge.me)}, {texts.when(row, bridge.server_now())}:"
            facts.insert(0, ("Changed", (by, *map(bridge.text, row.what))))
        self._facts.show(() if masked else facts)
        milestone = planning.milestone()
        accept = self.context.keymap.keys_of(BY_ID["accept.with"])
        self.people.show(
            f"Free in {milestone.title}" if milestone is not None else "Free",
            people_free(
                planning.people_with_days(),
                bridge.people(),
                "".join(accept[0].split(" ")[:-1]) if accept else "",
                short_name=bridge.people_words.short,
                hidden=bridge.share.is_on,
            )
            if bridge.share.names_people
            else [],
        )

    def _show_head(self) -> None:
        issue = self._shown
        # What a key here moved away is where it should be.
        left = issue is not None and issue.id not in self.walk.before and not self._source.holds(issue)
        self.head.show(
            head_view(
                self.walk,
                self.subject,
                self._results.values(),
                left=f"no longer in {self.subject}" if left else "",
                stays=self._stays,
                clock=clock_words(monotonic() - self._since) if self._ticking and issue is not None else "",
            )
        )

    def _ending(self) -> Content:
        """What became of the cards, and those that are left."""
        bridge, found = self.context.bridge, self._results
        parts = [Content.styled(result_words(self.walk, found.values()), "bold")]
        for part in remaining(self.walk, found):
            lines = [Content.styled(part.heading, "bold $text-warning")]
            for identity in part.issues[:_NAMED]:
                if (issue := self._issue(identity)) is not None:
                    weight = "?" if issue.weight is None else str(issue.weight)
                    reference = Content.styled(f"{clean(bridge.reference_of(issue)):<24} ", "dim")
                    lines.append(Content.assemble(reference, f"{weight:>2}  ", clean(bridge.title_of(issue))))
            if (more := len(part.issues) - _NAMED) > 0:
                lines.append(Content(f"… {more} more"))
            parts.append(Content("\n").join(lines))
        keymap = self.context.keymap
        keys = [f"{keymap.key('walk.back')} back"]
        if self.walk.later:
            keys.append(f"{keymap.key('walk.skip')} shows postponed issues again")
        keys += [f"{keymap.key('walk.start')} starts over", "Esc ends the walk"]
        parts.append(Content.styled(" · ".join(keys), "dim"))
        return Content("\n\n").join(parts)

    def _show_footer(self) -> None:
        context = self.context
        bridge = context.bridge
        narrow = self.size.width < _BOTH
        self.footer.show(
            texts.footer_view(
                context.keymap,
                context.situation(),
                # What was decided names its card, and the keys that go on stay next to it.
                () if self._said and narrow else context.targets(),
                catalog=bridge.catalog,
                today=bridge.today,
                # What was decided is worth more than what undo would do, where only one of them fits.
                undo="" if self._said and narrow else bridge.undoing.words,
                message=self._said,
            )
        )

    def _loaded(self, detail: IssueDetail) -> None:
        self._more.learn(detail)
        if self._shown is not None and self._shown.id == detail.id:
            self._paint_card(self._shown)
            self.run_worker(
                self._read_requests(self._shown), group="requests", exclusive=True, exit_on_error=False
            )

    async def _read_requests(self, issue: Issue) -> None:
        """The merge requests with their states: another request, and only a number until then."""
        if await self._more.read_requests(issue) and self._shown is not None and self._shown.id == issue.id:
            self._paint_card(self._shown)

    def tell(self, text: str) -> None:
        """Show a message until the next key."""
        self._said = self.context.bridge.text(text)
        if self.is_mounted:
            self._show_footer()

    # Reading

    @property
    def _scrolled(self) -> Sequence[VerticalScroll]:
        """What the keys scroll: description and facts, or all below the card if it is one column."""
        if self._shown is None:
            return (self._end,)
        return (self.reading.pane, self._left) if self.has_class("-wide") else (self._body,)

    def go(self, step: int) -> None:
        for part in self._scrolled:
            part.scroll_relative(y=step, animate=False, immediate=True)

    def half(self, direction: int) -> None:
        self.go(direction * max(1, self._scrolled[0].size.height // 2))

    def action_down(self) -> None:
        """Scroll the description; the next one likewise."""
        self.go(_SCROLL)

    def action_up(self) -> None:
        self.go(-_SCROLL)
