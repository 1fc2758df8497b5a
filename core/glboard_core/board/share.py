"""What everybody may see of an issue on a shared screen (planning rule 24).

Pure. Owns what a confidential issue is reduced to, and how configured words, labels and references disappear
from a text. Whether the screen is shared, and where texts go, is not known here: boards, sums and plans are
computed with the whole issue, and only what is shown or leaves the program passes through here.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Collection, Iterable
from fnmatch import translate

from msgspec import structs

from glboard_core.board.hidden_titles import HiddenTitles
from glboard_core.config import ShareSettings
from glboard_core.model.issue import Issue, IssueDetail, short_reference

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
#: Characters without a width, which could be hidden between two letters.
_INVISIBLE = (
    "[\u00ad\u034f\u061c\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f"
    "\ufe00-\ufe0f\ufeff\ufff9-\ufffb]*"
)
#: Characters that a pattern of labels stands for at most at one place: no title is longer.
_LONGEST = 255
# Both patterns begin only where a run of their characters does, so that each run is read once: anybody can
# write a description of a million letters. No number of an issue has more digits.
#: A reference in a text, whole or with the project cut: ``group/project#12``, ``inference-s…#12``.
_REFERENCE = re.compile(r"(?<![\w./-])(?P<path>[\w./-]*+)(?P<cut>…?)#(?P<iid>[0-9]{1,18})(?![0-9])")
#: The same issue as an address.
_ADDRESS = re.compile(
    r"(?<![\w.:/-])[\w.:/-]+/(?P<path>[\w.-]++)/-/(?:issues|work_items)/(?P<iid>[0-9]{1,18})(?![0-9])"
)

Hides = Callable[[str, int], bool]
"""Whether a reference may not be shown: the last part of its project's path, perhaps cut; its number."""


class Masking:
    """The words and labels of ``[share]`` that are masked, ready to be searched for.

    ``titles`` are the labels known so far: those that a pattern fits are masked in every text. So are
    ``people``, by their usernames.
    """

    def __init__(
        self, settings: ShareSettings, titles: Iterable[str] = (), people: Collection[str] = ()
    ) -> None:
        self._labels = [re.compile(translate(folded), re.IGNORECASE) for folded in settings.labels]
        hidden = sorted(filter(self.hides_label, titles), key=len, reverse=True)
        parts = [_word(word) for word in sorted(settings.words, key=len, reverse=True) if word.strip()]
        parts += [_literal(title) for title in hidden]
        parts += [_pattern(one) for one in settings.labels]
        parts += [rf"(?<!\w){re.escape(name)}(?!\w)" for name in sorted(people, key=len, reverse=True)]
        starts = [*(word.strip() for word in settings.words), *hidden, *settings.labels, *people]
        self._words = re.compile(_first_of(starts) + f"(?:{'|'.join(parts)})", re.I) if parts else None

    def __bool__(self) -> bool:
        return self._words is not None

    def hides_label(self, title: str) -> bool:
        """Whether a label fits one of the patterns."""
        return any(pattern.match(title) for pattern in self._labels)

    def finds(self, text: str) -> bool:
        """Whether a text holds something that is masked."""
        return self._words is not None and self._words.search(text) is not None

    def text(self, text: str, instead: Callable[[str], str] = lambda _: MASKED_WORD) -> str:
        """The text without masked words; ``instead`` is called with each."""
        if self._words is None:
            return text
        return self._words.sub(lambda found: instead(found.group()), text)

    def label(self, title: str) -> bool:
        """Whether a label is not shown at all: its name is masked, or holds a masked word."""
        return self.hides_label(title) or self.finds(title)


def _first_of(starts: Iterable[str]) -> str:
    """A look at the first letter: most places of a text are none, and need not be tried with every word."""
    letters = {unicodedata.normalize("NFD", start)[0] for start in starts if start}
    letters |= {unicodedata.normalize("NFC", start)[0] for start in starts if start}
    return "" if letters & {"*", "?"} else f"(?=[{''.join(map(re.escape, sorted(letters)))}])"


def _word(word: str) -> str:
    """A word as a pattern: short ones only between other characters than letters."""
    words = _literal(word.strip())
    letters = sum(map(str.isalpha, word))
    return words if letters >= _INSIDE else rf"(?<![^\W\d_])(?:{words})(?![^\W\d_])"


def _literal(text: str) -> str:
    """A text however its letters are composed and its spaces are broken, with nothing invisible between."""
    forms = dict.fromkeys(unicodedata.normalize(form, text) for form in ("NFC", "NFD"))
    return "|".join(_INVISIBLE.join(map(_letter, " ".join(form.split()))) for form in forms)


def _letter(letter: str) -> str:
    return r"\s+" if letter == " " else re.escape(letter)


def _pattern(labels: str) -> str:
    """A pattern of labels within a text: ``*`` has no space, and a title's length; ``**`` is no pattern."""
    if len(labels) - labels.count("*") - labels.count("?") < _FEWEST:
        return r"(?!)"
    parts = labels.split("*")
    first, *others = ("".join(r"\S" if one == "?" else re.escape(one) for one in part) for part in parts)
    # Each part is taken where it comes first, and never sought again: see above.
    found = [first, *(rf"(?>\S{{0,{_LONGEST}}}?{part})" for part in others)]
    if others and not others[-1]:
        found[-1] = r"\S*+"
    return "".join(found)


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
    """Which issues are confidential, and which names are only known from those. It only grows."""

    def __init__(self) -> None:
        self._paths: dict[int, set[str]] = {}
        #: Labels and people of issues that everybody may see, and of confidential ones.
        self.open: set[str] = set()
        self.hidden: set[str] = set()
        self._people: set[str] = set()
        #: The confidential issues.
        self.ids: set[str] = set()
        self.titles = HiddenTitles()

    def add(self, issue: Issue) -> None:
        """Take an issue into account. One that was confidential once stays hidden by its reference."""
        names = (*issue.labels, *issue.assignees)
        if not issue.confidential:
            if issue.id in self.ids:
                self.ids.discard(issue.id)
                self.titles.remove(issue.id)
            self.open.update(names)
            return
        self.ids.add(issue.id)
        self.hidden.update(names)
        self._people.update(issue.assignees)
        self.titles.add(issue.id, issue.title)
        self._paths.setdefault(issue.iid, set()).add(short_reference(issue.reference).partition("#")[0])

    def hides_reference(self, path: str, iid: int) -> bool:
        """Whether a reference, its path perhaps cut or missing, is of a confidential issue."""
        return any(known.startswith(path) for known in self._paths.get(iid, ()))

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
