"""Regenerates the table of docs/keys.md from the registry of actions: ``python docs/make_keys.py``."""

from __future__ import annotations

from pathlib import Path

from glboard_tui.actions import markdown_table

PAGE = Path(__file__).with_name("keys.md")
BEGIN, END = "<!-- keys: made by docs/make_keys.py -->\n", "<!-- end of keys -->"


def main() -> None:
    """Replace the text between the markers."""
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    PAGE.write_text(f"{before}{BEGIN}\n{markdown_table()}\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
