"""What code, tests and documents cite is in the repository: documents, planning rules, API notes."""

from __future__ import annotations

import ast
import io
import re
import tokenize
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.documents import pages

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"

#: A name of a document in the words of a comment, a docstring or a page; ``.md`` alone is none.
_DOCUMENT = re.compile(r"(?<![\w{*<-])(?:[\w.-]+/)*[A-Za-z][\w-]*\.md\b")
#: A document of capital letters that is cited without its ending: ``DESIGN section 5``.
_SHORT = re.compile(r"\b([A-Z]{4,}\d?)(?:'s)? (?:sections?|rules?) \d")
_NUMBERS = r" (\d+(?:(?:, | and | to )\d+)*)\b"
_RULE = re.compile(r"\b(?:planning )?[Rr]ules?" + _NUMBERS)
_NOTE = re.compile(r"\bAPI notes?" + _NUMBERS)
#: What a file without any citation has none of: to take all files apart costs ten seconds.
_CITES = re.compile(
    r"\.md\b|\b[A-Z]{4,}\d?(?:'s)?[\s#]+(?:sections?|rules?)\b|[Rr]ules?[\s#]+\d|API[\s#]+notes?"
)

#: Files that people write or glboard makes, not documents of the repository.
_OF_PEOPLE = {"planning.md"}


def _words(path: Path) -> Iterator[str]:
    """Each comment and docstring of a Python file, as one line of words; a page without its code blocks."""
    text = path.read_text("utf-8")
    if path.suffix == ".md":
        yield " ".join(re.sub(r"```.*?```", "", text, flags=re.DOTALL).split())
        return
    if not _CITES.search(text):
        return
    for node in ast.walk(ast.parse(text)):
        if (
            isinstance(node, ast.Expr)
            and isinstance(node.value, ast.Constant)
            and isinstance(node.value.value, str)
        ):
            yield " ".join(node.value.value.split())
    block: list[str] = []
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            block.append(token.string.lstrip("#: "))
        elif token.type not in (tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT):
            if block:
                yield " ".join(block)
            block = []


def _sources() -> list[Path]:
    code = [path for top in ("core", "tui", "styles", "tests", "docs") for path in (ROOT / top).rglob("*.py")]
    pages = [*ROOT.glob("*.md"), *DOCS.rglob("*.md")]
    return sorted(path for path in (*code, *pages) if path != Path(__file__))


@pytest.fixture(scope="module", name="words")
def all_words() -> list[tuple[str, str]]:
    """Where something is written, and what."""
    return [(str(path.relative_to(ROOT)), words) for path in _sources() for words in _words(path)]


def _is_there(name: str, where: str) -> bool:
    beside = (ROOT / where).parent
    return any((folder / name).is_file() for folder in (ROOT, DOCS, beside))


def _numbers(cited: str) -> set[int]:
    first, to, last = cited.partition(" to ")
    if to:
        return set(range(int(first), int(last) + 1))
    return {int(number) for number in re.findall(r"\d+", cited)}


def _missing(
    words: list[tuple[str, str]], pattern: re.Pattern[str], known: set[int]
) -> tuple[list[str], int]:
    """Each citation of a number that does not exist, and how many citations there are outside of docs."""
    wrong, found = [], 0
    for where, text in words:
        for match in pattern.finditer(text):
            found += not where.startswith("docs/")
            if not _numbers(match[1]) <= known:
                wrong.append(f"{where}: {match[0]}")
    return wrong, found


def _sections(page: str, word: str) -> list[int]:
    text = (DOCS / page).read_text("utf-8")
    return [int(number) for number in re.findall(rf"^## {word} (\d+): \S", text, re.MULTILINE)]


def test_every_document_that_is_cited_is_in_the_repository(words: list[tuple[str, str]]) -> None:
    cited = [(where, match[0]) for where, text in words for match in _DOCUMENT.finditer(text)]
    cited += [(where, f"{match[1]}.md") for where, text in words for match in _SHORT.finditer(text)]
    cited = [(where, name) for where, name in cited if name not in _OF_PEOPLE]
    assert {"docs/milestone.md", "docs/planning-rules.md"} <= {name for _, name in cited}
    assert [f"{where}: {name}" for where, name in cited if not _is_there(name, where)] == []


def test_every_planning_rule_that_is_cited_exists(words: list[tuple[str, str]]) -> None:
    rules = _sections("planning-rules.md", "Rule")
    assert rules == list(range(1, len(rules) + 1))
    wrong, found = _missing(words, _RULE, set(rules))
    assert wrong == []
    assert found > 50


def test_every_api_note_that_is_cited_exists(words: list[tuple[str, str]]) -> None:
    notes = _sections("gitlab-api.md", "API note")
    assert notes == list(range(1, len(notes) + 1))
    wrong, found = _missing(words, _NOTE, set(notes))
    assert wrong == []
    assert found > 5


@pytest.mark.parametrize(
    ("text", "pattern", "expected"),
    [
        ("as DOMAIN.md says", _DOCUMENT, ["DOMAIN.md"]),
        ("see [the milestone](docs/milestone.md).", _DOCUMENT, ["docs/milestone.md"]),
        ("a file that ends in .md", _DOCUMENT, []),
        ("(DESIGN section 5)", _SHORT, ["DESIGN section 5"]),
        ("(planning rules 3, 5 and 99)", _RULE, ["planning rules 3, 5 and 99"]),
        ("(rule 4)", _RULE, ["rule 4"]),
        ("(API notes 1 and 4)", _NOTE, ["API notes 1 and 4"]),
    ],
)
def test_a_citation_is_seen(text: str, pattern: re.Pattern[str], expected: list[str]) -> None:
    assert [match[0] for match in pattern.finditer(text)] == expected
    known = [("core/x.py", text)]
    if "99" in text:
        assert _missing(known, pattern, {3, 5}) == (["core/x.py: planning rules 3, 5 and 99"], 1)


def test_each_dependency_is_listed_with_its_reason() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    needed = [*project["dependencies"], *project["optional-dependencies"]["keyring"]]
    names = {re.split(r"[\[<>=]", one)[0] for one in needed}
    rows = re.findall(
        r"^\| `([\w-]+)`(?: \(optional\))? \| .{8,} \|$", (ROOT / "SECURITY.md").read_text(), re.M
    )
    assert sorted(rows) == sorted(names)


def anchors(text: str) -> set[str]:
    """The anchors that GitLab gives to the headings of a page."""
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", one.lower()).replace(" ", "-") for one in headings}


@pytest.mark.parametrize("name", sorted(pages()))
def test_links_lead_somewhere(name: str) -> None:
    words = re.sub(r"```.*?```", "", pages()[name], flags=re.DOTALL)
    targets = re.findall(r"(?<!!)\[[^\]]+\]\(([^)\s]+)\)", words)
    assert [one for one in targets if not re.match(r"https?:", one) and not _leads(name, one)] == []


def _leads(name: str, target: str) -> bool:
    path, _, anchor = target.partition("#")
    file = ((ROOT / name).parent / path).resolve() if path else ROOT / name
    return file.exists() and (not anchor or anchor in anchors(file.read_text("utf-8")))
