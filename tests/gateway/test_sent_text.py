"""Text that GitLab saves otherwise than it was written is told, and what it always changes is not."""

from __future__ import annotations

import pytest

from gateway.worlds import LoadedGateway, errors
from glboard_core.board.operations import Change, Comment, Create, Edit, NoteWrite
from glboard_core.errors import EditDropped
from glboard_core.model import stored_text

#: A line that GitLab runs, and what is left of the text.
TYPED = "Before\n/label ~Deliverable\nafter"


@pytest.mark.parametrize("what", ["description", "comment", "new issue"])
async def test_a_quick_action_that_we_do_not_know_is_told(
    context: LoadedGateway, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    # As if GitLab had a quick action more than we know of.
    monkeypatch.setattr(stored_text, "_ACTIONS", frozenset())
    writes: dict[str, tuple[str, Change]] = {
        "description": ("top/app#1", Edit(description=TYPED, description_was="")),
        "comment": ("top/app#1", Comment(body=TYPED)),
        "new issue": ("new:1", Create(project="top/app", title="New", description=TYPED)),
    }
    reference, change = writes[what]
    [outcome] = await context.send(context.op(reference, change))
    assert errors([outcome]) == [EditDropped]
    assert "when saving it" in outcome.error.message  # type: ignore[union-attr]
    assert "quick action" in outcome.error.hint  # type: ignore[union-attr]


@pytest.mark.parametrize("typed", [TYPED, "one\r\ntwo\rthree\n\n", "  \tindented \n", "```\n/close\n```\n"])
async def test_what_gitlab_always_changes_is_no_failure(context: LoadedGateway, typed: str) -> None:
    ops = [
        context.op("top/app#1", Edit(description=typed, description_was="")),
        context.op("top/app#1", Comment(body=typed)),
        context.op("top/app#1", NoteWrite(body=typed, mark="capacity 19.7")),
        context.op("new:1", Create(project="top/app", title="New", description=typed)),
    ]
    assert errors(await context.send(*ops)) == [None] * 4
    assert context.world.issue("top/app#1").open
