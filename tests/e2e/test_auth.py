"""``glboard auth`` in a real terminal and in pipes: every way to sign in, and no token is seen anywhere."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest

from glboard_core.auth.credential import OAuthCredential, TokenCredential
from glboard_core.auth.store import CredentialStore
from glboard_core.demo.http.oauth import CLIENT_ID
from glboard_core.demo.http.server import DemoServer
from glboard_core.gitlab.account import Secret
from glboard_tui.cli.auth_login import server_in
from support.engines import build_world
from support.keyrings import FakeKeyring
from support.terminal import GLBOARD, Terminal, clean_environment

ME = "em_willow"


@pytest.fixture
def server() -> Iterator[DemoServer]:
    with DemoServer(build_world(issues=3)) as running:
        running.oauth.interval = 0.05
        yield running


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path


def store_of(home: Path) -> CredentialStore:
    return CredentialStore(home / "state" / "glboard")


def auth(
    home: Path, *arguments: str, given: str = "", **environment: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*GLBOARD, "auth", *arguments],
        env={**clean_environment(home), **environment},
        cwd=home,
        input=given,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def terminal(home: Path, *arguments: str, **environment: str) -> Terminal:
    return Terminal([*GLBOARD, "auth", *arguments], home, columns=100, rows=30, environment=environment)


def sign_in(server: DemoServer, home: Path, life: float = 7200) -> OAuthCredential:
    """A sign-in by OAuth that is already there."""
    pair = server.oauth.grant(CLIENT_ID, server.world.owner, "api")
    credential = OAuthCredential(
        access=Secret(pair["access_token"]),
        refresh=Secret(pair["refresh_token"]),
        client_id=CLIENT_ID,
        scopes=("api",),
        expires_at=datetime.now(UTC) + timedelta(seconds=life),
        lifetime=life,
    )
    store_of(home).save(server.url, ME, credential, keyring=False)
    return credential


def holding(home: Path, *tokens: str) -> set[str]:
    """The names of the files below a home that hold one of these texts."""
    files = [one for one in home.rglob("*") if one.is_file() and "modules" not in one.parts]
    return {one.name for one in files if any(token.encode() in one.read_bytes() for token in tokens)}


# By token


def test_a_token_is_typed_unseen(server: DemoServer, home: Path) -> None:
    with terminal(home, "login", "--url", server.url) as screen:
        # The same ways as in the set-up; a browser cannot be opened here.
        text = screen.see(
            "1  Paste a token", "2  Sign in with a code", "needs an application ID", "Number [1]"
        )
        assert "3 " not in text
        screen.press("\r")
        text = screen.see("Token (not shown)")
        assert "/-/user_settings/personal_access_tokens?name=glboard&scopes=api" in text.replace("\n", "")
        screen.press(server.token, "\r")
        screen.see(f"Logged in to 127.0.0.1:{server.url.rpartition(':')[2]} as @{ME}.")
        assert screen.finish() == 0
        said = b"".join(data for _, data in screen.transcript).decode()
    assert server.token not in said
    assert "which only you can read" in said
    assert "-m pip install keyring" in said
    # It is used from then on, and stands in one file.
    shown = subprocess.run(
        [*GLBOARD, "--group", "top", "show", "planning", "--format", "json"],
        env=clean_environment(home), cwd=home, capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    assert json.loads(shown.stdout)
    assert holding(home, server.token) == {"credentials.json"}


@pytest.mark.slow
def test_what_is_typed_can_be_wrong(server: DemoServer, home: Path) -> None:
    for token, said in (
        ("glpat-wrong", "unknown token"),
        ("two words", "quotes, spaces"),
        (server.token_for("eng_1", "read_user"), "missing the scope “read_api”"),
    ):
        with terminal(home, "login", "--url", server.url) as screen:
            screen.see("Number [1]")
            screen.press("\r")
            screen.see("Token (not shown)")
            screen.press(token, "\r")
            assert screen.finish() == 1
            assert said in " ".join(screen.screen.text.split())
            assert token not in screen.screen.text
    assert not store_of(home).path.exists()


def test_a_token_from_standard_input(server: DemoServer, home: Path) -> None:
    token = server.token_for("eng_1", "read_api")
    server.ends(token, date(2027, 3, 1))
    # As PowerShell pipes it.
    given = f"\ufeff{token}\r\n"
    done = auth(home, "login", "--url", server.url, "--stdin", given=given, GITLAB_TOKEN="other")
    assert done.returncode == 0, done.stderr
    assert "as @eng_1." in done.stdout
    assert "It expires on 2027-03-01." in done.stdout
    assert "Read-only: the token has the read_api scope" in done.stdout
    assert "GITLAB_TOKEN is set and takes precedence" in done.stdout
    assert token not in done.stdout + done.stderr


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "given", "status", "said"),
    [
        (["--stdin"], "", 2, "No token on standard input"),
        (["--stdin", "--method", "device"], "x", 2, "does not use one"),
        ([], "", 2, "--stdin"),
        (["--method", "device"], "", 1, "No client ID is configured"),
        (["--method", "browser"], "", 1, "http://127.0.0.1/callback"),
        (["--stdin", "--storage", "keyring"], "x", 1, "pip install keyring"),
    ],
)
def test_what_cannot_work_says_why(
    server: DemoServer, home: Path, arguments: list[str], given: str, status: int, said: str
) -> None:
    done = auth(home, "login", "--url", server.url, *arguments, given=given)
    assert (done.returncode, said in done.stderr) == (status, True), done.stderr
    assert not server.requests.of("/api/")


@pytest.mark.slow
def test_the_keyring(server: DemoServer, home: Path) -> None:
    ring = FakeKeyring(home)
    path = {"PYTHONPATH": os.pathsep.join(filter(None, (os.environ.get("PYTHONPATH", ""), str(ring.path))))}
    done = auth(home, "login", "--url", server.url, "--stdin", given=server.token, **path)
    assert "Stored the token in the keyring (glboard:127.0.0.1" in done.stdout
    assert server.token in ring.text
    assert holding(home, server.token) == {"ring.json"}
    assert auth(home, "status", **path).returncode == 0
    ring.become("locked")
    done = auth(home, "status", **path)
    assert done.returncode == 1
    assert "locked" in done.stdout
    ring.become("")
    done = auth(home, "logout", **path)
    assert "personal_access_tokens" in done.stdout
    assert server.token not in ring.text
    # The token itself is still good.
    assert auth(home, "status", "--url", server.url, GITLAB_TOKEN=server.token).returncode == 0


# By OAuth


@pytest.mark.slow
def test_a_device_code(server: DemoServer, home: Path) -> None:
    with terminal(home, "login", "--url", server.url, GLBOARD_CLIENT_ID=CLIENT_ID) as screen:
        screen.see("How do you want to sign in", "1  Sign in with a code", "Number [1]")
        screen.press("\r")
        text = screen.see("Waiting until")
        found = re.search(r"code +([A-Z]{8})\b", text)
        assert found is not None
        assert f"{server.url}/oauth/device" in text
        server.oauth.decide(found[1])
        screen.see(f"as @{ME}", "renewed automatically")
        assert screen.finish() == 0
    status = json.loads(auth(home, "status", "--format", "json").stdout)
    (account,) = status["accounts"]
    assert (account["kind"], account["state"], account["used"]) == ("oauth", "ok", True)
    # Renewed on demand, and revoked at the end.
    before = store_of(home).load(store_of(home).accounts()[0])
    assert "Renewed the sign-in" in auth(home, "refresh").stdout
    after = store_of(home).load(store_of(home).accounts()[0])
    assert before is not None
    assert after is not None
    assert before.access != after.access
    assert "The tokens were revoked." in auth(home, "logout").stdout
    assert store_of(home).accounts() == ()
    assert auth(home, "status", "--url", server.url, OAUTH_TOKEN=after.access.reveal()).returncode == 1
    assert holding(home, before.access.reveal(), after.access.reveal()) == set()


@pytest.mark.slow
def test_a_device_code_that_is_denied(server: DemoServer, home: Path) -> None:
    path = {"GLBOARD_CLIENT_ID": CLIENT_ID}
    with terminal(home, "login", "--url", server.url, "--method", "device", **path) as screen:
        screen.see("Waiting until")
        server.oauth.decide(server.oauth.waiting()[0], approved=False)
        screen.see("Authorization was denied")
        assert screen.finish() == 1


def test_a_sign_in_is_left_by_ctrl_c(server: DemoServer, home: Path) -> None:
    with terminal(
        home, "login", "--url", server.url, "--method", "device", GLBOARD_CLIENT_ID=CLIENT_ID
    ) as one:
        one.see("Waiting until")
        one.press("\x03")
        assert one.finish() == 130
        assert "Traceback" not in one.screen.text


BROWSER = """
import os, sys, urllib.request
page = urllib.request.urlopen(sys.argv[1]).read().decode()
open("browser.txt", "w").write(page + repr(dict(os.environ)) + repr(sys.argv))
"""


def test_the_browser_on_this_machine(server: DemoServer, home: Path) -> None:
    server.oauth.approves = True
    program = home / "browser.py"
    program.write_text(BROWSER)
    done = auth(
        home, "login", "--url", server.url, "--method", "browser",
        GLBOARD_CLIENT_ID=CLIENT_ID, BROWSER=f"{sys.executable} {program} %s", OAUTH_TOKEN="planted",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert f"as @{ME}" in done.stdout
    credential = store_of(home).load(store_of(home).accounts()[0])
    assert isinstance(credential, OAuthCredential)
    seen = (home / "browser.txt").read_text()
    assert "return to the terminal" in seen
    for secret in ("planted", credential.access.reveal(), credential.refresh.reveal()):
        assert secret not in seen


def renewed(server: DemoServer, count: int, _: str) -> bool:
    return len(server.requests.of("POST /oauth/token")) >= count


@pytest.mark.parametrize(
    ("page", "server"),
    [
        ("gitlab.example.com", "gitlab.example.com"),
        ("https://host/groups/a/b/-/boards/7?label=x#y", "https://host"),
        ("https://host/gitlab/groups/a", "https://host/gitlab"),
        ("https://host/a/b/-/issues", "https://host"),
        (" host/-/user_settings/personal_access_tokens ", "host"),
        ("https://host/gitlab", "https://host/gitlab"),
    ],
)
def test_the_address_of_a_page_names_its_server(page: str, server: str) -> None:
    assert server_in(page) == server


# What is there


@pytest.mark.slow
def test_the_status_lists_every_account(server: DemoServer, home: Path) -> None:
    sign_in(server, home)
    store_of(home).save(
        "https://127.0.0.1:1", "em_maple", TokenCredential(secret=Secret("glpat-other")), keyring=False
    )
    done = auth(home, "status", "--url", server.url, GITLAB_TOKEN=server.token)
    assert done.returncode == 0
    text = " ".join(done.stdout.split())
    assert f"Logged in as @{ME} (used) From the environment: GITLAB_TOKEN" in text
    assert f"Logged in as @{ME} From glboard auth login: ~/state/glboard/credentials.json" in text
    assert "OAuth token; scope api; renewed automatically" in text
    assert "set by --url. It takes precedence over glboard auth login." in text
    assert "refused the connection" in text
    assert not re.search(r"glpat-\w", done.stdout + done.stderr)
    before = len(server.requests)
    assert auth(home, "status", "--url", server.url, "--offline").returncode == 0
    assert len(server.requests) == before
    server.stop()
    assert auth(home, "status", "--url", server.url).returncode == 1


@pytest.mark.slow
def test_no_account_at_all(home: Path) -> None:
    for arguments in (["status"], ["status", "--offline"]):
        done = auth(home, *arguments)
        assert done.returncode == 1
        assert "glboard auth login" in done.stdout
    for command in ("logout", "refresh"):
        done = auth(home, command)
        assert done.returncode == 2
        assert "Not signed in to gitlab.com with glboard." in done.stderr


@pytest.mark.slow
def test_several_users_of_one_server(server: DemoServer, home: Path) -> None:
    for user in ("eng_1", "eng_2"):
        done = auth(home, "login", "--url", server.url, "--stdin", given=server.token_for(user))
        assert done.returncode == 0
    done = auth(home, "logout")
    assert (done.returncode, "@eng_2, @eng_1" in done.stderr) == (2, True)
    profiles = home / "config" / "glboard" / "profiles"
    profiles.mkdir(parents=True)
    (profiles / "first.toml").write_text('[gitlab]\nuser = "eng_1"\n')
    used = subprocess.run(
        [*GLBOARD, "--profile", "first", "auth", "status", "--format", "json"],
        env=clean_environment(home), cwd=home, capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    assert [one["user"] for one in json.loads(used.stdout)["accounts"] if one["used"]] == ["eng_1"]
    assert auth(home, "logout", "--user", "@eng_2").returncode == 0
    assert [one.user for one in store_of(home).accounts()] == ["eng_1"]


@pytest.mark.slow
def test_a_screen_that_is_open_for_hours(server: DemoServer, home: Path) -> None:
    before = sign_in(server, home)
    with Terminal([*GLBOARD, "--group", "top"], home) as screen:
        screen.wait(lambda text: "live" in text.partition("\n")[0], "the board")
        for count in (1, 2):
            server.world.clock.advance(7201)
            screen.press("r")
            screen.wait(partial(renewed, server, count), "a renewal")
            screen.wait(lambda text: "live" in text.partition("\n")[0], "the board")
        screen.press("q")
        assert screen.finish() == 0
    after = store_of(home).load(store_of(home).accounts()[0])
    assert isinstance(after, OAuthCredential)
    assert len(server.requests.of("POST /oauth/token")) == 2
    known = [one.reveal() for one in (before.access, before.refresh, after.access, after.refresh)]
    assert holding(home, *known) == {"credentials.json"}
