"""Finds host, group and token.

Owns the precedence: command line, environment, glab's configuration, python-gitlab's configuration. It never
writes, and no message contains a token. Everything is looked up on demand, so a broken file that is not
needed does no harm.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Mapping
from configparser import ConfigParser
from configparser import Error as ConfigParserError
from datetime import UTC, datetime
from pathlib import Path

from glboard_core.errors import ConfigError, TokenMissing, UsageError
from glboard_core.gitlab import glab
from glboard_core.gitlab.account import Account, Kind, Secret, host_of, normal_url

HOST_NAMES = ("GITLAB_HOST", "GITLAB_URI", "GL_HOST")
TOKEN_NAMES: tuple[tuple[str, Kind], ...] = (
    ("GITLAB_TOKEN", "token"),
    ("GITLAB_ACCESS_TOKEN", "token"),
    ("OAUTH_TOKEN", "oauth"),
)
DEFAULT_URL = "https://gitlab.com"


def find_group(given: str | None, *, configured: str = "", env: Mapping[str, str] | None = None) -> str:
    """The full path of the group: given, ``GLBOARD_GROUP``, or configured. Raises UsageError without one."""
    for text in (given, (os.environ if env is None else env).get("GLBOARD_GROUP"), configured):
        if path := (text or "").strip().strip("/"):
            return path
    raise UsageError(
        "No group given.",
        hint="Pass --group PATH (for example gitlab-org), set GLBOARD_GROUP, or run: glboard config init",
    )


def find_account(
    url: str | None = None,
    *,
    configured: str = "",
    env: Mapping[str, str] | None = None,
    home: Path | None = None,
) -> Account:
    """The server and token to use. ``configured`` is the address in glboard's own settings.

    Raises TokenMissing with the places checked, and ConfigError if an address or a needed file is invalid.
    """
    return _Search(os.environ if env is None else env, home or Path.home()).run(url, configured)


class _Search:
    """One search of all places; records the places checked, and reads each file once."""

    def __init__(self, env: Mapping[str, str], home: Path) -> None:
        self._env = env
        self._home = home
        self._looked: list[str] = []
        self._glab: glab.GlabConfig | None = None
        self._glab_read = False

    def run(self, given: str | None, configured: str) -> Account:
        url = self._url(given, configured)
        account = (
            self._from_environment(url)
            or self._from_glab(url)
            or self._from_python_gitlab(url if url else None)
        )
        if account is not None:
            return account
        shown = url or DEFAULT_URL
        raise TokenMissing(
            f"No token found for {host_of(shown)}. Checked: {'; '.join(self._looked)}.",
            hint=(
                f"Create a personal access token with the scope “api” at "
                f"{shown}/-/user_settings/personal_access_tokens and set GITLAB_TOKEN, "
                "or run: glab auth login"
            ),
        )

    def _url(self, given: str | None, configured: str) -> str:
        """The requested address; empty if none was given, which leaves it to python-gitlab's file."""
        if given:
            return normal_url(given, where="--url")
        for name in HOST_NAMES:
            if text := self._env.get(name):
                return normal_url(text, where=name)
        if configured:
            return normal_url(configured, where="config")
        if any(self._env.get(name) for name, _ in TOKEN_NAMES):
            # A token in the environment alone means gitlab.com, as in glab, unless glab has a default host.
            config = self._load_glab()
            return self._glab_default(config) or DEFAULT_URL
        return self._glab_default(self._load_glab())

    def _glab_default(self, config: glab.GlabConfig | None) -> str:
        if config is None or not (config.default_host or config.hosts):
            return ""
        name = config.default_host or config.hosts[0].host
        address = normal_url(name, where=str(config.path))
        entry = config.find(address)
        return entry.url if entry else address

    def _load_glab(self) -> glab.GlabConfig | None:
        if not self._glab_read:
            self._glab = glab.load(self._env, self._home)
            self._glab_read = True
        return self._glab

    def _from_environment(self, url: str) -> Account | None:
        for name, kind in TOKEN_NAMES:
            if text := self._env.get(name, "").strip():
                return Account(url=url or DEFAULT_URL, token=Secret(text), kind=kind, source=name)
        self._looked.append("the environment (GITLAB_TOKEN, GITLAB_ACCESS_TOKEN, OAUTH_TOKEN)")
        return None

    def _from_glab(self, url: str) -> Account | None:
        config = self._load_glab()
        if config is None:
            self._looked.append("glab's configuration (no file)")
            return None
        entry = config.find(url) if url else None
        if entry is None:
            self._looked.append(f"{config.path} (no such host)")
            return None
        token, source = entry.token, str(config.path)
        if token is None:
            token, source = self._from_keyring(entry.host), f"the keyring (glab:{entry.host})"
        if token is None:
            self._looked.append(f"{config.path} (no token for {entry.host})")
            return None
        if entry.oauth and entry.expires is not None and entry.expires <= datetime.now(UTC):
            self._looked.append(f"{config.path} (sign-in expired; run: glab auth status)")
            return None
        return Account(
            # The given address can be a relative URL install that glab does not know.
            url=url,
            token=token,
            kind="oauth" if entry.oauth else "token",
            verify=False if entry.skip_tls_verify else (entry.ca_cert or True),
            source=source,
        )

    def _from_keyring(self, host: str) -> Secret | None:
        """glab's token in the system keyring, if the optional keyring package is installed."""
        try:
            keyring = importlib.import_module("keyring")
            trouble = importlib.import_module("keyring.errors").KeyringError
        except ImportError:
            return None
        try:
            found = keyring.get_password(f"glab:{host}", "")
        except trouble:
            self._looked.append("the keyring (locked or not available)")
            return None
        return Secret(found) if found else None

    def _from_python_gitlab(self, url: str | None) -> Account | None:
        files = self._python_gitlab_files()
        if not files:
            self._looked.append("python-gitlab's configuration (no file)")
            return None
        sections = _sections(files)
        # Without an address, the file's default section.
        wanted = [name for name, address in sections.items() if url and host_of(address) == host_of(url)]
        if url and not wanted:
            self._looked.append(f"{files[-1]} (no such host)")
            return None
        # python-gitlab's own parser: it supports helpers ("helper: pass show gitlab") and all token kinds.
        config = importlib.import_module("gitlab.config")
        try:
            parsed = config.GitlabConfigParser(wanted[0] if wanted else None, [str(file) for file in files])
        except config.ConfigError as problem:
            raise ConfigError(str(problem).partition("\n")[0], where=str(files[-1])) from None
        address = normal_url(parsed.url, where=str(files[-1])) if parsed.url else DEFAULT_URL
        for text, kind in ((parsed.private_token, "token"), (parsed.oauth_token, "oauth")):
            if text:
                return Account(
                    url=url or address,
                    token=Secret(text),
                    kind="oauth" if kind == "oauth" else "token",
                    verify=parsed.ssl_verify
                    if isinstance(parsed.ssl_verify, str)
                    else bool(parsed.ssl_verify),
                    source=str(files[-1]),
                )
        self._looked.append(f"{files[-1]} (no token that works with GraphQL)")
        return None

    def _python_gitlab_files(self) -> list[Path]:
        if text := self._env.get("PYTHON_GITLAB_CFG"):
            file = Path(text).expanduser()
            if not file.is_file():
                raise ConfigError("file not found.", where=f"PYTHON_GITLAB_CFG={file}")
            return [file]
        return [f for f in (Path("/etc/python-gitlab.cfg"), self._home / ".python-gitlab.cfg") if f.is_file()]


def _sections(files: list[Path]) -> dict[str, str]:
    """The servers in python-gitlab's files: section to address."""
    parser = ConfigParser(interpolation=None)
    try:
        parser.read(files, encoding="utf-8")
    except (ConfigParserError, UnicodeDecodeError) as problem:
        raise ConfigError(
            f"cannot read this file ({type(problem).__name__}).", where=str(files[-1])
        ) from None
    return {
        name: normal_url(parser.get(name, "url"), where=str(files[-1]))
        for name in parser.sections()
        if name != "global" and parser.has_option(name, "url")
    }
