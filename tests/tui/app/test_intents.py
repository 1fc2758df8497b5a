"""The pure half: targets and an intent in, acts and texts out."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from glboard_core.board.columns import AllColumn, AssigneeColumn, LabelColumn, UnlistedColumn
from glboard_core.board.definition import Board
from glboard_core.board.index import BoardIndex
from glboard_core.board.operations import Edit, OpId, Rank
from glboard_core.board.ranking import Where, ranked
from glboard_core.board.use_cases import Edits, joined, new_issue, reachable, sideways, split
from glboard_core.config import Settings
from glboard_core.model.catalog import Label
from glboard_core.model.issue import Issue, IssueId, rank_key
from glboard_core.model.milestone import following
from glboard_core.model.workflow import WorkflowScheme
from glboard_tui.keymap import letters_for
from glboard_tui.screens.picker import Ticks, matching, ticks_of
from glboard_tui.screens.picker_source import Choice
from glboard_tui.texts import age_words
from support.make import MILESTONES, PROJECT, catalog, issue, milestone

PLANNER = Edits(settings=Settings(), catalog=catalog(), today=date(2026, 12, 7))
BOARD = Board(
    id="planning",
    name="Planning",
    milestone="19.8",
    labels=frozenset({"group::custom models"}),
    columns=tuple(
        LabelColumn(key=f"type::{name}", title=name, value=f"type::{name}", letter=name[0])
        for name in ("bug", "maintenance", "feature")
    ),
)


def card(number: int, *labels: str, **fields: object) -> Issue:
    return issue(number, *labels, **{"milestone": "19.8", **fields})


def index(*issues: Issue) -> BoardIndex:
    return BoardIndex(BOARD, WorkflowScheme(), {i.id: i for i in issues})


def test_a_change_is_titled_by_reference_or_count() -> None:
    one, two = card(1), card(2)
    assert PLANNER.weight([one], 3).title == "platform#1 weight 3"
    assert PLANNER.milestone([one, two], "19.9").title == "2 to 19.9"


def test_deferring_uses_each_cards_own_milestone() -> None:
    cards = [card(1, milestone="19.9", labels=frozenset({"Deliverable"})), card(2, milestone=None)]
    work = PLANNER.defer(cards)
    assert [change for _, change in work.changes] == [
        Edit(milestone="19.10", remove=frozenset({"Deliverable"})),
        Edit(milestone="19.8"),
    ]
    last = PLANNER.defer([card(3, milestone="19.10")])
    assert (last.changes, last.skipped) == ((), f"{card(3).project} has no later version milestone")
    assert following(PLANNER.catalog.milestones, "19.10", PLANNER.today) is None


def test_deferring_uses_milestones_the_project_has() -> None:
    own = tuple(one for one in MILESTONES if one.title != "19.9")
    other = structs.replace(milestone("19.9", "2027-01-16", "2027-02-12"), owner="demo-org/other")
    edits = structs.replace(PLANNER, catalog=catalog(milestones=(*own, other)))
    there = card(2, milestone="19.8", project="demo-org/other/app")
    work = edits.defer([card(1, milestone="19.8"), there])
    assert [change for _, change in work.changes] == [Edit(milestone="19.10"), Edit(milestone="19.9")]
    nowhere = structs.replace(PLANNER, catalog=catalog(milestones=(other,)))
    assert nowhere.defer([card(1, milestone="19.8"), there]).skipped == (
        "1 skipped: their project has no later version milestone"
    )


def test_accepting_needs_an_assignee() -> None:
    work = PLANNER.accept([card(1), card(2, assignees=("eng_alder",))], None)
    assert [i for i, _ in work.changes] == [card(2).id]
    assert work.skipped.startswith("1 skipped: unassigned")


def test_a_weight_is_offered_for_unweighted_spikes_only() -> None:
    assert PLANNER.spike_weight([card(1), card(2, weight=1)]) == 2
    assert PLANNER.spike_weight([card(2, weight=1)]) is None


def test_toggle_me_assigns_everywhere_before_it_unassigns() -> None:
    mine, other = card(1, assignees=("em_maple",)), card(2, assignees=("eng_alder",))
    assert PLANNER.toggle_me([mine, other]).changes == ((other.id, Edit(assign=frozenset({"em_maple"}))),)
    assert PLANNER.toggle_me([mine]).changes == ((mine.id, Edit(unassign=frozenset({"em_maple"}))),)


def test_sideways_stops_before_the_special_columns() -> None:
    bug, feature, loose = card(1, "type::bug"), card(2, "type::feature"), card(3)
    board = index(bug, feature, loose)
    assert sideways(board, [bug, feature, loose], None, 1).keys() == {bug.id}
    back = sideways(board, [bug, feature, loose], None, -1)
    assert {i: c.title for i, c in back.items()} == {feature.id: "maintenance", loose.id: "feature"}


def test_special_columns_are_reached_by_letter_if_they_apply() -> None:
    assert [c.title for c in reachable(index()).values()][-2:] == ["(unlisted)", "(closed)"]
    flat = Board(id="b", name="B", columns=(AllColumn(key="(all)", title="B", letter="b"),))
    assert [c.title for c in reachable(BoardIndex(flat, WorkflowScheme(), {})).values()] == ["B", "(closed)"]


def test_a_move_between_types_asks_and_offers_to_remove_the_subtype() -> None:
    bug = card(1, "type::bug", "bug::functional")
    board = index(bug)
    work = PLANNER.move([bug], board, None, sideways(board, [bug], None, 1))
    assert work.question is not None
    assert work.title == "platform#1 to maintenance"
    edit = work.answered("t").changes[0][1]
    assert edit.apply(bug).labels == {"group::custom models", "type::maintenance"}


def test_a_new_issue_belongs_to_the_column_it_is_created_in() -> None:
    made = new_issue(BOARD, BOARD.columns[0], "demo-org/platform", "New", WorkflowScheme())
    assert made.labels == {"group::custom models", "type::bug"}
    assert made.milestone == "19.8"
    person = AssigneeColumn(key="eng_alder", title="eng_alder", value="eng_alder")
    assert new_issue(BOARD, person, "p", "t", WorkflowScheme()).assignees == ("eng_alder",)
    loose = UnlistedColumn()
    # What every issue of the group has, as far as the project knows it and the board says nothing else.
    labels = tuple(
        Label(id=f"gid://gitlab/GroupLabel/{n}", title=title, owner="demo-org")
        for n, title in enumerate(("group::custom models", "section::data science", "Category:One"), 1)
    )
    one_category = structs.replace(Settings().labels, categories=("Category:One",))
    edits = structs.replace(
        PLANNER, catalog=catalog(labels=labels), settings=structs.replace(Settings(), labels=one_category)
    )
    made = edits.new_issue(BOARD, BOARD.columns[0], PROJECT, "New", WorkflowScheme())
    assert made.labels == {*(label.title for label in labels), "type::bug"}
    other = structs.replace(BOARD, labels=frozenset({"group::other"}), without=frozenset({"Category:One"}))
    made = edits.new_issue(other, BOARD.columns[0], PROJECT, "New", WorkflowScheme())
    assert made.labels == {"group::other", "section::data science", "type::bug"}
    assert new_issue(BOARD, loose, "p", "t", WorkflowScheme()).labels == BOARD.labels


# Ranking


def order_after(cards: list[Issue], chosen: list[Issue], where: Where) -> list[int]:
    board = index(*cards)
    column = board.column("type::bug")
    assert column is not None
    shown = {i.id: i for i in cards}
    for identity, change in ranked(board, column, chosen, where).changes:
        assert isinstance(change, Rank)
        shown[identity] = change.apply(shown[identity])
    return [i.iid for i in sorted(shown.values(), key=rank_key)]


@pytest.mark.parametrize(
    ("chosen", "where", "after"),
    [
        ([3], "up", [1, 3, 2, 4, 5]),
        ([3], "down", [1, 2, 4, 3, 5]),
        ([3], "top", [3, 1, 2, 4, 5]),
        ([3], "bottom", [1, 2, 4, 5, 3]),
        ([1], "up", [1, 2, 3, 4, 5]),
        ([2, 4], "top", [2, 4, 1, 3, 5]),
        ([2, 4], "bottom", [1, 3, 5, 2, 4]),
        ([1, 2, 4], "up", [1, 2, 4, 3, 5]),
        ([2, 5], "down", [1, 3, 2, 4, 5]),
        ([4, 5], "down", [1, 2, 3, 4, 5]),
    ],
)
def test_ranking_keeps_the_order_of_the_selection(chosen: list[int], where: Where, after: list[int]) -> None:
    cards = [card(n, "type::bug") for n in range(1, 6)]
    assert order_after(cards, [c for c in cards if c.iid in chosen], where) == after


@given(
    st.sets(st.integers(1, 8), min_size=1),
    st.sampled_from(["up", "down", "top", "bottom"]),
)
def test_ranking_loses_no_card_and_keeps_the_rest_in_order(chosen: set[int], where: Where) -> None:
    cards = [card(n, "type::bug") for n in range(1, 9)]
    after = order_after(cards, [c for c in cards if c.iid in chosen], where)
    assert sorted(after) == list(range(1, 9))
    assert [n for n in after if n in chosen] == sorted(chosen)
    assert [n for n in after if n not in chosen] == [n for n in range(1, 9) if n not in chosen]


@given(
    st.lists(
        st.tuples(st.booleans(), st.sampled_from([512.0, 1024.0, 1536.0, 2048.0, None])),
        min_size=2,
        max_size=8,
    ),
    st.data(),
)
def test_undo_puts_cards_back_between_their_neighbours_in_the_whole_order(
    rows: list[tuple[bool, float | None]], data: st.DataObject
) -> None:
    # Bugs are in the column, features in another; some share a place, some have none.
    cards = [
        structs.replace(card(n, "type::bug" if bug else "type::feature"), position=at)
        for n, (bug, at) in enumerate(rows, 1)
    ]
    bugs = [one for one, (bug, _) in zip(cards, rows, strict=True) if bug]
    board = index(*cards)
    column = board.column("type::bug")
    if not bugs or column is None:
        return
    chosen = data.draw(st.lists(st.sampled_from(bugs), min_size=1, unique_by=lambda one: one.id))
    where: Where = data.draw(st.sampled_from(["up", "down", "top", "bottom"]))
    whole = [one.id for one in sorted(cards, key=rank_key)]
    order = list(whole)

    def put(issue: IssueId, rank: Rank) -> None:
        order.remove(issue)
        at = order.index(rank.above) + 1 if rank.above is not None else order.index(rank.below or issue)
        order.insert(at, issue)

    changes = ranked(board, column, chosen, where).changes
    for identity, change in changes:
        assert isinstance(change, Rank)
        put(identity, change)
    for identity, change in reversed(changes):
        back = change.inverse(None, OpId("op"))
        assert isinstance(back, Rank)
        put(identity, back)
    assert order == whole


@given(
    st.sets(st.integers(1, 8), min_size=1),
    st.sampled_from(["up", "down", "top", "bottom"]),
    st.integers(0, 8),
)
def test_cards_without_a_position_are_ranked_on_screen_at_once(
    chosen: set[int], where: Where, placed: int
) -> None:
    everywhere = [card(n, "type::bug") for n in range(1, 9)]
    cards = [one if one.iid <= placed else structs.replace(one, position=None) for one in everywhere]
    picked = [one for one in cards if one.iid in chosen]
    after = order_after(cards, picked, where)
    assert after == order_after(everywhere, [one for one in everywhere if one.iid in chosen], where)
    column = index(*cards).column("type::bug")
    assert column is not None
    known = {one.id: one for one in cards}
    named: set[int] = set()
    for _, change in ranked(index(*cards), column, picked, where).changes:
        assert isinstance(change, Rank)
        named |= {known[one].iid for one in change.unplaced}
        assert {known[one].iid for one in change.neighbours if known[one].position is None} <= named | chosen
    assert not [n for n in named if n <= placed]


def test_a_card_that_is_not_in_gitlab_yet_is_last_and_never_the_place_before() -> None:
    unplaced = structs.replace(card(2, "type::bug"), position=None)
    new = structs.replace(card(3, "type::bug"), position=None, id=IssueId("new:1"))
    cards = [card(1, "type::bug"), unplaced, new]
    assert [one.id for one in sorted(cards, key=rank_key)] == [one.id for one in cards]
    column = index(*cards).column("type::bug")
    assert column is not None
    for chosen in ([unplaced], [card(1, "type::bug"), unplaced]):
        for _, change in ranked(index(*cards), column, chosen, "up").changes:
            assert isinstance(change, Rank)
            assert new.id not in (change.was_above, change.was_below, *change.unplaced)


@given(st.sets(st.integers(1, 6), min_size=1), st.sampled_from(["up", "down", "top", "bottom"]))
def test_the_places_before_are_remembered_for_undo(chosen: set[int], where: Where) -> None:
    cards = [card(n, "type::bug") for n in range(1, 7)]
    board = index(*cards)
    column = board.column("type::bug")
    assert column is not None
    shown = {i.id: i for i in cards}
    changes = ranked(board, column, [c for c in cards if c.iid in chosen], where).changes
    for identity, change in changes:
        shown[identity] = change.apply(shown[identity])
    for identity, change in reversed(changes):
        assert isinstance(change, Rank)
        shown[identity] = structs.replace(shown[identity], position=change.was_position)
    assert [i.iid for i in sorted(shown.values(), key=rank_key)] == [1, 2, 3, 4, 5, 6]


# Letters, ticks, words


@given(st.sets(st.from_regex(r"[a-z]{1,3}_[a-z]{1,6}", fullmatch=True), max_size=40))
def test_each_person_gets_a_unique_letter(names: set[str]) -> None:
    letters = letters_for(names)
    assert sorted(letters.values()) == sorted(names)
    assert all(len(letter) == 1 for letter in letters)


def test_letters_come_from_what_tells_people_apart() -> None:
    assert letters_for(["eng_alder", "eng_birch", "pm_ash"]) == {
        "a": "eng_alder",
        "s": "pm_ash",
        "b": "eng_birch",
    }


def test_common_and_mixed_values() -> None:
    assert ticks_of([{"a", "b"}, {"b"}]) == {"a": "some", "b": "on"}


def test_a_mixed_tick_cycles_on_off_and_mixed() -> None:
    ticks = Ticks({"a": "some", "b": "on"})
    states = []
    for _ in range(4):
        ticks.toggle("a")
        states.append(ticks.of("a"))
    assert states == ["on", "off", "some", "on"]
    ticks.toggle("b")
    assert ticks.result(["a", "b"]).add == ("a",)
    assert ticks.result(["a", "b"]).remove == {"b"}


def test_scoped_labels_exclude_each_other() -> None:
    ticks = Ticks({"type::bug": "on", "a::b::c": "on"}, scoped=True)
    ticks.toggle("type::feature")
    assert (ticks.of("type::bug"), ticks.of("a::b::c")) == ("off", "on")
    ticks.toggle("a::d")
    assert ticks.of("a::b::c") == "on"  # another scope: everything before the last ``::``


def test_untouched_values_do_not_change() -> None:
    assert not Ticks({"a": "some", "b": "on"}).touched


def test_whole_words_match_before_scattered_letters() -> None:
    choices = [Choice(value=t, text=t) for t in ("workflow::in dev", "documentation", "in review", "devops")]
    assert [c.value for c, _ in matching("dev", choices)][:2] == ["devops", "workflow::in dev"]
    assert [c.value for c, _ in matching("dcm", choices)] == ["documentation"]
    assert [c.value for c, _ in matching("", choices)] == [c.value for c in choices]
    assert matching("zzz", choices) == []


@given(st.text(max_size=30), st.lists(st.text(max_size=60), max_size=6))
def test_searching_never_fails(query: str, texts: list[str]) -> None:
    for choice, offsets in matching(query, [Choice(value=str(n), text=t) for n, t in enumerate(texts)]):
        assert all(0 <= at < max(len(choice.text), 1) * 3 for at in offsets)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Title\n\nBody\n\nmore\n", ("Title", "Body\n\nmore")),
        ("Title\nBody", ("Title", "Body")),
        ("Title", ("Title", "")),
        ("\n\nBody", ("", "Body")),
    ],
)
def test_first_line_title_then_description(text: str, expected: tuple[str, str]) -> None:
    assert split(text) == expected


@given(st.text(alphabet="abc \n", max_size=20).map(str.strip))
def test_unchanged_text_is_unchanged(body: str) -> None:
    assert split(joined("Title", body)) == ("Title", body)


@pytest.mark.parametrize(
    ("seconds", "words"), [(5, ""), (60, "1m"), (200, "3m"), (7300, "2h"), (400_000, "4d")]
)
def test_ages(seconds: float, words: str) -> None:
    assert age_words(seconds) == words
