"""``glboard edit`` does what the keys do and asks what they ask, on the embedded GitLab over a socket."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec import structs

from glboard_core.board.draft import Draft, DraftId
from glboard_core.board.operations import Edit, OpId
from glboard_core.board.undo import Group
from glboard_core.demo.http.server import DemoServer
from glboard_core.demo.world import upheavals
from glboard_core.demo.world.clock import DAY
from glboard_core.demo.world.world import World
from glboard_core.store.sqlite import SqliteStore
from glboard_tui.cli.main import run
from tui.app.stage import GROUP, GROUP_LABEL, ME, READY, small_world

Text = pytest.CaptureFixture[str]

#: An issue that is ready, one that is not, and one in the build of 19.7.
RIPE, RAW, BUILT = f"{GROUP}/platform#1", f"{GROUP}/platform#2", f"{GROUP}/platform#8"


@pytest.fixture
def world(served: DemoServer) -> World:
    """A world on a machine of its own."""
    return served.world


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[DemoServer]:
    """A server on a machine of its own."""
    world = small_world()
    for title in ("spike", "missed-deliverable"):
        world.add_label(world.group(GROUP), title)
    for name in ("XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, str(tmp_path / name))
    with DemoServer(world) as server:
        monkeypatch.setenv("GITLAB_HOST", server.url)
        monkeypatch.setenv("GITLAB_TOKEN", server.token)
        monkeypatch.setenv("GLBOARD_GROUP", GROUP)
        yield server


def labels(world: World, name: str) -> set[str]:
    return {label.title for label in world.issue(name).labels} - {GROUP_LABEL}


def milestone(world: World, name: str) -> str | None:
    found = world.issue(name).milestone
    return found.title if found else None


def assignees(world: World, name: str) -> set[str]:
    return {user.username for user in world.issue(name).assignees}


def notes(world: World, name: str) -> list[str]:
    return [note.body for note in world.issue(name).notes or () if not note.system]


def edit(*arguments: str) -> int:
    return run(["edit", *arguments])


# Each option


def test_issues_stamped_in_the_future_are_changed_as_others(world: World, capsys: Text) -> None:
    """From an import, or a clock that was ahead: every command says what it did, again and again."""
    world.edit(RAW, by=ME, close=True)
    for name in (RIPE, RAW, BUILT):
        world.issue(name).updated += 30 * DAY
    world.index.rebuild()
    for title in ("19.9", "19.8", "19.9"):
        assert edit(RIPE, "--milestone", title) == 0
        assert milestone(world, RIPE) == title
        assert title in capsys.readouterr().out
    assert edit(BUILT, "--remove-label", "Deliverable") == 0
    assert "Deliverable" in capsys.readouterr().out
    assert "Deliverable" not in labels(world, BUILT)
    assert edit(RAW, "--reopen") == 0
    assert "reopen" in capsys.readouterr().out
    assert world.issue(RAW).open


def test_accept_adds_deliverable_and_the_assignee(world: World) -> None:
    assert edit(RIPE, "--accept", "@eng_alder") == 0
    assert labels(world, RIPE) == {"type::bug", READY, "Deliverable"}
    assert "eng_alder" in assignees(world, RIPE)
    assert run(["undo"]) == 0
    assert labels(world, RIPE) == {"type::bug", READY}
    assert assignees(world, RIPE) == {"eng_birch"}


def test_a_command_sends_its_edit_and_nothing_of_a_draft(world: World, capsys: Text) -> None:
    assert edit(RIPE, "--weight", "3") == 0
    [state] = (Path(os.environ["XDG_STATE_HOME"]) / "glboard").glob("*.sqlite3")
    store, draft = SqliteStore(state), DraftId("d")
    staged = structs.replace(store.log()[0].change, id=OpId("staged"), change=Edit(weight=8))
    group = Group(id=staged.group, title="weight 8", ops=(staged,))
    assert store.put_draft(Draft(id=draft, name="what if", revision=1, groups=(group,)))
    store.turn_on_draft(draft)
    store.close()
    capsys.readouterr()
    assert edit(RAW, "--weight", "2") == 0
    assert "Draft what if is on in glboard, but this edit is sent, not staged." in capsys.readouterr().err
    assert run(["undo"]) == 0
    assert (world.issue(RIPE).weight, world.issue(RAW).weight) == (3, None)
    assert run(["undo"]) == 0
    assert world.issue(RIPE).weight == 2


def test_defer_moves_on_and_removes_deliverable(world: World) -> None:
    assert edit(BUILT, "--defer") == 0
    assert milestone(world, BUILT) == "19.8"
    assert labels(world, BUILT) == {"type::bug", "workflow::in dev"}


def test_slip_labels_and_moves_on(world: World) -> None:
    assert edit(BUILT, "--slip") == 0
    assert milestone(world, BUILT) == "19.8"
    assert labels(world, BUILT) >= {"Deliverable", "missed:19.7", "missed-deliverable"}


def test_drop_comments_the_reason(world: World) -> None:
    assert edit(BUILT, "--drop", "no demand") == 0
    assert milestone(world, BUILT) == "Backlog"
    assert labels(world, BUILT) == {"type::bug", "workflow::in dev", "missed:19.7"}
    assert [body.splitlines()[0] for body in notes(world, BUILT)] == ["no demand"]
    # Others may have read the comment: undo asks before it deletes one.
    assert run(["undo"]) == 4
    assert run(["undo", "--yes"]) == 0
    assert (milestone(world, BUILT), notes(world, BUILT)) == ("19.7", [])


@pytest.mark.parametrize(
    ("options", "weight"), [((), 2), (("--weight", "1"), 1), (("--weight", "none"), None)]
)
def test_spike_sets_the_usual_weight_if_there_is_none(
    options: tuple[str, ...], weight: int | None, world: World
) -> None:
    assert edit(RAW, "--spike", *options) == 0
    assert "spike" in labels(world, RAW)
    assert world.issue(RAW).weight == weight


def test_ready_with_its_weight_is_one_change(world: World, capsys: Text) -> None:
    assert edit(RAW, "--weight", "2", "--ready") == 0
    assert labels(world, RAW) == {"type::bug", READY}
    assert world.issue(RAW).weight == 2
    assert capsys.readouterr().out == f"{RAW}: weight 2, +{READY}\n"


def test_complete_closes(world: World) -> None:
    assert edit(BUILT, "--complete") == 0
    assert not world.issue(BUILT).open
    assert "workflow::complete" in labels(world, BUILT)


def test_take_assigns_me_and_starts(world: World) -> None:
    assert edit(RIPE, "--take") == 0
    assert assignees(world, RIPE) == {"eng_birch", ME}
    assert "workflow::in dev" in labels(world, RIPE)


def test_blocked_comments_the_reason(world: World) -> None:
    assert edit(RIPE, "--blocked", "waits for /close") == 0
    assert "workflow::blocked" in labels(world, RIPE)
    (note,) = notes(world, RIPE)
    assert "waits for /close" in note
    assert world.issue(RIPE).open


def test_breakdown_asks_people_in_a_comment(world: World) -> None:
    assert edit(RIPE, "--breakdown", "pm_oak", "--breakdown", "@eng_birch") == 0
    assert "workflow::planning breakdown" in labels(world, RIPE)
    assert notes(world, RIPE)[0].startswith("@pm_oak @eng_birch please break this down")


def test_several_options_are_one_change_and_one_undo(world: World, capsys: Text) -> None:
    assert edit(RAW, "--milestone", "19.7", "--weight", "1", "--ready", "--accept", "eng_alder") == 0
    assert (milestone(world, RAW), world.issue(RAW).weight) == ("19.7", 1)
    assert labels(world, RAW) == {"type::bug", READY, "Deliverable"}
    assert len(capsys.readouterr().out.splitlines()) == 1
    assert run(["undo"]) == 0
    assert (milestone(world, RAW), world.issue(RAW).weight) == ("19.8", None)
    assert labels(world, RAW) == {"type::bug", "workflow::planning breakdown"}


def test_a_move_is_that_of_the_board(world: World) -> None:
    assert edit(BUILT, "--board", "build", "--to", "in review") == 0
    assert labels(world, BUILT) == {"type::bug", "Deliverable", "workflow::in review"}
    assert edit(BUILT, "--board", "build", "--to", "(closed)") == 0
    assert not world.issue(BUILT).open
    assert edit(BUILT, "--board", "build", "--to", "In Dev") == 4
    assert edit(BUILT, "--board", "build", "--to", "In Dev", "--assign", ME) == 0
    assert world.issue(BUILT).open
    assert "workflow::in dev" in labels(world, BUILT)


# Questions


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((RAW, "--accept", "eng_alder"), "It is not ready: planning breakdown, no weight."),
        ((RAW, "--add-label", "Deliverable"), "It is not ready: planning breakdown, no weight."),
        ((RIPE, "--weight", "5", "--accept", "eng_alder"), "Weight 5 is over 3"),
        ((RAW, "--ready"), "It has no weight."),
        ((RAW, "--ready", "--weight", "5"), "to weight 5 and ready for development? It is over 3."),
        ((RIPE, RAW, "--close"), "Close 2 issues?"),
        ((RIPE, RAW, "--complete"), "Complete and close 2 issues?"),
        ((RIPE, RAW, "--board", "planning", "--to", "(closed)"), "Close 2 issues?"),
        ((RIPE, "--board", "planning", "--to", "feature"), "Change the type of this issue?"),
        ((RIPE, "--slip"), "missed:19.8 does not exist for platform."),
    ],
)
def test_a_question_needs_yes(arguments: tuple[str, ...], says: str, world: World, capsys: Text) -> None:
    names = [name for name in arguments if name.startswith(GROUP)]
    before = [(labels(world, name), milestone(world, name), world.issue(name).open) for name in names]
    assert edit(*arguments) == 4
    said = capsys.readouterr()
    assert says in said.err
    assert "run again with --yes" in said.err
    assert said.out == ""
    assert before == [(labels(world, name), milestone(world, name), world.issue(name).open) for name in names]
    assert edit(*arguments, "--dry-run") == 4
    said = capsys.readouterr()
    assert says in said.err
    assert said.out.startswith(f"{names[0]}: would ")
    assert edit(*arguments, "--yes", "--dry-run") == 0
    assert edit(*arguments, "--yes") == 0
    assert before != [(labels(world, name), milestone(world, name), world.issue(name).open) for name in names]


def test_of_several_issues_none_is_sent_before_yes(world: World, capsys: Text) -> None:
    arguments = (RIPE, RAW, f"{GROUP}/platform#4", "--ready")
    assert edit(*arguments) == 4
    assert "2 of 3 have warnings" not in (said := capsys.readouterr().err)
    assert "1 of 3 have warnings." in said
    assert "ready without a weight: 1" in said
    assert READY not in labels(world, f"{GROUP}/platform#4")
    assert edit(*arguments, "--yes") == 0
    assert READY in labels(world, RAW)
    assert READY in labels(world, f"{GROUP}/platform#4")


def test_leaving_blocked_asks_unless_there_is_a_comment(world: World, capsys: Text) -> None:
    assert edit(RIPE, "--blocked", "red") == 0
    assert edit(RIPE, "--take") == 4
    assert "No comment explains why it is unblocked." in capsys.readouterr().err
    assert edit(RIPE, "--take", "--comment", "green again") == 0


def test_yes_changes_the_type_and_keeps_the_subtype(world: World, capsys: Text) -> None:
    name = f"{GROUP}/platform#3"
    assert edit(name, "--board", "planning", "--to", "feature") == 4
    assert "Its subtype label will no longer fit." in capsys.readouterr().err
    assert edit(name, "--board", "planning", "--to", "feature", "--yes") == 0
    assert labels(world, name) == {"type::feature", "bug::functional"}


# What does not apply, and wrong use


def test_an_issue_an_option_does_not_apply_to_is_not_changed(world: World, capsys: Text) -> None:
    closed = f"{GROUP}/platform#11"
    assert edit(closed, "--take", "--weight", "3") == 1
    assert capsys.readouterr().err == f"{closed}: not changed: already closed\n"
    assert world.issue(closed).weight == 1
    assert edit(closed, RIPE, "--take") == 3
    said = capsys.readouterr()
    assert f"{closed}: not changed: already closed" in said.err
    assert said.out.startswith(f"{RIPE}: ")
    assert edit(closed, "--take", "--dry-run") == 1
    assert "would not change: already closed" in capsys.readouterr().out
    assert edit(closed, "--close") == 0
    assert "no change, already set" in capsys.readouterr().out
    assert edit(closed, "--reopen", "--take") == 0
    assert world.issue(closed).open


def test_undo_is_not_blamed_for_an_earlier_failure(world: World, capsys: Text) -> None:
    assert edit(f"{GROUP}/locked#1", "--weight", "3") == 1
    assert edit(RIPE, "--weight", "5") == 0
    capsys.readouterr()
    assert run(["undo"]) == 0
    assert "undone" in capsys.readouterr().out
    assert world.issue(RIPE).weight == 2


def test_some_rejected_is_partial(world: World, capsys: Text) -> None:
    assert edit(RIPE, f"{GROUP}/locked#1", "--blocked", "red") == 3
    said = capsys.readouterr()
    assert f"{GROUP}/locked#1: not changed" in said.err
    assert "workflow::blocked" in labels(world, RIPE)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ((), "Nothing to change"),
        (("--yes",), "Nothing to change"),
        (("--defer", "--slip"), "--defer and --slip cannot be combined"),
        (("--milestone", "next", "--drop", "no"), "--milestone and --drop cannot be combined"),
        (("--ready", "--take"), "--ready and --take cannot be combined"),
        (("--blocked", "red", "--breakdown", "pm_oak"), "--blocked and --breakdown cannot be combined"),
        (("--close", "--reopen"), "--close and --reopen cannot be combined"),
        (("--reopen", "--complete"), "--reopen and --complete cannot be combined"),
        (("--accept", "eng_alder", "--defer"), "--accept and --defer cannot be combined"),
        (("--accept", "eng_alder", "--unassign", "eng_alder"), "eng_alder cannot be both"),
        (("--accept", "eng_alder", "--remove-label", "Deliverable"), "Deliverable cannot be both"),
        (("--defer", "--add-label", "Deliverable"), "Deliverable cannot be both"),
        (("--add-label", "spike", "--remove-label", "spike"), "spike cannot be both"),
        (("--blocked", " "), "--blocked needs a value"),
        (("--drop", ""), "--drop needs a value"),
        (("--to", "bug"), "--board and --to must be used together"),
        (("--board", "planning"), "--board and --to must be used together"),
        (("--weight", "heavy"), "is not a weight"),
        (("--board", "planning", "--to", "nowhere"), "nowhere"),
        (("--weight", "9" * 5_000), "is not a weight."),
        (("--weight", "2147483648"), "“2147483648” is not a weight."),
        (("--milestone", ""), "--milestone needs a name."),
        (("--add-label", " "), "--add-label needs a name."),
        (("--assign", "@"), "--assign needs a name."),
        (("--accept", "eng_aldre"), "@eng_aldre: no such user in demo-org.\n  Did you mean @eng_alder?"),
        (("--breakdown", "nobody"), "@nobody: no such user in demo-org.\n"),
        (("--assign", "@eng_brich"), "@eng_brich: no such user in demo-org.\n  Did you mean @eng_birch?"),
        (("--board", "milestones", "--to", "19.9", "--milestone", "19.7"), "19.9 and to 19.7"),
        (("--ready", "--add-label", "workflow::in dev"), "would be added and removed"),
    ],
)
def test_contradicting_options_are_wrong_use(
    options: tuple[str, ...], says: str, world: World, capsys: Text
) -> None:
    before = labels(world, RAW), milestone(world, RAW)
    assert edit(RAW, *options) == 2
    assert says in capsys.readouterr().err
    assert before == (labels(world, RAW), milestone(world, RAW))


# Options on both sides of the command's name


def test_as_of_is_taken_on_both_sides(world: World, capsys: Text) -> None:
    some_day = f"{GROUP}/platform#10"
    for arguments in (
        ["--as-of", "2027-01-20", "edit", some_day, "--defer"],
        ["edit", some_day, "--defer", "--as-of", "2027-01-20"],
        ["--as-of", "2027-01-20", "edit", some_day, "--defer", "--as-of", "2027-01-20T00:00Z"],
    ):
        assert run([*arguments, "--dry-run"]) == 0
        assert "would change: to 19.10" in capsys.readouterr().out
    assert run(["edit", some_day, "--defer", "--dry-run"]) == 0
    assert "would change: to 19.8" in capsys.readouterr().out
    assert run(["--as-of", "2027-01-20", "show", "build", "--as-of", "2027-01-21"]) == 2
    assert "--as-of is set twice" in capsys.readouterr().err
    assert run(["show", "build", "--as-of", "soon"]) == 2


def test_team_and_locked_at_are_taken_on_both_sides(world: World, capsys: Text, tmp_path: Path) -> None:
    team = tmp_path / "ours.toml"
    team.write_text('[[people]]\nusername = "eng_alder"\n', encoding="utf-8")
    report = ["report", "load", "next"]
    printed = []
    for arguments in (["--team", str(team), *report], [*report, "--team", str(team)]):
        assert run(arguments) == 0
        printed.append(capsys.readouterr().out)
    assert printed[0] == printed[1]
    assert "eng_alder" in printed[0]
    assert run(["--team", str(team), *report, "--team", "other.toml"]) == 2
    assert "--team is set twice" in capsys.readouterr().err
    scope = ["report", "scope", "19.7", "--format", "json"]
    for arguments in (["--locked-at", "2026-11-20", *scope], [*scope, "--locked-at", "2026-11-20"]):
        assert run(arguments) == 0
        printed.append(capsys.readouterr().out)
    assert printed[2] == printed[3]
    assert '"locked_at": "2026-11-20T00:00:00Z"' in printed[2]
    assert run(["--locked-at", "2026-11-20", *scope, "--locked-at", "2026-11-21"]) == 2
    assert "--locked-at is set twice" in capsys.readouterr().err


# What has another name now


def test_a_reference_from_before_the_project_was_renamed(world: World) -> None:
    assert edit(RIPE, "--weight", "2") == 0
    upheavals.rename_project(world, world.project(f"{GROUP}/platform"), f"{GROUP}/base/core")
    url = f"{os.environ['GITLAB_HOST']}/{RIPE.replace('#', '/-/issues/')}"
    for n, text in enumerate(
        (RIPE, "platform#1", url, url.replace("/issues/", "/work_items/"), RIPE.upper()), 3
    ):
        assert edit(text, "--weight", str(n)) == 0, text
        assert world.issue(f"{GROUP}/base/core#1").weight == n
    # Unknown to the mirror, too, once the rename is known.
    assert edit("platform#3", "--weight", "7") == 0


def test_a_former_name_of_a_label_or_person_means_it_still(world: World, capsys: Text) -> None:
    label = world.label_of(world.group(GROUP), "spike")
    assert label is not None
    assert edit(RIPE, "--add-label", "spike", "--assign", "ENG_ALDER") == 0
    assert "eng_alder" in assignees(world, RIPE)
    world.rename_label(label, "exploration")
    assert edit(BUILT, "--add-label", "spike", "--yes") == 0
    assert "exploration" in labels(world, BUILT)
    assert edit(RIPE, "--remove-label", "spike") == 0
    assert "exploration" not in labels(world, RIPE)
    upheavals.rename_user(world, world.user("eng_alder"), "eng_elder")
    capsys.readouterr()
    assert edit(BUILT, "--assign", "eng_alder", "--weight", "5") == 0
    assert "eng_elder" in assignees(world, BUILT)
    assert "The user eng_alder is now eng_elder." in capsys.readouterr().err
    assert edit(RIPE, "--unassign", "eng_alder") == 0
    assert assignees(world, RIPE) == {"eng_birch"}


def test_a_renamed_user_is_assigned_to_all_issues_of_an_edit(world: World, capsys: Text) -> None:
    assert edit(RIPE, "--assign", "eng_alder") == 0
    upheavals.rename_user(world, world.user("eng_alder"), "eng_elder")
    assert run(["edit", BUILT, "platform#3", "platform#4", "--assign", "eng_alder"]) == 0
    assert all("eng_elder" in assignees(world, f"{GROUP}/platform#{n}") for n in (3, 4, 8))


def test_what_is_taken_off_is_known_by_its_former_name(world: World, capsys: Text) -> None:
    """No refresh tells of the rename before: the issue as it is read does."""
    label = world.label_of(world.group(GROUP), "spike")
    assert label is not None
    world.edit(RIPE, by=ME, add_labels=["spike"], assignees=["eng_alder"])
    assert edit(BUILT, "--add-label", "spike", "--assign", "eng_alder", "--yes") == 0
    world.rename_label(label, "exploration")
    upheavals.rename_user(world, world.user("eng_alder"), "eng_elder")
    assert edit(RIPE, "--remove-label", "spike", "--unassign", "eng_alder") == 0
    assert "exploration" not in labels(world, RIPE)
    assert assignees(world, RIPE) == set()
    assert "no change" not in capsys.readouterr().out


def test_an_address_as_the_browser_shows_it_behind_a_tunnel(served: DemoServer, capsys: Text) -> None:
    """GitLab calls itself by another name than the one that it is asked by."""
    world = served.world
    served.settings.external_url = "https://git.example.com/gitlab"
    assert run(["show", "planning"]) == 0
    for page in ("issues/1", "work_items/1", "issues/1#note_3"):
        address = f"https://GIT.example.com/gitlab/{GROUP.upper()}/Platform/-/{page}"
        before = world.issue(RIPE).weight or 0
        assert edit(address, "--weight", str(before + 1)) == 0
        assert world.issue(RIPE).weight == before + 1
    assert edit(f"{served.url}/{GROUP}/platform/-/issues/1", "--weight", "9") == 0
    capsys.readouterr()
    for host in ("http://git.example.com:8080/gitlab", "https://git.example.com", "https://example.com"):
        assert edit(f"{host}/{GROUP}/platform/-/issues/1", "--weight", "1") == 2
        assert "is on another GitLab" in capsys.readouterr().err


@pytest.mark.parametrize("title", ["Any", "None", "Current", "Upcoming", "#started", 'a "quoted" / one'])
def test_a_milestone_that_is_called_like_a_word_of_ours_or_gitlabs(world: World, title: str) -> None:
    world.add_milestone(world.group(GROUP), title)
    assert edit(RIPE, "--milestone", title) == 0
    assert milestone(world, RIPE) == title


@pytest.mark.parametrize("text", ["platform#" + "9" * 5_000, "platform#１", f"{GROUP}/platform#-1"])
def test_a_number_that_no_issue_has(world: World, text: str, capsys: Text) -> None:
    assert edit(text, "--weight", "1") == 2
    assert "is not an issue" in capsys.readouterr().err


@pytest.mark.parametrize("when", ["0001-01-01", "9999-12-31T23:59:59Z"])
def test_a_time_at_the_end_of_the_calendar(world: World, when: str, capsys: Text) -> None:
    for options in (("--as-of", when, "show", "build"), ("--locked-at", when, "report", "scope", "19.7")):
        assert run([*options]) == 2
        assert "is not a time" in capsys.readouterr().err


def test_a_label_in_other_letters_is_offered(world: World, capsys: Text) -> None:
    assert edit(RIPE, "--add-label", "deliverable") == 2
    assert "Did you mean “Deliverable”" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "status", "says"),
    [
        (("--remove-label", "type::bog"), 2, "No label named “type::bog”.\n  Did you mean “type::bug”?"),
        (("--remove-label", "xyz"), 2, "No label named “xyz”.\n  Its labels: "),
        (("--remove-label", "Deliverable"), 0, "no change, the label “Deliverable” is not on it"),
        (("--unassign", "eng_brich"), 2, "@eng_brich: no such user in demo-org.\n  Did you mean @eng_birch"),
        (("--unassign", "eng_alder"), 0, "no change, @eng_alder is not assigned"),
        (("--unblock", "platform#4"), 0, "no change, platform#4 is not linked to it"),
        (("--unblock", "platfrom#4"), 2, "No project named “platfrom”."),
        (("--unblock", "platform#4", "--dry-run"), 0, "would not change: platform#4 is not linked to it"),
        (("--milestone", "19.80"), 2, "Similar: 19.8"),
        (("--board", "build", "--to", "in devv"), 2, "Similar: in dev"),
        (("--board", "bulid", "--to", "in dev"), 2, "Similar: build."),
    ],
)
def test_what_is_not_there_is_told_from_what_does_not_exist(
    arguments: tuple[str, ...], status: int, says: str, world: World, capsys: Text
) -> None:
    assert edit(RIPE, *arguments) == status
    out = capsys.readouterr()
    assert says in out.out + out.err
    assert run(["undo"]) == 0
    assert "Nothing to undo" in capsys.readouterr().out


# Links, confidential, health


def test_issues_are_linked_and_unlinked(world: World, capsys: Text) -> None:
    assert run(["edit", RIPE, "--blocked-by", "platform#3", "--relate", "platform#4"]) == 0
    issue = world.issue(RIPE)
    assert "workflow::blocked" in labels(world, RIPE)
    assert [one.iid for one in issue.blocked_by] == [3]
    assert [one.iid for one in issue.related] == [4]
    assert "blocked by platform#3" in capsys.readouterr().out
    assert run(["edit", RIPE, "--unblock", "platform#3"]) == 0
    assert world.issue(RIPE).blocked_by == ()
    # A link that is there already is no failure, and stays when the last change is undone; one to nowhere is.
    assert run(["edit", RIPE, "--relate", "platform#4"]) == 0
    assert "no change, already set" in capsys.readouterr().out
    assert run(["edit", RIPE, "--relate", "platform#999"]) != 0
    assert run(["undo", "--yes"]) == 0
    assert [one.iid for one in issue.related] == [4]
    # What it is called by does not matter: the link that is there is removed, and put back as it was.
    assert run(["edit", RIPE, "--unblock", "platform#4"]) == 0
    assert not issue.related
    assert run(["undo", "--yes"]) == 0
    assert [one.iid for one in issue.related] == [4]


def test_public_needs_a_yes(world: World, capsys: Text) -> None:
    assert run(["edit", RIPE, "--confidential", "--health", "at-risk"]) == 0
    assert world.issue(RIPE).confidential
    assert world.issue(RIPE).health == "atRisk"
    assert run(["edit", RIPE, "--public"]) == 4
    assert "Make platform#1 non-confidential?" in capsys.readouterr().err
    assert run(["edit", RIPE, "--public", "--health", "none", "--yes"]) == 0
    assert not world.issue(RIPE).confidential
    assert world.issue(RIPE).health is None
    assert run(["edit", RIPE, "--public", "--confidential"]) == 2


def test_a_title_that_something_else_has_now(world: World, capsys: Text) -> None:
    """What is typed is what is called so now, however old the catalog is."""
    root = world.group(GROUP)
    assert edit(BUILT, "--add-label", "spike", "--milestone", "19.9", "--yes") == 0
    old, sprint = world.label_of(root, "spike"), world.milestone("19.9")
    assert old is not None
    world.rename_label(old, "spike (old)")
    upheavals.rename_milestone(world, sprint, "19.9 (old)")
    world.add_label(root, "spike")
    new = world.add_milestone(root, "19.9", sprint.start, sprint.due)
    before = labels(world, RIPE)
    assert edit(RIPE, "--add-label", "spike", "--milestone", "19.9", "--yes") == 0
    assert labels(world, RIPE) == before | {"spike"}
    assert world.issue(RIPE).milestone is new
    assert run(["undo"]) == 0
    assert labels(world, RIPE) == before
    assert milestone(world, RIPE) == "19.8"


def test_a_locked_issue_is_not_reopened_and_the_lock_is_named(world: World, capsys: Text) -> None:
    world.edit(RIPE, by=ME, close=True)
    world.issue(RIPE).locked = True
    assert edit(RIPE, "--reopen") == 1
    assert "its discussion is locked" in capsys.readouterr().err
    assert not world.issue(RIPE).open
