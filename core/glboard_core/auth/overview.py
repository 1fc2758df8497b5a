"""All accounts that there are on this machine, of every source, and which of them is used and why.

Owns the list and its order; asking the servers about them is ``checked``. Nothing is changed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Literal

from msgspec import Struct, structs

from glboard_core import logfile
from glboard_core.auth import keyring_access
from glboard_core.auth.keyring_access import KeyringUnusable
from glboard_core.auth.private_files import exposed_advice
from glboard_core.auth.search import TOKEN_NAMES, Search, sendable
from glboard_core.auth.sources import GlabHost
from glboard_core.auth.token_check import check_over, unusable
from glboard_core.config import GitLabSettings
from glboard_core.errors import ConnectionFailed, GlboardError, TokenMissing
from glboard_core.gitlab.account import DEFAULT_URL, Account, Kind, Secret, host_of, is_loopback
from glboard_core.gitlab.http import Transport

Origin = Literal["environment", "glboard", "glab", "python-gitlab", "netrc"]
State = Literal["ok", "problem", "unknown"]


class FoundAccount(Struct, frozen=True, kw_only=True):
    """An account in one place. ``place`` names that; ``account`` is None if there is no token to be used.

    ``state`` is "unknown" until the server was asked; ``message`` and ``hint`` say what a problem is. With
    ``renewed``, ``expires`` is only the end of the present token.
    """

    origin: Origin
    place: str
    url: str
    user: str = ""
    name: str = ""
    kind: Kind = "token"
    scopes: tuple[str, ...] = ()
    expires: date | None = None
    renewed: bool = False
    state: State = "unknown"
    message: str = ""
    hint: str = ""
    used: bool = False
    account: Account | None = None

    @property
    def host(self) -> str:
        """Host and port, as shown."""
        return host_of(self.url)


class Overview(Struct, frozen=True, kw_only=True):
    """All accounts. ``address`` is the server that is used, by what ``named_by`` says; ``missing`` is set if
    there is no token for it."""

    address: str
    named_by: str
    accounts: tuple[FoundAccount, ...]
    missing: TokenMissing | None = None

    @property
    def used(self) -> FoundAccount | None:
        """The account that is used."""
        return next((one for one in self.accounts if one.used), None)


def overview(
    url: str | None = None,
    settings: GitLabSettings | None = None,
    *,
    helpers: bool = True,
    env: Mapping[str, str] | None = None,
    home: Path | None = None,
) -> Overview:
    """All accounts, in the order in which they are taken. Without ``helpers``, programs that python-gitlab's
    file names as helpers are not run.

    Raises ConfigError for an address that is none.
    """
    settings = settings or GitLabSettings()
    search = Search(settings, env=env, home=home)
    address, named_by = search.address(url)
    found: list[FoundAccount] = []
    sources: tuple[tuple[Origin, Callable[[], Iterator[FoundAccount]]], ...] = (
        ("environment", lambda: _of_environment(search, address)),
        ("glboard", lambda: _of_store(search)),
        ("glab", lambda: _of_glab(search)),
        ("python-gitlab", lambda: _of_python_gitlab(search, helpers=helpers)),
        ("netrc", lambda: _of_netrc(search, address)),
    )
    for origin, listed in sources:
        try:
            found += listed()
        except (GlboardError, OSError) as error:
            told = (
                error
                if isinstance(error, GlboardError)
                else GlboardError(f"{error.filename}: {error.strerror}.", hint="Check its owner and mode.")
            )
            found.append(_broken(origin, address or DEFAULT_URL, told))
    missing: TokenMissing | None = None
    try:
        used = search.run(url)
    except TokenMissing as error:
        missing = error
    except GlboardError:
        pass  # told with its source
    else:
        address = used.url
        first = next((one for one in found if _is(one, used)), None)
        found = [structs.replace(one, used=one is first) for one in found]
    found = [_protected(one, settings) for one in found]
    return Overview(address=address or DEFAULT_URL, named_by=named_by, accounts=tuple(found), missing=missing)


async def checked(accounts: Sequence[FoundAccount]) -> list[FoundAccount]:
    """The accounts, with what their servers tell of them; all are asked at the same time."""
    return list(await asyncio.gather(*map(_checked, accounts)))


async def _checked(one: FoundAccount) -> FoundAccount:
    if one.account is None or one.state == "problem":
        return one
    transport = Transport(one.account)
    try:
        info = await check_over(transport, kind=one.kind)
    except GlboardError as error:
        # A server that cannot be reached says nothing of a token.
        state: State = "unknown" if isinstance(error, ConnectionFailed) else "problem"
        return structs.replace(one, state=state, message=error.message, hint=error.hint)
    finally:
        await transport.close()
    told = structs.replace(
        one,
        state="ok",
        user=info.username or one.user,
        name=info.name,
        kind=info.kind,
        scopes=info.scopes,
        expires=info.expires_on,
    )
    if (problem := unusable(info, one.host)) is not None:
        return structs.replace(told, state="problem", message=problem.message, hint=problem.hint)
    return told


def _is(one: FoundAccount, used: Account) -> bool:
    account = one.account
    if account is None:
        return False
    return (account.source, account.host, account.user) == (used.source, used.host, used.user)


def _protected(one: FoundAccount, settings: GitLabSettings) -> FoundAccount:
    """The account without one that cannot be sent, and why."""
    if one.account is None:
        return one
    try:
        account = sendable(one.account, allow_http=settings.allow_http)
    except GlboardError as error:
        return structs.replace(one, account=None, state="problem", message=error.message, hint=error.hint)
    return structs.replace(one, account=account)


def _broken(origin: Origin, url: str, error: GlboardError) -> FoundAccount:
    return FoundAccount(
        origin=origin, place="", url=url, state="problem", message=error.message, hint=error.hint
    )


def _of_environment(search: Search, address: str) -> Iterator[FoundAccount]:
    url = address or DEFAULT_URL
    for name, kind in TOKEN_NAMES:
        if text := search.env.get(name, "").strip():
            account = search.trusted(Account(url=url, token=Secret(text), kind=kind, source=name))
            yield FoundAccount(origin="environment", place=name, url=url, kind=kind, account=account)


def _of_store(search: Search) -> Iterator[FoundAccount]:
    for stored in search.store.accounts():
        account = search.stored(stored)
        ends = stored.expires_at.date() if stored.expires_at else None
        yield FoundAccount(
            origin="glboard",
            place=account.source,
            url=stored.url,
            user=stored.user,
            name=stored.name,
            kind=stored.kind,
            scopes=stored.scopes,
            expires=stored.expires_on or ends,
            renewed=stored.kind == "oauth",
            account=account,
        )


def _of_glab(search: Search) -> Iterator[FoundAccount]:
    if (file := search.glab.file) is None:
        return
    for entry in search.glab.hosts:
        found = FoundAccount(
            origin="glab",
            place=logfile.short(file),
            url=entry.url,
            user=entry.user,
            kind=entry.kind,
            expires=entry.expires.date() if entry.expires else None,
        )
        token, source = entry.token, str(file)
        if token is None:
            source = f"the keyring ({entry.service})"
            try:
                token = search.glab.from_keyring(entry)
            except KeyringUnusable as problem:
                text = f"Cannot read the keyring: {problem}."
                hint = "Unlock it, or check it with: glab auth status"
                if not keyring_access.is_installed():
                    hint = f"Install the package: {keyring_access.install_command()}"
                yield structs.replace(found, place=source, state="problem", message=text, hint=hint)
                continue
            found = structs.replace(found, place=source if token else found.place)
        yield _with_token(search, found, entry, token, source)


def _with_token(
    search: Search, found: FoundAccount, entry: GlabHost, token: Secret | None, source: str
) -> FoundAccount:
    if token is None:
        text = "No token for this host."
        return structs.replace(found, state="problem", message=text, hint="Run: glab auth login")
    if entry.expired(datetime.now(UTC)):
        text = "The sign-in expired, and only glab can renew it."
        return structs.replace(found, state="problem", message=text, hint="Run: glab auth status")
    account = Account(url=entry.url, token=token, kind=entry.kind, source=source, user=entry.user)
    return structs.replace(found, account=search.trusted(account))


def _of_python_gitlab(search: Search, *, helpers: bool) -> Iterator[FoundAccount]:
    for section, url in search.python_gitlab.sections.items():
        file = search.python_gitlab.files[-1]
        found = FoundAccount(
            origin="python-gitlab", place=f"{logfile.short(file)}, section {section}", url=url
        )
        if not helpers and search.python_gitlab.has_helper(section):
            yield structs.replace(
                found, message="The token comes from a helper program, which glboard does not run."
            )
            continue
        try:
            read = search.python_gitlab.read(section)
        except GlboardError as error:
            yield structs.replace(found, state="problem", message=error.message, hint=error.hint)
            continue
        if read.token is None:
            text = "No token that works with GraphQL."
            hint = "Use private_token or oauth_token there, or run: glboard auth login"
            yield structs.replace(found, state="problem", message=text, hint=hint)
            continue
        account = Account(url=url, token=read.token, kind=read.kind, source=str(file), exposed=read.exposed)
        text = exposed_advice(read.exposed) if read.exposed else ""
        yield structs.replace(found, kind=read.kind, account=search.trusted(account), message=text)


def _of_netrc(search: Search, address: str) -> Iterator[FoundAccount]:
    """The machine of the server that is used: the others of the file are none of our business."""
    url = address or DEFAULT_URL
    entry = search.netrc.entry(url)
    file = search.netrc.file
    if entry is None or file is None:
        return
    if url.startswith("http://") and not is_loopback(entry.machine):
        return
    account = search.trusted(Account(url=url, token=entry.token, source=str(file)))
    yield FoundAccount(origin="netrc", place=logfile.short(file), url=url, account=account)
