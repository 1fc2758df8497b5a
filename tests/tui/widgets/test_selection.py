"""Where the focus goes and what stays selected when the board changes underneath."""

from __future__ import annotations

import msgspec

from glboard_core.board.index import BoardIndex
from glboard_core.model.issue import Issue, IssueId
from glboard_tui.widgets.selection import Focus, Selection, settle
from support.make import issue, issue_id
from tui.widgets.playground import index_of


class World:
    """Three bugs (1, 2, 3) and one feature (4)."""

    def __init__(self) -> None:
        self.issues: dict[IssueId, Issue] = {
            issue_id(number): issue(number, kind)
            for number, kind in ((1, "type::bug"), (2, "type::bug"), (3, "type::bug"), (4, "type::feature"))
        }
        self.index: BoardIndex = index_of(self.issues)

    def relabel(self, number: int, label: str) -> None:
        before = self.issues[issue_id(number)]
        after = self.issues[before.id] = msgspec.structs.replace(before, labels=frozenset({label}))
        self.index.update(before, after)

    def remove(self, number: int) -> None:
        self.index.update(self.issues.pop(issue_id(number)), None)

    def settle(self, place: Focus | None, *, follow: bool = False) -> Focus | None:
        return settle(self.index, self.index.visible(), place, follow=follow)


SECOND = Focus("type::bug", issue_id(2), 1, 0)


def test_first_focus_is_the_first_card() -> None:
    world = World()
    assert world.settle(None) == Focus("type::bug", issue_id(1), 0, 0)
    for number in (1, 2, 3):
        world.remove(number)
    assert world.settle(None) == Focus("type::feature", issue_id(4), 0, 2)


def test_focus_stays_on_its_issue() -> None:
    world = World()
    world.remove(1)
    assert world.settle(SECOND) == Focus("type::bug", issue_id(2), 0, 0)


def test_focus_follows_my_move() -> None:
    world = World()
    world.relabel(2, "type::feature")
    assert world.settle(SECOND, follow=True) == Focus("type::feature", issue_id(2), 0, 2)


def test_focus_otherwise_moves_to_the_neighbour() -> None:
    world = World()
    world.relabel(2, "type::feature")
    assert world.settle(SECOND) == Focus("type::bug", issue_id(3), 1, 0)
    world.remove(3)
    assert world.settle(SECOND) == Focus("type::bug", issue_id(1), 0, 0)
    world.remove(1)
    assert world.settle(SECOND) == Focus("type::bug", None, 0, 0)


def test_focus_does_not_follow_an_issue_off_the_board() -> None:
    world = World()
    world.remove(2)
    assert world.settle(SECOND, follow=True) == Focus("type::bug", issue_id(3), 1, 0)


def test_focus_moves_to_the_next_column_when_its_column_disappears() -> None:
    world = World()
    world.relabel(2, "something else")
    unlisted = Focus("(unlisted)", issue_id(2), 0, 3)
    assert world.settle(unlisted) == unlisted
    world.relabel(2, "type::bug")
    assert world.settle(unlisted) == Focus("type::feature", issue_id(4), 0, 2)
    assert world.settle(unlisted, follow=True) == SECOND


def test_visible_marks_are_in_board_order() -> None:
    world, selection = World(), Selection()
    selection.set([issue_id(4), issue_id(2), issue_id(9)], on=True)
    assert [issue for issue, _ in selection.seen(world.index, world.index.visible())] == [
        issue_id(2),
        issue_id(4),
    ]
    world.index.rebuild(lambda shown: shown.iid == 4, same_filter=False)
    assert [issue for issue, _ in selection.seen(world.index, world.index.visible())] == [issue_id(4)]
    assert selection.all == (issue_id(4), issue_id(2), issue_id(9))


def test_an_issue_in_two_columns_counts_once() -> None:
    world, selection = World(), Selection()
    before = world.issues[issue_id(1)]
    after = world.issues[before.id] = msgspec.structs.replace(
        before, labels=before.labels | {"type::feature"}
    )
    world.index.update(before, after)
    selection.set([issue_id(1)], on=True)
    assert len(selection.seen(world.index, world.index.visible())) == 1


def test_range_grows_and_shrinks_and_keeps_earlier_marks() -> None:
    selection = Selection()
    selection.set([issue_id(9)], on=True)
    selection.begin_range("type::bug", issue_id(1))
    selection.extend_range([issue_id(1), issue_id(2), issue_id(3)])
    selection.extend_range([issue_id(1), issue_id(2)])
    assert selection.all == (issue_id(9), issue_id(1), issue_id(2))
    assert selection.end_range()
    assert not selection.end_range()


def test_last_marks_are_restored() -> None:
    selection = Selection()
    selection.set([issue_id(1), issue_id(2)], on=True)
    selection.clear()
    selection.clear()
    assert not len(selection)
    selection.restore()
    assert selection.all == (issue_id(1), issue_id(2))
