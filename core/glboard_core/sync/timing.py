"""All waits of the engine that are not configurable."""

from __future__ import annotations

from msgspec import Struct

#: Seconds for which a command takes what was read for complete, unless GitLab reports a change; and for which
#: it need not ask whose token it has.
RECENT, DAY = 600.0, 24 * 60 * 60.0


class Timing(Struct, frozen=True, kw_only=True):
    """Waits in seconds; tests shorten them."""

    #: After a failed attempt to send; doubled with each further one, up to ``longest_wait``.
    first_wait: float = 1.0
    longest_wait: float = 30.0
    #: The longest wait between two attempts to read.
    longest_read_wait: float = 60.0
    #: How long GitLab may continue a request whose connection broke (its own limit is 30).
    server_limit: float = 35.0
    #: How often a process without the send lease tries to get it.
    lease_check: float = 1.0
    #: Between two checks for what other processes wrote.
    follow: float = 0.5
    #: How long a command waits for another process that has the send lease.
    longest_flush: float = 60.0
    #: How long live events are gathered before the cards they name are read together; how long the view must
    #: rest before others are watched.
    gather: float = 0.3
    view_rest: float = 0.3
    #: After how long the merge requests of a card in view are read again: while one is open, when none is;
    #: the wait after a failure, doubled up to a few times.
    requests_age: float = 180.0
    settled_requests_age: float = 3_600.0
    requests_wait: float = 30.0
    #: After live events broke, doubled up to the longest; where they are refused; without focus.
    live_wait: float = 1.0
    longest_live_wait: float = 300.0
    live_refused: float = 900.0
    unattended: float = 10.0
    #: Up to this age, a read counts as fresh when a batch is sent.
    fresh: float = 1.0

    def wait(self, failures: int) -> float:
        """The wait after this many failures in a row (1 is the first)."""
        return min(self.longest_wait, self.first_wait * 2.0 ** min(max(failures, 1) - 1, 16))
