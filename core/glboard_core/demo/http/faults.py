"""Faults on demand: random (seeded), or scripted for the next requests.

Owns the decision which request gets which fault. The gate carries it out.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random
from threading import Lock

KINDS = (
    "401",
    "403",
    "429",
    "500",
    "crash-before",
    "crash-after",
    "502",
    "503",
    "timeout",
    "reset-before",
    "reset-after",
    "partial",
    "slow",
    "drip",
    "html",
    "html-200",
)


class FaultSpecError(ValueError):
    """An invalid faults specification."""


@dataclass(slots=True)
class _Scripted:
    kind: str
    match: str
    times: int
    skip: int


@dataclass
class Faults:
    """A fault. `retry_after` in seconds applies to 429; `slow_seconds` is how long slow and drip take."""

    chances: dict[str, float] = field(default_factory=dict)
    seed: int = 0
    retry_after: int = 1
    slow_seconds: float = 1.0

    def __post_init__(self) -> None:
        self._random = Random(self.seed)
        self._scripted: list[_Scripted] = []
        self._lock = Lock()

    @classmethod
    def parse(cls, spec: str, *, seed: int = 0) -> Faults:
        """Parses `429:0.1,timeout:0.02`: kinds with their probability per request; `retry-after:N` and
        `slow-seconds:N` set what their names say."""
        faults = cls(seed=seed)
        for part in filter(None, (one.strip() for one in spec.split(","))):
            kind, _, amount = part.partition(":")
            try:
                value = float(amount)
            except ValueError:
                raise FaultSpecError(f"{part!r} is not KIND:PROBABILITY") from None
            if kind == "retry-after":
                faults.retry_after = int(value)
            elif kind == "slow-seconds":
                faults.slow_seconds = value
            elif kind not in KINDS:
                raise FaultSpecError(f"{kind!r} is not a fault; choose from {', '.join(KINDS)}")
            elif not 0 <= value <= 1:
                raise FaultSpecError(f"{part!r}: a probability must be between 0 and 1")
            else:
                faults.chances[kind] = value
        if sum(faults.chances.values()) > 1:
            raise FaultSpecError("the probabilities add up to more than 1")
        return faults

    def next(self, kind: str, match: str = "", *, times: int = 1, skip: int = 0) -> None:
        """Scripts a fault for the next requests (after `skip` of them) whose method, path, operation or
        top-level field names contain `match`."""
        if kind not in KINDS:
            raise FaultSpecError(f"{kind!r} is not a fault; choose from {', '.join(KINDS)}")
        with self._lock:
            self._scripted.append(_Scripted(kind, match, times, skip))

    def clear(self) -> None:
        """Removes all faults."""
        with self._lock:
            self._scripted.clear()
            self.chances.clear()

    def pick(self, what: str) -> str | None:
        """The fault for a request described as `METHOD path operation field field`."""
        with self._lock:
            for one in self._scripted:
                if one.match not in what:
                    continue
                if one.skip:
                    one.skip -= 1
                    continue
                one.times -= 1
                if one.times <= 0:
                    self._scripted.remove(one)
                return one.kind
            if not self.chances:
                return None
            roll = self._random.random()
            for kind, chance in self.chances.items():
                roll -= chance
                if roll < 0:
                    return kind
            return None
