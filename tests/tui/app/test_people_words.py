"""People in the title of a change are named as on cards."""

from __future__ import annotations

from msgspec import structs

from glboard_core.board.operations import Edit, GroupId, Op, OpId
from glboard_core.config import LabelSettings
from glboard_core.model.catalog import Catalog, Person
from glboard_tui.people_words import PeopleWords
from glboard_tui.walk_view import decision_words
from support.make import WHEN, catalog, issue, issue_id


def op(*names: str) -> Op:
    change = Edit(assign=frozenset(names))
    return Op(id=OpId("1"), group=GroupId("g"), issue=issue_id(1), change=change, at=WHEN)


def known(*names: str) -> Catalog:
    people = tuple(Person(id=name, username=name, name=name) for name in names)
    return structs.replace(catalog(), people=people)


def test_whom_the_change_assigns_is_named_as_on_cards() -> None:
    words = PeopleWords(lambda: known("eng_alder", "eng_birch", "eng_cedar", "birch-2"))
    title = "app#16 accepted for eng_birch"
    assert words.title(title, [op("eng_birch")]) == "app#16 accepted for @birch"
    # Only a whole name of somebody whom it assigns: the rest may be any word.
    assert words.title("eng_birch/app#16 accepted", [op("eng_alder")]) == "eng_birch/app#16 accepted"
    assert words.title("my-eng_birch-x", [op("eng_birch")]) == "my-eng_birch-x"
    assert words.title("assign @eng_birch", [op("eng_birch")]) == "assign @eng_birch"
    assert PeopleWords(lambda: None).title(title, [op("eng_birch")]) == "app#16 accepted for @eng_birch"


def test_so_is_who_takes_over_what_was_accepted_before() -> None:
    one = issue(1, "Deliverable", assignees=("eng_birch",))
    words = decision_words(one, one, "app#1 accepted for eng_birch", LabelSettings(), lambda _: "birch")
    assert words == "app#1 accepted for @birch"
