"""Remote text made harmless, and the invisible marker that our own texts carry.

Owns what is taken out of every title, name and body before it becomes part of a model value, and what is put
into bodies so that GitLab saves them as they are. It must not know markup of any screen: what stays is text.
"""

from __future__ import annotations

import re

# Terminal sequences first, whole; then whatever control characters are left.
_SEQUENCE = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"  # CSI
    r"|(?:\x1b\]|\x9d)[^\x07\x1b\x9c\n]*(?:\x07|\x1b\\|\x9c)"  # OSC
    r"|(?:\x1b[PX^_]|[\x90\x98\x9e\x9f])[^\x1b\x9c\n]*(?:\x1b\\|\x9c)"  # DCS, SOS, PM, APC
    r"|\x1b[ -/]*[0-Z\\^_`a-~]"  # two-character escapes
)
_BREAK = re.compile(r"\r\n?|[\x0b\x0c\x85\u2028\u2029]")
# Controls except tab and newline, the bidi overrides and isolates (which can make text lie about its order),
# and the byte order mark. Right-to-left letters, joiners and their marks stay.
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
    return _BLANK.sub(" ", body(text))


def body(text: str) -> str:
    r"""Clean text of any number of lines, with ``\n`` between them."""
    if text.isprintable():
        return text
    return _CONTROL.sub("", _BREAK.sub("\n", _SEQUENCE.sub("", text)))


def marked(text: str, op: str) -> str:
    """The text with the marker that tells which Op wrote it: an HTML comment, which GitLab does not show."""
    return f"{text.rstrip()}\n\n<!-- glboard:{op} -->".lstrip("\n")


def split_marker(text: str) -> tuple[str, str | None]:
    """A body without our marker, and the Op's id from it; none where there is no marker at its end."""
    found = _MARKER.search(text)
    return (text[: found.start()], found["op"]) if found else (text, None)


def kept(text: str, mark: str) -> str:
    """The text with the mark of its kind, by which it is found again to be written anew: invisible, too."""
    return f"{text.rstrip()}\n\n<!-- glboard note: {_plain(mark)} -->".lstrip("\n")


def split_kind(text: str) -> tuple[str, str]:
    """A body (without its Op's marker) without the mark of its kind, and that mark; "" where it has none."""
    found = _KIND.search(text)
    return (text[: found.start()], found["mark"]) if found else (text, "")


def same_kind(mark: str, found: str) -> bool:
    """Whether a mark that was read back is this one."""
    return _plain(mark) == found


def _plain(mark: str) -> str:
    # Nothing in it may end an HTML comment.
    return re.sub(r"(?:[<>\s]|--+)+", " ", mark).strip() or "-"


def literal(text: str) -> str:
    """The text with nothing in it that GitLab would run as a quick action (FACTS section 4).

    A command is a line that starts with a slash, outside a fenced code block. A backslash before the slash
    ends that, and Markdown shows ``\\/`` as ``/``: what a reader sees is what was typed.
    """
    pieces: list[str] = []
    at = 0
    for fence in _FENCE.finditer(text):
        pieces.append(_COMMAND.sub(r"\1\\/", text[at : fence.start()]))
        pieces.append(fence[0])
        at = fence.end()
    pieces.append(_COMMAND.sub(r"\1\\/", text[at:]))
    return "".join(pieces)
