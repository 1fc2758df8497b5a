"""Sends Ops: decides which are sent together and in which order, and reports the outcome of each.

Owns documents of many mutations (bounded by time, and by GitLab's complexity and text limits), their order,
and what happens when one is rejected or its answer is lost. Ops of one issue keep their order, and so do all
changes of the manual order, since each refers to adjacent issues; of everything else, two documents are sent
concurrently. Outcomes are reported document by document.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Mapping, Sequence, Set

import msgspec
from msgspec import Struct

from glboard_core.board.operations import Edit, Op, Rank
from glboard_core.concurrency import together
from glboard_core.errors import (
    AuthError,
    ConnectionFailed,
    EditDropped,
    EditRefused,
    EditUnknown,
    GlboardError,
    GroupNotFound,
    NotGitLab,
    Offline,
    QueryRefused,
    TimedOut,
)
from glboard_core.gitlab import mutations
from glboard_core.gitlab.batch_size import BatchSize
from glboard_core.gitlab.decode import Decoder
from glboard_core.gitlab.dialect import MOST_CHARACTERS, MOST_COMPLEXITY, Dialect
from glboard_core.gitlab.encode import MutationEncoder
from glboard_core.gitlab.failure import Failure
from glboard_core.gitlab.graphql import (
    Envelope,
    FieldMissing,
    GraphError,
    QueryRunner,
    TooComplex,
    envelope_of,
    refused,
    request,
)
from glboard_core.gitlab.inquiry import Inquiry
from glboard_core.gitlab.mutations import Mutation
from glboard_core.gitlab.present_titles import AskAgain, Heirs, PresentTitles, naming
from glboard_core.gitlab.reading import IssueReader
from glboard_core.gitlab.statuses import KnownStatuses
from glboard_core.gitlab.verify import NULL, AnswerVerifier, Payload, Reply, answer_lost, crashed
from glboard_core.model.catalog import Catalog, Label, Person, moved_in
from glboard_core.model.issue import Issue, IssueId
from glboard_core.model.milestone import Milestone
from glboard_core.ports import Done, Failed, Outcome

#: Documents under way at once, whoever sends them: more only slow each other down.
IN_FLIGHT = 2
_LEAST_BUDGET = 40

#: Called with outcomes that are final, as each document is answered.
Report = Callable[[Sequence[Outcome]], None]


class _PreparedOp(Struct, frozen=True):
    """An Op with its mutations, ready to send."""

    at: int
    op: Op
    calls: tuple[Mutation, ...]


class Sender:
    """Sends Ops to one server, and learns its complexity limit and write speed."""

    def __init__(
        self, runner: QueryRunner, decoder: Decoder, reader: IssueReader, ask_again: AskAgain
    ) -> None:
        """``ask_again`` adds what is needed to a catalog that does not know it any longer."""
        self.ask_again = ask_again
        #: What the answers show to be named otherwise, or to have another id, than in the catalog.
        self.relearned: list[Label | Milestone | Person] = []
        self.runner = runner
        self.decoder = decoder
        self.reader = reader
        self.size = BatchSize()
        self.slots = asyncio.Semaphore(IN_FLIGHT)
        #: The complexity limit of a document; halved when the server finds one too complex.
        self.budget = MOST_COMPLEXITY
        self.statuses = KnownStatuses(runner)
        #: Whether a title means what has it now, rather than what had it when it was read.
        self.prefers_titles = False

    async def send(
        self,
        ops: Sequence[Op],
        shown: Mapping[IssueId, Issue],
        catalog: Catalog,
        report: Report | None = None,
    ) -> list[Outcome]:
        """See ``ports.Gateway.send``."""
        ranks = [op for op in ops if isinstance(op.change, Rank)]
        others = [op for op in ops if not isinstance(op.change, Rank)]
        outcomes = await self._changes(others, shown, catalog, report)
        found = {outcome.op: outcome for outcome in outcomes}
        # A rank answers with the issue as it was before it: after the other changes, not before them.
        shown = {**shown, **{op.issue: now for op in others if (now := found[op.id].issue) is not None}}
        try:
            placed = await self._ranks(ranks, shown, catalog)
        except (ConnectionFailed, AuthError, GroupNotFound) as error:
            if not others:
                raise
            placed = [Failed(op=op.id, error=error, issue=shown.get(op.issue)) for op in ranks]
        found |= {outcome.op: outcome for outcome in placed}
        return [found[op.id] for op in ops]

    async def _ranks(
        self, ops: Sequence[Op], shown: Mapping[IssueId, Issue], catalog: Catalog
    ) -> list[Outcome]:
        """Changes of the manual order, in documents of their own: GitLab may fail on them."""
        if not ops:
            return []

        # Rarely needed: keep it out of the start.
        from glboard_core.gitlab.ranks import RankSender

        return await RankSender(self.runner, self.reader, catalog, shown, self._changes).send(ops)

    async def _changes(
        self,
        ops: Sequence[Op],
        shown: Mapping[IssueId, Issue],
        catalog: Catalog,
        report: Report | None = None,
    ) -> list[Outcome]:
        if not ops:
            return []
        statuses: Mapping[str, str] = {}
        if any("status" in op.change.touches() for op in ops):
            statuses = await self.statuses.ids(catalog.group)
        sending = _SendBatch(self, ops, shown, catalog, statuses, await self.runner.dialect(), report)
        return await sending.run()


class _SendBatch:
    """One call of ``send``."""

    def __init__(
        self,
        sender: Sender,
        ops: Sequence[Op],
        shown: Mapping[IssueId, Issue],
        catalog: Catalog,
        statuses: Mapping[str, str],
        dialect: Dialect,
        report: Report | None,
    ) -> None:
        self._sender = sender
        self._report = report
        self._ops = list(ops)
        self._catalog = catalog
        self._statuses = statuses
        self._dialect = dialect
        self._verifier = AnswerVerifier(catalog, sender.decoder)
        #: The issues as the server last returned them, including during this call.
        self._known: dict[IssueId, Issue] = dict(shown)
        #: The same with the Ops being sent applied: the state the next Op will find.
        self._expected: dict[IssueId, Issue] = dict(shown)
        for op in ops:
            if op.issue not in self._known and op.before is not None:
                self._known[op.issue] = self._expected[op.issue] = op.before
        self._outcomes: dict[int, Outcome] = {}
        #: Outcomes that were not reported yet.
        self._fresh: list[Outcome] = []
        #: Ops that are sent a second time, since their project has another path now, or a label another id.
        self._readdressed: set[int] = set()
        self._titles = PresentTitles(sender.ask_again)
        #: What statuses are called now that were set by their ids, by their case-folded former names.
        self._status_names: dict[str, str] = {}
        self._answered = False
        self._unsent: GlboardError | None = None

    async def run(self) -> list[Outcome]:
        lanes = deque(self._lanes())
        async with together() as tasks:
            for _ in range(min(IN_FLIGHT, len(lanes))):
                tasks.create_task(self._work(lanes))
        if self._unsent is not None and not self._answered:
            raise self._unsent
        return [self._outcomes[at] for at in range(len(self._ops))]

    # -- batching

    def _lanes(self) -> list[list[int]]:
        """Indexes of Ops: each lane is sent in order, the lanes concurrently."""
        ranked = {op.issue for op in self._ops if op.change.one_at_a_time}
        lanes: dict[str, list[int]] = {}
        for at, op in enumerate(self._ops):
            lanes.setdefault("" if op.issue in ranked else op.issue, []).append(at)
        return list(lanes.values())

    async def _work(self, lanes: deque[list[int]]) -> None:
        while lanes:
            # Only now: the documents before have shown how large the next may be.
            await self._send_queue(lanes)

    def _next_queue(self, lanes: deque[list[int]]) -> deque[int]:
        """Take as many lanes as fit into one document, at least one."""
        queue: list[int] = []
        cost = calls = 0
        while lanes:
            lane_cost, lane_calls = self._estimate(lanes[0])
            cost, calls = cost + lane_cost, calls + lane_calls
            if queue and (cost > self._sender.budget or calls > self._sender.size.most):
                break
            queue += lanes.popleft()
        return deque(sorted(queue))

    def _estimate(self, lane: Sequence[int]) -> tuple[int, int]:
        cost = calls = 0
        for at in lane:
            try:
                written = self._encoder.calls(self._ops[at], self._expected.get(self._ops[at].issue))
            except EditRefused:
                continue
            cost, calls = cost + sum(call.cost for call in written), calls + len(written)
        return cost, calls

    @property
    def _encoder(self) -> MutationEncoder:
        return MutationEncoder(catalog=self._catalog, dialect=self._dialect, statuses=self._statuses)

    # -- one queue

    async def _send_queue(self, lanes: deque[list[int]]) -> None:
        """Take the next lanes, and send them in as many documents as they need."""
        todo: deque[int] | None = None
        while todo or (todo is None and lanes):
            async with self._sender.slots:
                todo = self._next_queue(lanes) if todo is None else todo
                if prepared := self._next_document(todo):
                    again = await self._document(prepared)
                    # Rejected as a whole, so nothing was executed: build it again.
                    for one in reversed(again):
                        self._expect_known(one.op.issue)
                        todo.appendleft(one.at)
                    self._hold_back(prepared, todo)
            self._tell()

    def _tell(self) -> None:
        """Report the outcomes that are final; what was not sent, or is unknown, is told at the end."""
        final = [one for one in self._fresh if not (isinstance(one, Failed) and _open(one.error))]
        self._fresh.clear()
        if self._report is not None and final:
            self._report(final)

    def _next_document(self, todo: deque[int]) -> list[_PreparedOp]:
        """Take Ops from the front while they fit into one document."""
        prepared: list[_PreparedOp] = []
        cost = calls = size = 0
        while todo:
            op = self._ops[todo[0]]
            issue = self._expected.get(op.issue)
            try:
                written = self._encoder.calls(op, issue)
            except EditRefused as error:
                self._settle(todo.popleft(), Failed(op=op.id, error=error, issue=self._known.get(op.issue)))
                continue
            if not written:
                self._settle(todo.popleft(), Done(op=op.id, issue=self._known.get(op.issue)))
                continue
            cost += sum(call.cost for call in written)
            calls += len(written)
            size += sum(len(call.back) + len(call.field) + len(call.input_type) + 40 for call in written)
            full = cost > self._sender.budget or calls > self._sender.size.most
            full = full or size > MOST_CHARACTERS - 600
            if prepared and full:
                break
            prepared.append(_PreparedOp(todo.popleft(), op, written))
            if issue is not None:
                self._expected[op.issue] = op.change.apply(issue)
            if op.change.creates and any(self._ops[at].issue == op.issue for at in todo):
                break  # the rest needs the number of the new issue
        return prepared

    def _hold_back(self, prepared: Sequence[_PreparedOp], todo: deque[int]) -> None:
        """Do not send Ops after one with an unknown outcome: a retry would overwrite them."""
        stuck: dict[IssueId, GlboardError] = {}
        ranking: GlboardError | None = None
        for one in prepared:
            outcome = self._outcomes.get(one.at)
            if isinstance(outcome, Failed) and isinstance(
                outcome.error, EditUnknown | ConnectionFailed | AuthError
            ):
                stuck.setdefault(one.op.issue, outcome.error)
                if one.op.change.one_at_a_time:
                    ranking = outcome.error
        for at in [at for at in todo if stuck or ranking]:
            op = self._ops[at]
            error = stuck.get(op.issue) or (ranking if op.change.one_at_a_time else None)
            if error is None:
                continue
            todo.remove(at)
            if isinstance(error, EditUnknown):
                error = Offline(
                    "Not sent yet: checking an earlier change first.",
                    hint="It is then sent automatically.",
                )
            self._settle(at, Failed(op=op.id, error=error, issue=self._known.get(op.issue)))

    def _settle(self, at: int, outcome: Outcome) -> None:
        self._outcomes[at] = outcome
        self._fresh.append(outcome)
        if isinstance(outcome, Failed) and "status" in self._ops[at].change.touches():
            self._sender.statuses.forget()
        issue = outcome.issue
        if issue is not None:
            # Later Ops find a new issue by its temporary id, too.
            for identity in {issue.id, self._ops[at].issue}:
                self._known[identity] = issue
        self._expect_known(self._ops[at].issue)

    def _expect_known(self, identity: IssueId) -> None:
        if identity in self._known:
            self._expected[identity] = self._known[identity]

    # -- one document

    async def _document(self, prepared: Sequence[_PreparedOp]) -> Sequence[_PreparedOp]:
        """Send a document and settle its Ops; returns those to be sent again."""
        calls = tuple(call for one in prepared for call in one.calls)
        document, variables = mutations.mutation(calls, self._dialect)
        took: list[float] = []
        answer = await self._sender.runner.transport.write(request(document, variables), took.append)
        if isinstance(answer, Failure):
            return await self._no_answer(prepared, answer)
        self._answered = True
        try:
            envelope = envelope_of(answer, dict[str, msgspec.Raw], self._sender.runner.host)
        except (NotGitLab, QueryRefused):
            return self._fail(prepared, answer_lost())
        if envelope.data is None:
            errors = envelope.errors or []
            if not errors:
                # Not GraphQL: whoever answered, GitLab may have received the request.
                return self._fail(prepared, answer_lost())
            whole = next((e for e in errors if e.maintenance), None)
            if whole is None and len(prepared) == 1:
                whole = next((e for e in errors if e.forbidden or e.throttled or e.crashed), None)
            if whole is not None:
                return await self._settle_all(prepared, whole)
            return await self._refused(prepared, refused(errors, self._sender.runner.host))
        self._sender.size.answered(len(calls), took[-1])
        return await self._deliver(prepared, envelope)

    async def _settle_all(self, prepared: Sequence[_PreparedOp], error: GraphError) -> Sequence[_PreparedOp]:
        """The whole document has one error, after which nothing was executed or all is in doubt."""
        failed = [
            (
                one,
                Failed(
                    op=one.op.id, error=self._verifier.error(error, one.op, self._known.get(one.op.issue))
                ),
            )
            for one in prepared
        ]
        for one, outcome in failed:
            if _open(outcome.error):
                self._settle(one.at, outcome)
        return await self._look([pair for pair in failed if not _open(pair[1].error)])

    async def _no_answer(self, prepared: Sequence[_PreparedOp], failure: Failure) -> Sequence[_PreparedOp]:
        if isinstance(failure.error, QueryRefused):
            self._answered = True
            return await self._refused(prepared, failure.error)
        if isinstance(failure.error, TimedOut):
            self._sender.size.timed_out()
        if not failure.reached:
            self._unsent = failure.error
            return self._fail(prepared, failure.error)
        # Something may have been executed: "nothing at all was sent" no longer holds.
        self._answered = True
        return self._fail(prepared, crashed(alone=len(prepared) == 1) if failure.crashed else answer_lost())

    async def _deliver(
        self, prepared: Sequence[_PreparedOp], envelope: Envelope[dict[str, msgspec.Raw]]
    ) -> Sequence[_PreparedOp]:
        data = envelope.data or {}
        errors = {error.alias: error for error in reversed(envelope.errors or ()) if error.alias is not None}
        whole = next((error for error in envelope.errors or () if error.alias is None), None)
        doubtful: list[tuple[_PreparedOp, Failed]] = []
        again: list[_PreparedOp] = []
        alias = 0
        for one in prepared:
            names = [f"m{alias + n}" for n in range(len(one.calls))]
            alias += len(names)
            issue = self._known.get(one.op.issue)
            try:
                replies: list[Reply] = [
                    await self._payload(raw)
                    if (raw := data.get(name)) is not None and bytes(raw) != NULL
                    else errors.get(name, whole)
                    for name in names
                ]
                outcome = self._verifier.outcome(one.op, issue, replies, one.calls)
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
                outcome = Failed(op=one.op.id, error=answer_lost())
            except (ConnectionFailed, AuthError, QueryRefused):
                # The rest of a long list could not be read, so nothing can be concluded from its beginning.
                outcome = Failed(op=one.op.id, error=answer_lost())
            renamed = self._verifier.take_renamed()
            if one.op.id in self._verifier.misplaced:
                # Said, and not sent again: what was changed instead is to be set back by a person.
                self._readdressed.add(one.at)
            twins, people = self._verifier.take_twins(), self._verifier.take_people()
            self._sender.relearned += people
            if people and self._once_more(one, outcome, self._catalog):
                self._ops[one.at] = naming(one.op, people, self._catalog)
                again.append(one)
            elif twins and self._once_more(one, outcome, self._catalog.learn(labels=twins)):
                again.append(one)
            elif isinstance(outcome, Failed) and not _open(outcome.error):
                doubtful.append((one, outcome))
            elif await self._meant_others(one, outcome, renamed):
                again.append(one)
            else:
                self._settle(one.at, outcome)
        paths = {
            issue.project
            for one, _ in doubtful
            if one.op.id in self._verifier.misplaced and (issue := self._known.get(one.op.issue))
        }
        again += await self._look(doubtful)
        await self._readdress(paths)
        return again

    async def _readdress(self, paths: Set[str]) -> None:
        """Read the other issues of paths that other projects have now, before more of those are changed."""
        rest = {
            op.issue
            for at, op in enumerate(self._ops)
            if at not in self._outcomes and (issue := self._known.get(op.issue)) and issue.project in paths
        }
        if rest:
            try:
                now = await self._sender.reader.read(sorted(rest), self._known)
            except (NotGitLab, QueryRefused, ConnectionFailed, AuthError):
                return  # the next answer tells again
            self._known.update(now)
            self._expected.update(now)

    async def _meant_others(
        self, one: _PreparedOp, outcome: Outcome, renamed: Sequence[tuple[Label | Milestone, str]]
    ) -> bool:
        """Whether something that was set has another title now, while something else has got the one that was
        typed: then that is set in its place."""
        now, before, edit = outcome.issue, self._known.get(one.op.issue), one.op.change
        found = Heirs(catalog=self._catalog)
        if now is not None and before is not None and isinstance(edit, Edit) and self._sender.prefers_titles:
            found = await self._titles.heirs(self._catalog, renamed, now.project)
        kept = ((known, title) for known, title in renamed if known.title not in found.titles)
        self._sender.relearned += [msgspec.structs.replace(known, title=title) for known, title in kept]
        if not found.heirs or one.at in self._readdressed or before is None or not isinstance(edit, Edit):
            return False
        edit = msgspec.structs.replace(edit, remove=edit.remove | (found.wrong - before.labels))
        self._ops[one.at] = msgspec.structs.replace(one.op, change=edit)
        self._sender.relearned += found.heirs
        return self._once_more(one, outcome, found.catalog)

    def _once_more(self, one: _PreparedOp, outcome: Outcome, catalog: Catalog) -> bool:
        """Send it again, by the ids of this catalog; returns whether that is not the second time already."""
        if one.at in self._readdressed or outcome.issue is None:
            return False
        self._readdressed.add(one.at)
        self._catalog, self._known[one.op.issue] = catalog, outcome.issue
        return True

    async def _payload(self, raw: msgspec.Raw) -> Payload:
        """The answer to one mutation, with the whole of an issue's long lists."""
        payload = msgspec.json.decode(raw, type=Payload)
        if payload.errors or bytes(payload.issue) == NULL:
            return payload
        issue = await self._sender.reader.whole_answer(payload.issue)
        return payload if issue is payload.issue else msgspec.structs.replace(payload, issue=issue)

    async def _look(self, failed: Sequence[tuple[_PreparedOp, Failed]]) -> Sequence[_PreparedOp]:
        """Inquire about failed Ops before they are reported; returns those to be sent again."""
        known = {one.op.issue: self._known.get(one.op.issue) for one, _ in failed}
        people: list[Person] = []
        inquiry = Inquiry(self._sender.runner, self._sender.reader, self._catalog, people.append)
        outcomes = await inquiry.outcomes([(one.op, outcome) for one, outcome in failed], known)
        self._sender.relearned += people
        again: list[_PreparedOp] = []
        # What is learned for the first of several would hide the former names from the others.
        former = self._catalog
        for (one, _), outcome in zip(failed, outcomes, strict=True):
            before, now = known[one.op.issue], outcome.issue
            moved = before is not None and now is not None and before.project != now.project
            if moved and before is not None and now is not None:
                self._known[one.op.issue] = now
                self._catalog = moved_in(self._catalog, before.project, now.project)
            if one.at not in self._readdressed and (elsewhere := await inquiry.elsewhere(one.op, outcome)):
                moved, self._ops[one.at] = True, elsewhere
                new = elsewhere.change.project_of(None)
                self._catalog = moved_in(self._catalog, one.op.change.project_of(None), new)
            named = naming(one.op, people, former)
            if named is not one.op and self._once_more(one, outcome, self._catalog.learn(people=people)):
                self._ops[one.at] = named
                again.append(one)
                continue
            if one.at not in self._readdressed and (moved or await self._has_other_id(one.op, outcome)):
                self._readdressed.add(one.at)
                if now is not None:
                    self._known[one.op.issue] = now
                again.append(one)
                continue
            self._settle(one.at, self._with_present_status(one.op, outcome))
        return again

    def _with_present_status(self, op: Op, outcome: Outcome) -> Outcome:
        """The same, or that it is done if only the status seemed to be missing, under its former name."""
        edit, now = op.change.as_edit, outcome.issue
        if edit is None or now is None or now.status is None or not isinstance(edit.status, str):
            return outcome
        called = self._status_names.get(edit.status.casefold())
        if called != now.status.casefold() or edit.missing_on(now).touches() != {"status"}:
            return outcome
        return Done(op=op.id, issue=now)

    async def _has_other_id(self, op: Op, outcome: Outcome) -> bool:
        """Whether what GitLab did not take has another id now: it was promoted, or created again."""
        edit, now = op.change.as_edit, outcome.issue
        if edit is None or not isinstance(outcome, Failed):
            return False
        if isinstance(edit.status, str):
            # All of them change when a group makes statuses of its own.
            name, before = edit.status.casefold(), self._statuses
            self._statuses = await self._sender.statuses.again(self._catalog.group) or before
            sent = before.get(name)
            called = next((other for other, identity in self._statuses.items() if identity == sent), None)
            if name not in self._statuses and called is not None:
                self._status_names[name] = called
            elif self._statuses.get(name) != sent:
                return True
        if now is None or not isinstance(outcome.error, EditDropped):
            return False
        found, fresh = await self._titles.again(self._catalog, edit.missing_on(now), now.project)
        if fresh:
            self._catalog = found
            self._sender.relearned += fresh
        return bool(fresh)

    async def _refused(self, prepared: Sequence[_PreparedOp], error: GlboardError) -> Sequence[_PreparedOp]:
        """A document was rejected before anything was executed: write it again, or find the culprit."""
        sender = self._sender
        if isinstance(error, TooComplex) and sender.budget > _LEAST_BUDGET and len(prepared) > 1:
            sender.budget = max(_LEAST_BUDGET, sender.budget // 2)
            return prepared
        if isinstance(error, FieldMissing) and sender.runner.lacks(error.field, self._dialect):
            self._dialect = await sender.runner.dialect()
            return prepared
        if isinstance(error, ConnectionFailed):
            return self._fail(prepared, answer_lost())
        if len(prepared) == 1:
            return self._fail(prepared, error)
        half = len(prepared) // 2
        again = await self._document(prepared[:half])
        left = deque(one.at for one in prepared[half:])
        self._hold_back(prepared[:half], left)
        follow = [one for one in prepared[half:] if one.at in left]
        return [*again, *(await self._document(follow) if follow else ())]

    def _fail(self, prepared: Sequence[_PreparedOp], error: GlboardError) -> tuple[()]:
        """Settle all of them with the error: none is to be sent again."""
        for one in prepared:
            issue = self._known.get(one.op.issue)
            self._settle(one.at, Failed(op=one.op.id, error=error, issue=issue))
        return ()


def _open(error: GlboardError) -> bool:
    """Whether an Op with this error is not decided: it was not sent, or its answer was lost."""
    return isinstance(error, EditUnknown | ConnectionFailed | AuthError)
