"""Comments, and what their quick actions do.

A comment with only quick actions leaves no note. Whether they were obeyed is said in `messages`, seldom among
the errors. Only the ones a planner uses are known.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from glboard_core.demo.world import changes, permissions
from glboard_core.demo.world.changes import Change
from glboard_core.demo.world.finders import people
from glboard_core.demo.world.records import PLANNER, Issue, Label, Note, User
from glboard_core.demo.world.registry import Registry
from glboard_core.demo.world.texts import normalised, split, whole

MAX_NOTE = 1_000_000
FAILED = "Failed to apply commands."
_LABEL = re.compile(r'~?"([^"]+)"|~?([^\s"~]+)')
_EMOTICONS = {"shrug": "¯\\_(ツ)_/¯", "tableflip": "(╯°□°)╯︵ ┻━┻"}


@dataclass(slots=True)
class Outcome:
    """The result of a comment. `failures` are quick actions that were understood by no one."""

    note: Note | None = None
    errors: list[str] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)
    messages: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    commands_only: bool = False


def _told(world: Registry, issue: Issue, text: str, user: User) -> str:
    """A description as it is stored; its quick actions were obeyed."""
    rest, commands = split(normalised(text))
    for name, argument in commands:
        _run(world, issue, user, name, argument, Outcome())
    return rest


def describe(world: Registry, issue: Issue, user: User) -> None:
    """What GitLab does with a new description: its quick actions are obeyed and removed."""
    rest = _told(world, issue, issue.description, user)
    if rest != issue.description:
        changes.apply(world, issue, Change(description=rest), user)


def _refusal(body: str) -> list[str]:
    if not body.strip():
        return ["Note can't be blank"]
    if len(body) > MAX_NOTE:
        return [f"Note is too long (maximum is {MAX_NOTE} characters)"]
    return []


def comment(
    world: Registry, issue: Issue, body: str, user: User, *, internal: bool = False, as_item: bool = False
) -> Outcome:
    """Comment on an issue: obey the quick actions, keep the rest as a note. `as_item` tells that it was named
    as a work item, without which there is no status. An internal note by a guest becomes a public one."""
    outcome = Outcome(errors=_refusal(body))
    if outcome.errors:
        return outcome
    rest = _obeyed(world, issue, normalised(body), user, outcome, as_item=as_item)
    if rest.strip():
        internal = internal and permissions.level(user, issue.project) >= PLANNER
        outcome.note = world.add_note(issue, rest, user, internal=internal)
    return outcome


def rewrite(world: Registry, note: Note, body: str, user: User) -> Outcome:
    """Update a comment: its quick actions are obeyed, too; with nothing else, the comment is deleted."""
    outcome = Outcome(note=note, errors=_refusal(body))
    if outcome.errors:
        return outcome
    rest = _obeyed(world, note.issue, normalised(body), user, outcome)
    if rest.strip():
        note.body = rest
        note.updated = world.clock.now()
    else:
        world.drop_note(note)
        outcome.note = None
    return outcome


def _obeyed(
    world: Registry, issue: Issue, body: str, user: User, outcome: Outcome, *, as_item: bool = False
) -> str:
    """Obey the quick actions of a text; returns the rest."""
    rest, commands = split(body)
    for name, text in commands:
        if name in _EMOTICONS:
            rest = f"{rest}\n{_EMOTICONS[name]}".strip("\n")
        elif name == "status" and not as_item:
            outcome.commands.append(name)
            outcome.messages.append("Could not apply status command.")
        else:
            _run(world, issue, user, name, text, outcome)
    if not rest.strip():
        outcome.commands_only = True
        outcome.failures = [] if outcome.messages else [FAILED]
    return rest


def _labels(world: Registry, issue: Issue, text: str) -> list[Label]:
    titles = [quoted or bare for quoted, bare in _LABEL.findall(text)]
    return [found for title in titles if (found := world.label_for(issue.project, title)) is not None]


def _people(world: Registry, user: User, text: str) -> list[User]:
    names = [user.username if name == "me" else name.lstrip("@") for name in text.split()]
    return people(world, names)


def _named(labels: list[Label]) -> str:
    return " ".join(f'~"{one.title}"' for one in labels)


def _change(world: Registry, issue: Issue, user: User, name: str, text: str) -> tuple[Change | None, str]:
    """What a quick action changes and what is said of it; None and nothing if it was not understood."""
    failed = f"Could not apply {name} command."
    match name:
        case "weight" if text and not text.startswith("-"):
            weight = whole(text) or 0
            return Change(weight=weight), f"Set weight to {weight}."
        case "clear_weight":
            return Change(weight=None), "Cleared weight."
        case "label" | "labels":
            labels = _labels(world, issue, text)
            said = f"Added {_named(labels)} {'label' if len(labels) == 1 else 'labels'}."
            return (Change(add_labels=labels), said) if labels else (None, "")
        case "unlabel":
            gone = _labels(world, issue, text) if text else list(issue.labels)
            return Change(remove_labels=gone), "Removed labels."
        case "relabel":
            return Change(labels=_labels(world, issue, text)), "Replaced all labels."
        case "milestone":
            title = text.removeprefix("%").strip('"')
            for milestone in world.milestones.values():
                if milestone.title == title and permissions.milestone_visible(milestone, issue.project):
                    return Change(milestone=milestone), f"Set the milestone to %{title}."
            return None, ""
        case "remove_milestone":
            return Change(milestone=None), "Removed the milestone."
        case "assign":
            found = _people(world, user, text)
            if not found:
                return None, failed
            assigned = " ".join(f"@{one.username}" for one in found)
            return Change(assignees=[*issue.assignees, *found]), f"Assigned {assigned}."
        case "unassign":
            gone_people = _people(world, user, text) if text else list(issue.assignees)
            return Change(assignees=[one for one in issue.assignees if one not in gone_people]), "Unassigned."
        case "close":
            return (Change(state="close"), "Closed this issue.") if issue.open else (None, failed)
        case "reopen":
            return (None, failed) if issue.open else (Change(state="reopen"), "Reopened this issue.")
        case "confidential":
            return Change(confidential=True), "Made this issue confidential."
        case "duplicate":
            path, _, iid = text.rpartition("#")
            project = world.project_at(path) if path else issue.project
            other = project.issues.get(whole(iid) or 0) if project is not None else None
            if other is None or other is issue or not issue.open:
                return None, failed
            said = f"Closed this issue. Marked as related to, and a duplicate of, {text}."
            return Change(duplicate_of=other, state="close"), said
        case "status":
            wanted = text.strip('"').lower()
            status = next((one for one in world.statuses if one.lower() == wanted), None)
            return (Change(status=status), f"Status set to {status}.") if status else (None, failed)
    return None, ""


def _run(world: Registry, issue: Issue, user: User, name: str, text: str, outcome: Outcome) -> None:
    change, message = _change(world, issue, user, name, text)
    outcome.commands.append(name)
    # Whoever may only change the title and the state is told so of everything else.
    limited = change is not None and change.state is changes.UNSET and not permissions.can_admin(user, issue)
    if limited or not permissions.can_update(user, issue):
        change, message = None, f"Could not apply {name} command."
    found = [] if change is None else changes.apply(world, issue, change, user)
    outcome.messages += found or ([message] if message else [])
