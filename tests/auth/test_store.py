"""glboard's own sign-ins on disk: in the keyring or in a file that only the owner can read, never in both."""

from __future__ import annotations

import stat
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from glboard_core.auth import keyring_access
from glboard_core.auth.credential import Credential, OAuthCredential, TokenCredential
from glboard_core.auth.store import CredentialStore
from glboard_core.errors import AuthError, ConfigError, StoreFailed
from glboard_core.gitlab.account import Secret
from support.keyrings import FakeKeyring

URL = "https://gitlab.example.com"
PERSONAL = TokenCredential(secret=Secret("glpat-planted"), scopes=("api",), expires_on=date(2027, 3, 1))
PAIR = OAuthCredential(
    access=Secret("access-planted"),
    refresh=Secret("refresh-planted"),
    client_id="app",
    scopes=("api",),
    expires_at=datetime(2026, 12, 7, 17, tzinfo=UTC),
    lifetime=7200,
)


@pytest.fixture
def ring(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeKeyring]:
    """A keyring that works."""
    found = FakeKeyring(tmp_path)
    monkeypatch.syspath_prepend(str(found.path))
    for name in ("keyring", "keyring.errors"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    yield found
    for name in ("keyring", "keyring.errors"):
        sys.modules.pop(name, None)


@pytest.fixture(autouse=True)
def no_real_keyring(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    """Without the fixture ``ring`` the package is not installed."""
    if "ring" not in request.fixturenames:
        monkeypatch.setitem(sys.modules, "keyring", None)


@pytest.mark.parametrize("credential", [PERSONAL, PAIR])
def test_a_file_that_only_the_owner_can_read(store: CredentialStore, credential: Credential) -> None:
    account = store.save(URL, "em_willow", credential, name="Em Willow")
    assert (account.kept, account.kind) == ("file", credential.kind)
    assert store.load(account) == credential
    assert stat.S_IMODE(store.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(store.path.parent.stat().st_mode) == 0o700
    (found,) = store.accounts()
    assert (found.url, found.user, found.name, found.scopes) == (URL, "em_willow", "Em Willow", ("api",))
    # No token in what is shown, and no file left from writing.
    assert "planted" not in repr(store.accounts()) + repr(store.load(account))
    assert {one.name for one in store.path.parent.iterdir()} == {"credentials.json", "credentials.json.lock"}


def test_a_mode_that_others_can_read_is_refused(store: CredentialStore) -> None:
    store.save(URL, "me", PERSONAL)
    store.path.chmod(0o644)
    with pytest.raises(ConfigError, match="chmod 600"):
        store.accounts()
    # As it was: homes are looked through for tokens that others can read.
    store.path.chmod(0o600)


@pytest.mark.parametrize("content", ["", "{", '{"accounts": [{}]}', "[" * 5000, '{"accounts": 1}', "\0"])
def test_a_damaged_file_is_named_with_what_to_do(store: CredentialStore, content: str) -> None:
    store.save(URL, "me", PERSONAL)
    store.path.write_text(content)
    with pytest.raises(ConfigError, match="damaged") as caught:
        store.accounts()
    assert "glboard auth login" in caught.value.hint


def test_a_token_that_is_no_text_is_damage(store: CredentialStore) -> None:
    store.save(URL, "me", PERSONAL)
    store.path.write_text(store.path.read_text().replace('"glpat-planted"', "17"))
    with pytest.raises(ConfigError, match="damaged"):
        store.accounts()


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreFailed, match="Cannot write"):
        CredentialStore(tmp_path / "file" / "below").save(URL, "me", PERSONAL)


def test_several_servers_and_users(store: CredentialStore) -> None:
    other = "https://other.example.com/gitlab"
    for url, user in ((URL, "one"), (URL, "two"), (other, "one")):
        store.save(url, user, TokenCredential(secret=Secret(f"{user}-{url}")))
    assert [(one.host, one.user) for one in store.accounts()] == [
        ("other.example.com", "one"),
        ("gitlab.example.com", "two"),
        ("gitlab.example.com", "one"),
    ]
    for url, user, found in ((URL, "", "two"), (URL, "one", "one"), (other, "", "one")):
        account = store.find(url, user)
        assert account is not None
        assert account.user == found
    assert store.find(URL, "three") is None
    assert store.find("https://gitlab.com") is None
    # Who signs in again is the last one.
    store.save(URL, "one", PERSONAL)
    assert (store.accounts()[0].user, len(store.accounts())) == ("one", 3)
    store.delete(store.accounts()[0])
    assert [one.user for one in store.accounts()] == ["one", "two"]


def test_a_renewal_changes_no_order(store: CredentialStore) -> None:
    one = store.save(URL, "one", PAIR)
    store.save(URL, "two", PAIR)
    store.update(one, PAIR)
    assert [each.user for each in store.accounts()] == ["two", "one"]
    # Whoever signed out meanwhile stays signed out.
    store.delete(one)
    store.update(one, PAIR)
    assert [each.user for each in store.accounts()] == ["two"]


def test_the_keyring(store: CredentialStore, ring: FakeKeyring) -> None:
    account = store.save(URL, "me", PAIR)
    assert account.kept == "keyring"
    assert store.place("keyring", account) == "the keyring (glboard:gitlab.example.com)"
    assert "refresh-planted" in ring.text
    assert "planted" not in store.path.read_text()
    assert store.load(account) == PAIR
    store.delete(account)
    assert "planted" not in ring.text
    assert store.accounts() == ()


@pytest.mark.parametrize("mode", ["locked", "broken", "null"])
def test_a_keyring_that_cannot_be_used(store: CredentialStore, ring: FakeKeyring, mode: str) -> None:
    ring.become(mode)
    assert bool(keyring_access.trouble()) == (mode != "null")
    account = store.save(URL, "me", PERSONAL)
    assert account.kept == "file"
    assert store.load(account) == PERSONAL


@pytest.mark.parametrize("mode", ["locked", "broken"])
def test_a_keyring_that_is_locked_later(store: CredentialStore, ring: FakeKeyring, mode: str) -> None:
    account = store.save(URL, "me", PAIR)
    ring.become(mode)
    for act in (store.load, store.delete):
        with pytest.raises(AuthError, match="Cannot use the keyring") as caught:
            act(account)
        assert "Secret text" not in str(caught.value)
    # The sign-in is still listed: it is there when the keyring is unlocked.
    assert store.accounts() == (account,)
    ring.become("")
    assert store.load(account) == PAIR


def test_never_in_both_places(store: CredentialStore, ring: FakeKeyring) -> None:
    store.save(URL, "me", PERSONAL, keyring=False)
    assert "planted" in store.path.read_text()
    store.save(URL, "me", PERSONAL)
    assert ("planted" in store.path.read_text(), "planted" in ring.text) == (False, True)
    store.save(URL, "me", PERSONAL, keyring=False)
    assert ("planted" in store.path.read_text(), "planted" in ring.text) == (True, False)


def test_an_entry_that_somebody_deleted_in_the_keyring(store: CredentialStore, ring: FakeKeyring) -> None:
    account = store.save(URL, "me", PERSONAL)
    keyring_access.delete(account.service, account.user)
    assert store.load(account) is None
    store.delete(account)
    assert store.accounts() == ()


WRITER = """
import sys
from pathlib import Path
from glboard_core.auth.credential import TokenCredential
from glboard_core.auth.store import CredentialStore
from glboard_core.gitlab.account import Secret
store = CredentialStore(Path(sys.argv[1]))
for n in range(20):
    one = TokenCredential(secret=Secret("x"))
    store.save(f"https://{sys.argv[2]}{n}.example.com", "me", one, keyring=False)
"""


def test_two_processes_that_write_at_once_lose_nothing(store: CredentialStore) -> None:
    folder = str(store.path.parent)
    running = [subprocess.Popen([sys.executable, "-c", WRITER, folder, name]) for name in ("a", "b")]
    assert [one.wait() for one in running] == [0, 0]
    assert len(store.accounts()) == 40


@pytest.mark.parametrize(
    ("prefix", "said"),
    [
        ("/x/pipx/venvs/glboard", "pipx inject glboard keyring"),
        ("/x/uv/tools/glboard", "uv pip install --python /x/uv/tools/glboard keyring"),
        ("/x/venv", "/x/venv/bin/python -m pip install keyring"),
    ],
)
def test_the_command_that_installs_the_package(prefix: str, said: str) -> None:
    assert keyring_access.install_command(prefix) == said
