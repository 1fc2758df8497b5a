"""Verifies the outcome of an Op: compares the answer with the request.

Owns the search for silent drops (API note 4): GitLab reports success but ignores a label, milestone,
weight or assignee it does not accept. It reports the field and the likely cause. It must not send anything.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec
from msgspec import UNSET, Struct, UnsetType

from glboard_core.board.fields import ASSIGNEES
from glboard_core.board.operations import Create, Edit, LinkWanted, Op, OpId, Rank
from glboard_core.errors import (
    EditCrashed,
    EditDropped,
    EditForbidden,
    EditImpossible,
    EditInvalid,
    EditUnknown,
    GlboardError,
    RateLimited,
)
from glboard_core.gitlab import decode
from glboard_core.gitlab.answers import Identity, Name, moment
from glboard_core.gitlab.decode import Decoder, IssuePart, WireIssue, link_kind, state_of
from glboard_core.gitlab.graphql import GraphError
from glboard_core.gitlab.http_errors import UNKNOWN_WAIT, maintenance
from glboard_core.gitlab.mutations import Mutation
from glboard_core.gitlab.token_errors import fine_grained
from glboard_core.gitlab.wire import HasId, Named, Page
from glboard_core.model import clean_text
from glboard_core.model.catalog import Catalog, Label, Person
from glboard_core.model.issue import Issue, LinkKind, same_scope
from glboard_core.model.milestone import Milestone
from glboard_core.model.stored_text import stored
from glboard_core.ports import Done, Failed, Outcome

#: How older servers (16.x) report success of a note that has only quick actions.
_COMMANDS_ONLY = "Commands only"
#: Why what was to be removed stays.
_LOW_ROLE = "a role below Reporter"
#: Null in a raw answer.
NULL = b"null"


class QuickActions(Struct, frozen=True, rename="camel"):
    """What quick actions in a note did."""

    commands_only: bool | None = None


class NotePart(Struct, frozen=True):
    """A comment as it was saved."""

    id: str | None = None
    body: str | None = None


class _TextPart(Struct, frozen=True):
    """The description of a returned issue, if it was requested."""

    description: str | UnsetType | None = UNSET


class LinkPart(Struct, frozen=True, rename="camel"):
    """A linked work item, null if we may not see it."""

    link_type: Name
    work_item: HasId | None


class ItemWidget(Struct, frozen=True, rename="camel"):
    """The status of a work item, or its links; other widgets are empty."""

    status: Named | None = None
    blocked: bool | None = None
    linked_items: Page[LinkPart] | None = None


class WorkItemPart(Struct, frozen=True, rename="camel"):
    """What ``workItemUpdate`` returns."""

    id: Identity
    updated_at: datetime
    state: Name | UnsetType = UNSET
    closed_at: datetime | UnsetType | None = UNSET
    widgets: list[ItemWidget | None] | None = None


class Payload(Struct, frozen=True, rename="camel"):
    """The answer to one mutation. ``issue`` is decoded later, in whole or in part."""

    errors: list[str] = []
    issue: msgspec.Raw = msgspec.Raw(NULL)
    note: NotePart | None = None
    work_item: WorkItemPart | None = None
    quick_actions_status: QuickActions | None = None


#: The answer to one call: its payload, or its error; None if there was neither.
Reply = Payload | GraphError | None


class AnswerVerifier:
    """Verifies answers against one catalog."""

    def __init__(self, catalog: Catalog, decoder: Decoder) -> None:
        self._catalog = catalog
        self._decoder = decoder
        self._renames: list[tuple[Label | Milestone, str]] = []
        #: Labels that stay, since the issue had two of one title: its project's and its group's.
        self._twins: list[Label] = []
        #: People who stay assigned, since they have another username now.
        self._people: list[Person] = []
        #: The Ops that changed another issue, whose project has the path now.
        self.misplaced: set[OpId] = set()

    def take_renamed(self) -> list[tuple[Label | Milestone, str]]:
        """What the answers since the last call show to have another title than in the catalog, with that."""
        renamed, self._renames = self._renames, []
        return renamed

    def take_people(self) -> list[Person]:
        """The people who should have been unassigned since the last call, and have another username now."""
        people, self._people = self._people, []
        return people

    def take_twins(self) -> list[Label]:
        """The labels that stayed since the last call, by an id that was not the one to be removed."""
        twins, self._twins = self._twins, []
        return twins

    def outcome(
        self, op: Op, issue: Issue | None, replies: Sequence[Reply], calls: Sequence[Mutation]
    ) -> Outcome:
        """The outcome of an Op whose ``calls`` were answered by ``replies``; ``issue`` is its state before.

        Raises msgspec.DecodeError or UnicodeDecodeError if an answer cannot be decoded.
        """
        problems: list[GlboardError] = []
        note: str | None = None
        rewritten: GlboardError | None = None
        for call, reply in zip(calls, replies, strict=True):
            if not isinstance(reply, Payload):
                problems.append(self.error(reply, op, issue))
                continue
            commands_only = self._only_commands(reply)
            links = _links_of(reply)
            if op.change.link_wanted is not None and links is not None:
                # What is linked counts: that it is linked already is an error in GitLab.
                if (problem := _not_linked(op.change.link_wanted, links, reply.errors)) is not None:
                    problems.append(problem)
                issue = self._merged(op, issue, reply)
                continue
            if reply.errors and not commands_only:
                # Its issue shows values that were not saved.
                problems.append(_invalid(reply.errors))
                continue
            if issue is not None and not op.change.creates and _is_of_another(reply, issue):
                self.misplaced.add(op.id)
                problems.append(_misplaced(issue))
                continue
            op = self._renamed(op, issue, reply)
            issue = self._merged(op, issue, reply)
            rewritten = rewritten or _rewritten(call, reply)
            if op.change.trace == "note":
                if reply.note is not None:
                    note = reply.note.id
                elif not commands_only:
                    problems.append(EditDropped("GitLab did not save the comment."))
        if not problems and (dropped := self._dropped(op, issue)):
            problems.append(dropped)
        if not problems and rewritten is not None:
            problems.append(rewritten)
        if problems:
            # An unknown outcome outweighs a rejection, since it must be settled.
            worst = next((error for error in problems if isinstance(error, EditUnknown)), problems[0])
            return Failed(op=op.id, error=worst, issue=issue)
        return Done(op=op.id, issue=self._counted(op, issue), note=note)

    def _renamed(self, op: Op, issue: Issue | None, reply: Payload) -> Op:
        """The Op with the present titles of what it sets, if GitLab set that: ids tell."""
        edit = op.change
        if bytes(reply.issue) == NULL:
            return op
        if isinstance(edit, Create):
            return msgspec.structs.replace(op, change=self._renamed_new(edit, reply))
        if not isinstance(edit, Edit) or issue is None:
            return op
        part = msgspec.json.decode(reply.issue, type=IssuePart)
        if isinstance(edit.milestone, str) and part.milestone:
            wanted = self._catalog.milestone(issue.project, edit.milestone)
            title = self._decoder.title(part.milestone)
            if wanted is not None and title and _number(part.milestone.id) == _number(wanted.id):
                edit = msgspec.structs.replace(edit, milestone=title)
                self._note(wanted, title)
        if edit.add and part.labels:
            there = {_number(one.id): self._decoder.line(one.title) for one in part.labels.items()}
            titles = {title: self._label_now(issue.project, title, there) for title in edit.add}
            edit = msgspec.structs.replace(edit, add=frozenset(titles.values()))
        names = {one.id: self._decoder.line(one.username) for one in (part.assignees or Page()).items()}
        for person in map(self._catalog.person, edit.unassign):
            now = names.get(person.id) if person is not None else None
            if person is not None and now is not None and now != person.username:
                self._people.append(msgspec.structs.replace(person, username=now))
        for label in part.labels.items() if edit.remove and part.labels else ():
            title = self._decoder.line(label.title)
            sent = self._catalog.label(issue.project, title) if title in edit.remove - edit.add else None
            if sent is not None and label.id and _number(label.id) != _number(sent.id):
                self._twins.append(decode.label(label, issue.project))
        return op if edit == op.change else msgspec.structs.replace(op, change=edit)

    def _renamed_new(self, new: Create, reply: Payload) -> Create:
        """The new issue with the present names of what it was given: labels, milestone and people."""
        wire = msgspec.json.decode(reply.issue, type=WireIssue)
        there = {_number(one.id): self._decoder.line(one.title) for one in (wire.labels or Page()).items()}
        titles = frozenset(self._label_now(new.project, title, there) for title in new.labels)
        milestone = new.milestone
        known = self._catalog.milestone(new.project, milestone) if milestone is not None else None
        if (
            known is not None
            and wire.milestone is not None
            and _number(wire.milestone.id) == _number(known.id)
        ):
            milestone = self._decoder.title(wire.milestone)
            self._note(known, milestone or known.title)
        names = {one.id: self._decoder.line(one.username) for one in (wire.assignees or Page()).items()}
        ids = {
            name: person.id for name in new.assignees if (person := self._catalog.person(name)) is not None
        }
        people = tuple(names.get(ids.get(name, ""), name) for name in new.assignees)
        return msgspec.structs.replace(new, labels=titles, milestone=milestone, assignees=people)

    def _label_now(self, project: str, title: str, there: Mapping[str, str]) -> str:
        wanted = self._catalog.label(project, title)
        now = there.get(_number(wanted.id), title) if wanted is not None else title
        if wanted is not None:
            self._note(wanted, now)
        return now

    def _note(self, known: Label | Milestone, title: str) -> None:
        if known.title != title:
            self._renames.append((known, title))

    def _only_commands(self, reply: Payload) -> bool:
        status = reply.quick_actions_status
        return reply.note is None and (
            bool(status and status.commands_only)
            or any(error.startswith(_COMMANDS_ONLY) for error in reply.errors)
        )

    def _merged(self, op: Op, issue: Issue | None, reply: Payload) -> Issue | None:
        if reply.work_item is not None and issue is not None:
            changed = self._with_links if op.change.link_wanted is not None else self._with_status
            return self._by_me(op, issue, changed(issue, reply.work_item))
        if bytes(reply.issue) == NULL:
            return issue
        if op.change.creates:
            return self._decoder.issue(msgspec.json.decode(reply.issue, type=WireIssue))
        if issue is None:
            return None
        part = msgspec.json.decode(reply.issue, type=IssuePart)
        return self._by_me(op, issue, self._decoder.changed(issue, part))

    def _by_me(self, op: Op, before: Issue, after: Issue) -> Issue:
        """``updatedBy`` is not requested: it is us if ``updatedAt`` changed, which a reorder does not do.

        It need not have grown: the time before may have come from a clock that was ahead.
        """
        if "rank" in op.change.touches() or after.updated_at == before.updated_at:
            return after
        return msgspec.structs.replace(after, updated_by=self._catalog.me.username)

    def _with_status(self, issue: Issue, item: WorkItemPart) -> Issue:
        state = UNSET if item.state is UNSET else state_of(item.state)
        part = IssuePart(id=item.id, updated_at=item.updated_at, closed_at=item.closed_at, state=state)
        names = [w.status.name for w in item.widgets or () if w and w.status and w.status.name]
        status = self._decoder.line(names[0]) if names else None
        return msgspec.structs.replace(self._decoder.changed(issue, part), status=status)

    def _with_links(self, issue: Issue, item: WorkItemPart) -> Issue:
        told = [widget.blocked for widget in item.widgets or () if widget and widget.blocked is not None]
        return msgspec.structs.replace(
            issue, updated_at=moment(item.updated_at), blocked=told[0] if told else issue.blocked
        )

    def _counted(self, op: Op, issue: Issue | None) -> Issue | None:
        """The issue with its number of comments, which a note's payload does not contain."""
        if issue is None or not op.change.notes_added:
            return issue
        return msgspec.structs.replace(issue, notes=max(0, issue.notes + op.change.notes_added))

    # -- errors

    def error(self, error: GraphError | None, op: Op, issue: Issue | None) -> GlboardError:
        """The error of an Op that a GraphQL error rejected, or that has no answer at all."""
        if error is None:
            return answer_lost()
        if error.forbidden:
            return self._forbidden(op, issue)
        if error.throttled:
            return _comments_limited()
        if error.maintenance:
            return maintenance()
        if error.crashed:
            return crashed()
        if error.timeout:
            return answer_lost()
        if error.fine_grained:
            unnamed = "no permission of such a token allows it."
            refusal = fine_grained("GitLab", unnamed if "boundaries" in error.message else error.text)
            # Nothing was executed, so there is nothing to look into.
            return EditImpossible(refusal.message, hint=refusal.hint)
        return EditInvalid(f"GitLab rejected it: {error.text}")

    def _forbidden(self, op: Op, issue: Issue | None) -> EditForbidden:
        where = op.change.project_of(issue)
        if self._catalog.server.can_write is False:
            return EditForbidden(
                "The token is read-only.", hint="Create a token with the “api” scope and set GITLAB_TOKEN."
            )
        project = self._catalog.project(where)
        if project is not None and project.can_edit is False:
            return EditForbidden(
                f"You are not allowed to change issues in {where}.", hint="Ask for the Reporter role there."
            )
        return EditForbidden(
            "GitLab does not allow this change, or the issue was not found.",
            hint="Ask for the Reporter role in the project, and use a token with the “api” scope.",
        )

    # -- silent drops

    def _dropped(self, op: Op, issue: Issue | None) -> EditDropped | None:
        change, start = op.change, "The issue was created, but " if op.change.creates else ""
        if issue is None:
            missing = EditDropped("GitLab returned no issue.", hint="Check the project in GitLab.")
            return missing if change.creates else None
        if isinstance(change, Rank):
            return _rank_dropped(change, issue, op.before)
        return None if change.as_edit is None else self._edit_dropped(change.as_edit, issue, start)

    def _edit_dropped(self, edit: Edit, issue: Issue, start: str) -> EditDropped | None:
        where = issue.project
        project = self._catalog.project(where)
        # A write at the same time may not have seen ours.
        stays = "someone else changed it at the same time" if project and project.can_edit else _LOW_ROLE
        missing = edit.add - issue.labels
        staying = (edit.remove - edit.add) & issue.labels
        dropped: list[tuple[str, str]] = []
        if missing:
            pushed = any(same_scope(title, edit.add) for title in missing)
            cause = (
                "an issue can have only one label per scope"
                if pushed
                else f"the label may not be available to {where}, or you need the Reporter role there"
            )
            dropped.append((f"the label {_names(missing)} was not added", cause))
        if staying:
            dropped.append((f"the label {_names(staying)} was not removed", stays))
        left = edit.missing_on(issue)
        if left.assign:
            dropped.append(ASSIGNEES.ignored(tuple(sorted(left.assign)), issue))
        if left.unassign:
            people = ", ".join(sorted(left.unassign))
            dropped.append((f"the assignee {people} was not removed", stays))
        for field, wanted in edit.fields():
            shown = clean_text.line(wanted) if isinstance(wanted, str) else wanted
            if not field.same(shown, getattr(issue, field.name)):
                dropped.append(field.ignored(wanted, issue))
        if not dropped:
            return None
        effects = "; ".join(what for what, _ in dropped)
        causes = "; ".join(dict.fromkeys(cause for _, cause in dropped))
        if project is not None and project.can_edit is False:
            causes = f"you are not allowed to change issues in {where}"
        message = f"{start}{effects}."
        return EditDropped(f"{message[0].upper()}{message[1:]}", hint=f"Likely cause: {causes}.")


def _is_of_another(reply: Payload, issue: Issue) -> bool:
    """Whether the answer is about another issue: one of its number in another project of that path."""
    if bytes(reply.issue) == NULL:
        return False
    return _number(msgspec.json.decode(reply.issue, type=HasId).id or issue.id) != _number(issue.id)


def _misplaced(issue: Issue) -> EditForbidden:
    return EditForbidden(
        f"GitLab changed another issue: {issue.project} is the path of another project now.",
        hint=f"Set {issue.reference} back in GitLab, then retry this change.",
    )


def _links_of(reply: Payload) -> Mapping[str, LinkKind] | None:
    """How each linked issue is linked, by its number; None if that is not told, or not of all."""
    pages = [
        widget.linked_items
        for widget in (reply.work_item.widgets if reply.work_item is not None else None) or ()
        if widget is not None and widget.linked_items is not None
    ]
    if not pages or pages[0].page_info.has_next_page:
        return None
    return {
        _number(row.work_item.id): link_kind(row.link_type)
        for row in pages[0].items()
        if row.work_item is not None and row.work_item.id
    }


_LINKED_AS: dict[LinkKind, str] = {
    "is_blocked_by": "blocked by it",
    "blocks": "blocking it",
    "relates_to": "related",
}


def _not_linked(
    wanted: LinkWanted, links: Mapping[str, LinkKind], errors: Sequence[str]
) -> GlboardError | None:
    """Why the links are not as they were to be; None if they are."""
    there = links.get(_number(wanted.other))
    if there == wanted.kind:
        return None
    if there is not None and wanted.kind is not None:
        return EditInvalid(
            f"The issues are already linked: this one is {_LINKED_AS[there]}.",
            hint="Remove that link first, then try again.",
        )
    if errors:
        return _invalid(errors)
    return EditDropped(
        "The link was not added." if wanted.kind is not None else "The link was not removed.",
        hint="Check that you have access to the project of the other issue.",
    )


def _rewritten(call: Mutation, reply: Payload) -> EditDropped | None:
    """A description or comment that was not saved as it was sent, apart from what GitLab always changes."""
    if call.text is None:
        return None
    there: str | UnsetType | None = reply.note.body if reply.note is not None else UNSET
    if bytes(reply.issue) != NULL:
        there = msgspec.json.decode(reply.issue, type=_TextPart).description
    if there is UNSET or there is None or stored(there) == stored(call.text):
        return None
    what = "description" if "description" in call.input else "comment"
    return EditDropped(
        f"GitLab changed the {what} when saving it.",
        hint="Check it in GitLab. A line that starts with a slash can run as a quick action.",
    )


def _rank_dropped(rank: Rank, issue: Issue, before: Issue | None) -> EditDropped | None:
    """A reorder that moved nothing, although the requested position differs."""
    stays = before is not None and before.position is not None and before.position == issue.position
    if not stays or (rank.above, rank.below) == (rank.was_above, rank.was_below):
        return None
    if rank.position is None or rank.position == issue.position:
        return None
    return EditDropped("The issue did not move.", hint="Rank it again. An adjacent issue may be gone.")


def _invalid(errors: Sequence[str]) -> GlboardError:
    # Shortened before it is cleaned, too: that takes time.
    message = clean_text.line("; ".join(error[:1_000] for error in errors[:20]))[:300]
    if "requested too many times" in message:
        return _comments_limited()
    return EditInvalid(f"GitLab rejected it: {message}")


def _comments_limited() -> RateLimited:
    return RateLimited(
        "GitLab does not accept more comments right now.",
        retry_after=UNKNOWN_WAIT,
        hint="gitlab.com allows 60 per minute. Try again in a minute.",
    )


def _number(identity: str) -> str:
    return identity.rpartition("/")[2]


def answer_lost() -> EditUnknown:
    """The answer was lost or unreadable, and the change may have been made."""
    return EditUnknown(
        "GitLab's response was lost; the change may have been applied.",
        hint="glboard will check GitLab before retrying.",
    )


def crashed(*, alone: bool = True) -> EditCrashed:
    """GitLab failed while making the change, which may have been made; ``alone`` as in the error."""
    return EditCrashed(
        "GitLab failed on this change (internal server error); it may have been applied.",
        hint="glboard will check GitLab before retrying.",
        alone=alone,
    )


def _names(titles: frozenset[str]) -> str:
    return ", ".join(f"“{title}”" for title in sorted(titles))
