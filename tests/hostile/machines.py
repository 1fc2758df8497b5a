"""Every command of glboard, and machines on which something is missing, full, closed or odd.

Owns the commands (``test_matrix.py`` fails when one is not among them), the conditions, and what is wrong
with how a command ended.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import click
from msgspec import Struct, field

from glboard_tui.cli.main import COMMANDS, cli

MAIN = "from glboard_tui.cli.main import main; main()"
#: Seconds after which a command hangs, on a slow machine, too.
PATIENCE = 60.0
LIMITS = "import os, resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0)); "

#: Each command with arguments with which it works, ``{file}`` a file to write and ``{plan}`` one to read.
CALLS: dict[str, tuple[str, ...]] = {
    "": (),
    "--version": ("--version",),
    "--help": ("--help",),
    "open": ("open", "planning"),
    "demo": ("demo",),
    "show": ("show", "planning", "--milestone", "19.7"),
    "report": ("report", "capacity", "19.7"),
    "plan export": ("plan", "export", "19.7", "-o", "{file}"),
    "plan import": ("plan", "import", "{plan}"),
    "plan lock": ("plan", "lock", "19.7", "--replace"),
    "plan restore": ("plan", "restore", "19.7", "1"),
    "plan show": ("plan", "show", "19.7"),
    "edit": ("edit", "top/app#1", "--weight", "2", "--yes"),
    "milestone open": ("milestone", "open", "19.7", "--dry-run"),
    "undo": ("undo", "--list"),
    "failed discard": ("failed", "discard", "--all"),
    "failed list": ("failed", "list"),
    "failed retry": ("failed", "retry", "--all"),
    "config boards": ("config", "boards"),
    "config check": ("config", "check", "--online"),
    "config edit": ("config", "edit"),
    "config init": ("config", "init", "--yes"),
    "config path": ("config", "path"),
    "config schema": ("config", "schema"),
    "config show": ("config", "show"),
    "auth login": ("auth", "login", "--stdin"),
    "auth logout": ("auth", "logout"),
    "auth refresh": ("auth", "refresh"),
    "auth status": ("auth", "status"),
    "doctor": ("doctor",),
    "completion": ("completion", "bash"),
    "man": ("man",),
}


def names() -> Iterator[str]:
    """The names of all commands, as in ``glboard --help``."""

    def of(command: click.Command | None, name: str) -> Iterator[str]:
        if isinstance(command, click.Group):
            for inside in command.list_commands(context):
                yield from of(command.get_command(context, inside), f"{name} {inside}")
        else:
            yield name

    context = click.Context(cli)
    for one in COMMANDS:
        yield from of(cli.get_command(context, one), one)


class Machine(Struct, frozen=True, kw_only=True):
    """How a command is started: ``before`` runs in its process first, ``shell`` redirects its streams.

    ``prepare`` changes its home, ``env`` adds to its environment (None takes away). ``quiet``: nothing of it
    can be read, so that its exit status is all there is.
    """

    env: Mapping[str, str | None] = field(default_factory=dict)
    before: str = ""
    shell: str = ""
    prepare: Callable[[Path], None] | None = None
    quiet: bool = False


def _a_file_for_each_folder(home: Path) -> None:
    for name in ("config", "state", "data", "cache"):
        (home / name).write_text("not a folder")


def _folders_that_lead_nowhere(home: Path) -> None:
    for name in ("config", "state"):
        (home / name).symlink_to(name)


def _pipes_for_files(home: Path) -> None:
    for name in ("config/glboard/config.toml", "config/glboard/team.toml", "state/glboard/users.json"):
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        os.mkfifo(home / name)


def _damaged_state(home: Path) -> None:
    folder = home / "state" / "glboard"
    folder.mkdir(parents=True)
    for name in ("users.json", "last.json", "setup.json", "credentials.json"):
        (folder / name).write_bytes(b"\xff\0" * 99)
        (folder / name).chmod(0o600)


#: What cannot be imported, as if the system had been built without it.
_MISSING = "import sys; sys.modules.update(dict.fromkeys({}));"

MACHINES: dict[str, Machine] = {
    "as usual": Machine(),
    "no time zone database": Machine(
        env={"PYTHONTZPATH": ""}, before=_MISSING.format(["tzdata"]) + "import time;"
    ),
    "a zone that does not exist": Machine(env={"TZ": "Nowhere/At All"}),
    "no path to programs": Machine(env={"PATH": ""}),
    "a browser that fails": Machine(env={"BROWSER": "/bin/false", "EDITOR": "/bin/false"}),
    "no home": Machine(
        env={"HOME": None, "XDG_CONFIG_HOME": None, "XDG_STATE_HOME": None},
        before="import pwd; pwd.getpwuid = pwd.getpwnam = lambda _: {}[0];",
    ),
    "a home that does not exist": Machine(
        env={"HOME": "/nonexistent/home", "XDG_CONFIG_HOME": None, "XDG_STATE_HOME": None}
    ),
    "relative folders": Machine(env={"HOME": ".", "XDG_CONFIG_HOME": "c", "XDG_STATE_HOME": ""}),
    "no locale": Machine(env={"LANG": None, "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}),
    "a locale that does not exist": Machine(env={"LC_ALL": "xx_YY.nothing", "PYTHONUTF8": "0"}),
    "latin-1 output": Machine(env={"PYTHONIOENCODING": "latin-1"}),
    "ascii output": Machine(env={"PYTHONIOENCODING": "ascii:strict"}),
    "no terminal type": Machine(env={"TERM": None}),
    "an odd terminal": Machine(
        env={"TERM": "no-such-terminal", "COLUMNS": "-3", "LINES": "x", "NO_COLOR": "1"}
    ),
    "a reader that is gone": Machine(shell="| true", quiet=True),
    "a full output": Machine(shell=">/dev/full", quiet=True),
    "closed output": Machine(shell=">&-", quiet=True),
    "closed errors": Machine(shell="2>&-", quiet=True),
    "everything closed": Machine(shell="<&- >&- 2>&-", quiet=True),
    "closed input": Machine(shell="<&-"),
    "an input that never ends": Machine(shell="</dev/zero"),
    "a full disk": Machine(before=LIMITS + "import signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"),
    "files for folders": Machine(prepare=_a_file_for_each_folder),
    "folders that lead nowhere": Machine(prepare=_folders_that_lead_nowhere),
    "pipes for files": Machine(prepare=_pipes_for_files),
    "damaged state": Machine(prepare=_damaged_state),
    "a folder that is gone": Machine(
        before="import os, tempfile; d = tempfile.mkdtemp(); os.chdir(d); os.rmdir(d);"
    ),
    "few open files": Machine(
        before="import resource; resource.setrlimit(resource.RLIMIT_NOFILE, (12, 12));"
    ),
    "no sqlite": Machine(before=_MISSING.format(["_sqlite3", "sqlite3"])),
    "no encryption": Machine(before=_MISSING.format(["_ssl", "ssl"])),
    "a broken proxy": Machine(env={"HTTP_PROXY": "nonsense://\x1b[2J", "NO_PROXY": "", "ALL_PROXY": "x"}),
    "a token that is none": Machine(env={"GITLAB_TOKEN": "two\nlines\x1b[2J"}),
    "an address that is none": Machine(env={"GITLAB_HOST": "http://[::1"}),
    "a group that is none": Machine(env={"GLBOARD_GROUP": "\x1b[2J/../"}),
    "a server that is not there": Machine(env={"GITLAB_HOST": "http://127.0.0.1:9"}),
}


class Done(Struct, frozen=True):
    """How a command ended: ``status`` None if it did not."""

    status: int | None
    out: str
    err: str


def run(call: str, machine: Machine, home: Path, env: Mapping[str, str]) -> Done:
    """Run a command on a machine, with a home of its own; ``env`` says where the server is."""
    where = {
        "HOME": str(home),
        "XDG_CONFIG_HOME": str(home / "config"),
        "XDG_STATE_HOME": str(home / "state"),
    }
    base = {
        name: value for name, value in os.environ.items() if name in ("PATH", "PYTHONPATH", "LD_LIBRARY_PATH")
    }
    given: dict[str, str | None] = {**base, **where, "TERM": "xterm-256color", **env, **machine.env}
    (home / "plan.json").write_text("{}")
    if machine.prepare is not None:
        machine.prepare(home)
    arguments = [one.format(file=home / "new.json", plan=home / "plan.json") for one in CALLS[call]]
    command = [sys.executable, "-c", f"{machine.before}{MAIN}", *arguments]
    line = ["/bin/sh", "-c", f'"$@" {machine.shell}', "sh", *command] if machine.shell else command
    running = subprocess.Popen(
        line,
        env={name: value for name, value in given.items() if value is not None},
        cwd=home,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    try:
        out, err = running.communicate(timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        os.killpg(running.pid, 9)
        out, err = running.communicate()
        return Done(None, out.decode("utf-8", "replace"), err.decode("utf-8", "replace"))
    return Done(running.returncode, out.decode("utf-8", "replace"), err.decode("utf-8", "replace"))


#: What Python says of a fault that nothing has caught, in all its forms.
_FAULTS = re.compile(
    r"Traceback|fault of glboard|Exception ignored|Unhandled exception|Fatal Python error|Warning:|it led to"
)


def trouble(done: Done, machine: Machine) -> str:
    """What is wrong with how a command ended; "" for nothing."""
    if done.status is None:
        return "it hangs"
    if _FAULTS.search(done.err):
        return f"a fault: {done.err[-300:]}"
    # With a pipe behind it, the status is that of the last program.
    if done.status not in (0, 1, 2, 3, 4):
        return f"exit status {done.status}: {done.err[-200:]}"
    if any((sign < " " and sign not in "\n\t") or "\x7f" <= sign < "\xa0" for sign in done.err):
        return f"raw characters: {done.err[:200]!r}"
    if done.status and not machine.quiet and not (done.err.strip() or done.out.strip()):
        return f"exit status {done.status} without a word"
    return ""
