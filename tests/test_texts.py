"""Texts on screen, on the command line and in the code are plain English: none has a banned phrase."""

from __future__ import annotations

import ast
import io
import re
import runpy
import tokenize
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
COLLECTOR: dict[str, Any] = runpy.run_path(str(ROOT / "docs" / "make_texts.py"))


@cache
def collected() -> list[Any]:
    """Every text for people."""
    return list(COLLECTOR["texts"]())


#: Pattern and what to write instead. A pattern matches whole words, ignoring case.
BANNED = {
    "anew": "again, or a verb such as reload, update, regenerate",
    "so already|already so": "already set, no change",
    "any more|anymore": "no longer",
    "by now": "now, already",
    "put(s|ting)? right": "fix",
    "mend(s|ed|ing)?": "fix, edit",
    "forgiv(e|es|en|ing)": "ignore, allow",
    "reckon(s|ed|ing)?": "calculate",
    "(take|takes|taken|taking|took) back": "undo, withdraw",
    "(take|takes|taken|taking|took) off": "remove",
    "lets? (\\w+ )?in": "access denied",
    "(go|goes|going) by": "use, depend on",
    "stands?|stood|standing": "is",
    "beside": "next to, as well as",
    "in (its|their) stead": "instead",
    "the answer of": "the reply from",
    "wants? to be": "needs",
    "(is|was|be|been) looked at": "check",
    "the one after": "after next, the milestone after",
    "unmake|unmade": "delete",
    "(is|are|was|were|be|been|not) made": "created, applied, done",
    "(is|are|was|were|be|been) said": "shown, reported",
    "may only": "read-only",
    "may not(?! (be|have))|may no longer": "cannot",
    "of before": "earlier, previous",
    "nobody": "no one, unassigned",
    "clash(es|ed)?": "conflict",
    "ledger|drain(s|ed)?": "outbox, send",
    "window of glboard|this window|another window": "process, session",
    "room": "capacity, free",
    "somebody|everybody": "someone, everyone",
    "whoever": "who, the person who",
    "told": "reported, shown",
    "by (itself|themselves)": "automatically",
    "of (its|their|your|one's) own": "separate, custom",
    "this machine": "this computer",
    "set-up": "setup",
    "near match(es)?": "similar",
    "put(ting)? off": "postpone",
    "(go|goes|going) on": "continue, in progress",
    "(read|reads|reading) again": "reload",
    "looking only|for looking": "read-only",
    "the like": "such as",
    "licences?|colours?|neighbours?|organisations?": "US spelling, as GitLab: license, color, organization",
}
#: Not glboard's wording, or Markdown that is posted to GitLab and stays as it is.
ALLOWED = {
    ("core/glboard_core/planning/planning_issue_sections.py", "Room"),
    ("core/glboard_core/planning/capacity.py", "| **Room** | **{}** | **{}** |"),
    ("core/glboard_core/planning/capacity.py", "| who | budget | carry-over | planned | room |"),
}
#: Phrases with another, proper sense in code ("a change is made", "room for a chip"): banned on screen only.
ON_SCREEN_ONLY = {
    "(take|takes|taken|taking|took) off",
    "lets? (\\w+ )?in",
    "(go|goes|going) by",
    "stands?|stood|standing",
    "the one after",
    "unmake|unmade",
    "(is|are|was|were|be|been|not) made",
    "(is|are|was|were|be|been) said",
    "may only",
    "may not(?! (be|have))|may no longer",
    "of before",
    "window of glboard|this window|another window",
    "room",
    "somebody|everybody",
    "whoever",
    "told",
    "by (itself|themselves)",
    "of (its|their|your|one's) own",
    "this machine",
    "set-up",
    "near match(es)?",
    "put(ting)? off",
    "(go|goes|going) on",
    "(read|reads|reading) again",
    "looking only|for looking",
    "the like",
    "licences?|colours?|neighbours?|organisations?",
}
_PATTERNS = [(re.compile(rf"\b(?:{words})\b", re.IGNORECASE), better) for words, better in BANNED.items()]


_IN_CODE = [pair for pair, words in zip(_PATTERNS, BANNED, strict=True) if words not in ON_SCREEN_ONLY]
#: Any of them in small letters; names of tests have underscores. Most files have none, and are not parsed.
_ANY = re.compile(
    rf"(?<![^\W_])(?:{'|'.join(words for words in BANNED if words not in ON_SCREEN_ONLY)})(?![^\W_])".replace(
        " ", "[ _]"
    )
)


def banned(text: str, patterns: list[tuple[re.Pattern[str], str]] = _PATTERNS) -> list[str]:
    """What is wrong with a text: each banned phrase in it, with what to write instead."""
    found = ((pattern.search(text), better) for pattern, better in patterns)
    return [f"“{match[0]}” (better: {better})" for match, better in found if match]


def test_no_text_contains_a_banned_phrase() -> None:
    wrong = [
        f"{one.place}: {', '.join(phrases)} in: {' '.join(one.text.split())}"
        for one in collected()
        if (one.path, one.text) not in ALLOWED and (phrases := banned(one.text))
    ]
    assert not wrong, f"{len(wrong)} texts to reword:\n" + "\n".join(wrong)


def prose(source: str) -> Iterator[tuple[int, str]]:
    """Docstrings, comments and names of tests in a Python file, by line, without ``quoted code``."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield getattr(node, "lineno", 1), re.sub(r"`+[^`]*`+", "", ast.get_docstring(node) or "")
            if not isinstance(node, ast.Module) and node.name.startswith("test_"):
                yield node.lineno, node.name.replace("_", " ")
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], re.sub(r"`+[^`]*`+", "", token.string)


def test_no_docstring_comment_or_test_name_contains_a_banned_phrase() -> None:
    assert set(BANNED) >= ON_SCREEN_ONLY
    wrong = [
        f"{path.relative_to(ROOT)}:{line}: {', '.join(phrases)}"
        for top in ("core", "tui", "styles", "docs", "tests")
        for path in sorted((ROOT / top).rglob("*.py"))
        if path != Path(__file__) and _ANY.search((source := path.read_text("utf-8")).lower())
        for line, text in prose(source)
        if (phrases := banned(text, _IN_CODE))
    ]
    assert not wrong, f"{len(wrong)} to reword:\n" + "\n".join(wrong)


def test_the_collector_finds_texts_of_every_kind() -> None:
    texts = collected()
    assert len(texts) > 1_000
    known = {(one.path.rpartition("/")[2], one.text) for one in texts}
    assert ("undo.py", "GitLab cannot delete issues, so undo closes it.") in known  # a plain literal
    assert ("team.py", "{} is listed twice.") in known  # an f-string
    assert ("plan_lock.py", "this locked plan uses format {}; this glboard reads format {}.") in known
    # An action's title, a hint, and an argument of the command line.
    for part in ("tui/glboard_tui/actions.py", "tui/glboard_tui/screens/", "tui/glboard_tui/cli/"):
        assert sum(one.path.startswith(part) for one in texts) > 50, part


SAMPLE = '''
"""A module's docstring."""
CSS = "Screen { color: red; }"
PATTERN = re.compile("two words")
Kind = Literal["not done"]


def run(name: str) -> None:
    """A function's docstring."""
    log.info("a log format %s", name)
    say(f"Discard {'one change' if name else 'all changes'} of {name}?", "single", classes="left right")
    raise Problem(
        "Nothing loaded "
        "from GitLab yet.",
        hint="Refreshing ...",
    )
'''


def test_only_texts_for_people_are_collected() -> None:
    assert [(one.line, one.text) for one in COLLECTOR["texts_of"]("sample.py", SAMPLE)] == [
        (11, "Discard {} of {}?"),
        (11, "all changes"),
        (11, "one change"),
        (13, "Nothing loaded from GitLab yet."),
        (15, "Refreshing ..."),
    ]


@pytest.mark.parametrize(
    ("text", "is_banned"),
    [
        ("It is so already.", True),
        ("Reading ANEW", True),
        ("Nothing is left to put right.", True),
        ("Understand the standard recommendation", False),
        ("Already set", False),
    ],
)
def test_phrases_are_banned_as_whole_words(text: str, is_banned: bool) -> None:
    assert bool(banned(text)) == is_banned
