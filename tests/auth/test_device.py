"""Signing in with a device code: approved, denied, too late, too often, and on a bad connection."""

from __future__ import annotations

import asyncio

import pytest

from glboard_core.auth.device import DeviceSignIn
from glboard_core.auth.search import server_at
from glboard_core.auth.token_check import check
from glboard_core.demo.http.oauth import CLIENT_ID, Application
from glboard_core.demo.http.server import DemoServer
from glboard_core.errors import AuthError, Offline
from glboard_core.gitlab.account import Account
from support.engines import build_world, eventually


async def test_a_code_that_is_approved(server: DemoServer, place: Account) -> None:
    signing_in = DeviceSignIn(place, CLIENT_ID)
    code = await signing_in.start()
    assert code.verification_uri == f"{server.url}/oauth/device"
    assert code.verification_uri_complete == f"{server.url}/oauth/device?user_code={code.user_code}"
    assert server.oauth.waiting() == [code.user_code]
    server.oauth.decide(code.user_code)
    credential = await signing_in.wait()
    assert (credential.scopes, credential.lifetime) == (("api",), 7200)
    info = await check(place, credential.access, kind="oauth")
    assert (info.username, info.scopes, info.kind) == (server.world.owner.username, ("api",), "oauth")
    assert info.can_write
    # A code is good once.
    with pytest.raises(AuthError, match="no longer recognizes"):
        await signing_in.wait()


async def test_it_waits_until_the_code_is_approved(server: DemoServer, place: Account) -> None:
    signing_in = DeviceSignIn(place, CLIENT_ID, scope="read_api")
    code = await signing_in.start()
    waiting = asyncio.ensure_future(signing_in.wait())
    await eventually(lambda: len(server.requests.of("POST /oauth/token")) >= 2)
    server.oauth.decide(code.user_code)
    credential = await waiting
    assert credential.scopes == ("read_api",)
    assert not (await check(place, credential.access, kind="oauth")).can_write


async def test_it_asks_more_slowly_when_told_so(server: DemoServer, place: Account) -> None:
    signing_in = DeviceSignIn(place, CLIENT_ID, slower_by=0.2)
    code = await signing_in.start()
    # Now every question in less than 0.2 s is too early.
    server.oauth.interval = 0.2
    waiting = asyncio.ensure_future(signing_in.wait())
    await eventually(lambda: len(server.requests.of("POST /oauth/token")) >= 2)
    server.oauth.decide(code.user_code)
    assert (await waiting).access
    # The second was too early, and the third was not.
    assert len(server.requests.of("POST /oauth/token")) == 3


async def test_a_code_that_is_denied(server: DemoServer, place: Account) -> None:
    signing_in = DeviceSignIn(place, CLIENT_ID)
    code = await signing_in.start()
    server.oauth.decide(code.user_code, approved=False)
    with pytest.raises(AuthError, match="denied"):
        await signing_in.wait()


async def test_a_code_that_no_one_approves_in_time(server: DemoServer, place: Account) -> None:
    signing_in = DeviceSignIn(place, CLIENT_ID)
    await signing_in.start()
    server.world.clock.advance(301)
    with pytest.raises(AuthError, match="expired before it was approved"):
        await signing_in.wait()


@pytest.mark.parametrize("fault", ["reset-before", "502", "503"])
async def test_a_connection_that_is_lost_for_a_moment_ends_no_sign_in(
    server: DemoServer, place: Account, fault: str
) -> None:
    signing_in = DeviceSignIn(place, CLIENT_ID)
    code = await signing_in.start()
    server.oauth.decide(code.user_code)
    server.faults.next(fault, "/oauth/token", times=2)
    assert (await signing_in.wait()).access


async def test_an_answer_that_is_lost_is_not_asked_for_twice(server: DemoServer, place: Account) -> None:
    signing_in = DeviceSignIn(place, CLIENT_ID)
    code = await signing_in.start()
    server.oauth.decide(code.user_code)
    server.faults.next("reset-after", "/oauth/token")
    with pytest.raises(AuthError, match="no longer recognizes") as caught:
        await signing_in.wait()
    assert "glboard auth login" in caught.value.hint


@pytest.mark.parametrize(
    ("client", "scope", "said"),
    [
        ("nothing", "api", "does not accept this client ID"),
        ("secretive", "api", "does not accept this client ID"),
        (CLIENT_ID, "sudo", "does not have the scope “sudo”"),
    ],
)
async def test_an_application_that_does_not_fit(
    server: DemoServer, place: Account, client: str, scope: str, said: str
) -> None:
    server.oauth.register(Application("secretive", confidential=True))
    with pytest.raises(AuthError, match=said) as caught:
        await DeviceSignIn(place, client, scope=scope).start()
    assert caught.value.hint


async def test_a_gitlab_without_device_codes() -> None:
    async with DemoServer(build_world(issues=1, version="16.8")) as old:
        with pytest.raises(AuthError, match="does not support signing in with a device code") as caught:
            await DeviceSignIn(server_at(old.url), CLIENT_ID).start()
    assert "17.2" in caught.value.hint


@pytest.mark.slow
async def test_a_server_that_is_not_there(server: DemoServer, place: Account) -> None:
    await asyncio.to_thread(server.stop)
    with pytest.raises(Offline):
        await DeviceSignIn(place, CLIENT_ID).start()
