"""Mutations of comments. A comment of quick actions alone leaves no note behind."""

from __future__ import annotations

from typing import Any

from graphql import GraphQLError

from glboard_core.demo import access
from glboard_core.demo.graphql.context import Fields, Info, context_of, not_available, writer
from glboard_core.demo.notes import comment
from glboard_core.demo.records import Note

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
    if note is None or not (user is note.author or access.can_maintain(user, note.issue.project)):
        raise not_available()
    return note


def _update_note(_: Any, info: Info, wish: dict[str, Any]) -> dict[str, Any]:
    note = _own_note(info, wish["id"])
    errors = []
    if not (wish.get("body") or "").strip():
        errors = ["Note can't be blank"]
    else:
        note.body = wish["body"]
        note.updated = context_of(info).world.clock.now()
    return {"note": note, "errors": errors, "clientMutationId": wish.get("clientMutationId")}


def _destroy_note(_: Any, info: Info, wish: dict[str, Any]) -> dict[str, Any]:
    context_of(info).world.drop_note(_own_note(info, wish["id"]))
    return {"note": None, "errors": [], "clientMutationId": wish.get("clientMutationId")}


FIELDS: Fields = {
    "Mutation": {"createNote": _create_note, "updateNote": _update_note, "destroyNote": _destroy_note},
    "UpdateNotePayload": {"quickActionsStatus": lambda *_: None},
    "DestroyNotePayload": {"quickActionsStatus": lambda *_: None},
}
