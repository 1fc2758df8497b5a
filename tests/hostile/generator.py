"""Hostile values over every field of every operation's answer, and of every header."""

from __future__ import annotations

import json
import random
from collections.abc import Awaitable, Callable, Iterable, Iterator
from typing import Any

import msgspec

from gateway.worlds import NAMES, NEEDS, QUICK, everything
from glboard_core.board.operations import Change, Comment, Create, Edit, GroupId, Link, Op, OpId, new_issue_id
from glboard_core.errors import GlboardError
from glboard_core.gitlab.account import Account, Secret
from glboard_core.gitlab.admin import Admin
from glboard_core.gitlab.gateway import GitLabGateway
from glboard_core.gitlab.http import Transport
from glboard_core.gitlab.inspection import Inspection
from glboard_core.gitlab.pace import Pace
from glboard_core.gitlab.resource_events import EventReader
from glboard_core.model.catalog import Catalog
from glboard_core.model.issue import Issue, IssueId, Reference
from glboard_core.model.query import IssueQuery
from glboard_core.purpose import Purpose
from glboard_core.setup.discover import Discovery
from glboard_core.setup.propose import propose
from glboard_core.setup.write import config_text
from glboard_core.store.sqlite import SqliteStore
from hostile.tampering import Answer, MaliciousServer, Way, paths, with_value
from hostile.values import HEADER_VALUES, HEADERS, JSON_VALUES
from support.groups import TODAY

#: No waits: an answer that is refused is not asked for again.
LIMITS = msgspec.structs.replace(QUICK, attempts=1, patience=1.0, total=3.0)


class Unlimited(Pace):
    """As many requests as there are: our own limit would answer in the server's place."""

    async def turn(self, purpose: Purpose, deadline: float) -> float | None:
        return None


def gateway_to(server: MaliciousServer, group: str) -> GitLabGateway:
    """A gateway to the server, without waits and limits."""
    gateway = GitLabGateway(Account(url=server.url, token=Secret(server.token)), group, limits=LIMITS)
    gateway._transport.pace = Unlimited()
    return gateway


class Asked:
    """A gateway to a malicious server, and what was truly read over it."""

    def __init__(self, server: MaliciousServer) -> None:
        self.server = server
        self.account = Account(url=server.url, token=Secret(server.token))
        self.gateway = gateway_to(server, "top")
        self.left_out: list[str] = []
        self.gateway.tell_left_out(self.left_out.append)
        self.catalog: Catalog
        self.issues: dict[IssueId, Issue] = {}
        self.store = SqliteStore(":memory:")

    async def open(self) -> Asked:
        """Read everything once as it is."""
        self.catalog = await self.gateway.extend_catalog(await self.gateway.catalog(NAMES), NEEDS)
        self.issues = {issue.id: issue for issue in await everything(self.gateway)}
        return self

    def issue(self, reference: str) -> Issue:
        """The issue as it was read."""
        return next(issue for issue in self.issues.values() if issue.reference == reference)

    async def send(self, reference: str, change: Change) -> object:
        """Send one change."""
        issue = self.issue(reference) if reference else None
        identity = issue.id if issue else new_issue_id()
        at = self.gateway.now()
        op = Op(id=OpId("o"), group=GroupId("g"), issue=identity, change=change, at=at, before=issue)
        return await self.gateway.send([op], self.issues, self.catalog)


def operations() -> dict[str, Callable[[Asked], Awaitable[object]]]:
    """Everything that is ever asked of GitLab, by name."""
    first, references = IssueQuery(), [Reference("top/app", 1), Reference("top/sub/lib", 1)]

    async def histories(it: Asked) -> object:
        transport = Transport(it.account, LIMITS)
        transport.pace = Unlimited()
        try:
            read = await EventReader(transport).histories(
                [it.issue("top/app#1")], ("label", "milestone", "state", "weight")
            )
        finally:
            await transport.close()
        return read.histories

    async def create(it: Asked) -> object:
        return await it.send("", Create(project="top/app", title="New", labels=frozenset({"type::bug"})))

    async def boards(it: Asked) -> object:
        return await Admin(it.gateway.transport).boards("top")

    async def set_up(it: Asked) -> object:
        async with Discovery(it.account, LIMITS) as discovery:
            discovery._transport.pace = Unlimited()
            groups = await discovery.groups("top/app")
            found = await discovery.group("top")
        return groups, config_text(propose(found, TODAY), TODAY)

    return {
        "catalog": lambda it: it.gateway.catalog(NAMES),
        "extend": lambda it: it.gateway.extend_catalog(
            msgspec.structs.replace(it.catalog, labels=(), milestones=(), projects=()), NEEDS
        ),
        "pages": lambda it: everything(it.gateway),
        "page": lambda it: it.gateway.page(first, None),
        "read": lambda it: it.gateway.read(list(it.issues)[:2], it.issues),
        "read unknown": lambda it: it.gateway.read(list(it.issues)[:2]),
        "find": lambda it: it.gateway.find(references),
        "count": lambda it: it.gateway.count([first]),
        "detail": lambda it: it.gateway.detail(it.issue("top/app#1").id),
        "note": lambda it: it.gateway.note_of(it.issue("top/app#1").id, OpId("x")),
        "marked note": lambda it: it.gateway.marked_note(it.issue("top/app#1").id, "m", "em_willow"),
        "links": lambda it: it.send("top/app#2", Link(other=it.issue("top/app#3").id, reference="top/app#3")),
        "search issues": lambda it: it.gateway.search_issues("Issue"),
        "merge requests with approvals": lambda it: it.gateway.merge_requests(
            list(it.issues.values())[:1], approvals=True
        ),
        "promoted": lambda it: it.gateway.promoted(list(it.issues)[:2]),
        "merge requests": lambda it: it.gateway.merge_requests(list(it.issues.values())[:2]),
        "commenters": lambda it: it.gateway.commenters(dict.fromkeys(list(it.issues)[:2], 3)),
        "events": histories,
        "search labels": lambda it: it.gateway.search_labels("bug", ["top/app"]),
        "search milestones": lambda it: it.gateway.search_milestones("19", ["top/app"]),
        "search people": lambda it: it.gateway.search_people("e", "top/app"),
        "search projects": lambda it: it.gateway.search_projects("app"),
        "edit": lambda it: it.send("top/app#2", Edit(weight=3, add=frozenset({"Deliverable"}))),
        "comment": lambda it: it.send("top/app#3", Comment(body="Hello")),
        "create": create,
        "boards": boards,
        "set-up": set_up,
        "own token": lambda it: Inspection(it.gateway.transport).token(),
        "own roles": lambda it: Inspection(it.gateway.transport, it.catalog.server).roles("top"),
    }


class Case(msgspec.Struct, frozen=True):
    """One hostile value: in which answer of which operation, and where."""

    operation: str
    nth: int
    where: Way | str
    value: str

    def __str__(self) -> str:
        where = self.where if isinstance(self.where, str) else ".".join(map(str, self.where))
        return f"{self.operation} [{self.nth}] {where}: {self.value}"

    def tamper(self) -> Callable[[Answer], None]:
        """What puts the value into the answer."""
        count = [0]

        def change(answer: Answer) -> None:
            if count[0] == self.nth:
                if isinstance(self.where, str):
                    kept = [(name, text) for name, text in answer.headers if name != self.where]
                    answer.headers = [*kept, (self.where, HEADER_VALUES[self.value])]
                    if self.where in ("retry-after", "ratelimit-reset", "ratelimit-limit"):
                        answer.status = 429
                    elif self.where == "location":
                        answer.status = 302
                else:
                    answer.body = with_value(answer.body, self.where, JSON_VALUES[self.value])
            count[0] += 1

        return change


async def cases(it: Asked) -> list[Case]:
    """All of them, from the true answers of each operation."""
    found: list[Case] = []
    for name, operation in operations().items():
        it.server.answers.clear()
        await operation(it)
        found += of_answers(name, it.server.answers)
    return found


def of_answers(operation: str, answers: Iterable[Answer]) -> list[Case]:
    """The hostile values for these answers of an operation, in their order."""
    found: list[Case] = []
    for nth, answer in enumerate(list(answers)):
        found += [Case(operation, nth, header, value) for header in HEADERS for value in HEADER_VALUES]
        found += [
            Case(operation, nth, path, value)
            for path in paths(msgspec.json.decode(answer.body))
            for value in JSON_VALUES
        ]
    return found


def some(of: list[Case], count: int, seed: int) -> Iterator[Case]:
    """So many of them: each field and each value about as often, the fields first."""
    chance = random.Random(seed)
    by_field: dict[tuple[str, int, Way | str], list[Case]] = {}
    for case in of:
        by_field.setdefault((case.operation, case.nth, case.where), []).append(case)
    fields = list(by_field.values())
    chance.shuffle(fields)
    for group in fields:
        chance.shuffle(group)
    for n in range(count):
        group = fields[n % len(fields)]
        yield group[n // len(fields) % len(group)]


async def trouble(it: Asked, case: Case, *more: Case) -> str:
    """What is wrong with how a value is taken: nothing if it is read, or is an error with words.

    ``more`` are values in the answers of the same operation.
    """
    it.left_out.clear()
    changes = [one.tamper() for one in (*more, case)]

    def tamper(answer: Answer) -> None:
        for change in changes:
            change(answer)

    with it.server.tampering(tamper):
        try:
            result = await operations()[case.operation](it)
        except GlboardError as error:
            return _unclean([error.message, error.hint, error.title])
        except Exception as error:  # noqa: BLE001  (any other is what is looked for)
            return f"{type(error).__name__}: {str(error)[:200]}"
    return _unclean(it.left_out) or _unusable(it, result)


def _unclean(texts: Iterable[str]) -> str:
    for text in texts:
        if len(text) > 1_200 or any(ord(letter) < 32 or 127 <= ord(letter) < 160 for letter in text):
            return f"an unclean message: {text[:200]!r}"
    return ""


def _unusable(it: Asked, result: object) -> str:
    """What was read can be stored, printed as JSON, and counted with."""
    try:
        plain = list(result.values()) if isinstance(result, dict) else result
        json.dumps(msgspec.to_builtins(plain, str_keys=True, enc_hook=str), ensure_ascii=False).encode()
        issues = list(_issues(result))
        it.store.put(issues)
        if isinstance(result, Catalog):
            it.store.put_catalog(result)
        for issue in issues:
            for at in (issue.created_at, issue.updated_at, issue.closed_at):
                if at is not None:
                    at.astimezone()
    except Exception as error:  # noqa: BLE001  (any is what is looked for)
        return f"read, but not usable: {type(error).__name__}: {str(error)[:200]}"
    return ""


def _issues(result: Any) -> Iterator[Issue]:
    if isinstance(result, Issue):
        yield result
    elif isinstance(result, dict):
        for one in result.values():
            yield from _issues(one)
    elif isinstance(result, list | tuple):
        for one in result:
            yield from _issues(one)
