"""Letters for people: ``d`` and a letter accepts an issue for that person.

Pure. The letters stay the same as long as the people do, so that fingers can learn them.
"""

from __future__ import annotations

from collections.abc import Iterable

_ALPHABET = "abcdefghijklmnopqrstuvwxyz"


def letters_for(usernames: Iterable[str]) -> dict[str, str]:
    """Usernames by letter, one letter each: from the distinctive part of the name, then any unused letter.

    >>> letters_for(["eng_alder", "eng_birch", "pm_ash"])
    {'a': 'eng_alder', 's': 'pm_ash', 'b': 'eng_birch'}
    """
    names = sorted(set(usernames))
    # Names often share a prefix ("eng_"), so the last part tells who it is.
    telling = {name: _telling(name) for name in names}
    given: dict[str, str] = {}
    left: list[str] = []
    for name in names:
        first = telling[name][:1]
        if first and first not in given:
            given[first] = name
        else:
            left.append(name)
    rest: list[str] = []
    for name in left:
        letter = next((c for c in telling[name] if c not in given), None)
        if letter is None:
            rest.append(name)
        else:
            given[letter] = name
    free = [c for c in (*_ALPHABET, *_ALPHABET.upper()) if c not in given]
    given.update(zip(free, rest, strict=False))
    return dict(sorted(given.items(), key=lambda pair: telling[pair[1]]))


def _telling(name: str) -> str:
    parts = [p for p in name.casefold().replace("-", "_").replace(".", "_").split("_") if p]
    return "".join(c for c in (parts[-1] if parts else "") if c in _ALPHABET)


def keys_for_labels(titles: Iterable[str], prefix: str) -> dict[str, str]:
    """Labels of a scope by key: the text after the prefix if it is one character, else a free letter of it.

    >>> keys_for_labels(["priority::1", "priority::2", "priority::later"], "priority::")
    {'1': 'priority::1', '2': 'priority::2', 'l': 'priority::later'}
    """
    given: dict[str, str] = {}
    for title in sorted({title for title in titles if title.startswith(prefix) and title != prefix}):
        rest = title.removeprefix(prefix).casefold()
        wanted = [c for c in (rest if len(rest) > 1 else rest + _ALPHABET) if c.isalnum()]
        key = next((c for c in (*wanted, *_ALPHABET) if c not in given), "")
        if key:
            given[key] = title
    return given
