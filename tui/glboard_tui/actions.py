"""The registry of actions: everything that a key or ``Ctrl+P`` can do, on the board and in panes.

The keymap, the footer, ``?``, the palette and the documentation derive from it. It owns names, never
behaviour: each action names its function in ``commands``, imported on first use. Ids are stable, because
people use them in their keymap; ``ALIASES`` has those of earlier versions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cache, partial

from glboard_core.command_template import CommandSettings, with_ids
from glboard_tui.action import (
    GROUPS,
    Action,
    ActionContext,
    Group,
    Scope,
    When,
    chain_of,
    command_of,
    key_words,
)

# When they apply


def _always(_: ActionContext) -> bool:
    return True


def _ready(now: ActionContext) -> bool:
    return now.ready


def _targets(now: ActionContext) -> bool:
    return now.targets > 0


def _editable(now: ActionContext) -> bool:
    return now.targets > 0 and now.ready and now.writable


def _weighable(now: ActionContext) -> bool:
    return _editable(now) and now.weights


def _healthy(now: ActionContext) -> bool:
    return _editable(now) and now.weights and now.health


def _creatable(now: ActionContext) -> bool:
    return now.ready and now.writable


def _repeatable(now: ActionContext) -> bool:
    return now.repeat and _editable(now)


def _shareable(now: ActionContext) -> bool:
    return not now.shared or now.revealed


def _shared(now: ActionContext) -> bool:
    return now.shared


def _stoppable(now: ActionContext) -> bool:
    return "proposing" in now.modes and not now.selected


def _calling(now: ActionContext) -> bool:
    return now.calling


def _not_calling(now: ActionContext) -> bool:
    return not now.calling


def _in(mode: str) -> When:
    return lambda now: mode in now.modes


# The registry

#: Wherever an issue has the focus.
_ISSUES: tuple[Scope, ...] = ("board", "detail", "list", "walk")
#: Where issues can be selected.
_SELECTING: tuple[Scope, ...] = ("board", "list")
#: From where a key leads to another board or pane.
_GOING: tuple[Scope, ...] = ("board", "list", "capacity", "walk")
_TABBED: tuple[Scope, ...] = ("board", "detail", "list", "capacity")
_WIDE: tuple[Scope, ...] = ("board", "capacity")
_ALL: tuple[Scope, ...] = ("board", "detail", "pane")


def _action(
    name: str,
    does: str,
    keys: str,
    title: str,
    hint: str = "",
    *,
    group: Group,
    scopes: tuple[Scope, ...] = ("board",),
    when: When = _always,
    palette: bool = True,
    shows: bool = False,
    starts: bool = False,
) -> Action:
    return Action(
        id=name,
        does=does,
        title=title,
        keys=tuple(keys.split(", ")) if keys else (),
        group=group,
        hint=hint,
        when=when,
        scopes=scopes,
        palette=palette,
        shows=shows,
        starts=starts,
    )


def _own(group: Group, scope: Scope, prefix: str = "") -> Callable[..., Action]:
    """Makes a pane's own actions: ``capacity.time-off`` is its method ``action_time_off``.

    With a prefix the id starts with that, and the method's name too.
    """

    def make(name: str, keys: str, title: str, hint: str = "", when: When = _always) -> Action:
        does = f"panes.own {f'{prefix}-{name}'.strip('-').replace('-', '_')}"
        return _action(
            f"{prefix or scope}.{name}", does, keys, title, hint, group=group, scopes=(scope,), when=when
        )

    return make


_focus = partial(_action, group="Focus", palette=False)
_tab = partial(_focus, scopes=_TABBED)
_read = partial(_focus, scopes=("detail", "list"))
_select = partial(_action, group="Selection", scopes=_SELECTING, when=_targets)
_mark = partial(_select, palette=False)
_restore = partial(_select, when=lambda now: now.can_restore)
_plan = partial(_action, group="Plan", scopes=_ISSUES, when=_editable)
_weight = partial(_plan, when=_weighable)
_move = partial(_action, group="Move", scopes=_ISSUES, when=_editable)
_place = partial(_move, scopes=("board",))
_align = partial(_move, when=lambda now: now.differing and _editable(now))
_shift = partial(_move, scopes=("board", "walk"))
_label = partial(_action, group="People and labels", scopes=_ISSUES, when=_editable)
_linked = partial(_action, group="Links", scopes=_ISSUES, when=_editable)
_text = partial(_action, group="Text", scopes=_ISSUES, when=_editable)
_task = partial(_action, group="Text", scopes=("detail",), when=_in("tasks"), palette=False)
_tick = partial(_action, group="Text", scopes=("task",), when=_editable, palette=False)
_undo = partial(_action, group="Undo", scopes=_ISSUES)
_changes = partial(_undo, scopes=_GOING)
_draft = partial(_action, group="Draft", scopes=(*_GOING, "detail"), when=_ready)
_conflict = partial(_undo, when=lambda now: now.conflicting)
_find = partial(_action, group="Find", when=_ready)
_escape = partial(_action, group="Find", scopes=_ALL, palette=False)
_board = partial(_action, group="Boards", scopes=_GOING)
_step = partial(_board, scopes=("board", "capacity", "say-do", "milestone-end"), when=_ready)
_pane = partial(_action, group="Panes", scopes=_GOING, when=_ready)
_walk = partial(_pane, scopes=(*_GOING, "detail"))
_close = partial(_action, group="Panes", scopes=("pane",), palette=False)
_view = partial(_action, group="View")
_copy = partial(_view, scopes=_ISSUES, when=_targets)
# Say/Do also lists issues that are on no board.
_browse = partial(_view, scopes=_ISSUES, when=lambda now: now.targets > 0 or now.scope == "say-do")
_share = partial(_action, group="Shared screen", scopes=_ALL)
_quit = partial(_view, scopes=("board", "detail", "any-pane"))
_walked = _own("Walk", "walk")
_description = _own("Lists", "described-list", "description")
_candidates = _own("Candidates", "candidates")
_updates = _own("Changes by others", "updates")
_say_do = _own("Say/Do", "say-do")
_decisions = _own("Decisions", "decisions")
_decisions_post = _own("Post decisions", "decisions-post")
_milestone_end = _own("End of milestone", "milestone-end")
_plan_lock = _own("Locked plan", "plan-lock")
_capacity = _own("Capacity", "capacity")
_post = _own("Post capacity", "capacity-post")
_compare = _own("Compare a draft", "draft")
_drafts = _own("Drafts", "drafts")
_failed = _own("Failed changes", "failed")
_log = _own("Change log", "log")
_setup = _own("Open a milestone", "milestone-setup")
_comment = _own("Dialogs", "comment")
_new_issue = _own("Dialogs", "new-issue")
_set_up = _own("Setup", "setup")
_output = _own("Commands", "command-output")
_described, _proposing = _in("description"), _in("proposing")

_AFTER = "To the milestone after next"
_DEFER = "Defer to the following milestone, remove Deliverable"
_DRAFT = "Draft on or off: try out changes, nothing is sent"
_MISSING = "Add missing labels: group, type, subtype, category"
_SHARE = "Share mode: hide confidential content, or hide a shown issue again"
_REVEAL = "Show this confidential issue on the shared screen for 20 s (asks first)"
_ROWS = "Sort: newest first, oldest first, by issue"
_SORT = "Sort: GitLab's order, weight, priority, age, slips, milestone"
_ALIGN = "Label and status differ: choose one, set the other to match"
_ONE_EACH = "Keep one label per scope (the state of this column)"
_CANDIDATES = "Candidates for the milestone, in suggested order"
_REFINEMENT = "Refinement queue: unweighted issues in planning breakdown"
_WALK = "Walk: column, filter, selection or list, one issue at a time"
_OUTPUT = "Output of the last custom command"
_FIND = "Find anything: issues, actions, boards, milestones, people, filters"
_DECISIONS = "Decisions of the planning call, or since a date"
_PLANNING_ISSUE = "Planning issue of the milestone"
_SETUP = "Open the milestone: create its planning issue, boards and labels"

ACTIONS: tuple[Action, ...] = (
    _focus("focus.left", "navigate.move left", "h, left", "Column to the left"),
    _focus("focus.down", "navigate.move down", "j, down", "Down", scopes=_ALL),
    _focus("focus.up", "navigate.move up", "k, up", "Up", scopes=_ALL),
    _focus("focus.right", "navigate.move right", "l, right", "Column to the right"),
    _focus("focus.top", "navigate.move top", "g g, home", "Top", scopes=_ALL),
    _focus("focus.bottom", "navigate.move bottom", "G, end", "Bottom", scopes=_ALL),
    _focus("focus.half-down", "navigate.move half-down", "ctrl+d, pagedown", "Half a page down", scopes=_ALL),
    _focus("focus.half-up", "navigate.move half-up", "ctrl+u, pageup", "Half a page up", scopes=_ALL),
    _tab("pane.next", "navigate.pane next", "tab", "Next pane (column, open issue or capacity)"),
    _tab(
        "pane.previous",
        "navigate.pane previous",
        "shift+tab",
        "Previous pane (column, open issue or capacity)",
    ),
    _read("issue.next", "navigate.card next", "n, J", "Next issue (in an open issue or a list)", "next"),
    _read("issue.previous", "navigate.card previous", "N, K", "Previous issue (in an open issue or a list)"),
    _mark("selection.toggle", "navigate.mark", "space", "Select or deselect", "select"),
    _mark("selection.range", "navigate.select_range", "V", "Select a range (press at both ends)"),
    _select("selection.all", "navigate.select_column", "*", "Select the whole column or list", "select all"),
    _restore("selection.restore", "navigate.mark_again", "g v", "Restore last selection", "last selection"),
    _weight("weight.set", "edit.weight", "<digit>", "Set weight", "weight"),
    _weight("weight.type", "edit.type_weight", "w", "Enter or clear weight"),
    _weight(
        "weight.ready",
        "edit.weight_ready",
        "W <digit>",
        "Set weight and ready for development",
        "weight + ready",
    ),
    _plan("milestone.current", "edit.to_milestone current", "m c", "To the current milestone", "current"),
    _plan("milestone.next", "edit.to_milestone next", "m n", "To the next milestone", "next"),
    _plan("milestone.after", "edit.to_milestone after-next", "m f", _AFTER, "after next"),
    _plan("milestone.next-1-3", "edit.to_milestone next-1-3", "m 1", "To Next 1-3", "Next 1-3"),
    _plan("milestone.next-4-6", "edit.to_milestone next-4-6", "m 4", "To Next 4-6", "Next 4-6"),
    _plan("milestone.backlog", "edit.to_milestone backlog", "m k", "To the Backlog", "Backlog"),
    _plan("milestone.awaiting", "edit.to_milestone awaiting", "m a", "To Awaiting", "Awaiting"),
    _plan("milestone.none", "edit.plain no milestone", "m x", "Remove milestone", "none"),
    _plan("milestone.search", "edit.search_milestone", "m /", "Search milestones", "search"),
    _plan("milestone.defer", "edit.plain defer", "M", _DEFER, "defer"),
    _plan("accept.with", "edit.accept", "d <person>", "Accept: add Deliverable and assign to ...", "accept"),
    _plan("accept.keep", "edit.accept_present", "d enter", "Accept, keep assignee", "keep assignee"),
    _plan("accept.search", "edit.accept_search", "d /", "Accept, search for an assignee", "search"),
    _plan("accept.remove", "edit.plain not deliverable", "D", "Remove Deliverable", "remove Deliverable"),
    _plan(
        "plan.breakdown", "compound.breakdown", "B", "Request breakdown (comment)", "break down", shows=True
    ),
    _plan("plan.slip", "edit.plain slip", "x s", "Slip: mark as missed, move to the next milestone", "slip"),
    _plan("plan.drop", "compound.drop", "x p", "Drop to the Backlog with a reason", "drop with reason"),
    _plan("plan.spike", "compound.spike", "W s", "Mark as spike (sets a weight if empty)", "spike"),
    _move("flow.set", "edit.flow", "s <flow>", "Set workflow state", "state"),
    _move("flow.advance", "edit.plain advance", "S", "Advance to the next workflow state", "advance"),
    _move("flow.take", "edit.plain take", "I", "Start work: assign to me, set in dev", "start work"),
    _move("flow.blocked", "compound.blocked", "b", "Set blocked: by an issue, or with a reason", "blocked"),
    _align("flow.align", "edit.align", "! f", _ALIGN, "label or status"),
    _shift("move.left", "edit.sideways left", "H", "Move to the previous column", "move left"),
    _shift("move.right", "edit.sideways right", "L", "Move to the next column", "move right"),
    _shift("move.to", "edit.to_column", "> <column>", "Move to a column", "to column"),
    _place("rank.up", "edit.rank up", "K", "Rank up"),
    _place("rank.down", "edit.rank down", "J", "Rank down"),
    _place("rank.top", "edit.rank top", "g K", "Rank to the top", "to top"),
    _place("rank.bottom", "edit.rank bottom", "g J", "Rank to the bottom", "to bottom"),
    _move("close.complete", "edit.plain complete", "x x", "Complete and close", "complete and close"),
    _move("close.plain", "edit.plain close", "x c", "Close", "close"),
    _move("close.reopen", "edit.plain reopen", "x o", "Reopen", "reopen"),
    _move("close.wont-do", "edit.plain won't do", "x w", "Close as won't do", "won't do"),
    _move("close.duplicate", "compound.duplicate", "x d", "Close as duplicate", "duplicate"),
    _label("assignees.edit", "labels.edit_assignees", "a", "Edit assignees", "assignees", shows=True),
    _label("assignees.me", "edit.plain assign me", "A", "Assign or unassign me"),
    _label("labels.edit", "labels.edit_labels", "t", "Edit labels", "labels", shows=True),
    _label("labels.priority", "labels.priority", "P <priority>", "Set priority", "priority"),
    _label("labels.severity", "labels.severity", "Y <severity>", "Set severity", "severity"),
    _label("labels.missing", "labels.missing", "T", _MISSING, "missing labels", shows=True),
    _label("labels.one-each", "labels.one_each", "X", _ONE_EACH, "one label each", shows=True),
    _label(
        "confidential.toggle",
        "edit.plain confidential",
        "i c",
        "Make confidential, or public after asking",
        "confidential",
        shows=True,
    ),
    _plan("health.set", "issue.health", "i h", "Set health status", "health", when=_healthy),
    _linked("link.blocked-by", "issue.link blocked", "i b", "Link: blocked by an issue", "blocked by"),
    _linked("link.blocks", "issue.link blocks", "i k", "Link: blocks an issue", "blocks"),
    _linked("link.related", "issue.link related", "i r", "Link: related to an issue", "related to"),
    _linked("link.remove", "issue.unlink", "i x", "Remove a link to an issue", "remove link", shows=True),
    _text("text.comment", "text.comment", "c", "Add comment", "comment"),
    _text("call.note", "call.note", ";", "Add a note for the decisions", "note", when=_targets, shows=True),
    _text("text.new", "text.new", "n", "New issue in this column", "new", scopes=("board",), when=_creatable),
    _text("text.edit", "text.edit", "e", "Edit title and description in $EDITOR", "edit", shows=True),
    _task("task.next", "issue.task next", "]", "Next task in the description (open issue)", "task"),
    _task("task.previous", "issue.task previous", "[", "Previous task in the description (open issue)"),
    _tick("task.toggle", "issue.tick", "x", "Check or uncheck the focused task", "tick"),
    _undo("undo", "text.undo", "u", "Undo", when=lambda now: now.undo),
    _undo("redo", "text.redo", "U, ctrl+r", "Redo", when=lambda now: now.redo),
    _undo("repeat", "text.repeat", ".", "Repeat last edit", when=_repeatable),
    _changes(
        "pane.connection",
        "panes.connection",
        "g l",
        "Connection: last error, next retry, long messages",
        "connection",
    ),
    _changes("pane.failed", "panes.failed", "g f", "Failed changes and conflicts", "failed"),
    _changes("pane.log", "panes.history", "g h", "Change log", "log"),
    _conflict("conflict.mine", "compound.decide mine", "! m", "Conflict: keep mine", "keep mine"),
    _conflict("conflict.theirs", "compound.decide theirs", "! t", "Conflict: keep theirs", "keep theirs"),
    _conflict("conflict.look", "compound.compare", "! l", "Conflict: compare both", "compare", shows=True),
    _draft("draft.toggle", "drafts.toggle", "g d", _DRAFT, "draft"),
    _draft(
        "pane.drafts",
        "drafts.compare",
        "g D",
        "Draft: compare, apply, drop (press again for all drafts)",
        "drafts",
    ),
    _find("filter.edit", "navigate.edit_filter", "/", "Filter", "filter", scopes=("board", "list")),
    _find("filter.person", "navigate.by_person", "f a", "Filter by assignee", "assignee"),
    _find("filter.unweighted", "navigate.only unweighted", "f u", "Filter: unweighted", "unweighted"),
    _find("filter.unready", "navigate.only unready", "f r", "Filter: not ready", "unready"),
    _find("filter.slipped", "navigate.only slipped", "f s", "Filter: slipped", "slipped"),
    _find("filter.saved", "navigate.saved_filter", "f <filter>", "Apply a saved filter", "saved filter"),
    _find(
        "filter.save", "navigate.save_filter", "f =", "Save the current filter under a letter", "save filter"
    ),
    _find("filter.mine", "navigate.only mine", "f m", "Filter: assigned to me", "mine"),
    _escape("escape", "navigate.escape", "escape", "Close pane, then clear filter, then selection", "close"),
    _board("board.planning", "navigate.open_board planning", "g p", "Planning board", "Planning"),
    _board("board.build", "navigate.open_board build", "g b", "Build board", "Build"),
    _board("board.next-1-3", "navigate.open_board next-1-3", "g 1", "Next 1-3 board", "Next 1-3"),
    _board("board.next-4-6", "navigate.open_board next-4-6", "g 4", "Next 4-6 board", "Next 4-6"),
    _board("board.backlog", "navigate.open_board backlog", "g k", "Backlog board", "Backlog"),
    _board("board.milestones", "navigate.open_board milestones", "g m", "Milestones board", "Milestones"),
    _board("board.people", "navigate.open_board people", "g w", "People board", "People"),
    _board(
        "board.gitlab",
        "boards.choose",
        "g B",
        "Open a GitLab board with its lists as columns",
        "GitLab board",
        when=_ready,
    ),
    _step("board.previous-milestone", "navigate.step_milestone previous", "-, [", "Previous milestone"),
    _step("board.next-milestone", "navigate.step_milestone next", "=, ]", "Next milestone"),
    _walk("pane.walk", "panes.walk", "g n", _WALK, "walk"),
    _pane("pane.candidates", "panes.candidates", "g c", _CANDIDATES, "candidates"),
    _pane("pane.capacity", "panes.capacity", "g r", "Capacity: per person and team", "capacity"),
    _pane("pane.triage", "panes.queue triage", "g t", "Triage: issues that need fixing", "triage"),
    _pane("pane.refinement", "panes.queue refinement", "g q", _REFINEMENT, "refinement"),
    _pane("pane.own-work", "panes.queue own-work", "g o", "My work by workflow state", "my work"),
    _pane("pane.say-do", "panes.say_do", "g s", "Say/Do of the milestone", "Say/Do"),
    _pane("pane.mix", "panes.mix", "g M", "Mix of bugs, maintenance and features, with target", "mix"),
    _pane("pane.milestone-end", "panes.end", "g e", "End of milestone: unfinished issues", "end"),
    _pane("pane.plan-lock", "panes.lock", "g L", "Lock the plan, or show changes since the lock", "lock"),
    _pane("pane.decisions", "panes.decisions", "g x", _DECISIONS, "decisions"),
    _pane("pane.planning-issue", "panes.planning_issue", "g i", _PLANNING_ISSUE, "planning issue"),
    _pane("pane.milestone-setup", "panes.open_milestone", "", _SETUP, when=_creatable),
    _close("pane.close", "panes.close", "q", "Close the pane", "close"),
    _view("open.detail", "navigate.open_issue", "enter", "Open the issue", "open", when=_targets),
    _browse("open.browser", "navigate.browser", "o", "Open in browser", "browser", shows=True),
    _copy("copy.reference", "navigate.copy reference", "y r", "Copy reference", "reference"),
    _copy("copy.url", "navigate.copy URL", "y u", "Copy URL", "URL"),
    _copy("copy.title", "navigate.copy title", "y t", "Copy title", "title"),
    _copy("copy.markdown", "navigate.copy Markdown link", "y m", "Copy Markdown link", "Markdown"),
    _view(
        "view.density", "navigate.density", "z", "Density: auto, roomy, normal, wrapped, dense", scopes=_WIDE
    ),
    _view("view.sort", "navigate.sort", "O", _SORT, "sort", scopes=("board", "list"), when=_ready),
    _view("view.closed", "navigate.closed", "Z", "Show or hide the (closed) column", when=_ready),
    _view("view.theme", "navigate.theme", "", "Change theme", scopes=_GOING),
    _view(
        "config.edit",
        "config.edit",
        "g ,",
        "Edit the configuration in $EDITOR and reload it",
        "configuration",
    ),
    _view("pane.updates", "panes.updates", "g u", "Changes by others", "updates", scopes=(*_WIDE, "detail")),
    _view("view.refresh", "navigate.refresh", "r", "Refresh from GitLab", "refresh", scopes=_SELECTING),
    _view("help", "panes.show_help", "?", "All keys", "keys", scopes=_ALL),
    _view("palette", "find.palette", "ctrl+p", _FIND, "find", scopes=(*_TABBED, "walk"), palette=False),
    _quit("suspend", "navigate.suspend", "ctrl+z", "Suspend; fg in the shell continues", "suspend"),
    _quit("quit", "navigate.quit_program", "q, ctrl+c, ctrl+q", "Quit (asks if changes are unsent)", "quit"),
    _pane("pane.command-output", "custom.output", "g !", _OUTPUT, "command output", group="Commands"),
    _output("stop", "s", "Stop the command", "stop", _in("running")),
    _output("again", "R", "Run it again", "run again", _in("ended")),
    _output("copy", "y", "Copy the output", "copy"),
    _share("share.on", "share.start", "p", _SHARE, "share", when=_shareable, starts=True),
    _share("share.off", "share.stop", "p p", "Stop sharing the screen", "stop sharing", when=_shared),
    _share("share.reveal", "share.reveal", "p v", _REVEAL, "show for 20 s", when=lambda now: now.hidden),
    _walked("skip", "n, j, space", "Next issue in the walk", "next"),
    _walked("back", "k, N", "Previous issue in the walk", "back"),
    _walked("later", "l", "Later: show the issue again at the end", "later"),
    _walked("stay", "h", "After a change: stay, or go to the next issue", "stay or continue"),
    _walked("down", "J", "Scroll the description down", "scroll"),
    _walked("up", "K", "Scroll the description up"),
    _walked("start", "R", "Start over with the first issue", "start over"),
    _description("toggle", "v, enter", "Show or hide the description", "description"),
    _description("down", "J", "Scroll the description down", "scroll", when=_described),
    _description("up", "K", "Scroll the description up", when=_described),
    _description("half-down", "pagedown", "Scroll the description down half a page", when=_described),
    _description("half-up", "pageup", "Scroll the description up half a page", when=_described),
    _candidates("accept", "enter", "Accept, keep assignee", "accept"),
    _candidates("fill", "F", "Propose issues to fill the capacity, then accept all", "fill capacity"),
    _candidates("order", "O", "Order: suggested, by priority, by weight", "order"),
    _candidates("leave-out", "-", "Leave the issue out of the proposal", "leave out", when=_proposing),
    _candidates("stop", "escape", "Discard the proposal", "discard the proposal", when=_stoppable),
    _updates("go", "enter", "Go to the issue on the board, or open it", "go to the issue"),
    _updates("seen", "v", "Mark as seen", "mark as seen"),
    _say_do("definitions", "%", "Show or hide the other definitions", "other definitions"),
    _say_do("copy", "C", "Copy as Markdown", "copy as Markdown"),
    _say_do("export", "E", "Export as Markdown", "export"),
    _say_do("reload", "R", "Reload the events", "reload"),
    _milestone_end("label", "+", "Add missed:M to issues that moved without it", "label missed"),
    _decisions("post", "i", "Preview the comment and post it on the planning issue", "post"),
    _decisions("question", "Q", "Edit the open questions, one per line", "open question"),
    _decisions("start", "+", "Start or resume a planning call", "start a call", _not_calling),
    _decisions("end", "F", "End the planning call", "end the call", _calling),
    _decisions("earlier", "H", "Show an earlier call", "earlier calls"),
    _decisions("read", "R", "Load others' decisions from GitLab", "load others"),
    _decisions("person", "@", "Show one person's decisions, then the next person's", "by person"),
    _decisions("since", "<", "Choose the start, without a call", "since"),
    _decisions_post("send", "enter", "Post the comment", "posts it"),
    _decisions_post("edit", "E", "Edit the text in $EDITOR", "edits"),
    _decisions_post("copy", "C", "Copy the text", "copies"),
    _decisions_post("write", "w", "Save the text to a file", "saves a file"),
    _decisions_post("again", "R", "Discard your edits to the text", "discards edits", _in("edited")),
    _plan_lock("lock", "L", "Lock the plan again", "lock again"),
    _plan_lock("export", "E", "Export the plan", "export"),
    _plan_lock("import", "R", "Import a colleague's plan", "import"),
    _capacity("net-days", "n", "Set a person's net days (typed text is hidden)", "net days, hidden"),
    _capacity("time-off", "t", "Set a person's time off", "time off"),
    _capacity("support", "s", "Set a person's support days", "support"),
    _capacity("factor", "f", "Set a person's factor", "factor"),
    _capacity("role", "o", "Set a person's role", "role"),
    _capacity("holidays", "h", "Set a person's holidays", "holidays"),
    _capacity("add", "a", "Add people to the team", "add"),
    _capacity("remove", "x", "Remove a person from the team", "remove"),
    _capacity("days-per-weight", "w", "Set days per weight", "days/weight"),
    _capacity("reserve", "R", "Set the team's reserve", "reserve"),
    _capacity("team-holidays", "H", "Set the team's holidays", "team holidays"),
    _capacity("post", "i", "Post the capacity on the planning issue", "post"),
    _capacity("undo", "u", "Undo the last change to team.toml", "undo"),
    _capacity("reload", "r", "Reload team.toml", "reload"),
    _capacity("create", "enter", "Create team.toml", "create team.toml", when=_in("no-team")),
    _capacity("names", "W", "Update renamed users in team.toml", "update names", when=_in("former-names")),
    _post("send", "enter", "Post the comment", "posts it"),
    _post("names", "n", "Include names, or totals only", "names or totals"),
    _post("copy", "y", "Copy the text", "copies"),
    _compare("apply", "enter", "Apply the selected changes, or all", "apply"),
    _compare("drop", "x", "Drop the selected changes, or this one", "drop"),
    _drafts("open", "enter", "Turn the draft on and compare", "compare"),
    _drafts("use", "space", "Turn the draft on or off", "on/off"),
    _drafts("new", "n", "New draft", "new"),
    _drafts("rename", "e", "Rename the draft", "rename"),
    _drafts("delete", "x", "Delete the draft", "delete"),
    _failed("retry", "r", "Retry", "retry"),
    _failed("edit", "e", "Edit the change and send it instead", "edit"),
    _failed("copy", "y", "Copy your text, or the change and its error", "copy"),
    _failed("discard", "d", "Discard", "discard"),
    _failed("retry-all", "R", "Retry all", "retry all"),
    _failed("discard-all", "D", "Discard all", "discard all"),
    _failed("search", "/", "Search the failed changes", "search"),
    _failed("order", "O", _ROWS, "sort"),
    _log("open", "enter", "Open the issue of the change", "open"),
    _log("search", "/", "Search the changes", "search"),
    _log("order", "O", _ROWS, "sort"),
    _log("mark", "space", "Select or deselect a change", "select"),
    _log("undo", "u", "Undo the selected changes, or the focused one", "undo"),
    _setup("apply", "enter", "Apply the plan", "applies"),
    _setup("leave-out", "space", "Leave out a line, or include it again", "leaves a line out"),
    _setup("reload", "r", "Refresh from GitLab", "refreshes"),
    _setup("browser", "o", "Open in browser", "browser"),
    _comment("send", "ctrl+s, ctrl+enter", "Send the comment", "sends"),
    _new_issue("project", "tab", "New issue: another project", "another project"),
    _set_up("open", "enter, l", "Setup: choose, or change the value", "choose"),
    _set_up("down", "j, down", "Setup: next line"),
    _set_up("up", "k, up", "Setup: previous line"),
    _set_up("page-down", "pagedown, ctrl+d", "Setup: page down"),
    _set_up("page-up", "pageup, ctrl+u", "Setup: page up"),
    _set_up("top", "home, g", "Setup: first line"),
    _set_up("bottom", "end, G", "Setup: last line"),
    _set_up("type", "e", "Setup: type a value", "type"),
    _set_up("none", "x", "Setup: clear the value, or leave out the board", "none"),
    _set_up("reset", "r", "Setup: reset to the proposed value", "reset"),
    _set_up("preview", "v", "Setup: preview the file", "file"),
    _set_up("write", "w", "Setup: write the file and open the board", "write"),
    _set_up("connect", "c", "Setup: connect to GitLab", "connect"),
    _set_up("demo", "d", "Setup: try the demo", "try the demo"),
    _set_up("back", "escape", "Setup: previous step", "back"),
    _set_up("leave", "q, ctrl+c", "Setup: quit and keep your answers", "quit"),
)
"""Every action of the program, in the order of the help."""

BY_ID = {action.id: action for action in ACTIONS}


def board_action(board: str, name: str) -> Action:
    """The action that opens a board of one's own: it has no key until the keymap gives it one."""
    return _board(f"board.{board}", f"navigate.open_board {board}", "", f"{name} board", name, palette=False)


#: The ids of commands of one's own begin so.
COMMAND = "command."


def command_actions(commands: Sequence[CommandSettings]) -> list[Action]:
    """An action for each command of one's own: its key is given to it by the keymap."""
    return [
        _action(
            identity,
            f"custom.run {number}",
            "",
            command.name,
            group="Commands",
            scopes=_ISSUES if command.on == "card" else (*_GOING, "detail"),
            when=_targets if command.on == "card" else _always,
            shows=command.on == "card",
        )
        for number, (identity, command) in enumerate(with_ids(commands).items())
    ]


ALIASES = {
    "process.candidates": "pane.candidates",
    "process.room": "pane.capacity",
    "process.triage": "pane.triage",
    "process.refinement": "pane.refinement",
    "process.own": "pane.own-work",
    "process.say-do": "pane.say-do",
    "process.mix": "pane.mix",
    "process.end": "pane.milestone-end",
    "process.lock": "pane.plan-lock",
    "process.planning-issue": "pane.planning-issue",
    "process.open-milestone": "pane.milestone-setup",
    "walk.previous": "board.previous-milestone",
    "walk.next": "board.next-milestone",
    "card.next": "issue.next",
    "card.previous": "issue.previous",
    "mark.toggle": "selection.toggle",
    "mark.range": "selection.range",
    "mark.column": "selection.all",
    "mark.again": "selection.restore",
    "accept.present": "accept.keep",
    "accept.back": "accept.remove",
    "failed.list": "pane.failed",
    "history": "pane.log",
    "view.updates": "pane.updates",
    "capacity.figures": "share.on",
}
"""Earlier ids, which a keymap may still have."""

PREFIXES = {
    "W": "weight...",
    "m": "milestone",
    "s": "workflow state",
    ">": "to column",
    "d": "accept",
    "x": "close, slip, drop",
    "g": "go to",
    "i": "confidential, health, links",
    "f": "filter",
    "y": "copy",
    "!": "conflict",
    "P": "priority",
    "Y": "severity",
    "p": "shared screen",
}
"""Titles of the default prefixes in the which-key strip."""


@cache
def own_actions(scope: Scope) -> tuple[Action, ...]:
    """The actions that only work in this pane, or in lists like it."""
    chain = [at for at in chain_of(scope) if at not in ("board", "detail", "list", "pane", "any-pane")]
    return tuple(action for at in chain for action in ACTIONS if action.scopes == (at,))


def groups_for(scope: Scope) -> tuple[Group, ...]:
    """The groups in the order of the help: those of the pane's own actions first."""
    return tuple(dict.fromkeys([*(action.group for action in own_actions(scope)), *GROUPS]))


def load_commands() -> None:
    """Import what the actions do, so that the first key need not."""
    for action in ACTIONS:
        command_of(action.does.partition(" ")[0])


def markdown_table(keys_of: Callable[[Action], Iterable[str]] = lambda action: action.keys) -> str:
    """All keys as a Markdown table, for the documentation."""
    lines = ["| keys | what | id |", "|---|---|---|"]
    for group in GROUPS:
        lines.append(f"| **{group}** | | |")
        for action in ACTIONS:
            if action.group == group:
                keys = " ".join(f"`{key_words(key)}`" for key in keys_of(action)) or "palette"
                lines.append(f"| {keys.replace('|', chr(92) + '|')} | {action.title} | `{action.id}` |")
    return "\n".join(lines) + "\n"
