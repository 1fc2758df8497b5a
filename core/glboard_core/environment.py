"""The environment of this process and of its children: tokens stay in this process.

Standard library only, since the embedded GitLab's child needs it too. Tokens in the environment are taken out
of it once, at the start: nothing that is started later, by us or by a library (an editor, a browser, a
helper), can inherit one.
"""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

#: The variables that hold a token, as glab, python-gitlab and others know them, and CI's own.
TOKENS = (
    "GITLAB_TOKEN",
    "GITLAB_ACCESS_TOKEN",
    "OAUTH_TOKEN",
    "GITLAB_PRIVATE_TOKEN",
    "GITLAB_OAUTH_TOKEN",
    "GITLAB_JOB_TOKEN",
    "GL_TOKEN",
    "CI_JOB_TOKEN",
)

_taken: dict[str, str] = {}


def take_tokens() -> None:
    """Take the tokens out of this process's environment; ``environment`` still has them."""
    for name in TOKENS:
        if (value := os.environ.pop(name, None)) is not None:
            _taken[name] = value


def leave_folder() -> None:
    """From now on nothing is found in the current folder, where anybody's files may lie: no module that is
    imported later, and no program that we or a library look for by its name."""
    paths = os.environ.get("PYTHONPATH", "")
    with suppress(OSError):  # the folder is gone
        here = os.getcwd()
        # Python makes an empty entry the folder that it was started in.
        if paths and here in map(os.path.abspath, paths.split(os.pathsep)):
            ours = str(Path(__file__).parents[1])
            sys.path[:] = [one for one in sys.path if one not in ("", here) or here == ours]
    os.environ.update(_absolute(os.environ))


def _absolute(env: Mapping[str, str]) -> dict[str, str]:
    """The variables that say where modules and programs are, without entries in the current folder."""
    split = ((name, env[name].split(os.pathsep)) for name in ("PATH", "PYTHONPATH") if name in env)
    found = {name: os.pathsep.join(filter(os.path.isabs, places)) for name, places in split}
    if found.get("PATH") == "":
        # An empty one is the current folder again: then the system's own places, as without any.
        found["PATH"] = os.defpath
    return found


def find_home() -> str:
    """See to it that there is a home; returns the folder that stands for one, "" if there is a real one.

    The user of a container often has none: neither HOME nor an entry in the system's list of users. Where
    that is so, a folder of this user's own among the temporary ones takes its place.
    """
    if not os.path.isabs(os.environ.get("HOME") or ""):
        # Empty or relative, it would be the current folder.
        os.environ.pop("HOME", None)
    if os.path.isabs(os.path.expanduser("~")):
        return ""
    import tempfile  # rarely needed, and slow to import

    folder = os.path.join(tempfile.gettempdir(), f"glboard-{os.getuid()}")
    try:
        with suppress(FileExistsError):
            os.mkdir(folder, 0o700)
        found = os.lstat(folder)
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
            # Somebody else's: everyone can make folders there.
            folder = tempfile.mkdtemp(prefix="glboard-")
    except OSError:
        # Nothing can be kept: whatever tries says so.
        folder = os.path.join(os.sep, "nonexistent")
    os.environ["HOME"] = folder
    return folder


def keep_private() -> None:
    """Whatever this process or a child creates from now on is readable only by its owner."""
    os.umask(0o077)


def environment() -> Mapping[str, str]:
    """The environment as it was at the start: to look for a token in, never to pass on."""
    return {**os.environ, **{name: text for name, text in _taken.items() if name not in os.environ}}


def for_child() -> dict[str, str]:
    """The environment for a child process: without tokens, and without what lies in the current folder."""
    found = {name: value for name, value in os.environ.items() if name not in TOKENS}
    return found | _absolute(found)
