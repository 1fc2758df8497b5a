"""Hostile values over every field of every operation's answer, and of every header."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import msgspec

from glboard_core.errors import GlboardError
from glboard_core.model.catalog import Catalog
from glboard_core.model.issue import Issue
from hostile.operations import Asked, operations
from hostile.tampering import Answer, Way, paths, with_value
from hostile.values import HEADER_VALUES, HEADERS, JSON_VALUES

#: What an answer can have as well as its data, or in its place.
ERRORS: Any = [
    {
        "message": "Variable $input was provided invalid value",
        "path": ["issue", 0],
        "locations": [{"line": 1, "column": 2}],
        "extensions": {"code": "timeout", "value": "x", "problems": [{"path": ["a"], "explanation": "b"}]},
    }
]


def with_errors(body: bytes) -> bytes:
    """An answer with errors as well as its data."""
    return msgspec.json.encode({**msgspec.json.decode(body), "errors": ERRORS})


class Case(msgspec.Struct, frozen=True):
    """One hostile value: in which answer of which operation, and where."""

    operation: str
    nth: int
    where: Way | str
    value: str

    def __str__(self) -> str:
        where = self.where if isinstance(self.where, str) else ".".join(map(str, self.where))
        return f"{self.operation} [{self.nth}] {where}: {self.value}"

    def tamper(self) -> Callable[[Answer], None]:
        """What puts the value into the answer."""
        count = [0]

        def change(answer: Answer) -> None:
            if count[0] == self.nth:
                if isinstance(self.where, str):
                    kept = [(name, text) for name, text in answer.headers if name != self.where]
                    answer.headers = [*kept, (self.where, HEADER_VALUES[self.value])]
                    if self.where in ("retry-after", "ratelimit-reset", "ratelimit-limit"):
                        answer.status = 429
                    elif self.where == "location":
                        answer.status = 302
                else:
                    body = with_errors(answer.body) if self.where[:1] == ("errors",) else answer.body
                    answer.body = with_value(body, self.where, JSON_VALUES[self.value])
            count[0] += 1

        return change


async def cases(it: Asked) -> list[Case]:
    """All of them, from the true answers of each operation."""
    found: list[Case] = []
    for name, operation in operations(it.version).items():
        it.server.answers.clear()
        await operation(it)
        found += of_answers(name, it.server.answers, refusals=True)
    return found


def of_answers(operation: str, answers: Iterable[Answer], *, refusals: bool = False) -> list[Case]:
    """The hostile values for these answers of an operation, in their order; also as well as errors."""
    found: list[Case] = []
    for nth, answer in enumerate(list(answers)):
        found += [Case(operation, nth, header, value) for header in HEADERS for value in HEADER_VALUES]
        places: list[Way] = [*paths(msgspec.json.decode(answer.body))] if answer.body else [()]
        if refusals and nth == 0 and b'"query"' in answer.asked and b'"errors"' not in answer.body:
            places += paths(ERRORS, ("errors",))
        found += [Case(operation, nth, path, value) for path in places for value in JSON_VALUES]
    return found


def some(of: list[Case], count: int, seed: int) -> Iterator[Case]:
    """So many of them: each field and each value about as often, the fields first."""
    chance = random.Random(seed)
    by_field: dict[tuple[str, int, Way | str], list[Case]] = {}
    for case in of:
        by_field.setdefault((case.operation, case.nth, case.where), []).append(case)
    fields = list(by_field.values())
    chance.shuffle(fields)
    for group in fields:
        chance.shuffle(group)
    for n in range(count):
        group = fields[n % len(fields)]
        yield group[n // len(fields) % len(group)]


async def trouble(it: Asked, case: Case, *more: Case) -> str:
    """What is wrong with how a value is taken: nothing if it is read, or is an error with words.

    ``more`` are values in the answers of the same operation.
    """
    it.left_out.clear()
    changes = [one.tamper() for one in (*more, case)]

    def tamper(answer: Answer) -> None:
        for change in changes:
            change(answer)

    with it.server.tampering(tamper):
        try:
            result = await operations()[case.operation](it)
        except GlboardError as error:
            return _unclean([error.message, error.hint, error.title])
        except Exception as error:  # noqa: BLE001  (any other is what is looked for)
            return f"{type(error).__name__}: {str(error)[:200]}"
    return _unclean(it.left_out) or _unusable(it, result)


def _unclean(texts: Iterable[str]) -> str:
    for text in texts:
        if len(text) > 1_200 or any(ord(letter) < 32 or 127 <= ord(letter) < 160 for letter in text):
            return f"an unclean message: {text[:200]!r}"
    return ""


def _unusable(it: Asked, result: object) -> str:
    """What was read can be stored, printed as JSON, and counted with."""
    try:
        plain = list(result.values()) if isinstance(result, dict) else result
        json.dumps(msgspec.to_builtins(plain, str_keys=True, enc_hook=str), ensure_ascii=False).encode()
        issues = list(_issues(result))
        it.store.put(issues)
        if isinstance(result, Catalog):
            it.store.put_catalog(result)
        for issue in issues:
            for at in (issue.created_at, issue.updated_at, issue.closed_at):
                if at is not None:
                    at.astimezone()
    except Exception as error:  # noqa: BLE001  (any is what is looked for)
        return f"read, but not usable: {type(error).__name__}: {str(error)[:200]}"
    return ""


def _issues(result: Any) -> Iterator[Issue]:
    if isinstance(result, Issue):
        yield result
    elif isinstance(result, dict):
        for one in result.values():
            yield from _issues(one)
    elif isinstance(result, list | tuple):
        for one in result:
            yield from _issues(one)
