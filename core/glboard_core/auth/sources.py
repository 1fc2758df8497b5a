"""Tokens of other programs: glab's file and keyring, python-gitlab's files, netrc. Read, never written.

Owns what stands in each and what it means. Which source wins is in ``search``.
"""

from __future__ import annotations

import importlib
import shlex
from collections.abc import Mapping
from configparser import ConfigParser
from configparser import Error as ConfigParserError
from contextlib import suppress
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from urllib.parse import urlsplit

from msgspec import Struct

from glboard_core.auth import keyring_access, private_files
from glboard_core.errors import WRONG_VALUES, ConfigError
from glboard_core.files import path_of, read_text
from glboard_core.gitlab import glab
from glboard_core.gitlab.account import DEFAULT_URL, Kind, Secret, host_of, normal_url


class GlabHost(Struct, frozen=True, kw_only=True):
    """What glab knows about one host. ``token`` is None if it is in the keyring, or missing."""

    host: str
    url: str
    user: str = ""
    token: Secret | None = None
    oauth: bool = False
    expires: datetime | None = None
    ca_cert: str = ""
    skip_tls_verify: bool = False
    client_cert: str = ""
    client_key: str = ""

    @property
    def kind(self) -> Kind:
        """How GitLab knows the token."""
        return "oauth" if self.oauth else "token"

    @property
    def service(self) -> str:
        """What the keyring has its token under."""
        return f"glab:{self.host}"

    def expired(self, now: datetime) -> bool:
        """Whether the access token has ended, which only glab renews."""
        return self.oauth and self.expires is not None and self.expires <= now


class Glab:
    """glab's configuration: read once, and only if something asks for it."""

    def __init__(self, env: Mapping[str, str], home: Path) -> None:
        self._env = env
        self._home = home

    @cached_property
    def file(self) -> Path | None:
        """Its file, or None."""
        return glab.find(self._env, self._home)

    @cached_property
    def _tree(self) -> glab.Tree:
        return glab.read(self.file) if self.file is not None else {}

    @cached_property
    def hosts(self) -> list[GlabHost]:
        """All hosts. Raises ConfigError."""
        return self._hosts_of(self._tree)

    @property
    def default(self) -> str:
        """The address of its default host, or "". Raises ConfigError."""
        default = self._tree.get("host")
        names = [default] if default and isinstance(default, str) else [one.host for one in self.hosts]
        if not names:
            return ""
        address = normal_url(names[0], where=str(self.file))
        entry = self.entry(address)
        return entry.url if entry else address

    def entry(self, url: str) -> GlabHost | None:
        """The entry for a server's address. Raises ConfigError."""
        return _entry_of(url, self.hosts)

    def trust(self, url: str) -> GlabHost | None:
        """The entry, for what it says of certificates: others may read the file, but not write it."""
        if self.file is None or self.file.stat().st_mode & 0o022:
            return None
        return _entry_of(url, self._hosts_of(glab.read(self.file, private=False)))

    @staticmethod
    def from_keyring(entry: GlabHost) -> Secret | None:
        """Its token in the keyring. Raises KeyringUnusable."""
        return keyring_access.read(entry.service, "")

    def _hosts_of(self, tree: glab.Tree) -> list[GlabHost]:
        hosts = tree.get("hosts")
        entries = hosts.items() if isinstance(hosts, dict) else ()
        return [_glab_host(name, one, str(self.file)) for name, one in entries if isinstance(one, dict)]


def _entry_of(url: str, hosts: list[GlabHost]) -> GlabHost | None:
    """The entry for a server's address: by host and port, or by its API host."""
    wanted = host_of(url)
    return next((host for host in hosts if wanted in (host.host.lower(), host_of(host.url))), None)


def _glab_host(name: str, entry: glab.Tree, where: str) -> GlabHost:
    def word(key: str) -> str:
        value = entry.get(key, "")
        return value if isinstance(value, str) else ""

    def flag(key: str) -> bool:
        return word(key).lower() in ("true", "yes", "on", "1")

    token = word("token")
    return GlabHost(
        host=name,
        url=normal_url(f"{word('api_protocol') or 'https'}://{word('api_host') or name}", where=where),
        user=word("user"),
        token=Secret(token) if token else None,
        oauth=flag("is_oauth2"),
        expires=_date(word("oauth2_expiry_date")),
        ca_cert=word("ca_cert"),
        skip_tls_verify=flag("skip_tls_verify"),
        client_cert=word("client_cert"),
        client_key=word("client_key"),
    )


def _date(text: str) -> datetime | None:
    if not text:
        return None
    # Only for OAuth sign-ins: the email package is slow to import.
    from email.utils import parsedate_to_datetime

    try:
        found = parsedate_to_datetime(text)
    except WRONG_VALUES:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


class PythonGitlabToken(Struct, frozen=True, kw_only=True):
    """What one section says. ``token`` is None if it has none that works with GraphQL.

    ``exposed`` is the file with a token in it if other users of this computer can read that.
    """

    url: str
    token: Secret | None
    kind: Kind
    exposed: str = ""


_TOKENS = ("private_token", "oauth_token", "job_token")
_OF_SYSTEM = Path("/etc/python-gitlab.cfg")


class PythonGitlab:
    """python-gitlab's configuration files."""

    def __init__(self, env: Mapping[str, str], home: Path) -> None:
        self._env = env
        self._home = home

    @property
    def files(self) -> list[Path]:
        """The files there are. Raises ConfigError if one is named that is not there."""
        if text := self._env.get("PYTHON_GITLAB_CFG"):
            file = path_of(text)
            if not file.is_file():
                raise ConfigError("file not found.", where=f"PYTHON_GITLAB_CFG={file}")
            return [file]
        return [f for f in (_OF_SYSTEM, self._home / ".python-gitlab.cfg") if f.is_file()]

    @property
    def sections(self) -> dict[str, str]:
        """The servers in them: section to address. Raises ConfigError."""
        files = self.files
        return _servers(_parsed(files), str(files[-1])) if files else {}

    def has_helper(self, section: str) -> bool:
        """Whether a section names a program that tells the token. Raises ConfigError."""
        parser = _parsed(self.files)
        return any(parser.get(section, name, fallback="").strip().startswith("helper:") for name in _TOKENS)

    def read(self, section: str | None) -> PythonGitlabToken:
        """A section, by default the file's own; a ``helper:`` is run for it. Raises ConfigError."""
        files = self.files
        # python-gitlab's own parser: it supports helpers ("helper: pass show gitlab") and all token kinds.
        config = importlib.import_module("gitlab.config")
        wrong = ""
        try:
            parsed = config.GitlabConfigParser(section, [str(file) for file in files])
        except config.ConfigError as problem:
            wrong = f"{str(problem).partition(chr(10))[0].rstrip(' :.')}."
        except (ConfigParserError, OSError, ValueError) as problem:
            # Its text can hold the value that is wrong, which can be a token.
            wrong = f"cannot read this file ({type(problem).__name__})."
        if wrong:
            raise ConfigError(wrong, where=str(files[-1]))
        text = parsed.private_token or parsed.oauth_token
        return PythonGitlabToken(
            url=normal_url(parsed.url, where=str(files[-1])) if parsed.url else DEFAULT_URL,
            token=Secret(text) if text else None,
            kind="token" if parsed.private_token else "oauth",
            exposed=self._exposed(files) if text else "",
        )

    @staticmethod
    def _exposed(files: list[Path]) -> str:
        """The file with a token in it that others can read; one of the system is for all.

        python-gitlab reads such a file, so it is used, and warned of.
        """
        for file in files:
            parser = _parsed([file])
            values = (
                parser.get(section, name, fallback="").strip()
                for section in parser.sections()
                for name in _TOKENS
            )
            told = any(value and not value.startswith("helper:") for value in values)
            if file != _OF_SYSTEM and told and private_files.is_open(file):
                return str(file)
        return ""

    def ssl_verify(self, url: str) -> tuple[bool | str, Path] | None:
        """Whether to check a server's certificate, or a CA file, and the file that says so; None without one.

        Raises ConfigError.
        """
        files = self.files
        if not files:
            return None
        parser = _parsed(files)
        servers = _servers(parser, str(files[-1]))
        section = next((name for name, address in servers.items() if host_of(address) == host_of(url)), None)
        if section is None:
            return True, files[-1]
        text = parser.get(section, "ssl_verify", fallback=parser.get("global", "ssl_verify", fallback="true"))
        return parser.BOOLEAN_STATES.get(text.strip().lower(), text.strip()), files[-1]


def _parsed(files: list[Path]) -> ConfigParser:
    parser = ConfigParser(interpolation=None)
    try:
        parser.read(files, encoding="utf-8")
    except (ConfigParserError, UnicodeDecodeError) as problem:
        raise ConfigError(
            f"cannot read this file ({type(problem).__name__}).", where=str(files[-1])
        ) from None
    return parser


def _servers(parser: ConfigParser, where: str) -> dict[str, str]:
    return {
        name: normal_url(parser.get(name, "url"), where=where)
        for name in parser.sections()
        if name != "global" and parser.has_option(name, "url")
    }


class NetrcEntry(Struct, frozen=True, kw_only=True):
    """A machine of netrc, with its token as the password."""

    machine: str
    login: str
    token: Secret


class Netrc:
    """The file of ``NETRC``, or ``~/.netrc``: a token can be the password of a machine in it."""

    def __init__(self, env: Mapping[str, str], home: Path) -> None:
        self._named = env.get("NETRC", "")
        self._home = home

    @property
    def file(self) -> Path | None:
        """The file, or None."""
        path = path_of(self._named) if self._named else self._home / ".netrc"
        return path if path.is_file() else None

    def entry(self, url: str) -> NetrcEntry | None:
        """The entry for a server's address; a ``default`` one counts for none. Raises ConfigError, also if
        others can read it.

        A machine has no port and no scheme there, so only what is encrypted or on this machine is served.
        """
        host = (urlsplit(url).hostname or "").lower()
        found = next((one for one in self.entries() if one.machine.lower() == host), None)
        if found is not None and self.file is not None:
            # A file without a token of ours may be open to others.
            private_files.check_private(self.file)
        return found

    def entries(self) -> list[NetrcEntry]:
        """All machines. Raises ConfigError if it cannot be read."""
        file = self.file
        if file is None:
            return []
        with suppress(FileNotFoundError):
            return _machines(read_text(file), str(file))
        return []


def _machines(text: str, where: str) -> list[NetrcEntry]:
    """The machines with a password. What is no machine is passed over, macros with their lines."""
    found: list[NetrcEntry] = []
    fields: dict[str, str] = {}

    def take() -> None:
        if fields.get("machine") and fields.get("password"):
            found.append(
                NetrcEntry(
                    machine=fields["machine"],
                    login=fields.get("login", ""),
                    token=Secret(fields["password"]),
                )
            )
        fields.clear()

    words = iter(_words(text, where))
    for word in words:
        if word in ("machine", "default"):
            take()
        if word in ("machine", "login", "password", "account"):
            fields[word] = next(words, "")
    take()
    return found


def _words(text: str, where: str) -> list[str]:
    words: list[str] = []
    in_macro = False
    for number, line in enumerate(text.splitlines(), 1):
        if in_macro:
            in_macro = bool(line.strip())
            continue
        if line.lstrip().startswith("#"):
            continue
        if line.lstrip().startswith("macdef"):
            in_macro = True
            continue
        try:
            # A password can contain "#"; in quotes it can contain blanks.
            words += shlex.split(line, comments=False) if '"' in line else line.split()
        except ValueError:
            raise ConfigError(
                "missing closing quote.",
                where=f"{where}:{number}",
                hint="Close the quote, or remove the quotes.",
            ) from None
    return words
