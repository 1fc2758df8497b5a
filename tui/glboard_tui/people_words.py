"""People as cards name them, ``@birch`` for ``eng_birch``, also in the title of a change. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable

from glboard_core.board.operations import Op
from glboard_core.model.catalog import Catalog


def short_people(usernames: Iterable[str]) -> dict[str, str]:
    """Usernames without a prefix that several people share (``eng_alder``), if what is left is unique."""
    known = sorted(set(usernames))
    parts = {name: name.partition("_") if "_" in name else None for name in known}
    shared = Counter(part[0] for part in parts.values() if part)
    left = Counter(part[2] if part else name for name, part in parts.items())
    return {
        name: part[2] if part and part[2] and shared[part[0]] > 2 and left[part[2]] == 1 else name
        for name, part in parts.items()
    }


class PeopleWords:
    """Asks for the catalog only when a title names somebody."""

    def __init__(self, catalog: Callable[[], Catalog | None]) -> None:
        self._catalog = catalog
        self._made_of: Catalog | None = None
        self._short: dict[str, str] = {}

    def title(self, title: str, ops: Iterable[Op]) -> str:
        """The title with the people whom ``ops`` assign or unassign named as on cards."""
        edits = [edit for op in ops if (edit := op.change.as_edit) is not None]
        people = {name for edit in edits for name in (*edit.assign, *edit.unassign, *edit.assigned)}
        if not (named := [name for name in people if name in title]):
            return title
        words = "|".join(sorted(map(re.escape, named), key=len, reverse=True))
        return re.sub(rf"(?<![\w@.-])(?:{words})(?![\w-])", lambda found: self.name(found.group()), title)

    def spoken(self, words: str) -> str:
        """A text with everybody whom it mentions named as on cards."""
        return re.sub(r"@([\w.-]+\w)", lambda found: self.name(found[1]), words)

    def name(self, username: str) -> str:
        """A person as on the cards: ``@birch``."""
        return f"@{self.short(username)}"

    def short(self, username: str) -> str:
        """The same without the sign, where every word is a person."""
        catalog = self._catalog()
        if catalog is not None and catalog is not self._made_of:
            self._made_of, self._short = catalog, short_people(one.username for one in catalog.people)
        return self._short.get(username, username)
