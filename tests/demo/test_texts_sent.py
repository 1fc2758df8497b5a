"""Texts as GitLab 18.9 stored them, and which lines it took for quick actions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from demo.wire import Wire
from glboard_core.demo.http.server import DemoServer
from glboard_core.demo.world.records import Issue
from support.engines import build_world

NOTE = """mutation N($id: NoteableID!, $body: String!, $internal: Boolean) {
  createNote(input: {noteableId: $id, body: $body, internal: $internal}) { errors note { body internal }
    quickActionsStatus { messages errorMessages commandsOnly } } }"""
SPIKE = "/label ~documentation"


@pytest.fixture(scope="module", name="wire")
def served() -> Iterator[Wire]:
    """A server of this module; each test uses an issue of its own."""
    world = build_world(1)
    user = world.add_user("guest", "Guest")
    world.root.members[user.id] = 10
    with DemoServer(world) as server, Wire(server) as wire:
        yield wire


@pytest.fixture(name="issue")
def new_issue(wire: Wire) -> Issue:
    """A new issue."""
    return wire.world.create("top/app", "Another", by="em_willow")


def note(
    wire: Wire, issue: Issue, body: str, *, kind: str = "Issue", internal: bool = False
) -> dict[str, Any]:
    ident = f"gid://gitlab/{kind}/{issue.id}"
    payload: dict[str, Any] = wire.data(NOTE, id=ident, body=body, internal=internal)["createNote"]
    return payload


def held(issue: Issue) -> set[str]:
    return {one.title for one in issue.labels}


@pytest.mark.parametrize(
    ("body", "stored"),
    [
        (SPIKE, None),
        (f"text\n{SPIKE}", "text"),
        (f"{SPIKE}\ntext", "text"),
        (f"text\r\n{SPIKE}\r\n", "text"),
        (f"<kbd>A</kbd> key\n{SPIKE}", "<kbd>A</kbd> key"),
        (f"- item\n  ```\n  code\n{SPIKE}", "- item\n  ```\n  code"),
        (f"# Title\n{SPIKE}\n\nmore", "# Title\nmore"),
        ("/LABEL ~documentation", None),
        ("/label documentation", None),
        ("/label ~documentation ~nosuch", None),
        ("/label ~documentation # tail", None),
    ],
)
def test_a_line_that_begins_with_a_command_is_obeyed(
    wire: Wire, issue: Issue, body: str, stored: str | None
) -> None:
    payload = note(wire, issue, body)
    assert payload["errors"] == []
    assert (payload["note"] or {"body": None})["body"] == stored
    assert "documentation" in held(issue)
    assert payload["quickActionsStatus"]["messages"] == ['Added ~"documentation" label.']
    assert payload["quickActionsStatus"]["commandsOnly"] is (stored is None)


@pytest.mark.parametrize(
    "body",
    [
        f"  {SPIKE}",
        f"\u00a0{SPIKE}",
        f"\ufeff{SPIKE}",
        f"so {SPIKE}",
        "/label\t~documentation",
        "/label\u00a0~documentation",
        f"```\n{SPIKE}\n```",
        f"~~~~\n{SPIKE}\n~~~\n{SPIKE}\n~~~~",
        f"> {SPIKE}",
        f">>>\n{SPIKE}\n>>>",
        f"`{SPIKE}`",
        f"- {SPIKE}",
        f"- item\n{SPIKE}",
        f"> quote\n{SPIKE}",
        f"| a |\n|---|\n{SPIKE}",
        f"<!--\n{SPIKE}\n-->",
        f"<details>\n{SPIKE}\n</details>",
        f"<pre>\n\n{SPIKE}\n</pre>",
        f"\\{SPIKE}",
        "/foo bar",
        "/cc @eng_1",
    ],
)
def test_other_lines_are_kept_as_they_were_typed(wire: Wire, issue: Issue, body: str) -> None:
    payload = note(wire, issue, body)
    assert payload["note"]["body"] == body
    assert payload["quickActionsStatus"] is None
    assert held(issue) == set()
    wire.update(issue, description=body)
    assert (issue.description, held(issue)) == (body, set())


@pytest.mark.parametrize(
    ("body", "messages", "failed"),
    [
        ("/label ~nosuch", [], True),
        ("/label", [], True),
        ("/milestone %nosuch", [], True),
        ("/weight -3", [], True),
        ("/assign @no_such", ["Could not apply assign command."], False),
        ("/reopen", ["Could not apply reopen command."], False),
        ("/weight abc", ["Set weight to 0."], False),
        ("/status Blocked", ["Could not apply status command."], False),
    ],
)
def test_what_failed_is_seldom_an_error(
    wire: Wire, issue: Issue, body: str, messages: list[str], failed: bool
) -> None:
    payload = note(wire, issue, body)
    assert (payload["note"], payload["errors"]) == (None, [])
    status = payload["quickActionsStatus"]
    assert status["messages"] == messages
    assert status["errorMessages"] == (["Failed to apply commands."] if failed else None)


def test_a_status_is_set_on_a_work_item_only(wire: Wire, issue: Issue) -> None:
    issue.status = "In dev"
    said = note(wire, issue, "/status Blocked", kind="WorkItem")["quickActionsStatus"]["messages"]
    assert (said, issue.status) == (["Status set to Blocked."], "Blocked")


def test_emoticons_are_text(wire: Wire, issue: Issue) -> None:
    assert note(wire, issue, "/shrug")["note"]["body"] == "¯\\_(ツ)_/¯"
    assert note(wire, issue, "/tableflip hello")["note"]["body"] == "(╯°□°)╯︵ ┻━┻"


@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        ("a\r\nb\r\n\r\n", "a\nb"),
        ("a\rb", "ab"),
        ("\n  a  \n\tb\n\n", "\n  a  \n\tb"),
        ("\x1b[1m \u202e \u2028 👍", "\x1b[1m \u202e \u2028 👍"),
        ("👍", "👍"),
    ],
)
def test_only_line_breaks_are_changed(wire: Wire, issue: Issue, sent: str, stored: str) -> None:
    assert note(wire, issue, sent)["note"]["body"] == stored
    wire.update(issue, description=sent)
    assert issue.description == stored


def test_commands_of_a_description_are_obeyed_and_removed(wire: Wire, issue: Issue) -> None:
    wire.update(issue, description=f"text\n{SPIKE}")
    assert (issue.description, held(issue)) == ("text", {"documentation"})
    wire.update(issue, description="/label ~Deliverable")
    assert (issue.description, held(issue)) == ("", {"documentation", "Deliverable"})


def test_a_note_has_a_length(wire: Wire, issue: Issue) -> None:
    said = "Note is too long (maximum is 1000000 characters)"
    assert note(wire, issue, "x" * 1_000_001)["errors"] == [said]
    assert note(wire, issue, " \n ")["errors"] == ["Note can't be blank"]


def test_an_internal_note_by_a_guest_is_public(wire: Wire, issue: Issue) -> None:
    with wire.other("guest") as them:
        payload = note(them, issue, "Only for us", internal=True)
    assert payload["note"] == {"body": "Only for us", "internal": False}
    assert payload["errors"] == []
    assert note(wire, issue, "Only for us", internal=True)["note"]["internal"] is True


def test_a_guest_is_told_in_the_messages(wire: Wire, issue: Issue) -> None:
    with wire.other("guest") as them:
        payload = note(them, issue, SPIKE)
    assert payload["quickActionsStatus"]["messages"] == ["Could not apply label command."]
    assert (payload["errors"], held(issue)) == ([], set())


def test_rest_tells_commands_by_its_status(wire: Wire, issue: Issue) -> None:
    path = f"/projects/top%2Fapp/issues/{issue.iid}/notes"
    done = wire.rest("POST", path, json={"body": SPIKE})
    assert (done.status_code, done.json()["summary"]) == (202, ['Added ~"documentation" label.'])
    failed = wire.rest("POST", path, json={"body": "/label ~nosuch"})
    assert (failed.status_code, failed.json()) == (
        400,
        {"message": "400 Bad request - Failed to apply commands."},
    )
