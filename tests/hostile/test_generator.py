"""The hostile values reach all that is asked of a server: each function, and each field of an answer."""

from __future__ import annotations

import ast
import asyncio
import sys
from collections.abc import Iterator
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import msgspec
import pytest

import glboard_core
from glboard_core.gitlab import answers
from hostile.operations import Asked, operations, rich_world
from hostile.tampering import MaliciousServer

CORE = Path(glboard_core.__file__).parent
#: Where servers are asked.
PLACES = ("gitlab", "auth", "setup")
#: What has an answer decoded, by the name it is called by.
DECODES = {"ask", "ask_in_dialect", "envelope_of", "decoded", "form"}

#: What need not be reached, and why not.
ELSEWHERE = {
    # Live events: tests/hostile/test_live.py.
    ("gitlab/cable.py", ""),
    ("gitlab/gateway.py", "GitLabGateway.live"),
    ("gitlab/http.py", "Transport.switched"),
    ("gitlab/http.py", "Switched.read"),
    ("gitlab/http.py", "Switched.write"),
    # They ask by what is asked here.
    ("setup/connection.py", ""),
    ("auth/overview.py", "checked"),
    ("auth/renewal.py", "StoredToken.current"),
    ("auth/renewal.py", "StoredToken.after_rejection"),
    ("auth/signing_out.py", "sign_out"),
    ("gitlab/account.py", "TokenSource.current"),
    ("gitlab/account.py", "TokenSource.after_rejection"),
    # Files and the keyring.
    ("auth/store.py", ""),
    ("auth/search.py", ""),
    ("setup/progress.py", ""),
    # Our own limit, without which all is asked here.
    ("gitlab/pace.py", "Pace.turn"),
    # The hostile values themselves lead there.
    ("gitlab/answers.py", "_left_out"),
    ("gitlab/graphql.py", "_is_graphql"),
}


#: Fields that only refusals have (``generator.ERRORS``), or older servers.
RARE = {"commandsOnly", "extensions", "epicsEnabled"}


def is_asking(node: ast.FunctionDef | ast.AsyncFunctionDef, name: str) -> bool:
    """Whether a function takes an answer of a server apart, or is a way to ask for one."""
    if isinstance(node, ast.AsyncFunctionDef) and not any(part.startswith("_") for part in name.split(".")):
        return True
    for one in ast.walk(node):
        if isinstance(one, ast.Call) and isinstance(one.func, ast.Attribute):
            whole = ast.unparse(one.func)
            if whole in ("msgspec.json.decode", "json.loads", "msgspec.convert") or one.func.attr in DECODES:
                return True
        if isinstance(one, ast.Call) and isinstance(one.func, ast.Name) and one.func.id in DECODES:
            return True
    return False


def asking(tree: ast.AST, inside: str = "") -> Iterator[str]:
    """The names of the functions that must be reached, as in tracebacks."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.ClassDef):
            yield from asking(node, f"{inside}{node.name}.")
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            name = f"{inside}{node.name}"
            if is_asking(node, name):
                yield name


def wanted() -> set[tuple[str, str]]:
    """The functions that must be reached: file and name."""
    found = set()
    for place in PLACES:
        for path in sorted((CORE / place).rglob("*.py")):
            file = path.relative_to(CORE).as_posix()
            names = asking(ast.parse(path.read_text("utf-8")))
            found |= {(file, name) for name in names}
    return {one for one in found if one not in ELSEWHERE and (one[0], "") not in ELSEWHERE}


class Watch:
    """Remembers the functions that were entered, the types that were decoded, and the fields of answers."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.codes: set[CodeType] = set()
        self.types: set[Any] = set()
        self.seen: set[str] = set()
        self._in_thread = asyncio.to_thread
        real, convert = msgspec.json.decode, msgspec.convert

        def decode(raw: Any, **more: Any) -> Any:
            self.types.add(more.get("type", Any))
            return real(raw, **more)

        def converted(tree: Any, kind: Any, **more: Any) -> Any:
            self.types.add(kind)
            return convert(tree, kind, **more)

        decoder = answers.decoder

        def made(kind: Any) -> Any:
            self.types.add(kind)
            return decoder(kind)

        monkeypatch.setattr(answers, "decoder", made)
        monkeypatch.setattr(msgspec.json, "decode", decode)
        monkeypatch.setattr(msgspec, "convert", converted)

    def __enter__(self) -> Watch:
        in_thread = self._in_thread

        async def to_thread(work: Any, *given: Any, **more: Any) -> Any:
            return await in_thread(self._watched, work, *given, **more)

        # Of threads only those that we start: the server's own are none of ours.
        asyncio.to_thread = to_thread  # type: ignore[assignment]
        sys.settrace(self._see)
        return self

    def __exit__(self, *_: object) -> None:
        sys.settrace(None)
        asyncio.to_thread = self._in_thread

    def _watched(self, work: Any, *given: Any, **more: Any) -> Any:
        sys.settrace(self._see)
        try:
            return work(*given, **more)
        finally:
            sys.settrace(None)

    def _see(self, frame: FrameType, *_: object) -> None:
        self.codes.add(frame.f_code)

    @property
    def entered(self) -> set[tuple[str, str]]:
        """File and name of what was entered."""
        paths = ((Path(code.co_filename), code.co_qualname) for code in self.codes)
        return {
            (path.relative_to(CORE).as_posix(), name) for path, name in paths if path.is_relative_to(CORE)
        }


def keys(tree: Any) -> set[str]:
    """All names in an answer."""
    if isinstance(tree, dict):
        return {*tree} | {key for value in tree.values() for key in keys(value)}
    if isinstance(tree, list):
        return {key for value in tree for key in keys(value)}
    return set()


def fields_of(types: set[Any]) -> set[str]:
    """All names of fields that these types, and those in them, are decoded from."""
    found: set[str] = set()
    seen: set[str] = set()

    def look(one: Any) -> None:
        if isinstance(one, msgspec.inspect.StructType):
            if (mark := str(one.cls)) in seen:
                return
            seen.add(mark)
            for field in one.fields:
                found.add(f"{field.encode_name}")
                look(field.type)
        elif isinstance(one, msgspec.inspect.Type):
            for name in getattr(one, "__struct_fields__", ()):
                value = getattr(one, name)
                for inside in value if isinstance(value, tuple) else (value,):
                    look(inside)

    for kind in types:
        look(msgspec.inspect.type_info(kind))
    return found


@pytest.mark.slow
async def test_all_that_is_asked_is_among_the_operations(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever adds a request adds an operation to ``operations.py``, and its fields to ``rich_world``."""
    with MaliciousServer(rich_world()) as server, Watch(monkeypatch) as watch:
        it = await Asked(server).open()
        async with it.gateway:
            for name, operation in operations().items():
                server.answers.clear()
                await operation(it)
                assert server.answers, f"“{name}” asks nothing"
                for answer in server.answers:
                    watch.seen |= keys(msgspec.json.decode(answer.body)) if answer.body else set()
    missing = sorted(wanted() - watch.entered)
    assert not missing, f"no operation gets there: {missing}"
    absent = sorted(fields_of(watch.types) - watch.seen - RARE)
    assert not absent, f"no answer has these: {absent}"
