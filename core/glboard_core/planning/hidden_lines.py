"""Editing a text that a shared screen shows in part: what was hidden comes back, what was edited stays."""

from __future__ import annotations

from difflib import SequenceMatcher


def with_hidden(edited: str, shown: str, whole: str) -> str:
    """``edited``, made of ``shown`` by a person, with what ``whole`` has at places that were left alone."""
    # The first line stands for the beginning, which is never edited.
    was, now, full = (["", *text.splitlines()] for text in (shown, edited, whole))
    #: Where each line that was not edited is now.
    kept: dict[int, int] = {}
    for block in SequenceMatcher(None, was, now, autojunk=False).get_matching_blocks():
        kept.update((block.a + n, block.b + n) for n in range(block.size))
    differences = SequenceMatcher(None, was, full, autojunk=False).get_opcodes()
    for kind, first, last, start, end in reversed(differences):
        if kind == "equal":
            continue
        if kind == "insert":
            # Behind the line before it, or before the line behind it, as long as one is there.
            place = kept[first - 1] + 1 if first - 1 in kept else kept.get(first)
            if place is not None:
                now[place:place] = full[start:end]
        elif all(line in kept for line in range(first, last)):
            now[kept[first] : kept[last - 1] + 1] = full[start:end]
    return "\n".join(now[1:])
