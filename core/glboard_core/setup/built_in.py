"""The built-in boards as a group needs them: each must show its issues.

A board whose milestones, types or label the group lacks would stay empty, and no one would know why: it gets
what the group has instead. Pure.
"""

from __future__ import annotations

from msgspec import structs

from glboard_core.config import DEFAULT_BOARDS, BoardSettings
from glboard_core.setup.proposal import Proposal

#: Milestones of boards that are found by their dates.
_BY_DATE = ("current", "next")


def changed_boards(proposal: Proposal) -> list[BoardSettings]:
    """Those of the built-in boards that the file must say, in their order."""
    pairs = ((board, _fitting(board, proposal)) for board in DEFAULT_BOARDS)
    return [own for board, own in pairs if own != board]


def _fitting(board: BoardSettings, proposal: Proposal) -> BoardSettings:
    types, deliverable = proposal.line("types"), proposal.line("labels.deliverable")
    if board.columns == types.default:
        if types.trust == "missing":
            board = structs.replace(board, by="none", columns=())
        elif types.written:
            board = structs.replace(board, columns=types.value)
    if board.labels == deliverable.default:
        missing = deliverable.trust == "missing"
        board = structs.replace(board, labels=() if missing else deliverable.value)
    if board.milestone in _BY_DATE and proposal.line("planning.version").trust == "missing":
        board = structs.replace(board, milestone="any")
    if board.id == "backlog" and proposal.line("milestones.backlog").trust == "missing":
        board = structs.replace(board, milestone="none")
    return board
