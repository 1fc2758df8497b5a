"""The environment of this process and of its children: tokens stay in this process.

Standard library only, since the embedded GitLab's child needs it too. Tokens in the environment are taken out
of it once, at the start: nothing that is started later, by us or by a library (an editor, a browser, a
helper), can inherit one.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

#: The variables that hold a token, as glab and python-gitlab know them, and CI's own.
TOKENS = ("GITLAB_TOKEN", "GITLAB_ACCESS_TOKEN", "OAUTH_TOKEN", "GITLAB_PRIVATE_TOKEN", "CI_JOB_TOKEN")

_taken: dict[str, str] = {}


def take_tokens() -> None:
    """Take the tokens out of this process's environment; ``environment`` still has them."""
    for name in TOKENS:
        if (value := os.environ.pop(name, None)) is not None:
            _taken[name] = value


def keep_private() -> None:
    """Whatever this process or a child creates from now on is readable only by its owner."""
    os.umask(0o077)


def environment() -> Mapping[str, str]:
    """The environment as it was at the start: to look for a token in, never to pass on."""
    return {**os.environ, **{name: text for name, text in _taken.items() if name not in os.environ}}


def for_child() -> dict[str, str]:
    """The environment for a child process: without tokens, and without modules of the current folder."""
    found = {name: value for name, value in os.environ.items() if name not in TOKENS}
    if (path := found.get("PYTHONPATH")) is not None:
        # An empty or relative entry is the folder that glboard was started in: anybody's code may lie there.
        found["PYTHONPATH"] = os.pathsep.join(filter(os.path.isabs, path.split(os.pathsep)))
    return found
