"""Encodes an Op as GraphQL mutations.

Owns how each field is written so that it works on every tier and version of GitLab (API notes 1 and 4):
titles become ids that are valid for the issue's project, labels and assignees change by explicit add and
remove, a milestone is a plain number. It sends nothing, and refuses what the server would silently ignore.
"""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches

from msgspec import UNSET, Struct

from glboard_core.board.fields import missing_people
from glboard_core.board.operations import (
    Comment,
    Create,
    DeleteNote,
    Edit,
    Link,
    NoteWrite,
    Op,
    Rank,
    labels_after,
)
from glboard_core.errors import EditImpossible, EditInvalid
from glboard_core.gitlab import markers
from glboard_core.gitlab.dialect import Dialect
from glboard_core.gitlab.mutations import (
    CREATE_COST,
    LINK_COST,
    STATUS_BACK,
    Mutation,
    issue_back,
    links_back,
)
from glboard_core.model.catalog import Catalog, Person
from glboard_core.model.issue import HealthStatus, Issue, IssueId, LinkKind
from glboard_core.model.stored_text import literal

#: The maximum of GraphQL's Int; GitLab's own limit for weights is far lower.
_MOST_WEIGHT = 2**31 - 1
#: GitLab's limits: characters of a title, bytes of a description, and of a comment at least that many.
MOST_TITLE = 255
MOST_DESCRIPTION = 1_048_576
MOST_COMMENT = 1_000_000


class MutationEncoder(Struct, frozen=True, kw_only=True):
    """Encodes Ops for one server. ``statuses`` maps a case-folded status name to its global id."""

    catalog: Catalog
    dialect: Dialect
    statuses: Mapping[str, str]

    def calls(self, op: Op, issue: Issue | None) -> tuple[Mutation, ...]:
        """The mutations for ``op``, in order; empty if there is nothing to do.

        ``issue`` is its state on the server when they run. Raises EditImpossible and EditInvalid.
        """
        if isinstance(op.change, Create):
            return (self._create(op, op.change),)
        if isinstance(op.change, DeleteNote):
            return (_delete_note(op.change),)
        if issue is None or issue.is_new:
            raise EditImpossible("The issue is not in GitLab yet.", hint="Change it after it is created.")
        match op.change:
            case Edit():
                return self._edit(op.change, issue)
            case Rank():
                return (self._rank(op.change, issue),)
            case Comment():
                return (self._comment(op, op.change.body, issue),)
            case NoteWrite():
                return (self._note(op, op.change, issue),)
            case Link():
                return (self._link(op.change, issue),)

    # -- edits

    def _edit(self, edit: Edit, issue: Issue) -> tuple[Mutation, ...]:
        where: dict[str, object] = {"projectPath": issue.project, "iid": str(issue.iid)}
        calls: list[Mutation] = []
        # updateIssue takes no assignees. Never REPLACE: it would take away whom others have assigned, and all
        # if it had an unknown name. First those to go, since some servers keep only one.
        for mode, names in self._people(edit, issue):
            values = {**where, "assigneeUsernames": names, "operationMode": mode}
            calls.append(_issue_call("issueSetAssignees", values, ("assignees",)))
        fields: dict[str, object] = {}
        back: list[str] = []
        if labels := self._labels(edit, issue):
            fields.update(labels)
            back.append("labels")
        # Sent with other changes, a weight that this server does not have is told when those are made.
        if edit.weight is not UNSET and (self.dialect.ee or edit.touches() == {"weight"}):
            fields["weight"] = self._weight(edit.weight)
            back.append("weight")
        if edit.milestone is not UNSET:
            title = edit.milestone
            fields["milestoneId"] = (
                self.catalog.milestone_id(issue.project, title) if title is not None else None
            )
            back.append("milestone")
        if edit.state is not UNSET:
            fields["stateEvent"] = "CLOSE" if edit.state == "closed" else "REOPEN"
            # GitLab moves the status along.
            back += ["state", "status"] if self.dialect.status else ["state"]
        if edit.title is not UNSET:
            fields["title"] = _title(edit.title)
            back.append("title")
        if edit.description is not UNSET:
            fields["description"] = _text(literal(edit.description), "description", MOST_DESCRIPTION)
            back.append("description")
        if edit.confidential is not UNSET:
            fields["confidential"] = edit.confidential
            back.append("confidential")
        if edit.health_status is not UNSET and (self.dialect.ee or edit.touches() == {"health_status"}):
            fields["healthStatus"] = self._health(edit.health_status)
            back.append("health_status")
        if fields:
            calls.append(_issue_call("updateIssue", {**where, **fields}, tuple(back)))
        if edit.status is not UNSET:
            calls.append(self._status(edit.status, issue))
        return tuple(calls)

    def _people(self, edit: Edit, issue: Issue) -> list[tuple[str, list[str]]]:
        """Modes and usernames of the calls. Raises EditImpossible for the name of no person."""
        unassign, assign = edit.unassign - edit.assign, edit.assign
        if edit.assignees is not UNSET:
            unassign |= missing_people(issue.assignees, edit.assignees)
            assign |= missing_people(edit.assignees, issue.assignees)
        new = missing_people(assign, issue.assignees)
        names = [name if name not in new else self._person(name).username for name in sorted(assign)]
        calls = [("REMOVE", sorted(unassign)), ("APPEND", names)]
        return [(mode, people) for mode, people in calls if people]

    def _labels(self, edit: Edit, issue: Issue) -> dict[str, object]:
        """Ids to add and remove: those requested, and those a scoped label replaces, on any tier."""
        if not edit.add and not edit.remove:
            return {}
        pushed_out = issue.labels - labels_after(issue.labels, edit.add, edit.remove)
        find = self.catalog.label
        add = [
            # A label that is already on the issue needs no id, which may be unknown.
            label.id if (label := find(issue.project, title)) else self.catalog.label_id(issue.project, title)
            for title in sorted(edit.add)
            if title not in issue.labels or find(issue.project, title) is not None
        ]
        remove = [
            self.catalog.label_id(issue.project, title)
            for title in sorted((edit.remove - edit.add) | pushed_out)
            # A label unknown to the project cannot be on the issue, unless it is shown there.
            if title in issue.labels or find(issue.project, title) is not None
        ]
        return {name: ids for name, ids in (("addLabelIds", add), ("removeLabelIds", remove)) if ids}

    def _weight(self, weight: int | None) -> int | None:
        if not self.dialect.ee:
            raise EditImpossible(
                "This GitLab has no weights.",
                hint="Discard the change. Weights need a GitLab Premium or Ultimate license.",
            )
        if weight is not None and not 0 <= weight <= _MOST_WEIGHT:
            raise EditInvalid(f"{weight} is not a valid weight.", hint="Use a whole number, 0 or more.")
        return weight

    def _health(self, status: HealthStatus | None) -> str | None:
        if not self.dialect.ee:
            raise EditImpossible(
                "This GitLab has no health statuses.",
                hint="Omit it. Health statuses need a GitLab Ultimate license.",
            )
        return status

    def _status(self, status: str | None, issue: Issue) -> Mutation:
        if not self.dialect.status:
            raise EditImpossible(
                "This GitLab has no statuses.",
                hint="They need GitLab 18.5 and Premium. Otherwise, set flow.backend to “label” in the "
                "configuration.",
            )
        if status is None:
            raise EditImpossible(
                "A status cannot be removed.", hint="Every issue in GitLab has one; choose another."
            )
        if (identity := self.statuses.get(status.casefold())) is None:
            raise EditImpossible(
                f"Status “{status}” not found.",
                hint="Create it in the settings of the top-level group.",
            )
        return Mutation(
            field="workItemUpdate",
            input={"id": _work_item(issue.id), "statusWidget": {"status": identity}},
            back=f"errors {STATUS_BACK}",
            cost=10,
        )

    # -- the rest

    def _rank(self, rank: Rank, issue: Issue) -> Mutation:
        if (board := self.catalog.ranking_board) is None:
            raise EditImpossible(
                "GitLab needs an issue board to change the manual order, and the group has none.",
                hint="Create an issue board for the group in GitLab, then try again.",
            )
        # GitLab's names: moveBeforeId is the issue that will be before (above) the moved one.
        places = {"moveBeforeId": rank.above, "moveAfterId": rank.below}
        beside = {name: number(place) for name, place in places.items() if place is not None}
        if not beside:
            raise EditImpossible(
                "No adjacent issue to rank this one next to.",
                hint="Rank it again, next to another issue.",
            )
        where = {"boardId": board, "projectPath": issue.project, "iid": str(issue.iid)}
        return _issue_call("issueMoveList", {**where, **beside}, ("rank",))

    def _link(self, link: Link, issue: Issue) -> Mutation:
        ids: dict[str, object] = {"id": _work_item(issue.id), "workItemsIds": [_work_item(link.other)]}
        back = links_back(self.dialect)
        if not link.add:
            return Mutation(field="workItemRemoveLinkedItems", input=ids, back=back, cost=LINK_COST)
        if link.kind != "relates_to" and not self.dialect.ee:
            raise EditImpossible(
                "This GitLab can only link issues as related.",
                hint="Add it as a related issue. Blocking links need GitLab Premium.",
            )
        kind = _LINK_TYPES[link.kind]
        return Mutation(
            field="workItemAddLinkedItems", input={**ids, "linkType": kind}, back=back, cost=LINK_COST
        )

    def _note(self, op: Op, note: NoteWrite, issue: Issue) -> Mutation:
        body = markers.with_mark(literal(note.body), note.mark)
        if note.note is None:
            return self._comment(op, body if note.body.strip() else "", issue)
        return Mutation(
            field="updateNote",
            input={"id": note.note, "body": markers.marked(body, op.id)},
            back="errors note { id body }",
            cost=5,
        )

    def _comment(self, op: Op, body: str, issue: Issue) -> Mutation:
        if not body.strip():
            raise EditInvalid("The comment is empty.", hint="Edit it, or discard it.")
        _text(body, "comment", MOST_COMMENT)
        commands = " quickActionsStatus { commandsOnly }" if self.dialect.modern else ""
        return Mutation(
            field="createNote",
            input={"noteableId": issue.id, "body": markers.marked(literal(body), op.id)},
            back=f"errors note {{ id body }}{commands}",
            cost=8,
        )

    def _create(self, op: Op, new: Create) -> Mutation:
        catalog = self.catalog
        fields: dict[str, object] = {
            "projectPath": new.project,
            "title": _title(new.title),
            "description": _text(
                markers.marked(literal(new.description), op.id), "description", MOST_DESCRIPTION
            ),
        }
        if new.labels:
            # By id: "labels" would create missing labels. A LabelID is the global id of a Label, of
            # which GroupLabel and ProjectLabel are kinds.
            ids = (catalog.label_id(new.project, title) for title in sorted(new.labels))
            fields["labelIds"] = [f"gid://gitlab/Label/{number(identity)}" for identity in ids]
        if new.milestone is not None:
            plain = catalog.milestone_id(new.project, new.milestone)
            fields["milestoneId"] = f"gid://gitlab/Milestone/{plain}"
        if new.weight is not None and self.dialect.ee:
            fields["weight"] = self._weight(new.weight)
        if new.assignees:
            fields["assigneeIds"] = [self._person(username).id for username in new.assignees]
        if new.confidential:
            fields["confidential"] = True
        return Mutation(
            field="createIssue",
            input=fields,
            back="errors issue { ...Card description }",
            cost=CREATE_COST,
            card=True,
        )

    def _person(self, username: str) -> Person:
        if (person := self.catalog.person(username)) is not None:
            return person
        # GitLab ignores the case of usernames, and accepts the name of no person without an error.
        by_name = {person.username.casefold(): person for person in self.catalog.people}
        if (person := by_name.get(username.removeprefix("@").casefold())) is not None:
            return person
        near = [by_name[name].username for name in get_close_matches(username.casefold(), by_name, 3)]
        raise EditImpossible(
            f"User “{username}” not found.",
            hint=f"Similar: {', '.join(near)}." if near else "Use the username, without spaces.",
        )


_LINK_TYPES: dict[LinkKind, str] = {
    "is_blocked_by": "BLOCKED_BY",
    "blocks": "BLOCKS",
    "relates_to": "RELATED",
}


def _work_item(issue: IssueId) -> str:
    return f"gid://gitlab/WorkItem/{number(issue)}"


def number(identity: str) -> str:
    """The plain number of a global id. Raises EditImpossible for an issue that is not in GitLab yet."""
    plain = identity.rpartition("/")[2]
    if not plain.isdecimal():
        raise EditImpossible("An adjacent issue is not in GitLab yet.", hint="Retry after it is created.")
    return plain


def _title(title: str) -> str:
    """The title without blanks at the ends, which GitLab removes.

    Checked before it is sent: GitLab saves labels of the same change although it rejects the title.
    """
    if not (title := title.strip()):
        raise EditInvalid("The title is empty.", hint="An issue needs a title. Edit or discard the change.")
    if len(title) > MOST_TITLE:
        raise EditInvalid(
            f"The title is longer than {MOST_TITLE} characters.", hint="Edit it to make it shorter."
        )
    return _text(title, "title", MOST_DESCRIPTION)


def _text(text: str, what: str, most: int) -> str:
    """The text, checked before it is sent; ``most`` is in bytes."""
    if len(text.encode()) > most:
        raise EditInvalid(f"The {what} is larger than {most:,} bytes.", hint="Edit it to make it shorter.")
    if "\0" in text:
        raise EditInvalid(f"The {what} contains a null character.", hint="Remove it. GitLab rejects it.")
    return text


def _delete_note(change: DeleteNote) -> Mutation:
    if change.note is None:
        raise EditImpossible("The comment to delete was not found.", hint="Delete it in GitLab.")
    return Mutation(field="destroyNote", input={"id": change.note}, back="errors note { id }", cost=4)


def _issue_call(field: str, values: dict[str, object], back: tuple[str, ...]) -> Mutation:
    asked, cost = issue_back(back)
    return Mutation(field=field, input=values, back=asked, cost=cost)
