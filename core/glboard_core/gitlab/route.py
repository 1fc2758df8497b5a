"""The way to a server: through which proxy, and which certificates are trusted on it.

Owns the variables of the environment that say so, and the errors of each, which name the variable or file at
fault. HTTP libraries read some forms of them, and end with errors of any kind on the others. What could not
be used on the way is closed here, which they forget.
"""

from __future__ import annotations

import ipaddress
import os
import re
import ssl
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from msgspec import Struct

from glboard_core.errors import Offline, TlsFailed
from glboard_core.files import path_of
from glboard_core.gitlab.account import Account, Secret
from glboard_core.model.clean_text import line

#: Kinds of proxies, and how the HTTP library calls them. Desktops write SOCKS 5 as ``socks``.
_KINDS = {"http": "http", "https": "https", "socks": "socks5", "socks5": "socks5", "socks5h": "socks5h"}
_PORTS = {"http": 80, "https": 443, "socks5": 1080, "socks5h": 1080}
#: The setting of a proxy that no variable names: that of the system (macOS).
_SYSTEM = "the system's proxy settings"


class Proxy(Struct, frozen=True, kw_only=True):
    """A proxy. ``address`` can contain a password; ``shown`` is host and port; ``setting`` what names it."""

    address: Secret
    shown: str
    setting: str
    encrypted: bool = False


class Opening:
    """Follows how one request opens its connection, and closes it if the proxy or the encryption fails on it.

    httpcore leaves the socket to the garbage collector after a SOCKS answer that it does not take, and after
    a handshake that is cancelled. Give it to httpx as the extension ``trace``.
    """

    _FATAL = (".setup_socks5_connection.failed", ".start_tls.failed")

    def __init__(self) -> None:
        self._stream: Any = None

    async def __call__(self, event: str, info: Mapping[str, Any]) -> None:
        if event.endswith(".connect_tcp.complete"):
            self._stream = info["return_value"]
        elif event.endswith(self._FATAL) and self._stream is not None:
            stream, self._stream = self._stream, None
            await stream.aclose()


def proxy_of(account: Account, env: Mapping[str, str] | None = None) -> Proxy | None:
    """The proxy for the server, or None. Raises Offline if what is set is not the address of a proxy.

    A server on this machine needs none, whatever the environment says.
    """
    if account.loopback:
        return None
    env = os.environ if env is None else env
    server = urlsplit(account.url)
    host, port = server.hostname or "", server.port or (443 if server.scheme == "https" else 80)
    for name in (f"{server.scheme}_proxy", "all_proxy"):
        setting, text = _variable(name, env)
        if setting and bypassed(_variable("no_proxy", env)[1], host, port):
            return None
        if text:
            return _proxy(text, setting)
        if setting:
            return None  # empty: none is wanted
    if _variable("no_proxy", env)[0] or env is not os.environ:
        return None
    from urllib.request import getproxies, proxy_bypass  # slow to import

    found = getproxies()
    text = found.get(server.scheme) or found.get("all") or ""
    return None if not text or proxy_bypass(host) else _proxy(text, _SYSTEM)


def _variable(name: str, env: Mapping[str, str]) -> tuple[str, str]:
    """The name and value of a variable in small letters or capitals; as everywhere, the small ones win."""
    for spelled in (name, name.upper()):
        if spelled in env:
            return spelled, env[spelled].strip()
    return "", ""


def _proxy(text: str, setting: str) -> Proxy:
    given = text if "://" in text else f"http://{text}"
    try:
        parts = urlsplit(given)
        host, port = parts.hostname or "", parts.port
        right = bool(re.fullmatch(r"[\x21-\x7e]+", given)) and bool(host)
    except ValueError:
        right = False
    if not right:
        raise no_proxy_address(setting)
    if (kind := _KINDS.get(parts.scheme)) is None:
        raise Offline(
            f"{setting} sets an unsupported type of proxy: {parts.scheme[:20]}.",
            hint="Use http://, https:// or socks5://.",
        )
    shown = f"[{host}]" if ":" in host else host
    shown = f"{shown}:{port or _PORTS[kind]}"
    # An address without a port means the usual one of its kind, whatever the library takes it for.
    login = f"{parts.netloc.rpartition('@')[0]}@" if "@" in parts.netloc else ""
    return Proxy(
        address=Secret(f"{kind}://{login}{shown}"), shown=shown, setting=setting, encrypted=kind == "https"
    )


def no_proxy_address(setting: str) -> Offline:
    """A setting that should name a proxy. Its value can contain a password, so it is never quoted."""
    return Offline(f"{setting} is not a proxy URL.", hint="Use a form such as http://host:8080.")


def bypassed(rules: str, host: str, port: int) -> bool:
    """Whether NO_PROXY names a server. Each rule is ``*``, a domain, an address or a network, with or without
    a port, brackets, a scheme, and a dot or ``*.`` in front.

    >>> bypassed("localhost, .corp.example", "gitlab.corp.example", 443)
    True
    """
    name = host.rstrip(".").lower()
    return any(_matches(rule.lower(), name, port) for rule in re.split(r"[,;\s]+", rules) if rule)


def _matches(rule: str, host: str, port: int) -> bool:
    if rule == "*":
        return True
    rule = rule.partition("://")[2] or rule
    if found := re.fullmatch(r"(?:\[(?P<v6>[^\]]*)\]|(?P<name>[^:/]*))(?::(?P<port>\d{1,5}))?/?", rule):
        if found["port"] and int(found["port"]) != port:
            return False
        rule = found["v6"] if found["v6"] is not None else found["name"]
    try:
        # An address is a network of one.
        return ipaddress.ip_address(host.partition("%")[0]) in ipaddress.ip_network(rule, strict=False)
    except ValueError:
        pass
    domain = rule.removeprefix("*").strip(".")
    return bool(domain) and (host == domain or host.endswith(f".{domain}"))


def trust_of(account: Account, env: Mapping[str, str] | None = None) -> ssl.SSLContext | bool:
    """Which certificates are trusted. False for a server without TLS: loading them takes 20 ms.

    Raises TlsFailed, with the setting at fault, if they cannot be read.
    """
    if account.url.startswith("http://"):
        return False
    if account.verify is False:
        context = _trusting_anyone()
    elif isinstance(account.verify, str):
        context = _trusting({account.verified_by or "ca_cert": account.verify})
    else:
        context = trust_of_environment(env)
    if account.client_cert:
        _identify(context, account)
    return context


def _identify(context: ssl.SSLContext, account: Account) -> None:
    """Have the client's certificate sent to a server that asks for one. Raises TlsFailed."""
    problem = ""
    try:
        cert = path_of(account.client_cert)
        key = path_of(account.client_key) if account.client_key else None
        # Without a function, OpenSSL would ask for a password on the terminal.
        context.load_cert_chain(cert, key, password=lambda: "")
    except ssl.SSLError:
        problem = "it has no certificate with a matching, unencrypted private key"
    except (OSError, ValueError, RuntimeError) as error:
        problem = error.strerror if isinstance(error, OSError) and error.strerror else "not a path"
    if problem:
        shown = line(account.client_cert)[:200]
        raise TlsFailed(
            f"Cannot use the client certificate {shown}: {problem}.",
            hint=f"Check {account.identified_by or 'client_cert'}, and client_key.",
        )


def wants_certificate(host: str) -> TlsFailed:
    """The server serves only whoever has a certificate of its own, and got none that it accepts."""
    return TlsFailed(
        f"{host} requires a client certificate.",
        hint="Set client_cert and client_key in [gitlab] to your files.",
    )


def trusted_by(account: Account, env: Mapping[str, str] | None = None) -> str:
    """The setting that says which certificates are trusted; "" if there is none, or none is checked."""
    if isinstance(account.verify, str):
        return account.verified_by or "ca_cert"
    return " and ".join(_of_environment(env)) if account.verify else ""


def _of_environment(env: Mapping[str, str] | None) -> Mapping[str, str]:
    env = os.environ if env is None else env
    return {name: env[name] for name in ("SSL_CERT_FILE", "SSL_CERT_DIR") if env.get(name)}


def trust_of_environment(env: Mapping[str, str] | None = None) -> ssl.SSLContext:
    """What SSL_CERT_FILE and SSL_CERT_DIR say, else the usual authorities. Raises TlsFailed."""
    return _trusting(_of_environment(env))


def _trusting_anyone() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _trusting(settings: Mapping[str, str]) -> ssl.SSLContext:
    """What these settings name, each a file or a folder; the usual authorities without any."""
    context: ssl.SSLContext | None = None
    for setting, text in settings.items():
        # OpenSSL allows several folders.
        parts = text.split(os.pathsep) if setting == "SSL_CERT_DIR" else [text]
        for part in filter(None, parts):
            problem = ""
            try:
                path = path_of(part)
                folder, file = (str(path), None) if path.is_dir() else (None, str(path))
                if context is None:
                    context = ssl.create_default_context(cafile=file, capath=folder)
                else:
                    context.load_verify_locations(cafile=file, capath=folder)
            except ssl.SSLError:
                problem = "it contains no certificates"
            except (OSError, ValueError, RuntimeError) as error:
                # RuntimeError: there is no such home.
                problem = error.strerror if isinstance(error, OSError) and error.strerror else "not a path"
            if problem:
                shown = line(part)[:200]
                raise TlsFailed(
                    f"Cannot use the trusted certificates in {shown}: {problem}.", hint=f"Check {setting}."
                )
    if context is not None:
        return context
    import httpx  # slow to import

    return httpx.create_ssl_context(trust_env=False)
