"""The instance, people, groups, projects and their members over REST."""

from __future__ import annotations

from typing import Any

from glboard_core.demo.rest import request, shapes
from glboard_core.demo.rest.request import Call, missing
from glboard_core.demo.world import permissions as access
from glboard_core.demo.world.clock import iso_millis
from glboard_core.demo.world.finders import members_of, named
from glboard_core.demo.world.records import Place
from glboard_core.demo.world.registry import GRANULAR_SINCE
from glboard_core.demo.world.texts import whole


def _version(call: Call) -> str:
    return f"{call.world.version}.0{'-ee' if call.world.edition == 'ee' else ''}"


def version(call: Call) -> Any:
    """The server's version."""
    call.signed_in()
    return {"version": _version(call), "revision": "0ddba11f00d"}


def metadata(call: Call) -> Any:
    """The server's version and edition."""
    call.signed_in()
    enterprise = call.world.edition == "ee"
    return {
        "version": _version(call),
        "revision": "0ddba11f00d",
        "enterprise": enterprise,
        "kas": {"enabled": False},
    }


def me(call: Call) -> Any:
    """The current user."""
    user = call.signed_in()
    return {
        **shapes.user(call, user),
        "email": f"{user.username}@example.com",
        "is_admin": False,
        "bot": False,
    }


def token(call: Call) -> Any:
    """The token itself."""
    user = call.signed_in()
    return {
        "id": user.id, "name": "demo", "revoked": False, "created_at": iso_millis(call.world.clock.now()),
        "description": None, "scopes": [call.asked.scope], "user_id": user.id,
        "last_used_at": iso_millis(call.world.clock.now()), "active": True,
        "expires_at": call.asked.expires.isoformat() if call.asked.expires else None,
        "last_used_ips": ["127.0.0.1"],
        **({"granular": call.asked.scope == "granular"} if call.world.since >= GRANULAR_SINCE else {}),
    }  # fmt: skip


def users(call: Call) -> Any:
    """Users, by username or search."""
    call.signed_in()
    kept = list(call.world.users.values())
    if call.text("username"):
        someone = call.world.user_named(call.text("username") or "")
        kept = [] if someone is None else [someone]
    if call.text("search"):
        words = call.text("search") or ""
        kept = [one for one in kept if named(one, words)]
    return [shapes.user(call, one) for one in request.paged(call, kept)]


def groups(call: Call) -> Any:
    """All groups."""
    call.signed_in()
    kept = [one for one in call.world.groups.values() if access.can_read_place(call.user, one)]
    if call.flag("top_level_only"):
        kept = [one for one in kept if one.parent is None]
    return [shapes.group(call, one) for one in request.paged(call, kept)]


def group(call: Call, name: str) -> Any:
    """One group."""
    return shapes.group(call, request.group(call, name))


def subgroups(call: Call, name: str) -> Any:
    """The direct subgroups of a group."""
    here = request.group(call, name)
    kept = [one for one in call.world.groups.values() if one.parent is here]
    return [shapes.group(call, one) for one in request.paged(call, kept)]


def descendants(call: Call, name: str) -> Any:
    """All subgroups of a group, at any depth."""
    kept = call.world.groups_below(request.group(call, name))
    return [shapes.group(call, one) for one in request.paged(call, kept)]


def projects(call: Call, name: str) -> Any:
    """The projects of a group; those of its subgroups only on request."""
    here = request.group(call, name)
    kept = call.world.projects_below(here, deep=bool(call.flag("include_subgroups", False)))
    kept = [one for one in kept if access.can_read_place(call.user, one)]
    archived = call.flag("archived")
    if archived is not None:
        kept = [one for one in kept if one.archived == archived]
    return [shapes.project(call, one) for one in request.paged(call, kept)]


def project(call: Call, name: str) -> Any:
    """One project."""
    here = request.project(call, name)
    level = access.level(call.user, here)
    permissions = {"project_access": None, "group_access": {"access_level": level, "notification_level": 3}}
    return {**shapes.project(call, here), "permissions": permissions}


def _members(call: Call, here: Place, *, inherited: bool) -> Any:
    kept = members_of(call.world, here, inherited=inherited, search=call.text("query"))
    return [shapes.member(call, user, level) for user, level in request.paged(call, kept)]


def group_members(call: Call, name: str) -> Any:
    """The direct members of a group."""
    return _members(call, request.group(call, name), inherited=False)


def all_group_members(call: Call, name: str) -> Any:
    """The members of a group, including inherited ones."""
    return _members(call, request.group(call, name), inherited=True)


def project_members(call: Call, name: str) -> Any:
    """The direct members of a project."""
    return _members(call, request.project(call, name), inherited=False)


def all_project_members(call: Call, name: str) -> Any:
    """The members of a project, including inherited ones."""
    return _members(call, request.project(call, name), inherited=True)


def one_member(call: Call, name: str, ident: str) -> Any:
    """One member of a group, also an inherited one."""
    here = request.group(call, name)
    user = call.world.user_of(whole(ident) or 0)
    level = access.level(user, here)
    if user is None or not level:
        raise missing("")
    return shapes.member(call, user, level)
