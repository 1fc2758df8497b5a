"""The world's books: everything there is, with its numbers.

Owns the records, their ids, the indexes, the clock and the one lock. It makes and takes away; finding by name
and acting as a person are `world`'s, what a change of an issue means is `changing`'s.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import date
from math import gcd
from threading import RLock
from typing import Any, Literal

from glboard_core.demo.world import permissions
from glboard_core.demo.world.clock import Clock
from glboard_core.demo.world.records import (
    Board,
    BoardList,
    Edition,
    Event,
    Group,
    Issue,
    Label,
    Milestone,
    Note,
    Place,
    Project,
    Tier,
    User,
    default_statuses,
)
from glboard_core.demo.world.search import Index

DEFAULT_VERSION = "18.9"


class Registry:
    """Everything there is. `tier` and `edition` say what the licence allows, `version` which GitLab this
    is."""

    def __init__(
        self,
        *,
        clock: Clock | None = None,
        tier: Tier = "ultimate",
        edition: Edition = "ee",
        version: str = DEFAULT_VERSION,
    ) -> None:
        self.lock = RLock()
        self.clock = clock or Clock()
        self.tier = tier
        self.edition = edition
        self.version = version
        self.users: dict[str, User] = {}
        self.groups: dict[str, Group] = {}
        self.projects: dict[str, Project] = {}
        self.labels: dict[int, Label] = {}
        self.milestones: dict[int, Milestone] = {}
        self.boards: dict[int, Board] = {}
        self.board_lists: dict[int, BoardList] = {}
        self.notes: dict[int, Note] = {}
        self.statuses = default_statuses()
        self.index = Index({})
        self.owner_username = ""
        self.historian: Callable[[Issue], list[Event]] | None = None
        self._titles: dict[tuple[Place, str], Label] = {}
        self._ids: Counter[str] = Counter()
        self._waiting: dict[Issue, list[Issue]] = {}

    # What it is

    @property
    def since(self) -> tuple[int, int]:
        """The emulated version as numbers."""
        major, minor = self.version.split(".")[:2]
        return int(major), int(minor)

    @property
    def root(self) -> Group:
        """The top-level group."""
        return next(iter(self.groups.values()))

    def licensed(self, needed: Tier) -> bool:
        """Whether the licence covers a tier; the community edition has none."""
        return self.edition == "ee" and permissions.licensed(self.tier, needed)

    def next_id(self, kind: str, given: int | None = None) -> int:
        """The next number of a kind; a given one is kept and counted past."""
        if given is not None:
            self._ids[kind] = max(self._ids[kind], given)
            return given
        self._ids[kind] += 1
        return self._ids[kind]

    # Making things

    def add_user(self, username: str, name: str) -> User:
        """A new account."""
        user = self.users[username] = User(self.next_id("user"), username, name)
        return user

    def add_group(self, full_path: str, name: str | None = None, *, ident: int | None = None) -> Group:
        """A new group; its parents are made too."""
        if full_path in self.groups:
            return self.groups[full_path]
        above, _, path = full_path.rpartition("/")
        parent = self.add_group(above) if above else None
        group = Group(
            self.next_id("group", ident), path, full_path, name or path.replace("-", " ").title(), parent
        )
        self.groups[full_path] = group
        return group

    def add_project(self, full_path: str, name: str | None = None, *, ident: int | None = None) -> Project:
        """A new project; its groups are made too."""
        above, _, path = full_path.rpartition("/")
        group = self.add_group(above)
        title = name or path.replace("-", " ").title()
        project = Project(self.next_id("project", ident), path, full_path, title, group)
        self.projects[full_path] = project
        return project

    def add_label(
        self, owner: Place, title: str, color: str = "#6699cc", description: str | None = None
    ) -> Label:
        """A new label of a place; titles are unique per place."""
        now = self.clock.now()
        label = Label(self.next_id("label"), title, color, owner, description, now, now)
        self.labels[label.id] = label
        self._titles[owner, title] = label
        return label

    def drop_label(self, label: Label) -> None:
        """Takes a label away from everything, and its events with it."""
        for issue in list(self.index.with_label(label.title)):
            with self.index.moving(issue):
                issue.labels = tuple(one for one in issue.labels if one is not label)
        for issue in self.index.issues.values():
            for event in issue.history or ():
                if event.value is label:
                    event.value = None
        for one in [one for one in self.board_lists.values() if one.label is label]:
            one.board.lists.remove(one)
            del self.board_lists[one.id]
        del self._titles[label.owner, label.title]
        del self.labels[label.id]

    def rename_label(self, label: Label, title: str) -> None:
        """Gives a label another title."""
        del self._titles[label.owner, label.title]
        label.title = title
        self._titles[label.owner, title] = label
        for issue in self.index.issues.values():
            if label in issue.labels:
                issue.labels = tuple(sorted(issue.labels, key=lambda one: one.title))
        self.index.rebuild()

    def add_milestone(
        self,
        owner: Place,
        title: str,
        start: date | None = None,
        due: date | None = None,
        *,
        ident: int | None = None,
    ) -> Milestone:
        """A new milestone of a place."""
        now = self.clock.now()
        iid = self.next_id(f"milestone of {owner.full_path}")
        milestone = Milestone(
            self.next_id("milestone", ident), iid, title, start, due, owner, created=now, updated=now
        )
        self.milestones[milestone.id] = milestone
        return milestone

    def drop_milestone(self, milestone: Milestone) -> None:
        """Deletes a milestone; its issues have none then."""
        for issue in [
            one for one in self.index.with_milestone(milestone.title) if one.milestone is milestone
        ]:
            with self.index.moving(issue):
                issue.milestone = None
        del self.milestones[milestone.id]

    def new_issue(
        self,
        project: Project,
        title: str,
        author: User,
        created: int,
        *,
        ident: int | None = None,
        iid: int | None = None,
    ) -> Issue:
        """An issue that is not yet in the index: fill it, then `index.add` it (or rebuild once for many)."""
        if iid is None:
            iid = project.last_iid + 1
        project.last_iid = max(project.last_iid, iid)
        issue = Issue(self.next_id("issue", ident), iid, project, title, author, created)
        project.issues[iid] = issue
        return issue

    def add_board(self, group: Group, name: str) -> Board:
        """A new board, with its Open and Closed lists as GitLab makes them."""
        now = self.clock.now()
        board = Board(self.next_id("board"), group, name, now, now)
        self.boards[board.id] = board
        self.add_list(board, "backlog")
        self.add_list(board, "closed")
        return board

    def add_list(self, board: Board, kind: str) -> BoardList:
        """A new list at the end of a board."""
        made = BoardList(self.next_id("list"), board, kind)
        if kind not in ("backlog", "closed"):
            made.position = sum(1 for one in board.lists if one.position is not None)
        board.lists.append(made)
        self.board_lists[made.id] = made
        return made

    def add_note(
        self, issue: Issue, body: str, author: User, *, internal: bool = False, system: bool = False
    ) -> Note:
        """A new comment; it touches the issue."""
        now = self.clock.now()
        note = Note(self.next_id("note"), issue, body, author, now, now, internal, system)
        self.notes[note.id] = note
        issue.notes = [*(issue.notes or ()), note]
        with self.index.moving(issue):
            issue.updated = now
        return note

    def drop_note(self, note: Note) -> None:
        """Deletes a comment."""
        note.issue.notes = [one for one in note.issue.notes or () if one is not note]
        del self.notes[note.id]

    def block(self, issue: Issue, by: Issue) -> None:
        """Makes an issue wait for another one."""
        issue.blocked_by = (*issue.blocked_by, by)
        self._waiting.setdefault(by, []).append(issue)

    def blocked_by(self, issue: Issue) -> list[Issue]:
        """The open issues that wait for this one."""
        waiting = self._waiting.get(issue, ())
        return [one for one in waiting if one.open]

    def record(
        self,
        issue: Issue,
        kind: Literal["label", "milestone", "state", "weight"],
        action: str,
        value: Any,
        by: User,
    ) -> None:
        """Writes a resource event, now."""
        events = issue.history
        if events is None:
            events = issue.history = []
        events.append(Event(self.next_id("event"), kind, action, value, self.clock.now(), by))

    def ensure_history(self, issue: Issue) -> list[Event]:
        """The events of an issue; made up at first sight, so it must be called before a first change."""
        if issue.history is None:
            issue.history = self.historian(issue) if self.historian is not None else []
        return issue.history


# Invented issue titles about self-hosted models: plausible, all different, and some of them awkward.


def _words(text: str) -> tuple[str, ...]:
    return tuple(" ".join(one.split()) for one in text.split(";"))


_THINGS = _words("""
    model endpoint selection; the chat footer; the prompt cache; token accounting; the licence
    check; model card import; streaming answers; the connection test; the embedding queue; code
    suggestion context; the region switch; adapter registration; the usage report; quota
    enforcement; the fallback chain; certificate loading; the endpoint wizard; credential rotation;
    feature assignment; the model picker; request signing; the evaluation runner; context window
    detection; batch inference; the model registry; answer citations; warm-up of replicas; the
    health dashboard; prompt templates; log redaction; response filtering; seat assignment; the
    offline bundle; the proxy configuration; trace export; version pinning; temperature settings;
    the settings export; key lookup; the model comparison
""")
_BUG = (
    _words("""
    Crash in; Wrong total in; Time-out while opening; Stale data in; Empty answer from; Double retry
    in; Missing audit entry for; Error message leaks out of; Memory grows in; Race in; Permission
    check skipped in; Wrong time zone in; Broken pagination of; Lost setting in; Unreadable contrast
    in; Slow start of; Health check fails for; Truncated stream from; Wrong status shown by;
    Encoding error in; Silent failure of; Flaky behaviour of; Misleading hint in; Deadlock in;
    Off-by-one in
    """),
    _THINGS,
    _words("""
    when the endpoint is behind a proxy; on an instance without internet; after an upgrade; with two
    endpoints of one name; for a project in a subgroup; when the token expires mid-request; with a
    quantised model; for read-only users; on small screens; when the answer is empty; under high
    load; with a custom certificate authority; after a failed migration; for archived projects; when
    the model is renamed; with IPv6 only; if the cache is cold; for very long prompts; when
    streaming is switched off; in air-gapped mode; after the clock was changed; with a slow disk;
    when the queue is full; for bot users; with non-Latin input; behind a load balancer; when two
    people save at once; if the region is unknown; with an old agent; after a rollback; when logging
    is off; for a model without a card; on the first request of the day; with 8-bit weights; when
    the list has one entry; for guests; if the name has spaces; with a trailing slash; when retries
    are used up; in the second tab; after switching groups; with a stale session; on ARM machines;
    for nested templates; when the worker restarts; with a read replica; if two adapters match;
    after a time-out; for imported settings; with strict content rules
    """),
)
_FEATURE = (
    _words("""
    Let administrators choose; Show; Add a guided setup for; Support several versions of; Offer a
    preview of; Allow groups to override; Export; Import; Notify owners about; Add search to; Make
    it possible to pause; Add an API for; Schedule; Compare results of; Add a policy for; Explain;
    Add filters to; Remember the last choice of; Add keyboard access to; Document and expose; Let
    projects opt out of; Add a dry run for; Bring a summary of; Suggest a default for; Allow tagging
    of
    """),
    _THINGS,
    _words("""
    per project; per subgroup; in the admin area; in the chat panel; from the command line; for
    auditors; with a cost estimate; by region; for self-hosted models only; with approval; in the
    merge request view; during onboarding; for mixed deployments; with role checks; over REST; over
    GraphQL; with a time limit; by language; for trial licences; on the settings page; with undo;
    for quantised models; in bulk; for fine-tuned models; with a fallback; in the weekly report; as
    a beta; behind a flag; for pinned versions; with usage limits; in the editor extension; for
    offline instances; with templates; by team; with history; across environments; for new
    endpoints; in the model card; with a health badge; from a file; for service accounts; with one
    click; for large context windows; in dark mode; per feature; with sample prompts; for evaluation
    runs; on mobile; with a checklist; for partners
    """),
)
_MAINTENANCE = (
    _words("""
    Extract; Remove dead code around; Cover with tests:; Speed up the specs of; Replace the client
    used by; Split the service behind; Upgrade libraries of; Drop the old flag of; Simplify; Move to
    the new logger:; Type-check; Cache the lookup in; Unify error classes of; Make idempotent:;
    Rewrite the migration of; Reduce queries in; Document the internals of; Add metrics to; Harden;
    Delete unused settings of; Stabilise the pipeline of; Rename for clarity:; Limit the batch size
    of; Index the table of; Tidy up
    """),
    _THINGS,
    _words("""
    before the next upgrade; for 19.x; so that tests run offline; to cut flakiness; without
    behaviour changes; as agreed in review; to lower memory use; in the background worker; in the
    gateway; in the platform; and its fixtures; and its factories; behind the adapter layer; in
    small steps; with a deprecation note; for the security review; to unblock the registry; in the
    chart; and the docs; after the split; to shorten pipelines; with contract tests; for FIPS
    builds; on Ruby 3.4; on Python 3.13; for the new runner; and its schema; to remove a cycle; with
    benchmarks; in the client library; to allow parallel runs; for the nightly job; and alerts; in
    the admin controllers; in the importer; for the old API; to drop a dependency; in the seeds;
    with property tests; for the mobile view; before the code freeze; to save one query per row; and
    its cron job; in the rate limiter; in the exporter; for the sandbox; as a follow-up; in the
    editor bridge; for the metrics page; to keep logs short
    """),
)
_LISTS = {"bug": _BUG, "feature": _FEATURE, "maintenance": _MAINTENANCE}

_ZWJ, _RLM, _OVERRIDE = "\u200d", "\u200f", "\u202e"
_ESC, _BEL, _C1 = "\x1b", "\x07", "\x9b"
AWKWARD: tuple[str, ...] = (
    "fix [/api] crash in the [bold]model picker[/bold]",
    "[red]Not markup[/] but a title with [link=https://example.com]brackets[/link]",
    "自己ホスト型モデルの設定画面で日本語が折り返されない",
    "模型端点选择器在宽字符下对齐错误 (表格)",
    "إعداد النموذج المستضاف ذاتيًا لا يعمل بعد الترقية",
    f"Mixed direction: model {_RLM}שם המודל{_RLM} is cut off",
    f"Override {_OVERRIDE}gnihtemos sesrever{_OVERRIDE} in the title",
    "Combining marks: n\u0303a\u0308i\u0308ve re\u0301sume\u0301 e\u0301ndpoint Z͑ͫ̓ͪ̂ͫ̽͏̴̙̤̞͉͚̯̞̠͍A̴̵̜̰͔ͫ͗͢",
    f"Emoji: 👩{_ZWJ}💻 reviews 🏳️{_ZWJ}🌈 badge for 👨{_ZWJ}👩{_ZWJ}👧{_ZWJ}👦 plans 🇩🇪",
    ("Very long title about the guided setup of self-hosted models " * 5)[:255],
    f"Escape {_ESC}[31mred{_ESC}[0m and {_ESC}[2J clear in the endpoint name",
    f"OSC {_ESC}]0;owned{_BEL} and link {_ESC}]8;;https://example.com{_ESC}\\here{_ESC}]8;;{_ESC}\\ in logs",
    f"C1 controls {_C1}31m and \x90tmux\x9c in model output",
    "Tabs\tand\ttrailing spaces   ",
    "Bell \x07 backspace \x08\x08 and delete \x7f in prompt names",
    "Zero\u200bwidth\u200bspaces and soft\u00adhyphens in labels",
    "Ｆｕｌｌｗｉｄｔｈ　ｎａｍｅｓ are not folded in search",
    "<script>alert('title')</script> & &amp; entities in the model card",
    "100% %s {braces} {0} $HOME `backticks` and \\n backslashes",
    "\"Quotes\" 'single' “curly” in milestone names",
)


def title(kind: str, number: int) -> str:
    """The title of a number among bugs, features or maintenance."""
    first, second, third = _LISTS[kind]
    total = len(first) * len(second) * len(third)
    stride = next(step for step in range(total * 5 // 8, total) if gcd(step, total) == 1)
    round_, at = divmod(number, total)
    at = at * stride % total
    at, low = divmod(at, len(first))
    middle, high = at % len(second), at // len(second)
    text = f"{first[low]} {second[middle]} {third[high]}"
    return f"{text} (part {round_ + 1})" if round_ else text
