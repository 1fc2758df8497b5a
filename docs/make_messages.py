"""Regenerates docs/messages.md, the listing of every error message: ``python docs/make_messages.py``.

Reads the source, not the running program: each place that creates an error a person can see, with what
happened and what to do. ``tests/test_messages.py`` finds those that do not say what to do.
"""

from __future__ import annotations

import ast
import re
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "messages.md"
ERRORS = "core/glboard_core/errors.py"
PACKAGES = ("core/glboard_core", "tui/glboard_tui")
#: Imitates GitLab: its errors are what GitLab says. Its command line and scenarios are for people.
IMITATES = (
    "core/glboard_core/demo/graphql/",
    "core/glboard_core/demo/rest/",
    "core/glboard_core/demo/world/",
)
#: What the argument is called that becomes a message.
_MESSAGES = frozenset({"message", "what", "text"})
#: Lines between the assignments in the two branches of an ``if``.
_BRANCH = 4
#: Methods that show a message that is not an error.
_SAYS = frozenset({"say", "please_note", "_tell"})
_ON_SCREEN = re.compile(r"tui/glboard_tui/(?!cli/)")
#: The title of what they say.
WHILE_YOU_WORK = "While you work"
#: What the methods of a check of ``glboard doctor`` are called: (check, text, advice).
_CHECKS = frozenset({"warn", "fail"})

HEAD = """\
# Messages

This page lists every error message with what to do, and, at the end, the other messages on screen. `{…}` is
a placeholder; “ / ” separates the forms of a message. [Troubleshooting](troubleshooting.md) explains common
messages in more detail.

<!-- made by docs/make_messages.py -->
"""


class Message(NamedTuple):
    """One message. ``text`` and ``advice`` have ``{name}`` for what is filled in; ``kind`` is the class."""

    title: str
    text: str
    advice: str
    path: str
    line: int
    kind: str
    #: Whether the advice is that of the class, not of the place.
    general: bool = False

    @property
    def place(self) -> str:
        """``file:line``."""
        return f"{self.path}:{self.line}"

    @property
    def passed_on(self) -> bool:
        """Whether the words are another error's, which is in the listing itself."""
        return not re.search(r"[^\W\d_]{2}", re.sub(r"\{[^}]*\}", "", self.text))


class Kind(NamedTuple):
    """An error class: its title, its advice, the name of its base, and the words it always has."""

    title: str
    advice: str
    base: str
    own: tuple[str, str] | None


def kinds_of(tree: ast.Module, known: Mapping[str, Kind]) -> dict[str, Kind]:
    """The error classes of a module, those of ``known`` as bases included."""
    found = dict(known)
    scope = _Scope(tree)
    for node in tree.body:
        if not isinstance(node, ast.ClassDef) or not node.bases:
            continue
        base = _name_of(node.bases[0])
        above = found.get(base)
        if above is None and base != "Exception":
            continue
        if above is None and node.name != "GlboardError":
            continue
        above = above or Kind("", "", "", None)
        fields = {
            target.id: scope.words(one.value)
            for one in node.body
            if isinstance(one, ast.Assign)
            for target in one.targets
            if isinstance(target, ast.Name)
        }
        own = _own_words(node, scope) or above.own
        found[node.name] = Kind(
            fields.get("title", above.title), fields.get("advice", above.advice), base, own
        )
    return found


def _own_words(node: ast.ClassDef, scope: _Scope) -> tuple[str, str] | None:
    """Message and hint of a class that takes no message, but makes it."""
    for made in node.body:
        if not isinstance(made, ast.FunctionDef) or made.name != "__init__":
            continue
        if "message" in {one.arg for one in made.args.args}:
            return None
        for call in ast.walk(made):
            if isinstance(call, ast.Call) and _name_of(call.func) == "__init__" and call.args:
                return scope.words(call.args[0]), scope.words(_keyword(call, "hint"))
    return None


def messages() -> list[Message]:
    """Every message, by file and line."""
    kinds = error_kinds()
    found: list[Message] = []
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            name = path.relative_to(ROOT).as_posix()
            if name != ERRORS and not name.startswith(IMITATES):
                found += messages_of(name, path.read_text(encoding="utf-8"), kinds)
    return found


def error_kinds() -> dict[str, Kind]:
    """The classes of ``errors.py``."""
    return kinds_of(ast.parse((ROOT / ERRORS).read_text(encoding="utf-8")), {})


def messages_of(name: str, source: str, kinds: Mapping[str, Kind]) -> list[Message]:
    """The messages that one module creates."""
    tree = ast.parse(source)
    kinds = kinds_of(tree, kinds)
    makers = _makers(tree, kinds)
    found = []
    for scope, call in _calls(tree):
        if (maker := makers.get(_name_of(call.func))) is not None and len(call.args) > maker.at:
            kind = kinds[maker.kind]
            text = scope.words(call.args[maker.at])
            advice = scope.words(_keyword(call, "hint")) or maker.advice
            if kind.own is not None:
                text, advice = kind.own[0].replace("{what}", text), kind.own[1]
            found.append(
                Message(kind.title, text, advice or kind.advice, name, call.lineno, maker.kind, not advice)
            )
            continue
        if (one := _message(scope, call, kinds)) is not None:
            title, text, advice, name_of_kind, general = one
            if name_of_kind == "Say" and not _ON_SCREEN.match(name):
                continue
            found.append(Message(title, text, advice, name, call.lineno, name_of_kind, general))
    return found


class _Maker(NamedTuple):
    """A function that makes an error of a message it is given: its class, the argument's place, its hint."""

    kind: str
    at: int
    advice: str


def _makers(tree: ast.Module, kinds: Mapping[str, Kind]) -> dict[str, _Maker]:
    found = {}
    for node in ast.walk(tree):
        if not isinstance(node, ast.FunctionDef) or _name_of(node.returns or node) not in kinds:
            continue
        names = [one.arg for one in node.args.args if one.arg != "self"]
        for call in ast.walk(node):
            if isinstance(call, ast.Call) and _name_of(call.func) in kinds and call.args:
                given = {one.id for one in ast.walk(call.args[0]) if isinstance(one, ast.Name)}
                at = [number for number, one in enumerate(names) if one in given and one in _MESSAGES]
                if at:
                    hint = _Scope(tree, node).words(_keyword(call, "hint"))
                    own = "" if "{hint}" in hint else hint
                    found[node.name] = _Maker(_name_of(call.func), at[0], own)
    return found


def _message(
    scope: _Scope, call: ast.Call, kinds: Mapping[str, Kind]
) -> tuple[str, str, str, str, bool] | None:
    name = _name_of(call.func)
    words = scope.words
    if (kind := kinds.get(name)) is not None:
        title = words(_keyword(call, "title")) or kind.title
        text = words(call.args[0]) if call.args else ""
        advice = words(_keyword(call, "hint"))
        if name == "NameUnknown":
            kind_of_name = words(call.args[0]) if call.args else "name"
            text = f"No {kind_of_name} named “{{name}}”."
            advice = advice or ("Similar: {near}." if len(call.args) > 2 else "")
        elif kind.own is not None:
            text, advice = kind.own[0].replace("{what}", text), kind.own[1] or advice
        return title, text, advice or kind.advice, name, not advice
    if name == "Mistake" or (name == "_say" and scope.takes("_say", "harmless")):
        at = 0 if name == "Mistake" else 1
        text = words(_keyword(call, "message")) or words(call.args[at])
        advice = words(_keyword(call, "hint")) or (words(call.args[2]) if len(call.args) > 2 else "")
        return "Configuration", text, advice or kinds["ConfigError"].advice, "Mistake", not advice
    if name in _CHECKS and len(call.args) >= 3 and isinstance(call.func, ast.Attribute):
        return "Doctor", words(call.args[1]), words(call.args[2]), "Check", False
    if name in _SAYS and call.args:
        # A function of ``notices`` takes the app first.
        at = 1 if isinstance(call.func, ast.Attribute) and _name_of(call.func.value) == "notices" else 0
        return WHILE_YOU_WORK, words(call.args[at]) if len(call.args) > at else "", "", "Say", False
    if name == "UserNotice" and words(_keyword(call, "severity")) in ("error", "warning"):
        return (
            words(_keyword(call, "title")),
            words(_keyword(call, "message")),
            words(_keyword(call, "hint")),
            name,
            False,
        )
    return None


# -- from syntax to words


class _Scope:
    """The texts that names stand for in one function, or at the top of a module."""

    def __init__(
        self, tree: ast.Module, function: ast.AST | None = None, *, above: _Scope | None = None
    ) -> None:
        self._tree = tree
        self._function = function
        self._above = above

    @cached_property
    def _module(self) -> dict[str, list[ast.expr]]:
        return self._above._module if self._above is not None else _assigned(self._tree.body)

    @cached_property
    def _local(self) -> dict[str, list[ast.expr]]:
        return _assigned([self._function]) if self._function is not None else {}

    def takes(self, name: str, argument: str) -> bool:
        """Whether a function or method of this module has a parameter by name."""
        return any(
            isinstance(node, ast.FunctionDef)
            and node.name == name
            and argument in {one.arg for one in node.args.kwonlyargs}
            for node in ast.walk(self._tree)
        )

    def _values(self, name: str, line: int) -> list[ast.expr]:
        """What a name stands for at a line: what was assigned last above, in all branches of one ``if``."""
        above = [one for one in self._local.get(name, ()) if one.lineno < line or not line]
        last = max((one.lineno for one in above), default=0)
        return [one for one in above if one.lineno >= last - _BRANCH] or self._module.get(name, [])

    def words(self, node: ast.AST | None, depth: int = 0) -> str:
        """A text as it will read; ``{name}`` for what is filled in, “ / ” between alternatives."""
        match node:
            case None:
                return ""
            case ast.Constant(value=str() as text):
                return " ".join(text.split())
            case ast.Constant():
                return ""
            case ast.JoinedStr():
                return " ".join("".join(self._part(part, depth) for part in node.values).split())
            case ast.BinOp(op=ast.Add()):
                return f"{self.words(node.left, depth)}{self.words(node.right, depth)}"
            case ast.IfExp():
                return _either(self.words(node.body, depth), self.words(node.orelse, depth))
            case ast.BoolOp():
                return _either(*(self.words(one, depth) for one in node.values))
            case ast.Name(id=name) if depth < 4:
                if values := self._values(name, node.lineno):
                    return _either(*(self.words(one, depth + 1) for one in values))
                return _constant(self._tree, name) or f"{{{name}}}"
            case ast.Call(func=ast.Attribute(attr="join")) | ast.Call(func=ast.Name(id="str")):
                return "{…}"
            case ast.Call(args=[inner]) if isinstance(node.func, ast.Name):
                return f"{{{node.func.id.strip('_')}}}" if not isinstance(inner, ast.Constant) else "{…}"
            case _:
                return f"{{{_name_of(node)}}}"

    def _part(self, part: ast.expr, depth: int) -> str:
        if isinstance(part, ast.Constant):
            return str(part.value)
        inner = part.value if isinstance(part, ast.FormattedValue) else part
        if isinstance(inner, ast.IfExp | ast.BoolOp | ast.Name):
            # A constant, or one of two texts; else the name says what it is.
            text = self.words(inner, depth + 1)
            return text if text and "{" not in text and " / " not in text else f"{{{_name_of(inner)}}}"
        return f"{{{_name_of(inner)}}}"


def _assigned(body: Iterable[ast.AST]) -> dict[str, list[ast.expr]]:
    found: dict[str, list[ast.expr]] = defaultdict(list)
    for top in body:
        nodes = ast.walk(top) if isinstance(top, ast.FunctionDef | ast.AsyncFunctionDef) else (top,)
        for node in nodes:
            match node:
                case ast.Assign(targets=[ast.Name(id=name)], value=value):
                    found[name].append(value)
                case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                    found[name].append(value)
                case ast.Assign(targets=[ast.Tuple(elts=names)], value=ast.Tuple(elts=values)):
                    for target, value in zip(names, values, strict=False):
                        if isinstance(target, ast.Name):
                            found[target.id].append(value)
    return found


def _constant(tree: ast.Module, name: str) -> str:
    """The text of a constant of capital letters that a module imports from another of ours."""
    if not name.isupper():
        return ""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and any(one.name == name for one in node.names):
            path = (node.module or "").replace(".", "/") + ".py"
            for package in PACKAGES:
                file = ROOT / package.rpartition("/")[0] / path
                if file.is_file():
                    inside = ast.parse(file.read_text(encoding="utf-8"))
                    return _Scope(inside).words(ast.Name(name, lineno=0), 1)
    return ""


def _calls(tree: ast.Module) -> Iterator[tuple[_Scope, ast.Call]]:
    """Every call, and every error raised by its name, in order, with the names of the function it is in."""

    top = _Scope(tree)

    def walk(node: ast.AST, scope: _Scope) -> Iterator[tuple[_Scope, ast.Call]]:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
                yield from walk(child, _Scope(tree, child, above=top))
                continue
            if isinstance(child, ast.Raise) and isinstance(child.exc, ast.Name):
                yield scope, ast.Call(child.exc, [], [], lineno=child.lineno)
            if isinstance(child, ast.Call):
                yield scope, child
            yield from walk(child, scope)

    yield from walk(tree, top)


def _keyword(call: ast.Call, name: str) -> ast.expr | None:
    return next((one.value for one in call.keywords if one.arg == name), None)


def _name_of(node: ast.AST) -> str:
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case ast.Call(func=func):
            return _name_of(func).strip("_")
        case ast.Subscript(value=value):
            return _name_of(value)
    return "…"


def _either(*texts: str) -> str:
    return " / ".join(dict.fromkeys(text for text in texts if text))


# -- the page


def page(found: Iterable[Message]) -> str:
    """The listing, by title; the same message in several places is one line."""
    by_title: dict[str, dict[tuple[str, str], list[str]]] = defaultdict(lambda: defaultdict(list))
    for one in found:
        if not one.passed_on:
            modules = by_title[one.title][one.text, one.advice]
            if one.path not in modules:
                modules.append(one.path)
    lines = [HEAD]
    for title in sorted(by_title, key=lambda one: (one == WHILE_YOU_WORK, one)):
        heads = ("what glboard says",) if title == WHILE_YOU_WORK else ("what happened", "what to do")
        lines += [f"## {title}", "", f"| {' | '.join(heads)} | where |", "|---" * (len(heads) + 1) + "|"]
        for texts, paths in sorted(by_title[title].items()):
            where = ", ".join(f"`{path.split('/', 2)[2]}`" for path in paths)
            lines.append(f"| {' | '.join(map(_cell, texts[: len(heads)]))} | {where} |")
        lines.append("")
    return "\n".join(lines).rstrip() + "\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "\\<").replace("*", "\\*")


def main(arguments: list[str]) -> None:
    """Write the page; with ``--list`` print the messages with their places instead."""
    found = messages()
    if "--list" in arguments:
        for one in found:
            sys.stdout.write(f"{one.place}: [{one.kind}] {one.title}: {one.text} -> {one.advice}\n")
        return
    PAGE.write_text(page(found), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
