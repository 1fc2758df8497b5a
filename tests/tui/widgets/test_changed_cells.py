"""Only changed cells are written, and the terminal then shows exactly what was painted."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest
from rich.console import Console
from rich.segment import Segment
from rich.style import Style
from textual._compositor import ChopsUpdate, LayoutUpdate
from textual.geometry import Region
from textual.strip import Strip

from glboard_tui.widgets.changed_cells import ShownCells
from support.terminal import Screen

RED, BLUE = Style(color="#ff0000", bgcolor="#101010"), Style(color="#0000ff", bgcolor="#101010")
CONSOLE = Console(force_terminal=True, color_system="truecolor")
WIDTH = 20


def strip(*parts: str, style: Style = RED) -> Strip:
    """Pieces of text in two colours, in turns."""
    return Strip([Segment(part, (style, BLUE)[n % 2]) for n, part in enumerate(parts) if part])


def whole(*lines: Sequence[Strip]) -> LayoutUpdate:
    return LayoutUpdate([list(line) for line in lines], Region(0, 0, WIDTH, len(lines)))


def part(y: int, line: dict[int, Strip | None], left: int, right: int) -> ChopsUpdate:
    lines: list[dict[int, Strip | None]] = [{}] * y + [line]
    ends: list[list[int]] = [[]] * y + [[*list(line)[1:], WIDTH]]
    return ChopsUpdate(lines, [(y, left, right)], ends)


def padded(text: str) -> list[Strip]:
    return [strip(text).adjust_cell_length(WIDTH, RED)]


def test_what_stays_is_not_written() -> None:
    shown, before = ShownCells(), whole(padded("first"), padded("second"))
    assert len(shown.write("a", before, CONSOLE)) > 2 * WIDTH
    assert shown.write("b", whole(padded("first"), padded("second")), CONSOLE) == ""
    changed = shown.write("b", whole(padded("first"), padded("seaond")), CONSOLE)
    assert changed.startswith("\x1b[2;3H")
    assert changed.endswith("ma\x1b[0m")


def test_a_style_is_seen_and_what_a_click_does_is_not() -> None:
    shown = ShownCells()
    shown.write("a", whole(padded("first")), CONSOLE)
    click = RED + Style.from_meta({"card": 1})
    assert (
        shown.write("a", whole([strip("first", style=click).adjust_cell_length(WIDTH, RED)]), CONSOLE) == ""
    )
    assert "first" in shown.write("a", whole([Strip([Segment("first".ljust(WIDTH), BLUE)])]), CONSOLE)


def test_all_is_written_to_a_terminal_that_was_somebody_elses() -> None:
    shown = ShownCells()
    shown.write("a", whole(padded("first")), CONSOLE)
    shown.forget()
    assert "first" in shown.write("a", whole(padded("first")), CONSOLE)


def test_a_line_with_letters_of_doubtful_width_is_written_whole() -> None:
    for text in ("a 世界 b", "e\u0301 and \u26a0\ufe0f"):
        shown = ShownCells()
        shown.write("a", whole(padded(text)), CONSOLE)
        assert text in shown.write("a", whole(padded(text + "x")), CONSOLE)


def test_lines_are_known_only_of_what_was_painted_last() -> None:
    shown = ShownCells()
    shown.write("board", whole(padded("first")), CONSOLE)
    assert [[piece.text.strip() for piece in line] for line in shown.lines_of("board")] == [["first"]]
    shown.write("dialog", whole(padded("question")), CONSOLE)
    assert shown.lines_of("board") == ()


TITLES = ("Card 1 of many", "Karte — zwei", "▌ 世界 wide", "▎ plain", "e\u0301 accent", "")


@pytest.mark.parametrize("seed", range(24))
def test_the_terminal_shows_what_was_painted(seed: int) -> None:
    """Any order of whole lines, of other cuts, and of parts of them, on a real terminal's rules."""
    chance = random.Random(seed)
    shown, terminal = ShownCells(), Screen(WIDTH, 3)
    # As the driver does.
    no_wrap = b"\x1b[?7l"
    terminal.feed(no_wrap)
    lines = [padded("") for _ in range(3)]

    def line() -> list[Strip]:
        text = "".join(chance.choice(TITLES) for _ in range(3))
        cut = chance.randrange(1, 12)
        made = Strip([Segment(text[:cut], RED), Segment(text[cut:], BLUE)]).adjust_cell_length(WIDTH, RED)
        cuts = sorted({chance.randrange(1, WIDTH) for _ in range(chance.randrange(3))} | {WIDTH})
        return list(made.divide(cuts))

    for _ in range(12):
        y = chance.randrange(3)
        if chance.random() < 0.6:
            lines[y] = line()
            update: LayoutUpdate | ChopsUpdate = whole(*lines)
        else:
            x, pieces = 0, dict[int, Strip | None]()
            for piece in line():
                pieces[x] = piece
                x += piece.cell_length
            lines[y] = [piece for piece in pieces.values() if piece is not None]
            update = part(y, pieces, 0, WIDTH)
        terminal.feed(shown.write("board", update, CONSOLE).encode())
        wanted = Screen(WIDTH, 3)
        wanted.feed(no_wrap)
        wanted.feed(ShownCells().write("board", whole(*lines), CONSOLE).encode())
        assert terminal.lines == wanted.lines


def test_next_to_what_is_new_nothing_is_written_though_lines_are_cut_otherwise_now() -> None:
    shown, screen = ShownCells(), Screen(WIDTH, 1)
    for update in (
        whole([strip("columns of a board")]),
        # Textual gives what is behind the columns, as these are not in the part that is new.
        part(0, {0: strip(" " * 11), 11: strip("issue 2  "[:9])}, 11, WIDTH),
    ):
        screen.feed(shown.write("a", update, CONSOLE).encode())
    assert screen.lines == ["columns of issue 2"]
