"""The embedded GitLab plays the server's part of OAuth as strictly as GitLab."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from glboard_core.demo.http.oauth import CLIENT_ID, DEVICE_GRANT, Application
from glboard_core.demo.http.process import DemoOptions, OptionsError
from glboard_core.demo.http.server import DemoServer
from support.engines import build_world


@pytest.fixture
def server() -> Iterator[DemoServer]:
    with DemoServer(build_world(issues=1), token_life=60) as running:
        yield running


@pytest.fixture
def browser(server: DemoServer) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.url) as one:
        yield one


def post(browser: httpx.Client, path: str, **fields: str) -> tuple[int, Any]:
    answer = browser.post(f"/oauth/{path}", data={"client_id": CLIENT_ID, **fields})
    return answer.status_code, answer.json()


def refused(browser: httpx.Client, path: str, **fields: str) -> tuple[int, str]:
    status, content = post(browser, path, **fields)
    return status, content["error"]


def device(browser: httpx.Client, code: str, **fields: str) -> tuple[int, Any]:
    return post(browser, "token", grant_type=DEVICE_GRANT, device_code=code, **fields)


def me(browser: httpx.Client, token: str, header: str = "Authorization") -> httpx.Response:
    value = token if header == "PRIVATE-TOKEN" else f"Bearer {token}"
    return browser.get("/api/v4/user", headers={header: value})


def test_a_device_code(server: DemoServer, browser: httpx.Client) -> None:
    status, asked = post(browser, "authorize_device", scope="api")
    assert status == 200
    assert (asked["expires_in"], asked["interval"], len(asked["user_code"])) == (300, 5, 8)
    code = asked["device_code"]
    assert device(browser, "other")[1]["error"] == "invalid_grant"
    assert device(browser, code)[1]["error"] == "authorization_pending"
    assert device(browser, code)[1]["error"] == "slow_down"
    # The page approves, with its own form only.
    assert browser.post("/oauth/device", data={"user_code": asked["user_code"]}).status_code == 422
    page = browser.get(asked["verification_uri_complete"])
    fields = dict(re.findall(r"name=['\"]?(\w+)['\"]? value='([^']*)'", page.text))
    assert fields["user_code"] == asked["user_code"]
    wrong = browser.post("/oauth/device", data={**fields, "user_code": "WRONG", "decision": "approve"})
    assert wrong.status_code == 422
    assert browser.post("/oauth/device", data={**fields, "decision": "approve"}).status_code == 200
    server.world.clock.advance(6)
    status, pair = device(browser, code)
    assert (status, pair["token_type"], pair["expires_in"], pair["scope"]) == (200, "Bearer", 60, "api")
    # A code is good once, and what was decided is decided.
    assert device(browser, code)[1]["error"] == "invalid_grant"
    assert browser.post("/oauth/device", data={**fields, "decision": "deny"}).status_code == 422


def test_a_device_code_ends(server: DemoServer, browser: httpx.Client) -> None:
    _, asked = post(browser, "authorize_device")
    server.world.clock.advance(301)
    assert device(browser, asked["device_code"])[1]["error"] == "expired_token"


def test_who_may_ask(server: DemoServer, browser: httpx.Client) -> None:
    server.oauth.register(Application("secretive", confidential=True))
    server.oauth.register(Application("reader", scopes=("read_api",)))
    for client in ("unknown", "secretive"):
        assert refused(browser, "authorize_device", client_id=client) == (401, "invalid_client")
    assert refused(browser, "authorize_device", scope="sudo") == (400, "invalid_scope")
    assert refused(browser, "authorize_device", client_id="reader", scope="api") == (400, "invalid_scope")
    assert refused(browser, "token", grant_type="password") == (400, "unsupported_grant_type")
    _, asked = post(browser, "authorize_device")
    server.oauth.decide(asked["user_code"])
    assert device(browser, asked["device_code"], client_id="reader")[1]["error"] == "invalid_grant"


def test_an_access_token_counts_as_bearer_only_and_ends(server: DemoServer, browser: httpx.Client) -> None:
    pair = server.oauth.grant(CLIENT_ID, server.world.owner, "read_api")
    token = pair["access_token"]
    assert me(browser, token).json()["username"] == "em_willow"
    assert me(browser, token, "PRIVATE-TOKEN").status_code == 401
    bearer = {"Authorization": f"Bearer {token}"}
    assert browser.get("/api/v4/personal_access_tokens/self", headers=bearer).status_code == 400
    told = browser.get("/oauth/token/info", headers=bearer).json()
    assert (told["scope"], told["application"]) == (["read_api"], {"uid": CLIENT_ID})
    # read_api changes nothing, by either API.
    assert browser.post("/api/v4/groups", headers=bearer, json={"name": "x", "path": "x"}).status_code == 403
    mutation = 'mutation { createNote(input: {noteableId: "gid://gitlab/Issue/1", body: "x"}) { errors } }'
    answer = browser.post("/api/graphql", headers=bearer, json={"query": mutation})
    assert "errors" in answer.json()
    server.world.clock.advance(61)
    assert (me(browser, token).status_code, "expired" in me(browser, token).text) == (401, True)
    assert browser.get("/oauth/token/info", headers=bearer).status_code == 401


def test_a_renewal_ends_both_old_tokens(server: DemoServer, browser: httpx.Client) -> None:
    old = server.oauth.grant(CLIENT_ID, server.world.owner, "api")
    _, new = post(browser, "token", grant_type="refresh_token", refresh_token=old["refresh_token"])
    assert (me(browser, old["access_token"]).status_code, me(browser, new["access_token"]).status_code) == (
        401, 200
    )  # fmt: skip
    for token in (old["refresh_token"], "unknown"):
        said = refused(browser, "token", grant_type="refresh_token", refresh_token=token)
        assert said == (400, "invalid_grant")
    # That ends no sign-in.
    assert me(browser, new["access_token"]).status_code == 200
    assert post(browser, "revoke", token=new["refresh_token"]) == (200, {})
    assert me(browser, new["access_token"]).status_code == 401
    assert post(browser, "revoke", token="unknown") == (200, {})
    assert refused(browser, "revoke", client_id="unknown", token="x") == (403, "unauthorized_client")


def test_a_renewal_after_the_end_of_the_access_token(server: DemoServer, browser: httpx.Client) -> None:
    old = server.oauth.grant(CLIENT_ID, server.world.owner, "api")
    server.world.clock.advance(10_000)
    assert post(browser, "token", grant_type="refresh_token", refresh_token=old["refresh_token"])[0] == 200


def test_the_browser_is_led_back_to_the_registered_place_only(browser: httpx.Client) -> None:
    asked = {
        "client_id": CLIENT_ID, "response_type": "code", "scope": "api", "state": "s t",
        "code_challenge": "c", "code_challenge_method": "S256",
    }  # fmt: skip
    there = "http://127.0.0.1:4711/callback"
    for uri in (
        "https://example.com/callback",
        "http://127.0.0.1:4711/other",
        "http://localhost/callback",
        "",
    ):
        assert browser.get("/oauth/authorize", params={**asked, "redirect_uri": uri}).status_code == 400
    assert browser.get("/oauth/authorize", params={**asked, "redirect_uri": there}).status_code == 200
    for more, problem in (
        ({"scope": "sudo"}, "invalid_scope"),
        ({"code_challenge": ""}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"response_type": "token"}, "unsupported_response_type"),
    ):
        moved = browser.get("/oauth/authorize", params={**asked, "redirect_uri": there, **more})
        assert moved.headers["location"] == f"{there}?error={problem}&state=s%20t"
    assert browser.post("/oauth/authorize", data={**asked, "redirect_uri": there}).status_code == 422


def test_an_old_gitlab_has_no_device_codes() -> None:
    with DemoServer(build_world(issues=1, version="16.8")) as server:
        for path in ("authorize_device", "device"):
            assert httpx.post(f"{server.url}/oauth/{path}").status_code == 404
        assert httpx.post(f"{server.url}/oauth/token", data={"grant_type": DEVICE_GRANT}).status_code == 400


def test_the_life_of_a_token_is_checked() -> None:
    with pytest.raises(OptionsError, match="token-life"):
        DemoOptions(token_life=0).check()
