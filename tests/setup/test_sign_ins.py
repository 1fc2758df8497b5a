"""The sign-ins that a machine has already: from where, whose, and none that is of no use."""

from __future__ import annotations

from pathlib import Path

import pytest

from glboard_core.auth.credential import TokenCredential
from glboard_core.auth.store import CredentialStore
from glboard_core.errors import GlboardError
from glboard_core.gitlab.account import Secret
from glboard_core.setup.progress import Progress, ProgressFile
from glboard_core.setup.sign_ins import FoundSignIn, SignIns

TOKEN = "glpat-of-this-machine"
GLAB = f"""hosts:
    gitlab.example.com:
        token: {TOKEN}
        user: rowan
    old.example.com:
        token: {TOKEN}
        is_oauth2: "true"
        oauth2_expiry_date: 01 Jan 20 10:00 UTC
"""
PYTHON_GITLAB = f"[global]\ndefault = work\n[work]\nurl = https://git.example.org\nprivate_token = {TOKEN}\n"
NETRC = f"machine gitlab.example.net login elm password {TOKEN}\nmachine github.com login x password y\n"


def private(path: Path, text: str) -> None:
    """A file that only its owner can read."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
    path.chmod(0o600)


@pytest.fixture
def machine(tmp_path: Path) -> SignIns:
    """A machine with a sign-in of every kind."""
    private(tmp_path / ".config" / "glab-cli" / "config.yml", GLAB)
    private(tmp_path / ".python-gitlab.cfg", PYTHON_GITLAB)
    private(tmp_path / ".netrc", NETRC)
    store = CredentialStore(tmp_path / "state" / "glboard")
    store.save("https://own.example.com", "oak", TokenCredential(secret=Secret(TOKEN)), keyring=False)
    env = {
        "XDG_STATE_HOME": str(tmp_path / "state"),
        "GITLAB_TOKEN": TOKEN,
        "GITLAB_HOST": "env.example.com",
    }
    return SignIns(env=env, home=tmp_path)


def test_all_sources_are_found_in_the_order_in_which_they_count(machine: SignIns) -> None:
    found = machine.found()
    assert [(one.source, one.host, one.user) for one in found] == [
        ("environment", "env.example.com", ""),
        ("glboard", "own.example.com", "oak"),
        ("glab", "gitlab.example.com", "rowan"),
        ("glab", "old.example.com", ""),
        ("python-gitlab", "git.example.org", ""),
        ("netrc", "gitlab.example.net", "elm"),
    ]
    assert [one.host for one in found if one.problem] == ["old.example.com"]
    assert TOKEN not in repr(found)


def test_each_gives_the_account_that_is_used(machine: SignIns) -> None:
    for one in machine.found():
        account = machine.account(one)
        assert account.url == one.url
        # Ours reads its token at the first request.
        assert (account.token == Secret(TOKEN)) == (one.source != "glboard")
        assert (account.tokens is not None) == (one.source == "glboard")


def test_an_empty_machine_has_none(tmp_path: Path) -> None:
    assert SignIns(env={}, home=tmp_path).found() == ()


def test_a_file_that_cannot_be_read_hides_no_other(tmp_path: Path) -> None:
    path = tmp_path / ".config" / "glab-cli" / "config.yml"
    private(path, GLAB)
    path.chmod(0o644)
    private(tmp_path / ".netrc", NETRC)
    found = SignIns(env={"XDG_STATE_HOME": str(tmp_path)}, home=tmp_path).found()
    assert [one.source for one in found] == ["netrc"]


def test_what_is_gone_meanwhile_is_said(tmp_path: Path) -> None:
    gone = SignIns(env={"XDG_STATE_HOME": str(tmp_path)}, home=tmp_path)
    for source in ("environment", "glboard", "glab", "python-gitlab", "netrc"):
        with pytest.raises(GlboardError, match="has no token for gone"):
            gone.account(FoundSignIn(url="https://gone.example.com", source=source))


def test_answers_are_kept_and_forgotten(tmp_path: Path) -> None:
    file = ProgressFile(tmp_path / "state")
    assert file.load() == Progress()
    answers = Progress(url="https://h", group="a/b", chosen={"labels.spike": ("x",), "labels.group": ()})
    file.keep(answers)
    assert file.load() == answers
    assert file.path.stat().st_mode & 0o077 == 0
    file.path.write_bytes(b"{")
    assert file.load() == Progress()
    file.forget()
    file.forget()
    assert not file.path.exists()


def test_answers_that_cannot_be_kept_are_asked_again(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file", "utf-8")
    file = ProgressFile(tmp_path / "state")
    file.keep(Progress(url="https://h"))
    assert file.load() == Progress()
