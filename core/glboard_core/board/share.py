"""What everybody may see of an issue on a shared screen (planning rule 24).

Pure. Owns what a confidential issue is reduced to, and how configured words, labels and references disappear
from a text. Whether the screen is shared, and where texts go, is not known here: boards, sums and plans are
computed with the whole issue, and only what is shown or leaves the program passes through here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from fnmatch import translate

from msgspec import structs

from glboard_core.board.hidden_titles import HiddenTitles
from glboard_core.board.spelling import replaced, skeleton
from glboard_core.config import ShareSettings
from glboard_core.model.issue import Issue, IssueDetail, IssueId, short_reference

#: What is shown in place of a confidential issue's title.
CONFIDENTIAL = "confidential"
#: What is shown in place of comments.
WITHOUT_NOTES = "Comments are hidden on the shared screen."
#: What is shown in place of a masked word, however long that is.
MASKED_WORD = "▒▒▒"

#: Letters from which a word is masked inside longer ones: "Acme" in "AcmeCorp", but "ING" not in "being".
_INSIDE = 4
#: Letters that a pattern of labels needs to be searched for in texts.
_FEWEST = 2
#: Characters that a pattern of labels stands for at most at one place: GitLab has no longer titles.
_LONGEST = 255
#: What a label in a text goes on with. GitLab's have no comma, and the others end it in JSON and messages.
_IN_LABEL = '[^\\s,"“”]'
#: What may be between two words, also in JSON, in an address and in HTML.
_BETWEEN = r"(?:\\[nrt]|%20|&nbsp;|[\W_])"
#: How characters can be written where texts are escaped.
_ESCAPED = {'"': r'[\\"]*"', "&": r"\\*&(?:amp;)?", "<": r"\\*(?:<|&lt;)", ">": r"\\*(?:>|&gt;)"}
# Both patterns begin only where a run of their characters does, so that each run is read once: anybody
# can write a description of a million letters. No number of an issue has more digits.
#: A reference in a text, whole or with the project cut: ``group/project#12``, ``inference-s…#12``.
_REFERENCE = re.compile(r"(?P<path>(?:(?<![\w./-])[\w./-]++)?)(?P<cut>…?)#(?P<iid>[0-9]{1,18})(?![0-9])")
#: The same issue as an address.
_ADDRESS = re.compile(
    r"(?<![\w.:/-])[\w.:/-]+/(?P<path>[\w.-]++)/-/(?:issues|work_items)/(?P<iid>[0-9]{1,18})(?![0-9])"
)

Hides = Callable[[str, int], bool]
"""Whether a reference may not be shown: the last part of its project's path, perhaps cut; its number."""


class Masking:
    """The words and labels of ``[share]`` that are masked, ready to be searched for.

    ``titles`` are the labels known so far: those that a pattern fits are masked in every text. So are
    ``people``, by their usernames. Spelling does not matter (``board/spelling.py``).
    """

    def __init__(
        self, settings: ShareSettings, titles: Iterable[str] = (), people: Collection[str] = ()
    ) -> None:
        # A bracket is one, or the beginning of a set of characters.
        forms = [
            form for one in map(skeleton, settings.labels) for form in (_glob(one, ".*", "."), translate(one))
        ]
        self._labels = [re.compile(form, re.DOTALL) for form in forms]
        words = [skeleton(word).strip() for word in settings.words if skeleton(word).strip()]
        hidden = [skeleton(title) for title in titles if self.hides_label(title)]
        names = [skeleton(name) for name in people]
        literal = [(word, _word(word)) for word in words]
        literal += [(title, _words(title)) for title in hidden]
        literal += [(name, rf"(?<!\w){re.escape(name)}(?!\w)") for name in names]
        # The longest first: of "Acme" and "Acme Bank", the first would leave the second word.
        literal.sort(key=lambda one: len(one[0]), reverse=True)
        self._searches = [
            _search(one)
            for one in (literal, [(label, _pattern(label)) for label in map(skeleton, settings.labels)])
        ]

    def __bool__(self) -> bool:
        return any(self._searches)

    def hides_label(self, title: str) -> bool:
        """Whether a label fits one of the patterns."""
        bare = skeleton(title)
        return any(pattern.fullmatch(bare) for pattern in self._labels)

    def finds(self, text: str) -> bool:
        """Whether a text holds something that is masked."""
        bare = skeleton(text)
        return any(search is not None and search.search(bare) for search in self._searches)

    def text(self, text: str, instead: Callable[[str], str] = lambda _: MASKED_WORD) -> str:
        """The text without masked words; ``instead`` is called with each."""
        bare = skeleton(text)
        spans = [
            found.span(1)
            for search in self._searches
            if search is not None
            for found in search.finditer(bare)
        ]
        return replaced(text, _merged(spans), instead)

    def label(self, title: str) -> bool:
        """Whether a label is not shown at all: its name is masked, or holds a masked word."""
        return self.hides_label(title) or self.finds(title)


def _search(parts: Sequence[tuple[str, str]]) -> re.Pattern[str] | None:
    """A search for any of these; each has what it starts with, and its pattern.

    It looks ahead, so that one is found that begins within another: "Big Bank" and "Bank Holding".
    """
    parts = [one for one in parts if one[0].strip()]
    if not parts:
        return None
    # Most places of a text begin none, and need not be tried with every word.
    letters = {start[0] for start, _ in parts}
    first = "" if letters & {"*", "?"} else f"(?=[{''.join(map(re.escape, sorted(letters)))}])"
    return re.compile(f"{first}(?=({'|'.join(pattern for _, pattern in parts)}))")


def _merged(spans: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """The spans in their order, as one where they overlap."""
    start = end = -1
    for first, last in sorted(spans):
        if first >= end:
            if end > start:
                yield start, end
            start = first
        end = max(end, last)
    if end > start:
        yield start, end


def _word(word: str) -> str:
    """A word as a pattern: short ones only between other characters than letters.

    Letters without upper case are of languages that write no spaces, or join words with others.
    """
    letters = [letter for letter in word if letter.isalpha()]
    if len(letters) >= _INSIDE or any(letter.upper() == letter for letter in letters):
        return _words(word)
    return rf"(?<![^\W\d_])(?:{_words(word, joined=False)})(?![^\W\d_])"


def _words(text: str, *, joined: bool = True) -> str:
    """A text with anything between its words: line breaks, hyphens of a branch, Markdown, or nothing."""
    count = "{0,12}" if joined else "{1,12}"
    return f"{_BETWEEN}{count}".join("".join(map(_letter, part)) for part in text.split())


def _letter(letter: str) -> str:
    # Punctuation is escaped in Markdown and JSON, and quotes are doubled in CSV.
    return letter if letter.isalnum() else _ESCAPED.get(letter, r"\\*" + re.escape(letter))


def _glob(pattern: str, many: str, one: str) -> str:
    return "".join({"*": many, "?": one}.get(part, re.escape(part)) for part in re.split(r"(\*|\?)", pattern))


def _pattern(label: str) -> str:
    """A pattern of labels within a text: ``*`` ends at a space, a comma or a quote."""
    if sum(letter not in "*?" for letter in label) < _FEWEST:
        return r"(?!)"
    start = "" if (rest := label.lstrip("*")) == label else rf"(?<!{_IN_LABEL}){_IN_LABEL}*"
    first, *others = (_glob(part, "", _IN_LABEL) for part in rest.split("*"))
    # Each part is taken where it comes first, and never sought again: see above.
    found = [first, *(rf"(?>{_IN_LABEL}{{0,{_LONGEST}}}?{part})" for part in others)]
    if others and not others[-1]:
        found[-1] = rf"{_IN_LABEL}{{0,{_LONGEST}}}+"
    return start + "".join(found)


def without_references(text: str, hides: Hides, instead: Callable[[str], str]) -> str:
    """The text without the references and addresses of hidden issues; ``instead`` is called with each."""

    def shown(found: re.Match[str]) -> str:
        whole = found.group()
        if "#" not in whole:
            return instead(whole) if hides(found["path"], int(found["iid"])) else whole
        path = found["path"].rpartition("/")[2]
        return instead(whole) if hides(path, int(found["iid"])) else whole

    if "/-/" in text:
        text = _ADDRESS.sub(shown, text)
    return _REFERENCE.sub(shown, text) if "#" in text else text


def about_hidden(text: str, hides: Hides, tells: Callable[[str], bool], reference: Hides) -> str:
    """What a person typed, line by line: of one that tells of a hidden issue, only which issue it is about.

    ``tells`` finds one named in words; ``reference`` says whether its reference is hidden as well.
    """
    return "\n".join(_line_for_all(line, hides, tells, reference) for line in text.split("\n"))


def _line_for_all(line: str, hides: Hides, tells: Callable[[str], bool], reference: Hides) -> str:
    found = [
        (match.group(), path, int(match["iid"]))
        for pattern in (_REFERENCE, _ADDRESS)
        for match in pattern.finditer(line)
        if hides(path := match["path"].rpartition("/")[2], int(match["iid"]))
    ]
    if not found and not tells(line):
        return line
    names = " ".join(dict.fromkeys(whole for whole, path, iid in found if not reference(path, iid)))
    if line.lstrip().startswith("|"):
        # A row of a table stays one.
        empty = max(0, line.count("|") - line.count(r"\|") - 3)
        return f"| {names or CONFIDENTIAL} | ({CONFIDENTIAL}) |" + "  |" * empty
    start = line[: len(line) - len(line.lstrip())] + ("- " if line.lstrip().startswith(("- ", "* ")) else "")
    return f"{start}{names}: {CONFIDENTIAL}" if names else f"{start}{CONFIDENTIAL}"


def shown_to_all(issue: Issue, masking: Masking, columns: frozenset[str] = frozenset()) -> Issue:
    """What everybody may see of an issue.

    A confidential one keeps its place, milestone, weight and number, and of its labels those in ``columns``,
    by which a column has it. Of another one, masked words and labels are gone.
    """
    if issue.confidential:
        return structs.replace(
            issue,
            title=CONFIDENTIAL,
            labels=issue.labels & columns,
            assignees=(),
            blocked=False,
            due=None,
            health_status=None,
            updated_by=None,
            duplicate=False,
            moved_to=None,
            merge_requests=0,
            notes=0,
            web_url="",
        )
    if not masking:
        return issue
    title = masking.text(issue.title)
    labels = frozenset(label for label in issue.labels if not masking.label(label))
    if title == issue.title and labels == issue.labels:
        return issue
    return structs.replace(issue, title=title, labels=labels)


def detail_for_all(detail: IssueDetail, clean: Callable[[str], str]) -> IssueDetail:
    """The description as everybody may see it; ``clean`` masks a text.

    Comments are left out, since any of them can be internal; so is the source, which could not be masked.
    """
    return structs.replace(
        detail,
        description=clean(detail.description),
        source="",
        notes=(),
        older=False,
        without_notes=WITHOUT_NOTES if detail.notes else "",
        links=tuple(structs.replace(one, title=clean(one.title)) for one in detail.links),
    )


class Known:
    """Which issues are confidential, and which names are only known from those."""

    def __init__(self) -> None:
        #: By number, the confidential issues and the last part of each one's path, also those it had before.
        self._paths: dict[int, set[tuple[IssueId, str]]] = {}
        #: Labels and people of issues that everybody may see, and of confidential ones.
        self.open: set[str] = set()
        self.hidden: set[str] = set()
        self._people: set[str] = set()
        #: The confidential issues.
        self.ids: set[str] = set()
        self.titles = HiddenTitles()

    def add(self, issue: Issue) -> None:
        """Take an issue into account."""
        names = (*issue.labels, *issue.assignees)
        if not issue.confidential:
            if issue.id in self.ids:
                self.ids.discard(issue.id)
                self.titles.remove(issue.id)
                for paths in self._paths.values():
                    paths -= {one for one in paths if one[0] == issue.id}
            self.open.update(names)
            return
        self.ids.add(issue.id)
        self.hidden.update(names)
        self._people.update(issue.assignees)
        self.titles.add(issue.id, issue.title)
        path = short_reference(issue.reference).partition("#")[0]
        self._paths.setdefault(issue.iid, set()).add((issue.id, path))

    def hides_reference(self, path: str, iid: int) -> bool:
        """Whether a reference, its path perhaps cut or missing, is of a confidential issue."""
        return any(known.startswith(path) for _, known in self._paths.get(iid, ()))

    def people(self) -> set[str]:
        """The people who are only known from confidential issues."""
        return self._people - self.open

    def hides_name(self, name: str) -> bool:
        """Whether a label or a person is only known from confidential issues."""
        return name in self.hidden and name not in self.open


def told(before: Issue | None, after: Issue, deliverable: str, changes: Iterable[str]) -> str:
    """A change in one line, for those who watch: ``@birch accepts platform#11, weight 3``.

    ``changes`` are the differences in words.
    """
    reference = short_reference(after.reference)
    if before is not None and deliverable in after.labels - before.labels:
        weight = "" if after.weight is None else f", weight {after.weight}"
        names = ", ".join(f"@{name}" for name in after.assignees)
        accepted = f"{names} accept{'' if len(after.assignees) > 1 else 's'} {reference}"
        return f"{accepted}{weight}" if names else f"{reference} accepted{weight}"
    return f"{reference}: {', '.join(changes) or 'changed'}"
