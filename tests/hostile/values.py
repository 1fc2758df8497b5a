"""Texts that anybody who may comment can write, of any size."""

from __future__ import annotations

from collections.abc import Callable

#: A name, and the text of about ``n`` characters. Each made a program stand still once.
TEXTS: dict[str, Callable[[int], str]] = {
    "comments that never end": lambda n: "<!--" * (n // 4),
    "comments that end": lambda n: "<!---->" * (n // 7),
    "line breaks": lambda n: "\n" * n,
    "carriage returns": lambda n: "\r" * n,
    "control strings": lambda n: "\x9d" * n,
    "every string opener": lambda n: "\x90\x98\x9d\x9e\x9f\x9b" * (n // 6),
    "escapes": lambda n: "\x1b[" * (n // 2),
    "escape parameters": lambda n: "\x1b[" + "0;" * (n // 2),
    "operating system commands": lambda n: "\x1b]0;a" * (n // 5),
    "markers": lambda n: "<!-- glboard:" * (n // 13),
    "markers and breaks": lambda n: "\n\n<!-- glboard:x -->" * (n // 19),
    "note markers": lambda n: "<!-- glboard note: " * (n // 19),
    "fences": lambda n: "```\n" * (n // 4),
    "fences of growing length": lambda n: "".join("`" * m + "\n" for m in range(3, int((2 * n) ** 0.5))),
    "backticks": lambda n: "`a\n" * (n // 3),
    "commands": lambda n: "/close\n" * (n // 7),
    "brackets": lambda n: "[" * n,
    "images": lambda n: "![" * (n // 2),
    "stars": lambda n: "**a* " * (n // 5),
    "quotes": lambda n: ">" * n,
    "lists in lists": lambda n: "- " * (n // 2),
    "list": lambda n: "- a\n" * (n // 4),
    "table": lambda n: "|a|b|\n|-|-|\n" + "|x|y|\n" * (n // 6),
    "wide table": lambda n: "|" + "a|" * (n // 4) + "\n|" + "-|" * (n // 4),
    "blanks": lambda n: " " * n + "x",
    "dashes": lambda n: "-" * n,
    "code of a language": lambda n: "```python\n" + "(" * n + "\n```",
    "joined signs": lambda n: "e" + "\u0301" * n,
    "direction marks": lambda n: "\u202e\u2066" * (n // 2),
    "surrogates": lambda n: "\ud800" * n,
    "boards marks": lambda n: "<!-- glboard boards" + " 1" * (n // 2),
    "sections": lambda n: "<!-- glboard:begin a" + " " * n,
    "owner mark": lambda n: "<!-- glboard planning " + " " * n,
    "placeholders": lambda n: "{" * n,
}
