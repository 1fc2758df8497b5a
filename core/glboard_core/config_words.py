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
        "The server and the group. `--url` and `--group` take precedence, then `GITLAB_HOST` and "
        "`GLBOARD_GROUP`, then this table. Never put a token here.",
        '[gitlab]\nurl = "https://gitlab.example.com"\ngroup = "my-org/my-group"\n',
    ),
    "labels": TableWords(
        "The labels that planning uses.",
        '[labels]\ngroup = "group::payments"\ndeliverable = "Deliverable"\nwont_do = ["closed::won\'t do"]\n'
        'priorities = ["urgent", "soon", "some day"]\n',
    ),
    "flow": TableWords(
        "Where workflow states are stored: in a label, a status, or both. See [Workflow states](flow.md).",
        '[flow]\nbackend = "both"\nprefer = "label"\n\n[flow.labels]\n"in dev" = "workflow::coding"\n\n'
        '[flow.statuses]\n"in dev" = "In progress"\n',
    ),
    "milestones": TableWords(
        "Buckets: milestones that are not versions. Each key has one or more possible titles, preferred "
        "first. Boards and keyboard shortcuts use the key. You can add your own keys.",
        '[milestones]\nbacklog = "Backlog"\nnext-1-3 = ["Next 1-3 Milestones", "Next 1-3 releases"]\n'
        'icebox = "Icebox"\n',
    ),
    "boards": TableWords(
        "Custom boards, each in a `[[boards]]` table. A board with the id of a built-in board (`planning`, "
        "`build`, `next-1-3`, `next-4-6`, `backlog`, `milestones`, `people`) replaces it. Every board has "
        "a tab in the header, and works with `Ctrl+P`, `?`, `glboard open` and `glboard show`. `gB` opens "
        "a GitLab board with its lists as columns and offers to save it here; `glboard config boards` "
        "prints GitLab boards in this form.",
        '[[boards]]\nid = "support"\nname = "Support"\nkey = "g5"\nby = "priority"\nmilestone = "any"\n'
        'filter = "~bug -is:blocked w>2"\norder = "weight"\n'
        'limits = { "priority::1" = { issues = 3 }, "*" = { issues = 12, weight = 20 } }\n\n'
        '[[boards]]\nid = "review"\nname = "Review"\nby = "flow"\ncolumns = ["in review", "verification"]\n'
        'labels = ["backend"]\nmilestone = "current"\ndensity = "dense"\n',
    ),
    "commands": TableWords(
        "Custom commands on keys, each in a `[[commands]]` table. See [Custom commands](commands.md).",
        '[[commands]]\nkey = "E"\nname = "Create merge request"\n'
        'run = "glab mr create --related-issue {iid}"\n',
    ),
    "boards.limits": TableWords(
        "The limit of a column, in issues, weight, or both. If a column exceeds it, the column header and "
        "`glboard show` say by how much. You can still add issues.",
        '[[boards]]\nid = "flow"\nname = "Flow"\nby = "flow"\ncolumns = ["in dev", "in review"]\n\n'
        '[boards.limits."in dev"]\nissues = 4\nweight = 10\n',
    ),
    "keymap": TableWords(
        "An action and its keys. [Keys](keys.md) lists the ids. Write a sequence as `g 5` or `g5`, "
        "separate alternatives with commas (for the comma key, write `comma`), and use an empty text to "
        "unbind the action.",
        '[keymap]\n"board.support" = "g5"\n"milestone.defer" = "M, ctrl+n"\n"view.closed" = ""\n'
        '[[boards]]\nid = "support"\nname = "Support"\n',
    ),
    "ui": TableWords(
        "Appearance.",
        '[ui]\ntheme = "glboard-light"\ndensity = "normal"\ntime_zone = "Europe/Berlin"\n',
    ),
    "sync": TableWords(
        "How often to poll GitLab, and how long to wait before changes are sent, in seconds.",
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
        "What share mode (`p`) hides while others watch the screen.",
        '[share]\nwords = ["big customer"]\nlabels = ["customer::*"]\n',
    ),
}

KEYS: dict[str, str] = {
    "gitlab.url": "The GitLab URL. Default: the server that glab is signed in to, or gitlab.com.",
    "gitlab.group": "The full path of the group.",
    "gitlab.user": "The username of the sign-in to use, if there are several for the server.",
    "gitlab.client_id": "The client ID of the OAuth application for `glboard auth login`.",
    "gitlab.allow_http": "Allow sending the token unencrypted to another computer.",
    "gitlab.ca_cert": "The file with your certificate authority.",
    "gitlab.client_cert": "The file with your client certificate, if the server requires one.",
    "gitlab.client_key": "The file with the key of the client certificate.",
    "gitlab.skip_tls_verify": "Skip certificate verification. Prefer `ca_cert`.",
    "labels.group": "Your group's label: boards show only issues with this label. Empty: all issues.",
    "labels.devops": "The devops label of the group's issues.",
    "labels.section": "The section label of the group's issues.",
    "labels.categories": "The category labels of the group; each issue needs one.",
    "labels.deliverable": "The label of issues accepted for a milestone.",
    "labels.spike": "The label of a spike.",
    "labels.type_prefix": "The prefix of type labels.",
    "labels.ignore": "The label of issues to leave out of boards and figures.",
    "labels.workflow_prefix": "The prefix of workflow labels.",
    "labels.priority_prefix": "The prefix of priority labels.",
    "labels.priorities": "Priority labels, most urgent first, if they are not scoped labels. Setting one "
    "removes the others.",
    "labels.severity_prefix": "The prefix of severity labels.",
    "labels.missed_prefix": "The prefix of labels for missed milestones.",
    "labels.missed_deliverable": "The label of a Deliverable that missed its milestone.",
    "labels.duplicate": "Labels for closed duplicates; glboard uses the first that exists.",
    "labels.wont_do": "Labels for issues closed as won't do; glboard uses the first that exists.",
    "flow.backend": "Where the state is stored.",
    "flow.prefer": "Which one to keep if label and status differ; `ask` asks each time.",
    "flow.labels": "The label of a state, if it is not the prefix followed by the state's name.",
    "flow.statuses": "The status of a state, if it has another name.",
    "commands.key": "The keys that run the command.",
    "commands.name": "The name in menus.",
    "commands.run": "The program and its arguments, with `{reference}`, `{iid}`, `{project}`, `{title}`, "
    "`{url}`, `{milestone}`; with `{references}`, `{iids}` or `{urls}`, it runs once for all selected "
    "issues.",
    "commands.on": "Run the command on issues (`card`) or on the board.",
    "commands.shell": "Run the line with `sh`; values are quoted.",
    "commands.confirm": "Ask before running.",
    "commands.then": "`refresh` reloads the issues afterwards.",
    "boards.id": "The name in commands and `[keymap]`: letters, digits, `-` and `_`.",
    "boards.name": "The name in menus.",
    "boards.by": "The kind of columns.",
    "boards.columns": "Label titles, workflow states, priorities, or milestones (as in `milestone`), in "
    "order. If empty: all priorities, the team and all assignees, or one list, depending on `by`.",
    "boards.milestone": "`current`, `next`, `after-next`, `none`, `any`, a key of `[milestones]`, or a "
    "title.",
    "boards.labels": "Labels that issues on the board must have.",
    "boards.filter": "A filter, as with `/` on a board: the board shows only matching issues. `is:changed` "
    "is not allowed.",
    "boards.limits": "Limits by column name or username; `*` applies to all other columns.",
    "boards.limits.issues": "Maximum number of issues.",
    "boards.limits.weight": "Maximum weight.",
    "boards.key": "The keys that open the board; `[keymap]` takes precedence.",
    "boards.order": "The initial sort order; `O` changes it. `rank` is GitLab's manual order.",
    "boards.density": "The density of cards; `z` changes it. Empty: as in `[ui]`.",
    "ui.theme": "`glboard-dark`, `glboard-light`, `glboard-contrast`, or one of Textual's. Empty: dark, or "
    "the terminal's colors if NO_COLOR is set.",
    "ui.density": "The density of cards. `auto` depends on the space in each column: as many whole titles as "
    "possible.",
    "ui.time_zone": "The team's time zone.",
    "sync.live": "Get live changes to the issues in view, over a WebSocket.",
    "sync.poll": "The time between polls while you use glboard.",
    "sync.poll_idle": "The time between polls when glboard is idle.",
    "sync.reconcile": "The time to reload four pages of issues, to find changes that polls miss.",
    "sync.catalog": "The time between reloads of labels, milestones and people.",
    "sync.hold": "How long a change waits before it is sent; until then, undo leaves no trace.",
    "sync.hold_comments": "The same for comments and new issues.",
    "walk.clock": "Show how long an issue has been on screen.",
    "planning.count_wont_do": "Count issues closed as won't do in Say/Do.",
    "planning.mix": "The target share of each type in percent; several types are joined by ` + `.",
    "planning.nearly_done": "Workflow states whose open Deliverables are not expected to be carried over.",
    "planning.likely_share": "The share of other open Deliverables expected to be carried over, from 0 to 1.",
    "planning.past_milestones": "The number of past milestones to compare capacity with.",
    "planning.spike_weight": "The default weight of a spike.",
    "planning.version": "A regular expression for the titles of version milestones.",
    "planning.boards": "The boards to create in GitLab when you open a milestone.",
    "planning.board_title": "The titles of these boards in GitLab.",
    "planning.issue.project": "The full path of the project of the planning issue. Empty: the project of "
    "the existing ones.",
    "planning.issue.title": "The title of the planning issue.",
    "planning.issue.labels": "Labels for a new planning issue, if they exist.",
    "planning.issue.template": "The template, a Markdown file relative to the configuration. Empty: the "
    "built-in template.",
    "planning.issue.capacity": "The capacity to show: totals, names or none.",
    "planning.issue.confidential": "Create the planning issue as confidential.",
    "share.always": "Start every session in share mode.",
    "share.hide_references": "Hide the numbers of confidential issues, too.",
    "share.people": "Show full, free or over for each person (`words`), or only the team's bar.",
    "share.words": "Words to mask in every text.",
    "share.labels": "Patterns of labels to hide.",
}
