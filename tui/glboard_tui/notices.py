"""The one place that turns an error, or the result of a keystroke, into text on the screen.

Owns which error is a toast, a line in the header or a panel over the board. Remote text is never markup:
every ``notify`` uses ``markup=False``, since a title like ``fix [/api]`` would crash the app.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Literal

from msgspec import Struct, structs
from textual.app import App

from glboard_core.board.operations import GroupId, Op
from glboard_core.errors import (
    READ_ONLY,
    WRONG_VALUES,
    ConfigError,
    ConnectionFailed,
    GlboardError,
    RateLimited,
    misled,
)
from glboard_core.planning.reasons import tier_notes
from glboard_core.sync.events import Settled, Status
from glboard_tui import texts
from glboard_tui.bridge import Bridge, Update
from glboard_tui.widgets.text import width_of, wrapped

#: In place of a reason that would say what is hidden.
HIDDEN = GlboardError(
    "The reason is hidden on the shared screen.", hint="Stop sharing to read it in the failed changes."
)

Severity = Literal["information", "warning", "error"]

#: Seconds a toast stays: longer where there is something to read and do.
SHORT, LONG = 4.0, 10.0


class UserNotice(Struct, frozen=True, kw_only=True):
    """A message for the user: ``hint`` says what to do."""

    title: str
    message: str
    hint: str = ""
    severity: Severity = "information"

    @property
    def text(self) -> str:
        """Message and hint, the hint on its own line."""
        return f"{self.message}\n{self.hint}" if self.hint else self.message

    @property
    def line(self) -> str:
        """Title, message and hint, for a place without a title of its own."""
        return f"{self.title}: {self.text}"


#: In place of the error's advice where the screen goes on by itself; a command ends.
_ON_SCREEN: dict[type[GlboardError], str] = {
    ConfigError: "Fix the file, then restart glboard.",
    RateLimited: "Nothing is lost: unsent changes are kept.",
    ConnectionFailed: "Your changes are kept, and sent when GitLab is reachable again.",
}


def notice_of(error: GlboardError) -> UserNotice:
    """An error as a message."""
    # The screen waits and tries again by itself; a command ends.
    own = "" if isinstance(error, RateLimited) else error.hint
    waits = error.may_pass or isinstance(error, ConfigError)
    on_screen = (hint for kind, hint in _ON_SCREEN.items() if waits and isinstance(error, kind))
    return UserNotice(
        title=error.title,
        message=error.message,
        hint=own or next(on_screen, error.advice),
        severity="warning" if error.may_pass else "error",
    )


def unexpected(error: BaseException, request_id: str = "") -> UserNotice:
    """An unexpected error: its type only, because its text could contain anything.

    ``request_id`` is the server's, of the request answered last.
    """
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    if isinstance(error, WRONG_VALUES):
        return notice_of(misled(error, request_id))
    return UserNotice(
        title="Unexpected",
        message=f"{type(error).__name__} in the background.",
        hint="The board still works and your changes are kept. Press r to refresh.",
        severity="error",
    )


def failures(
    title: str, failed: Sequence[tuple[Op, GlboardError]], done: int, applied: Sequence[Op] = ()
) -> UserNotice:
    """The rejected changes of one keystroke: how many and why, grouped by reason.

    ``applied`` is what went through of changes that were applied in part.
    """
    reasons = Counter(error.message for _, error in failed)
    lines = [
        f"{message}" if count == len(failed) == 1 else f"{count}: {message}"
        for message, count in reasons.most_common(3)
    ]
    if len(reasons) > 3:
        lines.append(f"… and {len(reasons) - 3} more reasons")
    hints = dict.fromkeys(error.hint for _, error in failed if error.hint)
    lines.extend(list(hints)[:1])
    if applied:
        words = dict.fromkeys(op.change.describe(op.before) for op in applied)
        lines.insert(0, f"Applied: {'; '.join(list(words)[:3])}")
    if applied and len(applied) == done:
        what = "Partly changed" if done == 1 else f"{done} partly changed"
    elif done:
        what = f"{len(failed)} of {len(failed) + done} not changed"
    else:
        what = "Not changed" if len(failed) == 1 else f"{len(failed)} not changed"
    return UserNotice(
        title=f"{what}: {title}" if title else what,
        message="\n".join(lines),
        hint="gf lists failed changes",
        severity="error",
    )


def _in_part(settled: Settled) -> list[Op]:
    """What went through of edits whose rest failed."""
    failed = {op.issue for op, _ in settled.failed if op.change.as_edit is not None}
    return [op for op in settled.done if op.issue in failed and op.change.as_edit is not None]


#: Lines that a toast has at most: more would cover what somebody works on.
_TOAST_LINES = 2


def shortened(title: str, message: str, width: int, rest: str) -> tuple[str, str, bool]:
    """A toast's title and message on at most two lines of ``width`` cells, and whether something was cut.

    Of a message of several lines the last one, what to do, is kept; ``rest`` says where the whole text is.
    """
    lines = [" ".join(line.split()) for line in message.splitlines() if line.strip()]
    flat = " ".join(lines)
    if title and width_of(flat) <= width:
        return title, flat, False
    whole = f"{title}: {flat}" if title else flat
    if len(wrapped(whole, width, width, _TOAST_LINES + 1)) <= _TOAST_LINES:
        return "", "\n".join(wrapped(whole, width, width, _TOAST_LINES)), False
    hint = lines[-1] if len(lines) > 1 and width_of(lines[-1]) <= width // 2 else ""
    end = f" {hint or rest}"
    lead = whole.removesuffix(hint).rstrip()
    first, *more = wrapped(lead, width, width - width_of(end), _TOAST_LINES)
    return "", "\n".join((first, f"{''.join(more)}{end}")), True


def tell(app: App[Any], notice: UserNotice) -> None:
    """Show a toast."""
    app.notify(
        notice.text,
        title=notice.title,
        severity=notice.severity,
        timeout=SHORT if notice.severity == "information" else LONG,
        markup=False,
    )


def say(app: App[Any], text: str, *, title: str = "", severity: Severity = "information") -> None:
    """Show a short message as a toast."""
    app.notify(text, title=title, severity=severity, timeout=SHORT, markup=False)


def please_note(app: App[Any], warnings: Iterable[str]) -> None:
    """Show what could not be resolved, one per line."""
    say(app, "\n".join(dict.fromkeys(warnings)), title="Please note", severity="warning")


#: Seconds offline after which reconnecting is reported; a dropped request is not.
WORTH = 10.0


class CatchUp:
    """The result of changes that waited: made while offline, or left unsent by the last session.

    Collects settled changes until none waits. ``clock`` counts seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._since: float | None = None
        self._left_over = 0
        self._done = 0
        self._failed: list[tuple[Op, GlboardError]] = []

    def left_over(self, count: int) -> None:
        """Note how many changes of the last session are unsent."""
        if count:
            self._begin()
            self._left_over = count

    def hear(self, status: Status | None, settled: Sequence[Settled]) -> tuple[bool, UserNotice | None]:
        """Return whether this reports the settled changes, and the notice to show now."""
        if status is None:
            return False, None
        away = status.freshness in ("offline", "signed-out")
        if away and status.unsent and self._since is None:
            self._begin()
        if self._since is None:
            return False, None
        for one in settled:
            self._done += len(one.done)
            self._failed += one.failed
        # A conflict holds back later changes of its issue; the report does not wait for those.
        if away or (status.unsent and not status.conflicts):
            return True, None
        return True, self._end(status.conflicts)

    def _begin(self) -> None:
        if self._since is None:
            self._since = self._clock()
            self._left_over, self._done, self._failed = 0, 0, []

    def _end(self, conflicts: int) -> UserNotice | None:
        since, self._since = self._since, None
        long = since is not None and self._clock() - since >= WORTH
        title = "From the last session" if self._left_over else "Back online"
        if self._failed:
            notice = failures("", self._failed, self._done)
            sent = f"{self._done} sent, {len(self._failed)} rejected"
            return UserNotice(
                title=f"{title}: {sent}", message=notice.message, hint=notice.hint, severity="error"
            )
        if not self._done or not (long or self._left_over):
            return None
        changes = "1 change sent" if self._done == 1 else f"{self._done} changes sent"
        one = "1 conflict" if conflicts == 1 else f"{conflicts} conflicts"
        waiting = f"; {one} to resolve (! m, ! t)" if conflicts else ""
        return UserNotice(title="", message=f"{title}: {changes}{waiting}.")


#: Seconds in which the same error is not repeated: the header shows it all the time.
QUIET = 60.0


class News:
    """Toasts that appear by themselves, once: failures, warnings, why there is no connection."""

    def __init__(self, bridge: Bridge) -> None:
        self._bridge = bridge
        self._said: set[str] = set()
        #: Ongoing errors, and when each was last shown.
        self._standing: set[str] = set()
        self._told_at: dict[str, float] = {}
        self._waited = CatchUp()
        #: Answers to keystrokes of which more is still being sent.
        self._partly: dict[GroupId, Settled] = {}
        self._engine: object = None

    def tell(self, app: App[Any], update: Update) -> None:
        """Show what came with an update: the engine's notices, failed changes, a lost connection."""
        for text in update.notices:
            say(app, text)
        if update.left:
            words = texts.left_words(update.left, me=self._bridge.me, mask=self._bridge.mask)
            say(app, words)
        if self._bridge.engine is not self._engine:
            self._engine = self._bridge.engine
            self._waited.left_over(self._bridge.left_over)
        parts = list(map(self._shown, update.settled))
        told, summary = self._waited.hear(self._bridge.status, parts)
        if summary is not None:
            tell(app, summary)
        for part in parts:
            settled = self._joined(part)
            if settled is not None and settled.failed and not told:
                tell(app, failures(settled.title, settled.failed, len(settled.done), self._applied(settled)))
        status = self._bridge.status
        if not update.status or status is None:
            return
        if status.error is None:
            self._standing.clear()
        elif self._bridge.index is not None and self._is_news(type(status.error).__name__):
            # The header keeps showing the state; the hint is shown once.
            tell(app, notice_of(status.error))

    def _shown(self, settled: Settled) -> Settled:
        """An answer without the reasons that are about issues hidden from those who watch."""
        bridge = self._bridge
        if not bridge.share.is_on:
            return settled
        failed = tuple(
            (op, HIDDEN if bridge.is_hidden(op.issue, op.before) else error) for op, error in settled.failed
        )
        ops = (*settled.done, *(op for op, _ in failed))
        return structs.replace(settled, title=bridge.words.shown(settled.title, ops), failed=failed)

    def _applied(self, settled: Settled) -> list[Op]:
        """What went through in part, of issues that may be shown."""
        return [op for op in _in_part(settled) if not self._bridge.is_hidden(op.issue, op.before)]

    def _joined(self, part: Settled) -> Settled | None:
        """All answers to one keystroke, so that they are told once; None while more is being sent."""
        group = (*part.done, *(op for op, _ in part.failed))[0].group
        before = self._partly.pop(group, None)
        if before is not None:
            done, failed = (*before.done, *part.done), (*before.failed, *part.failed)
            part = structs.replace(part, done=done, failed=failed)
        if part.left:
            self._partly[group] = part
            return None
        return part

    def warn(self, app: App[Any]) -> None:
        """Warn of names this board could not resolve, and of what this server or token cannot do."""
        board, catalog = self._bridge.board, self._bridge.catalog
        fresh = [text for text in (board.warnings if board else ()) if self._first_time(text)]
        if catalog is not None:
            fresh += filter(self._first_time, tier_notes(catalog.server))
        if not self._bridge.writable and self._first_time("read-only"):
            fresh.append(READ_ONLY)
        if fresh:
            please_note(app, fresh)

    def _is_news(self, error: str) -> bool:
        """Whether an error is new and was not shown recently: an unstable connection must not repeat it."""
        if error in self._standing:
            return False
        self._standing.add(error)
        now = time.monotonic()
        if now - self._told_at.get(error, float("-inf")) < QUIET:
            return False
        self._told_at[error] = now
        return True

    def _first_time(self, text: str) -> bool:
        if text in self._said:
            return False
        self._said.add(text)
        return True
