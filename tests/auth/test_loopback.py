"""Signing in with the browser on this machine: its way there and back, and who else may knock."""

from __future__ import annotations

import asyncio
import re
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from glboard_core.auth.loopback import LoopbackSignIn
from glboard_core.auth.token_check import check
from glboard_core.demo.http.oauth import CLIENT_ID, Application
from glboard_core.demo.http.server import DemoServer
from glboard_core.errors import AuthError
from glboard_core.gitlab.account import Account


async def decide(browser: httpx.AsyncClient, address: str, decision: str) -> httpx.Response:
    """What a person does: open the page, click a button, and be led back."""
    page = await browser.get(address)
    fields = dict(re.findall(r"name=['\"]?(\w+)['\"]? value='([^']*)'", page.text))
    return await browser.post(address, data={**fields, "decision": decision}, follow_redirects=True)


async def test_the_way_there_and_back(server: DemoServer, place: Account) -> None:
    signing_in = LoopbackSignIn(place, CLIENT_ID)
    address = await signing_in.start()
    asked = parse_qs(urlsplit(address).query)
    assert asked["redirect_uri"] == [signing_in.redirect_uri]
    assert asked["code_challenge_method"] == ["S256"]
    async with httpx.AsyncClient() as browser:
        waiting = asyncio.ensure_future(signing_in.wait())
        shown = await decide(browser, address, "approve")
        credential = await waiting
        assert "Signed in" in shown.text
        assert credential.access.reveal() not in shown.text
        # The port is closed again.
        with pytest.raises(httpx.ConnectError):
            await browser.get(signing_in.redirect_uri)
    assert (await check(place, credential.access)).username == server.world.owner.username


async def test_access_is_denied(place: Account) -> None:
    signing_in = LoopbackSignIn(place, CLIENT_ID)
    async with httpx.AsyncClient() as browser:
        shown = await decide(browser, await signing_in.start(), "deny")
    assert "denied" in shown.text
    with pytest.raises(AuthError, match="denied"):
        await signing_in.wait()


async def test_only_the_right_state_counts(place: Account) -> None:
    signing_in = LoopbackSignIn(place, CLIENT_ID)
    address = await signing_in.start()
    back = signing_in.redirect_uri
    async with httpx.AsyncClient() as browser:
        for other in (
            f"{back}?code=x&state=guessed",
            f"{back}?code=x",
            f"{back}?error=access_denied&state=",
            back.replace("callback", "favicon.ico"),
            f"{back}?code=x&state=%C3%A9",
        ):
            assert (await browser.get(other)).status_code == 404
        assert (await browser.post(back)).status_code == 404
        await decide(browser, address, "approve")
    # What knocked before ended nothing.
    assert (await signing_in.wait()).access


async def test_a_silent_connection_blocks_no_one(place: Account) -> None:
    signing_in = LoopbackSignIn(place, CLIENT_ID)
    address = await signing_in.start()
    port = urlsplit(signing_in.redirect_uri).port
    assert port
    _, silent = await asyncio.open_connection("127.0.0.1", port)
    _, noisy = await asyncio.open_connection("127.0.0.1", port)
    noisy.write(b"x" * 100_000)
    async with httpx.AsyncClient() as browser:
        await decide(browser, address, "approve")
    assert (await signing_in.wait()).access
    for writer in (silent, noisy):
        writer.close()


async def test_a_code_without_its_verifier_is_worth_nothing(server: DemoServer, place: Account) -> None:
    signing_in = LoopbackSignIn(place, CLIENT_ID)
    asked = parse_qs(urlsplit(await signing_in.start()).query)
    server.oauth.approves = True
    async with httpx.AsyncClient() as thief:
        query = {name: values[0] for name, values in asked.items()}
        moved = await thief.get(f"{server.url}/oauth/authorize", params=query)
        code = parse_qs(urlsplit(moved.headers["location"]).query)["code"][0]
        fields = {
            "grant_type": "authorization_code",
            "client_id": CLIENT_ID,
            "code": code,
            "redirect_uri": signing_in.redirect_uri,
        }
        for more, problem in (({}, "invalid_request"), ({"code_verifier": "guessed"}, "invalid_grant")):
            answer = await thief.post(f"{server.url}/oauth/token", data={**fields, **more})
            assert (answer.status_code, answer.json()["error"]) == (400, problem)
    await signing_in.close()


async def test_an_application_with_another_redirect_uri(server: DemoServer, place: Account) -> None:
    server.oauth.register(Application("other", redirect_uris=("https://example.com/back",)))
    signing_in = LoopbackSignIn(place, "other", patience=0.05)
    async with httpx.AsyncClient() as browser:
        page = await browser.get(await signing_in.start())
    assert (page.status_code, "redirect URI" in page.text) == (400, True)
    with pytest.raises(AuthError, match="Timed out waiting"):
        await signing_in.wait()
