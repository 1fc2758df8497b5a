"""Settings: what ``config.toml`` may contain, and the defaults.

Owns the shape of the file, its defaults (planning rule 15) and the errors of an invalid file: file, line,
key, and the nearest known key. It reads no environment and no tokens: a token in this file is an error.
"""

from __future__ import annotations

import re
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints
from zoneinfo import ZoneInfo, available_timezones

import msgspec
from msgspec import Meta, Struct, field

from glboard_core.command_template import CommandSettings, problems
from glboard_core.errors import ConfigError
from glboard_core.files import read_text, toml_of

#: What the title of a version milestone looks like, unless the configuration says otherwise.
VERSION = r"^\d+\.\d+$"

ColumnsBy = Literal["label", "flow", "milestone", "assignee", "priority", "none"]
#: GitLab's manual order; or first the heaviest, the most urgent, or what missed most milestones.
SortBy = Literal["rank", "weight", "priority", "age", "slipped", "milestone"]
"""GitLab's manual order; or first the heaviest, the most urgent, the oldest, what missed most milestones, or
what is due next."""
Density = Literal["auto", "roomy", "normal", "wrapped", "dense"]
CapacityWords = Literal["totals", "names", "none"]
PeopleShown = Literal["bar", "words"]
#: A word or pattern to be masked: a single letter would be in every text.
Masked = Annotated[str, Meta(min_length=2)]
#: Seconds between two requests: neither busy polling nor never.
Every = Annotated[float, Meta(ge=0.01, le=86_400)]
#: Seconds to wait; 0 for not at all.
Wait = Annotated[float, Meta(ge=0, le=3_600)]
Some = Annotated[int, Meta(ge=0)]
Percent = Annotated[float, Meta(ge=0, le=100)]


class Limit(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The WIP limit of a column: a number of issues, a sum of weights, or both."""

    issues: Some | None = None
    weight: Some | None = None


class BoardSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One board. ``milestone``: ``current``, ``next``, ``none``, ``any``, a key of ``[milestones]``, a title.

    ``columns`` are label titles, workflow states, priorities or milestones (as above, or ``after-next``);
    empty if the columns follow from the issues (by assignee), from the group's labels (by priority), or there
    is one flat list. ``filter`` is a line of the filter language: only what fits is on the board. ``limits``
    warn, by column; ``*`` is every column without its own. ``key`` opens the board, as ``keymap`` can, too;
    ``order`` and ``density`` are how it is shown at first.
    """

    id: str
    name: str
    by: ColumnsBy = "label"
    columns: tuple[str, ...] = ()
    milestone: str = "any"
    labels: tuple[str, ...] = ()
    filter: str = ""
    limits: dict[str, Limit] = {}
    key: str = ""
    order: SortBy = "rank"
    density: Density | Literal[""] = ""


class LabelSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The names of labels with a meaning in the process.

    ``priorities`` are the priorities where they are no scoped labels, the most urgent first.
    """

    group: str = "group::custom models"
    devops: str = "devops::ai-powered"
    section: str = "section::data science"
    categories: tuple[str, ...] = ("Category:Model personalization", "Category:Self-Hosted models")
    deliverable: str = "Deliverable"
    spike: str = "spike"
    type_prefix: str = "type::"
    ignore: str = "type::ignore"
    workflow_prefix: str = "workflow::"
    priority_prefix: str = "priority::"
    priorities: tuple[str, ...] = ()
    severity_prefix: str = "severity::"
    missed_prefix: str = "missed:"
    missed_deliverable: str = "missed-deliverable"
    duplicate: tuple[str, ...] = ()
    wont_do: tuple[str, ...] = ()


class SyncSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How often the server is polled, and how long changes are held before they are sent; in seconds.

    ``reconcile`` is the time in which four pages of cards are read again, from the board on screen and the
    rest in turn, for what polls cannot see. ``hold_comments`` applies to comments and new issues, and to all
    else that the same key did. ``live``: whether GitLab is asked to tell of changes to the cards in view at
    once, over a WebSocket; where it cannot, they arrive by polling.
    """

    live: bool = True
    poll: Every = 10.0
    poll_idle: Every = 60.0
    reconcile: Every = 240.0
    catalog: Every = 600.0
    hold: Wait = 2.0
    hold_comments: Wait = 10.0


class UiSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Appearance. An empty ``theme`` means dark, or the terminal's own colours if NO_COLOR is set."""

    theme: str = ""
    density: Density = "auto"
    time_zone: str = "UTC"


class FlowSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the workflow state comes from (planning rule 15).

    ``labels`` maps the name of a state to its label, if that is not the prefix and the name; ``statuses`` to
    its status, if that is not the name. ``prefer``:
    which one is right where label and status differ; by default glboard asks.
    """

    backend: Literal["label", "status", "both"] = "label"
    prefer: Literal["ask", "label", "status"] = "ask"
    labels: dict[str, str] = {}
    statuses: dict[str, str] = {}


class PlanningIssueSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The planning issue of a milestone. It always carries the group's label and ``type::ignore``.

    ``project`` is its full path; empty: where the group's other planning issues are. ``{milestone}`` in
    ``title`` is replaced. ``labels`` are added to a new one as well, if they exist. ``template`` is the path
    of a Markdown file, relative to this file; empty: the built-in one. ``capacity`` chooses what it shows of
    the team: totals, also each person's weight by name, or nothing.
    """

    project: str = ""
    title: str = "{milestone} planning"
    labels: tuple[str, ...] = ("Planning Issue",)
    template: str = ""
    capacity: CapacityWords = "totals"
    confidential: bool = False


class PlanningSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Parameters of the planning rules (planning rules 6, 10 and 11).

    ``mix`` maps a type label, or several joined by `` + ``, to its target share in percent. Open
    Deliverables in the workflow states ``nearly_done`` are not expected to be carried over; of the weight of
    the others, ``likely_share`` (0 to 1) is. ``past_milestones`` is how many past milestones capacity is
    compared with.
    """

    count_wont_do: bool = True
    mix: dict[str, Percent] = field(
        default_factory=lambda: {"type::feature": 60.0, "type::maintenance + type::bug": 40.0}
    )
    nearly_done: tuple[str, ...] = ("in review", "verification", "awaiting security release", "complete")
    likely_share: Annotated[float, Meta(ge=0, le=1)] = 1.0
    past_milestones: Annotated[int, Meta(ge=1)] = 3
    spike_weight: Annotated[int, Meta(ge=0)] = 2
    issue: PlanningIssueSettings = PlanningIssueSettings()
    #: What the title of a version milestone looks like: a regular expression (planning rule 1).
    version: str = VERSION
    #: The boards created in GitLab when a milestone is set up, and their titles there.
    boards: tuple[str, ...] = ("planning", "build", "next-1-3", "next-4-6")
    board_title: str = "{board} {milestone}"


class WalkSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The walk through issues. ``clock``: whether it shows how long an issue has been on screen."""

    clock: bool = False


class ShareSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Share mode (planning rule 24): what is hidden on a shared screen.

    ``always``: every session starts shared. ``hide_references``: confidential issues have no number either.
    ``people``: the words full, free and over for each person, or only the team's bar. ``words`` are masked
    in every text, and labels that fit ``labels`` (``customer::*``) are not shown at all.
    """

    always: bool = False
    hide_references: bool = False
    people: PeopleShown = "bar"
    words: tuple[Masked, ...] = ()
    labels: tuple[Masked, ...] = ()


class GitLabSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Server and group. The token is never stored here.

    ``allow_http``: whether the token may travel unencrypted to a server that is not this machine. ``user``
    chooses among several sign-ins to one server; ``client_id`` is the OAuth application to sign in with.
    ``ca_cert``, ``client_cert`` and ``client_key`` are files.
    """

    url: str = ""
    group: str = ""
    user: str = ""
    client_id: str = ""
    allow_http: bool = False
    ca_cert: str = ""
    client_cert: str = ""
    client_key: str = ""
    skip_tls_verify: bool = False


_READY = "workflow::ready for development"
_DISCOVERY = (
    "workflow::problem validation",
    "workflow::design",
    "workflow::solution validation",
    "workflow::planning breakdown",
    _READY,
)

DEFAULT_MILESTONES: dict[str, tuple[str, ...]] = {
    "next-1-3": ("Next 1-3 Milestones", "Next 1-3 releases"),
    "next-4-6": ("Next 4-6 Milestones", "Next 4-6 releases"),
    "backlog": ("Backlog",),
    "awaiting": ("Awaiting Customer Feedback", "Awaiting further demand"),
}

DEFAULT_BOARDS: tuple[BoardSettings, ...] = (
    BoardSettings(
        id="planning",
        name="Planning",
        columns=("type::bug", "type::maintenance", "type::feature"),
        milestone="next",
    ),
    BoardSettings(
        id="build",
        name="Build",
        by="flow",
        columns=(
            _READY,
            "workflow::in dev",
            "workflow::in review",
            "workflow::awaiting security release",
            "workflow::blocked",
        ),
        milestone="current",
        labels=("Deliverable",),
    ),
    BoardSettings(id="next-1-3", name="Next 1-3", by="flow", columns=_DISCOVERY, milestone="next-1-3"),
    BoardSettings(id="next-4-6", name="Next 4-6", by="flow", columns=_DISCOVERY, milestone="next-4-6"),
    BoardSettings(id="backlog", name="Backlog", by="none", milestone="backlog"),
    BoardSettings(
        id="milestones",
        name="Milestones",
        by="milestone",
        columns=("next", "after-next", "next-1-3", "next-4-6", "backlog", "awaiting"),
    ),
    BoardSettings(id="people", name="People", by="assignee", milestone="next"),
)


class Settings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All settings. ``milestones`` maps a key to its possible titles on the server, best first."""

    gitlab: GitLabSettings = GitLabSettings()
    labels: LabelSettings = LabelSettings()
    flow: FlowSettings = FlowSettings()
    milestones: dict[str, tuple[str, ...]] = field(default_factory=lambda: dict(DEFAULT_MILESTONES))
    boards: tuple[BoardSettings, ...] = DEFAULT_BOARDS
    keymap: dict[str, str] = {}
    commands: tuple[CommandSettings, ...] = ()
    ui: UiSettings = UiSettings()
    sync: SyncSettings = SyncSettings()
    walk: WalkSettings = WalkSettings()
    planning: PlanningSettings = PlanningSettings()
    share: ShareSettings = ShareSettings()

    def board(self, board: str) -> BoardSettings | None:
        """The board with this id, or None."""
        return next((b for b in self.boards if b.id == board), None)


#: Keys that must not be in the file.
SECRETS = ("token", "private_token", "password", "oauth_token")


def load(path: Path) -> Settings:
    """Settings from a file; the defaults if there is none. Raises ConfigError."""
    try:
        text = read_text(path)
    except FileNotFoundError:
        return Settings()
    return parse(text, str(path))


def parse(text: str, where: str) -> Settings:
    """Settings from TOML. A board with the id of a default board replaces it; others are appended.

    Raises ConfigError with line and key of the first mistake.
    """
    data = toml_of(text, where)
    source = _Source(text, where)
    _refuse_secrets(data, source)
    _refuse_unknown(data, Settings, source)
    try:
        settings = settings_of(data, source)
    except msgspec.ValidationError as error:
        message, _, path = str(error).partition(" - at `$")
        key = path.strip("`").lstrip(".").replace("[...]", "")
        raise source.wrong(message[0].lower() + message[1:], key) from None
    ids = [board["id"] for board in data.get("boards", ())]
    if twice := next((one for one in ids if ids.count(one) > 1), None):
        raise source.wrong(f"two boards have the id “{twice}”.", "boards.id")
    for command in settings.commands:
        for problem in problems(command):
            raise source.wrong(problem.message, f"commands.{problem.key}", hint=problem.hint)
    return settings


def settings_of(data: dict[str, Any], source: _Source | None = None) -> Settings:
    """Settings from a file's data, whose keys are known. Raises ConfigError and msgspec.ValidationError."""
    source = source or _Source("", "")
    rest = {key: value for key, value in data.items() if key not in ("boards", "milestones")}
    boards, milestones = data.get("boards"), data.get("milestones")
    settings = msgspec.convert(rest, Settings)
    if boards is not None:
        own = msgspec.convert(boards, tuple[BoardSettings, ...])
        by_id = {board.id: board for board in (*DEFAULT_BOARDS, *own)}
        settings = msgspec.structs.replace(settings, boards=tuple(by_id.values()))
    if milestones is not None:
        titles = {**DEFAULT_MILESTONES, **_milestone_titles(milestones, source)}
        settings = msgspec.structs.replace(settings, milestones=titles)
    _check_time_zone(settings.ui.time_zone, source)
    _check_version(settings.planning.version, source)
    return settings


class _Source(Struct, frozen=True):
    """The text of the file, to locate mistakes in it, and its name."""

    text: str
    where: str

    def wrong(self, message: str, key: str, *, hint: str = "") -> ConfigError:
        """The error for a dotted key, with the first line that has its last name as a key or table."""
        name = re.escape(key.rpartition(".")[2])
        pattern = re.compile(rf"^\s*(\[+.*\b{name}\b.*\]|(.*[{{,.]\s*)?\"?{name}\"?\s*=)")
        lines = enumerate(self.text.splitlines(), 1)
        line = next((f":{n}" for n, line in lines if pattern.match(line)), "")
        return ConfigError(message, where=self.where + line, key=key, hint=hint)


def _refuse_secrets(data: dict[str, Any], source: _Source) -> None:
    gitlab = data.get("gitlab")
    keys = {*data, *(gitlab if isinstance(gitlab, dict) else ())}
    for key in SECRETS:
        if key in keys:
            hint = (
                "Remove it, and revoke it if the file was shared. Then sign in with glboard auth login, or "
                "set GITLAB_TOKEN."
            )
            raise source.wrong("tokens are not allowed in this file.", key, hint=hint)


def _refuse_unknown(data: Any, kind: Any, source: _Source, path: str = "") -> None:
    if get_origin(kind) is tuple and isinstance(data, list):
        for entry in data:
            _refuse_unknown(entry, get_args(kind)[0], source, path)
        return
    if not (isinstance(kind, type) and issubclass(kind, Struct) and isinstance(data, dict)):
        return
    hints = get_type_hints(kind)
    for key, value in data.items():
        if key not in hints:
            near = get_close_matches(key, hints, 1, 0.5)
            hint = f"Did you mean “{near[0]}”?" if near else f"Known keys: {', '.join(sorted(hints))}."
            raise source.wrong("unknown key.", path + key, hint=hint)
        _refuse_unknown(value, hints[key], source, f"{path}{key}.")


def _milestone_titles(table: Any, source: _Source) -> dict[str, tuple[str, ...]]:
    """``[milestones]``: a title or a list of titles per key."""
    if not isinstance(table, dict):
        hint = 'Write [milestones], followed by lines such as backlog = "Backlog".'
        raise source.wrong("must be a table.", "milestones", hint=hint)
    found: dict[str, tuple[str, ...]] = {}
    for key, value in table.items():
        titles = value if isinstance(value, list) else [value]
        if not titles or not all(isinstance(one, str) and one.strip() for one in titles):
            wrong = "must be a milestone title, or a list of titles, preferred first."
            raise source.wrong(wrong, f"milestones.{key}", hint='Example: ["Backlog", "Some day"].')
        found[key] = tuple(titles)
    return found


def _check_version(pattern: str, source: _Source) -> None:
    """A regular expression that some title can match (planning rule 1)."""
    hint = r"Example: '^Sprint \d+$', in single quotes. Without it, titles like 19.8 are versions."
    try:
        empty = re.compile(pattern).search("") is not None
    except re.error as error:
        message = f"“{pattern}” is not a regular expression: {error}."
        raise source.wrong(message, "planning.version", hint=hint) from None
    if empty:
        raise source.wrong("it matches every title.", "planning.version", hint=hint)


def _check_time_zone(name: str, source: _Source) -> None:
    """A name in the zone database (planning rule 6: the team's days end by it)."""
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # unknown, empty, or a folder of names
        near = get_close_matches(name, sorted(available_timezones()), 1, 0.75)
        hint = "Use Region/City, such as Europe/Berlin or America/New_York, or UTC."
        hint += f" Did you mean “{near[0]}”?" if near else ""
        raise source.wrong(f"“{name}” is not a time zone.", "ui.time_zone", hint=hint) from None
