"""Each way in which GitLab refuses has words of its own: the token, the address, the path, maintenance."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
import respx
from msgspec import structs

from gateway.worlds import NAMES, QUICK, LoadedGateway, everything, gateway, make
from glboard_core.board.operations import Comment, Create, Edit, Rank
from glboard_core.demo.http.server import DemoServer
from glboard_core.demo.world.boards import unplace
from glboard_core.errors import (
    FineGrainedToken,
    GlboardError,
    GroupNotFound,
    NotGitLab,
    QueryRefused,
    RateLimited,
    ScopeMissing,
    ServerFailed,
    TokenRejected,
    TokenUnknown,
)
from glboard_core.gitlab import http_errors, ranks
from glboard_core.gitlab.account import Account, Secret
from glboard_core.gitlab.gateway import GitLabGateway
from glboard_core.gitlab.http import Answer

HOST = "https://gitlab.example.com"


async def refusal(one: GitLabGateway) -> GlboardError:
    """What signing in raises."""
    async with one:
        with pytest.raises(GlboardError) as caught:
            await one.sign_in(NAMES)
    return caught.value


@pytest.mark.parametrize(
    ("state", "kind", "said"),
    [
        ("expired", TokenRejected, "it has expired"),
        ("revoked", TokenRejected, "it was revoked"),
        ("blocked", TokenRejected, "your account has been blocked"),
        ("unknown", TokenUnknown, "unknown token"),
    ],
)
async def test_why_a_token_is_rejected(
    server: DemoServer, state: str, kind: type[GlboardError], said: str
) -> None:
    token = server.token_for("em_willow") if state != "unknown" else "glpat-wrong"
    {"expired": server.expire, "revoked": server.revoke, "blocked": server.block}.get(state, str)(token)
    error = await refusal(gateway(server, token=token))
    assert type(error) is kind
    assert said in error.message
    assert error.hint
    assert token not in str(error)


@pytest.mark.parametrize("scope", ["read_user", "read_repository", "self_rotate"])
async def test_a_token_that_lacks_the_scope_is_not_called_invalid(server: DemoServer, scope: str) -> None:
    error = await refusal(gateway(server, token=server.token_for("em_willow", scope)))
    assert isinstance(error, ScopeMissing)
    assert "lacks the “read_api” scope" in error.message


async def test_the_reason_is_asked_once_and_only_of_a_rejected_token(server: DemoServer) -> None:
    async with gateway(server, token="glpat-wrong") as one:
        for _ in range(3):
            with pytest.raises(TokenRejected):
                await one.catalog(NAMES)
    assert len(server.requests.of("/api/v4/user")) == 1


async def test_a_rate_limit_can_hide_a_wrong_token() -> None:
    hasty = structs.replace(QUICK, patience=0.1)
    async with DemoServer(make(), rate_limit=2) as server:
        found: dict[str, list[GlboardError]] = {}
        for token in ("glpat-wrong", server.token):
            for _ in range(3):
                async with gateway(server, token=token, limits=hasty) as one:
                    try:
                        await one.sign_in(NAMES)
                    except GlboardError as error:
                        found.setdefault(token, []).append(error)
    rejected, hidden = found["glpat-wrong"][0], found["glpat-wrong"][-1]
    assert isinstance(rejected, TokenRejected)
    assert isinstance(hidden, RateLimited)
    assert "without a valid token" in hidden.message
    assert "Check the token" in hidden.hint
    assert "token" not in str(found[server.token][-1])


@pytest.mark.parametrize("version", ["18.9", "19.1"])
async def test_a_fine_grained_token_is_refused_with_its_cause(version: str) -> None:
    async with DemoServer(make(version=version)) as server:
        error = await refusal(gateway(server, token=server.token_for("em_willow", "granular")))
        assert isinstance(error, FineGrainedToken)
        assert not isinstance(error, GroupNotFound)
        assert "fine-grained token" in error.message
        assert "classic personal access token" in error.hint
        # When it is exchanged under a running session, nothing is "not found" either.
        context = await LoadedGateway(server).open()
        async with context.gateway:
            server.rescope(server.token, "granular")
            failed = await context.fail("top/app#1", Edit(weight=8))
            assert "fine-grained" in failed.message


async def test_a_fine_grained_token_of_a_newer_gitlab_reads_and_edits() -> None:
    async with DemoServer(make(version="19.3")) as server:
        context = await LoadedGateway(server, token=server.token_for("em_willow", "granular")).open()
        async with context.gateway:
            found = context.catalog.server
            # It has no scopes, which does not make it read-only, and may not read lifecycles or statuses.
            assert (found.fine_grained, found.can_write, found.has_weight) == (True, None, True)
            assert len(context.shown) == 8
            assert context.issue("top/app#1").weight == 1
            assert (await context.do("top/app#1", Edit(weight=8))).weight == 8
            refused = await context.fail("top/app#1", Edit(status="In progress"))
            assert "status" in refused.message
            # Rights would take the project along, as null.
            assert {project.path for project in context.catalog.projects} >= {"top/app"}
            assert (await context.do("top/app#1", Comment(body="Hello"))).notes == 1


@pytest.mark.parametrize("has_board", [True, False])
async def test_a_fine_grained_token_ranks_over_rest(has_board: bool) -> None:
    world = make(version="19.3")
    if not has_board:
        world.boards.clear()
    async with DemoServer(world) as server:
        context = await LoadedGateway(server, token=server.token_for("em_willow", "granular")).open()
        async with context.gateway:
            ids = [context.issue(f"top/app#{n}").id for n in (3, 4)]
            await context.do("top/app#1", Rank(above=ids[0], below=ids[1]))
            first, moved, second = (world.issue(f"top/app#{n}").position or 0 for n in (3, 1, 4))
            assert first < moved < second
            assert [record.path for record in server.requests if record.path.endswith("/reorder")]
            # One without a place is ranked itself, since no list can be read that would place it.
            unplace(world, [world.issue("top/app#4")])
            context.shown = {one.id: one for one in await everything(context.gateway)}
            await context.do("top/app#2", Rank(above=ids[1]))
            assert (world.issue("top/app#4").position or 0) < (world.issue("top/app#2").position or 0)


@pytest.mark.parametrize("has_board", [True, False])
async def test_a_fine_grained_token_cannot_begin_a_manual_order(has_board: bool) -> None:
    """GitLab begins one when a board's lists are read, or after an issue was created."""
    world = make(version="19.3")
    if not has_board:
        world.boards.clear()
    async with DemoServer(world) as server:
        context = await LoadedGateway(server, token=server.token_for("em_willow", "granular")).open()
        async with context.gateway:
            unplace(world, [*world.index.issues.values()])
            context.shown = {one.id: one for one in await everything(context.gateway)}
            error = await context.fail("top/app#1", Rank(above=context.issue("top/app#3").id))
            assert "a fine-grained token cannot create one" in error.message
            assert "Open one of the group's boards" in error.hint
            await context.do("new:1", Create(project="top/app", title="Another one"))
            world.clock.advance(60)
            context.shown = {one.id: one for one in await everything(context.gateway)}
            await context.do("top/app#1", Rank(above=context.issue("top/app#3").id))
            assert (world.issue("top/app#3").position or 0) < (world.issue("top/app#1").position or 0)


def test_a_permission_to_rank_that_is_lacking_is_named() -> None:
    body = b'{"error":"insufficient_granular_scope","error_description":"Access denied"}'
    error = ranks._refused(Answer(403, {}, body), "top/app", "gitlab.example.com")
    assert "the permission Work Item: Update" in error.message


@pytest.mark.parametrize(
    ("path", "said", "hint"),
    [
        ("top/app", "“top/app” is a project, not a group", "top."),
        ("TOP/SUB/LIB", "“top/sub/lib” is a project", "top/sub."),
        ("eng_1", "“eng_1” is a user", "full path"),
        ("nowhere", "“nowhere” not found", "full path"),
    ],
)
async def test_a_path_that_is_no_group(server: DemoServer, path: str, said: str, hint: str) -> None:
    error = await refusal(gateway(server, path))
    assert isinstance(error, GroupNotFound)
    assert said in error.message
    assert hint in error.hint


async def test_a_path_below_the_host_that_is_none(server: DemoServer) -> None:
    async with gateway(server) as one:
        wrong = structs.replace(one.account, url=f"{server.url}/gitlab")
    error = await refusal(GitLabGateway(wrong, "top", limits=QUICK))
    assert isinstance(error, NotGitLab)
    assert "GitLab is not installed at" in error.message
    assert "/gitlab" in error.message


def failure(status: int, **answer: Any) -> GlboardError:
    """The error for a response with that status."""
    response = httpx.Response(status, **answer)
    found = http_errors.of_status(status, response.headers, response.content, "https://git.example.com", None)
    assert found is not None
    return found.error


def test_maintenance_over_rest() -> None:
    error = failure(503, json={"message": "GitLab is undergoing maintenance"})
    assert isinstance(error, ServerFailed)
    assert "maintenance mode" in error.message


def test_a_null_character() -> None:
    error = failure(400, text="Bad Request")
    assert isinstance(error, QueryRefused)
    assert "a character that GitLab does not accept" in error.message


@respx.mock
async def test_what_a_fine_grained_token_lacks_is_named() -> None:
    """GitLab 19 answers null without an error to what it may not read."""
    about = {"metadata": {"version": "19.3.0-ee", "enterprise": True}, "currentUser": None, "g0": None}
    respx.post(f"{HOST}/api/graphql").mock(return_value=httpx.Response(200, json={"data": about}))
    respx.get(f"{HOST}/api/v4/personal_access_tokens/self").mock(
        return_value=httpx.Response(200, json={"scopes": ["granular"], "granular": True})
    )
    error = await refusal(GitLabGateway(Account(url=HOST, token=Secret("t")), "top", limits=QUICK))
    assert isinstance(error, FineGrainedToken)
    assert "the permission User: Read" in error.message
