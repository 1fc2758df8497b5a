"""What a catalog learns: by id, so that what was renamed is known again."""

from __future__ import annotations

from msgspec import structs

from glboard_core.model.catalog import Absent, Label, Person, Project
from glboard_core.model.catalog_needs import Needs, titles_of
from support.make import PROJECT, catalog, milestone

LABEL = Label(id="gid://gitlab/GroupLabel/900", title="area::x", owner="demo-org", color="#ff0000")


def test_nothing_new_is_the_same_catalog() -> None:
    known = catalog()
    assert known.learn() is known
    assert (
        known.learn(
            labels=[structs.replace(known.labels[0], owner=PROJECT)],  # valid there already
            milestones=known.milestones,
            people=[Person(id="gid://gitlab/User/1", username="em_maple")],
            projects=known.projects,
        )
        is known
    )


def test_a_known_id_with_another_title_was_renamed() -> None:
    known = catalog().learn(labels=[LABEL], milestones=[milestone("20.1", id="77")])
    learned = known.learn(
        labels=[structs.replace(LABEL, title="area::y", owner=PROJECT)],
        milestones=[milestone("20.2", id="77")],
    )
    assert learned.label(PROJECT, "area::x") is None
    found = learned.label("demo-org/other", "area::y")
    assert found is not None
    assert found.id == LABEL.id
    assert learned.find_milestone("20.1") is None
    assert learned.find_milestone("20.2") is not None
    assert len(learned.labels) == len(known.labels)


def test_a_label_of_a_group_is_valid_below_what_the_projects_share_it_was_found_in() -> None:
    first, other = "demo-org/sub/a", "demo-org/sub/b"
    known = catalog().learn(labels=[structs.replace(LABEL, owner=first)])
    assert known.label(other, LABEL.title) is None
    known = known.learn(labels=[structs.replace(LABEL, owner=other)])
    assert [one.owner for one in known.labels if one.id == LABEL.id] == ["demo-org/sub"]
    assert known.label("demo-org/else", LABEL.title) is None
    own = structs.replace(LABEL, id="gid://gitlab/ProjectLabel/7", title="own")
    known = known.learn(labels=[structs.replace(own, owner=path) for path in (first, other)])
    assert known.label("demo-org/sub/c", "own") is None


def test_what_is_absent_is_asked_once() -> None:
    known = structs.replace(
        catalog(), families=frozenset(), absent=frozenset({Absent("label", "area::x", PROJECT)})
    )
    needs = Needs(labels=titles_of([PROJECT, "demo-org/b"], ["area::x", "type::bug"]))
    assert needs.unknown(known).labels == {("demo-org/b", "area::x")}
    assert known.lacks(PROJECT, "area::x")
    assert not known.lacks("demo-org/b", "area::x")  # perhaps a label of its own
    learned = known.learn(labels=[LABEL])
    assert learned.absent == frozenset()
    assert not needs.unknown(learned)


def test_a_title_with_another_id_was_created_again() -> None:
    known = catalog().learn(labels=[LABEL])
    learned = known.learn(labels=[structs.replace(LABEL, id="gid://gitlab/GroupLabel/901")])
    assert learned.label_id(PROJECT, LABEL.title) == "gid://gitlab/GroupLabel/901"
    assert len(learned.labels) == len(known.labels)


def test_people_and_projects_are_renamed_too() -> None:
    known = catalog(projects=(Project(id="gid://gitlab/Project/11", path=PROJECT, can_edit=True),))
    own = Label(id="gid://gitlab/ProjectLabel/5", title="own", owner=PROJECT)
    known = known.learn(labels=[own])
    learned = known.learn(
        people=[Person(id="gid://gitlab/User/2", username="pm_elm", name="P")],
        projects=[Project(id="gid://gitlab/Project/11", path="demo-org/renamed")],
    )
    assert learned.person("pm_oak") is None
    assert learned.person("pm_elm") is not None
    project = learned.project("demo-org/renamed")
    assert project is not None
    assert project.can_edit  # what was not asked again stays
    assert learned.label("demo-org/renamed", "own") is not None
    assert len(learned.people) == len(known.people)
