"""Several intents on the same issues become one edit of each, or a usage error."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import pytest

from glboard_core.board.batch import EditBatch, combined, commented
from glboard_core.board.operations import Comment, Edit
from glboard_core.board.use_cases import Edits
from glboard_core.config import Settings
from glboard_core.errors import UsageError
from glboard_core.model.issue import Issue
from glboard_core.model.workflow import BY_NAME
from glboard_core.planning.confirmations import confirmation
from support.make import catalog, issue

EDITS = Edits(settings=Settings(), catalog=catalog(), today=date(2026, 12, 7))
REVIEW, DEV = BY_NAME["in review"], BY_NAME["in dev"]


def test_each_intent_sees_what_the_ones_before_made() -> None:
    one = issue(1, "type::bug", "workflow::in dev", milestone="19.7")
    found = combined(
        [one],
        [
            lambda on: EDITS.set_flow(on, REVIEW),
            lambda on: EDITS.weight(on, 2),
            lambda on: EDITS.accept(on, "eng_alder"),
            lambda on: EDITS.reassign(on, ["eng_birch"], frozenset()),
            lambda on: commented(on, "Done"),
        ],
    )
    edit = Edit(
        add=frozenset({"workflow::in review", "Deliverable"}),
        remove=frozenset({"workflow::in dev"}),
        weight=2,
        assign=frozenset({"eng_alder", "eng_birch"}),
    )
    assert found.work.changes == ((one.id, edit), (one.id, Comment(body="Done")))
    assert found.work.title == "platform#1 edit"


def test_an_issue_one_intent_does_not_apply_to_is_left_whole() -> None:
    one, done = issue(1), issue(2, state="closed")
    found = combined([one, done], [lambda on: EDITS.weight(on, 2), EDITS.take])
    assert {identity for identity, _ in found.work.changes} == {one.id}
    assert found.left == {done.id: "already closed"}


def test_every_question_is_answered_with_yes_and_reported() -> None:
    cards = [issue(n, milestone="19.7") for n in (1, 2)]
    found = combined(cards, [EDITS.wont_do])
    assert [question.text for question in found.questions] == ["Close 2 issues?"]
    found = combined(cards, [EDITS.slip])
    assert [question.note for question in found.questions] == ["missed:19.7 does not exist for platform."]
    assert [change for _, change in found.work.changes] == [Edit(milestone="19.8")] * 2


def _unlabel(on: Sequence[Issue]) -> EditBatch:
    return EDITS.relabel(on, frozenset(), frozenset({"workflow::in dev"}))


@pytest.mark.parametrize(
    ("first", "then", "says"),
    [
        (lambda on: EDITS.milestone(on, "19.8"), EDITS.defer, "milestone would be set to 19.8 and to 19.9"),
        (lambda on: EDITS.set_flow(on, REVIEW), EDITS.take, "workflow::in review would be added and removed"),
        (
            lambda on: EDITS.accept(on, "eng_alder"),
            lambda on: EDITS.accept(on, "eng_birch"),
            "eng_alder would be assigned and unassigned",
        ),
    ],
)
def test_intents_that_contradict_each_other_are_wrong_use(first: object, then: object, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        combined([issue(1, "type::bug", milestone="19.7")], [first, then])  # type: ignore[list-item]


def test_removing_a_label_twice_is_no_contradiction() -> None:
    one = issue(1, "workflow::in dev")
    found = combined([one], [_unlabel, lambda on: EDITS.set_flow(on, REVIEW)])
    assert found.work.changes == (
        (
            one.id,
            Edit(add=frozenset({"workflow::in review"}), remove=frozenset({"workflow::in dev"})),
        ),
    )


def test_a_warning_is_asked_until_it_is_settled() -> None:
    one = issue(1)
    work = EDITS.set_flow([one], DEV)
    question = confirmation(work, EDITS, {one.id: one}.get, ())
    assert question is not None
    assert question.text == "Set platform#1 to in dev?"
    assert question.choices == {"y": "as it is"}
    assert question.note == "It is unassigned."
    assert confirmation(work, EDITS, {one.id: one}.get, question.settles) is None


def test_deliverable_on_an_issue_that_is_not_ready_is_never_settled() -> None:
    cards = {n: issue(n) for n in (1, 2)}
    work = EDITS.accept([*cards.values()], "eng_alder")
    question = confirmation(work, EDITS, {one.id: one for one in cards.values()}.get, ())
    assert question is not None
    assert question.text == "Accept 2 issues for @eng_alder? 2 of 2 have warnings."
    assert question.settles == frozenset()
