"""Signing in with OAuth, as GitLab's Doorkeeper does it: device codes, codes with PKCE, renewal, revoking.

Owns the applications, what was granted and not yet exchanged, and the pairs of tokens. Codes are good once, a
renewal ends both tokens of a pair, and times are those of the world's clock. Whoever looks at its pages is
signed in as the world's owner.
"""

from __future__ import annotations

import secrets
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from hashlib import sha256
from html import escape
from typing import Any, Literal
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from glboard_core.demo.world.clock import SECOND
from glboard_core.demo.world.records import User
from glboard_core.demo.world.world import World

#: The application that every embedded GitLab has.
CLIENT_ID = "glboard-demo"
#: The first version with device codes.
DEVICE_SINCE = (17, 2)
DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"
_CODE_LIFE = 600
_LETTERS = "BCDFGHJKLMNPQRSTVWXZ"
_JSON = "application/json; charset=utf-8"


@dataclass(slots=True)
class Token:
    """A personal access token, or with ``ends``, the stamp at which it ends, an OAuth token."""

    user: User
    scope: str
    state: Literal["active", "expired", "revoked", "blocked"] = "active"
    expires: date | None = None
    ends: int | None = None


@dataclass(frozen=True, slots=True)
class Application:
    """An application, as an administrator registers one."""

    uid: str
    name: str = "glboard"
    redirect_uris: tuple[str, ...] = ("http://127.0.0.1/callback",)
    scopes: tuple[str, ...] = ("api", "read_api")
    confidential: bool = False


@dataclass(slots=True)
class _Device:
    client: str
    scope: str
    user_code: str
    ends: int
    asked: int | None = None
    user: User | None = None
    denied: bool = False


@dataclass(slots=True)
class _Code:
    client: str
    scope: str
    redirect_uri: str
    challenge: str
    user: User
    ends: int


@dataclass(slots=True)
class _Pair:
    client: str
    scope: str
    user: User
    access: str
    refresh: str
    created: int
    over: bool = False


class OAuthRefused(Exception):
    """An answer of OAuth other than success."""

    def __init__(self, code: str, status: int = 400, description: str = "") -> None:
        super().__init__(code)
        self.code, self.status, self.description = code, status, description


@dataclass(slots=True)
class OAuth:
    """``life`` is that of access tokens, ``device_life`` and ``interval`` those of device codes, in seconds;
    with ``approves``, what is asked for is granted without a click."""

    world: World
    held: dict[str, Token]
    life: float = 7200
    device_life: float = 300
    interval: float = 5
    approves: bool = False
    applications: dict[str, Application] = field(default_factory=dict)
    _devices: dict[str, _Device] = field(default_factory=dict)
    _codes: dict[str, _Code] = field(default_factory=dict)
    _pairs: list[_Pair] = field(default_factory=list)
    _form: str = field(default_factory=lambda: secrets.token_urlsafe(16))

    def __post_init__(self) -> None:
        self.register(Application(CLIENT_ID))

    def register(self, application: Application) -> None:
        """Adds an application."""
        self.applications[application.uid] = application

    def settle(self) -> None:
        """Ends the access tokens whose time is over."""
        now = self.world.clock.now()
        for pair in self._pairs:
            token = self.held.get(pair.access)
            ended = token is not None and token.ends is not None and now >= token.ends
            if token is not None and ended and token.state == "active":
                token.state = "expired"

    def waiting(self) -> list[str]:
        """The user codes that are neither approved nor denied."""
        return [one.user_code for one in self._devices.values() if one.user is None and not one.denied]

    def decide(self, user_code: str, *, approved: bool = True, username: str = "") -> None:
        """What a person clicks on the page of a user code. Raises OAuthRefused for an unknown one."""
        wanted = user_code.replace("-", "").replace(" ", "").upper()
        found = next((one for one in self._devices.values() if one.user_code == wanted), None)
        now = self.world.clock.now()
        if found is None or found.user is not None or found.denied or now >= found.ends:
            raise OAuthRefused("invalid_user_code", 404)
        if approved:
            found.user = self.world.user(username) if username else self.world.owner
        else:
            found.denied = True

    def grant(self, client: str, user: User, scope: str) -> dict[str, Any]:
        """A new pair of tokens, as the answer has it."""
        now = self.world.clock.now()
        pair = _Pair(client, scope, user, secrets.token_hex(32), secrets.token_hex(32), now)
        self._pairs.append(pair)
        # Whoever may write may read.
        effective = "api" if "api" in scope.split() else scope.partition(" ")[0]
        ends = now + int(self.life * SECOND)
        self.held[pair.access] = Token(user, effective, ends=ends)
        return {
            "access_token": pair.access,
            "token_type": "Bearer",
            "expires_in": int(self.life),
            "refresh_token": pair.refresh,
            "scope": scope,
            "created_at": now // SECOND,
        }

    # -- requests

    def respond(self, request: Request, inside: str, body: bytes, base: str) -> Response:
        """The answer to a request below ``/oauth/``."""
        fields = _fields(request, body)
        try:
            match request.method, inside:
                case "POST", "/oauth/authorize_device" if self.world.since >= DEVICE_SINCE:
                    return _json(self._authorize_device(fields, base))
                case "POST", "/oauth/token":
                    return _json(self._token(fields))
                case "POST", "/oauth/revoke":
                    return _json(self._revoke(fields))
                case "GET", "/oauth/token/info":
                    return _json(self._info(request))
                case (("GET" | "POST"), "/oauth/device") if self.world.since >= DEVICE_SINCE:
                    return self._device_page(request, fields)
                case (("GET" | "POST"), "/oauth/authorize"):
                    return self._authorize_page(request, fields)
        except OAuthRefused as refused:
            text = refused.description or "The authorization server encountered an unexpected condition."
            return _json({"error": refused.code, "error_description": text}, refused.status)
        return _page("Not found", "<p>The page could not be found (404)</p>", 404)

    def _client(self, fields: Mapping[str, str]) -> Application:
        found = self.applications.get(fields.get("client_id", ""))
        # A confidential one needs its secret, which no program on a person's machine can keep.
        if found is None or found.confidential:
            raise OAuthRefused("invalid_client", 401, "Client authentication failed due to unknown client.")
        return found

    @staticmethod
    def _scope(fields: Mapping[str, str], application: Application) -> str:
        wanted = fields.get("scope", "").split() or [application.scopes[0]]
        if not {*wanted} <= {*application.scopes}:
            raise OAuthRefused("invalid_scope", 400, "The requested scope is invalid.")
        return " ".join(wanted)

    def _authorize_device(self, fields: Mapping[str, str], base: str) -> dict[str, Any]:
        application = self._client(fields)
        scope = self._scope(fields, application)
        code = secrets.token_urlsafe(32)
        user_code = "".join(secrets.choice(_LETTERS) for _ in range(8))
        ends = self.world.clock.now() + int(self.device_life * SECOND)
        self._devices[code] = _Device(application.uid, scope, user_code, ends)
        if self.approves:
            self.decide(user_code)
        page = f"{base}/oauth/device"
        return {
            "device_code": code,
            "user_code": user_code,
            "verification_uri": page,
            "verification_uri_complete": f"{page}?user_code={user_code}",
            "expires_in": int(self.device_life) or self.device_life,
            "interval": self.interval,
        }

    def _token(self, fields: Mapping[str, str]) -> dict[str, Any]:
        match fields.get("grant_type"):
            case "authorization_code":
                return self._of_code(fields)
            case "refresh_token":
                return self._renewed(fields)
            case grant if grant == DEVICE_GRANT and self.world.since >= DEVICE_SINCE:
                return self._of_device(fields)
        raise OAuthRefused("unsupported_grant_type")

    def _of_device(self, fields: Mapping[str, str]) -> dict[str, Any]:
        client = self._client(fields)
        code = fields.get("device_code", "")
        found = self._devices.get(code)
        if found is None or found.client != client.uid:
            raise OAuthRefused("invalid_grant")
        now = self.world.clock.now()
        early = found.asked is not None and now - found.asked < self.interval * SECOND * 0.9
        found.asked = now
        if found.denied:
            del self._devices[code]
            raise OAuthRefused("access_denied")
        if now >= found.ends:
            raise OAuthRefused("expired_token")
        if early:
            raise OAuthRefused("slow_down")
        if found.user is None:
            raise OAuthRefused("authorization_pending")
        del self._devices[code]
        return self.grant(client.uid, found.user, found.scope)

    def _of_code(self, fields: Mapping[str, str]) -> dict[str, Any]:
        client = self._client(fields)
        code = fields.get("code", "")
        found = self._codes.get(code)
        if found is None or found.client != client.uid or self.world.clock.now() >= found.ends:
            raise OAuthRefused("invalid_grant")
        if "code_verifier" not in fields:
            raise OAuthRefused("invalid_request", 400, "Missing required parameter: code_verifier.")
        digest = sha256(fields["code_verifier"].encode()).digest()
        challenge = urlsafe_b64encode(digest).rstrip(b"=").decode()
        if challenge != found.challenge or not _same_uri(fields.get("redirect_uri", ""), found.redirect_uri):
            raise OAuthRefused("invalid_grant")
        del self._codes[code]
        return self.grant(client.uid, found.user, found.scope)

    def _renewed(self, fields: Mapping[str, str]) -> dict[str, Any]:
        client = self._client(fields)
        sent = fields.get("refresh_token", "")
        pair = next((one for one in self._pairs if one.refresh == sent and not one.over), None)
        if pair is None or pair.client != client.uid:
            raise OAuthRefused("invalid_grant")
        self._end(pair)
        return self.grant(client.uid, pair.user, pair.scope)

    def _end(self, pair: _Pair) -> None:
        pair.over = True
        self.held[pair.access].state = "revoked"

    def _revoke(self, fields: Mapping[str, str]) -> dict[str, Any]:
        if fields.get("client_id", "") not in self.applications:
            raise OAuthRefused("unauthorized_client", 403)
        sent = fields.get("token", "")
        for pair in self._pairs:
            if sent in (pair.access, pair.refresh) and pair.client == fields["client_id"]:
                self._end(pair)
        return {}

    def _info(self, request: Request) -> dict[str, Any]:
        scheme, _, sent = request.headers.get("authorization", "").partition(" ")
        pair = next((one for one in self._pairs if one.access == sent.strip()), None)
        token = self.held.get(pair.access) if pair is not None else None
        if pair is None or token is None or token.state != "active" or scheme.lower() != "bearer":
            raise OAuthRefused("invalid_token", 401, "The access token is invalid")
        left = (token.ends or 0) - self.world.clock.now()
        return {
            "resource_owner_id": pair.user.id,
            "scope": pair.scope.split(),
            "expires_in": left // SECOND,
            "application": {"uid": pair.client},
            "created_at": pair.created // SECOND,
        }

    # -- pages

    def _device_page(self, request: Request, fields: Mapping[str, str]) -> Response:
        if request.method == "GET":
            code = escape(fields.get("user_code", ""), quote=True)
            text = f"<p>Enter the code displayed on your device.</p><input name=user_code value='{code}'>"
            return self._form_page("Device authorization", text)
        self._check_form(fields)
        denied = fields.get("decision") == "deny"
        try:
            self.decide(fields.get("user_code", ""), approved=not denied)
        except OAuthRefused:
            return _page("Device authorization", "<p>The user code is invalid.</p>", 422)
        return _page("Device authorization", f"<p>The device was {'denied' if denied else 'approved'}.</p>")

    def _authorize_page(self, request: Request, fields: Mapping[str, str]) -> Response:
        try:
            application = self._client(fields)
        except OAuthRefused as refused:
            return _page("An error has occurred", f"<p>{escape(refused.description)}</p>", 401)
        uri, challenge = fields.get("redirect_uri", ""), fields.get("code_challenge", "")
        if not any(_same_uri(uri, one) for one in application.redirect_uris):
            return _page("An error has occurred", "<p>The redirect URI included is not valid.</p>", 400)
        problem = ""
        try:
            scope = self._scope(fields, application)
        except OAuthRefused as refused:
            problem = refused.code
        if fields.get("response_type") != "code":
            problem = "unsupported_response_type"
        elif not challenge or fields.get("code_challenge_method") != "S256":
            problem = "invalid_request"
        state = fields.get("state", "")
        if problem:
            return _back(uri, {"error": problem, "state": state})
        if request.method == "GET" and not self.approves:
            hidden = "".join(
                f"<input type=hidden name='{escape(name, quote=True)}' value='{escape(value, quote=True)}'>"
                for name, value in fields.items()
            )
            return self._form_page(f"Authorize {escape(application.name)} to use your account?", hidden)
        if request.method == "POST":
            self._check_form(fields)
            if fields.get("decision") == "deny":
                return _back(uri, {"error": "access_denied", "state": state})
        code = secrets.token_urlsafe(32)
        ends = self.world.clock.now() + _CODE_LIFE * SECOND
        self._codes[code] = _Code(application.uid, scope, uri, challenge, self.world.owner, ends)
        return _back(uri, {"code": code, "state": state})

    def _form_page(self, title: str, text: str) -> Response:
        """A form with two buttons, which only a page of ours can send."""
        ours = f"<input type=hidden name=authenticity_token value='{self._form}'>"
        buttons = "".join(
            f"<button name=decision value={value}>{label}</button> "
            for value, label in (("approve", "Authorize"), ("deny", "Deny"))
        )
        return _page(title, f"<form method=post>{ours}{text}<p>{buttons}</p></form>")

    def _check_form(self, fields: Mapping[str, str]) -> None:
        if not secrets.compare_digest(fields.get("authenticity_token", "").encode(), self._form.encode()):
            raise OAuthRefused("invalid_authenticity_token", 422)


def _fields(request: Request, body: bytes) -> dict[str, str]:
    """The parameters of a request: of its query, and of its form or JSON."""
    found = dict(request.query_params)
    kind = request.headers.get("content-type", "")
    if kind.startswith("application/x-www-form-urlencoded"):
        found |= dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))
    elif kind.startswith("application/json") and body:
        try:
            content = msgspec.json.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            content = None
        if isinstance(content, dict):
            found |= {name: value for name, value in content.items() if isinstance(value, str)}
    return found


def _same_uri(one: str, other: str) -> bool:
    """Whether two redirect URIs are the same; of this machine's addresses, the port does not count."""
    a, b = urlsplit(one), urlsplit(other)
    if a.hostname in ("127.0.0.1", "::1") and a.hostname == b.hostname:
        return (a.scheme, a.path, a.query) == (b.scheme, b.path, b.query)
    return one == other


def _back(uri: str, fields: Mapping[str, str]) -> Response:
    where = f"{uri}{'&' if '?' in uri else '?'}{urlencode(fields, quote_via=quote)}"
    return Response("", 302, {"location": where})


def _json(content: Any, status: int = 200) -> Response:
    return Response(msgspec.json.encode(content), status, {"cache-control": "no-store"}, media_type=_JSON)


def _page(title: str, text: str, status: int = 200) -> Response:
    content = f"<!doctype html><html lang=en><title>{title}</title><body><h1>{title}</h1>{text}</body></html>"
    return Response(content, status, media_type="text/html")
