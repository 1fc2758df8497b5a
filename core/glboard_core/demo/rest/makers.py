"""Groups, projects and people over REST: made, renamed, archived and deleted.

Deleting is done in two steps, as GitLab does it: first a place is marked, and has another path from then on;
marked, and asked for by that path once more, it is gone for good.
"""

from __future__ import annotations

import secrets
from typing import Any

from glboard_core.demo.rest import request, shapes
from glboard_core.demo.rest.request import Call, Refused, forbidden, missing
from glboard_core.demo.world import permissions, upheavals
from glboard_core.demo.world.clock import iso_millis
from glboard_core.demo.world.records import MAINTAINER, OWNER, Group, Place
from glboard_core.demo.world.texts import whole

_ACCEPTED = {"message": "202 Accepted"}


def _at_least(call: Call, place: Place, level: int) -> None:
    if permissions.level(call.signed_in(), place) < level:
        raise forbidden()


def _free(call: Call, above: Group, path: str) -> str:
    """The full path of something new below a group. Raises Refused if it is taken."""
    full_path = f"{above.full_path}/{path}"
    if call.world.group_at(full_path) or call.world.project_at(full_path):
        raise Refused(400, {"message": {"path": ["has already been taken"]}})
    return full_path


def _finally(call: Call, place: Place, marked: int | None) -> bool:
    """Whether a marked place is to be deleted at once. Raises Refused if that is not asked for rightly."""
    if marked is None:
        return False
    if not call.flag("permanently_remove", False):
        raise Refused(400, {"message": "Group has been already marked for deletion"})
    if call.text("full_path") != place.full_path:
        raise Refused(400, {"message": "`full_path` is incorrect. You must enter the complete path."})
    return True


# Groups


def create_group(call: Call) -> Any:
    """Create a subgroup. Groups at the top are the administrator's."""
    name, path = call.required("name"), call.required("path")
    parent = call.text("parent_id")
    if parent is None:
        raise forbidden()
    above = request.group(call, parent)
    _at_least(call, above, MAINTAINER)
    made = call.world.add_group(_free(call, above, path), name)
    made.description = call.text("description") or ""
    return 201, shapes.group(call, made)


def update_group(call: Call, name: str) -> Any:
    """Rename a group, or give it another path."""
    here = request.group(call, name)
    _at_least(call, here, OWNER)
    here.name = call.text("name", here.name) or here.name
    path = call.text("path")
    if path and path != here.path:
        if here.parent is not None:
            _free(call, here.parent, path)
        upheavals.rename_group(call.world, here, path)
    return shapes.group(call, here)


def delete_group(call: Call, name: str) -> Any:
    """Mark a group for deletion, or delete a marked subgroup."""
    here = request.group(call, name)
    _at_least(call, here, OWNER)
    if not _finally(call, here, here.marked):
        upheavals.schedule_group_deletion(call.world, here)
    else:
        upheavals.drop_group(call.world, here)
    return 202, _ACCEPTED


# Projects


def create_project(call: Call) -> Any:
    """Create a project in a group."""
    path = call.text("path") or call.required("name")
    above = request.group(call, call.required("namespace_id"))
    _at_least(call, above, MAINTAINER)
    made = call.world.add_project(_free(call, above, path), call.text("name"))
    made.description = call.text("description") or ""
    return 201, shapes.project(call, made)


def update_project(call: Call, name: str) -> Any:
    """Rename a project, or give it another path."""
    here = request.project(call, name)
    _at_least(call, here, MAINTAINER)
    here.name = call.text("name", here.name) or here.name
    here.description = call.text("description", here.description) or ""
    path = call.text("path")
    if path and path != here.path:
        upheavals.rename_project(call.world, here, _free(call, here.group, path))
    return shapes.project(call, here)


def archive(call: Call, name: str) -> Any:
    """Archive a project."""
    return _archived(call, name, to=True)


def unarchive(call: Call, name: str) -> Any:
    """Unarchive a project."""
    return _archived(call, name, to=False)


def _archived(call: Call, name: str, *, to: bool) -> Any:
    here = request.project(call, name)
    _at_least(call, here, OWNER)
    here.archived = to
    return 201, shapes.project(call, here)


def delete_project(call: Call, name: str) -> Any:
    """Mark a project for deletion, or delete a marked one."""
    here = request.project(call, name)
    _at_least(call, here, OWNER)
    if not _finally(call, here, here.marked):
        upheavals.schedule_deletion(call.world, here)
    else:
        upheavals.drop_project(call.world, here)
    return 202, _ACCEPTED


# People


def create_access_token(call: Call, name: str) -> Any:
    """Create a token of a group: that of a new user, who is a member of the group with its role."""
    here = request.group(call, name)
    _at_least(call, here, OWNER)
    title, scopes = call.required("name"), call.texts("scopes")
    if not scopes:
        raise request.bad("scopes", "is missing")
    level = call.number("access_level", MAINTAINER) or MAINTAINER
    bot = call.world.add_user(f"group_{here.id}_bot_{secrets.token_hex(16)}", title)
    here.members[bot.id] = level
    now = iso_millis(call.world.clock.now())
    return 201, {
        "id": bot.id, "name": title, "revoked": False, "created_at": now, "description": None,
        "scopes": list(scopes), "user_id": bot.id, "last_used_at": None, "active": True,
        "expires_at": call.text("expires_at"), "access_level": level,
        "token": call.asked.grant(bot, "api" if "api" in scopes else "read_api"),
    }  # fmt: skip


def revoke_access_token(call: Call, name: str, ident: str) -> Any:
    """Revoke a token of a group: its user is no longer a member."""
    here = request.group(call, name)
    _at_least(call, here, OWNER)
    bot = call.world.user_of(whole(ident) or 0)
    if bot is None or here.members.pop(bot.id, None) is None:
        raise missing("")
    call.asked.revoke(bot)
    return 204, None


def user(call: Call, ident: str) -> Any:
    """One user."""
    call.signed_in()
    found = call.world.user_of(whole(ident) or 0)
    if found is None:
        raise missing("User")
    return shapes.user(call, found)
