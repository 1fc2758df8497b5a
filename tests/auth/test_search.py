"""glboard's own sign-ins among the other sources, netrc, settings of certificates, and the list of all."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from glboard_core.auth.credential import Credential, OAuthCredential, TokenCredential
from glboard_core.auth.overview import checked, overview
from glboard_core.auth.search import client_id, find_account, find_address, server_at
from glboard_core.auth.store import CredentialStore
from glboard_core.config import GitLabSettings
from glboard_core.demo.http.server import DemoServer
from glboard_core.errors import ConfigError, TokenMissing
from glboard_core.folders import state_folder_of
from glboard_core.gitlab.account import Account, Secret

URL = "https://gitlab.example.com"
PERSONAL = TokenCredential(secret=Secret("glpat-own"))


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path


def own(home: Path, url: str = URL, user: str = "me", credential: Credential = PERSONAL) -> CredentialStore:
    store = CredentialStore(state_folder_of({}, home))
    store.save(url, user, credential, keyring=False)
    return store


def glab(home: Path, host: str = "gitlab.example.com", more: str = "") -> Path:
    file = home / ".config" / "glab-cli" / "config.yml"
    file.parent.mkdir(parents=True)
    file.write_text(f"hosts:\n  {host}:\n    token: glpat-glab\n    user: em_willow\n{more}")
    file.chmod(0o600)
    return file


def netrc(home: Path, text: str, mode: int = 0o600) -> Path:
    file = home / ".netrc"
    file.write_text(text)
    file.chmod(mode)
    return file


async def token_of(account: Account) -> str:
    secret = await account.tokens.current() if account.tokens is not None else account.token
    return secret.reveal()


# glboard's own


async def test_our_own_sign_in_comes_after_the_environment_and_before_glab(home: Path) -> None:
    glab(home)
    assert await token_of(find_account(URL, env={}, home=home)) == "glpat-glab"
    store = own(home)
    found = find_account(URL, env={}, home=home)
    assert (await token_of(found), found.user, found.source) == ("glpat-own", "me", str(store.path))
    assert await token_of(find_account(URL, env={"GITLAB_TOKEN": "mine"}, home=home)) == "mine"
    # Of another server there is none.
    with pytest.raises(TokenMissing, match="not signed in"):
        find_account("https://gitlab.com", env={}, home=home)


async def test_a_server_that_nothing_names_is_that_of_the_last_sign_in(home: Path) -> None:
    glab(home, "glab.example.com")
    assert find_address(env={}, home=home)[0] == "https://glab.example.com"
    own(home, "https://one.example.com")
    own(home, "https://two.example.com")
    assert find_address(env={}, home=home) == ("https://two.example.com", "glboard auth login")
    settings = GitLabSettings(url="one.example.com")
    assert find_account(None, settings, env={}, home=home).url == "https://one.example.com"


async def test_the_configured_user_of_several(home: Path) -> None:
    for user in ("one", "two"):
        own(home, user=user, credential=TokenCredential(secret=Secret(f"glpat-{user}")))
    assert await token_of(find_account(URL, env={}, home=home)) == "glpat-two"
    assert await token_of(find_account(URL, GitLabSettings(user="one"), env={}, home=home)) == "glpat-one"
    with pytest.raises(TokenMissing, match="not signed in as @three"):
        find_account(URL, GitLabSettings(user="three"), env={}, home=home)


def test_a_sign_in_over_https_is_not_used_over_http(home: Path) -> None:
    own(home)
    with pytest.raises(TokenMissing, match="signed in to https"):
        find_account("http://gitlab.example.com", GitLabSettings(allow_http=True), env={}, home=home)


def test_a_relative_address_keeps_its_path(home: Path) -> None:
    own(home)
    assert find_account(f"{URL}/gitlab", env={}, home=home).url == f"{URL}/gitlab"


def test_starting_reads_no_token(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # The keyring can take a second, and a person to unlock it: it is the first request's.
    own(home)
    monkeypatch.setattr(CredentialStore, "load", None)
    assert not find_account(URL, env={}, home=home).token


# netrc


@pytest.mark.parametrize(
    "text",
    [
        "machine gitlab.example.com login me password glpat-netrc\n",
        "machine\n\tGitLab.Example.com\n\tlogin me\n\tpassword glpat-netrc\n",
        '# a comment\nmachine other password x\nmachine gitlab.example.com password "glpat-netrc"\n',
        "macdef init\ncd /x password y\nmachine z\n\nmachine gitlab.example.com password glpat-netrc",
        "machine gitlab.example.com account a login l password glpat-netrc default login x password y",
    ],
)
async def test_netrc_comes_last(home: Path, text: str) -> None:
    file = netrc(home, text)
    found = find_account(URL, env={}, home=home)
    assert (await token_of(found), found.source) == ("glpat-netrc", str(file))
    glab(home)
    assert await token_of(find_account(URL, env={}, home=home)) == "glpat-glab"


@pytest.mark.parametrize(
    "text", ["default login x password y\n", "machine other.example.com password x\n", "machine", ""]
)
def test_netrc_without_the_machine(home: Path, text: str) -> None:
    netrc(home, text, mode=0o644)
    with pytest.raises(TokenMissing, match=r"\.netrc \(no such machine\)"):
        find_account(URL, env={}, home=home)


def test_netrc_that_others_can_read(home: Path) -> None:
    netrc(home, "machine gitlab.example.com password x", mode=0o640)
    with pytest.raises(ConfigError, match="chmod 600"):
        find_account(URL, env={}, home=home)


def test_netrc_is_not_sent_without_encryption(home: Path) -> None:
    netrc(home, "machine gitlab.example.com password x\nmachine localhost password y\n")
    settings = GitLabSettings(allow_http=True)
    with pytest.raises(TokenMissing, match="not sent without encryption"):
        find_account("http://gitlab.example.com", settings, env={}, home=home)
    assert find_account("http://localhost:8080", env={}, home=home).token == Secret("y")


def test_netrc_by_name(home: Path, tmp_path: Path) -> None:
    file = tmp_path / "elsewhere"
    file.write_text("machine gitlab.example.com password x")
    file.chmod(0o600)
    assert find_account(URL, env={"NETRC": str(file)}, home=home).source == str(file)


# What holds for any token


@pytest.mark.parametrize("source", ["environment", "glboard", "glab", "netrc"])
def test_settings_of_certificates_hold_for_any_source(home: Path, source: str) -> None:
    env = {"GITLAB_TOKEN": "t"} if source == "environment" else {}
    if source == "glboard":
        own(home)
    if source == "netrc":
        netrc(home, "machine gitlab.example.com password x")
    if source == "glab":
        glab(home, more="    ca_cert: /glab.pem\n    client_cert: /glab-client.pem\n")
        found = find_account(URL, env=env, home=home)
        assert (found.verify, found.client_cert) == ("/glab.pem", "/glab-client.pem")
    settings = GitLabSettings(ca_cert="~/ca.pem", client_cert="/c.pem", client_key="/k.pem")
    found = find_account(URL, settings, env=env, home=home)
    assert (found.verify, found.verified_by) == ("~/ca.pem", "ca_cert in [gitlab]")
    assert (found.client_cert, found.client_key) == ("/c.pem", "/k.pem")
    assert found.identified_by == "client_cert in [gitlab]"
    found = find_account(URL, GitLabSettings(skip_tls_verify=True), env=env, home=home)
    assert (found.verify, found.verified_by) == (False, "skip_tls_verify in [gitlab]")


def test_a_server_to_sign_in_to(home: Path) -> None:
    server = server_at("gitlab.example.com/", GitLabSettings(ca_cert="/ca.pem"), env={}, home=home)
    assert (server.url, server.verify, bool(server.token)) == (URL, "/ca.pem", False)
    with pytest.raises(ConfigError, match="not encrypted"):
        server_at("http://gitlab.example.com", env={}, home=home)


def test_the_client_id() -> None:
    settings = GitLabSettings(client_id="configured")
    assert client_id(settings, {}) == "configured"
    assert client_id(settings, {"GLBOARD_CLIENT_ID": " named "}) == "named"
    assert client_id(GitLabSettings(), {}) == ""


# All accounts


async def test_all_accounts_and_which_one_is_used(home: Path) -> None:
    own(home)
    glab(home)
    netrc(home, "machine gitlab.example.com password x")
    (home / ".python-gitlab.cfg").write_text(
        f"[global]\ndefault = a\n[a]\nurl = {URL}\nprivate_token = helper: touch {home}/ran\n"
        "[b]\nurl = https://b.example.com\njob_token = x\n"
    )
    env = {"OAUTH_TOKEN": "o"}
    found = overview(URL, env=env, home=home, helpers=False)
    assert [(one.origin, one.state, one.used) for one in found.accounts] == [
        ("environment", "unknown", True),
        ("glboard", "unknown", False),
        ("glab", "unknown", False),
        ("python-gitlab", "unknown", False),
        ("python-gitlab", "problem", False),
        ("netrc", "unknown", False),
    ]
    assert not (home / "ran").exists()
    assert (found.address, found.named_by) == (URL, "--url")
    used = overview(None, env={}, home=home, helpers=False).used
    assert used is not None
    assert (used.origin, used.user) == ("glboard", "me")


async def test_what_is_wrong_with_an_account_is_told_with_it(home: Path) -> None:
    expired = "    is_oauth2: true\n    oauth2_expiry_date: 01 Jan 20 12:00 UTC\n"
    glab(home, more=f"{expired}  empty.example.com:\n    user: x\n").chmod(0o600)
    own(home).path.chmod(0o644)
    found = overview(URL, env={}, home=home)
    said = {one.origin: f"{one.message} {one.hint}" for one in found.accounts if one.host in URL}
    assert "chmod 600" in said["glboard"]
    assert "only glab can renew it" in said["glab"]
    assert found.used is None
    assert all(one.hint for one in found.accounts)


@pytest.mark.slow
async def test_what_the_server_says_of_each(server: DemoServer, home: Path) -> None:
    user = server.world.owner.username
    reader = server.token_for("eng_1", "read_api")
    server.ends(reader, datetime.now(UTC).date())
    pair = server.oauth.grant("glboard-demo", server.world.owner, "api")
    credential = OAuthCredential(
        access=Secret(pair["access_token"]),
        refresh=Secret(pair["refresh_token"]),
        client_id="glboard-demo",
        expires_at=datetime.now(UTC) + timedelta(hours=2),
    )
    own(home, server.url, user, credential)
    own(home, server.url, "eng_1", TokenCredential(secret=Secret(reader)))
    own(home, server.url, "eng_2", TokenCredential(secret=Secret(server.token_for("eng_2", "read_user"))))
    own(home, server.url, "nobody", TokenCredential(secret=Secret("glpat-wrong")))
    own(home, "http://127.0.0.1:1", "gone")
    found = overview(server.url, GitLabSettings(user=user), env={}, home=home)
    told = {one.user: one for one in await checked(found.accounts)}
    assert (told[user].state, told[user].kind, told[user].scopes, told[user].used) == (
        "ok", "oauth", ("api",), True
    )  # fmt: skip
    assert (told["eng_1"].scopes, told["eng_1"].expires) == (("read_api",), datetime.now(UTC).date())
    assert (told["eng_2"].state, "read_api" in told["eng_2"].message) == ("problem", True)
    assert (told["nobody"].state, "rejected" in told["nobody"].message) == ("problem", True)
    # A server that cannot be reached says nothing of a token.
    assert (told["gone"].state, "refused the connection" in told["gone"].message) == ("unknown", True)


@pytest.mark.parametrize("token", ["'glpat-x'", '"glpat-x"', "`glpat-x`", "Bearer glpat-x", "tökén", "a\nb"])
def test_a_token_with_what_no_token_has_is_not_sent(token: str) -> None:
    """Windows keeps the quotes of ``set GITLAB_TOKEN="…"``: GitLab would only say that it is unknown."""
    env = {"GITLAB_TOKEN": token, "GITLAB_HOST": "gitlab.example.com"}
    with pytest.raises(ConfigError, match="quotes, spaces, line breaks") as caught:
        find_account(None, GitLabSettings(), env=env)
    assert token not in str(caught.value)
