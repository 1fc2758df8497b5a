"""Reports every program that the product starts with a token in its arguments or environment.

Python imports a module of this name at its start, whatever it runs. ``support.token_watch`` puts a copy on
the path of the test run: it is in the workers, in each glboard that a test starts, and in what those start.
Standard library only, and none of it is imported before something is reported.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping
from typing import Any

#: What GitLab's tokens look like, and those that tests plant.
_SIGNS = ("glpat-", "gloas-", "glrt-", "gldt-", "glcbt-", "glptt-", "planted-")
#: GitLab's OAuth tokens are 64 hexadecimal digits.
_HEXADECIMAL = "x"
_DIGITS = str.maketrans(dict.fromkeys("0123456789abcdef", _HEXADECIMAL) | {_HEXADECIMAL: " "})
#: Variables that hold a token, whatever it looks like: ``glboard_core.environment.TOKENS``, and ours to come.
_NAMES = frozenset(
    {"GITLAB_TOKEN", "GITLAB_ACCESS_TOKEN", "OAUTH_TOKEN", "GITLAB_PRIVATE_TOKEN", "CI_JOB_TOKEN"}
    | {"GLBOARD_TOKEN", "PRIVATE_TOKEN"}
)
#: Audit events that start a program, and where its arguments and its environment are among their values.
_STARTS = {
    "subprocess.Popen": (1, 3),
    "os.exec": (1, 2),
    "os.posix_spawn": (1, 2),
    "os.spawn": (2, 3),
    "os.system": (0, None),
}
_PRODUCT = tuple(f"{os.sep}{name}{os.sep}" for name in ("glboard_core", "glboard_tui", "glboard_styles"))
_REPORTS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "reports")


def _hook(event: str, values: tuple[Any, ...]) -> None:
    if (places := _STARTS.get(event)) is None or not _started_by_product():
        return
    arguments, environment = places
    given = values[environment] if environment is not None else None
    if (wrong := what_is_wrong(values[arguments], os.environ if given is None else given)) is not None:
        with open(_REPORTS, "a", encoding="utf-8") as file:
            # The program's name only: a report that quotes a token is one more copy of it.
            file.write(f"{_text(values[0]).split(' ')[0]} was started with {wrong}\n")


def what_is_wrong(arguments: Any, environment: Mapping[Any, Any]) -> str | None:
    """The first token that a program is given: in its arguments, or by the name of a variable."""
    several = (arguments,) if isinstance(arguments, str | bytes) else arguments or ()
    if any(map(_is_token, several)):
        return "a token in its arguments"
    for name, value in environment.items():
        if _text(name) in _NAMES and _text(value):
            return f"a token in {_text(name)}"
        if _is_token(value):
            return f"a token in {_text(name)}"
    return None


def _is_token(value: Any) -> bool:
    text = _text(value)
    return any(sign in text for sign in _SIGNS) or _HEXADECIMAL * 64 in text.translate(_DIGITS)


def _text(value: Any) -> str:
    return os.fsdecode(value) if isinstance(value, str | bytes | os.PathLike) else str(value)


def _started_by_product() -> bool:
    """Whether code of the product is on the stack: a test may give a token to glboard, glboard to no one."""
    return any(part in name for name in _files_on_stack() for part in _PRODUCT)


def _files_on_stack() -> Iterable[str]:
    frame = sys._getframe(1)
    while frame is not None:
        yield frame.f_code.co_filename
        frame = frame.f_back  # type: ignore[assignment]


sys.addaudithook(_hook)
