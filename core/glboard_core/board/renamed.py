"""Changes and settings with present names: what a person did, or configured, before something was renamed.

Owns which parts of a change and of the configuration are names, and where the configuration has to be
changed. Pure: ``model/renames.py`` knows what was renamed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from msgspec import Struct, structs

from glboard_core.board.operations import Change, Op
from glboard_core.board.undo import Group
from glboard_core.config import BoardSettings, LabelSettings, Settings
from glboard_core.model.catalog import Catalog, Kind
from glboard_core.model.renames import Renames
from glboard_core.model.workflow import STATES, WorkflowScheme

_LABELS, _PEOPLE = ("add", "remove", "labels"), ("assign", "unassign", "assignees")
#: Settings that name one label, or several, and those that are prefixes or no names.
_ONE = ("group", "devops", "section", "deliverable", "spike", "ignore", "missed_deliverable")
_SEVERAL = ("categories", "duplicate", "wont_do", "priorities")
_PREFIXES = ("type_prefix", "workflow_prefix", "priority_prefix", "severity_prefix", "missed_prefix")


def op_now(op: Op, now: Renames) -> Op:
    """The Op with present names; the same one if none of its own has changed."""
    project = op.change.project_of(op.before)
    before = now.issue(op.before) if op.before is not None else None
    change = change_now(op.change, now, project)
    if before is op.before and change is op.change:
        return op
    return structs.replace(op, before=before, change=change)


def change_now(change: Change, now: Renames, project: str) -> Change:
    """The change of an issue of ``project`` (its path before) with present names."""
    values: dict[str, Any] = {}
    for name in change.__struct_fields__:
        value = getattr(change, name)
        if name in _LABELS:
            found: Any = frozenset(now.label(title, project) for title in value)
        elif name in _PEOPLE and isinstance(value, tuple | frozenset):
            found = type(value)(map(now.person, value))
        elif name == "milestone" and isinstance(value, str):
            found = now.milestone(value, project)
        elif name == "project":
            found = now.path(value)
        else:
            continue
        if found != value:
            values[name] = found
    return structs.replace(change, **values) if values else change


def group_now(group: Group, now: Renames) -> Group:
    """The keystroke with present names."""
    ops, refused = (tuple(op_now(op, now) for op in some) for some in (group.ops, group.refused))
    return structs.replace(group, ops=ops, refused=refused)


# The configuration


class OldName(Struct, frozen=True):
    """A name in the configuration that nothing has any longer: where it stands, and the present one."""

    kind: str
    name: str
    now: str
    key: str
    file: str = "config.toml"

    def is_of(self, names: Iterable[str]) -> bool:
        """Whether it is one of these old names, or begins one of them."""
        return any(
            name.startswith(self.name) if self.kind == "scope" else name == self.name for name in names
        )

    def covers(self, name: str, now: str) -> bool:
        """Whether that label was renamed with all of its scope, so that there is nothing else to say."""
        return (
            self.kind == "scope" and name.startswith(self.name) and now == self.now + name[len(self.name) :]
        )

    def __str__(self) -> str:
        if self.kind == "scope":
            return (
                f"The labels {self.name}… are now {self.now}…; the configuration names {self.name}."
                f" Replace it in {self.file} ({self.key})."
            )
        return (
            f"The {self.kind} {self.name} is now {self.now}; the configuration names {self.name}."
            f" Set {self.key} in {self.file}."
        )


class _Renaming:
    """Replaces names, and notes which."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self.found: list[OldName] = []

    def of(self, kind: Kind, key: str) -> Callable[[str], str]:
        """A function that gives the present name for one at ``key``."""

        def now(name: str) -> str:
            present = self._catalog.present(kind, name)
            known = (one.covers(name, present) or (one.kind, one.name) == (kind, name) for one in self.found)
            if present != name and not any(known):
                self.found.append(OldName(kind, name, present, key))
            return present

        return now

    def prefix(self, key: str, prefix: str) -> str:
        """The present prefix for one at ``key``: another one if no label begins so any longer, and all
        that did begin with the same other one."""
        catalog = self._catalog
        former = [one.name for one in catalog.former if one.kind == "label" and one.name.startswith(prefix)]
        if not prefix or not former or any(title.startswith(prefix) for title in catalog.names["label"]):
            return prefix
        found: set[str] = set()
        for name in former:
            rest, now = name.removeprefix(prefix), catalog.present("label", name)
            if now != name:
                found.add(now.removesuffix(rest) if rest and now.endswith(rest) else "")
        if len(found) != 1 or not (now := found.pop()) or not now.endswith(prefix[-1]):
            return prefix
        self.found.append(OldName("scope", prefix, now, key))
        return now

    def all(self, kind: Kind, key: str, names: Iterable[str]) -> tuple[str, ...]:
        """The present names for several at ``key``."""
        return tuple(map(self.of(kind, key), names))


def people_now(names: Iterable[str], catalog: Catalog | None) -> list[OldName]:
    """Which of the team's usernames are old."""
    found = [(name, catalog.present("person", name)) for name in sorted(names)] if catalog else []
    return [OldName("user", name, now, "username", "team.toml") for name, now in found if now != name]


def settings_now(settings: Settings, catalog: Catalog | None) -> tuple[Settings, list[OldName]]:
    """The configuration with present names, and which of its names are old; itself if none is."""
    if catalog is None:
        return settings, []
    group = settings.gitlab.group
    if group and catalog.group_id and group.casefold() != catalog.group.casefold():
        old = [OldName("group", group, catalog.group, "gitlab.group")]
    else:
        old = []
    if not catalog.former:
        return settings, old
    names = _Renaming(catalog)
    milestones = {
        key: names.all("milestone", f"milestones.{key}", titles)
        for key, titles in settings.milestones.items()
    }
    prefixes = {name: names.prefix(f"labels.{name}", getattr(settings.labels, name)) for name in _PREFIXES}
    settings = structs.replace(settings, labels=structs.replace(settings.labels, **prefixes))
    labels = _labels(settings.labels, names)
    states = _states(settings, names)
    boards = tuple(_board(board, settings, names) for board in settings.boards)
    mix = {_mix(name, names): share for name, share in settings.planning.mix.items()}
    issue = structs.replace(
        settings.planning.issue,
        labels=names.all("label", "planning.issue.labels", settings.planning.issue.labels),
        project=names.of("project", "planning.issue.project")(settings.planning.issue.project),
    )
    if not names.found:
        return settings, old
    now = structs.replace(
        settings,
        milestones=milestones,
        labels=labels,
        boards=boards,
        flow=structs.replace(settings.flow, labels=states),
        planning=structs.replace(settings.planning, mix=mix, issue=issue),
    )
    return now, [*old, *names.found]


def _labels(labels: LabelSettings, names: _Renaming) -> LabelSettings:
    values: dict[str, Any] = {
        name: names.of("label", f"labels.{name}")(getattr(labels, name)) for name in _ONE
    }
    values |= {name: names.all("label", f"labels.{name}", getattr(labels, name)) for name in _SEVERAL}
    return structs.replace(labels, **values)


def _states(settings: Settings, names: _Renaming) -> dict[str, str]:
    """The labels of workflow states that are not prefix and name."""
    titles = tuple(sorted(settings.flow.labels.items()))
    scheme = WorkflowScheme(prefix=settings.labels.workflow_prefix, titles=titles)
    found = dict(settings.flow.labels)
    for state in STATES:
        label = scheme.label(state)
        if (now := names.of("label", f'flow.labels."{state.name}"')(label)) != label:
            found[state.name] = now
    return found


def _board(board: BoardSettings, settings: Settings, names: _Renaming) -> BoardSettings:
    key = f"of the board {board.id}"
    kinds: dict[str, Kind] = {"label": "label", "priority": "label", "milestone": "milestone"}
    kind = kinds.get(board.by)
    columns, limits = board.columns, board.limits
    if kind is not None:
        now = names.of(kind, f"columns {key}")
        known = settings.milestones if kind == "milestone" else ()
        columns = tuple(name if name in known else now(name) for name in columns)
        limits = {name if name in known else now(name): limit for name, limit in limits.items()}
    aliased = board.milestone in settings.milestones
    return structs.replace(
        board,
        labels=names.all("label", f"labels {key}", board.labels),
        milestone=board.milestone if aliased else names.of("milestone", f"milestone {key}")(board.milestone),
        columns=columns,
        limits=limits,
    )


def _mix(name: str, names: _Renaming) -> str:
    return " + ".join(names.all("label", "planning.mix", (part.strip() for part in name.split(" + "))))
