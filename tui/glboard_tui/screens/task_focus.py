"""The task in an open issue's description that has the focus, if one has."""

from __future__ import annotations

from glboard_core.board.tasks import Task, tasks
from glboard_core.model.issue import IssueDetail, IssueId
from glboard_tui.widgets.issue_pane import DetailPane


class TaskFocus:
    """Moves the focus from task to task. What was read of another issue has no tasks here."""

    def __init__(self, pane: DetailPane) -> None:
        self._pane = pane
        self._detail: IssueDetail | None = None
        self._tasks: tuple[Task, ...] = ()
        self._at: int | None = None

    def forget(self) -> None:
        """No description is shown."""
        self._detail, self._tasks, self._at = None, (), None

    def of(self, issue: IssueId | None) -> tuple[Task, ...]:
        """The tasks of an issue, if it is the one that was read."""
        return self._tasks if self._detail is not None and self._detail.id == issue else ()

    @property
    def focused(self) -> tuple[int, Task] | None:
        """The number of the task that has the focus, and the task."""
        there = self.of(self._pane.issue)
        return (self._at, there[self._at]) if self._at is not None and self._at < len(there) else None

    async def show(self, detail: IssueDetail) -> None:
        """Show what was read; the focus stays where it was."""
        if self._detail is None or self._detail.id != detail.id:
            self._at = None
        self._detail, self._tasks = detail, tasks(detail.description)
        if self._at is not None and self._at >= len(self._tasks):
            self._at = None
        await self._pane.show_detail(detail, self._at)

    async def move(self, step: int) -> None:
        """Focus the next task, or the previous one; from the end the first one again."""
        if self._detail is None or not (there := self.of(self._pane.issue)):
            return
        self._at = (0 if step > 0 else len(there) - 1) if self._at is None else (self._at + step) % len(there)
        await self._pane.show_detail(self._detail, self._at)
        self._pane.call_after_refresh(self._pane.reveal_task)

    async def leave(self) -> None:
        """No task has the focus any longer."""
        self._at = None
        if self._detail is not None:
            await self._pane.show_detail(self._detail)
