"""Changes by others, derived from two versions of an issue."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from glboard_core.board.changes import author, differences
from support.make import WHEN, issue

BEFORE = issue(
    1,
    title="A title",
    milestone="19.8",
    weight=2,
    labels=frozenset({"Deliverable", "type::bug", "workflow::in dev"}),
    assignees=("eng_alder",),
    notes=1,
    position=500.0,
    updated_by="eng_alder",
)
LATER = WHEN + timedelta(minutes=1)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, ()),
        ({"milestone": "19.9", "weight": 3}, ("milestone 19.8 to 19.9", "weight 2 to 3")),
        ({"milestone": None, "weight": None}, ("milestone 19.8 to none", "weight 2 to none")),
        ({"weight": 0}, ("weight 2 to 0",)),
        ({"labels": frozenset({"type::bug", "workflow::in dev"})}, ("Deliverable removed",)),
        (
            {"labels": frozenset({"Deliverable", "type::bug", "workflow::in review", "documentation"})},
            ("documentation added", "workflow in dev to in review"),
        ),
        (
            {"labels": frozenset({"Deliverable", "type::bug", "priority::1"})},
            ("priority none to 1", "workflow in dev to none"),
        ),
        ({"assignees": ("eng_birch", "eng_cedar")}, ("assignee eng_alder to eng_birch, eng_cedar",)),
        ({"assignees": ()}, ("assignee eng_alder to none",)),
        ({"state": "closed", "closed_at": WHEN}, ("closed",)),
        ({"state": "closed", "duplicate": True}, ("closed as a duplicate",)),
        ({"title": "Another [/one]"}, ("title",)),
        ({"blocked": True}, ("blocked",)),
        ({"due": date(2026, 12, 24)}, ("due none to 2026-12-24",)),
        ({"confidential": True}, ("confidential",)),
        ({"notes": 3, "merge_requests": 1}, ("2 comments", "1 merge request")),
        ({"notes": 0}, ("1 comment removed",)),
        ({"position": 900.0}, ("moved in the manual order",)),
        ({"position": 900.0, "weight": 3}, ("weight 2 to 3",)),
    ],
)
def test_text_of_each_difference(changes: dict[str, Any], words: tuple[str, ...]) -> None:
    assert differences(BEFORE, structs.replace(BEFORE, **changes)) == words


def test_texts_contain_no_title() -> None:
    changed = structs.replace(BEFORE, title="A secret plan", updated_at=LATER)
    assert "secret" not in " ".join(differences(BEFORE, changed))


@pytest.mark.parametrize(
    ("changes", "who"),
    [
        ({"weight": 3, "updated_by": "eng_birch"}, "eng_birch"),
        ({"weight": 3}, "eng_alder"),  # the same person again
        ({"updated_by": "eng_birch"}, "eng_birch"),  # a change of the description
        ({"notes": 2}, None),  # a comment sets no updated_by, so it can be anyone's
        ({"position": 900.0}, None),
        ({"blocked": True}, None),
        ({}, None),
    ],
)
def test_change_is_attributed_only_if_gitlab_reports_it(changes: dict[str, Any], who: str | None) -> None:
    assert author(BEFORE, structs.replace(BEFORE, updated_at=LATER, **changes)) == who


VALUES = st.fixed_dictionaries(
    {
        "milestone": st.sampled_from([None, "19.8", "19.9"]),
        "weight": st.sampled_from([None, 0, 3]),
        "labels": st.frozensets(st.sampled_from(["a", "b", "s::1", "s::2", "t::u::1"])),
        "assignees": st.sampled_from([(), ("x",), ("x", "y"), ("y",)]),
        "state": st.sampled_from(["opened", "closed"]),
        "position": st.sampled_from([None, 1.0, 2.0]),
    }
)


@given(VALUES, VALUES)
def test_there_is_a_text_exactly_if_something_differs(one: dict[str, Any], other: dict[str, Any]) -> None:
    before, after = issue(1, **one), issue(1, **other)
    placed = structs.replace(before, position=after.position) if before.position is None else before
    assert bool(differences(before, after)) == (placed != after)


def test_a_first_place_is_no_ones_change() -> None:
    unplaced = issue(1, position=None)
    assert differences(unplaced, structs.replace(unplaced, position=512.0)) == ()
    assert differences(structs.replace(unplaced, position=512.0), unplaced) == ("moved in the manual order",)
