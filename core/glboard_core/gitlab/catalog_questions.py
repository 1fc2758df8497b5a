"""Which names a catalog asks for, and how many in one document.

Owns the search terms for names that may be misspelled. It sends nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from functools import partial

from glboard_core.gitlab import name_queries
from glboard_core.gitlab.dialect import NEWEST, Dialect
from glboard_core.gitlab.graphql import chunks
from glboard_core.gitlab.name_queries import NamedField
from glboard_core.model.catalog import Catalog
from glboard_core.model.catalog_needs import CatalogNames, Needs, around

#: Milestones asked for by one field.
IDS_EACH = 100
_WORD = re.compile(r"\w+")


def needed(needs: Needs, group: str) -> Iterable[NamedField]:
    """How to ask for what is needed and not known."""

    def of(place: str) -> str:
        return "group" if place == group else "project"

    for day in sorted(needs.days):
        yield NamedField(of="group", by="dated", value=days_between(*around(day)), path=group)
    for place, title in sorted(needs.labels):
        yield NamedField(of=of(place), by="label", value=title, path=place)
    for place, title in sorted(needs.milestones):
        yield NamedField(of=of(place), by="milestone", value=title, path=place)
    for name in sorted(needs.project_names):
        yield NamedField(of="group", by="project", value=name, path=group)
    for title in sorted(needs.below):
        yield NamedField(of="group", by="label below", value=title, path=group)
        yield NamedField(of="group", by="label near", value=_term(title), path=group)
    for prefix in sorted(needs.families):
        yield NamedField(of="group", by="family below", value=prefix, path=group)
    for place, prefix in sorted(needs.own_families):
        yield NamedField(of=of(place), by="family", value=prefix, path=place)
    for name in sorted(needs.near_people):
        yield NamedField(of="group", by="people near", value=name[:4], path=group)
    for title in sorted(needs.near_milestones):
        yield NamedField(of="group", by="milestone below", value=title, path=group)
        yield NamedField(of="group", by="milestone near", value=_term(title), path=group)
    for part in chunks(sorted(needs.people), name_queries.NAMES_EACH):
        yield NamedField(of="", by="people", value=list(part))


def _term(title: str) -> str:
    """What similar titles contain as well: the start of the longest word, since the end may be misspelled."""
    longest = max(_WORD.findall(title), key=len, default=title)
    return longest[:4]


def packed(asked: Sequence[NamedField], group: str, most: int, *, about: bool) -> list[list[NamedField]]:
    """The documents, each within the complexity limit; at least one if ``about`` is asked."""
    documents: list[list[NamedField]] = [[]] if about else []
    cost, places = (
        (name_queries.ABOUT_COST + name_queries.PLACE_COST, {group}) if about else (most, set[str]())
    )
    for one in sorted(asked, key=lambda one: (one.of, one.path)):
        # By the dearest dialect, since the server may not be known yet.
        fields = (name_queries.named(one.of, one.by, dialect) for dialect in (NEWEST, Dialect()))
        own = max(field.cost for field in fields)
        added = own + (name_queries.PLACE_COST if one.path and one.path not in places else 0)
        if cost + added > most:
            documents.append([])
            cost, places, added = 0, set(), own + name_queries.PLACE_COST
        documents[-1].append(one)
        places.add(one.path)
        cost += added
    return documents


def _in_family(title: str, names: CatalogNames) -> bool:
    return title.startswith(tuple(names.families))


def days_between(since: date, until: date) -> dict[str, str]:
    """GitLab's Timeframe of these days."""
    return {"start": since.isoformat(), "end": until.isoformat()}


def halves_of(since: date, until: date) -> list[tuple[date, date]]:
    """The two halves of a time; a single day as it is."""
    middle = since + (until - since) // 2
    return [(since, middle), (middle + timedelta(days=1), until)] if since < until else [(since, until)]


def configured(names: CatalogNames, known: Catalog | None, own: str) -> list[NamedField]:
    """How to ask for what the configuration names in the group ``own``, and again for what is known."""
    single = [title for title in sorted(names.labels) if not _in_family(title, names)]
    people = sorted(names.people - {one.username for one in known.people} if known else names.people)
    ids = (
        [f"gid://gitlab/Milestone/{one}" for one in sorted({m.id for m in known.milestones})] if known else []
    )
    titles = {one.title for one in known.milestones if one.owner == known.group} if known else set()
    group = partial(NamedField, of="group", path=own)
    return [
        group(by="dated", value=days_between(names.since, names.until)),
        # Those that are known are asked for by their ids.
        *(group(by="milestone", value=title) for title in sorted(names.milestones - titles)),
        *(group(by="milestones", value=part) for part in chunks(ids, IDS_EACH)),
        *(group(by="family", value=prefix) for prefix in sorted(names.families)),
        *(group(by="label", value=title) for title in single),
        *(NamedField(of="", by="people", value=part) for part in chunks(people, name_queries.NAMES_EACH)),
        *_by_id(known),
    ]


def _by_id(known: Catalog | None) -> Iterable[NamedField]:
    """Whoever and whatever is known, by the ids that stay when it is renamed."""
    if known is not None:
        for by, rows in (("people ids", known.people), ("projects", known.projects)):
            for part in chunks(sorted(one.id for one in rows), IDS_EACH):
                yield NamedField(of="", by=by, value=list(part))
