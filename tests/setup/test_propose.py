"""What is proposed for a group: our own names, other names, hardly any, statuses; and what is changed."""

from __future__ import annotations

from datetime import date

import pytest
from msgspec import structs

from glboard_core.config import DEFAULT_BOARDS, Limit, parse
from glboard_core.config_check import check
from glboard_core.model.milestone import Milestone
from glboard_core.model.workflow import STATES
from glboard_core.setup.found import FoundGroup, FoundList, Used
from glboard_core.setup.proposal import Proposal
from glboard_core.setup.propose import propose
from glboard_core.setup.save import text_of
from glboard_core.setup.write import config_text, literal, merged_text
from support.groups import SHOP_LABELS, TODAY, board, buckets, shop, sprints

DEFAULTS = (
    "group::custom models", "type::bug", "type::maintenance", "type::feature", "type::ignore", "Deliverable",
    "spike", "missed-deliverable", "Planning Issue", "priority::1", "severity::2",
    *(f"workflow::{state.name}" for state in STATES),
)  # fmt: skip


def proposed(found: FoundGroup, **more: object) -> Proposal:
    """The proposal; whatever it is, nothing is wrong in the file."""
    proposal = propose(found, TODAY, **more)  # type: ignore[arg-type]
    text = config_text(proposal, TODAY)
    assert check(text).mistakes == (), text
    assert parse(text, "config.toml").gitlab.group == found.path
    return proposal


def values(proposal: Proposal) -> dict[str, tuple[str, ...]]:
    """All values by key."""
    return {line.key: line.value for line in proposal.lines}


def test_our_own_names_need_no_line_in_the_file() -> None:
    found = shop(
        DEFAULTS,
        [
            *sprints("19.{}", days=30, first=5),
            *buckets("Next 1-3 releases", "Next 4-6 Milestones", "Backlog", "Awaiting further demand"),
        ],
        mine=Used(issues=4, labels={"group::custom models": 4}),
    )
    proposal = proposed(found)
    unused = {"labels.devops", "labels.section", "labels.categories"}
    assert {line.key for line in proposal.lines if line.written} == unused
    assert proposal.missing == ()
    assert proposal.line("planning.version").why == "current is 19.7, next is 19.8"
    settings = parse(config_text(proposal, TODAY), "")
    assert settings.boards == DEFAULT_BOARDS
    assert settings.labels.group == "group::custom models"
    # What no one has is not asked of every card.
    assert (settings.labels.devops, settings.labels.section, settings.labels.categories) == ("", "", ())


def test_other_names_are_recognised() -> None:
    proposal = proposed(shop(), zone="Europe/Berlin")
    settings = parse(config_text(proposal, TODAY), "")
    names = settings.labels
    assert (names.group, names.deliverable, names.spike) == ("team::storefront", "Committed", "Research")
    assert (names.type_prefix, names.workflow_prefix, names.priority_prefix) == (
        "kind::",
        "status::",
        "Prio::",
    )
    assert (names.wont_do, names.duplicate) == (("wontfix",), ("Duplicate",))
    assert settings.flow.labels == {
        "ready for development": "status::To do",
        "in dev": "status::Doing",
        "in review": "status::Code review",
        "verification": "status::Testing",
        "blocked": "status::On hold",
        "complete": "status::Done",
    }
    assert settings.planning.version == r"^Sprint \d+$"
    assert settings.planning.mix == {"kind::story": 60, "kind::bug + kind::chore": 40}
    assert settings.milestones["next-1-3"] == ("Next up",)
    assert settings.milestones["next-4-6"] == ("Later",)
    assert settings.milestones["backlog"] == ("Icebox",)
    planning, build = settings.board("planning"), settings.board("build")
    assert planning is not None
    assert build is not None
    assert planning.columns == ("kind::bug", "kind::chore", "kind::story")
    assert build.labels == ("Committed",)
    assert settings.ui.time_zone == "Europe/Berlin"
    assert settings.flow.backend == "label"


def test_what_is_not_found_is_said_with_near_matches_and_advice() -> None:
    proposal = proposed(shop(["Deliverables 2026", "bug"], buckets("Backlogg")))
    missing = {line.key: line for line in proposal.missing}
    assert missing["labels.deliverable"].near == ("Deliverables 2026",)
    assert missing["planning.version"].why == "no milestone has start and due dates"
    assert missing["flow.backend"].why == "no labels or statuses for workflow states"
    assert missing["milestones.next-1-3"].value == ("Next 1-3 Milestones", "Next 1-3 releases")
    assert all(line.advice for line in proposal.missing)
    text = config_text(proposal, TODAY)
    assert "# Deliverable: accepted: not in GitLab. Create it in GitLab, or choose another." in text


def test_a_group_with_nothing_still_gives_a_file() -> None:
    proposal = proposed(shop([], [], mine=Used(), recent=Used()))
    assert proposal.line("labels.group").value == ()
    assert proposal.line("labels.group").none == "all issues of shop"
    assert proposal.boards == ()


# The team's label


def test_the_label_of_most_of_our_issues_is_the_teams() -> None:
    line = proposed(shop()).line("labels.group")
    assert (line.value, line.trust) == (("team::storefront",), "sure")
    assert line.why == "on 8 of 8 issues assigned to you or created by you"
    assert "team::payments" in line.near


def test_a_group_named_like_a_label_has_that_label() -> None:
    found = shop(path="shop/payments", mine=Used(issues=3), recent=Used(issues=10))
    line = proposed(found).line("labels.group")
    assert (line.value, line.trust) == (("team::payments",), "likely")


def test_no_team_is_guessed_if_nothing_tells() -> None:
    line = proposed(shop(mine=Used(issues=3), recent=Used(issues=10))).line("labels.group")
    assert (line.value, line.trust) == ((), "missing")


def test_without_labels_for_teams_every_issue_counts() -> None:
    line = proposed(shop(["bug", "feature"])).line("labels.group")
    assert (line.value, line.trust) == ((), "likely")


# The workflow


def test_statuses_are_the_flow_where_no_label_names_a_state() -> None:
    statuses = tuple(state.status for state in STATES if state.shown_as is None)
    proposal = proposed(shop(["bug"], statuses=statuses))
    assert proposal.value("flow.backend") == "status"
    assert not any(line.key.startswith("flow.labels.") for line in proposal.lines)
    assert parse(config_text(proposal, TODAY), "").flow.backend == "status"


def test_labels_are_the_flow_where_both_are_used() -> None:
    statuses = ("In dev", "In review", "Complete")
    recent = Used(issues=10, labels={"status::Doing": 4}, statuses={"In dev": 9})
    line = proposed(shop(statuses=statuses, recent=recent)).line("flow.backend")
    assert line.value == ("label",)
    assert set(line.near) == {"status", "both"}


def test_statuses_are_the_flow_where_only_they_are_used() -> None:
    statuses = ("In dev", "In review", "Complete")
    recent = Used(issues=10, labels={"frontend": 4}, statuses={"In dev": 9})
    line = proposed(shop(statuses=statuses, recent=recent)).line("flow.backend")
    assert line.value == ("status",)


def test_gitlabs_own_statuses_are_the_flow_where_there_is_no_other() -> None:
    statuses = ("To do", "In progress", "Done", "Won't do", "Duplicate")
    proposal = proposed(
        shop(["bug"], statuses=statuses, boards=(board("Now", *statuses[:3], kind="status"),))
    )
    line = proposal.line("flow.backend")
    assert (line.value, line.trust) == (("status",), "likely")
    settings = parse(config_text(proposal, TODAY), "")
    assert settings.flow.statuses == {
        "ready for development": "To do",
        "in dev": "In progress",
        "complete": "Done",
    }
    now = settings.board("now")
    assert now is not None
    assert (now.by, now.columns) == ("flow", ("ready for development", "in dev", "complete"))


def test_gitlabs_own_statuses_count_less_than_labels() -> None:
    recent = Used(issues=10, labels={}, statuses={"To do": 9})
    statuses = ("To do", "In progress", "Done")
    assert proposed(shop(statuses=statuses, recent=recent)).value("flow.backend") == "label"


def test_both_have_lines_where_both_are_chosen() -> None:
    statuses = ("To do", "In progress", "Done")
    proposal = proposed(shop(statuses=statuses), chosen={"flow.backend": ("both",)})
    settings = parse(config_text(proposal, TODAY), "")
    assert settings.flow.backend == "both"
    assert settings.flow.labels["in dev"] == "status::Doing"
    assert settings.flow.statuses["in dev"] == "In progress"


def test_a_state_has_another_status_by_choice() -> None:
    statuses = ("To do", "In progress", "Testing now", "Done")
    chosen = {"flow.backend": ("status",), "flow.statuses.verification": ("Testing now",)}
    settings = parse(config_text(proposed(shop(statuses=statuses), chosen=chosen), TODAY), "")
    assert settings.flow.statuses["verification"] == "Testing now"


def test_states_without_a_scope_are_recognised() -> None:
    proposal = proposed(shop(["To do", "Doing", "Review", "bug", "chore"]))
    settings = parse(config_text(proposal, TODAY), "")
    assert settings.flow.labels == {
        "ready for development": "To do",
        "in dev": "Doing",
        "in review": "Review",
    }
    assert proposal.line("types").value == ("bug", "chore")


# Boards


def test_boards_of_gitlab_become_our_own() -> None:
    offered = proposed(
        shop(
            boards=(
                board("Support desk", "frontend", "Research", labels=("team::storefront", "frontend")),
                board("Kanban", "status::To do", "status::Done", milestone="Sprint 40"),
                board("Later", "Next up", "Sprint 41", kind="milestone"),
                board("Who", "rowan", kind="assignee"),
                board("Planning Sprint 40", "kind::bug"),
                board("Empty"),
                board("Mixed", "frontend", more="weight 3"),
            )
        )
    ).boards
    boards = {one.offer.title: one.offer for one in offered}
    taken = {one.offer.title for one in offered if one.taken}
    assert taken == {"Support desk", "Kanban", "Later", "Who", "Mixed"}
    desk, kanban, later = (boards[name].board for name in ("Support desk", "Kanban", "Later"))
    assert (desk.id, desk.by, desk.columns) == ("support-desk", "label", ("frontend", "Research"))
    # The team's label is on every board of ours.
    assert desk.labels == ("frontend",)
    assert (kanban.by, kanban.columns) == ("flow", ("ready for development", "complete"))
    assert kanban.milestone == "current"
    assert (later.by, later.columns) == ("milestone", ("next-1-3", "next"))
    assert boards["Who"].board.by == "assignee"
    assert boards["Mixed"].note == "scope not included: weight 3"
    assert "Empty" not in boards


def test_limits_of_lists_are_taken_over() -> None:
    doing = FoundList(kind="label", title="status::Doing", most_issues=3)
    limited = structs.replace(board("Limited", "status::To do"), lists=(doing,))
    [line] = proposed(shop(boards=(limited,))).boards
    assert line.offer.board.limits == {"in dev": Limit(issues=3)}


def test_a_board_named_like_a_built_in_one_never_replaces_it() -> None:
    offered = proposed(shop(boards=(board("Build", "frontend"), board("build!", "Research")))).boards
    assert [one.offer.board.id for one in offered] == ["build-2", "build-3"]
    assert [one.taken for one in offered] == [False, True]


# Whatever the group lacks, the boards show its issues


def test_without_milestones_the_boards_show_all_issues() -> None:
    settings = parse(config_text(proposed(shop(milestones=[])), TODAY), "")
    shown = {board.id: board.milestone for board in settings.boards}
    assert shown["planning"] == shown["build"] == shown["people"] == "any"
    # What has no milestone is where a backlog would be.
    assert shown["backlog"] == "none"
    usual = parse(config_text(proposed(shop()), TODAY), "")
    assert {board.id: board.milestone for board in usual.boards}["planning"] == "next"


def test_without_types_the_planning_board_is_one_list() -> None:
    labels = ["Art::Fehler", "Art::Aufgabe", "Team::Laden"]
    used = Used(issues=3, labels={"Art::Aufgabe": 2, "Art::Fehler": 1, "Team::Laden": 3})
    proposal = proposed(shop(labels, mine=used))
    planning = parse(config_text(proposal, TODAY), "").board("planning")
    assert planning is not None
    assert (planning.by, planning.columns) == ("none", ())
    # They are called something else: whatever is used can be chosen.
    assert proposal.line("types").near == ("Art::Aufgabe", "Art::Fehler")
    chosen = proposed(shop(labels, mine=used), chosen={"types": ("Art::Fehler", "Art::Aufgabe")})
    planning = parse(config_text(chosen, TODAY), "").board("planning")
    assert planning is not None
    assert (planning.by, planning.columns) == ("label", ("Art::Fehler", "Art::Aufgabe"))


def test_without_deliverables_the_build_board_shows_all_issues_of_the_milestone() -> None:
    build = parse(config_text(proposed(shop(["kind::bug"])), TODAY), "").board("build")
    assert build is not None
    assert build.labels == ()


def test_labels_that_are_no_state_have_lines_and_become_states_by_choice() -> None:
    found = shop([*SHOP_LABELS, "status::Rollout", "status::Refinments"])
    proposal = proposed(found)
    assert proposal.line("labels.workflow_prefix").why.endswith("2 other labels below")
    rollout, refinement = (
        proposal.line(f"flow.other.label.status::{one}") for one in ("Rollout", "Refinments")
    )
    assert (rollout.title, rollout.value, rollout.trust) == ("status::Rollout", (), "default")
    assert "(unlisted)" in rollout.none
    # What it may mean goes first; a state that has a label is not offered.
    assert refinement.near[0] == "refinement"
    assert "in dev" not in refinement.near
    assert "design" in rollout.near
    chosen = {"flow.other.label.status::Rollout": ("design",)}
    proposal = proposed(found, chosen=chosen)
    assert proposal.value("flow.labels.design") == "status::Rollout"
    assert "design" not in proposal.line("flow.other.label.status::Refinments").near
    text = config_text(proposal, TODAY)
    assert parse(text, "").flow.labels["design"] == "status::Rollout"
    assert "other" not in text
    # The line of the state goes before it.
    both = {**chosen, "flow.labels.design": ("status::Refinments",)}
    proposal = proposed(found, chosen=both)
    assert proposal.value("flow.labels.design") == "status::Refinments"
    assert proposal.line("flow.other.label.status::Rollout").value == ()


def test_statuses_that_are_no_state_have_lines_too() -> None:
    statuses = ("To do", "In progress", "Rollout", "Done", "Won't do", "Duplicate")
    choice = {"flow.backend": ("status",)}
    proposal = proposed(shop(statuses=statuses), chosen=choice)
    others = [line.title for line in proposal.lines if line.kind == "state"]
    assert others == ["Rollout (status)"]
    choice["flow.other.status.Rollout"] = ("verification",)
    settings = parse(config_text(proposed(shop(statuses=statuses), chosen=choice), TODAY), "")
    assert settings.flow.statuses["verification"] == "Rollout"


# What a person changes


def test_a_choice_goes_before_the_proposal_and_the_rest_follows() -> None:
    labels = [*SHOP_LABELS, "workflow::in dev", "workflow::in review"]
    assert proposed(shop(labels)).value("labels.workflow_prefix") == "status::"
    proposal = proposed(shop(labels), chosen={"labels.workflow_prefix": ("workflow::",)})
    assert proposal.value("flow.labels.in dev") == "workflow::in dev"
    assert proposal.line("labels.workflow_prefix").trust == "chosen"


def test_a_label_that_does_not_exist_yet_can_be_chosen() -> None:
    proposal = proposed(shop(), chosen={"labels.spike": ("timebox",), "labels.group": ()})
    assert proposal.line("labels.spike").why == "your choice; not in GitLab yet"
    settings = parse(config_text(proposal, TODAY), "")
    assert (settings.labels.spike, settings.labels.group) == ("timebox", "")


def test_a_board_is_left_out_or_taken() -> None:
    found = shop(boards=(board("Support desk", "frontend"), board("Build 3", "kind::bug")))
    chosen = {"boards.support-desk": ("no",), "boards.build-3": ("yes",)}
    settings = parse(config_text(proposed(found, chosen=chosen), TODAY), "")
    assert settings.board("support-desk") is None
    assert settings.board("build-3") is not None


# The file


def test_an_existing_file_keeps_what_it_says() -> None:
    before = (
        '# mine\n[gitlab]\nurl = "https://old.example.com"\n\n[labels]\nspike = "mine"  # kept\n'
        '\n[keymap]\n"labels.edit" = "F"\n\n[[boards]]\nid = "support-desk"\nname = "Ours"\nby = "none"\n'
    )
    found = shop(boards=(board("Support desk", "frontend"), board("Other", "frontend")))
    text = text_of(proposed(found), TODAY, how="merge", before=before)
    assert check(text).mistakes == (), text
    settings = parse(text, "")
    assert settings.gitlab.url == "https://gitlab.example.com"
    assert settings.labels.spike == "mine"
    assert settings.labels.deliverable == "Committed"
    assert settings.keymap == {"labels.edit": "F"}
    desk = settings.board("support-desk")
    assert desk is not None
    assert desk.name == "Ours"
    assert settings.board("other") is not None
    assert "# mine" in text
    assert "# kept" in text
    # A second time adds nothing.
    assert merged_text(text, proposed(found)) == text


@pytest.mark.parametrize(
    "title",
    [
        'say "hi"',
        "back\\slash",
        "it's",
        "tab\there",
        "\x7f",
        "new\nline",
        "# no comment",
        "ünïcode 漢字",
        "]]",
    ],
)
def test_any_title_can_be_written(title: str) -> None:
    found = shop([*SHOP_LABELS, title], chosen_board(title))
    text = config_text(propose(found, TODAY, chosen={"labels.spike": (title,)}), TODAY)
    assert check(text).mistakes == (), text
    assert parse(text, "").labels.spike == title
    assert literal({title: 1}).startswith("{ ")


def chosen_board(title: str) -> list[Milestone]:
    """Milestones, one of which has that title."""
    return [*sprints(), *buckets(f"Backlog {title}")]


def test_the_day_and_the_group_are_in_the_first_line() -> None:
    text = config_text(proposed(shop(path="shop/web")), date(2026, 12, 24))
    assert text.startswith("# glboard's configuration, written by setup on 2026-12-24 for shop/web.\n")
