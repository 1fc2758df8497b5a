"""This machine's time zone, from what it has."""

from __future__ import annotations

from pathlib import Path

import pytest

from glboard_core.setup.zone import local_zone


@pytest.mark.parametrize(
    ("value", "zone"),
    [
        ("Europe/Berlin", "Europe/Berlin"),
        (":Asia/Tokyo", "Asia/Tokyo"),
        ("Etc/UTC", "UTC"),
        ("CET-1CEST", "UTC"),
    ],
)
def test_the_environment_goes_first(tmp_path: Path, value: str, zone: str) -> None:
    assert local_zone({"TZ": value}, tmp_path) == zone


def test_the_link_of_the_system_names_it(tmp_path: Path) -> None:
    place = tmp_path / "usr" / "share" / "zoneinfo" / "America" / "New_York"
    place.parent.mkdir(parents=True)
    place.touch()
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc" / "localtime").symlink_to(place)
    assert local_zone({}, tmp_path) == "America/New_York"


def test_or_the_file_of_the_system(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc" / "timezone").write_text("Australia/Sydney\n", "utf-8")
    assert local_zone({}, tmp_path) == "Australia/Sydney"


def test_a_machine_without_any_has_utc(tmp_path: Path) -> None:
    assert local_zone({}, tmp_path) == "UTC"
