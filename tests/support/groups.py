"""Groups as the set-up finds them: other names than ours, no milestones, statuses; and a world of one."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta

from glboard_core.demo.world.world import World
from glboard_core.model.catalog import Server
from glboard_core.model.milestone import Milestone
from glboard_core.setup.found import FoundBoard, FoundGroup, FoundLabel, FoundList, Used

TODAY = date(2026, 12, 7)
#: Labels of a shop whose teams have names of their own for everything.
SHOP_LABELS = (
    "team::storefront", "team::payments", "kind::bug", "kind::story", "kind::chore", "status::To do",
    "status::Doing", "status::Code review", "status::Testing", "status::Done", "status::On hold", "Prio::1",
    "Prio::2", "Committed", "Research", "wontfix", "Duplicate", "frontend",
)  # fmt: skip


def sprints(name: str = "Sprint {}", *, days: int = 14, first: int = 38) -> list[Milestone]:
    """Six in a row, the third of which runs today."""
    found = []
    for number in range(6):
        start = TODAY + timedelta(days=days * (number - 2) - 3)
        title = name.format(first + number)
        due = start + timedelta(days=days - 1)
        found.append(Milestone(id=str(number + 1), title=title, owner="shop", start=start, due=due))
    return found


def buckets(*titles: str) -> list[Milestone]:
    """Milestones without dates."""
    return [Milestone(id=str(100 + n), title=title, owner="shop") for n, title in enumerate(titles)]


def shop(
    labels: Iterable[str] = SHOP_LABELS,
    milestones: Iterable[Milestone] | None = None,
    *,
    boards: tuple[FoundBoard, ...] = (),
    statuses: tuple[str, ...] = (),
    mine: Used | None = None,
    recent: Used | None = None,
    path: str = "shop",
) -> FoundGroup:
    """A group with these names."""
    usual = [*sprints(), *buckets("Next up", "Later", "Icebox")]
    return FoundGroup(
        url="https://gitlab.example.com",
        path=path,
        name="The shop",
        username="rowan",
        server=Server(version="18.9.0-ee"),
        labels=tuple(map(FoundLabel, labels)),
        milestones=tuple(usual if milestones is None else milestones),
        boards=boards,
        statuses=statuses,
        mine=mine or Used(issues=8, labels={"team::storefront": 8, "kind::bug": 5, "status::Doing": 3}),
        recent=recent or Used(issues=100, labels={"team::storefront": 40, "team::payments": 30}),
    )


def board(name: str, *lists: str, kind: str = "label", **scope: object) -> FoundBoard:
    """A board with lists of one kind."""
    found = tuple(FoundList(kind=kind, title=title) for title in lists)  # type: ignore[arg-type]
    return FoundBoard(name=name, lists=found, **scope)  # type: ignore[arg-type]


def shop_world(**kinds: str) -> World:
    """A small GitLab of that shop."""
    world = World(**kinds)  # type: ignore[arg-type]
    root = world.add_group("shop", "The shop")
    user = world.add_user("rowan", "Rowan Example")
    root.members[user.id] = 50
    world.owner_username = "rowan"
    world.add_project("shop/web/front")
    world.add_project("shop/web/api")
    for title in SHOP_LABELS:
        world.add_label(root, title, "#428bca")
    today = world.clock.today()
    for number in range(6):
        start = today + timedelta(days=14 * (number - 2) - 3)
        world.add_milestone(root, f"Sprint {38 + number}", start, start + timedelta(days=13))
    for title in ("Next up", "Later", "Icebox"):
        world.add_milestone(root, title)
    desk = world.add_board(root, "Support desk")
    for title in ("frontend", "Research"):
        world.add_list(desk, "label").label = world.label_of(root, title)
    labels = ["team::storefront", "kind::bug", "status::Doing"]
    for number in range(8):
        world.create("shop/web/front", f"Issue {number}", by="rowan", add_labels=labels)
    world.index.rebuild()
    return world
