"""docs/milestone.md and docs/call.md, pressed key by key in a real terminal, exactly as written."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from support.terminal import GLBOARD, Terminal
from support.written_keys import Session, Step, keys_of, sessions

DOCS = Path(__file__).parents[2] / "docs"
#: The calls in every run, the rest of the month in .ci/slow.
OFTEN = {"The call", "The planning call"}
SESSIONS = [
    pytest.param(name, session, id=session.title, marks=() if session.title in OFTEN else (pytest.mark.slow,))
    for name in ("milestone.md", "call.md")
    for session in sessions((DOCS / name).read_text("utf-8"))
]


@pytest.mark.parametrize(("document", "session"), SESSIONS)
def test_session_works_as_written(document: str, session: Session, tmp_path: Path) -> None:
    with Terminal([*GLBOARD, *session.arguments], tmp_path) as terminal:
        terminal.see("live")
        for step in session.steps:
            _take(terminal, step, document)
        assert session.steps[-1].ends
        assert terminal.finish() == 0


def _take(terminal: Terminal, step: Step, document: str) -> None:
    for key in step.keys:
        terminal.press(key)
    if step.ends:
        return
    terminal.wait(
        lambda text: _as_promised(_words(text), step),
        f"line {step.line} of docs/{document}, {step.written}: {step.seen}, and not {step.gone}",
    )


def _as_promised(text: str, step: Step) -> bool:
    return all(_words(word) in text for word in step.seen) and not any(word in text for word in step.gone)


def _words(text: str) -> str:
    return re.sub(r"\s+", " ", text)


@pytest.mark.parametrize(
    ("token", "keys"),
    [
        ("gb", ["g", "b"]),
        ("d Enter", ["d", "\r"]),
        ("Space ×2", [" ", " "]),
        ('"a b"', ["a", " ", "b"]),
        ("Ctrl+P", ["\x10"]),
    ],
)
def test_key_notation(token: str, keys: list[str]) -> None:
    assert keys_of(token) == keys


@pytest.mark.parametrize(
    ("row", "wrong"),
    [("| `q` | it ends |", "promises nothing"), ("| `Esc` `q` | **back in the shell** |", "Esc ends a step")],
)
def test_step_that_cannot_be_checked_is_rejected(row: str, wrong: str) -> None:
    with pytest.raises(ValueError, match=wrong):
        sessions(f"```console\n$ glboard demo\n```\n{row}\n")
