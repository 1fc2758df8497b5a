"""Every error message says what happened and what to do, and is in docs/messages.md."""

from __future__ import annotations

import re
import runpy
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from glboard_core import errors

ROOT = Path(__file__).parents[1]
COLLECTOR: dict[str, Any] = runpy.run_path(str(ROOT / "docs" / "make_messages.py"))

#: Verbs by which a hint says what to do.
_VERBS = (
    r"add|ask|bind|change|check|choose|close|compare|connect|copy|correct|create|delete|discard|edit|enlarge|"
    r"enter|fix|free|give|include|install|leave|list|make|name|open|pass|press|put|rank|rotate|link|refresh|remove|"
    r"omit|report|resolve|restart|retry|run|save|see|select|set|shorten|sign|start|stop|try|turn|"
    r"type|unset|update|use|wait|write"
)
_DOES = re.compile(
    # An example, a near match or a command says it as well, and so does that nothing need be done.
    rf"\b(?:{_VERBS})\b|\bdid you mean\b|\bexamples?\b|similar:|known:|known keys"
    r"|\bglboard \w|\{(?:advice|hint|what_to_do)\}|nothing to do|no action needed|nothing is "
    "lost|automatically|by itself|enough for",
    re.IGNORECASE,
)
_FILLED_IN = re.compile(r"\{[^}]*\}")


@cache
def collected() -> list[Any]:
    """Every message."""
    return list(COLLECTOR["messages"]())


def is_silent(message: Any) -> bool:
    """Whether neither message nor hint says what to do. What is filled in does, if it is the whole hint."""
    if message.kind == "Say" or message.passed_on or _DOES.search(message.advice):
        return False
    only_filled_in = message.advice and not re.search(r"\w", _FILLED_IN.sub("", message.advice))
    return not only_filled_in


def test_every_message_says_what_to_do() -> None:
    silent = [f"{one.place}: {one.text} → {one.advice or 'nothing'}" for one in collected() if is_silent(one)]
    assert not silent, "say what to do (hint=…):\n" + "\n".join(silent)


def test_every_message_says_what_happened() -> None:
    empty = [one.place for one in collected() if not one.text and one.kind != "Say"]
    assert not empty


def test_the_listing_is_up_to_date() -> None:
    page = (ROOT / "docs" / "messages.md").read_text("utf-8")
    assert page == COLLECTOR["page"](collected()), "run: python docs/make_messages.py"


def test_every_kind_of_error_is_in_the_listing() -> None:
    kinds = {name for name, kind in vars(errors).items() if isinstance(kind, type)}
    kinds = {name for name in kinds if issubclass(getattr(errors, name), errors.GlboardError)}
    assert set(COLLECTOR["error_kinds"]()) == kinds
    raised = {one.kind for one in collected()}
    # What is built elsewhere: by ``answers.py`` from what it finds, by a kind of its own, or only caught.
    assert kinds - raised <= {"GlboardError", "ConnectionFailed", "EditRefused", "AuthError"}
    assert {"Mistake", "Check", "UserNotice"} <= raised
    assert len(collected()) > 300


def test_what_an_error_advises_is_shown_where_the_place_gives_no_hint() -> None:
    assert errors.TlsFailed("The certificate is not trusted.").what_to_do == errors.TlsFailed.advice
    assert errors.TlsFailed("The certificate is not trusted.", hint="Trust it.").what_to_do == "Trust it."
    general = [kind for kind in vars(errors).values() if isinstance(kind, type) and hasattr(kind, "advice")]
    assert not [kind.__name__ for kind in general if kind.advice and not _DOES.search(kind.advice)]


SAMPLE = """
from glboard_core.errors import ConfigError, GlboardError, NameUnknown, NotConnected

LATER = "Try again later."


class Odd(GlboardError):
    title = "Odd"


def run(host: str, path: str) -> None:
    if not host:
        raise GlboardError(f"{host} is gone.")
    hint = LATER if path else "Check the path."
    raise Odd(f"{host} at {path!r} is odd.", hint=hint)


def ask() -> None:
    raise NotConnected


def name() -> None:
    raise NameUnknown("board", "x", hint="It is a pity.")
    raise ConfigError("it is broken.", where="here")


def wrong(where: str, message: str) -> ConfigError:
    return ConfigError(message, where=where, hint="Use another.")


def days() -> None:
    raise wrong("here", f"{3} days are too many.")


class Checks:
    def run(self) -> None:
        self.warn("clock", "It is slow.", "Set it.")
        raise NotConnected()
"""


def test_the_collector_finds_messages_of_every_form() -> None:
    found = COLLECTOR["messages_of"]("core/sample.py", SAMPLE, COLLECTOR["error_kinds"]())
    assert [(one.title, one.text, one.advice) for one in found] == [
        ("Something went wrong", "{host} is gone.", ""),
        ("Odd", "{host} at {path} is odd.", "Try again later. / Check the path."),
        ("Something went wrong", "Not connected yet.", "Wait a moment, then try again."),
        ("Unknown name", "No board named “{name}”.", "It is a pity."),
        ("Configuration", "it is broken.", errors.ConfigError.advice),
        # What a function makes an error of, and the function itself.
        ("Configuration", "{message}", "Use another."),
        ("Configuration", "{…} days are too many.", "Use another."),
        ("Doctor", "It is slow.", "Set it."),
        ("Something went wrong", "Not connected yet.", "Wait a moment, then try again."),
    ]
    assert [one.text for one in found if is_silent(one)] == [
        "{host} is gone.",
        "No board named “{name}”.",
    ]


def headlines() -> list[str]:
    """The messages that the page on troubleshooting is about."""
    path = ROOT / "docs" / "troubleshooting.md"
    return re.findall(r"^### (.+)$", path.read_text("utf-8"), re.MULTILINE) if path.is_file() else []


def with_gaps(text: str) -> str:
    """A message in which each thing that is filled in is the same sign."""
    return re.sub(r"“?(?:\{[^}]*\}|…)”?", "…", text).strip(" .…")


@pytest.mark.parametrize("headline", headlines())
def test_troubleshooting_is_about_messages_that_exist(headline: str) -> None:
    known = [with_gaps(form) for one in collected() for form in one.text.split(" / ")]
    assert any(with_gaps(headline) in form for form in known)
