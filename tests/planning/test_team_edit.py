"""Editing team.toml: only the requested value changes, however the file is written."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from glboard_core.errors import ConfigError, UsageError
from glboard_core.model.catalog import Former, Person
from glboard_core.planning import text as day_words
from glboard_core.planning.team import Days, FormerNames, Member, Span, Team, former_names, parse_team
from glboard_core.planning.team_edit import (
    AddPeople,
    Change,
    OfMilestone,
    OfPerson,
    OfTeam,
    RemovePerson,
    WriteNames,
    as_written,
    edited,
    fresh,
)
from support.make import catalog, milestone

FILE = """\
# Our team
days_per_weight = 2   # two
holidays = [  # bank
  "2026-12-24",  # eve
  2026-12-25,
]

# alder leads
[[people]]
username = "eng_alder" # A
time_off = ["2026-12-21", { from = "2026-12-28", to = "2026-12-30" }]
support_days = { "19.8" = 5 } # asked

# birch is new
[[people]]
username = 'eng_birch'
factor = 0.5 # onboarding

[[people]]  # cedar
username = "eng_cedar"
[people.support_days]
"19.8" = 2  # weekly
# the end
"""


def day(text: str) -> date:
    return date.fromisoformat(text)


def changed(change: Change, text: str = FILE) -> tuple[list[str], list[str]]:
    """The removed and the added lines."""
    made = edited(text, change)
    before, now = Counter(text.splitlines()), Counter(made.splitlines())
    return list((before - now).elements()), list((now - before).elements())


@pytest.mark.parametrize(
    ("change", "gone", "come"),
    [
        (OfTeam("days_per_weight", 2.5), ["days_per_weight = 2   # two"], ["days_per_weight = 2.5   # two"]),
        (OfTeam("reserve", 0.15), [], ["reserve = 0.15"]),
        (OfTeam("holidays", (day("2026-12-25"),)), ['  "2026-12-24",  # eve'], []),
        (
            OfTeam(
                "holidays",
                (day("2026-12-24"), day("2026-12-25"), Span(first=day("2027-01-01"), last=day("2027-01-02"))),
            ),
            [],
            ['  { from = "2027-01-01", to = "2027-01-02" },'],
        ),
        (OfPerson("eng_birch", "factor", 1.0), ["factor = 0.5 # onboarding"], ["factor = 1 # onboarding"]),
        (OfPerson("eng_birch", "factor", 0.0), ["factor = 0.5 # onboarding"], ["factor = 0 # onboarding"]),
        (OfPerson("eng_alder", "role", 'back"end'), [], ['role = "back\\"end"']),
        (
            OfPerson("eng_alder", "time_off", (day("2026-12-22"),)),
            ['time_off = ["2026-12-21", { from = "2026-12-28", to = "2026-12-30" }]'],
            ['time_off = ["2026-12-22"]'],
        ),
        (
            OfMilestone("eng_alder", "support_days", "19.9", 2.5),
            ['support_days = { "19.8" = 5 } # asked'],
            ['support_days = { "19.8" = 5, "19.9" = 2.5 } # asked'],
        ),
        (
            OfMilestone("eng_alder", "support_days", "19.8", None),
            ['support_days = { "19.8" = 5 } # asked'],
            [],
        ),
        (
            OfMilestone("eng_cedar", "support_days", "19.8", 3),
            ['"19.8" = 2  # weekly'],
            ['"19.8" = 3  # weekly'],
        ),
        (OfMilestone("eng_cedar", "net_days", "19.8", 12.5), [], ['net_days = { "19.8" = 12.5 }']),
        (AddPeople(("eng_dogwood",)), [], ["", "[[people]]", 'username = "eng_dogwood"']),
        (
            RemovePerson("eng_alder"),
            [
                "[[people]]",
                'username = "eng_alder" # A',
                'time_off = ["2026-12-21", { from = "2026-12-28", to = "2026-12-30" }]',
                'support_days = { "19.8" = 5 } # asked',
            ],
            [],
        ),
    ],
)
def test_removed_and_added_lines(change: Change, gone: list[str], come: list[str]) -> None:
    assert changed(change) == (gone, come)
    assert parse_team(edited(FILE, change), "t") == change.after(parse_team(FILE, "t"))


def test_new_line_is_inserted_with_its_person_above_the_next_ones_comment() -> None:
    made = edited(FILE, OfMilestone("eng_alder", "net_days", "19.8", 8)).splitlines()
    at = made.index('net_days = { "19.8" = 8 }')
    assert made[at - 1].startswith("support_days")
    assert made[at + 2] == "# birch is new"


def test_other_layouts_of_a_team() -> None:
    inline = 'people = [{ username = "a", factor = 1 }, { username = "b" }]  # two\n'
    made = edited(inline, OfPerson("a", "factor", 0.5))
    assert "factor = 0.5" in made
    assert "# two" in made
    assert [m.username for m in parse_team(edited(inline, AddPeople(("c",))), "t").people] == ["a", "b", "c"]
    assert [m.username for m in parse_team(edited(inline, RemovePerson("a")), "t").people] == ["b"]
    dotted = '[[people]]\nusername = "a"\nsupport_days."19.8" = 1 # w\n'
    assert "# w" in edited(dotted, OfMilestone("a", "support_days", "19.9", 2))
    windows = 'reserve = 0.1\r\n[[people]]\r\nusername = "a"\r\n'
    assert parse_team(edited(windows, OfPerson("a", "role", "x")), "t").people[0].role == "x"
    bare = '[[people]]\nusername = "a"'
    assert parse_team(edited(bare, AddPeople(("b",))), "t").people[1].username == "b"
    assert edited("", OfTeam("reserve", 0.1)) == "reserve = 0.1\n"


def test_invalid_content_is_rejected() -> None:
    with pytest.raises(ConfigError, match="< 1"):
        edited(FILE, OfTeam("reserve", 1.0))
    with pytest.raises(ConfigError, match=">= 0"):
        edited(FILE, OfMilestone("eng_alder", "net_days", "19.8", -1))
    with pytest.raises(ConfigError, match="before it starts"):
        edited(FILE, OfTeam("holidays", (Span(first=day("2026-12-25"), last=day("2026-12-24")),)))
    with pytest.raises(UsageError, match="not in team"):
        edited(FILE, OfPerson("nobody", "role", "x"))
    with pytest.raises(UsageError, match="already"):
        edited(FILE, AddPeople(("eng_alder",)))
    with pytest.raises(ConfigError, match="invalid TOML"):
        edited("= =", OfTeam("reserve", 0.1))


def test_edit_without_a_change_leaves_the_text_unchanged() -> None:
    assert edited(FILE, OfPerson("eng_birch", "factor", 0.5)) == FILE


def test_new_file_is_a_team_and_can_be_edited() -> None:
    text = fresh(["eng_alder", "eng_birch"])
    assert parse_team(text, "t") == Team(people=(Member(username="eng_alder"), Member(username="eng_birch")))
    assert "private" in edited(text, OfTeam("reserve", 0.1))


# -- the law


comments = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Zl", "Zp")), max_size=8).map(
    lambda text: f"# {text}".rstrip()
)
dates = st.integers(0, 500).map(lambda n: date(2026, 6, 1) + timedelta(days=n))
spans = st.tuples(dates, st.integers(0, 20)).map(
    lambda pair: Span(first=pair[0], last=pair[0] + timedelta(days=pair[1]))
)
day_lists = st.lists(dates | spans, max_size=4, unique=True).map(tuple)
counts = st.integers(0, 30) | st.sampled_from([0.5, 2.5, 12.25])
by_milestone = st.dictionaries(st.sampled_from(["19.7", "19.8", "19.9"]), counts, max_size=3)
names = st.sampled_from(["eng_alder", "eng_birch", "eng_cedar", "eng_dogwood"])


def _entry(entry: date | Span) -> str:
    if isinstance(entry, Span):
        return f'{{from="{entry.first}",to = {entry.last}}}'
    return f"{entry}"


@st.composite
def lines_of(draw: st.DrawFn, key: str, value: object) -> list[str]:
    """One key as a person might write it, with comments on its line and above."""
    end = draw(st.just("") | comments.map(lambda text: "  " + text))
    above = draw(st.lists(comments | st.just(""), max_size=2))
    if isinstance(value, tuple):
        if draw(st.booleans()):
            inside = [f"  {_entry(entry)}, {draw(comments)}" for entry in value]
            return [*above, f"{key} = [{end}", *inside, "]"]
        return [*above, f"{key} = [{', '.join(map(_entry, value))}]{end}"]
    if isinstance(value, dict):
        inside_ = ",".join(f'"{name}"={days}' for name, days in value.items())
        return [*above, f"{key}={{{inside_}}}{end}"]
    said = f'"{value}"' if isinstance(value, str) else str(value)
    return [*above, f"{key}  =  {said}{end}"]


@st.composite
def files(draw: st.DrawFn) -> str:
    lines = draw(st.lists(comments | st.just(""), max_size=2))
    for key, values in (
        ("days_per_weight", st.sampled_from([1, 2, 2.5])),
        ("reserve", st.sampled_from([0, 0.1])),
        ("holidays", day_lists),
    ):
        if draw(st.booleans()):
            lines += draw(lines_of(key, draw(values)))
    for name in draw(st.lists(names, min_size=1, unique=True)):
        lines += [*draw(st.lists(comments | st.just(""), max_size=2)), f"[[people]]  {draw(comments)}"]
        keys: dict[str, object] = {"username": name}
        for key, person_values in (
            ("role", st.sampled_from(["", "backend"])),
            ("factor", st.sampled_from([0, 0.5, 1])),
            ("holidays", day_lists),
            ("time_off", day_lists),
            ("support_days", by_milestone),
            ("net_days", by_milestone),
        ):
            if draw(st.booleans()):
                keys[key] = draw(person_values)
        for key in draw(st.permutations(list(keys))):
            lines += draw(lines_of(key, keys[key]))
    lines += draw(st.lists(comments | st.just(""), max_size=2))
    return "\n".join(lines) + draw(st.sampled_from(["", "\n"]))


changes: st.SearchStrategy[Change] = st.one_of(
    st.builds(OfTeam, st.just("holidays"), day_lists),
    st.builds(OfTeam, st.just("reserve"), st.sampled_from([0, 0.05, 0.25])),
    st.builds(OfPerson, names, st.sampled_from(["holidays", "time_off"]), day_lists),
    st.builds(OfPerson, names, st.just("role"), st.sampled_from(["", "SET", "front\\end"])),
    st.builds(OfPerson, names, st.just("factor"), st.sampled_from([0, 0.5, 1.5])),
    st.builds(
        OfMilestone, names, st.sampled_from(["support_days", "net_days"]),
        st.sampled_from(["19.8", "19.10"]), counts | st.none(),
    ),
    st.builds(AddPeople, names.map(lambda name: (name,))),
    st.builds(RemovePerson, names),
)  # fmt: skip


def _merged(change: Change, team: Team) -> Change:
    """Lists as the prompt passes them: kept entries in their old order."""
    if isinstance(change, OfTeam | OfPerson) and isinstance(change.value, tuple):
        holder = team if isinstance(change, OfTeam) else team.member(change.username)
        there: Days = getattr(holder, change.key) if holder else ()
        value = day_words.merged(there, change.value)
        if isinstance(change, OfTeam):
            return OfTeam(change.key, value)
        return OfPerson(change.username, change.key, value)
    return change


@given(files(), changes)
def test_edit_changes_only_its_own_value(text: str, change: Change) -> None:
    team = parse_team(text, "t")
    change = _merged(change, team)
    try:
        wanted = change.after(team)
    except UsageError:
        return
    made = edited(text, change)
    assert parse_team(made, "t") == wanted
    gone, _ = changed(change, text)
    if isinstance(change, RemovePerson):
        # Comments above the next person, and those at the end, do not belong to this one.
        kept = text.split("[[people]]", maxsplit=1)[0].splitlines()[:-1]
        assert made.splitlines()[: len(kept)] == kept
        return
    # Every comment is kept, except on the line of the value (or of a removed day).
    key = getattr(change, "key", "")
    for line in gone:
        if line.strip():
            assert line.lstrip().startswith((key or "nothing", "{from", "20")), line
            assert key
    assert edited(made, change) == made if not isinstance(change, AddPeople) else True


@given(day_lists)
def test_days_as_text_parse_to_the_same_days(days: Days) -> None:
    assert day_words.read(day_words.words(days), date(2026, 12, 12)) == days


@pytest.mark.parametrize(
    ("typed", "days"),
    [
        ("", ()),
        ("12-21", (day("2026-12-21"),)),
        ("01-04, 12-21", (day("2027-01-04"), day("2026-12-21"))),
        ("12-28..30 2026-12-31", (Span(first=day("2026-12-28"), last=day("2026-12-30")), day("2026-12-31"))),
        ("12-30 to 01-02", (Span(first=day("2026-12-30"), last=day("2027-01-02")),)),
        ("12-30…01-02;", (Span(first=day("2026-12-30"), last=day("2027-01-02")),)),
        ("12-21, 12-21", (day("2026-12-21"),)),
    ],
)
def test_short_forms_of_days(typed: str, days: Days) -> None:
    assert day_words.read(typed, day("2026-12-12")) == days


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ("12-32", "“12-32” is not a date"),
        ("tomorrow", "is not a date"),
        ("2026-02-30", "is not a date"),
        ("2026-12-24..2026-12-21", "ends before it starts"),
        ("12-24..21", "ends before it starts"),
        ("2026-01-01..2028-01-01", "longer than a year"),
        ("12-21..", "is not a date"),
        ("02-29, 12-21, x", "is not a date"),
    ],
)
def test_typos_are_reported(typed: str, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        day_words.read(typed, day("2026-12-12"))


# Former names

RENAMED = catalog(
    people=(Person(id="1", username="eng_elder"), Person(id="2", username="eng_birch")),
    milestones=(milestone("19.8 GA", "2026-12-12", "2027-01-15", id="8"),),
    former=frozenset({Former("person", "1", "eng_alder"), Former("milestone", "8", "19.8")}),
)


def test_former_names_count_as_what_has_another_one_now() -> None:
    team = parse_team(FILE, "team.toml")
    former = former_names(team, RENAMED)
    assert former == FormerNames({"eng_alder": "eng_elder"}, {"19.8": "19.8 GA"})
    now = former.replaced(team)
    assert [member.username for member in now.people] == ["eng_elder", "eng_birch", "eng_cedar"]
    assert [member.support_days for member in now.people] == [{"19.8 GA": 5}, {}, {"19.8 GA": 2}]
    assert not former_names(now, RENAMED)
    assert not former_names(team, None)
    # Someone who is listed under both names stays as written.
    both = structs.replace(team, people=(*team.people, Member(username="eng_elder")))
    assert not former_names(both, RENAMED).people
    # Under both titles: what the present one says.
    twice = Member(username="a", support_days={"19.8": 1, "19.8 GA": 2})
    [member] = former.replaced(Team(people=(twice,))).people
    assert member.support_days == {"19.8 GA": 2}


@pytest.mark.parametrize(
    "text",
    [
        FILE,
        FILE.replace('"19.8"', "'19.8'").replace('"eng_alder"', "'eng_alder'"),
        'people = [{ username = "eng_alder", support_days = { "19.8" = 5 } }]  # "19.8" = 5',
    ],
)
def test_present_names_are_written_in_place(text: str) -> None:
    former = former_names(parse_team(text, "team.toml"), RENAMED)
    gone, come = changed(WriteNames(former), text)
    assert len(gone) == len(come)
    for before, now in zip(sorted(gone), sorted(come), strict=True):
        assert before.partition("#")[1:] == now.partition("#")[1:] or "people =" in before
    made = edited(text, WriteNames(former))
    assert not former_names(parse_team(made, "team.toml"), RENAMED)
    assert edited(made, WriteNames(former)) == made


def test_a_change_of_somebody_with_another_name_finds_them() -> None:
    team = parse_team(FILE, "team.toml")
    former = former_names(team, RENAMED)
    for change, line in (
        (OfPerson("eng_elder", "role", "backend"), 'role = "backend"'),
        (OfMilestone("eng_elder", "support_days", "19.8 GA", 6), 'support_days = { "19.8" = 6 } # asked'),
        (OfMilestone("eng_birch", "net_days", "19.8 GA", 6), 'net_days = { "19.8 GA" = 6 }'),
    ):
        assert changed(as_written(change, team, former))[1] == [line]
    assert "eng_alder" not in edited(FILE, as_written(RemovePerson("eng_elder"), team, former))
