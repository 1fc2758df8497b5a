"""The invisible markers in texts that glboard posts: HTML comments by which notes and issues are found."""

from __future__ import annotations

import re

_OP, _NOTE, _END = "<!-- glboard:", "<!-- glboard note: ", " -->"


def marked(text: str, op: str) -> str:
    """The text with the marker of the Op that wrote it: an HTML comment, which GitLab does not show."""
    return _followed(text, f"{_OP}{op}{_END}")


def _followed(text: str, mark: str) -> str:
    # Line breaks at the end GitLab takes off; all else is as it was typed.
    return "\n\n".join([*([text.rstrip("\r\n")] if text.strip() else []), mark])


def split_marker(text: str) -> tuple[str, str | None]:
    """A body without our marker, and the Op id from it; None if it does not end with a marker."""
    body, op = _split(text, _OP)
    return (text, None) if op is None or any(map(str.isspace, op)) else (body, op)


def with_mark(text: str, mark: str) -> str:
    """The text with the invisible mark of its kind, by which it is found again to be updated."""
    return _followed(text, f"{_NOTE}{_plain(mark)}{_END}")


def split_mark(text: str) -> tuple[str, str]:
    """A body (without Op marker) split into the text without the mark of its kind, and that mark or ""."""
    body, mark = _split(text, _NOTE)
    return (text, "") if mark is None or "\n" in mark else (body, mark)


def _split(text: str, begin: str) -> tuple[str, str | None]:
    """The text before a comment at its very end that begins like this, and what is in the comment."""
    whole = text.rstrip()
    at = whole.rfind(begin) if whole.endswith(_END) else -1
    inside = whole[at + len(begin) : -len(_END)]
    if at < 0 or not inside or "<" in inside or ">" in inside:
        return text, None
    return whole[:at].rstrip("\n"), inside


def same_mark(mark: str, found: str) -> bool:
    """Whether a mark that was read back is this one."""
    return _plain(mark) == found


def _plain(mark: str) -> str:
    # Remove whatever would end an HTML comment.
    return re.sub(r"(?:[<>\s]|--+)+", " ", mark).strip() or "-"
