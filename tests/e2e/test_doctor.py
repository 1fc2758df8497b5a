"""``glboard doctor`` finds what is wrong, says what to do, and holds no secret and no title."""

from __future__ import annotations

import http.server
import json
import re
import shutil
import ssl
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from glboard_core.demo.http.server import DemoServer
from glboard_core.demo.sample.generated import default_world
from glboard_core.demo.world.records import Issue
from glboard_core.demo.world.upheavals import rename_milestone
from glboard_core.demo.world.world import World
from glboard_core.doctor import machine
from glboard_core.doctor.checks import CHECKS, Check, Checks, Diagnosis
from glboard_core.doctor.examination import Patient, examine
from glboard_core.environment import TOKENS
from glboard_core.gitlab.http import Limits
from glboard_tui.cli import terminal_checks
from glboard_tui.cli.main import run
from support.terminal import GLBOARD, Terminal

Text = pytest.CaptureFixture[str]
QUICK = Limits(first_wait=0.01, longest_wait=0.05, total=5.0, patience=5.0, attempts=2)
#: Requests of a whole examination; two more if names are missing.
REQUESTS = 6


@pytest.fixture(autouse=True)
def _machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An empty home."""
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME", *TOKENS):
        monkeypatch.delenv(name, raising=False)
    for name in ("GITLAB_HOST", "GLBOARD_GROUP", "PYTHON_GITLAB_CFG"):
        monkeypatch.delenv(name, raising=False)


def healthy(**kinds: str) -> World:
    """A group in which all is well."""
    world = default_world(issues=40, **kinds)  # type: ignore[arg-type]
    for project in world.projects.values():
        project.overrides.clear()
    return world


def issues_of(world: World) -> list[Issue]:
    """All its issues."""
    return [issue for project in world.projects.values() for issue in project.issues.values()]


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[World], DemoServer]]:
    """Serves a world to what follows."""
    running: list[DemoServer] = []

    def served(world: World, **more: bool) -> DemoServer:
        server = DemoServer(world, **more).start()  # type: ignore[arg-type]
        running.append(server)
        monkeypatch.setenv("GITLAB_HOST", server.url)
        monkeypatch.setenv("GITLAB_TOKEN", server.token)
        monkeypatch.setenv("GLBOARD_GROUP", world.root.full_path)
        return server

    yield served
    for server in running:
        server.stop()


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """The configuration file, which is not there."""
    return tmp_path / ".config" / "glboard" / "config.toml"


async def examined(config: Path, **more: object) -> Diagnosis:
    """All checks but those of the terminal."""
    more = {"team": config.parent / "team.toml", **more}
    return await examine(Patient(config=config, **more), Checks(), QUICK)  # type: ignore[arg-type]


def of(diagnosis: Diagnosis, check: str) -> Check:
    """One check; whatever is wrong is said with what to do."""
    found = next(one for one in diagnosis.checks if one.id == check)
    assert found.text
    assert bool(found.advice) == (found.status in ("warning", "problem"))
    return found


def written(config: Path, text: str) -> Path:
    """The configuration file with a text."""
    config.parent.mkdir(parents=True)
    config.write_text(text, "utf-8")
    return config


Serve = Callable[..., DemoServer]


async def test_all_is_well_in_few_requests(serve: Serve, config: Path) -> None:
    server = serve(healthy())
    found = await examined(config)
    wrong = [one for one in found.checks if one.status in ("warning", "problem")]
    assert wrong == []
    assert {one.id for one in found.checks if one.status == "skipped"} == {
        one for one, (area, _) in CHECKS.items() if area == "Terminal"
    }
    assert tuple(one.id for one in found.checks) == tuple(CHECKS)
    assert found.requests == len(list(server.requests)) == REQUESTS
    assert not [one for one in server.requests if one.mutations or one.method not in ("GET", "POST")]


async def test_a_token_that_can_only_read_is_a_warning(serve: Serve, config: Path) -> None:
    server = serve(healthy())
    server.rescope(server.token, "read_api")
    token = of(await examined(config), "token")
    assert token.status == "warning"
    assert "read_api" in token.text
    assert "“api”" in token.advice


async def test_a_file_with_the_token_that_others_can_read_is_a_warning(
    serve: Serve, config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = serve(healthy())
    file = tmp_path / "python-gitlab.cfg"
    file.write_text(f"[global]\ndefault = a\n[a]\nurl = {server.url}\nprivate_token = {server.token}\n")
    file.chmod(0o644)
    monkeypatch.delenv("GITLAB_TOKEN")
    monkeypatch.setenv("PYTHON_GITLAB_CFG", str(file))
    token = of(await examined(config), "token")
    assert token.status == "warning"
    assert "chmod 600 ~/python-gitlab.cfg" in token.advice
    assert server.token not in f"{token.text} {token.advice}"


async def test_a_token_with_a_wrong_scope_is_a_problem(serve: Serve, config: Path) -> None:
    server = serve(healthy())
    server.rescope(server.token, "read_user")
    found = await examined(config)
    token = of(found, "token")
    assert (found.status, token.status) == ("problem", "problem")
    assert "read_user" in token.text
    assert of(found, "labels").status == "skipped"
    assert found.requests == 1


@pytest.mark.parametrize(("days", "status"), [(5, "warning"), (60, "ok")])
async def test_a_token_that_expires_soon_is_found(serve: Serve, config: Path, days: int, status: str) -> None:
    server = serve(healthy())
    server.ends(server.token, server.world.clock.today() + timedelta(days=days))
    token = of(await examined(config), "token")
    assert token.status == status
    assert token.facts["days_left"] == days
    assert "expires" in token.text


async def test_a_token_that_can_only_read_and_expires_says_both(serve: Serve, config: Path) -> None:
    server = serve(healthy())
    server.rescope(server.token, "read_api")
    server.ends(server.token, server.world.clock.today() + timedelta(days=1))
    token = of(await examined(config), "token")
    assert "read-only; it expires tomorrow" in token.text
    assert "“api”" in token.advice
    assert "Rotate" in token.advice


@pytest.mark.parametrize("seconds", [300, -300])
async def test_a_clock_that_is_off_is_found(serve: Serve, config: Path, seconds: int) -> None:
    server = serve(healthy())
    server.world.clock.advance(seconds)
    clock = of(await examined(config), "clock")
    assert clock.status == "warning"
    assert abs(clock.facts["offset_seconds"] - seconds) <= 3
    assert f"5 minutes {'behind' if seconds > 0 else 'ahead of'}" in clock.text


async def test_a_renamed_label_is_found_with_what_it_may_be_now(serve: Serve, config: Path) -> None:
    world = healthy()
    label = next(one for one in world.labels.values() if one.title == "Deliverable")
    label.title = "Deliverables"
    server = serve(world)
    found = await examined(config)
    labels = of(found, "labels")
    assert labels.status == "warning"
    assert "“Deliverable”" in labels.text
    assert "“Deliverables” for “Deliverable”" in labels.advice
    assert labels.facts["missing"]["Deliverable"][0] == "Deliverables"
    assert found.requests == len(list(server.requests)) <= REQUESTS + 2


async def test_labels_that_exist_only_below_the_group_are_told_with_their_place(
    serve: Serve, config: Path
) -> None:
    """A label of a project, and one of a subgroup: they are not missing, but most issues cannot get them."""
    world = healthy()
    for title in ("Deliverable", "spike"):
        label = next(one for one in world.labels.values() if one.title == title)
        world.rename_label(label, f"{title} (old)")
    issues = [one for one in issues_of(world) if one.project.full_path.startswith("demo-org/ai/runtime/")]
    place = issues[0].project.full_path
    world.add_label(issues[0].project, "Deliverable")
    world.add_label(world.group("demo-org/ai"), "spike")
    for issue in issues_of(world):
        if issue.project.full_path == place:
            world.edit(issue.reference, by=world.owner_username, add_labels=["Deliverable", "spike"])
    elsewhere = next(one for one in issues_of(world) if one.project.full_path == "demo-org/ai/ai-gateway")
    world.edit(elsewhere.reference, by=world.owner_username, add_labels=["spike"])
    serve(world)
    labels = of(await examined(config), "labels")
    assert labels.status == "warning"
    assert labels.facts["only_below"] == {"Deliverable": [place], "spike": ["demo-org/ai"]}
    assert f"2 only below the group: “Deliverable” in {place}, “spike” in demo-org/ai." in labels.text
    assert "do not" not in labels.text
    assert "promote them to the group, or create them in demo-org" in labels.advice


async def test_a_milestone_of_a_project_is_told_as_such(serve: Serve, config: Path) -> None:
    world = healthy()
    backlog = next(one for one in world.milestones.values() if one.title == "Backlog")
    rename_milestone(world, backlog, "Icebox (old)")
    world.add_milestone(world.project("demo-org/platform"), "Backlog")
    serve(world)
    milestones = of(await examined(config), "milestones")
    assert milestones.status == "warning"
    assert "“Backlog” in demo-org/platform" in milestones.text
    assert "Issues elsewhere cannot get it" in milestones.advice


async def test_the_groups_own_label_missing_is_a_problem(serve: Serve, config: Path) -> None:
    serve(healthy())
    found = await examined(written(config, '[labels]\ngroup = "group::other"\n'))
    labels = of(found, "labels")
    assert labels.status == "problem"
    assert "all boards are empty" in labels.text


async def test_a_missing_milestone_is_found(serve: Serve, config: Path) -> None:
    world = healthy()
    backlog = next(one for one in world.milestones.values() if one.title == "Backlog")
    rename_milestone(world, backlog, "Backlog of ideas")
    serve(world)
    found = await examined(config)
    milestones = of(found, "milestones")
    assert milestones.status == "warning"
    assert "“Backlog”" in milestones.text
    assert "“Backlog of ideas” for “Backlog”" in milestones.advice
    assert "Create it in GitLab, as a milestone of demo-org, or set the title" in milestones.advice
    assert "Until then, the board “Backlog” is empty." in milestones.advice
    boards = of(found, "boards")
    assert boards.status == "warning"
    assert set(boards.facts["warnings"]) == {"backlog", "milestones"}


@pytest.mark.parametrize(("level", "words"), [(20, "Reporter in 1 of"), (10, "cannot change issues in 1 of")])
async def test_a_lower_role_in_one_project_is_found(
    serve: Serve, config: Path, level: int, words: str
) -> None:
    world = healthy()
    project = next(iter(world.projects.values()))
    project.overrides[world.owner.id] = level
    serve(world)
    roles = of(await examined(config), "roles")
    assert roles.status == "warning"
    assert words in roles.text
    assert project.full_path in roles.text


async def test_the_free_tier_is_found_with_what_it_lacks(serve: Serve, config: Path) -> None:
    serve(healthy(tier="free"))
    tier = of(await examined(config), "tier")
    assert tier.status == "warning"
    assert "weights" in tier.text
    assert tier.facts["features"]["weights"] is False


async def test_a_version_without_roles_still_tells_where_issues_can_be_changed(
    serve: Serve, config: Path
) -> None:
    world = healthy(version="16.8")
    next(iter(world.projects.values())).overrides[world.owner.id] = 10
    serve(world)
    assert "cannot change issues in 1 of" in of(await examined(config), "roles").text


async def test_label_and_status_that_disagree_are_found(serve: Serve, config: Path) -> None:
    world = healthy()
    issue = next(one for one in issues_of(world) if one.open)
    for title in [one.title for one in issue.labels if one.title.startswith("workflow::")]:
        world.edit(issue.reference, by=world.owner_username, remove_labels=[title])
    world.edit(issue.reference, by=world.owner_username, add_labels=["workflow::in dev"], status="In review")
    serve(world)
    found = await examined(written(config, '[labels]\ngroup = ""\n[flow]\nbackend = "both"\n'))
    flow = of(found, "flow")
    assert flow.status == "warning"
    assert "disagree" in flow.text
    assert issue.reference in flow.text


async def test_a_file_with_mistakes_is_named_and_the_rest_is_checked(serve: Serve, config: Path) -> None:
    serve(healthy())
    found = await examined(written(config, "[ui]\ndensty = 'auto'\n"))
    assert of(found, "config").status == "problem"
    assert "line 2" in of(found, "config").text
    assert of(found, "labels").status == "ok"


async def test_without_configuration_and_token_each_check_says_why_it_did_not_run(config: Path) -> None:
    found = await examined(config)
    assert of(found, "token").status == "problem"
    assert of(found, "group").status == "problem"
    assert found.requests == 0
    skipped = [one for one in found.checks if one.status == "skipped" and one.area != "Terminal"]
    assert len(skipped) > 10
    assert not [one for one in skipped if one.text == "Not checked."]


async def test_a_wrong_token_is_a_problem(
    serve: Serve, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    serve(healthy())
    monkeypatch.setenv("GITLAB_TOKEN", "glpat-planted-and-wrong")
    found = await examined(config)
    assert of(found, "token").status == "problem"
    assert "unknown token" in of(found, "token").text
    # Every answer tells the time.
    assert of(found, "clock").status == "ok"
    assert "glpat-planted-and-wrong" not in repr(found)


async def test_a_server_that_is_off_is_a_problem(serve: Serve, config: Path) -> None:
    serve(healthy()).stop()
    found = await examined(config)
    assert of(found, "address").status == "problem"
    assert "refused" in of(found, "address").text
    assert of(found, "version").text == "Cannot reach the server: no connection."


async def test_a_server_that_fails_after_its_first_answer_is_a_problem(serve: Serve, config: Path) -> None:
    server = serve(healthy())
    server.faults.next("502", match="graphql", times=9)
    found = await examined(config)
    assert of(found, "address").status == "ok"
    assert "502" in of(found, "version").text
    assert found.status == "problem"


async def test_a_question_that_is_refused_stops_no_other(serve: Serve, config: Path) -> None:
    server = serve(healthy())
    server.faults.next("502", match="Roles", times=9)
    found = await examined(config)
    assert of(found, "roles").status == "problem"
    assert of(found, "flow").status == "ok"
    text = of(found, "flow").text
    text_of = r"States are stored as labels: \d+ of the \d+ issues? most recently updated have one\."
    assert re.fullmatch(text_of, text)


def test_a_configuration_that_is_not_there_is_a_problem(capsys: Text) -> None:
    assert run(["--config", "/no/such/file.toml", "doctor"]) == 1
    assert "no such file" in capsys.readouterr().out


async def test_a_server_that_is_no_gitlab_is_a_problem(
    serve: Serve, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Page(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = b"<!doctype html><title>Welcome</title>"
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.do_GET()

        def log_message(self, *_: object) -> None:
            pass

    serve(healthy())
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page) as page:
        threading.Thread(target=page.serve_forever, daemon=True).start()
        monkeypatch.setenv("GITLAB_HOST", f"http://127.0.0.1:{page.server_port}")
        found = await examined(config)
        page.shutdown()
    assert of(found, "address").status == "problem"
    assert "not from GitLab" in of(found, "address").text
    assert of(found, "token").status == "skipped"


async def test_a_certificate_that_is_not_trusted_is_a_problem(
    serve: Serve, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    serve(healthy())
    trusted = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trusted.load_cert_chain(Path(__file__).parents[1] / "hostile" / "localhost.pem")
    with http.server.HTTPServer(("127.0.0.1", 0), http.server.BaseHTTPRequestHandler) as page:
        page.socket = trusted.wrap_socket(page.socket, server_side=True)
        threading.Thread(target=page.serve_forever, daemon=True).start()
        monkeypatch.setenv("GITLAB_HOST", f"https://127.0.0.1:{page.server_port}")
        found = await examined(config)
        page.shutdown()
    assert of(found, "tls").status == "problem"
    assert of(found, "address").status == "skipped"
    assert "Cannot reach the server: TLS." in of(found, "version").text


async def test_a_proxy_that_does_not_answer_is_a_problem(
    serve: Serve, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    serve(healthy())
    monkeypatch.setenv("GITLAB_HOST", "https://gitlab.example.com")
    monkeypatch.setenv("HTTPS_PROXY", "http://someone:planted@127.0.0.1:9")
    found = await examined(config)
    assert of(found, "address").status == "problem"
    assert "HTTPS_PROXY" in of(found, "address").advice
    assert "HTTPS_PROXY" in of(found, "proxy").text
    assert "planted" not in repr(found)


async def test_another_time_is_used_for_milestones_alone(serve: Serve, config: Path) -> None:
    serve(healthy())
    found = await examined(config, as_of=datetime(2031, 1, 1, tzinfo=UTC))
    assert "No current milestone" in of(found, "milestones").text
    assert of(found, "clock").status == "ok"


async def test_a_group_that_does_not_exist_leaves_the_rest(serve: Serve, config: Path) -> None:
    serve(healthy())
    found = await examined(config, group="no-such-group")
    assert of(found, "group").status == "problem"
    assert of(found, "token").status == "ok"


async def test_a_misspelt_group_has_near_matches(serve: Serve, config: Path) -> None:
    serve(healthy())
    group = of(await examined(config, group="demo-ogr"), "group")
    assert "“demo-ogr” not found" in group.text
    assert group.advice == "Similar: demo-org."


async def test_without_a_group_the_server_is_still_checked(
    serve: Serve, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    serve(healthy())
    monkeypatch.delenv("GLBOARD_GROUP")
    found = await examined(config)
    assert of(found, "version").status == "ok"
    assert "@" in of(found, "token").text
    assert of(found, "group").status == "problem"
    assert found.requests == 2


@pytest.mark.parametrize(
    ("env", "check", "status"),
    [
        ({"TERM": "xterm-256color", "NO_COLOR": "1"}, "colors", "warning"),
        ({"TERM": "dumb"}, "colors", "problem"),
        ({"TERM": "xterm"}, "colors", "warning"),
        ({"TERM": "xterm-256color"}, "colors", "ok"),
        ({"TERM": "xterm", "COLORTERM": "truecolor"}, "colors", "ok"),
        ({"TERM": "xterm-256color", "VTE_VERSION": "7600"}, "clipboard", "warning"),
        ({"TERM": "xterm-kitty"}, "clipboard", "ok"),
        ({"TERM": "xterm-256color"}, "tmux", "ok"),
    ],
)
def test_the_terminal_is_checked_by_its_environment(
    monkeypatch: pytest.MonkeyPatch, env: dict[str, str], check: str, status: str
) -> None:
    monkeypatch.setattr(terminal_checks, "terminal_size", lambda: (70, 30))
    checks = Checks()
    terminal_checks.check_terminal(checks, env)
    found = checks.diagnosis(0)
    assert of(found, check).status == status
    assert of(found, "terminal").status == "warning"


def test_the_text_holds_no_secret_and_no_title(serve: Serve, capsys: Text) -> None:
    world = healthy()
    for issue in issues_of(world):
        issue.title = "Planted title"
    server = serve(world)
    assert run(["doctor"]) == 0
    text = capsys.readouterr().out
    assert all(len(line) <= 80 for line in text.splitlines())
    assert "\x1b" not in text
    assert run(["show", "planning"]) == 0
    capsys.readouterr()
    assert run(["doctor", "--format", "json"]) == 0
    raw = capsys.readouterr().out
    shown = json.loads(raw)
    assert list(shown) == ["glboard", "runtime", "status", "requests", "checks"]
    assert [list(one) for one in shown["checks"]] == [list(Check.__struct_fields__)] * len(CHECKS)
    mirror = next(one for one in shown["checks"] if one["id"] == "mirror")
    assert mirror["facts"]["issues"] > 0
    requests = next(one for one in shown["checks"] if one["id"] == "requests")
    assert requests["facts"]["last_hour"] > REQUESTS
    for secret in (server.token, "Planted title", str(Path.home())):
        assert secret not in text + raw


@pytest.mark.parametrize("no_color", ["", "1"])
def test_a_terminal_gets_signs_and_colours_within_its_width(
    serve: Serve, tmp_path: Path, no_color: str
) -> None:
    server = serve(healthy(tier="free"))
    account = {"GITLAB_HOST": server.url, "GITLAB_TOKEN": server.token, "GLBOARD_GROUP": "demo-org"}
    environment = {**account, "NO_COLOR": no_color} if no_color else account
    with Terminal([*GLBOARD, "doctor"], tmp_path, columns=80, rows=60, environment=environment) as terminal:
        text = terminal.wait(lambda text: "requests to GitLab." in text, "the end")
        assert terminal.finish() == 0
    assert "  ✓  Version      GitLab 18.9" in text
    assert "  !  Tier         Free: without weights" in text
    assert "                  → Weights are hidden" in text
    assert "  ✓  Size         80 by 60." in text
    written_to = b"".join(data for _, data in terminal.transcript)
    assert (b"\x1b[33m" in written_to) == (not no_color)
    assert ("None: NO_COLOR is set." in text) == bool(no_color)


def test_the_exit_status_says_whether_there_is_a_problem(serve: Serve, capsys: Text) -> None:
    server = serve(healthy(tier="free"))
    assert run(["doctor"]) == 0
    assert "1 warning" in capsys.readouterr().out
    server.revoke(server.token)
    assert run(["doctor"]) == 1
    assert "1 problem" in capsys.readouterr().out


def test_version_tells_what_a_report_needs_in_three_lines(serve: Serve, capsys: Text) -> None:
    serve(healthy())
    assert run(["--version"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == ["glboard", "Python", "GitLab"]
    assert "Textual" in lines[1]
    assert lines[2].endswith(": version unknown until you open the board")
    assert run(["show", "planning"]) == 0
    capsys.readouterr()
    assert run(["--version"]) == 0
    assert "GitLab 18.9" in (known := capsys.readouterr().out.splitlines()[2])
    assert "Premium or Ultimate" in known


def test_version_says_that_nothing_is_set_up(
    capsys: Text, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("GLBOARD_GROUP", "GITLAB_HOST", "GITLAB_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    assert run(["--config", str(tmp_path / "config.toml"), "--version"]) == 0
    assert capsys.readouterr().out.splitlines()[2] == "GitLab not set up yet: run glboard"


def test_today_is_now() -> None:
    """The worlds of these tests begin now: no clock is off unless a test says so."""
    assert abs(default_world(issues=1).clock.moment() - datetime.now(UTC)) < timedelta(seconds=20)


# What else can be wrong on this machine


async def test_the_teams_file_is_read(serve: Serve, config: Path, tmp_path: Path) -> None:
    serve(healthy())
    team = tmp_path / "team.toml"
    assert of(await examined(config, team=team), "team").status == "ok"
    team.write_text('[[people]]\nusername = "eng_elm"\n', "utf-8")
    assert "1 person" in of(await examined(config, team=team), "team").text
    team.write_text("[[people\n", "utf-8")
    assert of(await examined(config, team=team), "team").status == "problem"


@pytest.mark.parametrize(
    ("free", "status"), [(0, "problem"), (50 * 1024 * 1024, "warning"), (10 * 1024**3, "ok")]
)
def test_a_full_disk_is_found(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, free: int, status: str
) -> None:
    used = shutil.disk_usage(tmp_path)._replace(free=free)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: used)
    checks = Checks()
    machine.check_disk(checks, tmp_path / "not" / "there" / "yet")
    assert of(checks.diagnosis(0), "disk").status == status


def test_what_is_in_the_way_of_the_state_folder_is_found(tmp_path: Path) -> None:
    (tmp_path / "glboard").write_text("", "utf-8")
    checks = Checks()
    machine.check_disk(checks, tmp_path / "glboard" / "state")
    assert "cannot be written" in of(checks.diagnosis(0), "disk").text


async def test_each_problem_is_told_once(serve: Serve, config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    serve(healthy())
    monkeypatch.setenv("GITLAB_HOST", "https://gitlab.example.com")
    monkeypatch.setenv("HTTPS_PROXY", "ftp://127.0.0.1:9")
    found = await examined(config)
    assert [one.id for one in found.checks if one.status == "problem"] == ["proxy"]
    monkeypatch.delenv("HTTPS_PROXY")
    monkeypatch.setenv("SSL_CERT_FILE", "/no/such.pem")
    found = await examined(config)
    assert [one.id for one in found.checks if one.status == "problem"] == ["tls"]


async def test_an_expired_token_of_the_environment_is_not_renewed_by_signing_in(
    serve: Serve, config: Path
) -> None:
    server = serve(healthy())
    server.expire(server.token)
    token = of(await examined(config), "token")
    assert "it has expired" in token.text
    assert token.advice.startswith("Set GITLAB_TOKEN to another token")
    assert "Or unset it" in token.advice


async def test_a_token_that_ended_yesterday_is_not_called_todays(serve: Serve, config: Path) -> None:
    server = serve(healthy())
    server.ends(server.token, server.world.clock.today() - timedelta(days=1))
    token = of(await examined(config), "token")
    assert token.status == "warning"
    assert "it expired on" in token.text


async def test_damaged_sign_ins_are_a_problem_of_the_token(
    serve: Serve, config: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    serve(healthy())
    monkeypatch.delenv("GITLAB_TOKEN")
    kept = tmp_path / ".local" / "state" / "glboard" / "credentials.json"
    kept.parent.mkdir(parents=True)
    kept.touch(0o600)
    kept.write_text("{", "utf-8")
    assert of(await examined(config), "token").status == "problem"


async def test_states_with_labels_of_their_own_need_no_others(serve: Serve, config: Path) -> None:
    world = healthy()
    for label in [one for one in world.labels.values() if one.title.startswith("workflow::")]:
        world.rename_label(label, label.title.removeprefix("workflow::"))
    serve(world)
    own = '[flow.labels]\n"in dev" = "in dev"\n"in review" = "in-review"\n'
    labels = of(await examined(written(config, own)), "labels")
    assert list(labels.facts["missing"]) == ["in-review"]
