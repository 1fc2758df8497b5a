"""Labels, milestones, people and projects as GitLab's finders look for them.

Titles and usernames given as such are compared exactly (titles with case, usernames and paths without); texts
to search for are compared by words, ignoring case.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from datetime import date

from glboard_core.demo.world import permissions
from glboard_core.demo.world.records import NO_ACCESS, Label, Milestone, Place, Project, User
from glboard_core.demo.world.registry import Registry

#: Words shorter than this are not searched for: the whole text must then be the searched one.
SHORTEST = 3
#: How many people a completion offers.
MOST_OFFERED = 20
_WORD = re.compile(r'"([^"]*)"|(\S+)')


def says(query: str, *texts: str) -> bool:
    """GitLab's fuzzy search: all words of at least three letters are in one of the texts."""
    query = " ".join(query.lower().split())
    words = [word for pair in _WORD.findall(query) if len(word := pair[0] or pair[1]) >= SHORTEST]
    if not words:
        return not query or any(one.lower() == query for one in texts)
    return any(all(word in text for word in words) for text in map(str.lower, texts))


def labels_of(
    world: Registry,
    places: Iterable[Place],
    search: str | None = None,
    *,
    title: str | None = None,
    search_in: Collection[str] = ("TITLE", "DESCRIPTION"),
) -> list[Label]:
    """The labels of some places, by title."""
    owners = dict.fromkeys(places)
    if title is not None:
        kept = [found for one in owners if (found := world.label_of(one, title)) is not None]
    else:
        kept = [one for one in world.labels.values() if one.owner in owners]
    if search:
        kept = [one for one in kept if says(search, *_label_texts(one, search_in))]
    return sorted(kept, key=lambda one: (one.title.lower(), one.id))


def _label_texts(label: Label, search_in: Collection[str]) -> list[str]:
    texts = [label.title] if "TITLE" in search_in else []
    if "DESCRIPTION" in search_in and label.description:
        texts.append(label.description)
    return texts


def milestones_of(
    world: Registry,
    places: Iterable[Place],
    *,
    state: str | None = None,
    title: str | None = None,
    search: str | None = None,
    within: tuple[date, date] | None = None,
    ids: Collection[int] | None = None,
) -> list[Milestone]:
    """The milestones of some places that match; `within` wants a day in common with that range."""
    owners = set(places)
    kept = [one for one in world.milestones.values() if one.owner in owners]
    if ids is not None:
        kept = [one for one in kept if one.id in ids]
    if state in ("active", "closed"):
        kept = [one for one in kept if one.closed == (state == "closed")]
    if title is not None:
        kept = [one for one in kept if one.title == title]
    if search:
        kept = [one for one in kept if says(search, one.title)]
    if within is not None:
        kept = [one for one in kept if _overlaps(one, *within)]
    return kept


def _overlaps(milestone: Milestone, start: date, end: date) -> bool:
    """Whether a milestone has a day in a range; one with a single date is open at the other end."""
    if milestone.start is None and milestone.due is None:
        return False
    begins = milestone.start is None or milestone.start <= end
    return begins and (milestone.due is None or milestone.due >= start)


def named(user: User, words: str) -> bool:
    """Whether a name or username contains a text, however short; a leading @ is ignored."""
    words = words.lower().removeprefix("@")
    return words in user.username.lower() or words in user.name.lower()


def members_of(
    world: Registry, place: Place, *, inherited: bool, search: str | None = None
) -> list[tuple[User, int]]:
    """The members of a place with their levels, by id."""
    if not inherited:
        idents = set(place.members)
    elif isinstance(place, Project):
        above = (one.members for one in place.group.chain())
        idents = set().union(place.members, place.overrides, *above)
    else:
        idents = set().union(*(one.members for one in place.chain()))
    found = []
    for ident in sorted(idents):
        user = world.user_of(ident)
        if user is None or (search and not named(user, search)):
            continue
        level = permissions.level(user, place) if inherited else place.members[ident]
        if level > NO_ACCESS:
            found.append((user, level))
    return found


def completed(world: Registry, place: Place, search: str | None) -> list[User]:
    """The people a completion offers in a place: members by name, a few of them."""
    found = [user for user, _ in members_of(world, place, inherited=True, search=search)]
    return sorted(found, key=lambda one: (one.name.lower(), one.id))[:MOST_OFFERED]


def people(world: Registry, usernames: Iterable[str]) -> list[User]:
    """The users with these names, ignoring case and a leading @; unknown ones are left out."""
    found = (world.user_named(one) for one in usernames)
    return list(dict.fromkeys(one for one in found if one is not None))
