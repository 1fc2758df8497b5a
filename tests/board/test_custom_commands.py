"""Commands of one's own: what they run, and that no title ever becomes a part of a program."""

from __future__ import annotations

import subprocess
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glboard_core.board.custom_commands import invocations
from glboard_core.command_template import CommandSettings, Invocation, problems, with_ids
from glboard_core.errors import GlboardError
from glboard_core.model.issue import Issue
from support.make import issue


def command(run: str, **more: Any) -> CommandSettings:
    return CommandSettings(key="X", name="Test", run=run, **more)


def card(**more: Any) -> Issue:
    fields: dict[str, Any] = {
        "project": "top/app",
        "iid": 12,
        "title": "A crash",
        "web_url": "https://host/top/app/-/issues/12",
    }
    return issue(1, **{**fields, **more})


def runs(run: str, *issues: Issue, milestone: str | None = "19.8", **more: Any) -> list[tuple[str, ...]]:
    found = command(run, **more)
    assert list(problems(found)) == []
    return [one.arguments for one in invocations(found, issues or [card()], milestone)]


def output(invocation: Invocation) -> str:
    done = subprocess.run(
        invocation.arguments,
        env={"PATH": "/usr/bin:/bin", **invocation.variables},
        capture_output=True,
        check=True,
    )
    return done.stdout.decode()


def test_placeholders_are_filled_after_the_line_was_split() -> None:
    hostile = 'it\'s; rm -rf $(pwd) `id` "x" {iid} --all'
    assert runs("glab mr create --issue {iid} -t {title}", card(title=hostile)) == [
        ("glab", "mr", "create", "--issue", "12", "-t", hostile)
    ]
    assert runs("x --title={title} '{project}/{iid} {reference}' {url}") == [
        ("x", "--title=A crash", "top/app/12 top/app#12", "https://host/top/app/-/issues/12")
    ]
    assert runs("x [{milestone}] {{iid}} {print $1}") == [("x", "[]", "{iid}", "{print", "$1}")]
    assert runs("x {milestone}", on="board") == [("x", "19.8")]


def test_a_selection_is_one_run_for_each_or_one_for_all() -> None:
    two = card(), card(iid=13, title="Other", milestone="19.9")
    assert runs("x {iid}", *two) == [("x", "12"), ("x", "13")]
    assert runs("x {references} -p {project} -t {title}", *two) == [
        ("x", "top/app#12", "top/app#13", "-p", "top/app", "-t", "")
    ]
    assert runs("x --iids={iids}", *two) == [("x", "--iids=12,13")]


@pytest.mark.parametrize(
    ("run", "more", "wrong"),
    [
        ("", {}, "it is empty."),
        ("x 'y", {}, "not a command line: no closing quotation."),
        ("x {titel}", {}, "unknown placeholder {titel}."),
        ("x {iid}", {"on": "board"}, "{iid} needs an issue, but the command runs on a board."),
        ("{title} x", {}, "the program itself cannot be a placeholder."),
        ("sh -c 'echo {title}'", {}, "{title} would run as part of the script."),
        ("env A=1 /bin/bash -lc 'echo {title}'", {}, "{title} would run as part of the script."),
        ("bash -e -o pipefail -c 'echo {title}'", {}, "{title} would run as part of the script."),
        ("python3.12 -c 'print(\"{title}\")'", {}, "{title} would run as part of the script."),
        ("perl -we'print {iid}'", {}, "{iid} would run as part of the script."),
        ("node --eval={title}", {}, "{title} would run as part of the script."),
        ("env -S 'sh -c {title}'", {}, "{title} would run as part of the script."),
        ("ssh host notify {title}", {}, "ssh could run {title} as a command."),
        ("tmux display-message {milestone}", {"on": "board"}, "tmux could run {milestone} as a command."),
        ("env A=1 nice tmux new-window 'less {title}'", {}, "tmux could run {title} as a command."),
        ("echo '{title}'", {"shell": True}, "{title} is in quotes."),
        ('sh -c "echo {title}"', {"shell": True}, "{title} is in quotes."),
        ("echo `x {title}`", {"shell": True}, "{title} is in quotes."),
    ],
)
def test_what_cannot_be_filled_safely_is_refused(run: str, more: dict[str, Any], wrong: str) -> None:
    assert [one.message for one in problems(command(run, **more))] == [wrong]


def test_a_script_may_get_values_as_its_arguments() -> None:
    (one,) = invocations(command("sh -c 'echo \"$1\"' sh {title}"), [card(title="$(id)")], None)
    assert output(one) == "$(id)\n"


@pytest.mark.parametrize("run", ["x {title}", "x -t {title}-", "x {title} -- y", "x '{title} y'"])
@pytest.mark.parametrize("shell", [False, True])
def test_no_title_is_taken_for_an_option(run: str, shell: bool) -> None:
    if shell and "'" in run:
        return
    with pytest.raises(GlboardError, match=r"the title of app#12 starts with “-”") as told:
        invocations(command(run, shell=shell), [card(), card(title="--pre=evil")], None)
    assert "write -- before {title}" in (told.value.what_to_do or "")


@pytest.mark.parametrize(
    "run", ["a -- x && b {title}", "a -- x; b {title}", "a -- $(b {title})", "a --\nb {title}"]
)
def test_the_end_of_options_holds_for_one_program_of_a_shell(run: str) -> None:
    with pytest.raises(GlboardError, match="starts with “-”"):
        invocations(command(run, shell=True), [card(title="-x")], None)


def test_a_title_that_cannot_be_an_option_may_start_like_one() -> None:
    dash = card(title="-x")
    assert runs("x --title={title}", dash) == [("x", "--title=-x")]
    assert runs("x -- {title}", dash) == [("x", "--", "-x")]
    assert runs("x '{iid} {title}'", dash) == [("x", "12 -x")]
    assert runs("tmux new-window 'glab issue view {iid}'") == [("tmux", "new-window", "glab issue view 12")]
    assert runs("make watch TITLE={title}") == [("make", "watch", "TITLE=A crash")]
    assert runs("python tool.py {title} -c 1") == [("python", "tool.py", "A crash", "-c", "1")]


_TITLES = st.text(alphabet=st.sampled_from("ab '\"\\$`;|&()<>*?~#!{}-\n\tü"), min_size=1, max_size=30)


@given(_TITLES)
@settings(max_examples=15, deadline=None)
def test_a_shell_gets_every_title_as_it_is(title: str) -> None:
    (one,) = invocations(
        command("printf -- '%s|%s' {title} {iid} && true", shell=True), [card(title=title)], None
    )
    assert output(one) == f"{' '.join(title.split())}|12"
    (other,) = invocations(
        command("printf -- '%s|%s' {title} {iid} && true", shell=True), [card(title="x")], None
    )
    assert one.arguments == other.arguments


def test_ids_come_from_names_and_are_unique() -> None:
    some = [command("x"), command("y"), CommandSettings(key="Y", name="Über *  all!", run="z")]
    assert list(with_ids(some)) == ["command.test", "command.test-2", "command.über-all"]
