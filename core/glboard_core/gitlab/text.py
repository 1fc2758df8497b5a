"""Sanitises remote text, and adds and reads the invisible markers in texts we post.

Owns what is removed from every title, name and body before it becomes part of a model value, and what is
escaped in bodies so that GitLab saves them unchanged. It must not know the markup of any screen.
"""

from __future__ import annotations

import re

# First complete terminal sequences, then any remaining control characters.
_SEQUENCE = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"  # CSI
    r"|(?:\x1b\]|\x9d)[^\x07\x1b\x9c\n]*(?:\x07|\x1b\\|\x9c)"  # OSC
    r"|(?:\x1b[PX^_]|[\x90\x98\x9e\x9f])[^\x1b\x9c\n]*(?:\x1b\\|\x9c)"  # DCS, SOS, PM, APC
    r"|\x1b[ -/]*[0-Z\\^_`a-~]"  # two-character escapes
)
_BREAK = re.compile(r"\r\n?|[\x0b\x0c\x85\u2028\u2029]")
# Control characters except tab and newline, the bidi overrides and isolates (which can disguise the order of
# text), and the byte order mark. Right-to-left letters, joiners and their marks are kept.
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufeff]")
_BLANK = re.compile(r"[\t\n]+")

_MARKER = re.compile(r"\n*<!-- glboard:(?P<op>[^\s<>]+?) -->\s*$")
_KIND = re.compile(r"\n*<!-- glboard note: (?P<mark>[^<>\n]+?) -->\s*$")
_FENCE = re.compile(r"^```.*\n(?:.*\n)*?```[ \t]*$", re.MULTILINE)
_COMMAND = re.compile(r"^( {0,3})/(?=[A-Za-z])", re.MULTILINE)


def line(text: str) -> str:
    """One clean line: a title, a name, a label."""
    if text.isprintable():
        return text
    return _BLANK.sub(" ", clean_body(text))


def clean_body(text: str) -> str:
    r"""Clean text of any number of lines, with ``\n`` between them."""
    if text.isprintable():
        return text
    return _CONTROL.sub("", _BREAK.sub("\n", _SEQUENCE.sub("", text)))


def marked(text: str, op: str) -> str:
    """The text with the marker of the Op that wrote it: an HTML comment, which GitLab does not show."""
    return f"{text.rstrip()}\n\n<!-- glboard:{op} -->".lstrip("\n")


def split_marker(text: str) -> tuple[str, str | None]:
    """A body without our marker, and the Op id from it; None if it does not end with a marker."""
    found = _MARKER.search(text)
    return (text[: found.start()], found["op"]) if found else (text, None)


def kept(text: str, mark: str) -> str:
    """The text with the invisible mark of its kind, by which it is found again to be updated."""
    return f"{text.rstrip()}\n\n<!-- glboard note: {_plain(mark)} -->".lstrip("\n")


def split_kind(text: str) -> tuple[str, str]:
    """A body (without Op marker) split into the text without the mark of its kind, and that mark or ""."""
    found = _KIND.search(text)
    return (text[: found.start()], found["mark"]) if found else (text, "")


def same_kind(mark: str, found: str) -> bool:
    """Whether a mark that was read back is this one."""
    return _plain(mark) == found


def _plain(mark: str) -> str:
    # Remove whatever would end an HTML comment.
    return re.sub(r"(?:[<>\s]|--+)+", " ", mark).strip() or "-"


def literal(text: str) -> str:
    """The text with everything escaped that GitLab would run as a quick action (FACTS section 4).

    A quick action is a line that starts with a slash, outside a fenced code block. A backslash before the
    slash prevents that, and Markdown renders ``\\/`` as ``/``: readers see what was typed.
    """
    pieces: list[str] = []
    at = 0
    for fence in _FENCE.finditer(text):
        pieces.append(_COMMAND.sub(r"\1\\/", text[at : fence.start()]))
        pieces.append(fence[0])
        at = fence.end()
    pieces.append(_COMMAND.sub(r"\1\\/", text[at:]))
    return "".join(pieces)
