"""What a server tells of a token before it is kept."""

from __future__ import annotations

from datetime import date

import pytest
from msgspec import structs

from glboard_core.auth.credential import OAuthCredential, TokenCredential
from glboard_core.auth.oauth import opened
from glboard_core.auth.renewal import StoredToken
from glboard_core.auth.store import CredentialStore
from glboard_core.auth.token_check import check, find_gitlab, unusable
from glboard_core.demo.http.server import DemoServer
from glboard_core.doctor.checks import Checks
from glboard_core.doctor.server import check_token
from glboard_core.errors import AuthError, ConnectionFailed, Offline, ScopeMissing, TokenRejected
from glboard_core.gitlab.account import Account, Secret
from glboard_core.gitlab.http import WHO
from glboard_core.gitlab.inspection import TokenFacts
from support.engines import build_world

PAIR = OAuthCredential(access=Secret("a"), refresh=Secret("r"), client_id="app")


@pytest.mark.parametrize(
    ("scope", "lacks", "writes"),
    [("api", "", True), ("read_api", "", False), ("read_user", "read_api", False)],
)
async def test_whose_it_is_and_what_it_may_do(
    server: DemoServer, place: Account, scope: str, lacks: str, writes: bool
) -> None:
    token = server.token_for("eng_1", scope)
    server.ends(token, date(2027, 3, 1))
    info = await check(place, Secret(token))
    assert (info.username, info.scopes, info.expires_on) == ("eng_1", (scope,), date(2027, 3, 1))
    assert (info.lacks, info.can_write, info.kind) == (lacks, writes, "token")
    assert isinstance(unusable(info, place.host), ScopeMissing) == bool(lacks)


async def test_a_token_that_may_not_even_tell_whose_it_is(server: DemoServer, place: Account) -> None:
    info = await check(place, Secret(server.token_for("eng_1", "read_repository")))
    assert (info.username, info.lacks) == ("", "read_api")


async def test_an_oauth_token_that_is_taken_for_another(server: DemoServer, place: Account) -> None:
    pair = server.oauth.grant("glboard-demo", server.world.owner, "api read_api")
    info = await check(place, Secret(pair["access_token"]))
    assert (info.kind, info.username, info.scopes) == ("oauth", "em_willow", ("api", "read_api"))


@pytest.mark.parametrize(
    ("done", "said"), [("expire", "expired"), ("revoke", "revoked"), ("block", "blocked")]
)
async def test_a_token_that_is_over(server: DemoServer, place: Account, done: str, said: str) -> None:
    token = server.token_for("eng_1")
    getattr(server, done)(token)
    with pytest.raises(AuthError, match=said) as caught:
        await check(place, Secret(token))
    assert token not in f"{caught.value!r} {caught.value}"


async def test_a_token_of_another_server(place: Account) -> None:
    with pytest.raises(TokenRejected, match="unknown token") as caught:
        await check(place, Secret("glpat-elsewhere"))
    # It was typed a moment ago.
    assert "copied all of it" in caught.value.hint


async def test_a_token_that_was_kept_leads_to_signing_in_again(
    place: Account, store: CredentialStore
) -> None:
    account = store.save(place.url, "me", TokenCredential(secret=Secret("glpat-gone")), keyring=False)
    tokens = StoredToken(store, account, place)
    ours = structs.replace(place, source=store.place("file", account), tokens=tokens)
    of_environment = structs.replace(place, token=Secret("glpat-gone"), source="GITLAB_TOKEN")
    of_glab = structs.replace(place, token=Secret("glpat-gone"), source="/home/me/config.yml")
    hints = []
    for one in (ours, of_environment, of_glab):
        async with opened(one) as transport:
            for asked in (transport.get(WHO), transport.read(b'{"query": "{ currentUser { username } }"}')):
                with pytest.raises(TokenRejected) as caught:
                    await asked
                hints.append(caught.value.hint)
    assert hints[::2] == hints[1::2]
    unset = "Or unset it, and run: glboard auth login"
    assert hints[::2] == [
        "Sign in again: glboard auth login",
        f"Set GITLAB_TOKEN to another token for {place.host} with the “api” scope. {unset}",
        "It is from /home/me/config.yml. Sign in again there, or run: glboard auth login",
    ]


@pytest.mark.parametrize("version", ["18.9", "19.3"])
async def test_a_fine_grained_token(version: str) -> None:
    async with DemoServer(build_world(issues=1, version=version)) as server:
        place = Account(url=server.url, token=Secret(""))
        info = await check(place, Secret(server.token_for("eng_1", "granular")))
    assert (info.fine_grained, info.lacks, info.can_write) == (True, "", True)


async def test_a_gitlab_is_found_without_a_token(server: DemoServer, place: Account) -> None:
    await find_gitlab(place)
    assert not server.requests.of("/api/")
    server.faults.next("html", match="/oauth/token", times=9)
    with pytest.raises(ConnectionFailed):
        await find_gitlab(place)
    with pytest.raises(Offline):
        await find_gitlab(structs.replace(place, url="http://127.0.0.1:1"))


@pytest.mark.slow
async def test_a_server_that_is_not_there() -> None:
    with pytest.raises(Offline):
        await check(Account(url="http://127.0.0.1:1", token=Secret("")), Secret("x"))


def test_the_doctor_says_where_a_token_is_kept_and_who_renews_it(store: CredentialStore) -> None:
    account = store.save("https://host", "me", PAIR, keyring=False)
    server = Account(url="https://host", token=Secret(""))
    ours = structs.replace(
        server,
        kind="oauth",
        source=store.place("keyring", account),
        tokens=StoredToken(store, account, server),
    )
    another = structs.replace(ours, tokens=None)
    told = []
    for one, scope in ((ours, "api"), (ours, "read_api"), (another, "api")):
        checks = Checks()
        check_token(checks, one, TokenFacts(scopes=[scope]), "me", date(2026, 12, 7))
        told += [check for check in checks.diagnosis(0).checks if check.id == "token"]
    assert told[0].text == "Of @me, from the keyring (glboard:host); scope api; glboard renews it."
    assert told[1].status == "warning"
    assert told[1].advice == "To make changes, sign in with: glboard auth login --scope api"
    assert told[2].text.endswith("another program renews it.")
