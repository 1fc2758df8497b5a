"""The changes of one keystroke or command, and what has to be answered before they are made.

Pure: the screen shows a ``Question``, the command line turns it into an exit status.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Literal, NamedTuple

from msgspec import Struct

from glboard_core.board.operations import Change, Comment, Edit
from glboard_core.errors import UsageError
from glboard_core.model.clean_text import typed_body
from glboard_core.model.issue import Issue, IssueId, short_reference

Changes = tuple[tuple[IssueId, Change], ...]


class EditBatch(Struct, frozen=True, kw_only=True):
    """The changes of one keystroke or command; footer, undo and failures show its ``title``.

    ``left`` are the issues it does not apply to, because of ``why_not``.
    """

    changes: Changes = ()
    title: str = ""
    #: The same as a wish, for a question: "Accept platform#4219 for @eng_alder"; "" if only the title tells.
    wish: str = ""
    left: tuple[IssueId, ...] = ()
    why_not: str = ""
    #: What to answer first; ``changes`` are those of "y".
    question: Question | None = None

    @property
    def skipped(self) -> str:
        """Why issues are skipped, with their number if there are several issues; "" if none is."""
        several = len(self.left) > 1 or (self.left and self.changes)
        return f"{len(self.left)} skipped: {self.why_not}" if several else self.why_not

    def answered(self, letter: str) -> EditBatch:
        """The batch for an answer; this one if there is no question (left)."""
        return self.question.answers[letter].work if self.question else self


class Reply(NamedTuple):
    """An answer in words, and what is done then."""

    words: str
    work: EditBatch


class Remedy(NamedTuple):
    """What can be done instead, or first: a weight to be typed, a breakdown asked for, labels created."""

    letter: str
    words: str
    what: Literal["weight", "breakdown", "labels"]
    #: The labels to create.
    labels: tuple[str, ...] = ()


class Question(Struct, frozen=True, kw_only=True):
    """What to ask before a batch is carried out. ``y`` is always an answer, and the one of ``--yes``."""

    text: str
    answers: Mapping[str, Reply]
    note: str = ""
    #: The warnings that "y" settles for the session: they are not asked again (planning rule 13).
    settles: frozenset[tuple[IssueId, str]] = frozenset()
    #: Remedies that need more than a letter, which the screen offers before ``y``.
    remedies: tuple[Remedy, ...] = ()

    @property
    def choices(self) -> dict[str, str]:
        """Each letter and what it stands for."""
        return {letter: answer.words for letter, answer in self.answers.items()}

    @property
    def offers(self) -> dict[str, str]:
        """The same with the remedies, which come before ``y``."""
        first = {letter: words for letter, words in self.choices.items() if letter != "y"}
        return {**first, **{one.letter: one.words for one in self.remedies}, **self.choices}


def short(issue: Issue) -> str:
    """The reference without the groups above the project: ``platform#4219``."""
    return short_reference(issue.reference)


def titled(issues: Sequence[Issue], what: str) -> str:
    """``platform#4219 to 19.9`` for one issue, ``4 to 19.9`` for several. Never holds an issue's title."""
    return f"{short(issues[0])} {what}" if len(issues) == 1 else f"{len(issues)} {what}"


def wished(issues: Sequence[Issue], wish: str) -> str:
    """A wish on these issues: "Accept {}" becomes "Accept platform#4219", or "Accept 4 issues"."""
    return wish.replace("{}", short(issues[0]) if len(issues) == 1 else f"{len(issues)} issues", 1)


def about(issues: Sequence[Issue]) -> str:
    """The issues a comment goes to."""
    return short(issues[0]) if len(issues) == 1 else f"{len(issues)} issues, one comment on each"


def each(
    issues: Sequence[Issue],
    edit: Callable[[Issue], Edit | None],
    what: str,
    why_not: str = "",
    *,
    comment: str = "",
    wish: str = "",
) -> EditBatch:
    """The same intent on each issue; those for which ``edit`` returns None are left, with ``why_not``.

    The comment comes after the edit, which can be sent while the comment is still held back.
    """
    reached: list[Issue] = []
    left: list[IssueId] = []
    changes: list[tuple[IssueId, Change]] = []
    for issue in issues:
        if (made := edit(issue)) is None:
            left.append(issue.id)
            continue
        reached.append(issue)
        changes.append((issue.id, made))
        if comment:
            changes.append((issue.id, Comment(body=typed_body(comment))))
    return EditBatch(
        changes=tuple(changes),
        title=titled(reached, what) if reached else "",
        wish=wished(reached, wish) if reached else "",
        left=tuple(left),
        why_not=why_not if left else "",
    )


def commented(issues: Sequence[Issue], text: str) -> EditBatch:
    """One comment on each issue."""
    changes = tuple((issue.id, Comment(body=typed_body(text))) for issue in issues)
    return EditBatch(changes=changes, title=titled(issues, "comment"))


class Several(Struct, frozen=True, kw_only=True):
    """Several intents on the same issues, as one edit of each; ``questions`` are those of all intents."""

    work: EditBatch
    questions: tuple[Question, ...] = ()
    #: Issues that an intent does not apply to, with the reason: nothing of them is changed.
    left: Mapping[IssueId, str] = {}


def combined(issues: Sequence[Issue], intents: Sequence[Callable[[Sequence[Issue]], EditBatch]]) -> Several:
    """Each intent on what the ones before it make of the issues; every question is answered with yes.

    Raises UsageError if an intent undoes what an earlier one does.
    """
    before = {issue.id: issue for issue in issues}
    now = dict(before)
    merged: dict[IssueId, Edit] = {}
    others: list[tuple[IssueId, Change]] = []
    questions: list[Question] = []
    left: dict[IssueId, str] = {}
    titles: list[str] = []
    for intent in intents:
        work = intent([issue for issue in now.values() if issue.id not in left])
        while work.question is not None:
            questions.append(work.question)
            work = work.answered("y")
        titles.append(work.title)
        left |= dict.fromkeys(work.left, work.why_not)
        for identity, change in work.changes:
            if (edit := change.as_edit) is None:
                others.append((identity, change))
                continue
            merged[identity] = _merged(before[identity], merged.get(identity, Edit()), edit)
            now[identity] = edit.apply(now[identity])
    changes = [(issue.id, merged[issue.id]) for issue in issues if issue.id in merged]
    return Several(
        work=EditBatch(
            changes=tuple(one for one in (*changes, *others) if one[0] not in left),
            title=titles[0] if len(titles) == 1 else titled([i for i in issues if i.id not in left], "edit"),
        ),
        questions=tuple(questions),
        left=left,
    )


def _merged(issue: Issue, first: Edit, then: Edit) -> Edit:
    """One edit of an issue for two. Raises UsageError if they contradict each other."""
    if clash := sorted((first.add & then.remove) | (first.remove & then.add)):
        raise _contradiction(issue, f"{clash[0]} would be added and removed")
    if lost := sorted((first.assign & then.unassign) | (first.unassign & then.assign)):
        raise _contradiction(issue, f"{lost[0]} would be assigned and unassigned")
    values = {field.name: value for field, value in then.fields()}
    for field, value in first.fields():
        other = values.setdefault(field.name, value)
        if value != other:
            raise _contradiction(issue, f"{field.title} would be set to {value} and to {other}")
    return Edit(
        add=first.add | then.add,
        remove=first.remove | then.remove,
        assign=first.assign | then.assign,
        unassign=first.unassign | then.unassign,
        **values,
    )


def _contradiction(issue: Issue, what: str) -> UsageError:
    return UsageError(f"{short(issue)}: {what}.", hint="Omit one of the options.")
