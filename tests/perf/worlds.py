"""What is measured on: embedded GitLabs, and files with a column of as many cards as wanted."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from glboard_core.demo.http.process import DemoOptions, SpawnedDemo, spawn
from support.terminal import GLBOARD, clean_environment

_EVERYTHING = """\
[[boards]]
id = "everything"
name = "Everything"
by = "none"
milestone = "any"
labels = ["group::custom models"]
"""


def account(server: SpawnedDemo) -> dict[str, str]:
    """The environment that leads to a server."""
    return {"GITLAB_HOST": server.url, "GITLAB_TOKEN": server.token, "GLBOARD_GROUP": server.group}


def world_of(scope: int) -> int:
    """How many issues to ask the embedded GitLab for, to find about that many open ones in scope."""
    # Some are closed, some belong to other groups.
    return round(scope / 0.715)


def organisation() -> SpawnedDemo:
    """An embedded GitLab of the size of an organisation: 100,000 issues, of which 2,000 are the team's."""
    return spawn(DemoOptions(size="org"))


def scope_of(server: SpawnedDemo, home: Path) -> int:
    """How many open issues of the group's label a server has."""
    config = home / "everything.toml"
    config.write_text(_EVERYTHING)
    done = subprocess.run(
        [*GLBOARD, "--config", str(config), "show", "everything", "--format", "json"],
        env={**clean_environment(home), **account(server)},
        capture_output=True,
        text=True,
        check=True,
    )
    return sum(column["count"] for column in json.loads(done.stdout)["columns"])


def column_of(cards: int, folder: Path) -> Path:
    """A scenario in which the Build board's first column holds that many cards, the second and third 30."""
    issues = [
        _issue(number, "ready for development" if number <= cards else ("in dev", "in review")[number % 2])
        for number in range(1, cards + 61)
    ]
    path = folder / f"column-{cards}.json"
    path.write_text(
        json.dumps(
            {
                "as_of": "2026-12-07T15:00:00Z",
                "people": {"em": "em_maple", "pm": "pm_oak", "engineers": ["eng_alder", "eng_birch"]},
                "milestones": [
                    {"id": 1, "title": "19.7", "start_date": "2026-11-14", "due_date": "2026-12-11"},
                    {"id": 2, "title": "19.8", "start_date": "2026-12-12", "due_date": "2027-01-15"},
                    {"id": 3, "title": "19.9", "start_date": "2027-01-16", "due_date": "2027-02-12"},
                ],
                "issues": issues,
            }
        )
    )
    return path


def _issue(number: int, state: str) -> dict[str, object]:
    return {
        "id": 900_000 + number,
        "iid": number,
        "project_path": "demo-org/platform",
        "title": f"Card {number} of many, with a title about as long as titles are",
        "state": "opened",
        "created_at": "2026-09-01T10:00:00Z",
        "updated_at": f"2026-10-{1 + number % 28:02}T10:00:00Z",
        "labels": [
            "group::custom models",
            f"workflow::{state}",
            "Deliverable",
            "type::feature",
            f"priority::{1 + number % 4}",
        ],
        "milestone": {"title": "19.7"},
        "weight": number % 5 or None,
        "assignees": ["eng_alder"] if number % 3 else [],
        "pm_rank": number,
    }
