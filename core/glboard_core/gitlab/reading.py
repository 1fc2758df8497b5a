"""Reads single issues, many in one request: by their numbers in their projects, the rest by id.

Owns how issues are spread over documents within GitLab's complexity limit. A project's issues cost little
more together than one alone, so those whose project and number are known are asked by project; an issue that
is not found there (moved, its project renamed, not known) is asked by its id, which never changes. A hundred
labels and assignees come with an issue: of one that may have more, all are read before anybody sees it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import timedelta
from functools import partial
from typing import TypeVar

import msgspec
from msgspec import structs

from glboard_core.board.operations import Op
from glboard_core.errors import NotUnderstood
from glboard_core.gitlab import queries
from glboard_core.gitlab.answer_errors import not_json
from glboard_core.gitlab.decode import Decoder, OfProject, WireIssue, person
from glboard_core.gitlab.dialect import MOST_COMPLEXITY, PAGE
from glboard_core.gitlab.graphql import QueryRunner, chunks, side_by_side
from glboard_core.gitlab.markers import split_marker
from glboard_core.gitlab.wire import OfLists, Page, User, WireLabel, WireLists, WithIssues
from glboard_core.model.catalog import Person
from glboard_core.model.clean_text import clean_body
from glboard_core.model.issue import Issue, IssueId, Reference

T = TypeVar("T")

#: Concurrent queries.
PARALLEL = 4

_CLOCKS_DIFFER = timedelta(minutes=5)

#: A project's path and the numbers of issues in it.
Numbers = tuple[str, Sequence[str]]


class IssueReader:
    """Reads issues over one connection."""

    def __init__(self, runner: QueryRunner, decoder: Decoder) -> None:
        self._runner = runner
        self._decoder = decoder
        #: Whose token it is, once a ``find`` told.
        self.user: Person | None = None

    async def decoded(self, wires: Iterable[WireIssue]) -> list[Issue]:
        """The issues, with all labels and assignees: an answer has a hundred of each at most."""
        rows = list(wires)
        cut = [wire for wire in rows if _full_lists(wire)]
        if cut:
            read = await side_by_side([partial(self._whole, wire) for wire in cut], PARALLEL)
            whole = {wire.id: wire for wire in read}
            rows = [whole.get(wire.id, wire) for wire in rows]
        return list(map(self._decoder.issue, rows))

    async def _whole(self, wire: WireIssue) -> WireIssue:
        for name in _full_lists(wire):
            if (rows := await self._listed(wire.id, name)) is not None:
                whole: Page[User | WireLabel] = Page(nodes=rows)
                wire = structs.replace(wire, **{name: whole})
        return wire

    async def whole_answer(self, raw: msgspec.Raw) -> msgspec.Raw:
        """The issue in the answer to a mutation, with all labels and assignees if it has one of these lists.

        What lies beyond the page that a mutation returns would look as if it were missing.
        """
        names = _full_lists(msgspec.json.decode(raw, type=WireLists))
        if not names:
            return raw
        answer = msgspec.json.decode(raw)
        for name in names:
            if (rows := await self._listed(answer["id"], name)) is not None:
                answer[name] = {"nodes": rows}
        return msgspec.Raw(msgspec.json.encode(answer))

    async def _listed(self, issue: str, name: str) -> list[User | WireLabel | None] | None:
        """The whole list ``name`` of an issue, each entry once; None if the issue is gone."""
        rows: dict[User | WireLabel, None] = {}
        gone = False

        def pick(answer: OfLists) -> Page[User | WireLabel]:
            nonlocal gone
            gone = gone or answer.issue is None
            page: Page[User | WireLabel] = getattr(answer.issue, name, None) or Page()
            return page

        async for page in self._runner.pages(lambda _: queries.listed(name), {"id": issue}, OfLists, pick):
            rows.update(dict.fromkeys(page))
        return None if gone else list(rows)

    async def read(
        self, issues: Sequence[IssueId], known: Mapping[IssueId, Issue] | None = None
    ) -> Mapping[IssueId, Issue]:
        """See ``ports.Gateway.read``."""
        wanted = [identity for identity in dict.fromkeys(issues) if not identity.startswith("new:")]
        found: dict[IssueId, Issue] = {}
        if len(wanted) > queries.READ_EACH and known:
            placed = (known.get(identity) for identity in wanted)
            references = [Reference(issue.project, issue.iid) for issue in placed if issue and issue.iid]
            asked = set(wanted)
            found = {issue.id: issue for issue in await self._by_number(references) if issue.id in asked}
        rest = chunks([identity for identity in wanted if identity not in found], queries.READ_EACH)
        jobs = [partial(self._by_id, part, known or {}) for part in rest]
        for issues_read in await side_by_side(jobs, PARALLEL):
            found |= {issue.id: issue for issue in issues_read}
        return {identity: found[identity] for identity in wanted if identity in found}

    async def _by_id(self, part: Sequence[IssueId], known: Mapping[IssueId, Issue]) -> list[Issue]:
        variables = {f"i{n}": identity for n, identity in enumerate(part)}
        answer = await self._runner.ask_in_dialect(
            lambda dialect: queries.read(dialect, len(part)), variables, dict[str, msgspec.Raw]
        )
        self._all_there(variables, answer)
        read: list[Issue] = []
        wires: list[WireIssue] = []
        for alias, identity in variables.items():
            try:
                wire = self._runner.part(answer[alias], WireIssue, alone=True)
            except NotUnderstood as error:
                # It is there, so it must not seem to be gone: it stays as it was.
                if (kept := known.get(identity)) is None:
                    raise
                self._runner.report(error.message)
                read.append(kept)
            else:
                wires += [wire] if wire is not None else []
        return [*read, *await self.decoded(wires)]

    async def created_by(self, op: Op) -> Issue | None:
        """See ``ports.Gateway.created_by``."""
        if not op.change.creates:
            return None
        # The Op's time is the server's, in whole seconds, and the clocks in a cluster differ a little.
        variables = {"path": op.change.project_of(None), "created": op.at - _CLOCKS_DIFFER}
        pages = self._runner.pages(
            queries.recent,
            variables,
            OfProject,
            lambda answer: (answer.project and answer.project.issues) or Page[WireIssue](),
        )
        with self._runner.whole():
            async for page in pages:
                for wire in page:
                    if split_marker(clean_body(wire.description or ""))[1] == op.id:
                        [made] = await self.decoded([wire])
                        return made
        return None

    async def find(self, references: Sequence[Reference]) -> Mapping[Reference, Issue]:
        """See ``ports.Gateway.find``."""
        found = await self._by_number(references)
        issues = {(issue.project.casefold(), issue.iid): issue for issue in found}
        named = ((one, issues.get((one.project.casefold(), one.iid))) for one in references)
        return {one: issue for one, issue in named if issue is not None}

    async def _by_number(self, references: Iterable[Reference]) -> list[Issue]:
        by_project: dict[str, list[str]] = {}
        for one in dict.fromkeys(references):
            by_project.setdefault(one.project, []).append(str(one.iid))
        asked = [(path, part) for path, iids in by_project.items() for part in chunks(iids, PAGE)]
        parts = await side_by_side(
            [partial(self._in_projects, part) for part in packed(asked, before=queries.WHO_COST)], PARALLEL
        )
        return [issue for part in parts for issue in part]

    async def _in_projects(self, asked: Sequence[Numbers]) -> list[Issue]:
        variables: dict[str, object] = {}
        for n, (path, iids) in enumerate(asked):
            variables[f"p{n}"], variables[f"n{n}"] = path, iids
        sizes = tuple(queries.size_for(len(iids)) for _, iids in asked)
        answer = await self._runner.ask_in_dialect(
            lambda dialect: queries.find(dialect, sizes), variables, dict[str, msgspec.Raw]
        )
        paths = [name for name in variables if name.startswith("p")]
        self._all_there(paths, answer)
        part = self._runner.part
        if "currentUser" in answer and (user := part(answer["currentUser"], User)) is not None:
            self.user = person(user)
        found = [part(answer[name], WithIssues[WireIssue]) for name in paths]
        pages = [project.issues for project in found if project and project.issues]
        return await self.decoded(wire for page in pages for wire in page.items())

    def _all_there(self, asked: Iterable[str], answer: Mapping[str, object]) -> None:
        if not set(asked) <= set(answer):
            raise not_json(self._runner.host)


def _full_lists(wire: WireIssue | WireLists) -> list[str]:
    """The names of the lists of which the answer may have only a part."""
    lists = (("labels", wire.labels), ("assignees", wire.assignees))
    return [name for name, page in lists if page is not None and page.is_full]


def packed(
    asked: Sequence[Numbers], cost_of: Callable[[int], int] = queries.find_cost, before: int = 0
) -> list[list[Numbers]]:
    """The same in documents, each within the complexity limit; ``before``: what else is in each."""
    documents: list[list[Numbers]] = []
    cost = 0
    # By size, so that equal documents are built once and none is filled badly.
    for path, iids in sorted(asked, key=lambda one: -len(one[1])):
        each = cost_of(queries.size_for(len(iids)))
        if not documents or cost + each > MOST_COMPLEXITY:
            documents.append([])
            cost = before
        documents[-1].append((path, iids))
        cost += each
    return documents
