"""Factories of small, valid values. Plain defaults everywhere, so that a test states only what matters."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

from hypothesis import strategies as st

from glboard_core.model.catalog import Catalog, Label, Person, Project
from glboard_core.model.issue import Issue, IssueId
from glboard_core.model.milestone import Milestone

WHEN = datetime(2026, 12, 7, 15, 0, tzinfo=UTC)
GROUP_LABEL = "group::custom models"
PROJECT = "demo-org/platform"


def issue_id(number: int) -> IssueId:
    """The global id of issue ``number``."""
    return IssueId(f"gid://gitlab/Issue/{number}")


def issue(number: int = 1, *labels: str, **fields: Any) -> Issue:
    """An open issue of the group in ``demo-org/platform`` with these labels in addition to the group's."""
    values: dict[str, Any] = {
        "id": issue_id(number),
        "project": PROJECT,
        "iid": number,
        "title": f"Issue {number}",
        "labels": frozenset({GROUP_LABEL, *labels}),
        "position": float(number),
        "created_at": WHEN,
        "updated_at": WHEN,
        **fields,
    }
    return Issue(**values)


def milestone(title: str, start: str | None = None, due: str | None = None, **fields: Any) -> Milestone:
    """A group milestone; dates as ISO text."""
    values: dict[str, Any] = {
        "id": str(abs(hash(title)) % 1000),
        "title": title,
        "owner": "demo-org",
        "start": date.fromisoformat(start) if start else None,
        "due": date.fromisoformat(due) if due else None,
        **fields,
    }
    return Milestone(**values)


MILESTONES = (
    milestone("19.10", "2027-02-13", "2027-03-12"),
    milestone("19.6", "2026-10-10", "2026-11-13"),
    milestone("19.7", "2026-11-14", "2026-12-11"),
    milestone("19.8", "2026-12-12", "2027-01-15"),
    milestone("19.9", "2027-01-16", "2027-02-12"),
    milestone("Next 1-3 releases"),
    milestone("Next 4-6 releases"),
    milestone("Backlog"),
    milestone("Awaiting further demand"),
)

LABELS = (
    GROUP_LABEL,
    "type::bug",
    "type::feature",
    "type::maintenance",
    "bug::functional",
    "feature::addition",
    "workflow::planning breakdown",
    "workflow::ready for development",
    "workflow::in dev",
    "workflow::in review",
    "workflow::blocked",
    "Deliverable",
    "priority::1",
    "documentation",
)


def catalog(**fields: Any) -> Catalog:
    """A group's catalog with the scenario's milestones."""
    values: dict[str, Any] = {
        "group": "demo-org",
        "me": Person(id="gid://gitlab/User/1", username="em_maple"),
        "labels": tuple(
            Label(id=f"gid://gitlab/GroupLabel/{n}", title=t, owner="demo-org")
            for n, t in enumerate(LABELS, 1)
        ),
        "milestones": MILESTONES,
        "people": tuple(
            Person(id=f"gid://gitlab/User/{n}", username=name)
            for n, name in enumerate(("em_maple", "pm_oak", "eng_alder", "eng_birch"), 1)
        ),
        "projects": (Project(id="gid://gitlab/Project/11", path=PROJECT),),
        "ranking_board": "gid://gitlab/Board/1",
        # All labels are known: none has another title.
        "families": frozenset({""}),
        **fields,
    }
    return Catalog(**values)


#: A few titles with two scopes, so that exclusion happens often.
label_titles = st.sampled_from(
    [
        "type::bug",
        "type::feature",
        "workflow::in dev",
        "workflow::blocked",
        "a::b::c",
        "a::b::d",
        "Deliverable",
    ]
)
label_sets = st.frozensets(label_titles, max_size=4)
usernames = st.sampled_from(["eng_alder", "eng_birch", "pm_oak"])


@st.composite
def issues(draw: st.DrawFn, number: int | None = None) -> Issue:
    """Any issue, with small field values."""
    closed = draw(st.booleans())
    return issue(
        number if number is not None else draw(st.integers(1, 50)),
        *draw(label_sets),
        weight=draw(st.none() | st.integers(0, 9)),
        milestone=draw(st.sampled_from([None, "19.8", "19.9", "Backlog"])),
        assignees=tuple(draw(st.lists(usernames, unique=True, max_size=2))),
        position=draw(st.none() | st.floats(-1e6, 1e6)),
        state="closed" if closed else "opened",
        closed_at=WHEN if closed else None,
        title=draw(st.text(max_size=8)),
    )
