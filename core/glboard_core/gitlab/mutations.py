"""The documents that change issues.

Owns the payloads requested back, and their cost; the parts of each field are in ``queries.py``. How a change
becomes an input is in ``encode.py``.
"""

from __future__ import annotations

from functools import cache

from msgspec import Struct

from glboard_core.gitlab.dialect import Dialect, widgets
from glboard_core.gitlab.queries import LINKS, TOUCHED, card

#: The maximum cost of one ``createIssue`` with all fields of a card.
CREATE_COST = 41

STATUS_BACK = (
    "workItem { id updatedAt state closedAt"
    " widgets(onlyTypes: [STATUS]) { ... on WorkItemWidgetStatus { status { name } } } }"
)


@cache
def links_back(dialect: Dialect) -> str:
    """The payload to request from a mutation of links: what is linked then, whatever it says of errors."""
    blocked = "blocked " if dialect.ee else ""
    return (
        f"errors workItem {{ id updatedAt {widgets('LINKED_ITEMS', dialect)}"
        f" {{ ... on WorkItemWidgetLinkedItems {{ {blocked}linkedItems(first: {LINKS})"
        " { pageInfo { hasNextPage } nodes { linkType workItem { id } } } } } }"
    )


#: The maximum cost of a mutation of links.
LINK_COST = 30


def issue_back(fields: tuple[str, ...]) -> tuple[str, int]:
    """The payload to request from a mutation that returns an issue, and the cost including the mutation."""
    extra = [TOUCHED[name] for name in fields]
    text = " ".join(("id updatedAt", *(part for part, _ in extra)))
    return f"errors issue {{ {text} }}", 5 + sum(cost for _, cost in extra)


class Mutation(Struct, frozen=True, kw_only=True):
    """One mutation of a document: its field, its input and the requested payload."""

    field: str
    input: dict[str, object]
    back: str
    cost: int
    #: Whether the payload contains the whole card.
    card: bool = False

    @property
    def text(self) -> str | None:
        """The description or comment it writes, if any."""
        found = self.input.get("description", self.input.get("body"))
        return found if isinstance(found, str) else None

    @property
    def input_type(self) -> str:
        """GitLab's name for the type of its input."""
        return f"{self.field[0].upper()}{self.field[1:]}Input"


def mutation(calls: tuple[Mutation, ...], dialect: Dialect) -> tuple[str, dict[str, object]]:
    """The document with these calls in order, as m0, m1…, and its variables."""
    names = ", ".join(f"$i{n}: {call.input_type}!" for n, call in enumerate(calls))
    fields = " ".join(f"m{n}: {call.field}(input: $i{n}) {{ {call.back} }}" for n, call in enumerate(calls))
    cards = f" {card(dialect)}" if any(call.card for call in calls) else ""
    return f"mutation Send({names}) {{ {fields} }}{cards}", {f"i{n}": c.input for n, c in enumerate(calls)}
