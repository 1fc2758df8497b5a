"""Print every text of the screen and the command line with its place, so that a person can read them aloud.

Run ``python docs/make_texts.py``; a path prefix such as ``tui/glboard_tui/screens`` limits the listing. Left
out are docstrings, GraphQL, SQL, CSS, patterns, log formats, and the demo server, which imitates GitLab.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
PACKAGES = ("core/glboard_core", "tui/glboard_tui")
#: Imitates GitLab, and GraphQL.
LEFT_OUT = (
    "core/glboard_core/demo/",
    *(f"core/glboard_core/gitlab/{name}.py" for name in ("queries", "name_queries", "mutations", "dialect")),
)

#: Calls whose texts are patterns, log formats, statements or selectors, by the method's name.
_PATTERNS = frozenset({"compile", "match", "fullmatch", "search", "sub", "split", "findall", "finditer"})
_LOGGING = frozenset({"debug", "info", "warning", "error", "exception", "critical"})
_STATEMENTS = frozenset({"execute", "executemany", "executescript", "strftime", "strptime"})
_MACHINE_NAMES = frozenset({"classes", "id", "encoding", "format", "selector"})
_MACHINE_CALLS = frozenset({"query", "query_one", "query_exactly_one", "add_class", "remove_class"})
_GRAPHQL = re.compile(r"\s*(query|mutation|fragment)\b.*[({]|.*\w \{ ?[\w.{]", re.DOTALL)
_SQL = re.compile(
    r"\s*(select|insert|replace|delete|update \w+ set|create|drop|alter|pragma|begin|commit|with)\b"
    r"|.*\b(where|from \w+ where|order by|is null|is not null)\b|id, ",
    re.DOTALL,
)
_CSS = re.compile(r"[.#\w&:\s-]+\{[^}]*:[^}]*;[^}]*\}")
#: A word and another one, or something that is filled in.
_WORDS = re.compile(
    r"[^\W\d_]{2,}[.,:;!?…)”’]*\s+[“(‘]?([^\W\d_]|\{\})|\{\}[.,:;!?…)”’]*\s+[“(‘]?[^\W\d_]{2,}",
)
_ONE_WORD = re.compile(r"[A-Z][a-z]{2,}\s?(\.{1,3}|…|:|\?)?")


class Text(NamedTuple):
    """One text. ``{}`` is for what the program fills in."""

    path: str
    line: int
    text: str

    @property
    def place(self) -> str:
        """``file:line``."""
        return f"{self.path}:{self.line}"


def texts() -> list[Text]:
    """Every text, by file and line."""
    found: list[Text] = []
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            name = path.relative_to(ROOT).as_posix()
            if not name.startswith(LEFT_OUT):
                found += texts_of(name, path.read_text(encoding="utf-8"))
    return found


def texts_of(name: str, source: str) -> list[Text]:
    """The texts of one module."""
    found = (Text(name, line, text) for line, text in _strings(ast.parse(source)))
    return sorted(one for one in found if _is_for_people(one))


def _strings(node: ast.AST) -> Iterator[tuple[int, str]]:
    """Every string literal that is not in a place for machines; an f-string as one, its parts as well."""
    if _is_for_machines(node):
        return
    if isinstance(node, ast.Constant):
        if isinstance(node.value, str):
            yield node.lineno, node.value
        return
    if isinstance(node, ast.JoinedStr):
        yield (
            node.lineno,
            "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values),
        )
        for part in node.values:
            if isinstance(part, ast.FormattedValue):
                yield from _strings(part.value)
        return
    for child in ast.iter_child_nodes(node):
        yield from _strings(child)


def _is_for_machines(node: ast.AST) -> bool:
    match node:
        case ast.Expr(value=ast.Constant()):
            return True  # a docstring
        case ast.Subscript(value=ast.Name(id="Literal")):
            return True
        case ast.keyword(arg=str() as name):
            return name in _MACHINE_NAMES
        case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
            return name.endswith("CSS")
        case ast.Call(func=ast.Name(id=name)):
            return name in _MACHINE_CALLS
        case ast.Call(func=ast.Attribute(value=ast.Name(id=owner), attr=name)):
            if owner == "re":
                return name in _PATTERNS
            if owner.lower().strip("_") in ("log", "logger", "logging"):
                return name in _LOGGING
            return name in _STATEMENTS or name in _MACHINE_CALLS
        case ast.Call(func=ast.Attribute(attr=name)):
            return name in _STATEMENTS or name in _MACHINE_CALLS
    return False


def _is_for_people(one: Text) -> bool:
    text = one.text
    if _CSS.search(text):
        return False
    if one.path.startswith("core/glboard_core/gitlab/") and _GRAPHQL.match(text):
        return False
    if one.path.startswith("core/glboard_core/store/") and _SQL.match(text):
        return False
    return bool(_WORDS.search(text) or _ONE_WORD.fullmatch(text))


def main(prefixes: list[str]) -> None:
    """Print the texts, one per line."""
    for one in texts():
        if not prefixes or one.path.startswith(tuple(prefixes)):
            sys.stdout.write(f"{one.place}: {' '.join(one.text.split())}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
