"""How the columns of a list share the width."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glboard_tui.widgets.colors import ansi_palette
from glboard_tui.widgets.table import Col, Head, Rows, Table, gap_of, widths
from glboard_tui.widgets.text import Line, clip_reference

PALETTE = ansi_palette()


def test_columns_are_as_wide_as_their_content() -> None:
    table = Table(
        cols=(Col(title="issue"), Col(title="slipped"), Col(title="w", right=True)),
        rows=[(("platform#1", "text"), ("", "text"), ("3", "text"))],
    )
    assert table.natural() == [10, 0, 1]
    assert widths(table.cols, table.natural(), 100) == [10, 0, 1]


def test_title_shrinks_first_but_keeps_its_minimum() -> None:
    cols = (Col(), Col(least=20))
    assert widths(cols, [10, 80], 60) == [10, 49]
    assert widths(cols, [10, 80], 20) == [10, 20]


def test_shrinking_columns_become_equal() -> None:
    cols = (Col(least=10), Col(least=10))
    assert widths(cols, [80, 30], 51) == [25, 25]


def test_optional_columns_are_dropped_before_minimums_are_broken() -> None:
    cols = (Col(least=20), Col(drop=1), Col(drop=2))
    assert widths(cols, [40, 10, 10], 42) == [20, 10, 10]
    assert widths(cols, [40, 10, 10], 40) == [29, 10, 0]
    assert widths(cols, [40, 10, 10], 24) == [24, 0, 0]


@given(
    st.lists(st.tuples(st.integers(0, 60), st.integers(0, 30), st.integers(0, 2)), max_size=7),
    st.integers(0, 200),
)
def test_no_column_is_wider_than_needed_or_drawn_over_the_edge(
    wanted: list[tuple[int, int, int]], width: int
) -> None:
    cols = [Col(least=least, drop=drop) for _, least, drop in wanted]
    natural = [n for n, _, _ in wanted]
    got = widths(cols, natural, width)
    shown = [at for at, cells in enumerate(got) if cells]
    assert all(cells <= n for cells, n in zip(got, natural, strict=True))
    assert all(got[at] >= min(natural[at], cols[at].least or natural[at]) for at in shown)
    over = sum(got) + gap_of(width) * max(0, len(shown) - 1) - width
    if over > 0:  # only if nothing more could shrink
        assert all(not cols[at].drop for at in shown)
        assert all(got[at] == natural[at] or got[at] == cols[at].least for at in shown)


def test_headings_are_not_rows() -> None:
    table = Table(cols=(Col(),), rows=[(("a", "text"),)], heads={0: (Head("in dev"),)})
    assert table.natural() == [1]


@pytest.mark.parametrize(
    ("reference", "width", "shown"),
    [
        ("platform#12", 11, "platform#12"),
        ("model-registry#16", 12, "model-re…#16"),
        ("model-registry#16", 4, "#16"),
        ("no number", 5, "no n…"),
    ],
)
def test_reference_keeps_its_number(reference: str, width: int, shown: str) -> None:
    assert clip_reference(reference, width) == shown


def test_a_text_that_is_whole_has_no_sign_behind_it() -> None:
    """Where the last column has less space than its content, only what is cut ends in a sign."""
    cols = (Col(title="title"), Col(title="state"))
    states = ("ready", "not ready, no weight")
    rows = Rows()
    rows.show(Table(cols=cols, rows=[(("a title", "text"), (state, "text")) for state in states]), 0)
    shown = []
    for row in rows._table.rows:
        line = Line(18)
        rows._paint_cells(line, row, PALETTE, "overlay")
        shown.append(line.strip(PALETTE.style("overlay")).text.rstrip())
    assert [text.endswith("…") for text in shown] == [False, True]
    assert shown[0].endswith(" ready")
