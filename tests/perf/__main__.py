"""Measures the program as a person meets it: in a terminal, against a GitLab that is already running.

``python -m tests.perf`` prints a table; ``--json FILE`` also writes every single figure. Nothing is asserted:
figures depend on the machine, so an empty Textual app is measured along with each start, in turns, and each
start waits up to 20 s until no one else uses the machine. On a shared one, the minimum says most.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from perf import first_start, keys, live, openings, organisation, starts
from perf.figures import Table, machine

#: Of these, a scenario is as large as one may be.
MOST_CARDS = 30_000


def main() -> int:
    """Measure what was asked for."""
    parser = argparse.ArgumentParser(prog="python -m tests.perf", description=__doc__)
    parser.add_argument("what", nargs="*", help="start, first, org, commands, keys, open, live; default: all")
    parser.add_argument("--runs", type=int, default=7, help="starts of each kind; rounds of keys (7)")
    parser.add_argument(
        "--issues",
        type=int,
        nargs="*",
        default=[1_000, 10_000],
        help="open issues in scope, in addition to none",
    )
    parser.add_argument("--cards", type=int, nargs="*", default=[100, 10_000], help="columns, at most 30,000")
    parser.add_argument(
        "--latency", type=float, default=100, metavar="MS", help="of first, org, commands, live (100)"
    )
    parser.add_argument("--idle", type=float, default=300, metavar="S", help="of live: left alone for (300)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every figure")
    given = parser.parse_args()
    table = Table()
    known = ["start", "first", "org", "commands", "keys", "open", "live"]
    what = given.what or known
    if unknown := sorted(set(what) - set(known)):
        parser.error(f"{', '.join(unknown)}: none of {', '.join(known)}")
    if max(given.cards, default=0) > MOST_CARDS:
        parser.error(f"--cards: a scenario of more than {MOST_CARDS:,} cards is larger than what demo reads")
    print(machine())
    with tempfile.TemporaryDirectory(prefix="glboard-perf-") as folder:
        home = Path(folder)
        if "start" in what:
            starts.measure(table, home, given.issues, given.runs)
        if "first" in what:
            first_start.measure(table, home, given.issues, given.runs, given.latency)
        if "org" in what:
            organisation.measure(table, home, given.runs, given.latency)
        if "commands" in what:
            organisation.measure_commands(table, home, given.runs, given.latency)
        if "keys" in what:
            keys.measure(table, home, given.cards, given.runs)
        if "open" in what:
            openings.measure(table, home, given.issues, given.runs)
        if "live" in what:
            live.measure(table, home, given.runs, given.latency, given.idle)
    if given.json:
        given.json.write_text(json.dumps({"machine": machine(), "figures": table.as_data()}, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
