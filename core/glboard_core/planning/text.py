"""Remote text in GitLab's Markdown: as plain text, in a table, with nothing that GitLab would act on.

Owns escaping. A reader sees the title as it is; it causes no mention, reference, formatting or quick action
(FACTS section 4: quick actions also run in descriptions), and it cannot end one of our comments.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

#: Characters of Markdown and HTML, and those that start one of GitLab's references.
_SPECIAL = frozenset("\\`*_{}[]<>|#~@!$%&^")


def plain(text: str) -> str:
    """Text as one literal line. A backslash disables special characters, including GitLab's references.

    A slash at the start, where a quick action would begin, is escaped as well.
    """
    flat = " ".join(text.split())
    escaped = "".join("\\" + char if char in _SPECIAL else char for char in flat)
    return "\\" + escaped if escaped.startswith("/") else escaped


def table(heads: Sequence[str], rows: Iterable[Sequence[str]], *, right: frozenset[int] = frozenset()) -> str:
    """A table of cells that already are Markdown; the columns in ``right`` are right-aligned."""
    rule = " | ".join("---:" if n in right else "---" for n in range(len(heads)))
    lines = [f"| {' | '.join(heads)} |", f"| {rule} |"]
    lines += [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join(lines)
