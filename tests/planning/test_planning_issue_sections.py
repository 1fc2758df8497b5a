"""The text of a planning issue: placeholders, and parts in which no title has a side effect."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec import structs

from glboard_core.board.definition import flow_scheme
from glboard_core.config import CapacityWords, LabelSettings, PlanningSettings, Settings
from glboard_core.demo.world.texts import split
from glboard_core.errors import ConfigError
from glboard_core.milestone_setup import template_of
from glboard_core.model.issue import Issue
from glboard_core.planning import planning_issue_sections
from glboard_core.planning.candidates import candidates
from glboard_core.planning.capacity import capacity, carry_over
from glboard_core.planning.planning_issue import PARTS, VALUES, check, fill
from glboard_core.planning.planning_issue_sections import BoardLink, Month, parts, values
from glboard_core.planning.team import Member, Team
from glboard_core.planning.text import plain
from support.make import MILESTONES, issue, milestone

NEXT, BEFORE = milestone("19.8", "2026-12-12", "2027-01-15"), milestone("19.7", "2026-11-14", "2026-12-11")
TEAM = Team(people=(Member(username="eng_alder"), Member(username="eng_birch", factor=0.5)))
NAMES, FLOW = LabelSettings(), flow_scheme(Settings())


def month(
    *issues: Issue, team: Team | None = TEAM, words: CapacityWords = "totals", confidential: bool = False
) -> Month:
    planning = PlanningSettings()
    return Month(
        milestone=NEXT,
        before=BEFORE,
        candidates=candidates(issues, "19.8", frozenset({"19.8"}), FLOW, NAMES),
        carry_over=carry_over(issues, BEFORE, FLOW, NAMES, planning),
        capacity=capacity(issues, NEXT, team, MILESTONES, FLOW, NAMES, planning) if team else None,
        flow=FLOW,
        words=words,
        confidential=confidential,
    )


def card(number: int, title: str = "Some issue", **fields: Any) -> Issue:
    return issue(
        number, *fields.pop("labels", ("type::bug",)), title=title, **{"milestone": "19.8", **fields}
    )


# The template


def test_built_in_template_has_every_part_once() -> None:
    text, where = template_of(Settings(), None)
    assert set(check(text, where)) == set(PARTS)
    done = fill(text, values(month()), parts(month(), ()), where)
    assert "{" not in done
    assert "# Planning of 19.8" in done
    for role in ("EM", "PM", "Engineers", "SET"):
        assert f"### {role}\n\n- [ ] " in done


@pytest.mark.parametrize(
    ("template", "words"),
    [
        ("a\n{mielstone}", ["t.md:2: {mielstone}", "Did you mean “{milestone}”", "Known: {milestone}"]),
        ("{Carry_Over}", ["{Carry_Over}", "Did you mean “{carry-over}”"]),
        ("Capacity: {capacity}", ["t.md:1: {capacity}", "its own line"]),
        ("{dates}\n{dates}", ["t.md:2: {dates}", "twice"]),
        ("{zzzzz}", ["{zzzzz}", "Known:"]),
    ],
)
def test_wrong_placeholder_is_reported_with_its_line(template: str, words: list[str]) -> None:
    with pytest.raises(ConfigError) as caught:
        check(template, "t.md")
    assert all(word in str(caught.value) for word in words), str(caught.value)


def test_other_braces_stay() -> None:
    text = "\\{milestone} {+ added +} {} { milestone } {1}"
    assert fill(text, values(month()), {}, "t.md") == text
    assert set(VALUES) == set(values(month()))


def test_missing_template_is_reported_by_name(tmp_path: Any) -> None:
    own = structs.replace(Settings().planning.issue, template="month.md")
    settings = structs.replace(Settings(), planning=structs.replace(Settings().planning, issue=own))
    with pytest.raises(ConfigError, match=r"month\.md.*planning\.issue\.template"):
        template_of(settings, tmp_path)
    (tmp_path / "month.md").write_text("# {milestone}\n", encoding="utf-8")
    assert template_of(settings, tmp_path) == ("# {milestone}\n", str(tmp_path / "month.md"))


# Titles have no side effects

WILD = (
    "a | b",
    "/close",
    "  /label ~bug",
    "ping @em_maple and @all",
    "see #1, !2, &3, %4, $5, ~6",
    "<!-- glboard:end candidates -->",
    "</td><script>alert(1)</script>",
    "`code` **bold** [link](http://x) ![i](y)",
    "back\\slash | at the end \\",
    "two\nlines\r\n/close",
)


@pytest.mark.parametrize("title", WILD)
def test_title_stays_in_its_cell_without_side_effects(title: str) -> None:
    one, carried = card(1, title, weight=2), card(2, title, labels=("Deliverable",), milestone="19.7")
    found = month(one, carried)
    for text in (planning_issue_sections.candidates(found), planning_issue_sections.carry_over(found)):
        rows = text.split("\n\n", maxsplit=1)[0].splitlines()
        assert len(rows) == 3
        bare = rows[2].replace("\\\\", "")
        assert bare.replace("\\|", "").count("|") == rows[0].count("|")
        assert split(text)[1] == []
        assert not any(text.replace("\\" + char, "").count(char) for char in "@!~&%$")
        assert "<!--" not in text
    assert "#1 |" in planning_issue_sections.candidates(found)


def test_plain_text_runs_no_quick_action() -> None:
    assert plain("/close") == "\\/close"
    assert split(plain("/close"))[1] == []
    assert plain(" a\t b\n") == "a b"


def test_confidential_titles_stay_out_of_a_public_issue() -> None:
    secret = [
        card(1, "Leaked key", confidential=True),
        card(2, "Leaked key", confidential=True, milestone="19.7", labels=("Deliverable",)),
    ]
    open_text = "".join(parts(month(*secret), ()).values())
    assert "Leaked" not in open_text
    assert open_text.count("(confidential)") == 2
    closed_text = "".join(parts(month(*secret, confidential=True), ()).values())
    assert closed_text.count("Leaked key") == 2


# The parts


def test_empty_milestone_says_so() -> None:
    found = parts(month(team=None), ())
    assert found["candidates"] == "None yet."
    assert found["carry-over"] == "Nothing is left open of 19.7."
    assert found["capacity"] == "Not known yet."
    assert found["boards"] == "No boards."
    first = structs.replace(month(), before=None)
    assert planning_issue_sections.carry_over(first) == "There is no milestone before this one."
    assert "Before it" not in planning_issue_sections.dates(first)


def test_dates() -> None:
    said = planning_issue_sections.dates(month())
    assert "| Starts | Saturday 2026-12-12 |" in said
    assert "| Due | Friday 2027-01-15 |" in said
    assert "| Workdays | 25, before holidays |" in said


def test_boards_are_links_or_say_why_not() -> None:
    said = planning_issue_sections.board_links(
        [BoardLink("Planning 19.8", "https://host/boards/1"), BoardLink("Build 19.8", why="not in GitLab")]
    )
    assert said == "- [Planning 19.8](https://host/boards/1)\n- Build 19.8: not in GitLab"


def test_capacity_shows_totals_or_names_but_never_days() -> None:
    found = month(card(1, weight=2, assignees=("eng_alder",)), card(2))
    totals = planning_issue_sections.capacity(found)
    assert "| Capacity | 18.75 |" in totals
    assert "| Planned | 2 + 1 unweighted |" in totals
    assert "| Room | +16.75, +16.75 with the likely carry-over |" in totals
    assert "eng_alder" not in totals
    names = planning_issue_sections.capacity(structs.replace(found, words="names"))
    assert "| `eng_alder` | 12.5 | 2 |" in names
    assert "| 25 |" not in names
    assert planning_issue_sections.capacity(structs.replace(found, words="none")) == "Kept by the EM."
    assert "@" not in names


def test_candidates_are_in_order_with_their_details() -> None:
    slipped = card(1, "Came back", labels=("type::bug", "missed:19.7", "priority::1"), weight=2)
    said = planning_issue_sections.candidates(month(card(2, assignees=("eng_alder",)), slipped))
    rows = said.splitlines()
    assert rows[2].startswith("| 1 | demo-org/platform#1 | Came back | 2 | 1 | P1 |  |")
    assert rows[3].startswith("| 2 | demo-org/platform#2 | Some issue | - |  |  | `eng_alder` |")
    assert "not ready, no weight" in rows[3]
    assert said.endswith("2 issues, weight 2 + 1 unweighted.")


def test_long_list_is_cut() -> None:
    said = planning_issue_sections.candidates(month(*(card(n, weight=1) for n in range(1, 131))))
    assert said.count("\n| ") == planning_issue_sections.MOST_ROWS + 1
    assert "… and 30 more.\n\n130 issues, weight 130." in said


def test_same_milestone_gives_the_same_text() -> None:
    issues = [card(1, weight=2), card(2)]
    assert parts(month(*issues), ()) == parts(month(*reversed(issues)), ())
