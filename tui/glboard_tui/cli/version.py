"""What a report needs: versions of glboard, of what it runs on, and of the GitLab that was read last."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version

from glboard_core.errors import GlboardError
from glboard_core.files import read_text
from glboard_tui.cli.context import Options


def version_of(package: str) -> str:
    """The version of an installed package."""
    try:
        return version(package)
    except PackageNotFoundError:
        return "unknown"


def runtime() -> str:
    """Python, Textual and platform in one line."""
    return (
        f"Python {platform.python_version()}, Textual {version_of('textual')}, "
        f"{platform.system()} {platform.release()} ({platform.machine()})"
    )


def version_lines(options: Options) -> tuple[str, str, str]:
    """The three lines of ``glboard --version``. Nothing is asked of the server."""
    return f"glboard {version_of('glboard')}", runtime(), f"GitLab {_server(options)}"


def _server(options: Options) -> str:
    from glboard_core.auth.search import find_address
    from glboard_core.config_check import check
    from glboard_core.gitlab.account import find_group, host_of
    from glboard_core.session import state_file_of
    from glboard_core.store.peek import peek

    try:
        settings = check(read_text(options.config_path)).settings.gitlab
    except (FileNotFoundError, GlboardError):
        settings = None
    try:
        address, _ = find_address(options.url, settings)
        group = find_group(options.group, configured=settings.group if settings else "")
        path = state_file_of(address, group)
    except GlboardError:
        return "not set up yet: run glboard"
    try:
        facts = peek(path) if path is not None else None
    except GlboardError:
        facts = None
    if facts is None or facts.catalog is None or not facts.catalog.server.version:
        return f"{host_of(address)}: version unknown until you open the board"
    server = facts.catalog.server
    edition = "Enterprise Edition" if server.enterprise else "Community Edition"
    tier = ", Premium or Ultimate" if server.has_weight else ", Free" if server.enterprise else ""
    return f"{server.version} {edition}{tier}, {host_of(address)}"
