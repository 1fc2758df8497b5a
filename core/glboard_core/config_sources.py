"""The settings in effect, and where each comes from: a default, the file, the environment, or an option.

Owns which of these wins for server and group, in the words of whoever set it. It never reads a token.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

from msgspec import Struct, structs

from glboard_core.auth.search import find_address
from glboard_core.config import BoardSettings, Settings
from glboard_core.config_check import CheckedConfig
from glboard_core.environment import environment
from glboard_core.errors import UsageError
from glboard_core.gitlab.account import Account, find_group
from glboard_core.toml_lines import KeyPath, line_of

Source = Literal["default", "file", "environment", "option", "glboard", "glab", "python-gitlab"]


class EffectiveSetting(Struct, frozen=True, kw_only=True):
    """One setting. ``path`` is its way in the file; ``where`` names what set it, and the line of a file."""

    path: tuple[str | int, ...]
    value: Any
    source: Source = "default"
    where: str = ""


def effective_settings(
    checked: CheckedConfig,
    *,
    url: str | None = None,
    group: str | None = None,
    allow_http: bool = False,
    account: Account | None = None,
    env: Mapping[str, str] | None = None,
    home: Path | None = None,
) -> list[EffectiveSetting]:
    """All settings in the order of the file. Raises ConfigError for an address that is none.

    ``account`` is the one in use, if there is any: where nothing else names a server, its own file does.
    """
    env = environment() if env is None else env
    given: dict[KeyPath, EffectiveSetting] = {
        ("gitlab", "url"): _url(checked, url, env, home),
        ("gitlab", "group"): _group(checked, group, env),
    }
    address = given["gitlab", "url"]
    if account is not None and address.source == "default" and address.value != account.url:
        given["gitlab", "url"] = structs.replace(
            address, value=account.url, source="python-gitlab", where=account.source
        )
    if allow_http:
        one = EffectiveSetting(
            path=("gitlab", "allow_http"), value=True, source="option", where="--allow-http"
        )
        given[one.path] = one
    return [given.get(one.path) or one for one in _rows(checked)]


def _rows(checked: CheckedConfig) -> Iterator[EffectiveSetting]:
    for field in structs.fields(Settings):
        value = getattr(checked.settings, field.name)
        if field.name == "boards":
            yield from _boards(checked)
        elif isinstance(value, Struct):
            yield from _struct(value, (field.name,), checked)
        else:
            yield from (_from_file((field.name, key), one, checked) for key, one in value.items())


def _struct(value: Struct, path: KeyPath, checked: CheckedConfig) -> Iterator[EffectiveSetting]:
    nested: list[tuple[Struct, KeyPath]] = []
    for field in structs.fields(type(value)):
        found, here = getattr(value, field.name), (*path, field.name)
        if isinstance(found, Struct):
            # A table of its own: TOML has it below the keys of this one.
            nested.append((found, here))
        else:
            yield _from_file(here, found, checked)
    for found, here in nested:
        yield from _struct(found, here, checked)


def _boards(checked: CheckedConfig) -> Iterator[EffectiveSetting]:
    for number, board in enumerate(checked.settings.boards):
        in_file = checked.boards.get(board.id)
        for field in structs.fields(BoardSettings):
            here: KeyPath = ("boards", number, field.name)
            value = getattr(board, field.name)
            if in_file is None:
                yield EffectiveSetting(path=here, value=value)
                continue
            one = _from_file(("boards", in_file, field.name), value, checked)
            yield structs.replace(one, path=here)


def _from_file(path: KeyPath, value: Any, checked: CheckedConfig) -> EffectiveSetting:
    if path in checked.lines:
        return EffectiveSetting(
            path=path, value=value, source="file", where=f"line {line_of(dict(checked.lines), path)}"
        )
    return EffectiveSetting(path=path, value=value)


def _url(
    checked: CheckedConfig, given: str | None, env: Mapping[str, str], home: Path | None
) -> EffectiveSetting:
    path = ("gitlab", "url")
    value, where = find_address(given, checked.settings.gitlab, env=env, home=home)
    if where == "config":
        return _from_file(path, value, checked)
    sources: dict[str, Source] = {"--url": "option", "": "default", "glboard auth login": "glboard"}
    source = sources.get(where) or ("environment" if where in env else "glab")
    return EffectiveSetting(path=path, value=value, source=source, where=where)


def _group(checked: CheckedConfig, given: str | None, env: Mapping[str, str]) -> EffectiveSetting:
    path, configured = ("gitlab", "group"), checked.settings.gitlab.group
    try:
        value = find_group(given, configured=configured, env=env)
    except UsageError:
        return EffectiveSetting(path=path, value="")
    if given and given.strip():
        return EffectiveSetting(path=path, value=value, source="option", where="--group")
    if env.get("GLBOARD_GROUP", "").strip():
        return EffectiveSetting(path=path, value=value, source="environment", where="GLBOARD_GROUP")
    return _from_file(path, value, checked)
