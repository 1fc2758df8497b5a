"""The filter language: the meaning of each form, and that no input breaks it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glboard_core.board.filters import Query, Term, compiled, parse, problems, quoted
from glboard_core.board.spelling import folded
from support.make import issue

ONE = issue(
    7,
    "type::bug",
    "Category:Self-Hosted models",
    title="Fix [/api] crash",
    weight=3,
    milestone="19.8",
    assignees=("eng_birch",),
)
STATES = {"blocked": lambda i: i.blocked, "weighted": lambda i: i.weight is not None}


@pytest.mark.parametrize(
    ("text", "lets_through"),
    [
        ("", True),
        ("CRASH", True),
        ("crash nothing", False),
        ("crash | nothing", True),
        ("platform#7", True),
        ("~bug", True),
        ('~"self-hosted models"', True),
        ("-~bug", False),
        ("!crash", False),
        ("@birch", True),
        ("@none", False),
        ("%19.8", True),
        ("%none", False),
        ("w:3", True),
        ("w=3", True),
        ("w>3", False),
        ("w>=3", True),
        ("w<4", True),
        ("weight<=2", False),
        ("w:none", False),
        ("-w:none", True),
        ("is:weighted", True),
        ("is:blocked", False),
        ("is:nonsense", False),
        ("[/api]", True),
        ('"fix [/api]"', True),
        ('"unfinished', False),
        ("w>", True),
        ("is:", True),
        ("w>>", False),
    ],
)
def test_each_form_matches(text: str, lets_through: bool) -> None:
    test = compiled(parse(text), STATES)
    assert (test is None or test(ONE)) is lets_through


@given(st.text())
def test_no_input_breaks_it(text: str) -> None:
    test = compiled(parse(text), STATES)
    if test is not None:
        test(ONE)


_texts = (
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=6)
    .map(lambda text: folded(folded(text)))
    .filter(lambda text: text and text == folded(text))
)
_terms = st.one_of(
    st.builds(Term, st.sampled_from(["word", "label", "user", "milestone"]), _texts, st.booleans()),
    st.builds(Term, st.just("weight"), st.sampled_from(["w:3", "w>=10", "w:none"]), st.booleans()),
    st.builds(Term, st.just("is"), st.sampled_from(["blocked", "mine"]), st.booleans()),
)


def render(query: Query) -> str:
    """A line of text that parses back to ``query``."""
    leads = {kind: lead for lead, kind in {"~": "label", "@": "user", "%": "milestone"}.items()}
    groups: list[str] = []
    for group in query.groups:
        terms: list[str] = []
        for term in group:
            mark = "-" if term.negated else ""
            if term.kind in ("weight", "is"):
                terms.append(f"{mark}{'is:' if term.kind == 'is' else ''}{term.text}")
            else:
                inside = term.text.replace("\\", "\\\\").replace('"', '\\"')
                terms.append(f'{mark}{leads.get(term.kind, "")}"{inside}"')
        groups.append(" | ".join(terms))
    return " ".join(groups)


@given(st.lists(st.lists(_terms, min_size=1, max_size=3).map(tuple), max_size=3).map(tuple))
def test_rendered_query_parses_to_the_same_query(groups: tuple[tuple[Term, ...], ...]) -> None:
    assert parse(render(Query(groups))) == Query(groups)


def test_what_matches_nothing_says_why() -> None:
    nothing, near, weight = problems(parse("is:blocked is:foo is:wieghted w>>"), STATES)
    assert nothing == "Unknown filter is:foo, so nothing matches; ? lists the known ones."
    assert near.endswith("did you mean is:weighted?")
    assert weight == "w>> is not a weight, so nothing matches. Examples: w:3, w>2, w<=5, w:none."


@pytest.mark.parametrize(
    ("term", "title"),
    [
        ("café", "The cafe\u0301 is closed"),
        ("cafe\u0301", "The café is closed"),
        ("istanbul", "\u0130stanbul"),
        ('"say \\"yes\\" now"', 'Say "yes" now'),
    ],
)
def test_letters_are_the_same_composed_or_not_and_quotes_can_be_escaped(term: str, title: str) -> None:
    test = compiled(parse(term), STATES)
    assert test is not None
    assert test(issue(1, title=title))


def test_any_name_can_be_written_as_a_term() -> None:
    for name in ('needs "sign off" by legal', "a|b", "back\\slash off", "plain"):
        test = compiled(parse(f"~{quoted(name)}"), STATES)
        assert test is not None
        assert test(issue(1, name))
