"""What surrounds the cards: the headers and rails of an arrangement of columns. Pure."""

from __future__ import annotations

from collections.abc import Container, Sequence

from msgspec import Struct

from glboard_core.board.index import ColumnIndex
from glboard_tui.widgets.column_headers import HeadView
from glboard_tui.widgets.layout import RAIL, Arrangement
from glboard_tui.widgets.rails import RailView


class Frame(Struct, frozen=True):
    """Headers from left to right, and the rails of both sides."""

    heads: tuple[HeadView, ...]
    left: tuple[RailView, ...]
    right: tuple[RailView, ...]


def _upright(count: str, title: str) -> str:
    """The text of a rail: a count too wide for its header is written vertically too."""
    return title if len(count) < RAIL else f"{count} {title}"


def frame(
    columns: Sequence[ColumnIndex],
    arranged: Arrangement,
    *,
    focus: str | None,
    target: str | None,
    has_weight: bool,
    unread: Container[str] = (),
) -> Frame:
    """The frame of ``columns``; ``focus`` and ``target`` are keys of the focused and the drop column."""

    def rails(members: Sequence[int], x: int) -> tuple[list[HeadView], list[RailView]]:
        heads: list[HeadView] = []
        names: list[RailView] = []
        for place, at in enumerate(members):
            cards = columns[at]
            key, title = cards.column.key, cards.column.title
            aimed = key == target
            heads.append(
                HeadView(
                    key=key,
                    title=title,
                    x=x + place * RAIL,
                    width=RAIL,
                    count=len(cards),
                    partial=key in unread,
                    rail=True,
                    target=aimed,
                )
            )
            count = "…" if key in unread else str(len(cards))
            names.append(RailView(key, _upright(count, title), target=aimed))
        return heads, names

    def unseen(at: int, count: int, x: int) -> tuple[HeadView, RailView]:
        key = columns[at].column.key
        head = HeadView(key=key, title="", x=x, width=RAIL, rail=True, more=count)
        return head, RailView(key, _upright(f"+{count}", "more"))

    shift = RAIL if arranged.before else 0
    left_heads, left = rails(arranged.left, shift)
    if arranged.before:
        head, rail = unseen(arranged.before - 1, arranged.before, 0)
        left_heads.insert(0, head)
        left.insert(0, rail)
    end = arranged.slots[-1].x + arranged.slots[-1].width if arranged.slots else 0
    right_heads, right = rails(arranged.right, end)
    if arranged.after:
        head, rail = unseen(len(columns) - arranged.after, arranged.after, end + RAIL * len(right))
        right_heads.append(head)
        right.append(rail)
    full: list[HeadView] = []
    for slot in arranged.slots:
        cards = columns[slot.at]
        column = cards.column
        last = slot is arranged.slots[-1] and not right
        full.append(
            HeadView(
                key=column.key,
                title=column.title,
                x=slot.x,
                width=slot.width,
                color=column.color,
                count=len(cards),
                partial=column.key in unread,
                weight=cards.weight if has_weight else None,
                unweighted=cards.unweighted if has_weight else 0,
                limit_issues=column.limit_issues,
                limit_weight=column.limit_weight,
                focused=column.key == focus,
                target=column.key == target,
                edge=not last,
                place=(slot.at + 1, len(columns)) if arranged.single else None,
            )
        )
    return Frame((*left_heads, *full, *right_heads), tuple(left), tuple(right))
