"""GitLab's real schemas, built once. They are next to the repository, never part of it."""

from __future__ import annotations

from pathlib import Path

import pytest
from graphql import GraphQLSchema, build_schema

SHARED = Path(__file__).parents[2].parent / "shared" / "gitlab"
FILES = {
    "16.8": "schema-ee-16.8.graphql",
    "18.9": "schema-ee-18.9-from-reference.graphql",
    "18.5-ce": "schema-ce-18.5.graphql",
}


class Schemas:
    """Schemas by server, built on demand (1.4 s each)."""

    def __init__(self) -> None:
        self._built: dict[str, GraphQLSchema] = {}

    def __getitem__(self, server: str) -> GraphQLSchema:
        if server not in self._built:
            path = SHARED / FILES[server]
            if not path.is_file():
                pytest.skip(f"GitLab's schema {path.name} is not beside the repository")
            self._built[server] = build_schema(
                path.read_text(encoding="utf-8"), assume_valid=True, no_location=True
            )
        return self._built[server]


@pytest.fixture(scope="session")
def schemas() -> Schemas:
    """The three servers' schemas."""
    return Schemas()
