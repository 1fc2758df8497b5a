"""What is worth showing on a card, here and now."""

from __future__ import annotations

from datetime import date
from typing import Any

import msgspec

from glboard_core.board.columns import AssigneeColumn, Column, FlowColumn, LabelColumn
from glboard_core.board.definition import Board
from glboard_core.config import LabelSettings
from glboard_core.model.issue import Issue, IssueId
from glboard_tui.people_words import short_people
from glboard_tui.widgets.card import CardView, Flag
from glboard_tui.widgets.card_view import CardContext, missing_words, present
from support.make import issue, issue_id

BUG = LabelColumn(key="type::bug", title="bug", value="type::bug")
DEV = FlowColumn(key="in dev", title="in dev", value="in dev")
ALDER = AssigneeColumn(key="eng_alder", title="alder", value="eng_alder")
BOARD = Board(id="planning", name="Planning", milestone="19.8", labels=frozenset({"group::custom models"}))


def card(
    *labels: str,
    column: Column = BUG,
    board: Board = BOARD,
    context: CardContext | None = None,
    **fields: Any,
) -> CardView:
    return present(issue(1, *labels, **fields), column, board, context or CardContext())


def words(*labels: str, **more: Any) -> list[str]:
    return [fact.text for fact in card(*labels, **more).facts]


def test_facts_come_in_the_order_in_which_they_matter() -> None:
    labels = ("type::bug", "bug::ux", "priority::1", "severity::2", "workflow::ready for development")
    context = CardContext(warnings=lambda _: ("no category",))
    view = card(*labels, "missed:19.6", "missed:19.7", blocked=True, context=context)
    assert [fact.text for fact in view.facts] == [
        *("ready", "slipped ×2", "blocked", "P1", "S2", "no category", "ux"),
    ]
    assert [fact.text for fact in view.facts if fact.minor] == ["ux"]


def test_what_the_filter_asks_for_comes_first() -> None:
    labels = ("type::bug", "priority::1", "workflow::in dev", "missed:19.7")
    sought = CardContext(sought=frozenset({"slipped"}))
    assert words(*labels, context=sought) == ["slipped", "in dev", "P1"]


def test_card_does_not_repeat_its_column() -> None:
    assert words("type::bug", "workflow::in dev") == ["in dev"]
    assert words("type::bug", "workflow::in dev", column=DEV) == ["bug"]


def test_two_types_by_mistake_are_shown() -> None:
    assert words("type::bug", "type::feature") == ["feature"]


def test_subtype_is_shown_without_its_type() -> None:
    assert words("type::bug", "bug::ux") == ["ux"]


def test_accepted_is_shown_unless_the_board_filters_by_it() -> None:
    assert card("type::bug", "Deliverable").accepted
    assert not card("type::bug").accepted
    build = msgspec.structs.replace(BOARD, labels=frozenset({"Deliverable"}))
    assert not card("type::bug", "Deliverable", board=build).accepted


def test_the_edge_says_the_state() -> None:
    assert card("type::bug", "workflow::ready for development").edge == "good"
    unready = CardContext(ready=lambda _: False)
    assert card("type::bug", "workflow::ready for development", context=unready).edge == "warn"
    assert card("type::bug", "workflow::planning breakdown").edge == "warn"
    assert card("type::bug", "workflow::in dev", blocked=True).edge == "bad"
    assert card("type::bug").edge == "muted"


def test_milestone_is_shown_if_the_board_has_none() -> None:
    everywhere = msgspec.structs.replace(BOARD, milestone=None)
    assert words("type::bug", board=everywhere, milestone="19.9") == ["19.9"]
    assert words("type::bug", milestone="19.8") == []


def test_due_date_is_shown_when_near() -> None:
    context = CardContext(today=date(2026, 12, 7))
    assert words("type::bug", context=context, due=date(2026, 12, 11)) == ["due Fri"]
    assert words("type::bug", context=context, due=date(2026, 12, 7)) == ["due today"]
    assert words("type::bug", context=context, due=date(2026, 12, 1)) == ["overdue"]
    assert words("type::bug", context=context, due=date(2027, 3, 1)) == []


def test_other_labels_are_chips_in_their_colour() -> None:
    view = card(
        "type::bug",
        "customer",
        "devops::ai-powered",
        "Category:Self-Hosted models",
        "missed:19.7",
        "bug::ux",
        context=CardContext(color={"customer": "#ff0000"}.get),
    )
    assert [(chip.text, chip.color) for chip in view.chips] == [("customer", "#ff0000")]


def test_weight_has_three_forms() -> None:
    assert (card().weight, card(weight=0).weight) == ("?", "0")
    assert card(context=CardContext(has_weight=False), weight=3).weight == ""


def test_people() -> None:
    assert card().assignee == "·"
    assert card(assignees=("ab",)).assignee == "@ab"
    assert card(assignees=("ab", "cd", "ef")).assignee == "@ab +2"
    assert card(column=ALDER, assignees=("eng_alder",)).assignee == ""
    assert card(column=ALDER, assignees=("eng_alder", "eng_birch")).assignee == "+1"


def test_people_who_share_a_prefix_are_named_without_it() -> None:
    names = ("eng_alder", "eng_birch", "eng_cedar", "pm_oak", "ann")
    assert list(short_people(names).values()) == ["ann", "alder", "birch", "cedar", "pm_oak"]
    assert short_people(("eng_a", "eng_b", "qa_a", "qa_c", "qa_d", "eng_e"))["eng_a"] == "eng_a"


def test_flags_are_queried_per_card() -> None:
    flags: dict[IssueId, Flag] = {issue_id(1): "pending"}
    context = CardContext(flag=flags.get)
    assert card(context=context).flag == "pending"
    flags.clear()
    assert card(context=context).flag is None


def test_blocked_slipped_closed_confidential() -> None:
    view = card("workflow::blocked", "missed:19.6", "missed:19.7", state="closed", confidential=True)
    assert (view.closed, view.confidential) == (True, True)
    assert [fact.text for fact in view.facts] == ["closed", "slipped ×2", "blocked"]


def test_open_issue_of_a_past_milestone_has_slipped() -> None:
    over = CardContext(over={"19.7"})
    assert words(milestone="19.7", context=over) == ["slipped"]
    assert words("missed:19.7", milestone="19.7", context=over) == ["slipped"]
    assert words("missed:19.5", "missed:19.6", milestone="19.7", context=over) == ["slipped ×2"]
    assert words(milestone="19.8", context=over) == []
    assert words(milestone="19.7", state="closed", context=over) == ["closed"]


def test_two_titles_of_one_milestone_are_one_slip() -> None:
    renamed = CardContext(renamed={"19.6 RC": "19.6"})
    assert words("missed:19.6", "missed:19.6 RC", context=renamed) == ["slipped"]
    assert words("missed:19.6", "missed:19.6 RC") == ["slipped ×2"]


def test_ready_is_green_only_if_really_ready() -> None:
    label = "workflow::ready for development"
    assert [(f.text, f.tone) for f in card("type::bug", label).facts] == [("ready", "good")]
    not_quite = CardContext(ready=lambda issue: issue.weight is not None)
    assert [(f.text, f.tone) for f in card("type::bug", label, context=not_quite).facts] == [
        ("ready", "plain")
    ]


def test_missing_labels_are_one_word() -> None:
    names = LabelSettings(devops="devops::x", section="section::y", categories=("Category:z",))
    assert missing_words(issue(1, "type::bug"), names) == ("4 labels missing",)
    most = ("type::bug", "bug::ux", "devops::x", "section::y")
    assert missing_words(issue(1, *most), names) == ("no category",)
    assert missing_words(issue(1, *most, "Category:z"), names) == ()
    assert missing_words(issue(1, "type::ignore"), names) == ()
    assert missing_words(issue(1, "type::bug", state="closed"), names) == ()
    # No type or two types have their own warning.
    assert missing_words(issue(1, "devops::x", "section::y", "Category:z"), names) == ()


def test_mask_hides_everything_but_weight() -> None:
    def mask(hidden: Issue) -> str | None:
        return "confidential" if hidden.confidential else None

    view = card(
        "customer",
        "priority::1",
        title="Secret customer",
        confidential=True,
        weight=2,
        assignees=("eng_alder",),
        due=date(2026, 12, 8),
        context=CardContext(mask=mask, today=date(2026, 12, 7), warnings=lambda _: ("Secret",)),
    )
    assert view == CardView(
        id=issue_id(1), title="confidential", reference="platform#1", weight="2", masked=True
    )
    assert card(title="Open", context=CardContext(mask=mask)).title == "Open"
