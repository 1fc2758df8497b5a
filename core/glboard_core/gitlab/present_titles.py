"""Which label or milestone has a title now: another than is known, if that was renamed, deleted or promoted.

A change is written by id, and the id of a title can be older than the title: a team renames “Current” and
creates another one. What a person types on the command line is what has that title; what was chosen on screen
is what was shown there, whatever it is called now.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence

from msgspec import Struct, structs

from glboard_core.board.operations import Edit, Op
from glboard_core.errors import AuthError, ConnectionFailed, NotGitLab, QueryRefused
from glboard_core.model.catalog import Catalog, Label, Person, without
from glboard_core.model.catalog_needs import Needs, titles_of
from glboard_core.model.milestone import Milestone

#: Asks the server for what a catalog does not know.
AskAgain = Callable[[Catalog, Needs], Awaitable[Catalog]]


class Heirs(Struct, frozen=True, kw_only=True):
    """What has the titles that something else had, and the catalog with these; ``wrong``: what labels that
    had them are called now, which were set for that reason."""

    catalog: Catalog
    heirs: Sequence[Label | Milestone] = ()
    titles: frozenset[str] = frozenset()
    wrong: frozenset[str] = frozenset()


class PresentTitles:
    """Asks for titles again, during one call of ``send``: of many cards changed at once, once."""

    def __init__(self, ask_again: AskAgain) -> None:
        self._ask_again = ask_again
        self._heirs: dict[tuple[str, str], Label | Milestone | None] = {}

    async def heirs(
        self, catalog: Catalog, renamed: Iterable[tuple[Label | Milestone, str]], project: str
    ) -> Heirs:
        """What has the former titles of what was ``renamed``, for issues of a project."""
        titles, wrong = set[str](), set[str]()
        heirs: list[Label | Milestone] = []
        for known, title in renamed:
            key = (known.id, project)
            if key not in self._heirs:
                self._heirs[key] = await self._heir(catalog, known, project)
            if (heir := self._heirs[key]) is None:
                continue
            heirs.append(heir)
            titles.add(known.title)
            if isinstance(known, Label) and isinstance(heir, Label):
                wrong.add(title)
                catalog = catalog.learn(labels=[structs.replace(known, title=title), heir])
            elif isinstance(heir, Milestone):
                catalog = catalog.learn(milestones=[heir])
        return Heirs(catalog=catalog, heirs=heirs, titles=frozenset(titles), wrong=frozenset(wrong))

    async def _heir(
        self, catalog: Catalog, known: Label | Milestone, project: str
    ) -> Label | Milestone | None:
        titles = titles_of([project], [known.title])
        try:
            if isinstance(known, Label):
                found = await self._ask_again(without(catalog, {known.id}, ()), Needs(labels=titles))
                return found.label(project, known.title)
            found = await self._ask_again(without(catalog, (), {known.id}), Needs(milestones=titles))
            return found.milestone(project, known.title)
        except (NotGitLab, QueryRefused, ConnectionFailed, AuthError):
            return None

    async def again(
        self, catalog: Catalog, missing: Edit, project: str
    ) -> tuple[Catalog, list[Label | Milestone]]:
        """What ``missing`` names and has another id now, and the catalog with that."""
        labels = {
            one
            for title in missing.add | missing.remove
            if (one := catalog.label(project, title)) is not None
        }
        titled = missing.milestone if isinstance(missing.milestone, str) else ""
        milestone = catalog.milestone(project, titled)
        asked = without(catalog, {one.id for one in labels}, {milestone.id} if milestone else ())
        needs = Needs(
            labels=titles_of([project], (one.title for one in labels)),
            milestones=titles_of([project], [titled] if milestone else ()),
        )
        try:
            found = await self._ask_again(asked, needs)
        except (NotGitLab, QueryRefused, ConnectionFailed, AuthError):
            return catalog, []
        now_known = [found.label(project, one.title) for one in labels]
        fresh: list[Label | Milestone] = [
            one for one in now_known if one and one.id not in {o.id for o in labels}
        ]
        there = found.milestone(project, titled) if milestone else None
        if there is not None and milestone is not None and there.id != milestone.id:
            fresh.append(there)
        return found, fresh


def naming(op: Op, people: Sequence[Person], catalog: Catalog) -> Op:
    """The Op with the present usernames of these people, whom it assigns or unassigns."""
    edit, now = op.change, {one.id: one.username for one in people}
    if not isinstance(edit, Edit):
        return op

    def present(name: str) -> str:
        person = catalog.person(name)
        return now.get(person.id, name) if person is not None else name

    named = structs.replace(
        edit, assign=frozenset(map(present, edit.assign)), unassign=frozenset(map(present, edit.unassign))
    )
    return structs.replace(op, change=named) if named != edit else op
