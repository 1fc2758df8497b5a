"""OAuth tokens are renewed while in use: in time, after a rejection, and by one of several processes."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from glboard_core.auth import private_files, renewal
from glboard_core.auth.credential import OAuthCredential, TokenCredential
from glboard_core.auth.renewal import StoredToken, renew
from glboard_core.auth.search import server_at
from glboard_core.auth.store import CredentialStore, StoredAccount
from glboard_core.board.names_needed import catalog_names
from glboard_core.config import Settings
from glboard_core.demo.http.oauth import CLIENT_ID
from glboard_core.demo.http.server import DemoServer
from glboard_core.errors import ConnectionFailed, StoreFailed, TokenMissing, TokenRejected
from glboard_core.gitlab.account import Account, Secret
from glboard_core.gitlab.gateway import GitLabGateway
from glboard_core.gitlab.http import WHO, Transport
from support.engines import QUICK, eventually

Connect = Callable[[StoredAccount], Transport]


def signed_in(
    server: DemoServer, store: CredentialStore, life: float = 7200, scope: str = "api"
) -> StoredAccount:
    """A sign-in as the owner, kept in the file."""
    server.oauth.life = life
    pair = server.oauth.grant(CLIENT_ID, server.world.owner, scope)
    credential = OAuthCredential(
        access=Secret(pair["access_token"]),
        refresh=Secret(pair["refresh_token"]),
        client_id=CLIENT_ID,
        scopes=(scope,),
        expires_at=datetime.now(UTC) + timedelta(seconds=life),
        lifetime=life,
    )
    return store.save(server.url, server.world.owner.username, credential, keyring=False)


@pytest.fixture
async def connect(store: CredentialStore, place: Account) -> AsyncIterator[Connect]:
    """Opens connections with a sign-in, closed at the end."""
    opened: list[Transport] = []

    def one(account: StoredAccount) -> Transport:
        tokens = StoredToken(store, account, place)
        opened.append(Transport(structs.replace(place, kind="oauth", tokens=tokens), QUICK))
        return opened[-1]

    yield one
    for each in opened:
        await each.close()


def renewals(server: DemoServer) -> int:
    return len(server.requests.of("POST /oauth/token"))


async def test_a_token_that_ends_soon_is_renewed_first(
    server: DemoServer, store: CredentialStore, connect: Connect
) -> None:
    account = signed_in(server, store, life=0.5)
    before = store.load(account)
    assert isinstance(before, OAuthCredential)
    server.oauth.life = 7200
    one = connect(account)
    await eventually(lambda: before.is_due(datetime.now(UTC)))
    assert b"em_willow" in await one.get(WHO)
    await one.get(WHO)
    assert renewals(server) == 1
    # Nothing was rejected for it, and the new pair is on disk.
    assert {one.status for one in server.requests} == {200}
    after = store.load(account)
    assert isinstance(after, OAuthCredential)
    assert after.access != before.access
    assert after.refresh != before.refresh


async def test_hours_on_one_connection(server: DemoServer, store: CredentialStore, connect: Connect) -> None:
    account = signed_in(server, store)
    one = connect(account)
    for hour in range(9):
        assert b"em_willow" in await one.get(WHO)
        assert b"currentUser" in await one.read(b'{"query": "{ currentUser { username } }"}')
        # This machine's clock stands still meanwhile: the server's rejection tells.
        server.world.clock.advance(3600)
        assert renewals(server) == hour // 2


async def test_a_change_is_sent_once_more_after_a_rejection(
    server: DemoServer, store: CredentialStore, connect: Connect
) -> None:
    account = signed_in(server, store)
    server.world.clock.advance(7201)
    one = connect(account)
    mutation = 'mutation { createNote(input: {noteableId: "gid://gitlab/Issue/1", body: "x"}) { errors } }'
    asked = json.dumps({"query": mutation}).encode()
    assert isinstance(await one.write(asked), bytes)
    assert [record.status for record in server.requests.of("createNote")] == [401, 200]


async def test_many_requests_at_once_renew_once(
    server: DemoServer, store: CredentialStore, connect: Connect
) -> None:
    account = signed_in(server, store)
    server.world.clock.advance(7201)
    one = connect(account)
    found = await asyncio.gather(*(one.get(WHO) for _ in range(8)))
    assert all(b"em_willow" in each for each in found)
    assert renewals(server) == 1


async def test_what_another_process_renewed_is_taken_from_the_store(
    server: DemoServer, store: CredentialStore, connect: Connect
) -> None:
    account = signed_in(server, store)
    one, other = connect(account), connect(account)
    for each in (one, other):
        await each.get(WHO)
    server.world.clock.advance(7201)
    await one.get(WHO)
    await other.get(WHO)
    assert renewals(server) == 1


async def test_a_refused_renewal_says_to_sign_in_again(
    server: DemoServer, store: CredentialStore, connect: Connect
) -> None:
    account = signed_in(server, store)
    one = connect(account)
    await one.get(WHO)
    for pair in server.oauth._pairs:
        server.oauth._end(pair)
    for _ in range(3):
        with pytest.raises(TokenRejected, match="has expired") as caught:
            await one.read(b'{"query": "{ currentUser { username } }"}')
        assert caught.value.hint.startswith("Sign in again: glboard auth login. Unsent changes are kept")
    # It does not ask again and again.
    assert renewals(server) == 1
    # Whoever signs in again in another terminal goes on here.
    signed_in(server, store)
    assert b"em_willow" in await one.get(WHO)


async def test_the_lost_answer_of_a_renewal_ends_the_sign_in_and_says_so(
    server: DemoServer, store: CredentialStore, connect: Connect
) -> None:
    account = signed_in(server, store)
    server.world.clock.advance(7201)
    server.faults.next("reset-after", "/oauth/token")
    one = connect(account)
    with pytest.raises(TokenRejected, match="the connection was lost while it was being renewed") as caught:
        await one.get(WHO)
    assert "glboard auth login. Unsent changes are kept" in caught.value.hint
    # The old refresh token was tried again: the first request might not have arrived.
    assert renewals(server) == 2


async def test_what_a_process_saved_meanwhile_saves_a_refused_renewal(
    server: DemoServer, store: CredentialStore, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where locks do not work, another process can be first: its pair is the one to use."""
    account = signed_in(server, store)
    server.world.clock.advance(7201)
    first = store.load(account)
    asked = renewal._ask

    async def late(*given: Any) -> OAuthCredential:
        # The other process asks and saves between our look into the store and our request.
        monkeypatch.setattr(renewal, "_ask", asked)
        store.update(account, await asked(*given))
        return await asked(*given)

    monkeypatch.setattr(renewal, "_ask", late)
    one = connect(account)
    assert b"em_willow" in await one.get(WHO)
    assert renewals(server) == 2
    assert store.load(account) != first


async def test_nothing_is_renewed_that_cannot_be_kept(
    server: DemoServer, store: CredentialStore, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk, or a folder that cannot be written: the old pair stays good for later."""
    account = signed_in(server, store)
    server.world.clock.advance(7201)
    replace = private_files.replace

    def full(path: Path, content: bytes) -> None:
        raise StoreFailed(f"{path} cannot be written: No space left on device.", hint="Make room.")

    monkeypatch.setattr(private_files, "replace", full)
    one = connect(account)
    with pytest.raises(StoreFailed, match="No space left"):
        await one.get(WHO)
    assert renewals(server) == 0
    monkeypatch.setattr(private_files, "replace", replace)
    assert b"em_willow" in await one.get(WHO)
    assert renewals(server) == 1


async def test_a_renewal_without_connection_loses_nothing(
    server: DemoServer, store: CredentialStore, connect: Connect
) -> None:
    account = signed_in(server, store)
    server.world.clock.advance(7201)
    server.faults.next("502", "/oauth/token", times=30)
    one = connect(account)
    with pytest.raises(ConnectionFailed):
        await one.get(WHO)
    server.faults.clear()
    assert b"em_willow" in await one.get(WHO)


async def test_a_cancelled_request_loses_no_renewal(
    server: DemoServer, store: CredentialStore, connect: Connect
) -> None:
    account = signed_in(server, store)
    server.world.clock.advance(7201)
    server.faults.slow_seconds = 0.3
    server.faults.next("slow", "/oauth/token")
    one = connect(account)
    asking = asyncio.ensure_future(one.get(WHO))
    await eventually(lambda: renewals(server) > 0)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert b"em_willow" in await one.get(WHO)
    assert renewals(server) == 1


async def test_a_rotated_token_is_taken_from_the_store(
    server: DemoServer, store: CredentialStore, place: Account
) -> None:
    user = server.world.owner.username
    account = store.save(server.url, user, TokenCredential(secret=Secret(server.token)), keyring=False)
    tokens = StoredToken(store, account, place)
    one = Transport(structs.replace(place, tokens=tokens), QUICK)
    await one.get(WHO)
    server.revoke(server.token)
    with pytest.raises(TokenRejected, match="revoked"):
        await one.get(WHO)
    fresh = server.token_for(user)
    store.save(server.url, user, TokenCredential(secret=Secret(fresh)), keyring=False)
    assert b"em_willow" in await one.get(WHO)
    await one.close()


@pytest.mark.parametrize(("scope", "writes"), [("api", True), ("read_api", False)])
async def test_the_board_knows_whether_a_sign_in_can_write(
    server: DemoServer, store: CredentialStore, place: Account, scope: str, writes: bool
) -> None:
    account = signed_in(server, store, scope=scope)
    tokens = StoredToken(store, account, place)
    gateway = GitLabGateway(structs.replace(place, kind="oauth", tokens=tokens), "top", limits=QUICK)
    read = await gateway.sign_in(catalog_names(Settings(), datetime.now(UTC).date()))
    assert read.server.can_write is writes
    # Who it is to others stays the same over renewals.
    mark = gateway.token_mark
    await asyncio.to_thread(renew, store, account, place)
    assert gateway.token_mark == mark
    assert not [one for one in server.requests if one.status >= 400]
    await gateway.close()


async def test_a_personal_token_is_not_renewed(
    server: DemoServer, store: CredentialStore, place: Account
) -> None:
    account = store.save(server.url, "me", TokenCredential(secret=Secret(server.token)), keyring=False)
    with pytest.raises(TokenRejected, match="personal access token"):
        await asyncio.to_thread(renew, store, account, place)


async def test_signed_out_meanwhile(server: DemoServer, store: CredentialStore, connect: Connect) -> None:
    account = signed_in(server, store)
    one = connect(account)
    await one.get(WHO)
    store.delete(account)
    server.world.clock.advance(7201)
    with pytest.raises(TokenMissing, match="Signed out"):
        await one.get(WHO)


PROGRAM = """
import asyncio, json, sys
from pathlib import Path
from glboard_core.auth.renewal import StoredToken
from glboard_core.auth.search import server_at
from glboard_core.auth.store import CredentialStore
from glboard_core.gitlab.gateway import GitLabGateway
from glboard_core.gitlab.http import WHO, Transport
from msgspec import structs
url, folder = sys.argv[1:3]
store = CredentialStore(Path(folder))
place = server_at(url)
async def main():
    tokens = StoredToken(store, store.find(url), place)
    transport = Transport(structs.replace(place, kind="oauth", tokens=tokens))
    for _ in range(int(sys.argv[3])):
        user = json.loads(await transport.get(WHO))["username"]
    await transport.close()
    print(user)
sys.stdin.readline()
asyncio.run(main())
"""


def started(server: DemoServer, store: CredentialStore, requests: int) -> subprocess.Popen[str]:
    """A process that sends so many requests once it is told to."""
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, server.url, str(store.path.parent), str(requests)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


async def said(running: list[subprocess.Popen[str]]) -> list[str]:
    """Tell processes to go on at the same time; what each prints at its end."""
    for one in running:
        assert one.stdin is not None
        one.stdin.write("go\n")
        one.stdin.flush()
    return [(await asyncio.to_thread(one.communicate))[0] for one in running]


async def test_two_processes_at_the_same_time(server: DemoServer, store: CredentialStore) -> None:
    account = signed_in(server, store)
    server.world.clock.advance(7201)
    # The first renewal takes a while: the other process comes in the middle of it.
    server.faults.slow_seconds = 0.3
    server.faults.next("slow", "/oauth/token")
    assert await said([started(server, store, 10) for _ in range(2)]) == ["em_willow\n"] * 2
    assert renewals(server) == 1
    assert isinstance(store.load(account), OAuthCredential)
    assert json.loads(store.path.read_bytes())["accounts"]


@pytest.mark.slow
async def test_many_processes_renew_for_a_while_on_a_bad_connection(
    server: DemoServer, store: CredentialStore
) -> None:
    account = signed_in(server, store, life=0.5)
    server.faults.slow_seconds = 0.1
    # Only an answer that is lost ends a sign-in, so there is none.
    for skip, kind in enumerate(("502", "slow", "reset-before", "503", "slow", "502") * 3):
        server.faults.next(kind, "/oauth/token", skip=2 * skip)
    assert await said([started(server, store, 150) for _ in range(4)]) == ["em_willow\n"] * 4
    assert renewals(server) >= 2
    found = store.load(account)
    assert isinstance(found, OAuthCredential)
    assert await asyncio.to_thread(renew, store, account, server_at(server.url))
    # Every refresh token that was asked with was good.
    assert not [one for one in server.requests.of("POST /oauth/token") if one.status == 400]
