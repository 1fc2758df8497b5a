"""The message with the decisions: what it shows, hides and escapes."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from msgspec import structs

from glboard_core.config import LabelSettings
from glboard_core.model.issue import Issue
from glboard_core.model.workflow import WorkflowScheme
from glboard_core.planning.call import CallNote, PlanFigures
from glboard_core.planning.decisions import Decision, FieldChange, rules_for
from glboard_core.planning.decisions_text import MOST_ROWS, DecisionList, markdown, span_words
from support import make

START, END = datetime(2026, 12, 7, 14, 2, tzinfo=UTC), datetime(2026, 12, 7, 15, 10, tzinfo=UTC)
ZONE = ZoneInfo("UTC")
RULES = rules_for(
    LabelSettings(), WorkflowScheme(), make.MILESTONES, r"^\d+\.\d+$", [], planned="19.8", weights=True
)
READY = ("workflow::ready for development", "type::bug")


def title_of(issue: Issue) -> str:
    return issue.title


def accepted(issue: Issue, *more: FieldChange, note: str = "") -> Decision:
    noted = CallNote(issue=issue.id, reference=issue.reference, text=note, at=START) if note else None
    changes = (FieldChange(name="label", of="Deliverable", was=False, now=True), *more)
    return Decision(issue=issue, kind="accepted", changes=changes, by=("em_maple",), at=START, note=noted)


def listed(*decisions: Decision, **more: Any) -> DecisionList:
    values: dict[str, Any] = {"milestone": "19.8", "since": START, "until": END, "is_call": True, **more}
    return DecisionList(rules=RULES, decisions=decisions, **values)


def test_a_message_from_heading_to_questions() -> None:
    one = make.issue(1, *READY, "priority::1", weight=3, assignees=("eng_birch",), title="Fix *it* @all")
    three = accepted(
        one,
        FieldChange(name="weight", was=5, now=3),
        FieldChange(name="label", of="priority::1", was=False, now=True),
        FieldChange(name="label", of="priority::2", was=True, now=False),
        note="Cheap.\n/close",
    )
    before = PlanFigures(planned=10, accepted=0, unweighted=2, total=12.5, carried=4.0)
    after = PlanFigures(planned=10, accepted=3, unweighted=0, total=12.5, carried=4.0)
    text = markdown(listed(three, before=before, after=after, questions=("Who <b>?",)), ZONE, title_of)
    row = (
        r"| demo-org/platform#1 | Fix \*it\* \@all | 3 (was 5) | `eng_birch` "
        r"| priority::2 to priority::1 | `em_maple` | Cheap.<br>\/close |"
    )
    assert (
        text.replace(row, "ROW")
        == r"""## Decisions 19.8

Planning call 7 Dec 2026, 14:02 to 15:10 UTC: 1 decision.

### Accepted (1, weight 3)

| issue | title | weight | assignee | what | by | note |
| --- | --- | ---: | --- | --- | --- | --- |
ROW

### Capacity

| weight | before | after |
| --- | ---: | ---: |
| Capacity | 12.5 | 12.5 |
| Carry-over, likely | 4 | 4 |
| Planned | 10 + 2 unweighted | 10 |
| Accepted | 0 | 3 |
| **Free** | **-1.5** | **-1.5** |

### Open questions

- 19.8 is 1.5w over capacity
- Who \<b\>?"""
    )


def test_a_confidential_issue_is_a_reference_and_its_note() -> None:
    hidden = make.issue(
        9, "customer::Acme", confidential=True, title="Leak at Acme", weight=3, assignees=("eng_birch",)
    )
    change = FieldChange(name="label", of="customer::Acme", was=False, now=True)
    text = markdown(listed(accepted(hidden, change, note="Ask legal.")), ZONE, title_of)
    assert "| demo-org/platform#9 | (confidential) | Ask legal. |" in text
    assert "### Accepted (1)" in text
    for secret in ("Acme", "Leak", "eng_birch", "weight"):
        assert secret not in text


def test_people_are_named_in_whole_and_notify_no_one_in_every_column() -> None:
    """The list on screen shortens names; what is posted is read where no one knows the short ones."""
    issue = make.issue(3, assignees=("eng_birch",), title="Hand over")
    changes = [
        FieldChange(name="assignee", of="eng_alder", was=True, now=False),
        FieldChange(name="assignee", of="eng_birch", was=False, now=True),
        FieldChange(name="label", of="by_@the.team", was=False, now=True),
    ]
    handed = structs.replace(accepted(issue, *changes), kind="other")
    text = markdown(listed(handed), ZONE, title_of)
    [row] = [line for line in text.splitlines() if "Hand over" in line]
    assert "`@eng_alder` to `@eng_birch`" in row
    assert "+by\\_`@the.team`" in row
    assert not re.search(r"@\w", re.sub(r"`[^`]*`", "", text))


def test_a_span_says_since_when_and_by_whom() -> None:
    text = markdown(listed(is_call=False, person="pm_oak"), ZONE, title_of)
    assert "Changes 7 Dec 2026, 14:02 to 15:10 UTC, by `pm_oak`: 0 decisions." in text
    assert text.endswith("No decisions.")
    assert "Planning call since 7 Dec 2026, 14:02 UTC:" in markdown(listed(until=None), ZONE, title_of)
    assert span_words(START, END.replace(day=9), ZoneInfo("Asia/Kolkata")) == (
        "7 Dec 2026, 19:32 to 9 Dec 2026, 20:40 IST"
    )


def test_long_lists_end() -> None:
    many = [accepted(make.issue(n, *READY, weight=1, assignees=("a",))) for n in range(1, MOST_ROWS + 4)]
    text = markdown(listed(*many), ZONE, title_of)
    assert text.count("demo-org/platform#") == MOST_ROWS
    assert "… and 3 more." in text
