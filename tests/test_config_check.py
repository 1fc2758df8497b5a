"""All mistakes in config.toml at once, each with its line and the nearest right key, value or type."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from glboard_core.config import Settings, parse
from glboard_core.config_check import check
from glboard_core.errors import ConfigError
from glboard_core.toml_lines import line_of, lines_of
from support.documents import configurations

MANY = """\
[gitlab]
grop = "x"
token = "glpat-planted"
url = 3
[sync]
poll = 0
hold = "2"
[ui]
density = "huge"
time_zone = "Europe/Berln"
[milestones]
backlog = []
[[boards]]
id = "x"
name = "X"
colums = []
limits = { "type::bug" = { issues = -3 } }
[[boards]]
name = "Y"
columns = ["a", 3]
[flow.labels]
"in dv" = "workflow::coding"
[planning]
version = "("
boards = ["plannin"]
nearly_done = [
  "in review",
  "verificaton",
]
[nonsense]
"""


def found(text: str) -> dict[tuple[int, str], str]:
    """Each mistake by line and key."""
    return {(one.line, one.key): f"{one.message} {one.hint}" for one in check(text).mistakes}


def test_all_mistakes_are_found_with_their_lines() -> None:
    mistakes = found(MANY)
    expected = {
        (2, "gitlab.grop"): "“group”",
        (3, "gitlab.token"): "glboard auth login",
        (4, "gitlab.url"): "a string in quotes, not 3",
        (6, "sync.poll"): "from 0.01 to 86,400, not 0",
        (7, "sync.hold"): "a number from 0 to 3,600",
        (9, "ui.density"): "one of auto",
        (10, "ui.time_zone"): "“Europe/Berlin”",
        (12, "milestones.backlog"): "preferred first",
        (16, "boards.colums"): "“columns”",
        (17, "boards.limits.type::bug.issues"): "at least 0, not -3",
        (18, "boards"): "missing id",
        (20, "boards.columns"): "not 3",
        (22, "flow.labels.in dv"): "“in dev”",
        (24, "planning.version"): "regular expression",
        (25, "planning.boards"): "“planning”",
        (28, "planning.nearly_done"): "“verification”",
        (30, "nonsense"): "Known keys",
    }
    assert mistakes.keys() == expected.keys()
    assert {place for place, words in expected.items() if words not in mistakes[place]} == set()
    assert "glpat-planted" not in str(mistakes)


def test_what_is_right_still_applies() -> None:
    settings = check(MANY + '[labels]\ngroup = "group::ours"\n').settings
    assert settings.labels.group == "group::ours"
    assert settings.ui == Settings().ui
    assert [board.id for board in settings.boards][-1] == "x"
    assert settings.boards[-1].limits == {"type::bug": type(settings.boards[-1].limits["type::bug"])()}


def test_lines_that_are_no_toml_are_each_named() -> None:
    text = "[ui]\ntheme = dark\ndensity = 'auto'\n= 3\ntime_zone = 'UTC'\n"
    assert [(one.line, "invalid TOML" in one.message) for one in check(text).mistakes] == [
        (2, True),
        (4, True),
    ]
    assert found("[ui]\ncolors = [1,\n")
    assert found('[ui]\ntheme = """never closed\n')


def test_a_number_that_python_does_not_read_is_named_with_its_line() -> None:
    text = f"[ui]\ntheme = 'dark'\n[sync]\npoll = {'1' * 5_000}\nhold = {'2' * 6_000}\n"
    assert [(one.line, one.message) for one in check(text).mistakes] == [
        (4, "invalid TOML: a number has too many digits."),
        (5, "invalid TOML: a number has too many digits."),
    ]


def test_names_that_mean_nothing_are_harmless() -> None:
    text = "[[boards]]\nid='a'\nname='A'\ncolumns=['x::bug']\nlimits={'x::bg'={issues=1}}\n"
    parse(text, "c.toml")
    mistakes = check(text).mistakes
    assert [(one.line, one.harmless) for one in mistakes] == [(5, True)]
    assert "“x::bug”" in mistakes[-1].hint


def test_each_board_of_two_with_one_id_is_named() -> None:
    text = "[[boards]]\nid='a'\nname='A'\n[[boards]]\nid='a'\nname='B'\n"
    assert [(one.line, one.harmless) for one in check(text).mistakes] == [(2, False), (5, False)]


def test_other_line_endings_and_a_byte_order_mark_keep_the_lines() -> None:
    assert (2, "ui.theem") in found("[ui]\r\ntheem = 'x'\r\n")


def test_the_defaults_and_the_examples_have_no_mistake() -> None:
    from glboard_tui.cli.config_init import TEMPLATE

    assert configurations()
    uncommented = re.sub(r"^# (?=[\[a-z])", "", TEMPLATE.partition("\n\n")[2], flags=re.MULTILINE)
    for text in ("", TEMPLATE, uncommented, *configurations()):
        assert check(text).mistakes == ()
        assert check(text).settings == parse(text, "c.toml")


KEYS = st.sampled_from(
    ["gitlab", "url", "ui", "density", "boards", "milestones", "sync", "poll", "id", "x", "token"]
)
VALUES = st.recursive(
    st.sampled_from(["'x'", "3", "-1", "true", "nan", "'auto'", "1979-05-27", '"""a\nb"""']),
    lambda inner: st.one_of(
        st.lists(inner, max_size=2).map(lambda rows: f"[{', '.join(rows)}]"),
        st.tuples(KEYS, inner).map(lambda pair: f"{{ {pair[0]} = {pair[1]} }}"),
    ),
    max_leaves=4,
)
LINES = st.one_of(
    KEYS.map(lambda key: f"[{key}]"),
    KEYS.map(lambda key: f"[[{key}]]"),
    st.tuples(KEYS, VALUES).map(lambda pair: f"{pair[0]} = {pair[1]}"),
)


@given(st.lists(LINES, max_size=6).map("\n".join))
def test_a_mistake_is_found_exactly_where_the_program_refuses_the_file(text: str) -> None:
    serious = [one for one in check(text).mistakes if not one.harmless]
    try:
        settings = parse(text, "c.toml")
    except ConfigError:
        assert serious
    else:
        assert serious == []
        assert check(text).settings == settings


def test_lines_are_known_inside_lists_and_tables() -> None:
    text = 'a = """\nx = 1\n"""\n[t."q.r"]\nlist = [ # c\n  1,\n  { k = 2 },\n]\n[[b]]\n[[b]]\n[b.c]\nd = 1\n'
    lines = lines_of(text)
    assert lines["a",] == 1
    assert ("x",) not in lines
    assert lines["t", "q.r"] == 4
    assert lines["t", "q.r", "list", 1, "k"] == 7
    assert lines["b", 1, "c", "d"] == 12
    assert line_of(lines, ("b", 1, "c", "missing", 3)) == 11
    assert line_of(lines, ("nowhere",)) == 0


BOARDS = """\
[[boards]]
id = "support"
name = "Support"
by = "flow"
columns = ["in dve", "blocked"]
filter = "~bug is:bloked w>x is:changed"
limits = { "*" = { issues = 5 }, "in rev" = { weight = 3 } }
[[boards]]
id = "mine"
name = "Mine"
by = "assigne"
[[boards]]
id = "people"
name = "People"
by = "assignee"
columns = ["eng_elm"]
limits = { eng_elm = { weight = 5 } }
order = "wieght"
density = "huge"
[[boards]]
id = "priority"
name = "Priority"
by = "priority"
limits = { "priority::1" = { issues = 2 } }
"""


def test_mistakes_in_boards_of_ones_own_are_named() -> None:
    said = [(one.line, one.key, f"{one.message} {one.hint}") for one in check(BOARDS).mistakes]
    assert [(line, key) for line, key, _ in said] == [
        (5, "boards.columns"),
        (6, "boards.filter"),
        (6, "boards.filter"),
        (6, "boards.filter"),
        (7, "boards.limits.in rev"),
        (11, "boards.by"),
        (16, "boards.columns"),
        (18, "boards.order"),
        (19, "boards.density"),
    ]
    words = " ".join(text for _, _, text in said)
    for part in (
        "Did you mean “in dev”?",
        "did you mean is:blocked?",
        "w>x is not a weight",
        "is:changed depends on this session",
        "Did you mean “assignee”?",
        "a board by assignee cannot have columns.",
        "Did you mean “weight”?",
        "must be one of auto, roomy, normal, wrapped, dense",
    ):
        assert part in words, part


def test_a_board_is_used_without_what_is_harmless() -> None:
    settings = check(BOARDS.replace('"wieght"', '"weight"').replace('"huge"', '"dense"')).settings
    people = settings.board("people")
    assert people is not None
    assert (people.order, people.density) == ("weight", "dense")
