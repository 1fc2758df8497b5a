"""What to confirm before a keystroke is carried out: counts for each rule (planning rule 13).

Pure. The rules are ``glboard_core.planning.transitions``; here they are applied to every issue a keystroke
changes, except where the user already agreed, and put into words. Nothing is forbidden.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from msgspec import Struct, structs

from glboard_core.board.rules import ready, types_of
from glboard_core.board.use_cases import EditBatch, Edits, short, titled
from glboard_core.config import LabelSettings
from glboard_core.model.issue import Issue, IssueId
from glboard_core.model.workflow import WorkflowScheme
from glboard_core.planning.readiness import READY, over_weight

# The questions a change raises, once per issue and rule (planning rule 13).


def questions(
    before: Issue, after: Issue, flow: WorkflowScheme, names: LabelSettings, *, commented: bool = False
) -> tuple[str, ...]:
    """The codes of what to ask before ``before`` becomes ``after`` (rule 13, rule 4 for ``over-weight``).

    ``ready-without-weight``, ``ready-without-type``, ``deliverable-not-ready``, ``over-weight`` (both when
    marking as Deliverable), ``in-dev-without-assignee``, ``complete-with-merge-requests``,
    ``unblocked-without-comment``.
    """
    codes: list[str] = []
    was, now = flow.of(before), flow.of(after)
    came = now.name if now is not None and now != was else None
    if came == READY:
        if after.weight is None:
            codes.append("ready-without-weight")
        if len(types_of(after, names)) != 1:
            codes.append("ready-without-type")
    if names.deliverable in after.labels - before.labels:
        if not ready(after, flow, names):
            codes.append("deliverable-not-ready")
        if over_weight(after):
            codes.append("over-weight")
    if came == "in dev" and not after.assignees:
        codes.append("in-dev-without-assignee")
    # GitLab counts the merge requests that will close the issue.
    if came == "complete" and after.merge_requests:
        codes.append("complete-with-merge-requests")
    if was is not None and was.name == "blocked" and now != was and not commented:
        codes.append("unblocked-without-comment")
    return tuple(codes)


Asked = set[tuple[IssueId, str]]
"""What the user has agreed to: a rule for an issue."""

_WORDS = {
    "ready-without-weight": "ready without a weight",
    "ready-without-type": "ready without exactly one type",
    "deliverable-not-ready": "Deliverable on an issue that is not ready",
    "over-weight": "accepted with a weight over 3: break it down",
    "in-dev-without-assignee": "in dev without an assignee",
    "complete-with-merge-requests": "complete while merge requests are open",
    "unblocked-without-comment": "unblocked without a comment",
}
#: Asked every time: it needs explicit confirmation.
_ALWAYS = "deliverable-not-ready"


class Confirmation(Struct, frozen=True, kw_only=True):
    """The issues with something to confirm, and the work without them."""

    of: Mapping[IssueId, tuple[str, ...]]
    reached: int
    rest: EditBatch
    reference: str = ""

    @property
    def heading(self) -> str:
        """The question."""
        if self.reached == 1:
            return f"{self.reference}: continue?"
        return f"{len(self.of)} of {self.reached} issues have warnings. Continue?"

    @property
    def words(self) -> str:
        """Each rule with the number of issues it applies to; for a single issue only the rules."""
        counts: dict[str, int] = {}
        for codes in self.of.values():
            for code in codes:
                counts[code] = counts.get(code, 0) + 1
        return "\n".join(
            _WORDS.get(code, code) + (f": {count}" if self.reached > 1 else "")
            for code, count in counts.items()
        )

    @property
    def answers(self) -> dict[str, str]:
        """All issues, or only those without a warning if there are any. Esc cancels."""
        if self.reached == 1:
            return {"y": "yes, continue"}
        answers = {"y": f"all {self.reached}"}
        if self.rest.changes:
            answers["o"] = f"only the {self.reached - len(self.of)} without warnings"
        return answers

    def accepted(self) -> Asked:
        """What agreeing to all of it settles."""
        return {(issue, code) for issue, codes in self.of.items() for code in codes if code != _ALWAYS}


def warned(
    work: EditBatch, edits: Edits, find: Callable[[IssueId], Issue | None], asked: Asked
) -> Confirmation | None:
    """What to ask before ``work``; None if there is nothing to ask."""
    before: dict[IssueId, Issue] = {}
    after: dict[IssueId, Issue] = {}
    commented = {issue for issue, change in work.changes if change.comment}
    for identity, change in work.changes:
        issue = after.get(identity) or find(identity)
        if issue is None or change.as_edit is None:
            continue
        before.setdefault(identity, issue)
        after[identity] = change.apply(issue)
    of: dict[IssueId, tuple[str, ...]] = {}
    for identity, now in after.items():
        codes = questions(before[identity], now, edits.flow, edits.names, commented=identity in commented)
        if left := tuple(code for code in codes if (identity, code) not in asked):
            of[identity] = left
    if not of:
        return None
    rest = [after[identity] for identity in after if identity not in of]
    what = work.title.partition(" ")[2]
    return Confirmation(
        of=of,
        reached=len(after),
        reference=short(next(iter(before.values()))),
        rest=structs.replace(
            work,
            changes=tuple((identity, change) for identity, change in work.changes if identity not in of),
            title=titled(rest, what) if rest else "",
        ),
    )
