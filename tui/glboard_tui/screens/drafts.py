"""Drafts: the plan before and after next to each other with every staged change, and the drafts by name.

Owns what is asked before changes are applied: how many, with their figures, and what others changed
meanwhile. Nothing is sent before that is answered.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from textual.content import Content

from glboard_core.board.batch import short
from glboard_core.board.draft import Draft, StagedIssue
from glboard_core.errors import GlboardError
from glboard_core.model.issue import Issue, IssueId
from glboard_core.model.milestone import Milestone
from glboard_core.planning.plan_comparison import PlanComparison, compare_plans
from glboard_core.planning.team import Team
from glboard_core.planning.text import counted, number
from glboard_tui.commands.context import CommandContext
from glboard_tui.drafts import staged_words
from glboard_tui.planning import PlanningFigures
from glboard_tui.screens.draft_figures import figures
from glboard_tui.screens.issue_list import Entry, MilestoneList, weight_words
from glboard_tui.screens.keys import RowDialog, hint_line
from glboard_tui.texts import free_words
from glboard_tui.widgets.colors import Ink
from glboard_tui.widgets.table import Col
from glboard_tui.widgets.text import clean

#: Lines of conflicts that a question names.
_NAMED = 3


def compared(planning: PlanningFigures, milestone: Milestone) -> PlanComparison | None:
    """The milestone without and with the draft that is on; None if it cannot be measured."""
    rules, after = planning.figures, planning.capacity(milestone)
    if rules is None or after is None:
        return None
    before = planning.issues_undrafted(*rules.concerned(milestone))
    return compare_plans(
        rules.capacity(before, milestone, planning.team or Team()),
        after,
        (rules.mix(before, milestone), planning.mix(milestone)),
    )


class DraftList(MilestoneList):
    """What the draft that is on would change, issue by issue, below the plan before and after."""

    scope = "draft"
    asks = True
    empty = "Nothing staged yet. While the draft is on, every edit is staged."
    hints = (
        "draft.apply",
        "draft.drop",
        ("selection.toggle", "mark"),
        ("pane.drafts", "drafts"),
        ("draft.toggle", "turn off"),
        "escape",
    )
    cols = (
        Col(title="issue", reference=True, least=12),
        Col(title="w", right=True),
        Col(title="title", least=24),
        Col(title="who", least=6, drop=2),
        Col(title="change", least=22),
    )

    def __init__(self, context: CommandContext, milestone: Milestone) -> None:
        super().__init__(context, milestone)
        self._staged: dict[IssueId, StagedIssue] = {}

    def fill(self) -> Sequence[Entry]:
        """One line per issue; what others changed meanwhile is named."""
        found = [one for one in self.context.bridge.drafts.issues() if one.issue is not None]
        self._staged = {one.id: one for one in found}
        return [self._entry(one, issue) for one in found if (issue := one.issue) is not None]

    def _entry(self, one: StagedIssue, issue: Issue) -> Entry:
        bridge = self.context.bridge
        title = bridge.title_of(issue)
        words = ("changed",) if bridge.mask(issue) is not None else one.what
        said, more = ", ".join(words), ""
        ink: Ink = "text"
        if one.is_gone:
            said, ink = "no longer in the group; drop it", "bad"
        elif one.conflicts:
            said, ink = f"≠ {said}", "warn"
            more = "\n≠ Someone else changed it: " + self._conflict(one)
        elif one.before is not None and not one.before.is_open:
            more = "\nIt is closed."
        return Entry(
            issue,
            (
                ("new" if one.is_new else short(issue), "strong"),
                (weight_words(issue.weight), "strong"),
                (title, "text"),
                (" ".join(issue.assignees), "muted"),
                (said, ink),
            ),
            f"{title}\n{said}{more}",
        )

    def _conflict(self, one: StagedIssue) -> str:
        if one.issue is not None and self.context.bridge.mask(one.issue) is not None:
            return "a masked field."
        return "; ".join(f"{c.field} was {c.saw}, staged {c.mine}, now {c.theirs}" for c in one.conflicts)

    def heading_of(self, place: int, count: int) -> str:
        """Name, how much is staged, and that no one else sees it."""
        draft = self.context.bridge.drafts.current
        if draft is None:
            return "No draft is on."
        at = f" · line {place}" if count else ""
        return f"Draft {self.context.bridge.text(draft.name)}: {staged_words(self.total)} · not sent{at}"

    def above(self) -> Content | None:
        """The plan before and after."""
        found = compared(self.planning, self.milestone)
        if found is None:
            return None
        return figures(
            found,
            self.app.size.width - 6,
            # The list needs space, too.
            most=max(2, min(9, self.app.size.height // 3 - 5)),
            prefix=self.context.bridge.settings.labels.type_prefix,
            short_name=self.context.bridge.people_words.short,
            team=self.planning.team is not None and not self.context.bridge.share.is_on,
            hidden=self.context.bridge.share.is_on,
        )

    def on_resize(self) -> None:
        """The tables depend on the width."""
        if self.is_mounted:
            self.call_later(self.refill)

    # Keys

    def _marked(self) -> list[StagedIssue]:
        """The marked lines."""
        return [self._staged[issue] for issue in self.listed.selected if issue in self._staged]

    def action_apply(self) -> None:
        """Send the selected changes, or all, after asking once."""
        marked = self._marked()
        self._ask(marked or list(self._staged.values()), all_=not marked)

    def _ask(self, chosen: Sequence[StagedIssue], *, all_: bool) -> None:
        ready = [one for one in chosen if not one.is_gone and not one.conflicts]
        conflicting = [one for one in chosen if one.conflicts and not one.is_gone]
        if not ready and not conflicting:
            self.tell("Nothing to apply." if not chosen else "Nothing to apply: these issues are gone.")
            return
        what = "all" if all_ else "the selected"
        answers = {"y": f"send {counted(len(ready), 'change')} to GitLab"}
        if conflicting:
            answers = {"s": f"send the other {len(ready)}, keep these in the draft"} if ready else {}
            answers["m"] = "send mine over theirs, too" if ready else "send mine over theirs"
            answers["t"] = "keep theirs: drop mine, send the rest" if ready else "keep theirs: drop mine"
        self.context.ask(
            f"Apply {what} of the draft? {self._figures(chosen, all_=all_)}".rstrip(),
            answers,
            lambda answer: self._answered(answer, chosen, conflicting),
            note="\n".join(self._notes(conflicting)),
        )

    def _figures(self, chosen: Sequence[StagedIssue], *, all_: bool) -> str:
        """``19.8: 2w over, then 3w free.``; of the selected ones only their number."""
        found = compared(self.planning, self.milestone) if all_ else None
        words = f"{counted(len(chosen), 'issue')}."
        if found is None or found.planned.difference == 0:
            return words
        known = self.planning.team is not None and not self.context.bridge.share.is_on
        if known and found.free.before is not None and found.free.after is not None:
            before, after = (free_words(value) for value in (found.free.before, found.free.after))
            return f"{words} {found.milestone}: {before}, then {after}."
        before, after = (number(value) for value in (found.planned.before, found.planned.after))
        return f"{words} {found.milestone}: {before}w planned, then {after}w."

    def _notes(self, conflicting: Sequence[StagedIssue]) -> list[str]:
        lines = [
            f"≠ {self.context.bridge.reference_of(one.issue)}: {self._conflict(one)}"
            for one in conflicting
            if one.issue is not None
        ]
        if len(lines) > _NAMED:
            lines[_NAMED - 1 :] = [f"≠ {len(lines) - _NAMED + 1} more were changed by others"]
        return lines

    def _answered(
        self, answer: str, chosen: Sequence[StagedIssue], conflicting: Sequence[StagedIssue]
    ) -> None:
        drafts = self.context.bridge.drafts
        ids, disputed = [one.id for one in chosen], {one.id for one in conflicting}

        def go() -> None:
            dropped = drafts.drop(disputed) if answer == "t" else 0
            group = drafts.apply(ids, over=disputed if answer == "m" else ())
            self.context.bridge.words.tell_step(group, "applied")
            self._after(len({op.issue for op in group.ops}) if group is not None else 0, dropped)

        self._try(go)

    def _after(self, sent: int, dropped: int) -> None:
        context = self.context
        left = context.bridge.drafts.is_on
        context.shell.sync()
        self.listed.selection.clear()
        undo = context.keymap.key("undo")
        words = [f"Applied: {counted(sent, 'issue')} to GitLab; {undo} undoes that."] if sent else []
        words += [f"Kept theirs; dropped {counted(dropped, 'issue')}."] if dropped else []
        said = " ".join(words) or "Nothing to send."
        if left:
            self.refill()
        else:
            self.leave()
        context.say(said)

    def action_drop(self) -> None:
        """Drop the selected changes, or the line's; redo stages them again."""
        here = self.listed.here
        chosen: Collection[IssueId] = [one.id for one in self._marked()] or (
            [here] if here is not None else []
        )
        if not chosen:
            self.tell("Nothing staged.")
            return

        def go() -> None:
            count = self.context.bridge.drafts.drop(chosen)
            self.context.shell.sync()
            self.listed.selection.clear()
            self.refill()
            self.tell(
                f"Dropped: {counted(count, 'issue')}. {self.context.keymap.key('redo')} stages it again."
            )

        self._try(go)

    def _try(self, change: Callable[[], None]) -> None:
        try:
            change()
        except GlboardError as error:
            self.context.tell(error)


class DraftNames(RowDialog):
    """The drafts of this machine, by name: turn one on, compare, rename, delete."""

    scope = "drafts"

    def __init__(self, context: CommandContext) -> None:
        names = ("open", "use", "new", "rename", "delete")
        hint = hint_line(context.keymap, *(f"drafts.{name}" for name in names), "escape")
        super().__init__(context, "Drafts (only on this computer)", hint=hint)
        self._drafts = context.bridge.drafts

    def fill(self) -> None:
        """Show the drafts, the one that is on with a sign."""
        new = self.context.keymap.key("drafts.new")
        self.show_rows(map(self._words, self._drafts.all), empty=f"No drafts yet; {new} creates one.")

    def _words(self, draft: Draft) -> Content:
        current = self._drafts.current
        on = current is not None and current.id == draft.id
        return Content.assemble(
            ("● " if on else "  ", "$success"),
            (clean(draft.name), "bold"),
            f"  {staged_words(len(draft.issues))}",
            ("  on: nothing is sent" if on else "", "$text-success"),
        )

    def _chosen(self) -> Draft | None:
        at, all_ = self.list.highlighted, self._drafts.all
        return all_[at] if at is not None and at < len(all_) else None

    def action_open(self) -> None:
        """Turn the draft on and compare."""
        if (draft := self._chosen()) is None:
            self.action_new()
        elif self.attempt(lambda: self._drafts.turn_on(draft.id)):
            self.dismiss(None)
            self.context.shell.sync()
            self.context.make_way()
            self.context.run("pane.drafts")

    def action_use(self) -> None:
        """Turn the draft on, or off if it is on."""
        if (draft := self._chosen()) is None:
            return
        current = self._drafts.current
        if current is not None and current.id == draft.id:
            self.attempt(self._drafts.turn_off)
        else:
            self.attempt(lambda: self._drafts.turn_on(draft.id))
        self._changed()

    def action_new(self) -> None:
        """Begin another draft, and turn it on."""

        def named(name: str) -> None:
            if name.strip() and self.attempt(lambda: self._drafts.begin(self._drafts.unused(name.strip()))):
                self._changed()

        self.context.prompt("Name of the new draft", named, value=self._drafts.unused("draft"))

    def action_rename(self) -> None:
        """Give the draft another name."""
        if (draft := self._chosen()) is None:
            return

        def named(name: str) -> None:
            if name.strip() and name.strip() != draft.name:
                self.attempt(lambda: self._drafts.rename(draft.id, self._drafts.unused(name.strip())))
                self._changed()

        self.context.prompt("Name of the draft", named, value=draft.name)

    def action_delete(self) -> None:
        """Delete the draft; asks if something is staged in it."""
        if (draft := self._chosen()) is None:
            return

        def delete(_: str = "") -> None:
            self.attempt(lambda: self._drafts.delete(draft.id))
            self._changed()

        if not draft.issues:
            delete()
            return
        changes = counted(len(draft.issues), "issue")
        self.context.ask(
            f"Delete the draft {draft.name} and its changes to {changes}?",
            {"y": "delete it; GitLab is not affected"},
            delete,
        )

    def _changed(self) -> None:
        self.context.shell.sync()
        self.fill()
