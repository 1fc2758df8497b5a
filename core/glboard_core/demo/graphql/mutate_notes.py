"""Mutations of comments. A comment of quick actions alone leaves no note behind."""

from __future__ import annotations

from typing import Any

from graphql import GraphQLError

from glboard_core.demo.graphql.context import Fields, Info, context_of, not_available, writer
from glboard_core.demo.world import permissions
from glboard_core.demo.world.notes import comment, rewrite
from glboard_core.demo.world.records import Note

THROTTLED = "This endpoint has been requested too many times. Try again later."


def _create_note(_: Any, info: Info, wish: dict[str, Any]) -> dict[str, Any]:
    world, user = writer(info)
    context = context_of(info)
    if context.throttle_note(user):
        raise GraphQLError(THROTTLED)
    issue = world.index.issues.get(wish["noteableId"])
    if issue is None or not context.may_see(issue) or issue.project.archived:
        raise not_available()
    outcome = comment(world, issue, wish["body"], user, internal=bool(wish.get("internal")))
    errors = outcome.errors
    if outcome.commands_only and world.since < (17, 0):
        # Older servers tell of success among the errors.
        errors = [f"Commands only {' '.join(outcome.messages)}"]
    status = None
    if outcome.commands:
        status = {
            "messages": outcome.messages,
            "errorMessages": outcome.failures or None,
            "commandNames": outcome.commands,
            "commandsOnly": outcome.commands_only,
        }
    return {
        "note": outcome.note,
        "errors": errors,
        "quickActionsStatus": status,
        "clientMutationId": wish.get("clientMutationId"),
    }


def _own_note(info: Info, ident: int) -> Note:
    world, user = writer(info)
    note = world.notes.get(ident)
    # Nobody changes what the server wrote, nothing of an archived project, others' notes only a maintainer.
    if (
        note is None
        or note.system
        or note.issue.project.archived
        or not permissions.can_read(user, note.issue)
    ):
        raise not_available()
    if user is not note.author and not permissions.can_maintain(user, note.issue.project):
        raise not_available()
    return note


def _update_note(_: Any, info: Info, wish: dict[str, Any]) -> dict[str, Any]:
    note = _own_note(info, wish["id"])
    world, user = writer(info)
    outcome = rewrite(world, note, wish.get("body") or "", user)
    return {
        "note": outcome.note,
        "errors": outcome.errors,
        "clientMutationId": wish.get("clientMutationId"),
    }


def _destroy_note(_: Any, info: Info, wish: dict[str, Any]) -> dict[str, Any]:
    context_of(info).world.drop_note(_own_note(info, wish["id"]))
    return {"note": None, "errors": [], "clientMutationId": wish.get("clientMutationId")}


NOTE_FIELDS: Fields = {
    "Mutation": {"createNote": _create_note, "updateNote": _update_note, "destroyNote": _destroy_note},
    "UpdateNotePayload": {"quickActionsStatus": lambda *_: None},
    "DestroyNotePayload": {"quickActionsStatus": lambda *_: None},
}
