"""What is asked of a server only to see whether all is well: the token, and our role in each project.

Owns two questions and their answers' shapes. It judges nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import msgspec
from msgspec import Struct, structs

from glboard_core.gitlab import decode, name_queries
from glboard_core.gitlab.answer_errors import not_json
from glboard_core.gitlab.answers import Address
from glboard_core.gitlab.dialect import Dialect
from glboard_core.gitlab.graphql import About, FieldMissing, QueryRunner, group_missing, server_of
from glboard_core.gitlab.http import Transport
from glboard_core.gitlab.own_token import TokenSelf
from glboard_core.gitlab.wire import OfGroup, Page, Permissions
from glboard_core.model import clean_text
from glboard_core.model.catalog import Person, Server
from glboard_core.model.query import Found

#: Projects of which the role is asked: one page.
MOST_PROJECTS = 100


class TokenFacts(TokenSelf, frozen=True):
    """What GitLab tells of a personal access token. ``expires_at`` is its last day; None for none."""

    expires_at: date | None = None

    @property
    def shown_scopes(self) -> tuple[str, ...]:
        """The scopes, to be shown: no token has more or longer ones."""
        return tuple(clean_text.line(scope)[:40] for scope in self.scopes[:20])


class _Level(Struct, frozen=True, rename="camel"):
    """An access level."""

    integer_value: int | None = None


class RoleInProject(Struct, frozen=True, rename="camel"):
    """Our role in a project, as GitLab's number; None where it does not tell."""

    full_path: Address
    archived: bool | None = None
    max_access_level: _Level | None = None
    user_permissions: Permissions = Permissions()

    @property
    def path(self) -> str:
        """The full path, to be shown."""
        return clean_text.line(self.full_path)

    @property
    def level(self) -> int | None:
        """GitLab's number of the role."""
        return self.max_access_level.integer_value if self.max_access_level is not None else None

    @property
    def can_edit(self) -> bool:
        """Whether we can change the issues there."""
        return bool(self.user_permissions.may_edit)


class _Projects(Struct, frozen=True):
    """A group, or the whole server: only its projects are asked for."""

    projects: Page[RoleInProject] | None = None


class Inspection:
    """Asks one server, over a connection that belongs to somebody else."""

    def __init__(self, transport: Transport, server: Server | None = None) -> None:
        self._transport = transport
        self._runner = QueryRunner(transport, server)

    async def token(self) -> TokenFacts:
        """The token. Raises what asking raises."""
        raw = await self._transport.get("/api/v4/personal_access_tokens/self")
        try:
            return msgspec.json.decode(raw, type=TokenFacts)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            pass
        raise not_json(self._transport.account.host)

    async def about(self) -> tuple[Server, Person]:
        """Version and edition, and who we are. Raises what asking raises."""
        answer = await self._runner.ask(name_queries.ABOUT, {}, About)
        server = server_of(answer, self._transport.account.host)
        assert answer.current_user is not None  # server_of has seen to that
        return server, decode.person(answer.current_user)

    async def roles(self, group: str, projects: Sequence[str] = ()) -> Found[RoleInProject]:
        """Our role in these projects, or in a page of the group's projects. Raises what asking raises."""
        dialect = await self._runner.dialect()
        try:
            return await self._roles(dialect, group, projects)
        except FieldMissing:
            return await self._roles(structs.replace(dialect, modern=False), group, projects)

    async def _roles(self, dialect: Dialect, group: str, projects: Sequence[str]) -> Found[RoleInProject]:
        document = name_queries.roles(dialect, named=bool(projects))
        if projects:
            variables: dict[str, object] = {"paths": list(projects[:MOST_PROJECTS])}
            page = (await self._runner.ask(document, variables, _Projects)).projects
            more = len(projects) > MOST_PROJECTS
        else:
            answer = await self._runner.ask(document, {"path": group}, OfGroup[_Projects])
            if answer.group is None:
                raise group_missing(group, self._transport.account.host)
            page = answer.group.projects
            more = page is not None and page.page_info.has_next_page
        rows = page.items() if page is not None else []
        return Found(tuple(one for one in rows if not one.archived), more)
