"""The table of REST routes, and dispatch of a request to its handler.

Paths are matched while still encoded, since a group's path is one segment (`demo-org%2Fai`).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

from glboard_core.demo.rest import issues, makers, places, planning
from glboard_core.demo.rest.request import Asked, Call, Refused
from glboard_core.demo.world.boards import settle
from glboard_core.demo.world.registry import GRANULAR_SINCE, InternalServerError
from glboard_core.demo.world.world import World

Handler = Callable[..., Any]

ROUTES: tuple[tuple[str, str, Handler], ...] = (
    ("GET", "/version", places.version),
    ("GET", "/metadata", places.metadata),
    ("GET", "/user", places.me),
    ("GET", "/users", places.users),
    ("GET", "/users/{id}", makers.user),
    ("GET", "/personal_access_tokens/self", places.token),
    ("GET", "/groups", places.groups),
    ("POST", "/groups", makers.create_group),
    ("GET", "/groups/{id}", places.group),
    ("PUT", "/groups/{id}", makers.update_group),
    ("DELETE", "/groups/{id}", makers.delete_group),
    ("POST", "/groups/{id}/access_tokens", makers.create_access_token),
    ("DELETE", "/groups/{id}/access_tokens/{token_id}", makers.revoke_access_token),
    ("GET", "/groups/{id}/subgroups", places.subgroups),
    ("GET", "/groups/{id}/descendant_groups", places.descendants),
    ("GET", "/groups/{id}/projects", places.projects),
    ("GET", "/groups/{id}/members", places.group_members),
    ("GET", "/groups/{id}/members/all", places.all_group_members),
    ("GET", "/groups/{id}/members/all/{user_id}", places.one_member),
    ("GET", "/groups/{id}/issues", issues.of_group),
    ("GET", "/groups/{id}/labels", planning.group_labels),
    ("POST", "/groups/{id}/labels", planning.create_group_label),
    ("GET", "/groups/{id}/labels/{name}", planning.group_label),
    ("PUT", "/groups/{id}/labels/{name}", planning.update_group_label),
    ("DELETE", "/groups/{id}/labels/{name}", planning.delete_group_label),
    ("GET", "/groups/{id}/milestones", planning.group_milestones),
    ("POST", "/groups/{id}/milestones", planning.create_group_milestone),
    ("GET", "/groups/{id}/milestones/{milestone_id}", planning.group_milestone),
    ("PUT", "/groups/{id}/milestones/{milestone_id}", planning.update_group_milestone),
    ("DELETE", "/groups/{id}/milestones/{milestone_id}", planning.delete_group_milestone),
    ("GET", "/groups/{id}/milestones/{milestone_id}/issues", issues.of_milestone),
    ("GET", "/groups/{id}/boards", planning.boards),
    ("POST", "/groups/{id}/boards", planning.create_board),
    ("GET", "/groups/{id}/boards/{board_id}", planning.board),
    ("PUT", "/groups/{id}/boards/{board_id}", planning.update_board),
    ("DELETE", "/groups/{id}/boards/{board_id}", planning.delete_board),
    ("GET", "/groups/{id}/boards/{board_id}/lists", planning.lists),
    ("POST", "/groups/{id}/boards/{board_id}/lists", planning.create_list),
    ("GET", "/groups/{id}/boards/{board_id}/lists/{list_id}", planning.show_list),
    ("PUT", "/groups/{id}/boards/{board_id}/lists/{list_id}", planning.update_list),
    ("DELETE", "/groups/{id}/boards/{board_id}/lists/{list_id}", planning.delete_list),
    ("POST", "/projects", makers.create_project),
    ("GET", "/projects/{id}", places.project),
    ("PUT", "/projects/{id}", makers.update_project),
    ("DELETE", "/projects/{id}", makers.delete_project),
    ("POST", "/projects/{id}/archive", makers.archive),
    ("POST", "/projects/{id}/unarchive", makers.unarchive),
    ("GET", "/projects/{id}/members", places.project_members),
    ("GET", "/projects/{id}/members/all", places.all_project_members),
    ("GET", "/projects/{id}/labels", planning.project_labels),
    ("POST", "/projects/{id}/labels", planning.create_project_label),
    ("GET", "/projects/{id}/labels/{name}", planning.project_label),
    ("PUT", "/projects/{id}/labels/{name}", planning.update_project_label),
    ("DELETE", "/projects/{id}/labels/{name}", planning.delete_project_label),
    ("PUT", "/projects/{id}/labels/{name}/promote", planning.promote_label),
    ("GET", "/projects/{id}/milestones", planning.project_milestones),
    ("POST", "/projects/{id}/milestones", planning.create_project_milestone),
    ("GET", "/projects/{id}/milestones/{milestone_id}", planning.project_milestone),
    ("PUT", "/projects/{id}/milestones/{milestone_id}", planning.update_project_milestone),
    ("DELETE", "/projects/{id}/milestones/{milestone_id}", planning.delete_project_milestone),
    ("GET", "/projects/{id}/issues", issues.of_project),
    ("POST", "/projects/{id}/issues", issues.create),
    ("GET", "/projects/{id}/issues/{issue_iid}", issues.show),
    ("PUT", "/projects/{id}/issues/{issue_iid}", issues.update),
    ("DELETE", "/projects/{id}/issues/{issue_iid}", issues.delete),
    ("PUT", "/projects/{id}/issues/{issue_iid}/reorder", issues.reorder),
    ("POST", "/projects/{id}/issues/{issue_iid}/move", issues.move),
    ("POST", "/projects/{id}/issues/{issue_iid}/links", issues.link),
    ("GET", "/projects/{id}/issues/{noteable_id}/notes", issues.list_notes),
    ("POST", "/projects/{id}/issues/{noteable_id}/notes", issues.create_note),
    ("GET", "/projects/{id}/issues/{noteable_id}/notes/{note_id}", issues.note),
    ("PUT", "/projects/{id}/issues/{noteable_id}/notes/{note_id}", issues.update_note),
    ("DELETE", "/projects/{id}/issues/{noteable_id}/notes/{note_id}", issues.delete_note),
    ("GET", "/projects/{id}/issues/{eventable_id}/resource_label_events", issues.label_events),
    ("GET", "/projects/{id}/issues/{eventable_id}/resource_milestone_events", issues.milestone_events),
    ("GET", "/projects/{id}/issues/{eventable_id}/resource_state_events", issues.state_events),
    ("GET", "/projects/{id}/issues/{eventable_id}/resource_weight_events", issues.weight_events),
    ("GET", "/projects/{id}/issues/{eventable_id}/resource_iteration_events", issues.iteration_events),
)
PREFIX = "/api/v4"
# A fine-grained token of 18.9 does not even learn about itself.
_NOT_GRANULAR = frozenset({f"{PREFIX}/personal_access_tokens/self", f"{PREFIX}/metadata"})

Answer = tuple[int, Any, dict[str, str]]


class Rest:
    """Handles REST requests for one world."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._table: dict[tuple[str, int], list[tuple[re.Pattern[str], Handler]]] = {}
        for method, path, handler in ROUTES:
            pattern = re.compile(re.sub(r"\{\w+\}", "([^/]+)", PREFIX + path))
            self._table.setdefault((method, path.count("/")), []).append((pattern, handler))

    def _handler(self, method: str, path: str) -> tuple[Handler, list[str]] | None:
        depth = path.count("/") - PREFIX.count("/")
        for pattern, handler in self._table.get((method, depth), ()):
            found = pattern.fullmatch(path)
            if found is not None:
                return handler, [unquote(one) for one in found.groups()]
        return None

    def _refused(self, asked: Asked, method: str) -> Answer | None:
        """What a token's scope or maintenance does not allow."""
        if asked.scope == "granular" and asked.path in _NOT_GRANULAR and self.world.since < GRANULAR_SINCE:
            text = "Access denied: the fine-grained token lacks the permissions for this request."
            return 403, {"error": "insufficient_granular_scope", "error_description": text}, {}
        reads = (
            asked.scope in ("api", "read_api", "granular")
            or (asked.scope == "read_user" and asked.path == f"{PREFIX}/user")
            or asked.path == f"{PREFIX}/personal_access_tokens/self"
        )
        writes = asked.scope in ("api", "granular")
        if asked.user is not None and not (reads if method == "GET" else writes):
            text = "The request requires higher privileges than provided by the access token."
            return (
                403,
                {"error": "insufficient_scope", "error_description": text, "scope": "api read_api"},
                {},
            )
        if method != "GET" and self.world.traits.maintenance:
            return 503, {"message": "GitLab is undergoing maintenance"}, {"retry-after": "900"}
        return None

    def answer(self, asked: Asked) -> Answer:
        """Status, content and extra headers of a response; None as content means an empty body."""
        method = "GET" if asked.method == "HEAD" else asked.method
        found = self._handler(method, asked.path)
        if found is None:
            return 404, {"error": "404 Not Found"}, {}
        refused = self._refused(asked, method)
        if refused is not None:
            return refused
        handler, names = found
        try:
            call = Call(self.world, asked)
            with self.world.lock:
                settle(self.world)
                result = handler(call, *names)
        except Refused as refusal:
            return refusal.status, refusal.body, refusal.headers
        except InternalServerError:
            return 500, {"message": "500 Internal Server Error"}, {}
        if isinstance(result, tuple):
            return result[0], result[1], call.headers
        return 200, result, call.headers
