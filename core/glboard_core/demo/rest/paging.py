"""Offset pages, 20 by default and 100 at most, with GitLab's headers; totals are left out above 10,000."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar
from urllib.parse import urlencode

from glboard_core.demo.rest.request import Call, bad

MAX_PAGE = 100
MAX_TOTAL = 10_000
T = TypeVar("T")


def window(call: Call) -> tuple[int, int]:
    """The page asked for and its size."""
    page = call.number("page", 1) or 1
    size = call.number("per_page", 20) or 20
    if page < 1:
        raise bad("page", "does not have a valid value")
    if size < 1:
        raise bad("per_page", "does not have a valid value")
    return page, min(size, MAX_PAGE)


def _link(call: Call, relation: str, **changed: str | int) -> str:
    kept = [(key, value) for key, value in call.asked.query if key not in changed]
    query = urlencode([*kept, *((key, str(value)) for key, value in changed.items())])
    return f'<{call.asked.base_url}{call.asked.path}?{query}>; rel="{relation}"'


def put_headers(call: Call, page: int, size: int, *, more: bool, total: int | None) -> None:
    """The headers of a page; `total` is None when nobody counted that far."""
    links = []
    if page > 1:
        links.append(_link(call, "prev", page=page - 1, per_page=size))
    if more:
        links.append(_link(call, "next", page=page + 1, per_page=size))
    links.append(_link(call, "first", page=1, per_page=size))
    headers = call.headers
    headers["x-page"] = str(page)
    headers["x-per-page"] = str(size)
    headers["x-next-page"] = str(page + 1) if more else ""
    headers["x-prev-page"] = str(page - 1) if page > 1 else ""
    if total is not None:
        pages = max(1, -(-total // size))
        links.append(_link(call, "last", page=pages, per_page=size))
        headers["x-total"] = str(total)
        headers["x-total-pages"] = str(pages)
    headers["link"] = ", ".join(links)


def put_keyset_headers(call: Call, size: int, cursor: str | None) -> None:
    """The headers of a page by key: only a link to the next one."""
    if cursor is not None:
        call.headers["link"] = _link(call, "next", cursor=cursor, per_page=size)


def paged(call: Call, items: Sequence[T]) -> Sequence[T]:
    """The page of a list."""
    page, size = window(call)
    start = (page - 1) * size
    put_headers(call, page, size, more=start + size < len(items), total=len(items))
    return items[start : start + size]
