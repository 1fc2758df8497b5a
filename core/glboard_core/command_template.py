"""Commands of one's own on keys (``[[commands]]``): what the configuration may say, and what would be run.

Pure. Owns the placeholders and that no value of an issue ever becomes a part of a program: the command line
is split first and filled then, and a shell gets the values as variables. What cannot be filled safely is
refused when the configuration is read.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Literal

from msgspec import Struct

from glboard_core.errors import GlboardError

#: Of one issue; of all issues that are selected; of the board.
OF_ISSUE = ("reference", "iid", "project", "title", "url", "milestone")
OF_ALL = ("references", "iids", "urls")
OF_BOARD = ("milestone",)
#: Placeholders whose values are text that anyone can write.
_TEXTS = ("title", "milestone")
_WITH_C = r"-[a-z]{0,3}c"
#: Programs that run the text after an option, and that option.
_INTERPRETERS = {
    **dict.fromkeys(("sh", "bash", "dash", "ash", "ksh", "zsh", "fish", "su", "flock", "script"), _WITH_C),
    **dict.fromkeys(("python", "pypy"), _WITH_C),
    **dict.fromkeys(("pwsh", "powershell"), r"-c(ommand)?"),
    **dict.fromkeys(("cmd", "cmd.exe"), r"/[ck]"),
    **dict.fromkeys(("perl", "ruby", "lua", "osascript"), r"-[a-z]{0,3}e"),
    **dict.fromkeys(("node", "deno", "bun"), r"-[ep]|--(eval|print)|eval"),
    **dict.fromkeys(("emacs", "emacsclient"), r"-e|--?eval"),
    "php": r"-r",
    "env": r"-[a-z]{0,3}s|--split-string",
}
#: Programs that run any of their words, by a shell or as commands of their own; programs that run another.
_RUNNERS = ("ssh", "tmux", "screen", "watch", "parallel", "eval", "sed", "vi", "vim", "nvim")
_STARTERS = ("env", "sudo", "doas", "nice", "nohup", "time", "timeout", "xargs", "setsid", "command", "exec")
#: What ends a program and its arguments in a line of a shell, or begins another within it.
_SEPARATOR = re.compile(r"[;&|(`]")
_QUOTED = re.compile(r"""'[^']*'|"(?:\\.|[^"\\])*\"""")
_PLACE = re.compile(r"\{\{|\}\}|\{([a-z][a-z_-]*)\}")
#: Variables of a shell are called so.
_VARIABLE = "GLBOARD_"
_BRACES = "For literal braces, write {{ and }}."


class CommandSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A command of one's own. ``key`` runs ``run``, ``on`` each card that is selected or on the board.

    ``run`` can have ``{reference}``, ``{iid}``, ``{project}``, ``{title}``, ``{url}`` and ``{milestone}``;
    with ``{references}``, ``{iids}`` or ``{urls}`` it runs once for all selected cards. ``shell``: it is a
    line for ``sh``. ``confirm`` asks first; ``then = "refresh"`` reads the issues again.
    """

    key: str
    name: str
    run: str
    on: Literal["card", "board"] = "card"
    shell: bool = False
    confirm: bool = False
    then: Literal["", "refresh"] = ""

    @property
    def for_all(self) -> bool:
        """Whether it runs once for all selected cards, rather than for each."""
        return any(name in OF_ALL for name in _names(self.run))

    @property
    def program(self) -> str:
        """The name of the program, as far as it can be told."""
        words = self.run.split()
        return words[0].rpartition("/")[2] if words else ""


class Invocation(Struct, frozen=True, kw_only=True):
    """One run: the program and its arguments, the variables it gets besides, and how it is shown."""

    arguments: tuple[str, ...]
    variables: Mapping[str, str] = {}
    shown: str = ""
    about: str = ""


class TemplateProblem(Struct, frozen=True):
    """What is wrong with one key of a command."""

    key: str
    message: str
    hint: str = ""


def problems(command: CommandSettings) -> Iterator[TemplateProblem]:
    """Why the command cannot be used; nothing if it can."""
    for key in ("name", "key", "run"):
        if not getattr(command, key).strip():
            yield TemplateProblem(key, "it is empty.")
            return
    try:
        words = shlex.split(command.run)
    except ValueError as error:
        yield TemplateProblem("run", f"not a command line: {str(error).lower()}.", "Close every quote.")
        return
    known = OF_BOARD if command.on == "board" else (*OF_ISSUE, *OF_ALL)
    for name in dict.fromkeys(_names(command.run)):
        if name in known:
            continue
        near = get_close_matches(name, known, 1, 0.6)
        if name in (*OF_ISSUE, *OF_ALL):
            hint = 'Remove on = "board" to run it on an issue.'
            yield TemplateProblem("run", f"{{{name}}} needs an issue, but the command runs on a board.", hint)
        else:
            hint = f"Did you mean {{{near[0]}}}? {_BRACES}" if near else f"Known: {_listed(known)}. {_BRACES}"
            yield TemplateProblem("run", f"unknown placeholder {{{name}}}.", hint)
        return
    if _names(words[0]):
        yield TemplateProblem("run", "the program itself cannot be a placeholder.")
    elif command.shell:
        yield from _in_quotes(command.run)
    else:
        yield from _in_script(words)


def _in_quotes(script: str) -> Iterator[TemplateProblem]:
    """A shell that gets a value in quotes of its own could take it apart again."""
    quote, escaped = "", False
    for at, letter in enumerate(script):
        if escaped:
            escaped = False
        elif letter == "\\" and quote != "'":
            escaped = True
        elif letter == quote:
            quote = ""
        elif not quote and letter in "'\"`":
            quote = letter
        elif quote and (match := _PLACE.match(script, at)) and match[1]:
            message = f"{{{match[1]}}} is in quotes."
            yield TemplateProblem("run", message, f"Write {{{match[1]}}} without quotes: it is one word.")
            return


def _in_script(words: Sequence[str]) -> Iterator[TemplateProblem]:
    """A placeholder in the text that another program is given to run would be run as a part of it."""
    option = ""
    for before, word in zip(("", *words), words, strict=False):
        names, lower = _names(word), word.lower()
        if names and option and (re.fullmatch(option, before.lower()) or re.match(f"(?:{option}).", lower)):
            hint = "Set shell = true and put only the script in run."
            yield TemplateProblem("run", f"{{{names[0]}}} would run as part of the script.", hint)
            return
        option = _INTERPRETERS.get(_program(word), option)
    programs = [*map(_program, words)] if _program(words[0]) in _STARTERS else [_program(words[0])]
    runner = next((name for name in programs if name in _RUNNERS), "")
    text = next((name for word in words for name in _names(word) if name in _TEXTS), "")
    if runner and text:
        hint = "Use {reference}, {iid} or {url}: they contain no text that others write."
        yield TemplateProblem("run", f"{runner} could run {{{text}}} as a command.", hint)


def _program(word: str) -> str:
    """The name of the program that a word could be, without its version: ``python3.12`` is ``python``."""
    return re.sub(r"[\d.]+$", "", word.rpartition("/")[2].lower()) or word


def filled(command: CommandSettings, values: Mapping[str, tuple[str, ...]], about: str = "") -> Invocation:
    """The command with the values of its placeholders.

    Raises GlboardError if a value could be taken for an option; ValueError for one with ``problems``.
    """
    if (name := _as_option(command, values)) is not None:
        of = f" of {about}" if about and name == "title" else ""
        raise GlboardError(
            f"Not run: the {name}{of} starts with “-”, so the program could take it for an option.",
            hint=f"In run, write -- before {{{name}}}, or join it to its option: --option={{{name}}}.",
            title="Command",
        )
    if not command.shell:
        words = [word for part in shlex.split(command.run) for word in _word(part, values)]
        return Invocation(arguments=tuple(words), shown=shlex.join(words), about=about)
    variables = {f"{_VARIABLE}{name.upper()}": " ".join(some) for name, some in values.items()}
    # The values themselves are never a part of what the shell reads.
    script = _replaced(command.run, _variable)
    shown = _replaced(command.run, lambda name: shlex.join(values[name]))
    return Invocation(arguments=("/bin/sh", "-c", script), variables=variables, shown=shown, about=about)


def _as_option(command: CommandSettings, values: Mapping[str, tuple[str, ...]]) -> str | None:
    """The placeholder of a text that the program could take for an option; None if there is none."""
    if command.shell:
        # No placeholder is in quotes, and each line is a command.
        words = _QUOTED.sub("q", command.run).replace("\n", " ; ").split()
    else:
        words = shlex.split(command.run)
    ends_options = False
    for word in words:
        match = None if ends_options else _PLACE.match(word)
        if match is not None and match[1] in _TEXTS and ",".join(values[match[1]]).startswith("-"):
            return match[1]
        # In a shell, only those of this program: after a separator comes the next one.
        ends_options = (ends_options or word == "--") and not (command.shell and _SEPARATOR.search(word))
    return None


def _word(part: str, values: Mapping[str, tuple[str, ...]]) -> Sequence[str]:
    """The words that one word of the template becomes: several only if it is ``{references}`` alone."""
    match = _PLACE.fullmatch(part)
    if match is not None and match[1] in OF_ALL:
        return values[match[1]]
    return (_replaced(part, lambda name: ",".join(values[name])),)


def _variable(name: str) -> str:
    variable = f"${{{_VARIABLE}{name.upper()}}}"
    # References, numbers and addresses have no blanks: each becomes a word of its own.
    return variable if name in OF_ALL else f'"{variable}"'


def _replaced(text: str, value: Callable[[str], str]) -> str:
    def one(match: re.Match[str]) -> str:
        return match[0][0] if match[1] is None else value(match[1])

    return _PLACE.sub(one, text)


def _names(text: str) -> list[str]:
    return [match[1] for match in _PLACE.finditer(text) if match[1]]


def _listed(names: Sequence[str]) -> str:
    return ", ".join(f"{{{name}}}" for name in names)


def with_ids(commands: Sequence[CommandSettings]) -> dict[str, CommandSettings]:
    """The commands by the ids of their actions: made of their names, each once."""
    found: dict[str, CommandSettings] = {}
    for command in commands:
        base = "-".join(re.findall(r"\w+", command.name.lower())) or "command"
        identity, number = f"command.{base}", 2
        while identity in found:
            identity, number = f"command.{base}-{number}", number + 1
        found[identity] = command
    return found
