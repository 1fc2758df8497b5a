"""How many changes go into one document: as many as the server makes in two to three seconds.

Owns what was measured in this session on one server. A document that takes much longer keeps other people and
the person waiting, and GitLab stops one after 30 seconds; a smaller one costs a request for little.
"""

from __future__ import annotations

#: Mutations in a document before anything was measured.
FIRST = 10
#: No document has more; GitLab's complexity limit is usually reached before.
MOST = 60
#: Seconds that a document should take, and the range in which the size stays as it is.
AIM, SHORT, LONG = 2.5, 2.0, 3.0


class BatchSize:
    """The size for the next document."""

    def __init__(self) -> None:
        #: The most mutations in one document.
        self.most = FIRST

    def answered(self, calls: int, seconds: float) -> None:
        """A document of ``calls`` mutations was answered after ``seconds``."""
        fits = int(calls * AIM / max(seconds, 0.001))
        # A document far from full shows what a request costs, rather than what a mutation does.
        if seconds > LONG and calls * 2 >= self.most:
            self.most = max(1, fits, self.most // 4)
        elif seconds < SHORT and calls >= self.most:
            self.most = min(MOST, 2 * self.most, max(self.most, fits))

    def timed_out(self) -> None:
        """A document was not answered in time."""
        self.most = max(1, self.most // 2)
