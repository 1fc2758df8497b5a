"""Every kind of change and its undo: sent, compared with the answer, read again, and undone."""

from __future__ import annotations

import asyncio

import pytest
from msgspec import UNSET, structs

from glboard_core.board.operations import Comment, Create, DeleteNote, Edit, NoteWrite, Rank
from glboard_core.errors import EditInvalid
from glboard_core.model.issue import Issue
from live.ground import LATER, ONE, PLAIN, SPARE, TEAM, TWO, Ground, Remote, as_edited, until


async def test_every_edit_and_its_undo(ground: Ground, remote: Remote) -> None:
    me, other = ground.me, ground.other.username if ground.other else None
    edits = {
        "add a label": Edit(add=frozenset({PLAIN})),
        "add one of a scope": Edit(add=frozenset({ONE})),
        "the other of the scope": Edit(add=frozenset({TWO})),
        "add and remove labels": Edit(add=frozenset({SPARE}), remove=frozenset({PLAIN})),
        "set the milestone": Edit(milestone=ground.first),
        "set another milestone": Edit(milestone=LATER),
        "clear the milestone": Edit(milestone=None),
        "assign": Edit(assign=frozenset({me})),
        "unassign": Edit(unassign=frozenset({me})),
        "close": Edit(state="closed"),
        "reopen": Edit(state="opened"),
        "title": Edit(title="Another [bold]title[/] & more"),
    }
    if ground.premium:
        edits |= {"weight": Edit(weight=3), "no weight": Edit(weight=None), "weight 0": Edit(weight=0)}
        if other is not None:
            edits["assign two"] = Edit(assign=frozenset({me, other}))
    several = Edit(add=frozenset({ONE}), milestone=ground.second, assign=frozenset({me}), state="closed")
    edits["several at once"] = several
    reference = ground.issue("Edited", labels=[PLAIN])
    issue = await remote.read(reference)
    for name, edit in edits.items():
        op, after = await remote.do(issue, edit)
        assert as_edited(after) == as_edited(edit.apply(issue)), name
        assert as_edited(await remote.read(reference)) == as_edited(after), name
        if (back := edit.inverse(issue, op.id)) is not None:
            _, restored = await remote.do(after, structs.replace(back, status=UNSET))
            assert as_edited(restored) == as_edited(issue), name
            _, issue = await remote.do(restored, edit)
        assert as_edited(await remote.read(reference)) == as_edited(issue), name


async def test_many_issues_at_once(ground: Ground, remote: Remote) -> None:
    references = [ground.issue(f"One of many {n}", labels=[ONE]) for n in range(12)]
    issues = [await remote.read(reference) for reference in references]
    edit = Edit(add=frozenset({TWO}), milestone=ground.second)
    outcomes = await remote.send(*(remote.op(issue, edit) for issue in issues))
    for before, outcome in zip(issues, outcomes, strict=True):
        assert outcome.issue is not None
        assert as_edited(outcome.issue) == as_edited(edit.apply(before))
    read = await remote.gateway.read([issue.id for issue in issues], remote.shown)
    assert {issue.labels for issue in read.values()} == {frozenset({TEAM, TWO})}
    assert {issue.milestone for issue in read.values()} == {ground.second}


async def test_two_moves_of_one_card_in_one_document_keep_their_order(ground: Ground, remote: Remote) -> None:
    issue = await remote.read(ground.issue("Moved twice"))
    edits = [Edit(add=frozenset({ONE})), Edit(add=frozenset({TWO}))]
    await remote.send(*(remote.op(issue, edit) for edit in edits))
    assert (await remote.read(issue.reference)).labels == {TEAM, TWO}


async def test_the_next_move_ends_two_labels_of_one_scope(ground: Ground, remote: Remote) -> None:
    other = ground.second_person
    issue = await remote.read(ground.issue("Moved by two", labels=[PLAIN]))
    async with Remote(ground, other.token) as second:
        second.shown[issue.id] = issue
        await asyncio.gather(
            remote.send(remote.op(issue, Edit(add=frozenset({ONE})))),
            second.send(second.op(issue, Edit(add=frozenset({TWO})))),
        )
    now = await remote.read(issue.reference)
    # GitLab does not lock: one of them, or both.
    assert now.labels & {ONE, TWO}
    for title in (ONE, TWO):
        _, now = await remote.do(now, Edit(add=frozenset({title}), remove=frozenset({ONE, TWO} - {title})))
        assert now.labels == {TEAM, PLAIN, title}


async def test_a_status_and_its_undo(ground: Ground, remote: Remote) -> None:
    ground.needs_premium("A status")
    ground.needs_version(18, 5, "A status")
    names = ground.statuses("in_progress")
    if not names:
        pytest.skip("needs a status for what is in progress")
    issue = await remote.read(ground.issue("With a status"))
    _, after = await remote.do(issue, Edit(status=names[0].upper()))
    assert after.status == names[0]
    assert (await remote.read(issue.reference)).status == after.status
    _, closed = await remote.do(after, Edit(state="closed"))
    closed = await remote.read(issue.reference)
    assert closed.status != after.status
    back = Edit(state="closed").inverse(after, remote.op(after, Edit()).id)
    assert isinstance(back, Edit)
    await remote.do(closed, back)
    assert (await remote.read(issue.reference)).status == after.status


async def test_a_description_is_what_was_typed(ground: Ground, remote: Remote) -> None:
    reference = ground.issue("With a description", description="Before")
    issue = await remote.read(reference)
    typed = "Words\n\n```\n/close\n```\n\n* a list\n/close\n/label ~nothing\n"
    op, _ = await remote.do(issue, Edit(description=typed, description_was="Before"))
    now = await remote.read(reference)
    assert now.is_open
    assert "/close" in (await remote.gateway.detail(issue.id)).description
    back = Edit(description=typed, description_was="Before").inverse(issue, op.id)
    assert back is not None
    await remote.do(now, back)
    assert (await remote.gateway.detail(issue.id)).source == "Before"


async def test_a_comment_and_its_undo(ground: Ground, remote: Remote) -> None:
    reference = ground.issue("With comments")
    issue = await remote.read(reference)
    said = Comment(body="Said\n/close")
    op, after = await remote.do(issue, said)
    assert after.notes == 1
    assert (await remote.read(reference)).is_open
    assert await remote.gateway.note_of(issue.id, op.id) is not None
    note = await remote.gateway.note_of(issue.id, op.id)
    await remote.do(after, DeleteNote(of=op.id, note=note, body=said.body))
    assert await remote.gateway.note_of(issue.id, op.id) is None
    assert (await remote.read(reference)).notes == 0


async def test_the_only_comment_of_its_kind(ground: Ground, remote: Remote) -> None:
    issue = await remote.read(ground.issue("With a capacity"))
    first = NoteWrite(mark="capacity", body="First")
    await remote.do(issue, first)
    note = await remote.gateway.marked_note(issue.id, "capacity", ground.me)
    assert note is not None
    assert note.body == "First"
    await remote.do(issue, NoteWrite(mark="capacity", body="Second", was="First", note=note.id))
    again = await remote.gateway.marked_note(issue.id, "capacity", ground.me)
    assert again is not None
    assert (again.id, again.body) == (note.id, "Second")


async def test_a_new_issue_with_everything(ground: Ground, remote: Remote) -> None:
    new = Create(
        project=ground.lib,
        title="  New, with blanks  ",
        description="Text\n/close",
        labels=frozenset({TEAM, ONE}),
        milestone=ground.first,
        weight=5 if ground.premium else None,
        assignees=(ground.me,),
        confidential=True,
    )
    op, issue = await remote.do(None, new)
    assert issue.project == ground.lib
    assert issue.title == "New, with blanks"
    assert issue.labels == {TEAM, ONE}
    assert issue.milestone == ground.first
    assert issue.weight == new.weight
    assert issue.assignees == (ground.me,)
    assert issue.confidential
    assert issue.is_open
    assert as_edited((await remote.gateway.read([issue.id]))[issue.id]) == as_edited(issue)
    found = await remote.gateway.created_by(op)
    assert found is not None
    assert found.id == issue.id
    back = new.inverse(None, op.id)
    assert back is not None
    _, closed = await remote.do(issue, back)
    assert not closed.is_open


async def test_a_rank_and_its_undo(ground: Ground, remote: Remote) -> None:
    references = [ground.issue(f"Ranked {n}") for n in range(4)]

    async def placed() -> list[Issue] | None:
        issues = [await remote.read(reference) for reference in references]
        return issues if all(issue.position is not None for issue in issues) else None

    a, b, c, d = sorted(await until(ground.clock, placed), key=lambda one: one.position or 0)
    rank = Rank(above=a.id, below=b.id, was_above=c.id)
    op, moved = await remote.do(d, rank)
    order = sorted(await placed() or [], key=lambda one: one.position or 0)
    assert [one.id for one in order] == [a.id, d.id, b.id, c.id]
    back = rank.inverse(d, op.id)
    assert back is not None
    await remote.do(moved, back)
    order = sorted(await placed() or [], key=lambda one: one.position or 0)
    assert [one.id for one in order] == [a.id, b.id, c.id, d.id]


async def test_what_gitlab_would_refuse_is_not_sent(ground: Ground, remote: Remote) -> None:
    issue = await remote.read(ground.issue("Never refused", labels=[ONE]))
    for edit in (Edit(title="", add=frozenset({TWO})), Edit(title="x" * 256, state="closed")):
        error, _ = await remote.fail(issue, edit)
        assert isinstance(error, EditInvalid)
    if ground.premium:
        error, _ = await remote.fail(issue, Edit(weight=-1, add=frozenset({TWO})))
        assert isinstance(error, EditInvalid)
    assert as_edited(await remote.read(issue.reference)) == as_edited(issue)
