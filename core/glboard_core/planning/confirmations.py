"""What to confirm before a batch is carried out: the warnings of planning rule 13, as one question.

Pure. It applies to every change of issues, whichever key or command it comes from. Nothing is forbidden.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection

from msgspec import structs

from glboard_core.board.batch import EditBatch, Question, Reply, short, titled
from glboard_core.board.rules import MAX_WEIGHT, ready, types_of
from glboard_core.board.use_cases import Edits
from glboard_core.config import LabelSettings
from glboard_core.model.issue import Issue, IssueId
from glboard_core.model.workflow import BY_NAME, WorkflowScheme
from glboard_core.planning.readiness import READY, held, over_weight
from glboard_core.planning.reasons import words_of

Settled = set[tuple[IssueId, str]]
"""What the user has agreed to in this session: a code for an issue."""

#: Asked every time: it needs explicit confirmation.
_ALWAYS = "deliverable-not-ready"


def codes_of(
    before: Issue,
    after: Issue,
    flow: WorkflowScheme,
    names: LabelSettings,
    *,
    commented: bool = False,
    weights: bool = True,
) -> tuple[str, ...]:
    """The codes of what to ask before ``before`` becomes ``after`` (rule 13, rule 4 for ``over-weight``).

    ``ready-without-weight``, ``ready-without-type``, ``deliverable-not-ready``, ``over-weight`` (both when
    marking as Deliverable), ``in-dev-without-assignee``, ``complete-with-merge-requests``,
    ``unblocked-without-comment``. ``weights`` is whether the server has weights at all.
    """
    was, now = flow.of(before), flow.of(after)
    came = now.name if now is not None and now != was else None
    accepted = names.deliverable in after.labels - before.labels
    return held(
        {
            "ready-without-weight": weights and came == READY and after.weight is None,
            "ready-without-type": came == READY and len(types_of(after, names)) != 1,
            "deliverable-not-ready": accepted and not ready(after, flow, names, weights=weights),
            "over-weight": accepted and over_weight(after),
            "in-dev-without-assignee": came == "in dev" and not after.assignees,
            # GitLab counts the merge requests that will close the issue.
            "complete-with-merge-requests": came == "complete" and bool(after.merge_requests),
            "unblocked-without-comment": (
                was is not None and was.name == "blocked" and now != was and not commented
            ),
        }
    )


def confirmation(
    work: EditBatch,
    edits: Edits,
    find: Callable[[IssueId], Issue | None],
    settled: Collection[tuple[IssueId, str]],
) -> Question | None:
    """What to ask before ``work``: the codes of its issues not ``settled`` yet; None if there are none.

    For several issues each code comes with their number, and "o" leaves out the issues with a warning.
    """
    before: dict[IssueId, Issue] = {}
    after: dict[IssueId, Issue] = {}
    commented = {issue for issue, change in work.changes if change.comment}
    for identity, change in work.changes:
        issue = after.get(identity) or find(identity)
        if issue is None or change.as_edit is None:
            continue
        before.setdefault(identity, issue)
        after[identity] = change.apply(issue)
    codes: dict[IssueId, list[str]] = {}
    for identity, now in after.items():
        found = codes_of(
            before[identity],
            now,
            edits.flow,
            edits.names,
            commented=identity in commented,
            weights=edits.catalog.server.has_weight,
        )
        if asked := [code for code in found if (identity, code) not in settled]:
            codes[identity] = asked
    counts = Counter(code for its in codes.values() for code in its)
    if not codes:
        return None
    settles = frozenset((issue, code) for issue, its in codes.items() for code in its if code != _ALWAYS)
    if len(after) == 1:
        answers = {"y": Reply("yes, continue", work)}
        (one,) = after.values()
        if (
            "deliverable-not-ready" in counts
            and one.weight is not None
            and len(types_of(one, edits.names)) == 1
        ):
            # The remedy, if nothing else is missing.
            remedy = edits.set_flow([one], BY_NAME[READY]).changes
            both = structs.replace(work, changes=(*work.changes, *remedy))
            answers = {"r": Reply("make it ready for development too", both), **answers}
        return Question(
            text=f"{short(next(iter(before.values())))}: continue?",
            answers=answers,
            note="\n".join(words_of(code) for code in counts),
            settles=settles,
        )
    answers = {"y": Reply(f"all {len(after)}", work)}
    rest = [after[identity] for identity in after if identity not in codes]
    if rest:
        only = structs.replace(
            work,
            changes=tuple(one for one in work.changes if one[0] not in codes),
            title=titled(rest, work.title.partition(" ")[2]),
        )
        answers["o"] = Reply(f"only the {len(rest)} without warnings", only)
    return Question(
        text=f"{len(codes)} of {len(after)} issues have warnings. Continue?",
        answers=answers,
        note="\n".join(f"{words_of(code)}: {count}" for code, count in counts.items()),
        settles=settles,
    )


def heavy(
    issues: Collection[Issue], weight: int, settled: Collection[tuple[IssueId, str]]
) -> tuple[str, Settled] | None:
    """The question before setting a weight over the limit with ready, and what a yes settles (rule 22).

    It is the same code as for accepting, so that one yes covers both. None if there is nothing to ask.
    """
    fresh = {(issue.id, "over-weight") for issue in issues} - set(settled)
    if weight <= MAX_WEIGHT or not fresh:
        return None
    return f"Weight {weight} is over {MAX_WEIGHT}. Break it down?", fresh
