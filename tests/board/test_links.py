"""A change of links: what it shows until GitLab answers, and how it is undone."""

from __future__ import annotations

import pytest
from msgspec import structs

from glboard_core.board.operations import Edit, Link, OpId
from glboard_core.model.issue import IssueId
from support.make import issue

OTHER = IssueId("gid://gitlab/Issue/2")
BLOCKER = Link(other=OTHER, reference="g/app#2")


def test_a_blocker_blocks_at_once_and_undo_frees() -> None:
    free = issue(1)
    blocked = BLOCKER.apply(free)
    assert blocked.blocked
    back = BLOCKER.inverse(free, OpId("o"))
    assert back is not None
    assert back.apply(blocked) == free
    # One that had another blocker is still blocked without this one.
    was = structs.replace(free, blocked=True)
    stays = BLOCKER.inverse(was, OpId("o"))
    assert stays is not None
    assert stays.apply(was).blocked
    again = back.inverse(blocked, OpId("p"))
    assert again is not None
    assert again.apply(free).blocked


@pytest.mark.parametrize(
    ("link", "words"),
    [
        (BLOCKER, "blocked by app#2"),
        (structs.replace(BLOCKER, kind="blocks"), "blocks app#2"),
        (structs.replace(BLOCKER, kind="relates_to"), "related to app#2"),
        (structs.replace(BLOCKER, add=False), "no longer blocked by app#2"),
    ],
)
def test_it_is_told_without_a_title(link: Link, words: str) -> None:
    assert link.describe(issue(1)) == words


def test_only_an_open_blocker_blocks() -> None:
    assert not structs.replace(BLOCKER, is_open=False).apply(issue(1)).blocked
    assert not structs.replace(BLOCKER, kind="relates_to").apply(issue(1)).blocked


def test_it_follows_the_id_of_an_issue_that_was_new() -> None:
    link = Link(other=IssueId("new:1"), reference="g/app#new")
    assert link.renamed(IssueId("new:1"), OTHER).other == OTHER
    assert link.neighbours == ("new:1",)


def test_confidential_and_health_are_undone_and_told() -> None:
    before = issue(1)
    edit = Edit(confidential=True, health_status="atRisk")
    assert edit.describe(before) == "make confidential, health at risk"
    after = edit.apply(before)
    back = edit.inverse(before, OpId("o"))
    assert back == Edit(confidential=False, health_status=None)
    assert back.apply(after) == before
