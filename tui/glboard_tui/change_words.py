"""What a keystroke did, in the words that everybody may see, and telling it to those who watch."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from glboard_core.board.changes import differences
from glboard_core.board.operations import NoteWrite, Op
from glboard_core.board.share import told
from glboard_core.board.undo import Group
from glboard_core.model.issue import Issue, IssueId
from glboard_tui.people_words import PeopleWords
from glboard_tui.share import ShareMode


class ChangeWords:
    """Titles of keystrokes. ``is_hidden``: whether an issue is hidden, now or as it was."""

    def __init__(
        self,
        share: ShareMode,
        people: PeopleWords,
        whole_issue: Callable[[IssueId], Issue | None],
        is_hidden: Callable[[IssueId, Issue | None], bool],
        *,
        deliverable: Callable[[], str],
        in_draft: Callable[[], bool],
    ) -> None:
        self._share = share
        self._people = people
        self._whole_issue = whole_issue
        self._is_hidden = is_hidden
        self._deliverable = deliverable
        self._in_draft = in_draft

    def title(self, group: Group) -> str:
        """What a keystroke did, in the words that everybody may see."""
        ops = (*group.ops, *group.refused)
        return self._people.title(self.shown(group.title, ops), ops)

    def tell(self, ops: Sequence[Op], title: str) -> None:
        """Mark what was changed for those who watch, in words without what is hidden from them."""
        if not self._share.is_on:
            return
        ids = list(dict.fromkeys(op.issue for op in ops))
        whole, before = self._whole_issue(ids[0]), next((op.before for op in ops if op.before), None)
        if len(ids) > 1 or whole is None or isinstance(ops[0].change, NoteWrite):
            many = f"{len(ids)} "
            words = self.shown(title, ops)
            words = words.replace(many, f"{many}issues ", 1) if words.startswith(many) else words
        else:
            was, now = (one and self._share.view(one) for one in (before, whole))
            what = differences(was, now) if was and now else ()
            words = told(was, now or whole, self._deliverable(), what)
        self._share.tell(ids, self._share.text(f"draft: {words}" if self._in_draft() else words))

    def tell_step(self, group: Group | None, how: str) -> None:
        """Mark what was undone, redone or applied for those who watch: what was told before is not so now."""
        if group is not None and group.ops:
            words = f"{how}: {self.title(group)}"
            self._share.tell(dict.fromkeys(op.issue for op in group.ops), words)

    def shown(self, title: str, ops: Iterable[Op]) -> str:
        """The title of a keystroke's changes; without what it did if a hidden issue is among them."""
        if not self._share.is_on:
            return title
        hidden = [op for op in ops if self._is_hidden(op.issue, op.before)]
        if not hidden:
            return self._share.text(title)
        who = title.partition(" ")[0]
        return self._share.text(f"{who} changed")
