"""What everybody may see on a shared screen: issues, words, labels, references (planning rule 24)."""

from __future__ import annotations

import json
import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from glboard_core.board.share import (
    CONFIDENTIAL,
    MASKED_WORD,
    Known,
    Masking,
    about_hidden,
    detail_for_all,
    shown_to_all,
    told,
    without_references,
)
from glboard_core.config import ShareSettings, parse
from glboard_core.errors import ConfigError
from glboard_core.model.issue import Issue, IssueDetail, IssueId, Note
from support.make import WHEN
from support.make import issue as make_issue

NOTHING = Masking(ShareSettings())


def secret(**values: object) -> Issue:
    return structs.replace(
        make_issue(12, "type::bug", "customer::acme", "Deliverable"),
        **{
            "title": "Secret",
            "confidential": True,
            "assignees": ("eng_alder",),
            "updated_by": "eng_birch",
            "weight": 2,
            "merge_requests": 3,
            "notes": 4,
            "web_url": "https://gitlab.example.com/secret",
            **values,
        },
    )


def test_a_confidential_issue_keeps_place_weight_and_number() -> None:
    issue = secret()
    shown = shown_to_all(issue, NOTHING, frozenset({"type::bug"}))
    assert shown.title == CONFIDENTIAL
    assert shown.labels == {"type::bug"}
    assert (shown.assignees, shown.updated_by, shown.merge_requests, shown.notes) == ((), None, 0, 0)
    assert shown.web_url == ""
    assert (shown.id, shown.reference, shown.weight) == (issue.id, issue.reference, 2)
    assert (shown.milestone, shown.position, shown.state) == (issue.milestone, issue.position, issue.state)


@pytest.mark.parametrize("field", Issue.__struct_fields__)
def test_every_field_of_an_issue_is_kept_or_hidden_on_purpose(field: str) -> None:
    kept = {
        *("id", "project", "iid", "state", "milestone", "weight", "confidential", "position", "status"),
        *("created_at", "updated_at", "closed_at", "moved", "promoted"),
    }
    gone = {
        *(
            "title",
            "labels",
            "assignees",
            "blocked",
            "due",
            "health_status",
            "updated_by",
            "duplicate",
            "moved_to",
        ),
        *("merge_requests", "notes", "web_url"),
    }
    assert (field in kept) != (field in gone), f"Is {field} of a confidential issue shown to everybody?"


def test_another_issue_is_the_same_without_masked_words() -> None:
    issue = secret(confidential=False)
    assert shown_to_all(issue, NOTHING) is issue
    masking = Masking(ShareSettings(words=("secret",), labels=("customer::*",)))
    shown = shown_to_all(issue, masking)
    assert shown.title == MASKED_WORD
    assert shown.labels == issue.labels - {"customer::acme"}
    assert shown.assignees == ("eng_alder",)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Acme waits", "▒▒▒ waits"),
        ("ACME's, and AcmeCorp", "▒▒▒'s, and ▒▒▒Corp"),
        ("being ING", "being ▒▒▒"),
        ("Big\n Bank", "▒▒▒"),
        ("A\u200bc\u00adme", "▒▒▒"),
        (unicodedata.normalize("NFD", "Müller"), "▒▒▒"),
        ("+customer::new, ~customer::big bank", "+▒▒▒, ~▒▒▒"),
        ("nothing", "nothing"),
        # Branches, paths, addresses, Markdown, JSON, HTML, and letters that only look different.
        ("3-fix-for-big-bank-total", "3-fix-for-▒▒▒-total"),
        ("big_bank/api, https://bigbank.example/Big%20Bank", "▒▒▒/api, https://▒▒▒.example/▒▒▒"),
        ("**Big** *Bank*, Big&nbsp;Bank", "**▒▒▒*, ▒▒▒"),
        (r'"Big\nBank"', '"▒▒▒"'),
        ("Ａｃｍｅ", "▒▒▒"),
        ("STRASSE, Straße, Muller™ INGs", "▒▒▒, ▒▒▒, ▒▒▒™ INGs"),
        ("ING™", "▒▒▒™"),
        ("東京の会社", "▒▒▒の会社"),
        ("Big Bank Holding", "▒▒▒"),
        ("Big Bank Holdings", "▒▒▒s"),
        ('C++ and Smith \\"Sons\\" and A &amp; O', "▒▒▒ and ▒▒▒ and ▒▒▒"),
        (r"R\&D, R&amp;D", "▒▒▒, ▒▒▒"),
    ],
)
def test_words_are_masked_however_they_are_written(text: str, shown: str) -> None:
    words = (
        *("Acme", "ING", "Big Bank", "Müller", "Bank Holding", "straße", "東京"),
        *("C++", 'Smith "Sons"', "A & O", "R&D"),
    )
    settings = ShareSettings(words=words, labels=("customer::*",))
    masking = Masking(settings, ["customer::big bank", "type::bug"])
    assert masking.text(text) == shown
    assert masking.finds(text) == (text != shown)


def test_labels_fit_a_pattern_however_they_are_written() -> None:
    masking = Masking(ShareSettings(labels=("Müller*", "[vip]*", "*-acme-?")))
    for title in (unicodedata.normalize("NFD", "Müllerei"), "MÜLLER", "[VIP] one", "x-Acme-1"):
        assert masking.hides_label(title), title
    assert not masking.hides_label("x-acme-12")
    assert masking.text("~x-acme-1 [vip]-two") == "▒▒▒ ▒▒▒"


def test_a_label_is_masked_with_the_rest_of_its_name() -> None:
    masking = Masking(ShareSettings(words=("Acme",), labels=("acme::*",)), ["acme::north and south"])
    assert masking.text("+acme::north and south.") == "+▒▒▒."


@pytest.mark.parametrize(
    "text",
    ["x" * 50_000, "-acme" * 10_000, "a/" * 25_000, "Big" + " " * 50_000, "Big Bänk " * 6_000],
)
def test_no_text_takes_long(text: str) -> None:
    started = time.perf_counter()
    masking = Masking(ShareSettings(words=("Big Bank",), labels=("*-acme-*", "a?b*c*d")))
    masking.text(text)
    without_references(f"{text} #1 /-/", lambda *_: False, str)
    about_hidden(f"{text} #1", lambda *_: False, lambda _: False, lambda *_: False)
    # Half a minute or more if each letter looks at all that follow, or each word at all before it.
    assert time.perf_counter() - started < 5


def test_a_letter_that_is_two_is_masked_once() -> None:
    masking = Masking(ShareSettings(words=("stras", "skel")))
    assert masking.text("Straßkel, ß") == "▒▒▒▒▒▒, ß"


@pytest.mark.parametrize("labels", [("",), ("\u200b",), ("*",)])
def test_what_is_empty_masks_no_text(labels: tuple[str, ...]) -> None:
    assert Masking(ShareSettings(labels=labels), ["\u200b"]).text("A text") == "A text"


def test_a_pattern_without_letters_masks_labels_but_no_texts() -> None:
    masking = Masking(ShareSettings(labels=("**",)))
    assert masking.label("anything")
    assert masking.text("A text") == "A text"


def test_a_masked_label_leaves_json_whole() -> None:
    masking = Masking(ShareSettings(labels=("customer::*", "*-vip")))
    masked = masking.text(
        json.dumps({"what": "+customer::new", "why": "No label named “a-vip”."}, ensure_ascii=False)
    )
    assert json.loads(masked) == {"what": "+▒▒▒", "why": "No label named “▒▒▒”."}


@given(st.text(), st.text(alphabet="abcABCäöü ", min_size=4, max_size=9), st.text())
def test_no_masked_word_is_left_in_any_text(before: str, word: str, after: str) -> None:
    if sum(map(str.isalpha, word)) < 4:
        return
    masking = Masking(ShareSettings(words=(word,)))
    assert word.strip().casefold() not in masking.text(f"{before} {word} {after}").casefold().replace("▒", "")


def test_references_and_addresses_of_confidential_issues_can_be_hidden() -> None:
    known = Known()
    known.add(secret())
    known.add(secret(id=IssueId("gid://gitlab/Issue/13"), iid=13, confidential=False))
    project = secret().project
    name = project.rpartition("/")[2]
    text = (
        f"{project}#12, {name}#12, {name[:3]}…#12, #12#12, https://x.example/{project}/-/issues/12; {name}#13"
    )
    shown = without_references(text, known.hides_reference, lambda _: "?")
    assert shown == f"?, ?, ?, ??, ?; {name}#13"


def test_an_issue_that_is_public_again_may_be_named() -> None:
    known = Known()
    known.add(secret(title="Leak of tokens"))
    known.add(secret(id=IssueId("gid://gitlab/Issue/13"), iid=13))
    name = secret().project.rpartition("/")[2]
    assert known.hides_reference(name, 12)
    known.add(secret(title="Leak of tokens", confidential=False))
    assert not known.hides_reference(name, 12)
    assert not known.titles.tells("Leak of tokens")
    assert known.hides_reference(name, 13)


def test_names_that_only_confidential_issues_have_are_hidden() -> None:
    known = Known()
    known.add(secret(labels=frozenset({"only", "both"}), assignees=("eng_alder",)))
    known.add(make_issue(13, "both"))
    assert known.hides_name("only")
    assert known.hides_name("eng_alder")
    assert not known.hides_name("both")
    assert not known.hides_name("never seen")


def test_comments_and_source_are_not_shown() -> None:
    note = Note(id="1", author="eng_alder", body="Internal", created_at=WHEN)
    detail = IssueDetail(id=IssueId("x"), description="Acme", source="Acme", notes=(note,))
    shown = detail_for_all(detail, Masking(ShareSettings(words=("Acme",))).text)
    assert (shown.description, shown.source, shown.notes) == (MASKED_WORD, "", ())
    assert shown.without_notes


def test_a_change_is_told_in_one_line() -> None:
    before = make_issue(11, "type::bug")
    after = structs.replace(before, labels=before.labels | {"Deliverable"}, assignees=("birch",), weight=3)
    name = after.reference.rpartition("/")[2]
    assert told(before, after, "Deliverable", ()) == f"@birch accepts {name}, weight 3"
    assert (
        told(before, structs.replace(after, assignees=()), "Deliverable", ()) == f"{name} accepted, weight 3"
    )
    assert told(after, after, "Deliverable", ["weight 1 to 3"]) == f"{name}: weight 1 to 3"


def test_settings() -> None:
    found = parse('[share]\nalways = true\npeople = "words"\nwords = ["Acme"]\nlabels = ["customer::*"]', "x")
    assert found.share == ShareSettings(always=True, people="words", words=("Acme",), labels=("customer::*",))
    with pytest.raises(ConfigError, match="share"):
        parse('[share]\nwords = ["x"]', "x")
    with pytest.raises(ConfigError, match="people"):
        parse('[share]\npeople = "all"', "x")
