"""A merge request that closes an issue, as far as a person who plans needs it."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

MergeRequestState = Literal["opened", "merged", "closed", "locked"]


class MergeRequest(Struct, frozen=True, kw_only=True):
    """A merge request that closes an issue when it is merged.

    ``pipeline`` is GitLab's word for the status of its last pipeline in lower case, "" if it has none.
    """

    reference: str
    title: str
    state: MergeRequestState
    draft: bool = False
    pipeline: str = ""

    @property
    def is_open(self) -> bool:
        """Whether it may still be merged. While GitLab merges it, it is ``locked``."""
        return self.state in ("opened", "locked")

    @property
    def number(self) -> str:
        """Its number without the project: ``!1423``."""
        return "!" + self.reference.rpartition("!")[2]
