"""What the title of a version looks like, by the milestones with dates."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from msgspec import structs

from glboard_core.model.milestone import Milestone
from glboard_core.setup.versions import fitting, shape_of, shapes
from support.groups import TODAY, buckets, sprints


@pytest.mark.parametrize(
    ("title", "pattern"),
    [
        ("19.8", r"^\d+\.\d+$"),
        ("Sprint 12", r"^Sprint \d+$"),
        ("v2.0 (web)", r"^v\d+\.\d+ \(web\)$"),
        ("December 2026", r"^[A-Z][a-z]+ \d+$"),
        ("FY26 Q1", r"^FY\d+ Q\d+$"),
        ("2026-Q1", r"^\d+\-Q\d+$"),
        ("December", r"^[A-Z][a-z]+$"),
        ("december", r"^[a-z]+$"),
        ("Autumn", ".+"),
    ],
)
def test_numbers_and_months_can_be_others(title: str, pattern: str) -> None:
    assert shape_of(title) == pattern


def test_the_series_that_runs_and_goes_on_comes_first() -> None:
    old = [
        Milestone(
            id=f"9{n}",
            title=f"Phase {n}",
            owner="shop",
            start=TODAY - timedelta(days=400 - n * 20),
            due=TODAY - timedelta(days=390 - n * 20),
        )
        for n in range(9)
    ]
    first, second = shapes([*old, *sprints(), *buckets("Backlog 3")], TODAY)
    assert (first.pattern, first.current, first.next) == (r"^Sprint \d+$", "Sprint 40", "Sprint 41")
    assert (second.pattern, second.current, second.count) == (r"^Phase \d+$", "", 9)


def test_a_series_goes_before_milestones_that_overlap() -> None:
    areas = [
        Milestone(
            id=f"9{n}", title=f"Goal {n}", owner="shop", start=TODAY - timedelta(days=n), due=date(2027, 3, 1)
        )
        for n in range(12)
    ]
    assert shapes([*areas, *sprints()], TODAY)[0].pattern == r"^Sprint \d+$"


def test_the_usual_form_wins_a_draw() -> None:
    both = [*sprints("19.{}"), *sprints("Sprint {}")]
    assert shapes(both, TODAY)[0].pattern == r"^\d+\.\d+$"


def test_a_typed_pattern_tells_what_it_means() -> None:
    shape = fitting(r"^Sprint 4[12]$", sprints(), TODAY)
    assert (shape.current, shape.next, shape.count) == ("", "Sprint 41", 2)


def test_nothing_with_dates_has_no_shape() -> None:
    assert list(shapes(buckets("Backlog", "Next 1-3"), TODAY)) == []


@pytest.mark.parametrize(
    ("titles", "pattern"),
    [
        (("October", "November", "December", "January", "February"), r"^[A-Z][a-z]+$"),
        (("Oktober", "November", "Dezember", "Januar", "Februar"), r"^[A-Z][a-z]+$"),
        (("Herbst", "Spätherbst", "Winter", "Frühling", "Sommer"), ".+"),
        (("2026-Q2", "2026-Q3", "2026-Q4", "2027-Q1", "2027-Q2"), r"^\d+\-Q\d+$"),
    ],
)
def test_titles_without_numbers_are_told_by_their_dates(titles: tuple[str, ...], pattern: str) -> None:
    series = [structs.replace(one, title=title) for one, title in zip(sprints(), titles, strict=False)]
    best = shapes([*series, *buckets("Backlog")], TODAY)[0]
    assert (best.current, best.next) == titles[2:4]
    assert (best.pattern, best.count) == (pattern, 5)
