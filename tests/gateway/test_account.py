"""Addresses are normalised, and a Secret is never shown."""

from __future__ import annotations

import copy
import pickle
import traceback

import msgspec
import pytest

from glboard_core.errors import ConfigError
from glboard_core.gitlab.account import Account, Secret, normal_url

TOKEN = "glpat-NeverShowThis"


@pytest.mark.parametrize(
    ("given", "normal"),
    [
        ("gitlab.com", "https://gitlab.com"),
        ("https://gitlab.com/", "https://gitlab.com"),
        ("https://host/gitlab/", "https://host/gitlab"),
        ("host/gitlab", "https://host/gitlab"),
        ("https://host/api/v4", "https://host"),
        ("https://host/gitlab/api/graphql", "https://host/gitlab"),
        ("http://127.0.0.1:3000", "http://127.0.0.1:3000"),
        ("127.0.0.1:3000", "http://127.0.0.1:3000"),
        ("localhost:3000", "http://localhost:3000"),
        ("[::1]:3000", "http://[::1]:3000"),
        ("HTTPS://Host:8443", "https://host:8443"),
        ("bücher.example", "https://bücher.example"),
        ("  gitlab.com  ", "https://gitlab.com"),
    ],
)
def test_addresses(given: str, normal: str) -> None:
    assert normal_url(given) == normal
    assert normal_url(normal) == normal


@pytest.mark.parametrize(
    "given",
    [
        "",
        "ftp://host",
        "https://",
        "git lab.com",
        "https://host:port",
        "https://host/?a=b",
        "host:99999",
        "http://[::1",
    ],
)
def test_wrong_addresses(given: str) -> None:
    with pytest.raises(ConfigError) as caught:
        normal_url(given, where="--url")
    assert "--url" in str(caught.value)
    assert caught.value.hint


def test_a_password_in_an_address_is_rejected_and_not_shown() -> None:
    with pytest.raises(ConfigError) as caught:
        normal_url("https://me:hunter2@host")
    assert "hunter2" not in str(caught.value)


def test_a_secret_never_shows() -> None:
    secret = Secret(TOKEN)
    account = Account(url="https://host", token=secret, source="GITLAB_TOKEN")
    for shown in (repr(secret), str(secret), f"{secret}", f"{secret!r:>20}", repr(account), str([account])):
        assert TOKEN not in shown
    assert secret.reveal() == TOKEN
    assert secret == Secret(TOKEN)
    assert secret != Secret("other")
    assert not Secret("")


def test_a_secret_cannot_be_pickled() -> None:
    account = Account(url="https://host", token=Secret(TOKEN))
    with pytest.raises(TypeError):
        pickle.dumps(account.token)
    with pytest.raises(TypeError):
        copy.deepcopy(account.token)
    with pytest.raises(TypeError):
        msgspec.json.encode(account)


def test_traceback_locals_do_not_show_a_secret() -> None:
    account = Account(url="https://host", token=Secret(TOKEN))
    try:
        raise ValueError(account.url)
    except ValueError as error:
        shown = traceback.TracebackException.from_exception(error, capture_locals=True)
    assert TOKEN not in "".join(shown.format()).replace(f"TOKEN = {TOKEN!r}", "")
