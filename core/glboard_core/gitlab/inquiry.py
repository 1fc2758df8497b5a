"""Looks into failed changes before anything is said of them: what of each was made, and why not all.

GitLab saves labels, and closes issues, although it rejects another value of the same change; it answers an
issue that is gone, a project that is archived, renamed or hidden, and a role that is too low with one and the
same text; and it ignores a milestone that was closed or deleted. Owns the questions, by id, which no rename
changes, and the words for each of these. It writes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

import msgspec
from msgspec import Struct, structs

from glboard_core.board.conflicts import shown_by
from glboard_core.board.operations import Create, Edit, Op
from glboard_core.errors import (
    AuthError,
    ConnectionFailed,
    EditDropped,
    EditForbidden,
    EditGone,
    EditInvalid,
    EditRefused,
    GlboardError,
    NotGitLab,
    QueryRefused,
)
from glboard_core.gitlab import queries
from glboard_core.gitlab.answers import Address, Name
from glboard_core.gitlab.decode import person
from glboard_core.gitlab.graphql import QueryRunner
from glboard_core.gitlab.reading import IssueReader
from glboard_core.gitlab.verify import answer_lost
from glboard_core.gitlab.wire import Page, User
from glboard_core.model.catalog import Catalog, Person
from glboard_core.model.clean_text import line
from glboard_core.model.issue import Issue, IssueId
from glboard_core.ports import Done, Failed, Outcome


class _Permissions(Struct, frozen=True, rename="camel"):
    """What one may do in a project."""

    may_edit: bool = True


class IssuePlace(Struct, frozen=True, rename="camel"):
    """A project as it is now."""

    full_path: Address
    archived: bool | None = None
    #: When it is to be deleted; such a project has another path, and is not archived.
    marked_for_deletion_on: str | None = None
    user_permissions: _Permissions = _Permissions()


class MilestoneNow(Struct, frozen=True):
    """A milestone as it is now."""

    title: Name
    state: Name


class _PlaceAnswer(Struct, frozen=True):
    """The answer about a project; None if there is none at the path, or it is hidden."""

    project: IssuePlace | None


class _MilestoneAnswer(Struct, frozen=True):
    """The answer about a milestone; None if it is gone or hidden."""

    milestone: MilestoneNow | None


class _ProjectPath(Struct, frozen=True):
    """A project over REST, of which only the path matters."""

    path_with_namespace: Address


class _PeopleAnswer(Struct, frozen=True):
    """The answer about people by their ids."""

    users: Page[User] | None = None


class Inquiry:
    """One look into the failed Ops of one document. ``renamed`` gets the people who have another username."""

    def __init__(
        self, runner: QueryRunner, reader: IssueReader, catalog: Catalog, renamed: Callable[[Person], None]
    ) -> None:
        self._runner = runner
        self._renamed = renamed
        self._reader = reader
        self._catalog = catalog
        #: What was asked already: of many cards refused at once, the reason is mostly one.
        self._places: dict[str, IssuePlace | None] = {}
        self._milestones: dict[str, MilestoneNow | None] = {}

    async def outcomes(
        self, failed: Sequence[tuple[Op, Failed]], known: Mapping[IssueId, Issue | None]
    ) -> list[Outcome]:
        """What to say of each, with its issue as it is now; ``known`` are the issues before.

        What cannot be read now is unknown, and stays so until it can be. An Op whose issue is in another
        project than ``known`` can be sent again.
        """
        if not failed:
            return []
        try:
            now = await self._now(failed, known)
            found = [
                await self._outcome(op, one, known.get(op.issue), now.get(op.issue)) for op, one in failed
            ]
        except (NotGitLab, QueryRefused):
            return [one for _, one in failed]
        except (ConnectionFailed, AuthError):
            return [Failed(op=op.id, error=answer_lost()) for op, _ in failed]
        return found

    async def _now(
        self, failed: Sequence[tuple[Op, Failed]], known: Mapping[IssueId, Issue | None]
    ) -> Mapping[IssueId, Issue]:
        """The issues as they are, where the answer does not show them."""
        wanted = [
            op.issue
            for op, one in failed
            if isinstance(one.error, EditForbidden)
            or (isinstance(one.error, EditInvalid) and op.change.trace == "fields")
        ]
        before = {identity: issue for identity, issue in known.items() if issue is not None}
        return await self._reader.read(wanted, before)

    async def _outcome(self, op: Op, failed: Failed, before: Issue | None, now: Issue | None) -> Outcome:
        error, edit = failed.error, op.change.as_edit
        if op.change.creates and failed.issue is None and isinstance(error, EditInvalid | EditDropped):
            return await self._created(op, failed)
        if isinstance(error, EditForbidden):
            return structs.replace(failed, error=await self._refusal(op, error, before, now), issue=now)
        if isinstance(error, EditDropped):
            now = failed.issue
            if edit is not None and now is not None:
                found = await self._dropped(edit, now, error)
                error = found if found is error or not op.change.creates else _created_but(found)
        elif op.change.creates or now is None:
            return failed
        if edit is None or before is None or now is None or not isinstance(error, EditRefused):
            return structs.replace(failed, error=error, issue=now or failed.issue)
        if isinstance(error, EditInvalid) and shown_by([op], now):
            return Done(op=op.id, issue=now)
        return structs.replace(failed, error=error, issue=now)

    async def _created(self, op: Op, failed: Failed) -> Outcome:
        """Look for an issue that GitLab says it did not create, so that it is never created twice."""
        made, wanted = await self._reader.created_by(op), op.change.as_edit
        if made is None:
            return failed
        if wanted is None or wanted.missing_on(made) == Edit():
            return Done(op=op.id, issue=made)
        return structs.replace(failed, issue=made)

    async def _refusal(
        self, op: Op, error: EditForbidden, before: Issue | None, now: Issue | None
    ) -> EditForbidden:
        """The reason of a refusal that gave none."""
        if self._catalog.server.can_write is False or not op.change.project_of(before):
            return error
        path = op.change.project_of(now or before)
        place = await self._place(path)
        if now is None and not op.change.creates:
            return gone(path, place)
        return refused_in(path, place) or error

    async def elsewhere(self, op: Op, outcome: Outcome) -> Op | None:
        """The Op of a new issue for a project that has another path now: by its id, if that is known."""
        new = op.change
        if not isinstance(new, Create) or not isinstance(outcome, Failed) or outcome.issue is not None:
            return None
        known = self._catalog.project(new.project)
        if not isinstance(outcome.error, EditForbidden) or known is None or not known.id:
            return None
        try:
            raw = await self._runner.transport.get(f"/api/v4/projects/{known.id.rpartition('/')[2]}")
            path = line(msgspec.json.decode(raw, type=_ProjectPath).path_with_namespace)
        except (GlboardError, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return None
        change = structs.replace(new, project=path)
        return structs.replace(op, change=change) if path != new.project else None

    async def _place(self, path: str) -> IssuePlace | None:
        if path not in self._places:
            answer = await self._runner.ask_in_dialect(queries.place, {"path": path}, _PlaceAnswer)
            self._places[path] = answer.project
        return self._places[path]

    async def _milestone(self, number: str) -> MilestoneNow | None:
        if number not in self._milestones:
            identity = f"gid://gitlab/Milestone/{number}"
            answer = await self._runner.ask(queries.MILESTONE, {"id": identity}, _MilestoneAnswer)
            self._milestones[number] = answer.milestone
        return self._milestones[number]

    async def _other_names(self, usernames: Iterable[str]) -> dict[str, str]:
        """The present usernames of those who have another one than they had."""
        known = {one.id: one.username for name in sorted(usernames) if (one := self._catalog.person(name))}
        if not known:
            return {}
        answer = await self._runner.ask(queries.PEOPLE, {"ids": list(known)}, _PeopleAnswer)
        there = [person(one) for one in (answer.users or Page[User]()).items()]
        found = [one for one in there if known.get(one.id, one.username) != one.username]
        for one in found:
            self._renamed(one)
        return {known[one.id]: one.username for one in found}

    async def _dropped(self, edit: Edit, now: Issue, error: EditDropped) -> EditDropped:
        """The reason why GitLab ignored the milestone or the assignees, if it did."""
        missing = edit.missing_on(now)
        if missing.assign and (other := await self._other_names(missing.assign)):
            renamed = ", ".join(f"{old} is now {new}" for old, new in other.items())
            return EditDropped(error.message, hint=f"{renamed}: retry it.")
        project = self._catalog.project(now.project)
        if project is not None and project.can_edit is False:
            return error  # which says so: no other milestone would be accepted either
        title = missing.milestone
        sent = self._catalog.milestone(now.project, title) if isinstance(title, str) else None
        if sent is None or not isinstance(title, str):
            return error
        there = await self._milestone(sent.id.rpartition("/")[2])
        found = not_set(title, now.project, there)
        if missing.touches() == {"milestone"}:
            return found
        return EditDropped(error.message, hint=f"{found.message} {error.hint}")


# -- words


def gone(path: str, place: IssuePlace | None) -> EditGone:
    """The issue cannot be read by its id: it was deleted or hidden, perhaps with its whole project."""
    if place is None:
        return EditGone(
            f"The project {path} was deleted, or you no longer have access.",
            hint="Discard the change, or ask an owner of the group.",
        )
    return EditGone(
        "The issue was deleted, or you no longer have access.",
        hint="Discard the change. It may have become confidential.",
    )


def refused_in(path: str, place: IssuePlace | None) -> EditForbidden | None:
    """Why a project does not accept the change; None if it should."""
    if place is None:
        return EditForbidden(
            f"The project {path} no longer exists, or you no longer have access to it.",
            hint="Its path may have changed. Refresh, or find it in GitLab.",
        )
    if place.archived:
        return EditForbidden(
            f"The project {path} is archived and read-only.",
            hint="Ask an owner to unarchive it in GitLab.",
        )
    if place.marked_for_deletion_on:
        return EditForbidden(
            f"The project {path} is scheduled for deletion: GitLab refused the change.",
            hint="Ask an owner to restore it in GitLab.",
        )
    if not place.user_permissions.may_edit:
        return EditForbidden(
            f"You are not allowed to change issues in {path}.", hint="Ask for the Reporter role there."
        )
    return None


def _created_but(error: EditDropped) -> EditDropped:
    """The reason why a new issue, which is there, lacks something."""
    if error.message.startswith("The issue was created"):
        return error
    message = f"The issue was created, but {error.message[0].lower()}{error.message[1:]}"
    return EditDropped(message, hint=error.hint or "")


def not_set(title: str, path: str, found: MilestoneNow | None) -> EditDropped:
    """Why GitLab did not set a milestone."""
    if found is None:
        return EditDropped(
            f"The milestone “{title}” was not set: it was deleted, or it is hidden from you.",
            hint="Refresh, then choose another.",
        )
    name = line(found.title)
    named = f"“{title}”" if name == title else f"“{title}” (now “{name}”)"
    if found.state == "closed":
        return EditDropped(
            f"The milestone {named} was not set: it is closed.",
            hint="GitLab sets only open milestones. Reopen it in GitLab, or choose another.",
        )
    return EditDropped(
        f"The milestone {named} was not set.", hint=f"Choose another. It may not be available to {path}."
    )
