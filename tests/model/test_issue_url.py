"""URLs as people copy them from GitLab's pages."""

from __future__ import annotations

from base64 import b64encode

import pytest

from glboard_core.model.address import IssueAddress, issue_address, on_server
from glboard_core.model.issue_url import IssueUrl, is_of_group, issue_url

H = "https://gitlab.example.com"


def drawer(path: str, iid: str = "12") -> str:
    """What GitLab puts into the query while a drawer is open; it leaves out no signs at the end."""
    return b64encode(f'{{"iid":"{iid}","full_path":"{path}","id":7}}'.encode()).decode()


@pytest.mark.parametrize(
    "path",
    [
        "/top/app/-/issues/12",
        "/top/app/-/issues/12#note_3",
        "/top/app/-/issues/12?show=1",
        "/top/app/-/issues/12/",
        "/top/app/issues/12",
        "/top/app/-/work_items/12",
        "/top/app/-/issues/incident/12",
        "/top/app/-/issues/12/designs/sketch.png",
        f"/groups/top/-/issues?state=opened&show={drawer('top/app')}",
        f"/groups/top/-/boards/3?show={drawer('top/app')}",
        f"/top/app/-/boards/3?show={drawer('top/app').rstrip('=')}",
        f"/dashboard/issues?show={drawer('top/app')}",
    ],
)
def test_an_issue_is_found_by_every_url_of_it(path: str) -> None:
    assert issue_url(H + path) == IssueUrl("gitlab.example.com", "top/app", 12)
    assert not is_of_group(H + path)
    # Below a relative root the path is the server's, too.
    below = issue_address(f"{H}/code{path}")
    assert below is not None
    assert on_server(below, "gitlab.example.com/code") == IssueAddress("top/app", 12, "gitlab.example.com")


@pytest.mark.parametrize(
    "path",
    [
        "/groups/top/-/work_items/12",
        "/top/app/-/merge_requests/12",
        "/top/app",
        f"/groups/top/-/epics?show={drawer('top')}",
        f"/groups/top/-/issues?show={drawer('top/app', 'x')}",
        "/groups/top/-/issues?show=%%%",
        "/groups/top/-/issues?show=bnVsbA==",
    ],
)
def test_what_is_no_issue_is_none(path: str) -> None:
    assert issue_url(H + path) is None


def test_a_work_item_of_a_group_is_told() -> None:
    assert is_of_group(f"{H}/groups/top/-/work_items/12")
    assert not is_of_group("http://[::1/x")
