"""A pasted address: the server, and what its path is of."""

from __future__ import annotations

import pytest

from glboard_core.errors import ConfigError
from glboard_core.setup.addresses import ServerPlace, place_in, places_in


@pytest.mark.parametrize(
    ("text", "url", "path"),
    [
        ("gitlab.com", "https://gitlab.com", ""),
        ("https://gitlab.example.com/", "https://gitlab.example.com", ""),
        ("https://h/groups/my-org/team/-/boards/12?assignee=x", "https://h", "my-org/team"),
        ("https://h/my-org/team", "https://h", "my-org/team"),
        ("https://h/groups/my-org", "https://h", "my-org"),
        ("https://h/my-org/app/-/issues/1#note_2", "https://h", "my-org/app"),
        ("https://h/my-org/app/issues/1", "https://h", "my-org/app"),
        ("  <https://h/my-org/app/-/milestones>  ", "https://h", "my-org/app"),
        ("https://h/-/user_settings/personal_access_tokens", "https://h", ""),
        ("https://h/dashboard/issues", "https://h", ""),
        ("https://h/users/sign_in", "https://h", ""),
        ("http://127.0.0.1:8080/demo-org/platform/-/issues", "http://127.0.0.1:8080", "demo-org/platform"),
        ("localhost:3000/a/b", "http://localhost:3000", "a/b"),
        ("h?x=1", "https://h", ""),
        ("https://h/my%20org/team", "https://h", "my org/team"),
    ],
)
def test_any_page_is_understood(text: str, url: str, path: str) -> None:
    assert (place_in(text).url, place_in(text).path) == (url, path)


def test_a_server_below_a_path_is_tried_second() -> None:
    first, second = places_in("https://h/gitlab/groups/my-org/-/boards")
    assert (first.url, first.path) == ("https://h", "gitlab/groups/my-org")
    assert (second.url, second.path) == ("https://h/gitlab", "my-org")
    # Nothing in an address tells a group from the path of a server.
    assert places_in("https://h/gitlab")[1] == ServerPlace("https://h/gitlab")
    assert len(places_in("https://h")) == 1


@pytest.mark.parametrize("text", ["", "ftp://h/x", "https://user:secret@h/x", "https://"])
def test_what_is_no_address_is_refused_without_repeating_a_password(text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        place_in(text)
    assert "secret" not in str(caught.value)
