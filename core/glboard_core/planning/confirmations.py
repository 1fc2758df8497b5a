"""What to confirm before a batch is carried out: the warnings of planning rule 13, as one question.

Pure. It applies to every change of issues, whichever key or command it comes from. Nothing is forbidden.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence

from msgspec import structs

from glboard_core.board.batch import EditBatch, Question, Remedy, Reply, short, titled
from glboard_core.board.rules import MAX_WEIGHT, ready, types_of
from glboard_core.board.use_cases import Edits
from glboard_core.config import LabelSettings
from glboard_core.model.issue import Issue, IssueId
from glboard_core.model.merge_requests import MergeRequest
from glboard_core.model.workflow import BY_NAME, WorkflowScheme
from glboard_core.planning.readiness import READY, held, over_weight
from glboard_core.planning.reasons import words_of
from glboard_core.planning.text import counted

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
    requests: Sequence[MergeRequest] | None = None,
) -> tuple[str, ...]:
    """The codes of what to ask before ``before`` becomes ``after`` (rule 13, rule 4 for ``over-weight``).

    ``ready-without-weight``, ``ready-without-type``, ``deliverable-not-ready``, ``over-weight`` (both when
    marking as Deliverable), ``in-dev-without-assignee``, ``complete-with-merge-requests``,
    ``merge-requests-unknown``, ``unblocked-without-comment``. ``weights`` is whether the server has weights
    at all; ``requests`` are the merge requests that close it, or None if their states are not known.
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
            # The number that comes with an issue counts merged and closed ones too.
            "complete-with-merge-requests": (
                came == "complete" and requests is not None and any(one.is_open for one in requests)
            ),
            "merge-requests-unknown": (
                came == "complete" and requests is None and bool(after.merge_requests)
            ),
            "unblocked-without-comment": (
                was is not None and was.name == "blocked" and now != was and not commented
            ),
        }
    )


def completes(work: EditBatch, edits: Edits, find: Callable[[IssueId], Issue | None]) -> tuple[Issue, ...]:
    """The issues that ``work`` completes and that have merge requests: the states of these matter then."""
    before, after = _before_and_after(work, find)
    return tuple(
        before[identity]
        for identity, now in after.items()
        if now.merge_requests
        and "merge-requests-unknown" in codes_of(before[identity], now, edits.flow, edits.names)
    )


def _before_and_after(
    work: EditBatch, find: Callable[[IssueId], Issue | None]
) -> tuple[dict[IssueId, Issue], dict[IssueId, Issue]]:
    before: dict[IssueId, Issue] = {}
    after: dict[IssueId, Issue] = {}
    for identity, change in work.changes:
        issue = after.get(identity) or find(identity)
        if issue is None or change.as_edit is None:
            continue
        before.setdefault(identity, issue)
        after[identity] = change.apply(issue)
    return before, after


def confirmation(
    work: EditBatch,
    edits: Edits,
    find: Callable[[IssueId], Issue | None],
    settled: Collection[tuple[IssueId, str]],
    requests: Mapping[IssueId, Sequence[MergeRequest]] | None = None,
) -> Question | None:
    """What to ask before ``work``: the codes of its issues not ``settled`` yet; None if there are none.

    For several issues each code comes with their number, and "o" leaves out the issues with a warning.
    ``requests`` are the merge requests of what ``completes`` names, as far as they are known.
    """
    before, after = _before_and_after(work, find)
    commented = {issue for issue, change in work.changes if change.comment}
    weights, told = edits.catalog.server.has_weight, requests or {}
    codes: dict[IssueId, list[str]] = {}
    for identity, now in after.items():
        found = codes_of(
            before[identity],
            now,
            edits.flow,
            edits.names,
            commented=identity in commented,
            weights=weights,
            requests=told.get(identity),
        )
        if asked := [code for code in found if (identity, code) not in settled]:
            codes[identity] = asked
    if not codes:
        return None
    wish = work.wish or work.title
    settles = frozenset((issue, code) for issue, its in codes.items() for code in its if code != _ALWAYS)
    if len(after) == 1:
        ((identity, one),) = after.items()
        return Question(
            text=f"{wish}?",
            answers=_answers_for(work, edits, one, codes[identity]),
            note="\n".join(_sentence(code, one, edits, told.get(identity, ())) for code in codes[identity]),
            settles=settles,
            remedies=_remedies(one, codes[identity], weights=weights),
        )
    counts = Counter(code for its in codes.values() for code in its)
    answers = {"y": Reply(f"all {len(after)} as they are", work)}
    rest = [after[identity] for identity in after if identity not in codes]
    if rest:
        only = structs.replace(
            work,
            changes=tuple(one for one in work.changes if one[0] not in codes),
            title=titled(rest, work.title.partition(" ")[2]),
        )
        answers = {"o": Reply(f"only the {len(rest)} without warnings", only), **answers}
    return Question(
        text=f"{wish}? {len(codes)} of {len(after)} have warnings.",
        answers=answers,
        note="\n".join(f"{words_of(code)}: {count}" for code, count in counts.items()),
        settles=settles,
    )


def _answers_for(work: EditBatch, edits: Edits, one: Issue, codes: Sequence[str]) -> dict[str, Reply]:
    answers = {"y": Reply("as it is", work)}
    fit = one.weight is not None and len(types_of(one, edits.names)) == 1
    if "deliverable-not-ready" in codes and fit:
        # The remedy, if nothing else is missing.
        remedy = edits.set_flow([one], BY_NAME[READY]).changes
        both = structs.replace(work, changes=(*work.changes, *remedy))
        answers = {"r": Reply("set ready, too", both), **answers}
    return answers


def _remedies(one: Issue, codes: Sequence[str], *, weights: bool) -> tuple[Remedy, ...]:
    unready = not {"deliverable-not-ready", "ready-without-weight", "over-weight"}.isdisjoint(codes)
    found = []
    if unready and weights and (one.weight is None or "over-weight" in codes):
        found.append(
            Remedy("w", "set the weight first" if one.weight is None else "another weight", "weight")
        )
    if unready:
        found.append(Remedy("b", "request a breakdown", "breakdown"))
    return tuple(found)


def _sentence(code: str, one: Issue, edits: Edits, requests: Sequence[MergeRequest]) -> str:
    """What is the matter with an issue as it would be, in a sentence."""
    types = types_of(one, edits.names)
    match code:
        case "deliverable-not-ready":
            state = edits.flow.of(one)
            why = [] if state is None or state.name == READY else [state.name]
            why += ["no workflow state"] if state is None else []
            why += ["no weight"] if one.weight is None and edits.catalog.server.has_weight else []
            why += ["no type"] if not types else ["several types"] if len(types) > 1 else []
            why += ["closed"] if not one.is_open else []
            return f"It is not ready: {', '.join(why)}."
        case "ready-without-weight":
            return "It has no weight."
        case "ready-without-type":
            return "It has several types." if types else "It has no type."
        case "over-weight":
            return f"Weight {one.weight} is over {MAX_WEIGHT}: it should be broken down."
        case "in-dev-without-assignee":
            return "It is unassigned."
        case "complete-with-merge-requests":
            still = [request.number for request in requests if request.is_open]
            return f"{_listed(still)} {'is' if len(still) == 1 else 'are'} still open."
        case "merge-requests-unknown":
            has = counted(one.merge_requests, "merge request")
            they = "it is" if one.merge_requests == 1 else "they are"
            return f"It has {has}; cannot tell whether {they} open."
        case "unblocked-without-comment":
            return "No comment explains why it is unblocked."
        case _:
            return f"{words_of(code)[:1].upper()}{words_of(code)[1:]}."


def _listed(words: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(words[:-1]), words[-1])))


def heavy(
    issues: Collection[Issue], weight: int, settled: Collection[tuple[IssueId, str]]
) -> tuple[str, Settled] | None:
    """The question before setting a weight over the limit with ready, and what a yes settles (rule 22).

    It is the same code as for accepting, so that one yes covers both. None if there is nothing to ask.
    """
    fresh = {(issue.id, "over-weight") for issue in issues} - set(settled)
    if weight <= MAX_WEIGHT or not fresh:
        return None
    what = f"{len(issues)} issues" if len(issues) > 1 else short(next(iter(issues)))
    return f"Set {what} to weight {weight} and ready for development? It is over {MAX_WEIGHT}.", fresh
