"""Ticking a task changes one character of the description."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from glboard_core.board.tasks import same_task, tasks, toggled

TEXT = """Intro [x] no task

- [ ] first
* [x] second  with **bold**
  1. [X] nested
> - [~] not applicable

```
- [ ] in code
```

<!-- - [ ] hidden
- [ ] hidden too --> - [ ] after it
- [ ] last <!-- a note -->
-[ ] none
- [ ]none
"""


def test_what_gitlab_shows_as_a_task_is_one() -> None:
    found = tasks(TEXT)
    assert [(task.box, task.text) for task in found] == [
        (" ", "first"),
        ("x", "second  with **bold**"),
        ("X", "nested"),
        ("~", "not applicable"),
        (" ", "last <!-- a note -->"),
    ]
    assert [task.done for task in found] == [False, True, True, False, False]
    assert [task.applies for task in found] == [True, True, True, False, True]


def test_a_tick_changes_one_character() -> None:
    source = TEXT.replace("\n", "\r\n")
    for number, task in enumerate(tasks(source)):
        after = toggled(source, task)
        changed = [at for at, (old, new) in enumerate(zip(source, after, strict=True)) if old != new]
        assert changed == [task.at]
        assert tasks(after)[number].done is not task.done


@given(st.text(alphabet="-*[] xX~`<!>\n\r1.a", max_size=80))
def test_any_text_keeps_its_length_and_its_other_tasks(source: str) -> None:
    found = tasks(source)
    for number, task in enumerate(found):
        assert source[task.at] == task.box
        now = tasks(toggled(source, task))
        assert len(now) == len(found)
        assert [one for n, one in enumerate(now) if n != number] == [
            one for n, one in enumerate(found) if n != number
        ]


def test_a_task_is_found_again_in_a_text_that_others_changed() -> None:
    before = "- [ ] one\n- [ ] two\n"
    two = tasks(before)[1]
    moved = same_task("A new line.\n\n- [ ] zero\n" + before, two, 1)
    assert moved is not None
    assert moved.text == "two"
    assert same_task("- [ ] one\n", two, 1) is None
    # Of two with one text it is not known which, unless it is at its place.
    assert same_task("- [ ] two\n- [ ] x\n- [ ] two\n", two, 1) is None
