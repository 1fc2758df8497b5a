"""Regenerates the key table of README.md from the registry of actions: ``python docs/make_keys.py``."""

from __future__ import annotations

from pathlib import Path

from glboard_tui.actions import markdown_table

README = Path(__file__).parents[1] / "README.md"
BEGIN, END = "<!-- keys: made by docs/make_keys.py -->\n", "<!-- end of keys -->"


def main() -> None:
    """Replace the text between the markers."""
    before, _, rest = README.read_text(encoding="utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    README.write_text(f"{before}{BEGIN}\n{markdown_table()}\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
