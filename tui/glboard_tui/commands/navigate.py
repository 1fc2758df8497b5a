"""Focus, selection, boards, filters, opening and copying: keys that change nothing on the server."""

from __future__ import annotations

from collections.abc import Sequence

from glboard_core.board.share import CONFIDENTIAL
from glboard_core.config import SortBy
from glboard_core.errors import NameUnknown
from glboard_core.model.issue import Issue
from glboard_tui.actions import BY_ID
from glboard_tui.board_view import next_sort
from glboard_tui.commands.context import CommandContext
from glboard_tui.screens.choices import PersonSource
from glboard_tui.widgets.card import Density

#: More lines than any list has.
_END = 1_000_000
_LINES = {"down": 1, "up": -1, "bottom": _END, "top": -_END}
_HALVES = {"half-down": 1, "half-up": -1}
_STEPS = {"next": 1, "previous": -1}

# Focus


def move(context: CommandContext, where: str) -> None:
    """Move the cursor of a pane, scroll the open issue, or move the focus on the board."""
    board, pane, opened = context.board, context.pane, context.open_issue.pane
    if where in ("left", "right"):
        board.move(-1 if where == "left" else 1, 0)
    elif where in _HALVES:
        step = _HALVES[where]
        if pane is not None:
            pane.half(step)
        else:
            opened.scroll_half(step) if opened.has_keys else board.half(step)
    elif pane is not None:
        pane.go(_LINES[where])
    elif opened.has_keys:
        opened.scroll_by(_LINES[where])
    elif where in ("top", "bottom"):
        board.first() if where == "top" else board.last()
    else:
        board.move(0, _LINES[where])


def pane(context: CommandContext, where: str) -> None:
    """Switch between the board and the open issue; without one, go to the next column or the pane."""
    step, board, opened, dock = _STEPS[where], context.board, context.open_issue.pane, context.dock
    if context.top is not None:
        context.top.go(step)
        return
    if opened.is_open:
        board.screen.set_focus(board if opened.has_keys else opened)
        context.shell.show_footer()
        return
    index, column = context.bridge.index, context.column()
    if index is None or column is None:
        return
    keys = [c.column.key for c in index.visible()]
    if dock.key_owner is not None:
        board.screen.set_focus(board)
        board.column(keys[0 if step > 0 else -1])
    elif column.key in keys:
        at = keys.index(column.key) + step
        if 0 <= at < len(keys) or not dock.focus():
            board.column(keys[at % len(keys)])


def card(context: CommandContext, where: str) -> None:
    """Open the next or previous card; in a list, go to that line."""
    step = _STEPS[where]
    if context.top is not None:
        context.top.go(step)
    else:
        context.board.move(0, step)
        context.open_issue.open()


# Selection


def mark(context: CommandContext, _: str) -> None:
    """Select or deselect."""
    if context.top is not None:
        context.top.listed.toggle()
        context.top.painted_anew()
    else:
        context.board.toggle_selected()


def select_range(context: CommandContext, _: str) -> None:
    """Start or end a range."""
    if context.top is not None:
        begun = context.top.listed.range()
        context.top.painted_anew()
    else:
        context.board.select_range()
        begun = context.board.selection.anchor is not None
    if begun:
        context.say(f"Move to the other end; {context.keymap.key('selection.range')} keeps the range.")


def select_column(context: CommandContext, _: str) -> None:
    """Select the whole column or list."""
    if context.top is not None:
        context.top.listed.all()
        context.top.painted_anew()
    else:
        context.board.select_column()


def mark_again(context: CommandContext, _: str) -> None:
    """Restore the last selection."""
    if context.top is not None:
        context.top.listed.selection.restore()
        context.top.painted_anew()
    else:
        context.board.restore_selection()


def escape(context: CommandContext, _: str) -> None:
    """Close the pane or the open issue, then end the range, then the filter, then the selection."""
    if (pane := context.pane) is not None:
        pane.escape()
    elif context.open_issue.has_keys and context.open_issue.tasks.focused is not None:
        context.shell.work(context.open_issue.tasks.leave(), "task")
    elif context.open_issue.pane.is_open:
        context.open_issue.close()
    elif context.board.end_range():
        context.say("Range selected.")
    elif context.bridge.view.text:
        context.shell.filter("")
    elif len(context.board.selection):
        context.board.clear_selection()


# Boards and milestones


def open_board(context: CommandContext, name: str, milestone: str | None = None) -> None:
    """Open a board by its id; if it is open, return to its own milestone."""
    try:
        context.bridge.open(name, milestone)
    except NameUnknown as error:
        context.tell(error)
        return
    context.make_way()
    context.open_issue.close()
    context.shell.show_board()


def step_milestone(context: CommandContext, where: str) -> None:
    """Go to the next or previous milestone."""
    if context.top is not None:
        context.top.step_milestone(_STEPS[where])
        return
    view, catalog = context.bridge.view, context.bridge.catalog
    if catalog is None or view.board is None:
        return
    if view.board.milestone is None:
        context.say("This board shows all milestones.")
        return
    title = view.step_milestone(_STEPS[where], catalog)
    if title is None:
        context.say("No milestone in that direction.")
        return
    open_board(context, view.board_id, title)


# Filters


def edit_filter(context: CommandContext, _: str) -> None:
    """Type a filter for the board, or the list on top of it."""
    if context.top is not None:
        context.top.edit_filter()
    else:
        context.shell.edit_filter()


def by_person(context: CommandContext, _: str) -> None:
    """Show only one person's cards."""

    def show(name: str) -> None:
        words = [word for word in context.bridge.view.text.split() if not word.startswith("@")]
        context.shell.filter(" ".join([*words, f"@{name}"]))

    context.pick("Filter by assignee", PersonSource(context.bridge), lambda result: show(result.add[0]))


def only(context: CommandContext, state: str) -> None:
    """Toggle ``is:state`` in the filter."""
    term, words = f"is:{state}", context.bridge.view.text.split()
    kept = [word for word in words if word != term]
    context.shell.filter(" ".join(kept if len(kept) < len(words) else [*words, term]))


def saved_filter(context: CommandContext, letter: str) -> None:
    """Use the filter saved under that letter."""
    context.shell.filter(context.bridge.filters.saved[letter].text)


def save_filter(context: CommandContext, _: str) -> None:
    """Save the filter in use under a letter and a name."""
    text = context.bridge.view.text
    if not text:
        context.say(f"No filter to save; {context.keymap.key('filter.edit')} types one.")
        return
    prefix = context.keymap.keys_of(BY_ID["filter.saved"])

    def wrong(given: str) -> str:
        letter, _, name = given.strip().partition(" ")
        if len(letter) != 1 or not letter.isalnum() or not name.strip():
            return "A letter, a space and a name, such as: b blocked bugs"
        keys = tuple(prefix[0].split(" ")[:-1]) if prefix else ()
        taken = context.keymap.action_at((*keys, letter))
        if taken is not None and taken.id != "filter.saved":
            return f"{letter} is “{taken.title}” there; choose another letter."
        return ""

    def typed(given: str) -> None:
        letter, _, name = given.strip().partition(" ")
        context.bridge.filters.save(letter, name.strip(), text)
        key = context.keymap.key("filter.saved").rpartition(" ")[0]
        context.say(f"Saved “{name.strip()}”: {key}{letter} uses it.")

    context.prompt(
        "Save the filter as", typed, note=text, placeholder="letter and name: b blocked bugs", check=wrong
    )


# Opening, copying, and how the board looks

_DENSITIES: tuple[Density, ...] = ("auto", "roomy", "normal", "wrapped", "dense")
#: The most browser tabs that one key opens.
_MOST_TABS = 5


def open_issue(context: CommandContext, _: str) -> None:
    """Open the focused card."""
    context.open_issue.open()


def browser(context: CommandContext, _: str) -> None:
    """Open in the browser; without one, show and copy the address."""
    from glboard_tui.terminal import has_browser

    issues = context.targets()
    if not issues and context.top is not None and (chosen := context.top.chosen()) is not None:
        issues = [chosen]  # it is on no board
    if any(_page_tells(context, issue) for issue in issues):
        context.say("Not opened: the page would show masked words on the shared screen.")
        return
    urls = [issue.web_url for issue in issues if issue.web_url.startswith(("https://", "http://"))]
    if not urls:
        context.say("No web address yet: GitLab has not created this issue.")
    elif len(urls) > _MOST_TABS:
        context.say(f"Too many tabs ({len(urls)}); select at most {_MOST_TABS} issues.")
    elif not has_browser():
        context.shell.app.copy_to_clipboard("\n".join(urls))
        more = f" and {len(urls) - 1} more" if len(urls) > 1 else ""
        context.say(f"No browser here; sent to the terminal's clipboard: {urls[0]}{more}")
    else:
        for url in urls:
            context.shell.app.open_url(url)
        context.say(f"Opened {len(urls)} in the browser." if len(urls) > 1 else "Opened in the browser.")


def _page_tells(context: CommandContext, issue: Issue) -> bool:
    """Whether its page would show something masked: in a field, its address or a name."""
    bridge = context.bridge
    names = " ".join((issue.reference, *issue.assignees))
    return bridge.view_of(issue) != issue or bridge.share.finds(names)


def copy(context: CommandContext, what: str) -> None:
    """Copy reference, URL, title or Markdown link of each target, one per line.

    The title of a confidential issue is copied only after asking, once, and never while others watch.
    """
    issues = context.targets()
    hidden = [issue for issue in issues if issue.confidential and issue.id not in context.copied]
    if what not in ("title", "Markdown link") or not hidden or context.bridge.share.is_on:
        _copy(context, issues, what)
        return

    def answered(letter: str) -> None:
        if letter == "y":
            context.copied.update(issue.id for issue in hidden)
        _copy(context, issues, what)

    one = context.bridge.reference_of(hidden[0])
    context.ask(
        f"{one} is confidential." if len(hidden) == 1 else f"{len(hidden)} of these issues are confidential.",
        {"y": "copy it with the title", "n": f"copy “{CONFIDENTIAL}” instead"},
        answered,
    )


def _copy(context: CommandContext, issues: Sequence[Issue], what: str) -> None:
    bridge = context.bridge

    def text_of(issue: Issue) -> str:
        may = not issue.confidential or issue.id in context.copied
        title = bridge.title_of(issue) if may else CONFIDENTIAL
        if bridge.mask(issue) is not None:
            if what in ("title", "URL"):
                return title if what == "title" else CONFIDENTIAL
            named = bridge.reference_of(issue)
            return issue.reference if what == "reference" and named != CONFIDENTIAL else named
        match what:
            case "reference":
                return issue.reference
            case "URL":
                return issue.web_url
            case "title":
                return title
            case _:
                words = title.replace("\\", "\\\\").replace("[", "\\[").replace("]", "\\]")
                return f"[{words}]({issue.web_url}) ({issue.reference})"

    context.shell.app.copy_to_clipboard("\n".join(map(text_of, issues)))
    # The terminal's clipboard (OSC 52) sends no reply, so this reports only what was sent.
    many = f" of {len(issues)}" if len(issues) > 1 else ""
    context.say(f"Sent to the terminal's clipboard: {what}{many}")


def density(context: CommandContext, _: str) -> None:
    """Switch to the next density."""
    board = context.board
    board.density = _DENSITIES[(_DENSITIES.index(board.density) + 1) % len(_DENSITIES)]
    context.bridge.view.use_density(board.density)
    context.say(f"Density: {board.density}")


#: What sorting columns by is called.
_SORTS: dict[SortBy, str] = {
    "rank": "GitLab's order.",
    "weight": "Sorted by weight, not in GitLab's order.",
    "priority": "Sorted by priority, not in GitLab's order.",
    "age": "Oldest first, not in GitLab's order.",
    "slipped": "Sorted by slips, not in GitLab's order.",
    "milestone": "Sorted by milestone, not in GitLab's order.",
}


def sort(context: CommandContext, _: str) -> None:
    """Sort the columns, or the list on top, by the next value."""
    if context.top is not None:
        context.top.sort()
        return
    by = next_sort(context.bridge.view.sort_by)
    context.bridge.sort(by)
    context.shell.show_board()
    context.say(_SORTS[by])


def closed(context: CommandContext, _: str) -> None:
    """Show or hide (closed)."""
    on = not context.bridge.view.show_closed
    context.bridge.show_closed(on=on)
    context.shell.show_board()
    context.say("Showing (closed)." if on else "Hiding (closed).")


def refresh(context: CommandContext, _: str) -> None:
    """Refresh everything from GitLab."""
    context.bridge.refresh()
    context.say("Refreshing …")


def theme(context: CommandContext, _: str) -> None:
    """Choose a theme."""
    context.shell.app.search_themes()


def suspend(context: CommandContext, _: str) -> None:
    """Stop the program until the shell continues it."""
    context.shell.app.action_suspend_process()


def quit_program(context: CommandContext, _: str) -> None:
    """Quit, after asking if changes are unsent."""
    context.shell.quit()
