"""Tokens: who holds one, what it may do, and how a request carries it."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from glboard_core.demo.world.records import User

TokenScope = Literal["api", "read_api"]


@dataclass(slots=True)
class Token:
    """A personal access token."""

    user: User
    scope: str
    state: Literal["active", "expired", "revoked"] = "active"


def mint() -> str:
    """A new random token."""
    return f"glpat-{secrets.token_urlsafe(15)}"


def token_sent(headers: Mapping[str, str]) -> str | None:
    """The token a request carries; None for none."""
    private = headers.get("private-token")
    if private is not None:
        return private
    scheme, _, value = headers.get("authorization", "").partition(" ")
    return value.strip() if scheme.lower() == "bearer" else None
