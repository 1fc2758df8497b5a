"""The examination: runs all checks, in the order in which one needs the other, with few requests.

What a failure makes impossible is skipped, with the reason. It writes nothing: neither to the server nor to
the state file.
"""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from contextlib import suppress
from datetime import date, datetime
from pathlib import Path

from msgspec import Struct, structs

from glboard_core.auth import oauth
from glboard_core.auth.search import find_account, find_address
from glboard_core.board.names_needed import catalog_names
from glboard_core.config import Settings
from glboard_core.doctor import group, machine
from glboard_core.doctor import server as on_server
from glboard_core.doctor.checks import CHECKS, Checks, Diagnosis
from glboard_core.errors import (
    AuthError,
    ConfigError,
    GlboardError,
    GroupNotFound,
    NotGitLab,
    QueryRefused,
    TokenMissing,
    UsageError,
)
from glboard_core.gitlab.account import Account, find_group
from glboard_core.gitlab.gateway import GitLabGateway
from glboard_core.gitlab.http import Limits
from glboard_core.gitlab.inspection import Inspection, TokenFacts
from glboard_core.model.catalog import Catalog
from glboard_core.model.catalog_needs import Needs
from glboard_core.model.query import IssueQuery
from glboard_core.store.peek import StateFacts

#: A person waits, and "try again" is for them to decide.
LIMITS = Limits(connect=5.0, read=20.0, total=25.0, patience=25.0, attempts=2)

_GROUP = [check for check, (area, _) in CHECKS.items() if area == "Group"]
_SERVER = [check for check, (area, _) in CHECKS.items() if area == "Server"]


class Patient(Struct, frozen=True, kw_only=True):
    """What is examined: which configuration (None if there is none to read), server and group."""

    config: Path | None
    url: str | None = None
    group: str | None = None
    allow_http: bool = False
    folder: Path | None = None
    #: The team's file; None if it is not looked at.
    team: Path | None = None
    #: The time that is taken for now where milestones are concerned; by default the server's.
    as_of: datetime | None = None
    #: Whether only the names of the group are checked.
    only_names: bool = False


async def examine(patient: Patient, checks: Checks, limits: Limits = LIMITS) -> Diagnosis:
    """Run all checks but those of the terminal, which ``checks`` has already."""
    settings = machine.check_config(checks, patient.config).settings
    machine.check_team(checks, patient.team)
    machine.check_disk(checks, patient.folder)
    if patient.allow_http:
        settings = structs.replace(settings, gitlab=structs.replace(settings.gitlab, allow_http=True))
    group = _group(checks, patient, settings)
    requests = 0
    if (account := _account(checks, patient, settings)) is not None:
        machine.check_route(checks, account)
        _, source = find_address(patient.url, settings.gitlab)
        visit = _Visit(checks, account, source, settings, group, patient, limits)
        requests = await visit.run()
    machine.check_log(checks, machine.now())
    return checks.diagnosis(requests)


def _group(checks: Checks, patient: Patient, settings: Settings) -> str:
    try:
        return find_group(patient.group, configured=settings.gitlab.group)
    except UsageError as error:
        checks.refused("group", error)
        checks.skip([*_GROUP, "mirror", "changes"], "No group given.")
        return ""


def _account(checks: Checks, patient: Patient, settings: Settings) -> Account | None:
    """The server and token; None if there is none that can be used."""
    why = "No token."
    try:
        return find_account(patient.url, settings.gitlab)
    except TokenMissing as error:
        checks.refused("token", error)
        try:
            address, source = find_address(patient.url, settings.gitlab)
            checks.skip(
                ["address"], f"{address}{f', by {source}' if source else ''}: not contacted without a token."
            )
        except ConfigError as wrong:
            checks.refused("address", wrong)
    except ConfigError as error:
        words = ("token", "sign-ins")
        about_token = any(one in error.message for one in words) and "not encrypted" not in error.message
        checks.refused("token" if about_token else "address", error)
        why = "The server was not contacted."
    checks.skip([*_SERVER, *_GROUP, "mirror", "changes"], why)
    return None


def _why_skipped(error: GlboardError) -> str:
    """Why there is nothing more to ask after an error."""
    if isinstance(error, GroupNotFound):
        return "The group was not found."
    if isinstance(error, AuthError):
        return "The token cannot be used."
    why = error.title if error.title.isupper() or isinstance(error, NotGitLab) else error.title.lower()
    return f"Cannot reach the server: {why}."


class _Visit:
    """The questions to one server."""

    def __init__(
        self,
        checks: Checks,
        account: Account,
        source: str,
        settings: Settings,
        group: str,
        patient: Patient,
        limits: Limits,
    ) -> None:
        self._checks = checks
        self._account = account
        self._source = source
        self._settings = settings
        self._group = group
        self._patient = patient
        self._gateway = GitLabGateway(account, group or "-", limits=limits)
        self._asking = Inspection(self._gateway.transport)

    async def run(self) -> int:
        """Ask everything; returns the number of requests."""
        checks, gateway = self._checks, self._gateway
        try:
            await self._ask()
        except GlboardError as error:
            on_server.check_failure(checks, error)
            checks.skip([*_SERVER, *_GROUP], _why_skipped(error))
        finally:
            await gateway.close()
        if gateway.transport.remaining is not None or gateway.knows_time:
            on_server.check_answers(checks, gateway.transport, machine.now())
        if self._group:
            self._state()
        return sum(gateway.requests.values())

    async def _ask(self) -> None:
        checks = self._checks
        token = await self._token()
        today = self._gateway.now().date()
        if token is not None:
            on_server.check_reached(checks, self._account, self._source)
        if token is not None and token.can_write is False and "read_api" not in token.scopes:
            # GraphQL would only say that the token is invalid.
            on_server.check_token(checks, self._account, token, "", today)
            checks.skip([*_SERVER, *_GROUP], "The token cannot use the API.")
            return
        if not self._group:
            server, me = await self._asking.about()
            on_server.check_reached(checks, self._account, self._source)
            on_server.check_token(checks, self._account, token, me.username, today)
            on_server.check_server(checks, server, licence_known=False)
            checks.skip(["tier"], "No group given.")
            return
        wanted = catalog_names(self._settings, self._today(), token=False)
        try:
            catalog = await self._gateway.catalog(wanted)
        except GroupNotFound:
            on_server.check_token(checks, self._account, token, "", today)
            raise
        on_server.check_reached(checks, self._account, self._source)
        rights = structs.replace(
            catalog.server,
            can_write=token.can_write if token else None,
            fine_grained=token.fine_grained if token else False,
        )
        catalog = structs.replace(catalog, server=rights)
        on_server.check_token(checks, self._account, token, catalog.me.username, today)
        on_server.check_server(checks, catalog.server, licence_known=True)
        checks.ok("group", f"{catalog.group} exists, and the token has access.", path=catalog.group)
        await self._names(catalog)

    async def _token(self) -> TokenFacts | None:
        """What is told of the token; None if that is nothing. Raises what makes further questions useless."""
        try:
            if self._account.kind == "oauth":
                told = await oauth.info(self._gateway.transport)
                return TokenFacts(scopes=list(told.scope))
            return await self._asking.token()
        except (AuthError, NotGitLab):
            # A token that is none of a person is not known there; the next question tells.
            return None

    async def _names(self, catalog: Catalog) -> None:
        checks, settings = self._checks, self._settings
        today = self._today()
        missing = catalog_names(settings, today).missing(catalog)
        needs = Needs(below=missing.below, near_milestones=missing.near_milestones)
        # Without near matches it is still known what is missing.
        with suppress(QueryRefused):
            catalog = await self._gateway.extend_catalog(catalog, needs)
            catalog = await self._with_places(catalog, group.missing_labels(settings, catalog, today))
        group.check_labels(checks, settings, catalog, today)
        group.check_milestones(checks, settings, catalog, today)
        group.check_boards(checks, settings, catalog, today)
        if self._patient.only_names:
            return
        await self._guarded("roles", self._roles(catalog))
        await self._guarded("flow", self._flow(catalog))

    async def _with_places(self, catalog: Catalog, titles: Sequence[str]) -> Catalog:
        """The catalog with those of these labels that issues below the group have: GitLab does not tell
        where a label is, but issues do."""
        queries = [IssueQuery(labels=(title,), order="updated") for title in titles]
        counts = await self._gateway.count(queries) if queries else ()
        there = [query for query, count in zip(queries, counts, strict=True) if count]
        for query in there[: group.MOST_NEAR]:
            issues, _ = await self._gateway.page(query, None)
            read = {one.id for one in issues}
            catalog = self._gateway.learned(catalog, read.__contains__)
        return catalog

    async def _guarded(self, check: str, asking: Awaitable[None]) -> None:
        """What one question lacks is told of it, and stops no other."""
        try:
            await asking
        except GlboardError as error:
            self._checks.refused(check, error)

    async def _roles(self, catalog: Catalog) -> None:
        state = self._state()
        asking = Inspection(self._gateway.transport, catalog.server)
        found = await asking.roles(catalog.group, state.projects if state else ())
        group.check_roles(self._checks, found)

    async def _flow(self, catalog: Catalog) -> None:
        label = self._settings.labels.group
        query = IssueQuery(labels=(label,) if label else (), state="opened", order="updated")
        issues, _ = await self._gateway.page(query, None)
        group.check_flow(self._checks, self._settings, issues)

    def _today(self) -> date:
        return (self._patient.as_of or self._gateway.now()).date()

    def _state(self) -> StateFacts | None:
        url, folder = self._account.url, self._patient.folder
        return machine.check_state(self._checks, url, self._group, machine.now(), folder)
