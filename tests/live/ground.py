"""Ground to test on: a group of our own with two projects, in a GitLab that is given or embedded.

Everything is made by plain REST, under names of its own, and deleted whatever happens. What a version, a tier
or a role lacks is found out by asking for it, and a test that needs it is skipped with the reason.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol, TypeVar
from urllib.parse import quote, urlsplit

import httpx
import pytest
from msgspec import structs

from glboard_core.board.operations import Change, GroupId, Op, OpId, new_id, new_issue_id
from glboard_core.errors import GlboardError
from glboard_core.gitlab.account import Account, Secret, is_loopback
from glboard_core.gitlab.gateway import GitLabGateway
from glboard_core.gitlab.http import Limits
from glboard_core.model.catalog import Catalog
from glboard_core.model.catalog_needs import CatalogNames, Needs, around, titles_of
from glboard_core.model.issue import Issue, IssueId
from glboard_core.ports import Done, Failed, Outcome
from glboard_core.sync.timing import Timing

T = TypeVar("T")

#: By this a group of ours is recognised, if a run was killed before it could clean up.
MARK = "Made by the tests of glboard, which delete it when they end."
#: A group older than this is left over.
_LEFT_OVER = timedelta(hours=3)
#: Seconds that a real server may take for what it does in the background.
SOON = 90.0


class Passing(Protocol):
    """How time passes: for real, or at once."""

    async def wait(self, seconds: float) -> None:
        """Let the server's clock go on by so many seconds."""


class Hours:
    """The clock of a real server: waiting takes as long as it takes."""

    async def wait(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


async def until(clock: Passing, look: Callable[[], Awaitable[T | None]], seconds: float = SOON) -> T:
    """What ``look`` returns as soon as it returns something. Raises TimeoutError after so many seconds."""
    for _ in range(int(seconds)):
        if (found := await look()) is not None:
            return found
        await clock.wait(1.0)
    raise TimeoutError(f"in vain for {seconds:.0f} s")


class Refused(Exception):
    """An error answer over REST: its status, and its text without the address."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(f"{status}: {text[:300]}")
        self.status = status


class PlainRest:
    """GitLab's REST API without any of the program's code."""

    #: Seconds until it is asked again after a failure, and for a limit that does not say.
    pause = 10.0

    def __init__(self, url: str, token: str) -> None:
        self._client = httpx.Client(
            base_url=f"{url}/api/v4",
            headers={"PRIVATE-TOKEN": token},
            timeout=120.0,
            trust_env=not is_loopback(urlsplit(url).hostname or ""),
        )

    def close(self) -> None:
        self._client.close()

    def ask(self, method: str, where: str, /, **values: Any) -> Any:
        """The answer, decoded; None if it is empty. Raises Refused."""
        sent: dict[str, Any] = {"params": values} if method in ("GET", "DELETE") else {"json": values}
        answer = self._patiently(method, where, **sent)
        return answer.json() if answer.content else None

    def _patiently(self, method: str, where: str, **sent: Any) -> httpx.Response:
        """The answer, asked for again while a limit lasts; also after a failure that can pass.

        So that nothing stays behind because a proxy failed on the last request. Raises Refused.
        """
        for attempt in range(8):
            try:
                answer = self._client.request(method, where, **sent)
            except httpx.TransportError:
                if method not in ("GET", "DELETE") or attempt == 7:
                    raise
                time.sleep(self.pause)
                continue
            limited = answer.status_code == 429
            if not limited and (answer.status_code < 500 or method not in ("GET", "DELETE")):
                break
            asked = answer.headers.get("retry-after") or ""
            # The limit of new issues says nothing of when it ends: in a minute.
            time.sleep(min(60.0, float(asked)) if limited and asked.isdecimal() else self.pause)
        if answer.status_code >= 300:
            raise Refused(answer.status_code, answer.text)
        return answer

    def graphql(self, document: str, **variables: Any) -> Any:
        """The data of a GraphQL query. Raises Refused."""
        address = f"{str(self._client.base_url).rstrip('/').removesuffix('/v4')}/graphql"
        answer = self._patiently("POST", address, json={"query": document, "variables": variables})
        if (data := answer.json().get("data")) is None:
            raise Refused(answer.status_code, answer.text)
        return data

    def get(self, where: str, /, **values: Any) -> Any:
        return self.ask("GET", where, **values)

    def post(self, where: str, /, **values: Any) -> Any:
        return self.ask("POST", where, **values)

    def put(self, where: str, /, **values: Any) -> Any:
        return self.ask("PUT", where, **values)

    def delete(self, where: str, /, **values: Any) -> Any:
        return self.ask("DELETE", where, **values)


@dataclass(kw_only=True)
class Place:
    """A GitLab to test on, with a token of an owner of ``group``, in which everything is made."""

    url: str
    token: Secret
    group: str
    clock: Passing
    limits: Limits = field(default_factory=Limits)
    timing: Timing = field(default_factory=Timing)


@dataclass(kw_only=True)
class OtherPerson:
    """A second member of the group, with a token."""

    username: str
    token: Secret
    rest: PlainRest
    #: The path of the token in the REST API.
    where: str


@dataclass(kw_only=True)
class Ground:
    """What was made. ``group`` has the labels and milestones; ``lib`` is in a subgroup of it, ``app`` not."""

    place: Place
    rest: PlainRest
    group: str
    group_id: int
    app: str
    app_id: int
    lib: str
    lib_id: int
    inner_id: int
    me: str
    version: tuple[int, int]
    premium: bool
    #: Whether the projects are ours. If not, nothing but issues may be changed in them.
    owned: bool
    other: OtherPerson | None
    #: Titles of the two dated milestones.
    first: str
    second: str
    #: Their numbers, and those of other things, by title.
    ids: dict[str, int]
    #: What is to be done at the end.
    undo: ExitStack
    #: The ids of the issues made, by their references.
    issues: dict[str, IssueId] = field(default_factory=dict)
    #: What the first gateway of the token's owner has read.
    catalog: Catalog | None = None

    @property
    def clock(self) -> Passing:
        return self.place.clock

    def needs_premium(self, what: str) -> None:
        """Skip the test where the tier lacks something."""
        if not self.premium:
            pytest.skip(f"{what} needs Premium, which this GitLab has not")

    def needs_version(self, major: int, minor: int, what: str) -> None:
        """Skip the test where the version lacks something."""
        if self.version < (major, minor):
            pytest.skip(f"{what} needs GitLab {major}.{minor}")

    def needs_own_projects(self) -> None:
        """Skip the test where no project could be made."""
        if not self.owned:
            pytest.skip("needs projects of its own, which this GitLab refuses to make")

    @property
    def second_person(self) -> OtherPerson:
        """Another person who can write; the test is skipped where there can be none."""
        if self.other is None:
            pytest.skip("needs a second person: no token of the group could be made")
        return self.other

    def person(self, *, scope: str = "api", level: int = 30) -> OtherPerson:
        """One more person with a token; the test is skipped where there can be none."""
        url, group, project = self.place.url, self.group_id, self.app_id
        made = _person(self.rest, url, group, project, self.undo, scope=scope, level=level)
        if made is None:
            pytest.skip("needs one more person: no token of the group could be made")
        return made

    # What tests make

    def issue(self, title: str, *, at: str = "", **fields: Any) -> str:
        """Create an issue in ``app``, or elsewhere, with the team's label; returns its reference."""
        project = at or self.app
        labels = ",".join([TEAM, *fields.pop("labels", ())])
        made = self.rest.post(f"/projects/{part(project)}/issues", title=title, labels=labels, **fields)
        reference = f"{project}#{made['iid']}"
        self.issues[reference] = IssueId(f"gid://gitlab/Issue/{made['id']}")
        return reference

    def path_of(self, reference: str) -> str:
        """The path of an issue in the REST API."""
        project, _, iid = reference.rpartition("#")
        return f"/projects/{part(project)}/issues/{iid}"

    def delete_later(self, path: str) -> None:
        """Delete this at the end, unless the group goes with everything in it."""
        if not self.owned:
            self.undo.callback(_quietly, self.rest, path)

    def statuses(self, category: str) -> list[str]:
        """The names of the statuses of a category."""
        asked = "query($at: ID!) { group(fullPath: $at) { statuses { nodes { name category } } } }"
        rows = (self.rest.graphql(asked, at=self.group)["group"]["statuses"] or {}).get("nodes") or ()
        return [one["name"] for one in rows if one["category"].casefold() == category]

    @contextmanager
    def project(self, name: str) -> Iterator[tuple[str, int]]:
        """One more project, for as long as it is needed: its path and its number."""
        self.needs_own_projects()
        made = _project(self.rest, name, self.group_id)
        try:
            yield made["path_with_namespace"], int(made["id"])
        finally:
            _drop(self.rest, "projects", int(made["id"]))


#: Labels of the group. The scopes are ours.
TEAM = "live::team"
#: On the issues of one test only.
FILTER = "live filtered"
ONE, TWO, PLAIN, SPARE = "live way::one", "live way::two", "live plain", "live spare"
#: A label of one project only.
OWN = "live own"
#: A milestone without dates, and a closed one.
LATER, CLOSED = "Live later", "Live closed"


def part(path: str) -> str:
    """A path as one segment of another."""
    return quote(path, safe="")


@contextmanager
def prepared(place: Place) -> Iterator[Ground]:
    """Make everything, and delete it whatever happens. Raises Refused."""
    rest = PlainRest(place.url, place.token.reveal())
    with ExitStack() as undo:
        undo.callback(rest.close)
        above = rest.get(f"/groups/{part(place.group)}")
        _clear_left_over(rest, int(above["id"]))
        mark = secrets.token_hex(4)
        group = _group(rest, f"glboard-live-{mark}", int(above["id"]))
        undo.callback(_drop, rest, "groups", int(group["id"]))
        try:
            inner = _group(rest, "inner", int(group["id"]))
            app = _project(rest, "app", int(group["id"]))
            lib = _project(rest, "lib", int(inner["id"]))
            owned = True
        except (Refused, httpx.HTTPError):
            # A server without a place for repositories: take projects that are there.
            group, (app, lib), owned = above, _found_projects(rest, int(above["id"])), False
        at = f"/groups/{group['id']}"
        ids: dict[str, int] = {}

        def make(path: str, key: str, /, **values: Any) -> None:
            made = rest.post(path, **values)
            ids[key] = int(made["id"])
            if not owned:
                undo.callback(_quietly, rest, f"{path}/{made['id']}")

        for title in (TEAM, FILTER, ONE, TWO, PLAIN, SPARE):
            make(f"{at}/labels", title, name=title, color="#428bca")
        make(f"/projects/{lib['id']}/labels", OWN, name=OWN, color="#428bca")
        major, today = 100 + int(mark[:4], 16), datetime.now(UTC).date()
        first, second = f"{major}.1", f"{major}.2"
        for title, days in ((first, (-10, 10)), (second, (11, 40)), (LATER, None), (CLOSED, None)):
            dates: dict[str, str] = {}
            if days is not None:
                start, due = (today + timedelta(days=each) for each in days)
                dates = {"start_date": start.isoformat(), "due_date": due.isoformat()}
            make(f"{at}/milestones", title, title=title, **dates)
        rest.put(f"{at}/milestones/{ids[CLOSED]}", state_event="close")
        board = _board(rest, int(group["id"]), group["full_path"])
        if not owned:
            undo.callback(_quietly, rest, f"{at}/boards/{board}")
        if not owned:
            undo.callback(_drop_issues, rest, int(group["id"]))
        version = rest.get("/metadata")["version"].split(".")
        other = _person(rest, place.url, int(group["id"]), int(app["id"]), undo)
        yield Ground(
            place=place,
            rest=rest,
            group=group["full_path"],
            group_id=int(group["id"]),
            app=app["path_with_namespace"],
            app_id=int(app["id"]),
            lib=lib["path_with_namespace"],
            lib_id=int(lib["id"]),
            inner_id=int(lib["namespace"]["id"]),
            me=rest.get("/user")["username"],
            version=(int(version[0]), int(version[1])),
            premium=_has_weights(rest, int(app["id"])),
            owned=owned,
            other=other,
            first=first,
            second=second,
            ids=ids,
            undo=undo,
        )


def _group(rest: PlainRest, path: str, parent: int) -> Any:
    return rest.post(
        "/groups", name=path, path=path, parent_id=parent, description=MARK, visibility="private"
    )


def _project(rest: PlainRest, path: str, group: int) -> Any:
    """A project without files: nothing here needs a repository."""
    return rest.post(
        "/projects", name=path, path=path, namespace_id=group, description=MARK, visibility="private"
    )


def _board(rest: PlainRest, group: int, path: str) -> int:
    """A board of the group, which the Community Edition makes over GraphQL only."""
    try:
        return int(rest.post(f"/groups/{group}/boards", name="Live")["id"])
    except Refused as refused:
        if refused.status != 404:
            raise
    made = 'mutation($at: ID!) { createBoard(input: {groupPath: $at, name: "Live"}) { board { id } } }'
    return int(rest.graphql(made, at=path)["createBoard"]["board"]["id"].rpartition("/")[2])


def _found_projects(rest: PlainRest, group: int) -> tuple[Any, Any]:
    """Two projects of the group."""
    rows = rest.get(f"/groups/{group}/projects", include_subgroups="true", archived="false", per_page=100)
    usable = [one for one in rows if one.get("issues_enabled", True)]
    if len(usable) < 2:
        pytest.skip("needs two projects, and this GitLab refuses to make them")
    return usable[0], usable[1]


def _quietly(rest: PlainRest, path: str) -> None:
    with suppress(Refused):
        rest.delete(path)


def _drop_issues(rest: PlainRest, group: int) -> None:
    """Delete the issues that were made, or close them where that is not allowed."""
    asked = {"labels": TEAM, "scope": "all", "per_page": 100}
    for state in ("all", "all", "opened", "opened"):
        # A page at a time: what is deleted or closed is not on the next.
        for one in rest.get(f"/groups/{group}/issues", state=state, **asked):
            path = f"/projects/{one['project_id']}/issues/{one['iid']}"
            try:
                rest.delete(path)
            except Refused:
                rest.put(path, state_event="close")


def _drop(rest: PlainRest, kind: str, ident: int) -> None:
    """Delete a group or a project: at once where that can be asked for, else in some days."""
    rest.delete(f"/{kind}/{ident}")
    with suppress(Refused):
        marked = rest.get(f"/{kind}/{ident}")
        path = marked["full_path" if kind == "groups" else "path_with_namespace"]
        rest.delete(f"/{kind}/{ident}", permanently_remove="true", full_path=path)


def _clear_left_over(rest: PlainRest, above: int) -> None:
    for one in rest.get(f"/groups/{above}/subgroups", per_page=100):
        made = one.get("created_at")
        if one.get("description") != MARK or one.get("marked_for_deletion_on") or not made:
            continue
        if datetime.now(UTC) - datetime.fromisoformat(made) > _LEFT_OVER:
            with suppress(Refused):
                _drop(rest, "groups", int(one["id"]))


def _person(
    rest: PlainRest,
    url: str,
    group: int,
    project: int,
    undo: ExitStack,
    *,
    scope: str = "api",
    level: int = 30,
) -> OtherPerson | None:
    """One more person: a token of the group, which has a user of its own; None where that is not allowed."""
    day = (datetime.now(UTC) + timedelta(days=2)).date().isoformat()
    at = f"/groups/{group}/access_tokens"
    try:
        made = rest.post(at, name="other", scopes=[scope], access_level=level, expires_at=day)
        undo.callback(_quietly, rest, f"{at}/{made['id']}")
        user = rest.get(f"/users/{made['user_id']}")
    except Refused:
        return None
    own = PlainRest(url, made["token"])
    undo.callback(own.close)
    for _ in range(int(SOON)):
        # What a new member may see is worked out in the background.
        try:
            own.get(f"/projects/{project}")
            break
        except Refused:
            time.sleep(1)
    where = f"{at}/{made['id']}"
    return OtherPerson(username=user["username"], token=Secret(made["token"]), rest=own, where=where)


def _has_weights(rest: PlainRest, project: int) -> bool:
    """Whether a weight stays, which tells a licence from an edition."""
    probe = rest.post(f"/projects/{project}/issues", title="Has it weights?", weight=1, labels=TEAM)
    return bool(rest.get(f"/projects/{project}/issues/{probe['iid']}").get("weight") == 1)


def as_edited(issue: Issue) -> Issue:
    """The issue without what only GitLab changes: times, its place, and the status that it moves along."""
    return structs.replace(
        issue,
        updated_at=issue.created_at,
        updated_by=None,
        closed_at=None,
        notes=0,
        position=None,
        status=None,
        assignees=tuple(sorted(issue.assignees)),
    )


class Remote:
    """A gateway to the ground, as one person, with what is known of labels, milestones and people."""

    def __init__(self, ground: Ground, token: Secret | None = None) -> None:
        self.ground = ground
        place = ground.place
        self.account = Account(url=place.url, token=token or place.token)
        self.gateway = GitLabGateway(self.account, ground.group, limits=place.limits)
        self.catalog: Catalog
        self.shown: dict[IssueId, Issue] = {}

    async def __aenter__(self) -> Remote:
        ground, owns = self.ground, self.account.token == self.ground.place.token
        try:
            if owns and ground.catalog is not None:
                self.gateway.expect(ground.catalog.server)
                self.catalog = ground.catalog
            else:
                await self._learn()
        except BaseException:
            await self.gateway.close()
            raise
        if owns:
            ground.catalog = self.catalog
        return self

    async def _learn(self) -> None:
        ground = self.ground
        since, until_ = around(datetime.now(UTC).date())
        names = CatalogNames(labels=frozenset({TEAM, ONE, TWO, PLAIN, SPARE}), since=since, until=until_)
        catalog = await self.gateway.catalog(names)
        people = {ground.me} | ({ground.other.username} if ground.other else set())
        projects = frozenset({ground.app, ground.lib})
        self.catalog = await self.gateway.extend_catalog(
            catalog,
            Needs(
                labels=titles_of(projects, [OWN]),
                milestones=titles_of(projects, [LATER, CLOSED]),
                people=frozenset(people),
                projects=projects,
            ),
        )

    async def __aexit__(self, *_: object) -> None:
        await self.gateway.close()

    async def read(self, reference: str) -> Issue:
        """The issue as it is now."""
        issue = await self.now(self.ground.issues[reference])
        assert issue is not None, f"{reference} cannot be read"
        return issue

    async def now(self, identity: IssueId) -> Issue | None:
        """The issue as it is now, by its id; None if there is none."""
        issue = (await self.gateway.read([identity])).get(identity)
        if issue is not None:
            self.shown[identity] = issue
        return issue

    def op(self, issue: Issue | None, change: Change) -> Op:
        """An Op on an issue as shown, or on a new one."""
        return Op(
            id=OpId(new_id()),
            group=GroupId("live"),
            issue=issue.id if issue is not None else new_issue_id(),
            change=change,
            at=self.gateway.now(),
            before=issue,
        )

    async def send(self, *ops: Op) -> list[Outcome]:
        """Send, and keep the returned issues."""
        outcomes = await self.gateway.send(ops, self.shown, self.catalog)
        for outcome in outcomes:
            if outcome.issue is not None:
                self.shown[outcome.issue.id] = outcome.issue
        return outcomes

    async def do(self, issue: Issue | None, change: Change) -> tuple[Op, Issue]:
        """Make one change, which must succeed."""
        op = self.op(issue, change)
        [outcome] = await self.send(op)
        assert isinstance(outcome, Done), outcome
        assert outcome.issue is not None
        return op, outcome.issue

    async def fail(self, issue: Issue | None, change: Change) -> tuple[GlboardError, Issue | None]:
        """Make one change, which must fail; returns the error, and the issue as it is now."""
        [outcome] = await self.send(self.op(issue, change))
        assert isinstance(outcome, Failed), outcome
        return outcome.error, outcome.issue
