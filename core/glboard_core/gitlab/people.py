"""Usernames that a change names, resolved to people before it is sent.

Owns the question whether such a user exists: GitLab accepts an unknown name without an error, and replacing
the assignees with it removes them all. It sends one request for all names that are not known.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches

from msgspec import Struct, structs

from glboard_core.board.operations import Create, Edit, Op
from glboard_core.errors import EditImpossible
from glboard_core.gitlab import queries
from glboard_core.gitlab.decode import Page, User, line
from glboard_core.gitlab.graphql import QueryRunner, chunks
from glboard_core.model.catalog import Catalog, Person
from glboard_core.model.issue import Issue


class _Users(Struct, frozen=True):
    users: Page[User] | None = None


class PeopleNamed(Struct, frozen=True):
    """The people that changes name: ``found`` by what was asked, which ignores case and a leading @."""

    found: Mapping[str, Person]
    #: Usernames to look for near matches in.
    others: tuple[str, ...]

    def added_to(self, catalog: Catalog) -> Catalog:
        """The catalog with them."""
        new = {person.id: person for person in self.found.values() if not catalog.person(person.username)}
        return structs.replace(catalog, people=(*catalog.people, *new.values())) if new else catalog

    def resolved(self, op: Op, issue: Issue | None) -> Op:
        """The Op with usernames as GitLab spells them. Raises EditImpossible for an unknown one.

        Who is on the ``issue`` already stays as spelled.
        """
        change = op.change
        if not isinstance(change, Edit | Create) or not change.value("assignees"):
            return op
        there = issue.assignees if issue is not None else ()
        names = tuple(name if name in there else self._username(name) for name in change.value("assignees"))
        if names == change.assignees:
            return op
        return structs.replace(op, change=structs.replace(change, assignees=tuple(dict.fromkeys(names))))

    def _username(self, name: str) -> str:
        if (person := self.found.get(_key(name))) is not None:
            return person.username
        near = get_close_matches(_key(name), self.others, 3)
        hint = f"Near matches: {', '.join(near)}." if near else "Use the username, without spaces."
        raise EditImpossible(f"There is no user named “{name}”.", hint=hint)


async def people_named(runner: QueryRunner, ops: Iterable[Op], catalog: Catalog) -> PeopleNamed:
    """Who the assignees of these Ops are. Raises as ``QueryRunner.ask``."""
    wanted = {_key(name) for op in ops for name in _new_names(op)}
    if not wanted:
        return PeopleNamed({}, ())
    known = {_key(person.username): person for person in catalog.people}
    found = {name: known[name] for name in wanted if name in known}
    asked = sorted(wanted - set(found))
    for part in chunks(asked, queries.PAGE):
        answer = await runner.ask(queries.PEOPLE, {"names": list(part)}, _Users)
        for user in answer.users.items() if answer.users else ():
            person = Person(id=user.id, username=line(user.username), name=line(user.name))
            found[_key(person.username)] = person
    return PeopleNamed(found, tuple(sorted(known)))


def _new_names(op: Op) -> Sequence[str]:
    """The assignees that an Op names, except those the person saw on the issue."""
    if not isinstance(op.change, Edit | Create):
        return ()
    there = op.before.assignees if op.before is not None else ()
    return [name for name in op.change.value("assignees") or () if name not in there]


def _key(name: str) -> str:
    return name.strip().removeprefix("@").casefold()
