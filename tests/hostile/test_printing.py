"""What a command prints holds no character that acts on a terminal, or that is not seen."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
import unicodedata
from collections.abc import Callable, Iterator
from pathlib import Path

import click
import pytest

from glboard_core.model.printable import escaped, printable
from glboard_tui.cli import printing
from glboard_tui.cli.context import as_csv
from glboard_tui.cli.main import run
from glboard_tui.widgets.text import clean
from hostile.tampering import Answer, MaliciousServer
from support.engines import build_world

ROOT = Path(__file__).parents[2]
#: Of all kinds: escape sequences of both forms, zero-width and direction characters, tags, half of a pair.
NASTY = "a\x1b[31mb\x9b2Jc\x07\r\x00d\u200b\u200d\u202e\u2066\ufeff\u00ad\u2060\u061c\U000e0041\ufe0fe"
PRINTS = (
    r"print|click\.(echo|secho|confirm|prompt|pause|progressbar|echo_via_pager)"
    r"|sys\.(__)?std(out|err)(__)?\.(buffer\.)?write(lines)?"
)
Text = pytest.CaptureFixture[str]


def acts(text: str) -> list[str]:
    """The characters that are not to be printed."""
    return [
        letter
        for letter in text
        if unicodedata.category(letter) in ("Cc", "Cf", "Cs", "Zl", "Zp") and letter not in "\n\t"
    ]


def test_what_is_not_printable_is_removed_but_nothing_else() -> None:
    assert printable(NASTY) == "a[31mb2Jcde"
    assert printable("\t漢字 ä\u0301 👩🏽\n\ud800") == "\t漢字 ä\u0301 👩🏽\n\ufffd"
    assert not acts(printable("".join(map(chr, (*range(0x20), *range(0x7F, 0x600), *range(0x2000, 0x2100))))))


@pytest.mark.parametrize("seen", [printable, clean])
def test_no_letter_has_more_marks_than_any_script_needs(seen: Callable[[str], str]) -> None:
    for mark in ("\u0301", "\u0e34", "\u20dd", "\u0301\u0489"):
        flood = f"e{mark * 500}o"
        assert seen(flood) == f"e{(mark * 500)[:8]}o"
    # What people write is as it was, and so is what only looks like marks.
    for text in ("Việt ä\u0301", "שָׁלוֹם", "กำลังที่", "─" * 300, "──e" + "\u0301" * 8):
        assert seen(text) == text


@pytest.mark.parametrize("sign", ["\u3164", "\u115f", "\uffa0", "\u17b4", "\U00013430", "\U0001d173"])
def test_no_sign_that_no_one_sees_takes_a_cell(sign: str) -> None:
    assert printable(f"a{sign}b") == clean(f"a{sign}b") == "ab"


def test_json_loses_nothing() -> None:
    text = printing.as_json({"title": NASTY, "more": "漢字"})
    assert not acts(text)
    assert json.loads(text) == {"title": NASTY, "more": "漢字"}
    assert escaped('"\ud800"') == '"\\ud800"'


def test_nothing_else_prints() -> None:
    found = []
    for path in sorted((ROOT / "tui").rglob("*.py")):
        if path.name != "printing.py":
            calls = (one for one in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(one, ast.Call))
            printed = (one for one in calls if re.fullmatch(PRINTS, ast.unparse(one.func)))
            found += [f"{path.relative_to(ROOT)}:{one.lineno}" for one in printed]
    assert found == []


@pytest.mark.parametrize(
    "arguments", [[f"show{NASTY}"], ["show", f"--{NASTY}"], ["show"], ["show", "x", "--format", NASTY]]
)
def test_wrong_use_repeats_what_was_typed_without_them(arguments: list[str], capsys: Text) -> None:
    assert run(arguments) == 2
    said = capsys.readouterr()
    assert said.err
    assert not acts(said.err + said.out)


def test_a_question_is_clean(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def confirm(text: str, **_: object) -> bool:
        asked.append(text)
        return True

    monkeypatch.setattr(click, "confirm", confirm)
    assert printing.confirm(f"Create {NASTY}?")
    assert not acts(asked[0])


@pytest.fixture(name="server")
def server_with_an_account(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[MaliciousServer]:
    for name in ("XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, str(tmp_path / name))
    world = build_world(issues=2)
    world.issue("top/app#1").title = f"first {NASTY}"
    with MaliciousServer(world) as server:
        monkeypatch.setenv("GITLAB_HOST", server.url)
        monkeypatch.setenv("GITLAB_TOKEN", server.token)
        monkeypatch.setenv("GLBOARD_GROUP", "top")
        yield server


def test_no_output_of_a_command_holds_them(server: MaliciousServer, capsys: Text) -> None:
    for style in ("table", "json", "markdown", "csv"):
        assert run(["show", "planning", "--milestone", "19.7", "--format", style]) == 0
        said = capsys.readouterr()
        assert "first a" in said.out
        assert not acts(said.out + said.err), style
    assert run(["edit", "top/app#1", "--weight", "3", "--title", f"new {NASTY}"]) in (0, 1, 2)
    said = capsys.readouterr()
    assert not acts(said.out + said.err)


@pytest.mark.parametrize(
    "arguments", [("--group", "\udcff"), ("show", "\udcff"), ("show", "x", "--milestone", "\udcff")]
)
def test_an_argument_in_another_encoding_is_wrong_use(
    arguments: tuple[str, ...], server: MaliciousServer, capsys: Text
) -> None:
    command = [*arguments, "show", "planning"] if arguments[0] == "--group" else [*arguments]
    assert run(command) == 2
    said = capsys.readouterr().err
    assert said.startswith("glboard: ")
    assert not acts(said)
    assert "does not understand" not in said


@pytest.mark.parametrize(
    ("status", "header"),
    [(200, "content-type"), (302, "location"), (403, "content-type"), (413, "x-request-id")],
)
def test_no_header_reaches_the_terminal(
    status: int, header: str, server: MaliciousServer, capsys: Text
) -> None:
    def tamper(answer: Answer) -> None:
        answer.status = status
        answer.headers = [("content-type", "text/x"), (header, f"https://x/\x9b31m\u202e\u200b{'y' * 5_000}")]

    with server.tampering(tamper):
        assert run(["show", "planning", "--fresh"]) == 1
    said = capsys.readouterr()
    assert not acts(said.err + said.out)
    assert 10 < len(said.err) < 1_000


@pytest.mark.parametrize("start", ["", " ", "\t", "\u3000", "\u00a0", "\u200b", "\ufeff", "\n", "\r"])
@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "＝", "＋", "－", "＠", "﹢", "\u2212"])
def test_no_cell_is_a_formula(start: str, sign: str) -> None:
    cell = as_csv(["title"], [[f"{start}{sign}HYPERLINK(1)"]]).partition("\n")[2].lstrip('"')
    assert cell.startswith("'")


def test_cells_that_are_none_stay() -> None:
    assert as_csv(["a", "b"], [["x=1", "group::custom models"]]) == "a,b\nx=1,group::custom models"


def test_no_error_of_a_task_is_printed() -> None:
    code = (
        "import asyncio, gc\n"
        "from glboard_tui.cli import main as entry\n"
        "async def fail():\n    raise ValueError('planted \\x1b[31m')\n"
        "async def go():\n    await asyncio.wait([asyncio.create_task(fail())])\n"
        "def run(_):\n    asyncio.run(go())\n    gc.collect()\n    return 0\n"
        "entry.run = run\n"
        "entry.main()\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("", "")
