"""The checks on this machine: configuration file, way to the server, mirror, and what waits in it."""

from __future__ import annotations

import os
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

from glboard_core import logfile
from glboard_core.config import Settings
from glboard_core.config_check import CheckedConfig, check
from glboard_core.doctor.checks import Checks, counted
from glboard_core.errors import ConfigError, Offline, StoreFailed, TlsFailed
from glboard_core.files import read_text
from glboard_core.folders import state_folder
from glboard_core.gitlab.account import Account
from glboard_core.gitlab.route import proxy_of, trust_of
from glboard_core.planning.team import load as load_team
from glboard_core.session import state_file_of
from glboard_core.store.peek import StateFacts, peek

#: A mirror that is older is read as a whole at the next start.
OLD = timedelta(days=7)
_MIB = 1024 * 1024
#: Bytes of a state file that is worth a word.
LARGE = 512 * _MIB
#: Free bytes below which a disk counts as full, and below which it will be.
FULL, SCARCE = 4 * _MIB, 100 * _MIB


def check_config(checks: Checks, path: Path | None) -> CheckedConfig:
    """The configuration file; of a wrong one, what is right in it is used for all other checks."""
    if path is None:
        return CheckedConfig(settings=Settings())
    try:
        found = check(read_text(path))
    except FileNotFoundError:
        checks.ok("config", "No file; using the defaults.", file=logfile.short(path), exists=False)
        return CheckedConfig(settings=Settings())
    except ConfigError as error:
        checks.refused("config", error)
        return CheckedConfig(settings=Settings())
    serious = [one for one in found.mistakes if not one.harmless]
    facts = {
        "file": logfile.short(path),
        "exists": True,
        "mistakes": [{"line": one.line, "key": one.key} for one in found.mistakes],
    }
    if not found.mistakes:
        checks.ok("config", f"{logfile.short(path)}: no errors.", **facts)
        return found
    first = found.mistakes[0] if not serious else serious[0]
    place = f"line {first.line}" if first.line else "the file"
    named = f"{place}, {first.key}" if first.key else place
    number = counted(len(found.mistakes), "error")
    text = f"{logfile.short(path)}: {number} ({named}: {first.message.rstrip('.')})."
    advice = "List them with their lines: glboard config check"
    (checks.fail if serious else checks.warn)("config", text, advice, **facts)
    return found


def check_team(checks: Checks, path: Path | None) -> None:
    """The team's days, on which the capacity is based."""
    if path is None:
        checks.skip(("team",), "It is not looked at.")
        return
    place = logfile.short(path)
    try:
        team = load_team(path) if path.exists() else None
    except ConfigError as error:
        checks.refused("team", error)
        return
    if team is None:
        checks.ok("team", "There is no team.toml: the capacity pane creates one.", file=place, exists=False)
    else:
        people = len(team.people)
        checks.ok("team", f"{place}: {counted(people, 'person', 'people')}.", file=place, people=people)


def check_disk(checks: Checks, folder: Path | None) -> None:
    """Whether there is room for what a person types: it is on disk before it is sent."""
    place = folder or state_folder()
    there = next(one for one in (place, *place.parents) if one.exists())
    shown = logfile.short(place)
    try:
        free = shutil.disk_usage(there).free
    except OSError as error:
        checks.warn("disk", f"{shown}: {error.strerror}.", "Check that the folder is there and is yours.")
        return
    figures = {"folder": shown, "free_bytes": free}
    if not there.is_dir() or not os.access(there, os.W_OK):
        advice = "Make it writable: without it glboard keeps no change and no copy of the group."
        checks.fail("disk", f"{shown} cannot be written.", advice, **figures)
    elif free < FULL:
        advice = "Free some space: until then no change can be kept, and none is accepted."
        checks.fail("disk", f"The disk with {shown} is full.", advice, **figures)
    elif free < SCARCE:
        text = f"{free / _MIB:,.0f} MiB are free on the disk with {shown}."
        checks.warn("disk", text, "Free some space: changes are kept there until GitLab has them.", **figures)
    else:
        checks.ok("disk", f"{free / _MIB / 1024:,.1f} GiB are free.", **figures)


def check_route(checks: Checks, account: Account) -> None:
    """The proxy and the certificates, as far as they can be judged before anything is sent."""
    try:
        proxy = proxy_of(account)
    except Offline as error:
        checks.refused("proxy", error)
    else:
        if proxy is not None:
            checks.ok("proxy", f"{proxy.shown}, set by {proxy.setting}.", setting=proxy.setting)
        elif account.loopback:
            checks.ok("proxy", "None: the server is on this computer.")
        else:
            checks.ok("proxy", "None.")
    if account.url.startswith("http://"):
        if account.loopback:
            checks.ok("tls", "Not used: the server is on this computer.", encrypted=False)
        else:
            checks.warn(
                "tls",
                "The connection is not encrypted: anyone on the network can read the token.",
                "Use https:// in the server URL, without --allow-http.",
                encrypted=False,
            )
        return
    if account.verify is False:
        checks.warn(
            "tls",
            f"The server's certificate is not checked ({account.verified_by or 'skip_tls_verify'}).",
            "Set ca_cert or SSL_CERT_FILE to your certificate authority instead.",
            encrypted=True,
            verified=False,
        )
        return
    try:
        trust_of(account)
    except TlsFailed as error:
        checks.refused("tls", error)


def check_state(
    checks: Checks, url: str, group: str, now: datetime, folder: Path | None
) -> StateFacts | None:
    """The mirror of this server and group, and what waits in it; its figures, if there are any."""
    path = state_file_of(url, group, folder)
    try:
        facts = peek(path) if path is not None else None
    except StoreFailed as error:
        checks.refused("mirror", error)
        checks.skip(("changes",), "Cannot read the state file.")
        return None
    if facts is None:
        checks.ok("mirror", "None yet. glboard creates it when it first loads the group.", exists=False)
        checks.ok("changes", "None.", unsent=0, failed=0)
        return None
    _mirror(checks, facts, now + timedelta(seconds=facts.offset))
    _changes(checks, facts)
    return facts


def _mirror(checks: Checks, facts: StateFacts, now: datetime) -> None:
    size = f"{facts.bytes / 1024 / 1024:,.1f} MiB"
    age = now - facts.caught_up if facts.caught_up is not None else None
    figures = {
        "exists": True,
        "issues": facts.issues,
        "bytes": facts.bytes,
        "age_seconds": round(age.total_seconds()) if age is not None else None,
    }
    held = f"{counted(facts.issues, 'issue')} in {size}"
    if age is None:
        checks.ok("mirror", f"{held}: some boards, not the whole group.", **figures)
        return
    text = f"{held}, updated {_ago(age)}."
    if age > OLD:
        checks.warn("mirror", text, "Open the board to update it.", **figures)
    elif facts.bytes > LARGE:
        advice = "Shorten the change log: glboard undo --prune 90"
        checks.warn("mirror", text, advice, **figures)
    else:
        checks.ok("mirror", text, **figures)


def _changes(checks: Checks, facts: StateFacts) -> None:
    figures = {"unsent": facts.unsent, "conflicts": facts.conflicts, "failed": facts.failed}
    if facts.failed or facts.conflicts:
        said = [
            counted(number, one, several)
            for number, one, several in (
                (facts.failed, "change failed", "changes failed"),
                (facts.conflicts, "conflict", "conflicts"),
            )
            if number
        ]
        waiting = f"; {facts.unsent:,} unsent" if facts.unsent else ""
        checks.warn("changes", f"{', '.join(said)}{waiting}.", "List them: glboard failed list", **figures)
    elif facts.unsent:
        advice = "They are sent when you open glboard, or with the next command that changes something."
        checks.warn("changes", f"{counted(facts.unsent, 'change')} unsent.", advice, **figures)
    else:
        checks.ok("changes", "None unsent, none failed.", **figures)


def check_log(checks: Checks, now: datetime) -> None:
    """Where the log is, and how many requests were sent in the last hour, as it tells."""
    path = logfile.path()
    sent = logfile.requests_of_last_hour(path, now)
    if sent is None:
        checks.ok("requests", "None logged yet.", last_hour=None)
    else:
        checks.ok("requests", f"{sent:,} in the last hour.", last_hour=sent)
    folder = next(one for one in (path, *path.parents) if one.exists())
    if os.access(folder, os.W_OK):
        checks.ok("log", f"{logfile.short(path)}.", path=logfile.short(path))
    else:
        advice = "Make the folder writable. Until then, nothing is logged."
        checks.warn("log", f"{logfile.short(path)} cannot be written.", advice, path=logfile.short(path))


def now() -> datetime:
    """This machine's clock."""
    return datetime.now(UTC)


def _ago(age: timedelta) -> str:
    minutes = age.total_seconds() / 60
    for size, one in ((1440, "day"), (60, "hour"), (1, "minute")):
        if minutes >= size:
            return f"{counted(int(minutes // size), one)} ago"
    return "less than a minute ago"
