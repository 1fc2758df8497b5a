"""How the planning issue of a milestone is found, and the title of a new one."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from msgspec import structs

from glboard_core.config import PlanningIssueSettings, Settings, parse
from glboard_core.errors import ConfigError
from glboard_core.model.issue import Issue
from glboard_core.planning.planning_issue import find, labels_for, project_for, title_for
from support.make import GROUP_LABEL, WHEN, issue, milestone

NEXT = milestone("19.8", "2026-12-12", "2027-01-15")
SETTINGS = Settings()


def planning(number: int, title: str, **fields: Any) -> Issue:
    labels = fields.pop("labels", frozenset({GROUP_LABEL, "type::ignore"}))
    return issue(number, title=title, labels=labels, **{"milestone": "19.8", **fields})


def configured(**fields: Any) -> Settings:
    own = PlanningIssueSettings(**fields)
    return structs.replace(SETTINGS, planning=structs.replace(SETTINGS.planning, issue=own))


@pytest.mark.parametrize(
    "title",
    [
        "19.8 planning",
        "Planning issue for 19.8",
        "Custom Models planning 19.8",
        "🗓 Plan: 19.8",
        "planning issue",
        "Planning 19.8, with the carry-over of 19.7",
    ],
)
def test_it_is_found_whoever_created_it(title: str) -> None:
    assert find([issue(1, milestone="19.8"), planning(2, title)], NEXT, SETTINGS).issue is not None


@pytest.mark.parametrize(
    "other",
    [
        planning(2, "19.8 retrospective"),
        planning(2, "19.8 planning retrospective"),
        planning(2, "Planning issue for 19.7"),
        planning(2, "Planning issue for 19.80"),
        planning(2, "Planning issue for 19.8.1"),
        planning(2, "19.8 planning", milestone="19.9"),
        planning(2, "Planning", milestone=None),
        planning(2, "Planets of 19.8"),
        planning(2, "19.8 planning", labels=frozenset({"type::ignore"})),
        planning(2, "19.8 planning", labels=frozenset({GROUP_LABEL})),
    ],
)
def test_other_issues_do_not_match(other: Issue) -> None:
    assert find([other], NEXT, SETTINGS).issue is None


def test_issue_without_a_milestone_must_name_it() -> None:
    assert find([planning(2, "19.8 planning", milestone=None)], NEXT, SETTINGS).issue is not None


def test_oldest_open_one_is_used_and_reported() -> None:
    def at(number: int, days: int, **fields: Any) -> Issue:
        return planning(number, "19.8 planning", created_at=WHEN + timedelta(days=days), **fields)

    found = find([at(4, 2), at(3, 1), at(2, 0, state="closed")], NEXT, SETTINGS)
    assert found.issue is not None
    assert found.issue.iid == 3
    assert [one.iid for one in found.others] == [4, 2]
    assert found.doubt == (
        "3 issues match; using demo-org/platform#3, not demo-org/platform#4, demo-org/platform#2."
    )
    closed = find([at(2, 0, state="closed", duplicate=True), at(3, 1, state="closed")], NEXT, SETTINGS)
    assert closed.issue is not None
    assert closed.issue.iid == 3
    assert find([at(3, 1)], NEXT, SETTINGS).doubt == ""


def test_words_of_a_configured_title_match_too() -> None:
    own = configured(title="Ziele für {milestone}")
    assert find([planning(2, "Unsere Ziele für 19.8")], NEXT, own).issue is not None
    assert find([planning(2, "Unsere Ziele für 19.8")], NEXT, SETTINGS).issue is None


def test_title_of_a_new_one() -> None:
    assert title_for(NEXT, PlanningIssueSettings()) == "19.8 planning"
    assert title_for(NEXT, PlanningIssueSettings(title=" Plan of\n{milestone} ")) == "Plan of 19.8"


@pytest.mark.parametrize(
    ("title", "words"), [("Planning", "must contain the milestone"), ("{mielstone} x", "{mielstone}")]
)
def test_unusable_title_is_rejected(title: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        title_for(NEXT, PlanningIssueSettings(title=title))


def test_labels_are_listed_once_each() -> None:
    assert labels_for(SETTINGS) == (GROUP_LABEL, "type::ignore", "Planning Issue")
    assert labels_for(configured(labels=("type::ignore",))) == (GROUP_LABEL, "type::ignore")


def test_new_one_goes_to_the_project_of_the_others_unless_configured() -> None:
    old = planning(1, "18.0 planning", milestone="18.0", project="demo-org/old", created_at=WHEN)
    new = planning(
        2, "19.7 planning", milestone="19.7", project="demo-org/team", created_at=WHEN + timedelta(days=1)
    )
    assert project_for([new, old], SETTINGS) == "demo-org/team"
    assert project_for([new], configured(project="demo-org/meta")) == "demo-org/meta"
    with pytest.raises(ConfigError, match=r"planning\.issue\.project"):
        project_for([issue(1)], SETTINGS)


def test_the_settings_are_a_table_of_the_file() -> None:
    own = parse('[planning.issue]\nproject = "a/b"\ntitle = "Plan {milestone}"\n', "config.toml")
    assert own.planning.issue.project == "a/b"
    with pytest.raises(ConfigError, match="Did you mean “project”"):
        parse('[planning.issue]\nprojekt = "a/b"\n', "config.toml")
