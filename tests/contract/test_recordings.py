"""Answers that a real GitLab EE 18.9 gave to this program's requests, one exchange a file in ``recordings``.

Each is understood by the program, and the embedded GitLab gives the same answer to the same request: the same
keys, types and nulls, and for an error the same words. Data in them is invented.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import httpx
import msgspec
import pytest
import respx

from glboard_core.demo.http.server import DemoServer
from glboard_core.demo.sample.scenario import load_scenario
from glboard_core.demo.world.records import Label, Milestone
from glboard_core.errors import GlboardError
from glboard_core.gitlab.account import Account, Secret
from glboard_core.gitlab.gateway import GitLabGateway
from glboard_core.gitlab.http import Limits
from glboard_core.model.catalog import Server
from glboard_core.model.issue import Issue
from glboard_core.model.query import IssueQuery
from support import make
from support.shared import SCENARIO, needs_scenario

FOLDER = Path(__file__).parent / "recordings"
NAMES = sorted(path.stem for path in FOLDER.glob("*.json"))
ROOT = "rec-org"
T = TypeVar("T")


class Exchange(msgspec.Struct):
    """A request and its answer."""

    method: str
    path: str
    status: int
    headers: dict[str, str]
    request: Any
    answer: Any


def exchange(name: str) -> Exchange:
    return msgspec.json.decode((FOLDER / f"{name}.json").read_bytes(), type=Exchange)


@pytest.fixture(scope="module")
def server() -> Iterator[DemoServer]:
    with DemoServer(load_scenario(SCENARIO)) as one:
        yield one


def there(value: Any, root: str) -> Any:
    """The same value with the group's path on the embedded GitLab."""
    return msgspec.json.decode(re.sub(rb"\brec-org\b", root.encode(), msgspec.json.encode(value)))


def token_of(name: str, server: DemoServer) -> str | None:
    if name.startswith("error-no-"):
        return None
    if name in ("error-wrong-token", "error-rest-401"):
        return "glpat-wrong"
    scope = "read_api" if name in ("error-read-api-mutation", "error-rest-403") else "api"
    return server.token_for("em_maple", scope)


def asked(server: DemoServer, name: str) -> httpx.Response:
    recorded, root = exchange(name), server.world.root.full_path
    token = token_of(name, server)
    path, request = with_ids_of(server, recorded.path.replace(ROOT, root), there(recorded.request, root))
    return httpx.request(
        recorded.method,
        server.url + path,
        json=request,
        headers={"authorization": f"Bearer {token}"} if token is not None else {},
        timeout=10,
    )


def with_ids_of(server: DemoServer, path: str, request: Any) -> tuple[str, Any]:
    """The request with ids of the embedded GitLab for those of the recorded one."""
    world = server.world
    if "/boards/2" in path:
        board = next((one for one in world.boards.values() if one.name == "Recorded"), None)
        path = path.replace("/boards/2", f"/boards/{(board or world.add_board(world.root, 'Recorded')).id}")
    titles: dict[str, tuple[str, Iterable[Label | Milestone]]] = {
        "label_id": ("type::bug", world.labels.values()),
        "milestone_id": ("19.8", world.milestones.values()),
    }
    for key, (title, known) in titles.items():
        if isinstance(request, dict) and key in request:
            request = {**request, key: next(one.id for one in known if one.title == title)}
    own = world.issue(f"{world.root.full_path}/platform#4240").id
    return path, msgspec.json.decode(msgspec.json.encode(request).replace(b"/Issue/84", b"/Issue/%d" % own))


#: A value that may be any kind of its JSON: an id differs, a text is another one.
Shape = Any


def shape(value: Any) -> Shape:
    """The keys and kinds of a value. Of a list, those of all its rows together; null is its own kind."""
    if isinstance(value, dict):
        return {key: shape(one) for key, one in value.items()}
    if isinstance(value, list):
        rows: Shape = None
        for one in value:
            rows = joined(rows, shape(one))
        return [rows]
    return "null" if value is None else type(value).__name__


def joined(one: Shape, other: Shape) -> Shape:
    """What both shapes have; a value that is null in one is as in the other."""
    if one is None or one == "null":
        return other
    if other is None or other == "null":
        return one
    if isinstance(one, dict) and isinstance(other, dict):
        return {key: joined(one.get(key), other.get(key)) for key in one | other}
    if isinstance(one, list) and isinstance(other, list):
        return [joined(one[0], other[0])]
    return one if one == other else f"{one}|{other}"


def differences(real: Shape, ours: Shape, at: str = "") -> Iterator[str]:
    """Where two shapes differ, in words."""
    if real == ours or real in (None, "null") or ours in (None, "null"):
        return
    if isinstance(real, dict) and isinstance(ours, dict):
        for key in sorted(real | ours):
            if key not in ours:
                yield f"{at}.{key} is missing"
            elif key not in real:
                yield f"{at}.{key} is not in GitLab's"
            else:
                yield from differences(real[key], ours[key], f"{at}.{key}")
    elif isinstance(real, list) and isinstance(ours, list):
        yield from differences(real[0], ours[0], f"{at}[]")
    elif {real, ours} != {"int", "float"}:
        yield f"{at} is {ours}, GitLab's {real}"


#: Ids of the recorded server are in these requests: what they address does not exist here.
ELSEWHERE = {"owners", "owners-2", "read", "read-2"}
#: The parser's own words, and a second error that only GitLab's parser gives.
OWN_WORDS = {"error-syntax", "error-too-deep"}


@needs_scenario
@pytest.mark.parametrize("name", [name for name in NAMES if name not in ELSEWHERE])
def test_the_embedded_gitlab_answers_alike(server: DemoServer, name: str) -> None:
    recorded = exchange(name)
    answer = asked(server, name)
    assert answer.status_code == recorded.status
    if isinstance(recorded.answer, str):
        assert "redirected" in answer.text
        return
    ours = answer.json()
    assert list(differences(shape(recorded.answer), shape(ours))) == []
    if name.startswith("error-") and name not in OWN_WORDS:
        assert words(ours) == there(words(recorded.answer), server.world.root.full_path)


def words(answer: Any) -> list[str]:
    """The texts of an answer's errors."""
    if isinstance(answer, list):
        return [text for one in answer for text in words(one)]
    found = [one["message"] for one in answer.get("errors", [])]
    for payload in (answer.get("data") or {}).values():
        if isinstance(payload, dict):
            found += payload.get("errors", [])
    return [*found, *(str(answer[key]) for key in ("message", "error") if key in answer)]


# The program understands what a real GitLab answered.

HOST = "https://gitlab.example.com"


async def answered(name: str, job: Callable[[GitLabGateway], Awaitable[T]]) -> T:
    """What a gateway makes of a recorded answer, whatever it asks."""
    recorded = exchange(name)
    content = (
        recorded.answer.encode() if isinstance(recorded.answer, str) else msgspec.json.encode(recorded.answer)
    )
    account = Account(url=HOST, token=Secret("t"))
    limits = Limits(attempts=1, first_wait=0.001, patience=1.0)
    with respx.mock(assert_all_called=False) as router:
        answer = httpx.Response(recorded.status, content=content, headers=recorded.headers)
        router.route(url__startswith=HOST).mock(return_value=answer)
        async with GitLabGateway(account, ROOT, server=Server(version="18.9.0-ee"), limits=limits) as gateway:
            return await job(gateway)


async def pages(gateway: GitLabGateway) -> list[Issue]:
    return [issue async for page in gateway.pages(IssueQuery()) for issue in page]


@pytest.mark.parametrize("name", [name for name in NAMES if re.fullmatch(r"issues(-\d)?", name)])
async def test_recorded_issues_are_read(name: str) -> None:
    rows = exchange(name).answer["data"]["group"]["issues"]["nodes"]
    found = await answered(name, pages)
    assert [issue.id for issue in found] == [row["id"] for row in rows]
    for issue, row in zip(found, rows, strict=True):
        if "title" in row:
            assert (issue.title, issue.weight, issue.position) == (
                row["title"],
                row["weight"],
                row["relativePosition"],
            )
            assert issue.labels == {label["title"] for label in row["labels"]["nodes"]}


ERRORS = [name for name in NAMES if name.startswith("error-") and name != "error-batch"]


@pytest.mark.parametrize("name", ERRORS)
async def test_a_recorded_error_is_told_in_words_of_its_own(name: str) -> None:
    recorded = exchange(name)
    if recorded.path != "/api/graphql":
        assert 300 <= recorded.status < 500
    with pytest.raises(GlboardError) as found:
        await answered(name, pages)
    told = f"{found.value} {found.value.hint}"
    assert len(str(found.value)) > 10
    assert "Traceback" not in told
    assert "<html" not in told


@pytest.mark.parametrize("kind", ["label", "milestone", "state"])
async def test_recorded_events_are_read(kind: str) -> None:
    name = f"get-projects-x-issues-resource_{kind}_events"
    rows = exchange(name).answer
    issue = make.issue(1, project=f"{ROOT}/platform", iid=4121)
    found = await answered(name, lambda gateway: gateway.events([issue], [kind]))  # type: ignore[list-item]
    assert len(found[issue.id]) == len(rows)
