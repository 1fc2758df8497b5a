"""Comments and the quick actions in them.

A line that starts with a known command is executed and removed from the comment; a comment with only commands
leaves no note. Only the commands a planner uses are known.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from glboard_core.demo.world import changes, permissions
from glboard_core.demo.world.changes import Change
from glboard_core.demo.world.finders import people
from glboard_core.demo.world.records import Issue, Label, Note, User
from glboard_core.demo.world.registry import Registry

_COMMAND = re.compile(r"^/([a-z_]+)(?: +(.*?))?\s*$", re.IGNORECASE)
_LABEL = re.compile(r'~?"([^"]+)"|~?([^\s"~]+)')
_KNOWN = frozenset(
    {
        "weight",
        "clear_weight",
        "label",
        "labels",
        "unlabel",
        "relabel",
        "milestone",
        "remove_milestone",
        "assign",
        "unassign",
        "close",
        "reopen",
        "confidential",
    }
)


@dataclass(slots=True)
class Outcome:
    """The result of a comment."""

    note: Note | None = None
    errors: list[str] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)
    messages: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    commands_only: bool = False


#: How blocks in which GitLab looks for no commands begin and end; a fence ends with at least its own signs.
_BLOCKS = (
    (re.compile(r" {0,3}(`{3,}|~{3,})"), None),
    (re.compile(r">>>\s*$"), re.compile(r">>>\s*$")),
    (re.compile(r"\s*<!--"), re.compile(r".*-->")),
    (re.compile(r" {0,3}<(?:pre|script|style|textarea)\b", re.IGNORECASE), re.compile(r".*</", re.DOTALL)),
    (re.compile(r" {0,3}</?[a-zA-Z]"), re.compile(r"\s*$")),
)


def split(body: str) -> tuple[str, list[tuple[str, str]]]:
    """A text without its commands, and the commands: those in code, quotes and HTML are text."""
    kept: list[str] = []
    commands: list[tuple[str, str]] = []
    ends: re.Pattern[str] | None = None
    for line in body.replace("\r", "").split("\n"):
        found = None
        if ends is not None:
            ends = None if ends.match(line) else ends
        else:
            found = _COMMAND.match(line)
            ends = _block_end(line)
        if found is not None and found.group(1).lower() in _KNOWN:
            commands.append((found.group(1).lower(), found.group(2) or ""))
        else:
            kept.append(line)
    return "\n".join(kept).rstrip(), commands


def _block_end(line: str) -> re.Pattern[str] | None:
    for begins, ends in _BLOCKS:
        if (opened := begins.match(line)) is not None:
            found = ends or re.compile(rf" {{0,3}}{opened[1]}{opened[1][0]}*\s*$")
            return None if ends is not None and ends.match(line[opened.end() :]) else found
    return None


def describe(world: Registry, issue: Issue, user: User) -> None:
    """What GitLab does with a new description: its commands are executed and removed."""
    rest, commands = split(issue.description)
    if not commands:
        return
    changes.apply(world, issue, Change(description=rest), user)
    for name, text in commands:
        _run(world, issue, user, name, text, Outcome())


def comment(world: Registry, issue: Issue, body: str, user: User, *, internal: bool = False) -> Outcome:
    """Comment on an issue: execute the commands, keep the rest as a note."""
    outcome = Outcome()
    if not body.strip():
        outcome.errors.append("Note can't be blank")
        return outcome
    rest = _obeyed(world, issue, body, user, outcome)
    if rest.strip():
        outcome.note = world.add_note(issue, rest, user, internal=internal)
    return outcome


def rewrite(world: Registry, note: Note, body: str, user: User) -> Outcome:
    """Update a comment: its commands are executed, too; with only commands, the comment is deleted."""
    outcome = Outcome(note=note)
    if not body.strip():
        outcome.errors.append("Note can't be blank")
        return outcome
    rest = _obeyed(world, note.issue, body, user, outcome)
    if rest.strip():
        note.body = rest
        note.updated = world.clock.now()
    else:
        world.drop_note(note)
        outcome.note = None
    return outcome


def _obeyed(world: Registry, issue: Issue, body: str, user: User, outcome: Outcome) -> str:
    """Execute the commands of a text; returns the rest."""
    rest, commands = split(body)
    for name, text in commands:
        _run(world, issue, user, name, text, outcome)
    if not rest.strip():
        outcome.commands_only = True
        if outcome.failures and not outcome.messages:
            outcome.errors = outcome.failures
    return rest


def _labels(world: Registry, issue: Issue, text: str) -> list[Label]:
    titles = [quoted or bare for quoted, bare in _LABEL.findall(text)]
    return [found for title in titles if (found := world.label_for(issue.project, title)) is not None]


def _people(world: Registry, user: User, text: str) -> list[User]:
    names = [user.username if name == "me" else name.lstrip("@") for name in text.split()]
    return people(world, names)


def _change(world: Registry, issue: Issue, user: User, name: str, text: str) -> tuple[Change | None, str]:
    match name:
        case "weight" if text.isdigit():
            return Change(weight=int(text)), f"Set weight to {text}."
        case "clear_weight":
            return Change(weight=None), "Cleared weight."
        case "label" | "labels":
            labels = _labels(world, issue, text)
            return (Change(add_labels=labels) if labels else None), "Added labels."
        case "unlabel":
            gone = _labels(world, issue, text) if text else list(issue.labels)
            return Change(remove_labels=gone), "Removed labels."
        case "relabel":
            return Change(labels=_labels(world, issue, text)), "Replaced all labels."
        case "milestone":
            title = text.removeprefix("%").strip('"')
            for milestone in world.milestones.values():
                if milestone.title == title and permissions.milestone_visible(milestone, issue.project):
                    return Change(milestone=milestone), f"Set the milestone to {title}."
            return None, ""
        case "remove_milestone":
            return Change(milestone=None), "Removed the milestone."
        case "assign":
            found = _people(world, user, text)
            return (Change(assignees=[*issue.assignees, *found]) if found else None), "Assigned."
        case "unassign":
            gone_people = _people(world, user, text) if text else list(issue.assignees)
            return Change(assignees=[one for one in issue.assignees if one not in gone_people]), "Unassigned."
        case "close":
            return Change(state="close"), "Closed this issue."
        case "reopen":
            return Change(state="reopen"), "Reopened this issue."
        case "confidential":
            return Change(confidential=True), "Made this issue confidential."
    return None, ""


def _run(world: Registry, issue: Issue, user: User, name: str, text: str, outcome: Outcome) -> None:
    change, message = _change(world, issue, user, name, text)
    outcome.commands.append(name)
    if change is None or not permissions.can_update(user, issue):
        outcome.failures.append(f"Could not apply {name} command.")
        return
    problems = changes.apply(world, issue, change, user)
    if problems:
        outcome.failures += problems
    else:
        outcome.messages.append(message)
