"""A group full of marked secrets, and a walk through everything the program can show while others watch.

Every secret is a word that begins with ``zq``, in whatever field: none of it may be in any output. What is
walked comes from the registry of actions, so that a new screen is walked, too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from msgspec import structs

from glboard_core.board.operations import Comment, Edit
from glboard_core.config import ShareSettings
from glboard_core.demo.world.records import MergeRequest
from glboard_core.demo.world.world import World
from glboard_tui.action import Action
from glboard_tui.actions import own_actions
from tui.app.stage import GROUP, GROUP_LABEL, ME, STILL, Stage, small_world

#: The beginning of every secret; no word of the program has it.
SECRET = "zq"
#: The confidential issue and the one with masked words, in columns of the Planning board.
HIDDEN, WORDY = "platform#1", "platform#3"

SETTINGS = structs.replace(
    STILL, share=ShareSettings(words=("Zqcorp", "Zq Big Bank"), labels=("customer::*",))
)
TEAM = """
days_per_weight = 2
reserve = 0.1
holidays = ["2026-12-24"]
[[people]]
username = "eng_alder"
factor = 0.75
time_off = ["2026-12-21..2026-12-23"]
[[people]]
username = "eng_birch"
net_days = { "19.8" = 17.5 }
""".replace('"2026-12-21..2026-12-23"', '{ from = "2026-12-21", to = "2026-12-23" }')
#: The team's private figures, as they would be written.
FIGURES = ("17.5", "21–23 Dec", "21 Dec", "0.75", "8.75w")

#: The groups of workers that read what is shown.
_JOBS = ("detail", "edit", "say-do", "post", "closed", "opening")
#: Not walked: they end the walk, or share mode itself.
_NOT = ("quit", "suspend", "share.on", "share.off", "share.reveal", "view.refresh")


def secret_world() -> World:
    """The small world, with secrets in every field of a confidential issue, and masked words elsewhere."""
    world = small_world()
    root = world.group(GROUP)
    user = world.add_user("zqperson", "Zqfirst Zqlast")
    root.members[user.id] = 40
    for title in ("zqlabel", "zqscope::zqvalue", "customer::zqbank"):
        world.add_label(root, title, "#428bca")
    hidden = f"{GROUP}/{HIDDEN}"
    world.edit(
        hidden,
        by=ME,
        title="zqone zqtwo zqthree zqfour zqfive zqsix",
        description="zqdescription\n\n| zqhead |\n| --- |\n| zqcell |\n\n- [ ] zqtask\n",
        confidential=True,
        add_labels=["zqlabel", "zqscope::zqvalue", "customer::zqbank"],
        assignees=["zqperson"],
    )
    world.comment(hidden, "zqcomment by zqsomebody", by="zqperson")
    world.edit(
        f"{GROUP}/{WORDY}",
        by=ME,
        title="Wrong total for Zqcorp, and for all the others of the Zq Big Bank",
        description="Zqcorp reported it, the Zq Big Bank too. See customer::zqbank.",
        add_labels=["customer::zqbank"],
    )
    world.comment(f"{GROUP}/{WORDY}", "Zqcorp waits", by="eng_birch")
    # The confidential issue blocks an open one, and is mentioned there.
    world.block(world.issue(f"{GROUP}/{WORDY}"), world.issue(hidden))
    # Both have merge requests, and the hidden one is linked to others, too.
    project = world.project(f"{GROUP}/platform")
    for reference, title in ((hidden, "zqmerge request"), (f"{GROUP}/{WORDY}", "Fix the total for Zqcorp")):
        issue = world.issue(reference)
        issue.merge_requests = [MergeRequest(iid=issue.iid + 90, project=project, title=title)]
    world.issue(hidden).health = "atRisk"
    world.link(hidden, f"{GROUP}/platform#4", "relates_to", by=ME)
    planning = world.create(
        f"{GROUP}/platform",
        "19.8 planning",
        by=ME,
        add_labels=[GROUP_LABEL, "type::ignore"],
        milestone="19.8",
    )
    world.comment(planning.reference, "Zqcorp", by=ME)
    return world


async def before_sharing(stage: Stage) -> None:
    """Fill change log, undo, failed changes and news with secrets, as a morning's work would."""
    hidden, wordy = stage.issue(HIDDEN), stage.issue(WORDY)
    perform = stage.engine.perform
    perform([(hidden.id, Edit(title="zqseven zqeight"))], "platform#1 title")
    perform([(hidden.id, Edit(remove=frozenset({"zqlabel"})))], "platform#1 -zqlabel")
    perform([(wordy.id, Comment(body="Zqcorp again"))], "platform#3 comment")
    # GitLab has no such label: a failed change, whose reason names it.
    perform([(hidden.id, Edit(title="zqtyped", add=frozenset({"zqabsent"})))], "platform#1 +zqabsent")
    await stage.settle()
    # A call in which people typed about them, and edited the message.
    calls = stage.screen.context.planning.calls
    if (call := calls.start()) is not None:
        calls.ask(
            call, "Who takes zqone zqtwo zqthree zqfour zqfive?\nHas platform#1 a zqlawyer?\nAnd Zqcorp?"
        )
        calls.note(call, [wordy], "After zqseven  Zqeight, says zqperson?")
        calls.edit(call, f"About Zqcorp\n\n| {hidden.reference} | zqtitle | zqnote |\n\nzqseven zqeight", "")
    stage.world.edit(hidden.reference, by="zqperson", title="zqnine zqten", add_labels=["zqlabel"])
    stage.world.edit(wordy.reference, by="eng_birch", title="Wrong total for Zqcorp, twice")
    stage.world.edit(f"{GROUP}/platform#4", by="zqperson", title="Zqcorp upgrades")
    await stage.press("r")
    await stage.until(lambda: "twice" in stage.issue(WORDY).title)
    await stage.settle()


#: How often somebody changed everything.
NEWS: dict[str, int] = {}


class Watcher:
    """Looks at the whole screen after every key, and remembers who showed what."""

    def __init__(self, stage: Stage, also: Iterable[str] = ()) -> None:
        self._stage = stage
        self._words = (SECRET, *also)
        #: Where something leaked: after which keys, and the line.
        self.found: list[str] = []
        #: The screens that were seen, by class.
        self.seen: set[str] = set()
        self.copied: list[str] = []

    def look(self, where: str) -> None:
        """Look at the screen as it is painted now."""
        app = self._stage.app
        for screen in app.screen_stack:
            self.seen.add(type(screen).__name__)
        lines = [strip.text for strip in app.screen._compositor.render_strips(app.size)]
        texts = [*lines, *(f"{note.title}: {note.message}" for note in app._notifications), *self.copied]
        self.copied.clear()
        for text in texts:
            if any(word in text.lower() for word in self._words):
                self.found.append(f"{where}: {text.strip()}")

    async def press(self, where: str, *keys: str) -> None:
        """Press keys, one at a time, and look after each."""
        for key in keys:
            await self._stage.press(key)
            await self._quiet()
            self.look(f"{where} {key}")

    async def _quiet(self) -> None:
        """Wait until what was asked of GitLab for a pane has come."""
        stage = self._stage
        for _ in range(100):
            running = [worker for worker in stage.app.workers if worker.group in _JOBS]
            if not any(worker.is_running for worker in running):
                break
            await stage.pilot.pause()
        await stage.pilot.pause()


def keys_of(stage: Stage, action: Action) -> Iterator[tuple[str, ...]]:
    """The keys of an action, with a letter for its slot; as the keymap writes them."""
    sequence = stage.screen.context.keymap.keys_of(action)
    if not sequence:
        yield ()  # only in the palette
        return
    keys = sequence[0].split(" ")
    if (slot := action.slot) is not None:
        options = list(stage.screen.context.options(slot))
        if not options:
            return
        keys = [*keys[:-1], options[0]]
    yield tuple(keys)


async def go_back(stage: Stage) -> None:
    """Leave whatever is open, until the board has the keys."""
    for _ in range(12):
        on_board = stage.app.screen is stage.screen and stage.screen.context.scope == "board"
        if on_board and stage.screen.takes_keys and not stage.screen.keys.pending:
            return
        await stage.press("escape")
    raise AssertionError(f"cannot leave {stage.app.screen!r}")


async def walk(stage: Stage, watcher: Watcher, wanted: Callable[[Action], bool] = lambda _: True) -> None:
    """Press the keys of every action on both cards, and in every pane that opens those of its own."""
    context = stage.screen.context
    actions = [one for one in context.keymap.actions if one.id not in _NOT and wanted(one)]
    for card in (HIDDEN, WORDY):
        for action in actions:
            await go_back(stage)
            stage.app.bridge.open("planning")
            stage.screen.filter("")
            await stage.focus(card)
            assert stage.focused == card, (stage.focused, action.id)
            if action.id == "pane.updates":
                await _news(stage)
            if action.id == "pane.drafts":
                await _staged(stage)
            if not action.applies(context.situation()):
                continue
            before = stage.engine.undo_stack.last
            for keys in keys_of(stage, action):
                where = f"{card} {action.id}"
                if not keys:
                    context.run(action.id)
                    await watcher.press(where, "down", "up")
                await watcher.press(where, *keys)
                if action.id == "palette":
                    # The beginning of every secret, but for a letter that is typed.
                    await watcher.press(where, SECRET[1], "backspace", "o", "n", "e")
                if context.scope == "detail":
                    await watcher.press(where, "down", "up")
                if context.pane is not None:
                    await _inside(stage, watcher, where, card)
            await go_back(stage)
            stage.app.bridge.drafts.turn_off()
            while (last := stage.engine.undo_stack.last) is not before and last is not None:
                undoing = stage.app.bridge.undoing
                undoing.discard_refused() if last.is_refused else undoing.undo()
            stage.screen.sync()
    await go_back(stage)


async def _news(stage: Stage) -> None:
    """Somebody else changes all three again."""
    for at, name in enumerate((HIDDEN, WORDY, "platform#4")):
        stage.world.edit(
            f"{GROUP}/{name}", by="zqperson", title=f"Zqcorp news {NEWS.setdefault('n', 0)} {at}"
        )
    NEWS["n"] += 1
    title = f"news {NEWS['n'] - 1} 2"
    await stage.press("r")
    await stage.until(lambda: title in stage.issue("platform#4").title)
    await stage.settle()


async def _staged(stage: Stage) -> None:
    """A draft that is on has a change of each."""
    stage.app.bridge.drafts.begin(stage.app.bridge.drafts.unused("Zqcorp"))
    for name in (WORDY, HIDDEN):
        await stage.focus(name)
        await stage.press("M")
    assert stage.app.bridge.drafts.count == 2
    stage.screen.sync()


async def _inside(stage: Stage, watcher: Watcher, where: str, card: str) -> None:
    """Press every key of a pane's own in it, on the card if it is listed, after a look at its rows."""
    context, top = stage.screen.context, stage.app.screen
    scope = context.scope
    await watcher.press(where, "home", "down", "down", "down")
    for action in own_actions(scope):
        if stage.app.screen is not top or context.scope != scope:
            return
        if context.top is not None and (issue := stage.issue(card).id) in context.top.listed.ids:
            context.top.listed.find(issue)
            context.top.painted_anew()
        if not action.applies(context.situation()):
            continue
        for keys in keys_of(stage, action):
            await watcher.press(f"{where} > {action.id}", *keys)
            while stage.app.screen is not top and stage.app.screen is not stage.screen:
                await watcher.press(f"{where} > {action.id}", "escape")
