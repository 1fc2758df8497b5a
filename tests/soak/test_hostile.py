"""100,000 hostile values in the answers of every operation, and an hour's worth of them on the screen.

Run as ``python -m pytest -n0 -s tests/soak/test_hostile.py``; it prints what was found. ``HOSTILE_VALUES`` in
the environment is another number of values.
"""

from __future__ import annotations

import gc
import os
import random
import time
from pathlib import Path

from hostile.generator import Case, cases, some, trouble
from hostile.operations import Asked, rich_world
from hostile.screens import malicious_stage, press_through
from hostile.tampering import MaliciousServer

COUNT = int(os.environ.get("HOSTILE_VALUES", "100000"))
#: How often the whole board is read with hostile values.
ROUNDS = max(20, COUNT // 250)
MIB = 1024 * 1024
#: What the whole process may take, the server and the tests in it, and how long the screen may stand still.
MOST_MEMORY, MOST_SECONDS = 200 * MIB, 5.0


def memory() -> int:
    """Bytes of this process now."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


async def test_no_value_leads_to_anything_but_an_error_with_words() -> None:
    wrong: list[str] = []
    slowest, most = (0.0, ""), 0
    with MaliciousServer(rich_world()) as server:
        it = await Asked(server).open()
        async with it.gateway:
            every = await cases(it)
            by_operation: dict[str, list[Case]] = {}
            for case in every:
                by_operation.setdefault(case.operation, []).append(case)
            chance = random.Random(5)
            for n, case in enumerate(some(every, COUNT, seed=5)):
                # Once each was there alone, two at a time.
                more = [chance.choice(by_operation[case.operation])] if n >= len(every) else []
                started = time.monotonic()
                if found := await trouble(it, case, *more):
                    wrong.append(f"{case} {' '.join(map(str, more))}: {found}")
                slowest = max(slowest, (time.monotonic() - started, str(case)))
                server.answers.clear()
                if n % 500 == 0:
                    most = max(most, memory())
    print(f"{COUNT:,} values of {len(every):,}: {len(wrong)} wrong; at most {most / MIB:.0f} MiB, {slowest}")
    assert wrong == []
    assert most < MOST_MEMORY
    assert slowest[0] < MOST_SECONDS


async def test_the_screen_answers() -> None:
    gc.collect()
    async with malicious_stage() as (stage, server):
        before = stage.cards()
        longest = await press_through(stage, server, rounds=ROUNDS, seed=6)
        taken = memory()
        after = stage.cards()
    print(f"{ROUNDS} rounds: at most {longest:.1f} s until a key was shown, {taken / MIB:.0f} MiB")
    assert after == before
    assert longest < MOST_SECONDS
    assert taken < MOST_MEMORY
