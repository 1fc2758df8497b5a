"""Where host, group and token come from, in which order, and the errors of broken files."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType

import pytest

from glboard_core.auth.overview import overview
from glboard_core.auth.search import find_account
from glboard_core.config import GitLabSettings
from glboard_core.errors import ConfigError, TokenMissing, UsageError
from glboard_core.gitlab import glab
from glboard_core.gitlab.account import find_group

GLAB = """
# comments stay out
git_protocol: ssh
check_update: true # every day
host: gitlab.example.com
hosts:
    gitlab.com:
        token: glpat-com
        api_protocol: https
    gitlab.example.com:
        token: !!null glpat-example
        api_host: api.example.com
        api_protocol: https
        ca_cert: "/etc/my ca.pem"
    "old.example.com:8443":
        token: 'it-is-me'
        skip_tls_verify: true
    oauth.example.com:
        token: fresh
        is_oauth2: "true"
        oauth2_expiry_date: 01 Jan 60 12:00 UTC
    expired.example.com:
        token: stale
        is_oauth2: "true"
        oauth2_expiry_date: 01 Jan 20 12:00 UTC
    keyring.example.com:
        user: me
"""
PYTHON_GITLAB = """
[global]
default = work
[work]
url = https://work.example.com
private_token = glpat-work
ssl_verify = /etc/work.pem
[helper]
url = https://helper.example.com
oauth_token = helper: echo from-helper
[job]
url = https://job.example.com
job_token = only-a-job
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path


def write_glab(home: Path, text: str = GLAB, *, mode: int = 0o600) -> Path:
    file = home / ".config" / "glab-cli" / "config.yml"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    file.chmod(mode)
    return file


def test_arguments_and_environment(home: Path) -> None:
    account = find_account("gitlab.com", env={"GITLAB_TOKEN": "t", "GITLAB_HOST": "other"}, home=home)
    assert (account.url, account.token.reveal(), account.kind, account.source) == (
        "https://gitlab.com",
        "t",
        "token",
        "GITLAB_TOKEN",
    )


@pytest.mark.parametrize("name", ["GITLAB_HOST", "GITLAB_URI", "GL_HOST"])
def test_the_host_from_the_environment(home: Path, name: str) -> None:
    account = find_account(
        None,
        GitLabSettings(url="no"),
        env={name: "https://host/gitlab/", "GITLAB_TOKEN": "t"},
        home=home,
    )
    assert account.url == "https://host/gitlab"


@pytest.mark.parametrize(
    ("name", "kind"), [("GITLAB_TOKEN", "token"), ("GITLAB_ACCESS_TOKEN", "token"), ("OAUTH_TOKEN", "oauth")]
)
def test_the_token_from_the_environment(home: Path, name: str, kind: str) -> None:
    account = find_account(env={name: " t\n"}, home=home)
    assert (account.url, account.kind, account.token.reveal()) == ("https://gitlab.com", kind, "t")


def test_the_environment_comes_before_glab(home: Path) -> None:
    write_glab(home)
    account = find_account("gitlab.com", env={"GITLAB_TOKEN": "mine"}, home=home)
    assert account.token.reveal() == "mine"


def test_settings_name_the_host(home: Path) -> None:
    settings = GitLabSettings(url="set.example")
    assert find_account(None, settings, env={"GITLAB_TOKEN": "t"}, home=home).url == "https://set.example"


def test_glab(home: Path) -> None:
    file = write_glab(home)
    account = find_account("gitlab.com", env={}, home=home)
    assert (account.token.reveal(), account.source) == ("glpat-com", str(file))


def test_glabs_default_host(home: Path) -> None:
    write_glab(home)
    account = find_account(env={}, home=home)
    assert account.url == "https://api.example.com"
    assert account.token.reveal() == "glpat-example"
    assert account.verify == "/etc/my ca.pem"


def test_glab_with_a_port_and_without_verification(home: Path) -> None:
    write_glab(home)
    account = find_account("https://old.example.com:8443", env={}, home=home)
    assert (account.token.reveal(), account.verify) == ("it-is-me", False)


def test_glabs_oauth_token(home: Path) -> None:
    write_glab(home)
    account = find_account("oauth.example.com", env={}, home=home)
    assert (account.kind, account.token.reveal()) == ("oauth", "fresh")


def test_an_expired_sign_in_is_reported(home: Path) -> None:
    write_glab(home)
    with pytest.raises(TokenMissing, match="expired"):
        find_account("expired.example.com", env={}, home=home)


def test_a_relative_address_keeps_its_path(home: Path) -> None:
    write_glab(home)
    assert find_account("https://gitlab.com/sub", env={}, home=home).url == "https://gitlab.com/sub"


@pytest.mark.parametrize("variable", ["GLAB_CONFIG_DIR", "XDG_CONFIG_HOME", "XDG_CONFIG_DIRS"])
def test_where_glab_looks(home: Path, tmp_path: Path, variable: str) -> None:
    folder = tmp_path / "elsewhere"
    place = folder if variable == "GLAB_CONFIG_DIR" else folder / "glab-cli"
    place.mkdir(parents=True)
    file = place / "config.yml"
    file.write_text("hosts:\n  gitlab.com:\n    token: there\n")
    file.chmod(0o600)
    value = f"/nowhere:{folder}" if variable == "XDG_CONFIG_DIRS" else str(folder)
    assert find_account("gitlab.com", env={variable: value}, home=home).token.reveal() == "there"


def test_a_file_open_to_others_is_refused(home: Path) -> None:
    file = write_glab(home, mode=0o644)
    with pytest.raises(ConfigError, match="chmod 600") as caught:
        find_account("gitlab.com", env={}, home=home)
    assert str(file) in caught.value.where
    # It is not read if not needed.
    assert find_account("gitlab.com", env={"GITLAB_TOKEN": "t"}, home=home).token


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("hosts:\n\tgitlab.com:\n", 2),
        ("hosts\n", 1),
        ("hosts:\n    a:\n        token: x\n      b: c\n", 4),
        ('hosts:\n  a:\n    token: "open\n', 3),
        ("token: &anchor x\n", 1),
        ("a: 1\na: 2\n", 2),
        ("<<<<<<< HEAD\n", 1),
        ("note: |\n  text\n", 1),
    ],
)
def test_a_broken_file_is_named_with_its_line(home: Path, text: str, line: int) -> None:
    file = write_glab(home, text)
    with pytest.raises(ConfigError) as caught:
        find_account("gitlab.com", env={}, home=home)
    assert caught.value.where == f"{file}:{line}"


def test_a_binary_file_is_an_error(home: Path) -> None:
    write_glab(home).write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="cannot read this file"):
        find_account("gitlab.com", env={}, home=home)


def test_what_yaml_is_read() -> None:
    text = "---\na: 1\nb:\n  'c d': \"x\\ty # no\" # yes\n  e: ~\n  list:\n    - one\n    - two\nf: [1, 2]\n"
    assert glab.read_yaml(text, "f") == {
        "a": "1",
        "b": {"c d": "x\ty # no", "e": "", "list": ""},
        "f": "[1, 2]",
    }


def test_the_keyring(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class KeyringError(Exception):
        pass

    keyring, errors = ModuleType("keyring"), ModuleType("keyring.errors")
    errors.KeyringError = KeyringError  # type: ignore[attr-defined]
    kept = {("glab:keyring.example.com", ""): "from-keyring"}
    keyring.get_password = lambda service, user: kept.get((service, user))  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "keyring", keyring)
    monkeypatch.setitem(sys.modules, "keyring.errors", errors)
    write_glab(home)
    account = find_account("keyring.example.com", env={}, home=home)
    assert account.token.reveal() == "from-keyring"
    assert "keyring" in account.source

    def locked(service: str, user: str) -> str:
        raise KeyringError("locked")

    keyring.get_password = locked  # type: ignore[attr-defined]
    with pytest.raises(TokenMissing, match="keyring"):
        find_account("keyring.example.com", env={}, home=home)


def test_without_the_keyring_package(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "keyring", None)
    write_glab(home)
    with pytest.raises(TokenMissing, match=r"no token for keyring\.example\.com"):
        find_account("keyring.example.com", env={}, home=home)


def write_python_gitlab(home: Path, text: str = PYTHON_GITLAB) -> Path:
    file = home / ".python-gitlab.cfg"
    file.write_text(text)
    file.chmod(0o600)
    return file


def test_python_gitlabs_default(home: Path) -> None:
    file = write_python_gitlab(home)
    account = find_account(env={}, home=home)
    assert (account.url, account.token.reveal(), account.verify, account.source) == (
        "https://work.example.com",
        "glpat-work",
        "/etc/work.pem",
        str(file),
    )


def test_python_gitlabs_helper(home: Path) -> None:
    write_python_gitlab(home)
    account = find_account("helper.example.com", env={}, home=home)
    assert (account.kind, account.token.reveal(), account.verify) == ("oauth", "from-helper", True)


def test_a_job_token_is_not_used(home: Path) -> None:
    write_python_gitlab(home)
    with pytest.raises(TokenMissing, match="no token that works with GraphQL"):
        find_account("job.example.com", env={}, home=home)


def test_python_gitlabs_file_by_name(home: Path, tmp_path: Path) -> None:
    file = tmp_path / "mine.cfg"
    file.write_text(PYTHON_GITLAB)
    file.chmod(0o600)
    account = find_account("work.example.com", env={"PYTHON_GITLAB_CFG": str(file)}, home=home)
    assert account.token.reveal() == "glpat-work"
    with pytest.raises(ConfigError, match="file not found"):
        find_account("work.example.com", env={"PYTHON_GITLAB_CFG": str(tmp_path / "no.cfg")}, home=home)


@pytest.mark.parametrize("text", ["not an ini file", "[a]\nurl = x\n[a]\n"])
def test_a_broken_python_gitlab_file(home: Path, text: str) -> None:
    file = write_python_gitlab(home, text)
    with pytest.raises(ConfigError) as caught:
        find_account("work.example.com", env={}, home=home)
    assert str(file) in caught.value.where


def test_a_failing_helper_is_reported(home: Path) -> None:
    write_python_gitlab(home, "[global]\ndefault=x\n[x]\nurl=https://x.example\noauth_token=helper: false\n")
    with pytest.raises(ConfigError, match="helper"):
        find_account("x.example", env={}, home=home)


def test_no_token_anywhere(home: Path) -> None:
    with pytest.raises(TokenMissing) as caught:
        find_account("gitlab.example.com", env={}, home=home)
    said = str(caught.value)
    for word in ("gitlab.example.com", "GITLAB_TOKEN", "glab", "python-gitlab", "scope “api”"):
        assert word in said


def test_the_group() -> None:
    env = {"GLBOARD_GROUP": "from/env"}
    assert find_group("/given/", env=env) == "given"
    assert find_group(None, env=env, configured="c") == "from/env"
    assert find_group("", env={}, configured="c") == "c"
    for page in (
        "a/b",
        "/a/b/",
        "https://gitlab.example.com/a/b",
        "https://host/groups/a/b/-/boards/7?x=y#z",
    ):
        assert find_group(page, env={}) == "a/b"


@pytest.mark.parametrize("token", ["two words", "line\nbreak", "caf\xe9", "nul\0", "\u200bzero"])
def test_a_token_that_cannot_be_sent_is_refused_and_never_quoted(token: str, home: Path) -> None:
    with pytest.raises(ConfigError, match="GITLAB_TOKEN") as found:
        find_account("gitlab.com", env={"GITLAB_TOKEN": token}, home=home)
    assert token not in f"{found.value!r} {found.value} {found.value.hint}"


def test_a_token_is_not_sent_unencrypted(home: Path) -> None:
    env = {"GITLAB_TOKEN": "t"}
    with pytest.raises(ConfigError, match="not encrypted"):
        find_account("http://gitlab.example.com", env=env, home=home)
    allowed = GitLabSettings(allow_http=True)
    assert find_account("http://gitlab.example.com", allowed, env=env, home=home).token
    assert find_account("http://127.0.0.1:3000", env=env, home=home).token


def test_a_token_stored_for_https_is_not_used_over_http(home: Path) -> None:
    write_glab(home)
    with pytest.raises(TokenMissing, match="not for http"):
        find_account("http://gitlab.com", GitLabSettings(allow_http=True), env={}, home=home)
    with pytest.raises(UsageError, match="--group"):
        find_group(None, env={})


def test_what_the_files_say_of_a_certificate_holds_for_any_token(home: Path) -> None:
    env = {"GITLAB_TOKEN": "t"}
    glab_file, own = write_glab(home), write_python_gitlab(home)
    found = find_account("https://gitlab.example.com", env=env, home=home)
    assert (found.verify, found.verified_by) == ("/etc/my ca.pem", f"ca_cert in {glab_file}")
    found = find_account("old.example.com:8443", env=env, home=home)
    assert (found.verify, found.verified_by) == (False, f"skip_tls_verify in {glab_file}")
    found = find_account("work.example.com", env=env, home=home)
    assert (found.verify, found.verified_by) == ("/etc/work.pem", f"ssl_verify in {own}")
    assert find_account("gitlab.com", env=env, home=home).verify is True
    # A token of python-gitlab's, and glab knows the certificate.
    write_glab(home, "hosts:\n  work.example.com:\n    skip_tls_verify: true\n")
    found = find_account("work.example.com", env={}, home=home)
    assert (found.token.reveal(), found.verify) == ("glpat-work", False)
    # Others can read the file, which is no secret then, but not if they can write it.
    glab_file.chmod(0o644)
    assert find_account("work.example.com", env=env, home=home).verify is False
    glab_file.chmod(0o666)
    assert find_account("work.example.com", env=env, home=home).verify == "/etc/work.pem"


@pytest.mark.parametrize(
    ("said", "verify"), [("false", False), ("no", False), ("1", True), ("/a b.pem", "/a b.pem")]
)
def test_python_gitlabs_ssl_verify_for_all_servers(home: Path, said: str, verify: bool | str) -> None:
    write_python_gitlab(home, f"[global]\nssl_verify = {said}\n[x]\nurl = https://x.example\n")
    found = find_account("x.example", env={"GITLAB_TOKEN": "t"}, home=home)
    assert found.verify == verify


@pytest.mark.parametrize(
    "more", ["timeout = glpat-planted", "job_token = %(glpat-planted)s", "per_page = x", "ssl_verify = %("]
)
def test_no_value_of_a_python_gitlab_file_is_shown(more: str, home: Path) -> None:
    file = write_python_gitlab(
        home, f"[global]\ndefault=x\n[x]\nurl=https://x.example\nprivate_token=t\n{more}\n"
    )
    with pytest.raises(ConfigError, match="cannot read this file") as told:
        find_account(None, env={}, home=home)
    assert str(file) in told.value.message
    assert "planted" not in f"{told.value.message}{told.value.what_to_do}"


def test_a_python_gitlab_file_that_others_can_read_is_used_and_warned_of(home: Path) -> None:
    file = write_python_gitlab(home)
    file.chmod(0o644)
    assert find_account("work.example.com", env={}, home=home).exposed == str(file)
    listed = [one for one in overview(None, env={}, home=home).accounts if one.origin == "python-gitlab"]
    assert f"chmod 600 {file}" in listed[0].message
    file.chmod(0o600)
    assert not find_account("work.example.com", env={}, home=home).exposed
    file.chmod(0o644)
    # Where only a program tells it, there is nothing to read.
    file.write_text("[global]\ndefault=x\n[x]\nurl=https://x.example\nprivate_token = helper: echo told\n")
    told = find_account(None, env={}, home=home)
    assert (told.token.reveal(), told.exposed) == ("told", "")


@pytest.mark.parametrize("group", ["http://[x", "https://a]b/c"])
def test_a_group_in_no_valid_url_is_wrong_use(group: str) -> None:
    with pytest.raises(UsageError, match="not a valid URL"):
        find_group(group, env={})


def test_a_token_in_the_url_of_a_group_is_no_part_of_it() -> None:
    url = (
        "https://oauth2:glpat-planted@gitlab.example.com/groups/top/sub/-/boards?private_token=glpat-planted"
    )
    assert find_group(url, env={}) == "top/sub"
