"""The planning issue over REST: found with its text, created once, updated only if unchanged since read.

Owns a few requests a month. Everyday issues go through the gateway and the outbox. Only label names known to
the catalog are sent, since GitLab creates a project label for every unknown one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from glboard_core.errors import EditRefused
from glboard_core.gitlab import text
from glboard_core.gitlab.rest_client import PATIENCE, Doing, RestClient, once
from glboard_core.model.catalog import Catalog
from glboard_core.model.issue import Issue, IssueId
from glboard_core.planning import generated
from glboard_core.planning.milestone_setup import IssueText, SeenIssue

if TYPE_CHECKING:
    from gitlab import Gitlab

#: How many of a project's newest issues are searched for one whose creation was not answered.
_NEWEST = 20
_ISSUES_NEED = "This needs the Planner role in that project."


class PlanningIssues:
    """Every method may raise AuthError, ConnectionFailed and EditRefused."""

    def __init__(self, client: RestClient) -> None:
        self._client = client

    async def look(self, group: str, labels: Sequence[str], milestone: str, project: str) -> list[SeenIssue]:
        """The issues that may be the milestone's planning issue, with descriptions, each once.

        These are issues with ``labels`` in the milestone or in none, and the newest of ``project`` ("" if not
        known) with our mark, whatever labels they lost. Raises as the class says.
        """

        def work(gitlab: Gitlab) -> list[SeenIssue]:
            here = gitlab.groups.get(group, lazy=True)
            found: list[SeenIssue] = []
            for where in (milestone, "None"):
                asked = {"labels": ",".join(labels), "milestone": where, "scope": "all", "state": "all"}
                rows = here.issues.list(iterator=True, per_page=100, **asked, **PATIENCE)
                found += [_seen(row.attributes) for row in rows]
            if project:
                found += _marked(gitlab, project, milestone)
            return list({one.issue.id: one for one in found}.values())

        return await self._client.ask(Doing(f"read the issues of {group}"), work)

    async def make(self, catalog: Catalog, wanted: IssueText) -> SeenIssue:
        """Create the issue. Raises EditUnknown if the answer was lost and it does not appear."""
        milestone = int(catalog.milestone_id(wanted.project, wanted.milestone))
        fields: dict[str, Any] = {
            "title": wanted.title,
            "description": wanted.description,
            "labels": ",".join(wanted.labels),
            "milestone_id": milestone,
        }
        if wanted.confidential:
            fields["confidential"] = True

        def work(gitlab: Gitlab) -> SeenIssue:
            issues = gitlab.projects.get(wanted.project, lazy=True).issues
            return once(
                lambda: next(iter(_marked(gitlab, wanted.project, wanted.milestone)), None),
                lambda: _seen(issues.create(fields, **PATIENCE).attributes),
            )

        return await self._client.ask(Doing(f"create an issue in {wanted.project}", _ISSUES_NEED), work)

    async def rewrite(
        self, catalog: Catalog, wanted: IssueText, again: Callable[[SeenIssue], IssueText | None]
    ) -> tuple[SeenIssue, IssueText | None]:
        """Replace the text that the new one is based on; returns the issue afterwards, and what was written.

        If someone changed the issue since it was read, ``again`` rebuilds the text from its current state
        (GitLab has no compare-and-swap, so a short gap between reading and writing remains). Raises
        EditRefused if it keeps changing.
        """
        if wanted.seen is None:
            raise ValueError("no issue was read to update")
        iid = wanted.seen.issue.iid

        def work(gitlab: Gitlab) -> tuple[SeenIssue, IssueText | None] | None:
            issues = gitlab.projects.get(wanted.project, lazy=True).issues
            wish: IssueText | None = wanted
            for _ in range(3):
                now = _seen(issues.get(iid, **PATIENCE).attributes)
                if wish is None:
                    return now, None
                if wish.seen is None or not generated.same(now.description, wish.seen.description):
                    wish = again(now)
                    continue
                answer = issues.update(iid, _fields(wish, catalog), **PATIENCE)
                return _seen(answer), wish
            return None

        done = await self._client.ask(Doing(f"change {wanted.seen.issue.reference}", _ISSUES_NEED), work)
        if done is None:
            raise EditRefused(
                f"{wanted.seen.issue.reference} keeps being changed by someone else.", hint="Try again."
            )
        return done


def _fields(wanted: IssueText, catalog: Catalog) -> dict[str, Any]:
    fields: dict[str, Any] = {"description": wanted.description}
    if wanted.add_labels:
        fields["add_labels"] = ",".join(wanted.add_labels)
    if wanted.set_milestone:
        fields["milestone_id"] = int(catalog.milestone_id(wanted.project, wanted.milestone))
    return fields


def _marked(gitlab: Gitlab, project: str, milestone: str) -> list[SeenIssue]:
    issues = gitlab.projects.get(project, lazy=True).issues
    asked: dict[str, Any] = {"order_by": "created_at", "sort": "desc", "scope": "all", "state": "all"}
    rows = issues.list(page=1, per_page=_NEWEST, get_all=False, **asked, **PATIENCE)
    found = (_seen(row.attributes) for row in rows)
    return [one for one in found if generated.is_owned(one.description, milestone)]


def _seen(row: Mapping[str, Any]) -> SeenIssue:
    milestone = row.get("milestone")
    issue = Issue(
        id=IssueId(f"gid://gitlab/Issue/{int(row['id'])}"),
        project=text.line(str(row["references"]["full"])).rpartition("#")[0],
        iid=int(row["iid"]),
        title=text.line(str(row["title"])),
        state="opened" if row["state"] == "opened" else "closed",
        labels=frozenset(_names(row.get("labels") or ())),
        milestone=text.line(str(milestone["title"])) if milestone else None,
        confidential=bool(row.get("confidential")),
        created_at=_time(row["created_at"]),
        updated_at=_time(row["updated_at"]),
        web_url=text.line(str(row.get("web_url") or "")),
    )
    # Byte for byte: it is written back.
    return SeenIssue(issue, str(row.get("description") or ""))


def _names(labels: Iterable[Any]) -> Iterable[str]:
    for label in labels:
        yield text.line(str(label["name"] if isinstance(label, dict) else label))


def _time(moment: str) -> datetime:
    return datetime.fromisoformat(moment)
