"""What documents cost: GitLab refuses more than 250 points or 10,000 characters."""

from __future__ import annotations

import pytest

from contract.complexity import score
from contract.conftest import SHARED
from contract.documents import ACTS, DIALECTS, calls, documents
from glboard_core.gitlab import mutations, queries
from glboard_core.gitlab.dialect import MOST_CHARACTERS, MOST_COMPLEXITY

#: The facts' own figures: the estimate has to come out the same.
KNOWN = {"01_board_issues": 112, "02_first_paint": 140, "03_changes": 41, "04_update_issue": 21}
KNOWN |= {"14_multi_alias_update": 15, "15_timebox_report": 31, "12_workitems": 103}


@pytest.mark.parametrize(("name", "expected"), KNOWN.items())
def test_the_estimate_agrees_with_the_facts(name: str, expected: int) -> None:
    path = SHARED / "queries" / f"{name}.graphql"
    if not path.is_file():
        pytest.skip("the example queries are not beside the repository")
    assert score(path.read_text()) == expected


@pytest.mark.parametrize("dialect", DIALECTS)
def test_every_document_keeps_a_margin(dialect: str) -> None:
    heavy = {
        one.name: (score(one.text), len(one.text))
        for one in documents(DIALECTS[dialect])
        if score(one.text) > MOST_COMPLEXITY or len(one.text) > MOST_CHARACTERS
    }
    assert heavy == {}


@pytest.mark.parametrize("change", ACTS)
def test_a_call_costs_no_more_than_declared(change: str) -> None:
    dialect = DIALECTS["18.9"]
    made = calls(ACTS[change], dialect)
    assert score(mutations.mutation(made, dialect)[0]) <= sum(call.cost for call in made)


def test_documents_are_the_same_every_time() -> None:
    dialect = DIALECTS["18.9"]
    once = [(one.name, one.text) for one in documents(dialect)]
    queries.issues.cache_clear()
    queries.card.cache_clear()
    assert once == [(one.name, one.text) for one in documents(dialect)]


def test_no_value_is_in_the_text() -> None:
    for one in documents(DIALECTS["18.9"]):
        assert '"' not in one.text, one.name
