"""The account: a server's address, and a token that is never shown; and where both are found.

Owns the ``Secret`` wrapper, the normal form of a server's address, and the search for host, group and token:
command line, environment, glab's file, the keyring, python-gitlab's file. It sends nothing.
"""

from __future__ import annotations

import importlib
import ipaddress
import re
from collections.abc import Callable, Iterable, Mapping
from configparser import ConfigParser
from configparser import Error as ConfigParserError
from contextlib import suppress
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Literal, NoReturn
from urllib.parse import urlsplit

from msgspec import Struct, structs

from glboard_core.config import GitLabSettings
from glboard_core.environment import environment
from glboard_core.errors import ConfigError, TokenMissing, UsageError
from glboard_core.gitlab import glab

Kind = Literal["token", "oauth"]

HOST_NAMES = ("GITLAB_HOST", "GITLAB_URI", "GL_HOST")
TOKEN_NAMES: tuple[tuple[str, Kind], ...] = (
    ("GITLAB_TOKEN", "token"),
    ("GITLAB_ACCESS_TOKEN", "token"),
    ("OAUTH_TOKEN", "oauth"),
)
DEFAULT_URL = "https://gitlab.com"

_HOST = r"[^\s/?#@:\[\]%\\<>\"'`{}|^]+"
_API_TAIL = r"(/api/(v4|graphql))?/*$"


class Secret:
    """A text that is never shown: not by ``repr``, ``str``, formatting, pickling or a traceback's locals."""

    __slots__ = ("_hidden",)

    def __init__(self, value: str) -> None:
        # In a closure, so that even a debugger's view of the slots does not show it.
        self._hidden: Callable[[], str] = lambda: value

    def reveal(self) -> str:
        """The text itself. Pass it on at once; never store it in a variable."""
        return self._hidden()

    def __repr__(self) -> str:
        return "Secret(…)"

    def __bool__(self) -> bool:
        return bool(self._hidden())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other.reveal() == self.reveal()

    def __hash__(self) -> int:
        return hash(self._hidden())

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Secret cannot be pickled")


class Account(Struct, frozen=True, kw_only=True):
    """A server and our identity there.

    ``url`` has no trailing slash and can contain a path (a relative URL install); ``verify`` is whether the
    server's certificate is checked, or the path of a CA file, as ``verified_by`` says (a setting and its
    file); ``source`` is where the token comes from.
    """

    url: str
    token: Secret
    kind: Kind = "token"
    verify: bool | str = True
    verified_by: str = ""
    source: str = ""

    @property
    def host(self) -> str:
        """Host and port, as displayed and as used by glab and keyrings."""
        return host_of(self.url)

    @property
    def loopback(self) -> bool:
        """Whether the server runs on this machine: then no proxy is used."""
        return is_loopback(urlsplit(self.url).hostname or "")


def is_loopback(host: str) -> bool:
    """Whether a host name or address is this machine."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def host_of(url: str) -> str:
    """``host`` or ``host:port`` of a normalised address, in lower case."""
    return urlsplit(url).netloc.lower()


def normal_url(text: str, *, where: str = "") -> str:
    """The normalised server address: scheme, host, port and path, without a trailing slash.

    Accepts ``gitlab.com``, ``https://host/gitlab/`` and API addresses (``…/api/v4``); without a scheme,
    https, or http on this machine. Raises ConfigError, which never quotes a password.

    >>> normal_url("gitlab.com"), normal_url("https://host/gitlab/api/v4/"), normal_url("localhost:3000")
    ('https://gitlab.com', 'https://host/gitlab', 'http://localhost:3000')
    """
    given = text.strip()
    hint = "Use a form such as gitlab.com or https://gitlab.example.com/gitlab."
    if "://" not in given:
        bare = given.partition("/")[0]
        name = bare[1:].partition("]")[0] if bare.startswith("[") else bare.partition(":")[0]
        given = f"{'http' if is_loopback(name) else 'https'}://{given}"
    try:
        parts = urlsplit(given)
        port = parts.port
        host = parts.hostname or ""
    except ValueError:
        raise ConfigError("invalid server address.", where=where, hint=hint) from None
    if parts.username is not None or parts.password is not None:
        raise ConfigError(
            "the server address must not contain a username or password.",
            where=where,
            hint="Remove them and set GITLAB_TOKEN.",
        )
    if parts.scheme not in ("http", "https"):
        raise ConfigError(
            f"unsupported scheme “{parts.scheme}” in the server address.", where=where, hint=hint
        )
    if not host or (":" not in host and not re.fullmatch(_HOST, host)) or parts.query or parts.fragment:
        raise ConfigError("invalid server address.", where=where, hint=hint)
    shown = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{shown}{f':{port}' if port else ''}{re.sub(_API_TAIL, '', parts.path)}"


def find_group(given: str | None, *, configured: str = "", env: Mapping[str, str] | None = None) -> str:
    """The full path of the group: given, ``GLBOARD_GROUP``, or configured. Raises UsageError without one."""
    for text in (given, (environment() if env is None else env).get("GLBOARD_GROUP"), configured):
        if path := _path_of((text or "").strip()):
            return path
    raise UsageError(
        "No group given.",
        hint="Pass --group PATH (for example gitlab-org), set GLBOARD_GROUP, or run: glboard config init",
    )


def _path_of(text: str) -> str:
    """A group's path, as given or in the address of one of its pages."""
    if "://" in text:
        text = urlsplit(text).path.partition("/-/")[0].strip("/").removeprefix("groups/")
    return text.strip("/")


def find_account(
    url: str | None = None,
    settings: GitLabSettings | None = None,
    *,
    env: Mapping[str, str] | None = None,
    home: Path | None = None,
) -> Account:
    """The server and token to use; ``settings`` are glboard's own.

    Raises TokenMissing with the places checked, and ConfigError if an address, a token or a needed file is
    invalid, or the token would travel unencrypted.
    """
    settings = settings or GitLabSettings()
    search = _Search(environment() if env is None else env, home or Path.home())
    found = search.with_trust(search.run(url, settings.url))
    return _sendable(found, allow_http=settings.allow_http)


def find_address(
    url: str | None = None,
    settings: GitLabSettings | None = None,
    *,
    env: Mapping[str, str] | None = None,
    home: Path | None = None,
) -> tuple[str, str]:
    """The server's address and what names it ("" for the default), whether or not there is a token for it.

    Raises ConfigError.
    """
    search = _Search(environment() if env is None else env, home or Path.home())
    address, source = search.address(url, (settings or GitLabSettings()).url)
    return address or DEFAULT_URL, source


def _sendable(account: Account, *, allow_http: bool) -> Account:
    """The account if its token can be sent, without blanks around it. The errors never quote the token."""
    if not re.fullmatch(r"\s*[\x21-\x7e]+\s*", account.token.reveal()):
        raise ConfigError(
            "this token contains blanks, line breaks or other characters that no token has.",
            where=account.source,
            hint="Copy it again, without anything around it.",
        )
    if account.url.startswith("http://") and not account.loopback and not allow_http:
        raise ConfigError(
            f"{account.url} is not encrypted: anyone on the network could read the token.",
            hint="Use https://. If you trust the network: --allow-http, or allow_http = true in [gitlab].",
        )
    return structs.replace(account, token=Secret(account.token.reveal().strip()))


class _GlabHost(Struct, frozen=True, kw_only=True):
    """What glab knows about one host. ``token`` is None if it is in the keyring, or missing."""

    host: str
    url: str
    token: Secret | None = None
    oauth: bool = False
    expires: datetime | None = None
    ca_cert: str = ""
    skip_tls_verify: bool = False


def _glab_host(name: str, entry: glab.Tree, where: str) -> _GlabHost:
    def word(key: str) -> str:
        value = entry.get(key, "")
        return value if isinstance(value, str) else ""

    def flag(key: str) -> bool:
        return word(key).lower() in ("true", "yes", "on", "1")

    token = word("token")
    return _GlabHost(
        host=name,
        url=normal_url(f"{word('api_protocol') or 'https'}://{word('api_host') or name}", where=where),
        token=Secret(token) if token else None,
        oauth=flag("is_oauth2"),
        expires=_date(word("oauth2_expiry_date")),
        ca_cert=word("ca_cert"),
        skip_tls_verify=flag("skip_tls_verify"),
    )


def _date(text: str) -> datetime | None:
    if not text:
        return None
    # Only for OAuth sign-ins: the email package is slow to import.
    from email.utils import parsedate_to_datetime

    try:
        found = parsedate_to_datetime(text)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _hosts_of(tree: glab.Tree, where: str) -> list[_GlabHost]:
    hosts = tree.get("hosts")
    entries = hosts.items() if isinstance(hosts, dict) else ()
    return [_glab_host(name, one, where) for name, one in entries if isinstance(one, dict)]


def _entry_of(url: str, hosts: Iterable[_GlabHost]) -> _GlabHost | None:
    """The entry for a server's address: by host and port, or by its API host."""
    wanted = host_of(url)
    return next((host for host in hosts if wanted in (host.host.lower(), host_of(host.url))), None)


class _Search:
    """One search of all places; records the places checked, and reads each file once."""

    def __init__(self, env: Mapping[str, str], home: Path) -> None:
        self._env = env
        self._home = home
        self._checked: list[str] = []

    def run(self, given: str | None, configured: str) -> Account:
        url, _ = self.address(given, configured)
        account = self._from_environment(url) or self._from_glab(url) or self._from_python_gitlab(url)
        if account is not None:
            return account
        shown = url or DEFAULT_URL
        raise TokenMissing(
            f"No token found for {host_of(shown)}. Checked: {'; '.join(self._checked)}.",
            hint=(
                f"Create a personal access token with the scope “api” at "
                f"{shown}/-/user_settings/personal_access_tokens and set GITLAB_TOKEN, "
                "or run: glab auth login"
            ),
        )

    def address(self, given: str | None, configured: str) -> tuple[str, str]:
        """The requested address and what names it; empty if nothing does: python-gitlab's file then says."""
        in_env = ((name, self._env.get(name)) for name in HOST_NAMES)
        for where, text in (("--url", given), *in_env, ("config", configured)):
            if text:
                return normal_url(text, where=where), where
        if default := self._glab_default():
            return default, str(self._glab_file)
        # A token in the environment alone means gitlab.com, as in glab, unless glab has a default host.
        return (DEFAULT_URL, "") if any(self._env.get(name) for name, _ in TOKEN_NAMES) else ("", "")

    @cached_property
    def _glab_file(self) -> Path | None:
        return glab.find(self._env, self._home)

    @cached_property
    def _glab(self) -> glab.Tree:
        return glab.read(self._glab_file) if self._glab_file is not None else {}

    @cached_property
    def _glab_hosts(self) -> list[_GlabHost]:
        return _hosts_of(self._glab, str(self._glab_file))

    def _glab_default(self) -> str:
        default = self._glab.get("host")
        names = [default] if default and isinstance(default, str) else [one.host for one in self._glab_hosts]
        if not names:
            return ""
        address = normal_url(names[0], where=str(self._glab_file))
        entry = _entry_of(address, self._glab_hosts)
        return entry.url if entry else address

    def _from_environment(self, url: str) -> Account | None:
        for name, kind in TOKEN_NAMES:
            if text := self._env.get(name, "").strip():
                return Account(url=url or DEFAULT_URL, token=Secret(text), kind=kind, source=name)
        self._checked.append("the environment (GITLAB_TOKEN, GITLAB_ACCESS_TOKEN, OAUTH_TOKEN)")
        return None

    def _from_glab(self, url: str) -> Account | None:
        file = self._glab_file
        if file is None:
            self._checked.append("glab's configuration (no file)")
            return None
        entry = _entry_of(url, self._glab_hosts) if url else None
        if entry is None:
            self._checked.append(f"{file} (no such host)")
            return None
        if _weaker(url, entry.url):
            self._checked.append(f"{file} (its token is for {entry.url}, not for http)")
            return None
        token, source = entry.token, str(file)
        if token is None:
            token, source = self._from_keyring(entry.host), f"the keyring (glab:{entry.host})"
        if token is None:
            self._checked.append(f"{file} (no token for {entry.host})")
            return None
        if entry.oauth and entry.expires is not None and entry.expires <= datetime.now(UTC):
            self._checked.append(f"{file} (sign-in expired; run: glab auth status)")
            return None
        return Account(
            # The given address can be a relative URL install that glab does not know.
            url=url,
            token=token,
            kind="oauth" if entry.oauth else "token",
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
            self._checked.append("the keyring (locked or not available)")
            return None
        return Secret(found) if found else None

    def _from_python_gitlab(self, url: str) -> Account | None:
        files = self._python_gitlab_files()
        if not files:
            self._checked.append("python-gitlab's configuration (no file)")
            return None
        sections = _sections(files)
        # Without an address, the file's default section.
        wanted = [
            name
            for name, address in sections.items()
            if url and host_of(address) == host_of(url) and not _weaker(url, address)
        ]
        if url and not wanted:
            self._checked.append(f"{files[-1]} (no such host)")
            return None
        # python-gitlab's own parser: it supports helpers ("helper: pass show gitlab") and all token kinds.
        config = importlib.import_module("gitlab.config")
        try:
            parsed = config.GitlabConfigParser(wanted[0] if wanted else None, [str(file) for file in files])
        except config.ConfigError as problem:
            raise ConfigError(str(problem).partition("\n")[0], where=str(files[-1])) from None
        address = normal_url(parsed.url, where=str(files[-1])) if parsed.url else DEFAULT_URL
        if text := parsed.private_token or parsed.oauth_token:
            return Account(
                url=url or address,
                token=Secret(text),
                kind="token" if parsed.private_token else "oauth",
                source=str(files[-1]),
            )
        self._checked.append(f"{files[-1]} (no token that works with GraphQL)")
        return None

    def with_trust(self, account: Account) -> Account:
        """The account with what glab's or python-gitlab's file says about its server's certificate.

        Wherever the token comes from: a file that cannot be used for that is passed over.
        """
        with suppress(ConfigError, OSError):
            if (file := self._glab_file) is not None and not file.stat().st_mode & 0o022:
                hosts = _hosts_of(glab.read(file, private=False), str(file))
                if (entry := _entry_of(account.url, hosts)) is not None:
                    if entry.skip_tls_verify:
                        by = f"skip_tls_verify in {file}"
                        return structs.replace(account, verify=False, verified_by=by)
                    if entry.ca_cert:
                        by = f"ca_cert in {file}"
                        return structs.replace(account, verify=entry.ca_cert, verified_by=by)
        with suppress(ConfigError):
            if files := self._python_gitlab_files():
                verify = _ssl_verify(files, account.url)
                return structs.replace(account, verify=verify, verified_by=f"ssl_verify in {files[-1]}")
        return account

    def _python_gitlab_files(self) -> list[Path]:
        if text := self._env.get("PYTHON_GITLAB_CFG"):
            file = Path(text).expanduser()
            if not file.is_file():
                raise ConfigError("file not found.", where=f"PYTHON_GITLAB_CFG={file}")
            return [file]
        return [f for f in (Path("/etc/python-gitlab.cfg"), self._home / ".python-gitlab.cfg") if f.is_file()]


def _weaker(url: str, stored_for: str) -> bool:
    """Whether a token stored for one address would travel unencrypted to the other."""
    return url.startswith("http://") and stored_for.startswith("https://")


def _sections(files: list[Path]) -> dict[str, str]:
    """The servers in python-gitlab's files: section to address."""
    return _servers(_parsed(files), str(files[-1]))


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


def _ssl_verify(files: list[Path], url: str) -> bool | str:
    """What python-gitlab's files say about a server's certificate: whether to check it, or a CA file."""
    parser = _parsed(files)
    servers = _servers(parser, str(files[-1]))
    section = next((name for name, address in servers.items() if host_of(address) == host_of(url)), None)
    if section is None:
        return True
    text = parser.get(section, "ssl_verify", fallback=parser.get("global", "ssl_verify", fallback="true"))
    return parser.BOOLEAN_STATES.get(text.strip().lower(), text.strip())
