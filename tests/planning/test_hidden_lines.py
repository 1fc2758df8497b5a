"""A text that was edited while some of it was hidden."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from glboard_core.planning.hidden_lines import with_hidden

WHOLE = "head\n\n| a | Acme |\n| b | fine |\n\ncapacity\nfree\n\nopen\n- over\n- who?"
SHOWN = "head\n\n| a | ▒▒▒ |\n| b | fine |\n\nopen\n- who?"


def test_what_was_hidden_comes_back() -> None:
    assert with_hidden(SHOWN, SHOWN, WHOLE) == WHOLE
    edited = SHOWN.replace("head", "Our call").replace("- who?", "- who?\nSee you.")
    assert with_hidden(edited, SHOWN, WHOLE) == WHOLE.replace("head", "Our call") + "\nSee you."


def test_what_was_edited_stays() -> None:
    edited = SHOWN.replace("| a | ▒▒▒ |", "| a | a customer |")
    assert "| a | a customer |" in with_hidden(edited, SHOWN, WHOLE)
    assert "Acme" not in with_hidden(edited, SHOWN, WHOLE)
    # A row that was removed does not come back.
    assert "Acme" not in with_hidden(SHOWN.replace("| a | ▒▒▒ |\n", ""), SHOWN, WHOLE)


_LINES = st.lists(st.sampled_from("abcd"), max_size=8).map("\n".join)


@given(_LINES, _LINES)
def test_without_an_edit_it_is_the_whole(shown: str, whole: str) -> None:
    assert with_hidden(shown, shown, whole) == whole


@given(_LINES, _LINES)
def test_with_nothing_hidden_it_is_the_edit(edited: str, whole: str) -> None:
    assert with_hidden(edited, whole, whole) == edited
