"""Cleans text: from the server, so that nothing above ever sees a control character; and what a person typed,
of which GitLab refuses NUL."""

from __future__ import annotations

import re

# Patterns are compiled (and cached by ``re``) on first use: the board opens without them.
# First complete terminal sequences, then any remaining control characters.
# Each pattern takes one pass: no part of a match can begin another, so that no one can stop the program by
# writing a comment of a million characters.
_SEQUENCE = (
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"  # CSI
    r"|(?:\x1b\]|\x9d)[^\x07\x1b\x90\x98\x9b-\x9f\n]*(?:\x07|\x1b\\|\x9c)"  # OSC
    r"|(?:\x1b[PX^_]|[\x90\x98\x9e\x9f])[^\x1b\x90\x98\x9b-\x9f\n]*(?:\x1b\\|\x9c)"  # DCS, SOS, PM, APC
    r"|\x1b[ -/]*[0-Z\\^_`a-~]"  # two-character escapes
)
_BREAK = r"\r\n?|[\x0b\x0c\x85\u2028\u2029]"
# Control characters except tab and newline, the bidi overrides and isolates (which can disguise the order of
# text), the byte order mark, and halves of surrogate pairs, which have no encoding. Right-to-left letters,
# joiners and their marks are kept.
_CONTROL = r"[\x00-\x08\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]"


def line(text: str) -> str:
    """One clean line: a title, a name, a label."""
    if text.isprintable():
        return text
    return re.sub(r"[\t\n]+", " ", clean_body(text))


def typed_body(text: str) -> str:
    r"""What a person typed, as it is, with ``\n`` between lines and without the one character GitLab refuses.

    Raises UnicodeEncodeError for an argument that could not be decoded: its letters are not thrown away.
    """
    text.encode()
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "")


def clean_body(text: str) -> str:
    r"""Clean text of any number of lines, with ``\n`` between them."""
    if text.isprintable():
        return text
    return re.sub(_CONTROL, "", re.sub(_BREAK, "\n", re.sub(_SEQUENCE, "", text)))
