"""The questions that complete the labels of issues, and the effect of an answer (rule 8)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from msgspec import structs

from glboard_core.config import LabelSettings
from glboard_core.model.issue import Issue, IssueId
from glboard_core.planning.readiness import answered, completed, question

NAMES = LabelSettings()
KNOWN = ("type::bug", "type::feature", "type::ignore", "bug::ux", "bug::mobile", *NAMES.categories)


def issue(number: int, *labels: str) -> Issue:
    at = datetime(2026, 12, 1, tzinfo=UTC)
    return Issue(
        id=IssueId(f"gid://gitlab/Issue/{number}"),
        project="demo-org/platform",
        iid=number,
        title="",
        labels=frozenset(labels),
        created_at=at,
        updated_at=at,
    )


def known(_: Sequence[Issue]) -> Sequence[str]:
    return KNOWN


def test_type_is_asked_first_then_subtype_then_category() -> None:
    issues = [issue(1)]
    asked = []
    for label in ("type::bug", "bug::ux", NAMES.categories[0]):
        found = question(issues, (), NAMES, known)
        assert found is not None
        asked.append((found.kind, found.of))
        issues = answered(issues, found, label)
    assert asked == [("type", ""), ("subtype", "type::bug"), ("category", "")]
    assert question(issues, (), NAMES, known) is None


def test_ignored_issue_needs_no_more_labels() -> None:
    found = question([issue(1)], (), NAMES, known)
    assert found is not None
    assert found.choices == ("type::bug", "type::feature", "type::ignore")
    assert question(answered([issue(1)], found, "type::ignore"), (), NAMES, known) is None


def test_one_of_several_types_stays_and_no_other_label_is_removed() -> None:
    both = issue(1, "type::bug", "type::feature", "group::other")
    found = question([both], (), NAMES, known)
    assert found is not None
    assert (found.kind, found.choices) == ("keep", ("type::bug", "type::feature"))
    assert answered([both], found, "type::feature")[0].labels == {"type::feature", "group::other"}


def test_similar_issues_share_a_question_and_others_stay_unchanged() -> None:
    issues = [issue(1, "type::bug"), issue(2, "type::bug", "bug::ux"), issue(3, "type::bug")]
    found = question(issues, (), NAMES, known)
    assert found is not None
    assert [one.iid for one in found.issues] == [1, 3]
    after = answered(issues, found, "bug::mobile")
    assert [one.scoped("bug::") for one in after] == [("bug::mobile",), ("bug::ux",), ("bug::mobile",)]


def test_skipped_questions_and_missing_labels_are_not_asked() -> None:
    one = issue(1, "type::feature")
    found = question([one], (), NAMES, known)
    assert found is not None
    assert found.kind == "category"  # GitLab has no feature:: label
    assert question([one], {(one.id, "category")}, NAMES, known) is None


def test_single_category_needs_no_question() -> None:
    names = structs.replace(NAMES, categories=("Category:Only",))
    one = issue(1, "type::bug", "bug::ux")
    assert question([one], (), names, known) is None
    done, absent = completed(one, names, lambda title: title != names.section)
    assert done.labels - one.labels == {names.group, names.devops, "Category:Only"}
    assert absent == [names.section]
