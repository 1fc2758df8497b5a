"""What each table and key of ``config.toml`` means, in words: for the documentation and the schema.

Owns words and examples only. Tables, types and defaults are the definitions in ``config.py``; a test holds
that every key has its words here, and that every example is a configuration without mistakes.
"""

from __future__ import annotations

from typing import NamedTuple


class TableWords(NamedTuple):
    """A table: what it is about, and an example of it."""

    about: str
    example: str


TABLES: dict[str, TableWords] = {
    "gitlab": TableWords(
        "The server and the group. `--url` and `--group` go first, then `GITLAB_HOST` and `GLBOARD_GROUP`, "
        "then this table. A token never belongs here.",
        '[gitlab]\nurl = "https://gitlab.example.com"\ngroup = "my-org/my-group"\n',
    ),
    "labels": TableWords(
        "The names of the labels that mean something in planning.",
        '[labels]\ngroup = "group::payments"\ndeliverable = "Deliverable"\nwont_do = ["closed::won\'t do"]\n'
        'priorities = ["urgent", "soon", "some day"]\n',
    ),
    "flow": TableWords(
        "Where the workflow state of an issue is stored: in its label, in its status, or in both. [Workflow "
        "states](flow.md) says when to use which.",
        '[flow]\nbackend = "both"\nprefer = "label"\n\n[flow.labels]\n"in dev" = "workflow::coding"\n\n'
        '[flow.statuses]\n"in dev" = "In progress"\n',
    ),
    "milestones": TableWords(
        "The buckets: milestones that are no versions. A key, and the titles that the milestone can have on "
        "your server, best first. Boards and keys use the key. Other keys than these can be added.",
        '[milestones]\nbacklog = "Backlog"\nnext-1-3 = ["Next 1-3 Milestones", "Next 1-3 releases"]\n'
        'icebox = "Icebox"\n',
    ),
    "boards": TableWords(
        "Boards of your own, each below a `[[boards]]`. One with the id of a built-in board (`planning`, "
        "`build`, `next-1-3`, `next-4-6`, `backlog`, `milestones`, `people`) replaces that one. All of them "
        "have a tab in the head, and `Ctrl+P`, `?`, `glboard open` and `glboard show` know them. `gB` opens "
        "a board of GitLab with its lists as columns, and offers to keep it here; `glboard config boards` "
        "prints them in this form.",
        '[[boards]]\nid = "support"\nname = "Support"\nkey = "g5"\nby = "priority"\nmilestone = "any"\n'
        'filter = "~bug -is:blocked w>2"\norder = "weight"\n'
        'limits = { "priority::1" = { issues = 3 }, "*" = { issues = 12, weight = 20 } }\n\n'
        '[[boards]]\nid = "review"\nname = "Review"\nby = "flow"\ncolumns = ["in review", "verification"]\n'
        'labels = ["backend"]\nmilestone = "current"\ndensity = "dense"\n',
    ),
    "commands": TableWords(
        "Commands of your own on keys, each below a `[[commands]]`: [Commands of your own](commands.md).",
        '[[commands]]\nkey = "E"\nname = "Create merge request"\n'
        'run = "glab mr create --related-issue {iid}"\n',
    ),
    "boards.limits": TableWords(
        "The limit of a column: how many issues, how much weight, or both. Beyond it the column's head says "
        "by how much, in red, and so does `glboard show`. It forbids nothing.",
        '[[boards]]\nid = "flow"\nname = "Flow"\nby = "flow"\ncolumns = ["in dev", "in review"]\n\n'
        '[boards.limits."in dev"]\nissues = 4\nweight = 10\n',
    ),
    "keymap": TableWords(
        "An action and its keys. The ids are in the README and after `?`; a sequence is written `g 5` or "
        "`g5`, alternatives are separated by commas (the key itself is `comma`), and an empty text takes "
        "the key away.",
        '[keymap]\n"board.support" = "g5"\n"milestone.defer" = "M, ctrl+n"\n"view.closed" = ""\n'
        '[[boards]]\nid = "support"\nname = "Support"\n',
    ),
    "ui": TableWords(
        "How it looks.",
        '[ui]\ntheme = "glboard-light"\ndensity = "normal"\ntime_zone = "Europe/Berlin"\n',
    ),
    "sync": TableWords(
        "How often the server is asked, and how long changes are held before they are sent; in seconds.",
        "[sync]\npoll = 20\nhold = 5\nlive = false\n",
    ),
    "walk": TableWords("The walk through issues, one at a time (`gn`).", "[walk]\nclock = true\n"),
    "planning": TableWords(
        "Parameters of the planning rules.",
        "[planning]\nversion = '^\\d{4}\\.\\d+$'\nspike_weight = 1\n\n[planning.mix]\n\"type::feature\" = "
        "50\n"
        '"type::bug + type::maintenance" = 50\n',
    ),
    "planning.issue": TableWords(
        "The planning issue of a milestone.",
        '[planning.issue]\ntitle = "{milestone} planning"\nlabels = ["Planning Issue"]\ntemplate = '
        '"planning.md"\n',
    ),
    "share": TableWords(
        "Share mode: what is hidden while others watch the screen (`p`).",
        '[share]\nwords = ["big customer"]\nlabels = ["customer::*"]\n',
    ),
}

KEYS: dict[str, str] = {
    "gitlab.url": "The address of GitLab. Without it, gitlab.com or the server that glab is signed in to.",
    "gitlab.group": "The full path of the group.",
    "gitlab.user": "Which of several sign-ins to one server is used, by username.",
    "gitlab.client_id": "The OAuth application to sign in with (`glboard auth login`).",
    "gitlab.allow_http": "Whether the token may travel unencrypted to a server that is not this machine.",
    "gitlab.ca_cert": "A file with the certificate authority of your company.",
    "gitlab.client_cert": "A file with the client's certificate, where the server asks for one.",
    "gitlab.client_key": "A file with the key of that certificate.",
    "gitlab.skip_tls_verify": "Whether the server's certificate is not checked; better name `ca_cert`.",
    "labels.group": "The label of your group: all boards show only its issues. Empty: all issues.",
    "labels.devops": "The devops label that every issue of the group has.",
    "labels.section": "The section label that every issue of the group has.",
    "labels.categories": "The category labels of the group; every issue has one of them.",
    "labels.deliverable": "The label of work that is accepted for a milestone.",
    "labels.spike": "The label of a spike.",
    "labels.type_prefix": "How the labels of types begin.",
    "labels.ignore": "The label of issues that no board shows and no figure counts.",
    "labels.workflow_prefix": "How the labels of workflow states begin.",
    "labels.priority_prefix": "How the labels of priorities begin.",
    "labels.priorities": "The priorities, the most urgent first, where they are no scoped labels: setting "
    "one removes the others.",
    "labels.severity_prefix": "How the labels of severities begin.",
    "labels.missed_prefix": "How the labels begin that say which milestone an issue missed.",
    "labels.missed_deliverable": "The label of an accepted issue that missed its milestone.",
    "labels.duplicate": "The labels of closed duplicates; the first one that exists is set.",
    "labels.wont_do": "The labels of what is closed as won't do; the first one that exists is set.",
    "flow.backend": "Where the state is stored.",
    "flow.prefer": "Which one is right where label and status differ; `ask` asks each time.",
    "flow.labels": "The label of a state, if it is not the prefix and the state's name.",
    "flow.statuses": "The status of a state, if it has not the state's name.",
    "commands.key": "The keys that run it.",
    "commands.name": "Its name on the screen.",
    "commands.run": "The program and its arguments, with `{reference}`, `{iid}`, `{project}`, `{title}`, "
    "`{url}`, `{milestone}`; with `{references}`, `{iids}` or `{urls}` it runs once for all selected cards.",
    "commands.on": "Whether it runs on cards or on the board.",
    "commands.shell": "Whether `run` is a line for `sh`; values are quoted.",
    "commands.confirm": "Whether it asks first.",
    "commands.then": "`refresh` reads the issues again afterwards.",
    "boards.id": "What commands and keys call it: letters, digits, `-` and `_`.",
    "boards.name": "Its name on the screen.",
    "boards.by": "What its columns are.",
    "boards.columns": "Label titles, workflow states, priorities, or milestones (as in `milestone`), in "
    "order. Empty: by priority, all priorities; by assignee, the team and whoever is assigned; by none, one "
    "list.",
    "boards.milestone": "`current`, `next`, `after-next`, `none`, `any`, a key of `[milestones]`, or a "
    "title.",
    "boards.labels": "Labels that all its issues have.",
    "boards.filter": "A line of the filter language (`/` on a board): only what fits is on the board. "
    "`is:changed` is the one word that it cannot have.",
    "boards.limits": "The limits by column, by its name in `columns` or by username; `*` is every column "
    "without its own.",
    "boards.limits.issues": "At most so many issues.",
    "boards.limits.weight": "At most so much weight.",
    "boards.key": "The keys that open it; `[keymap]` goes before them.",
    "boards.order": "What its columns are sorted by at first; `O` changes it. `rank` is GitLab's order.",
    "boards.density": "The density of its cards; `z` changes it. Empty: that of `[ui]`.",
    "ui.theme": "`glboard-dark`, `glboard-light`, `glboard-contrast`, or one of Textual's. Empty: dark, or "
    "the terminal's own colours if NO_COLOR is set.",
    "ui.density": "How much of a card is shown; `auto` decides by the space of each column.",
    "ui.time_zone": "The team's time zone: its days end by it.",
    "sync.live": "Whether GitLab is asked to tell of changes to the cards in view at once, over a WebSocket.",
    "sync.poll": "Between two polls while the program is used.",
    "sync.poll_idle": "Between two polls while it is not.",
    "sync.reconcile": "The time in which cards are read again that polls cannot see.",
    "sync.catalog": "Between two readings of labels, milestones and people.",
    "sync.hold": "How long a change waits before it is sent, so that it can be undone unsent.",
    "sync.hold_comments": "The same for comments and new issues.",
    "walk.clock": "Whether it shows how long an issue has been on screen.",
    "planning.count_wont_do": "Whether Say/Do counts what was closed as won't do.",
    "planning.mix": "The target share of each type in percent; several types are joined by ` + `.",
    "planning.nearly_done": "Workflow states whose open Deliverables are not expected to be carried over.",
    "planning.likely_share": "The part of the weight of the others that is, from 0 to 1.",
    "planning.past_milestones": "With how many past milestones capacity is compared.",
    "planning.spike_weight": "The weight of a spike that has none.",
    "planning.version": "What the title of a version milestone looks like: a regular expression.",
    "planning.boards": "The boards that are created in GitLab when a milestone is opened.",
    "planning.board_title": "Their titles there.",
    "planning.issue.project": "The project of the planning issue, by its full path. Empty: where the others "
    "are.",
    "planning.issue.title": "Its title.",
    "planning.issue.labels": "Labels that a new one gets, if they exist.",
    "planning.issue.template": "A Markdown file, relative to the configuration. Empty: the built-in one.",
    "planning.issue.capacity": "What it shows of the team's capacity.",
    "planning.issue.confidential": "Whether a new one is confidential.",
    "share.always": "Whether every session starts shared.",
    "share.hide_references": "Whether confidential issues have no number either.",
    "share.people": "For each person the words full, free and over, or only the team's bar.",
    "share.words": "Words that are masked in every text.",
    "share.labels": "Patterns of labels that are not shown at all.",
}
