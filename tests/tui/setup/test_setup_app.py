"""The set-up on screen, page by page: each way forward, each way back, and what is kept of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from textual.events import Paste
from textual.pilot import Pilot
from textual.screen import Screen

from glboard_core.auth.credential import TokenCredential
from glboard_core.auth.store import CredentialStore
from glboard_core.config import GitLabSettings, load, parse
from glboard_core.demo.http.oauth import CLIENT_ID
from glboard_core.demo.http.server import DemoServer
from glboard_core.gitlab.account import Secret
from glboard_core.setup.connection import SetupConnection
from glboard_core.setup.progress import ProgressFile
from glboard_core.setup.sign_ins import SignIns
from glboard_tui.screens.dialogs import Ask
from glboard_tui.screens.picker import Picker
from glboard_tui.screens.prompts import HiddenInput, Prompt
from glboard_tui.screens.setup_connect import ServerPage, SignInPage, StartPage
from glboard_tui.screens.setup_proposal import FilePreview, ProposalPage
from glboard_tui.setup_app import SetupApp, SetupResult
from support.groups import shop_world

#: Seconds in which a page comes, on a busy machine too.
PATIENCE = 20.0


class Steps:
    """A running set-up, and the steps of a test."""

    def __init__(self, app: SetupApp, pilot: Pilot[SetupResult], server: DemoServer, folder: Path) -> None:
        self.app = app
        self.pilot = pilot
        self.server = server
        self.folder = folder

    @property
    def config(self) -> Path:
        """The file that is written."""
        return self.folder / "config.toml"

    async def on(self, kind: type[Screen[Any]]) -> None:
        """Wait for a page."""
        await self.until(lambda: type(self.app.screen) is kind and self.app.screen.is_current)

    async def until(self, condition: Callable[[], object]) -> None:
        """Wait for a condition."""
        async with asyncio.timeout(PATIENCE):
            while not condition():
                await self.pilot.pause(0.01)

    async def press(self, *keys: str) -> None:
        """Press keys."""
        await self.pilot.press(*keys)
        await self.pilot.pause()

    async def type(self, text: str) -> None:
        """Type a text and confirm it, as pasted: a letter at a time takes long."""
        from textual import events

        screen = self.app.screen
        target = screen if isinstance(screen, HiddenInput) else screen.focused
        assert target is not None
        target.post_message(events.Paste(text))
        await self.pilot.pause()
        await self.press("enter")

    @property
    def lines(self) -> str:
        """What is on the screen."""
        strips = self.app.screen._compositor.render_strips()
        return "\n".join(strip.text.rstrip() for strip in strips)

    async def to_sign_in(self, address: str = "") -> None:
        """From the first page to the ways to sign in, at the server or another ``address`` of it."""
        await self.on(StartPage)
        await self.press("c")
        await self.on(ServerPage)
        await self.press("end", "enter")
        await self.on(Prompt)
        await self.type(address or self.server.url)
        await self.on(SignInPage)

    async def sign_in(self, address: str = "") -> None:
        """Sign in by a token, from the first page on."""
        await self.to_sign_in(address)
        await self.press("enter")
        await self.on(HiddenInput)
        await self.type(self.server.token)

    async def to_group(self) -> None:
        """Sign in by a token."""
        await self.sign_in()
        await self.on(Picker)

    async def to_proposal(self) -> None:
        """Choose the first group."""
        await self.to_group()
        await self.press("enter")
        await self.on(ProposalPage)

    async def line(self, title: str) -> None:
        """Move to the line with that title."""
        page = self.app.screen
        assert isinstance(page, ProposalPage)
        titles = [getattr(row, "title", None) or row.key for row in page._rows]
        page.go(titles.index(title))
        await self.pilot.pause()


@asynccontextmanager
async def begun(
    tmp_path: Path,
    *,
    env: dict[str, str] | None = None,
    settings: GitLabSettings | None = None,
    size: tuple[int, int] = (100, 30),
    server: DemoServer | None = None,
    **more: object,
) -> AsyncIterator[Steps]:
    """A set-up on an empty machine."""
    settings = settings or GitLabSettings()
    running = server or DemoServer(shop_world())
    async with running as at:
        connection = SetupConnection(
            tmp_path / "config.toml",
            settings,
            folder=tmp_path / "state" / "glboard",
            sign_ins=SignIns(
                settings, env={"XDG_STATE_HOME": str(tmp_path / "state"), **(env or {})}, home=tmp_path
            ),
        )
        app = SetupApp(connection, **more)  # type: ignore[arg-type]
        async with app.run_test(size=size) as pilot:
            yield Steps(app, pilot, at, tmp_path)


@pytest.fixture(autouse=True)
def _no_keyring(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER"):
        monkeypatch.delenv(name, raising=False)


def secrets_in(folder: Path, token: str) -> list[str]:
    """The files below a folder that hold a token."""
    return sorted(
        file.name for file in folder.rglob("*") if file.is_file() and token.encode() in file.read_bytes()
    )


@pytest.mark.slow
async def test_from_nothing_to_a_file(tmp_path: Path) -> None:
    async with begun(tmp_path) as steps:
        await steps.to_group()
        assert "shop/web" in steps.lines
        await steps.press("enter")
        await steps.on(ProposalPage)
        assert "@rowan · api · token does not expire · shop · 18 labels" in steps.lines
        assert "team::storefront" in steps.lines
        await steps.press("w")
        await steps.until(lambda: steps.app.return_value is not None)
        assert steps.app.return_value == SetupResult(then="board", message="Wrote ~/config.toml.")
        settings = load(steps.config)
        assert (settings.gitlab.url, settings.gitlab.group) == (steps.server.url, "shop")
        assert settings.labels.deliverable == "Committed"
        assert settings.board("support-desk") is not None
        assert steps.config.stat().st_mode & 0o077 == 0
        # The token is in one place, readable only by its owner; nothing is left of the way there.
        assert secrets_in(tmp_path, steps.server.token) == ["credentials.json"]
        assert not ProgressFile(tmp_path / "state" / "glboard").path.exists()


async def test_the_demo_is_one_key_away(tmp_path: Path) -> None:
    async with begun(tmp_path) as steps:
        await steps.on(StartPage)
        await steps.press("d")
        await steps.until(lambda: steps.app.return_value is not None)
        assert steps.app.return_value == SetupResult(then="demo")


@pytest.mark.slow
async def test_each_step_has_a_way_back(tmp_path: Path) -> None:
    async with begun(tmp_path) as steps:
        await steps.to_proposal()
        for page in (Picker, ServerPage, StartPage):
            await steps.press("escape")
            await steps.on(page)
        await steps.press("c")
        await steps.on(ServerPage)
        # Now there is a sign-in.
        assert "@rowan" in steps.lines
        await steps.press("end", "enter")
        await steps.on(Prompt)
        await steps.press("escape")
        await steps.on(ServerPage)


async def test_an_address_is_not_said_to_be_in_a_clipboard_that_no_one_sees(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("glboard_tui.setup_app.has_browser", lambda: False)
    async with begun(tmp_path) as steps:
        await steps.to_sign_in()
        await steps.press("down", "enter")
        await steps.on(HiddenInput)
        assert "sent to the terminal's clipboard" in " ".join(steps.lines.split())
        assert "personal_access_tokens" in steps.app.clipboard


@pytest.mark.slow
async def test_the_address_of_any_page_leads_to_the_group(tmp_path: Path) -> None:
    async with begun(tmp_path) as steps:
        await steps.sign_in(f"{steps.server.url}/shop/web/front/-/issues/3")
        await steps.on(ProposalPage)
        assert "shop/web" in steps.lines


async def test_an_address_is_pasted_onto_the_page_that_asks_for_it(tmp_path: Path) -> None:
    async with begun(tmp_path) as steps:
        await steps.on(StartPage)
        await steps.press("enter")
        await steps.on(ServerPage)
        steps.app.screen.post_message(Paste(f" {steps.server.url}/groups/shop/-/boards\n"))
        await steps.on(SignInPage)
        await steps.pilot.pause()
        assert steps.server.url.partition("://")[2] in steps.lines
        # So does the one that asks for a token.
        steps.app.screen.post_message(Paste(f"{steps.server.token}\n"))
        await steps.on(ProposalPage)


async def test_a_group_that_is_not_there_is_said(tmp_path: Path) -> None:
    async with begun(tmp_path) as steps:
        await steps.sign_in(f"{steps.server.url}/groups/no-such-group")
        await steps.on(Picker)
        assert "Group “no-such-group” not found" in steps.lines
        assert "shop/web" in steps.lines


async def test_a_server_that_does_not_answer_is_said_before_signing_in(tmp_path: Path) -> None:
    async with begun(tmp_path) as steps:
        await steps.on(StartPage)
        await steps.press("c", "enter")
        await steps.on(Prompt)
        await steps.type("http://127.0.0.1:1/groups/shop")
        await steps.until(lambda: "refused the connection" in steps.lines)
        await steps.on(Prompt)
        assert "http://127.0.0.1:1/groups/shop" in steps.lines
        assert "✓ Server" not in steps.lines
        await steps.press("ctrl+u")
        await steps.type(steps.server.url)
        await steps.on(SignInPage)


@pytest.mark.parametrize("width", [80, pytest.param(100, marks=pytest.mark.slow), 160])
async def test_the_address_of_the_token_page_is_in_one_line(tmp_path: Path, width: int) -> None:
    async with begun(tmp_path, size=(width, 30)) as steps:
        await steps.to_sign_in()
        page = f"{steps.server.url}/-/user_settings/personal_access_tokens"
        for _ in range(2):
            [line] = [line for line in steps.lines.splitlines() if page in line]
            rest = line.partition(page)[2].strip(" │")
            # What is filled in is shown if it fits, and said otherwise.
            assert rest == ("?name=glboard&scopes=api" if width >= 100 else "")
            await steps.press("enter")
            await steps.until(lambda: "nothing typed yet" in steps.lines)
        assert ("name glboard and the api scope" in steps.lines) == (width < 100)


async def test_what_is_no_address_is_said_at_once(tmp_path: Path) -> None:
    async with begun(tmp_path) as steps:
        await steps.on(StartPage)
        await steps.press("c", "enter")
        await steps.on(Prompt)
        await steps.type("http://gitlab.example.com")
        await steps.until(lambda: "is not encrypted" in steps.lines)
        assert isinstance(steps.app.screen, Prompt)


@pytest.mark.slow
async def test_a_token_that_is_wrong_is_asked_again(tmp_path: Path) -> None:
    async with begun(tmp_path) as steps:
        await steps.to_sign_in()
        await steps.press("enter")
        await steps.on(HiddenInput)
        await steps.type("glpat-wrong-token-12345")
        await steps.on(SignInPage)
        await steps.until(lambda: "rejected the token" in steps.lines)
        assert secrets_in(tmp_path, "glpat-wrong-token-12345") == []
        assert "glpat-wrong-token" not in steps.lines


@pytest.mark.slow
async def test_a_token_for_nothing_is_refused_with_what_it_lacks(tmp_path: Path) -> None:
    async with begun(tmp_path) as steps:
        useless = steps.server.token_for("rowan", "read_user")
        await steps.to_sign_in()
        await steps.press("enter")
        await steps.on(HiddenInput)
        await steps.type(useless)
        await steps.until(lambda: "missing the scope “read_api”" in steps.lines)
        await steps.on(SignInPage)
        assert secrets_in(tmp_path, useless) == []


@pytest.mark.slow
async def test_a_code_typed_in_a_browser_signs_in(tmp_path: Path) -> None:
    async with begun(tmp_path) as steps:
        steps.server.oauth.interval = 0.05
        await steps.to_sign_in()
        await steps.press("j", "j", "enter")
        # No application is configured.
        await steps.on(Prompt)
        await steps.type("wrong-id")
        # It is asked for again, with what was typed.
        await steps.until(lambda: "does not accept this ID" in steps.lines)
        await steps.on(Prompt)
        assert "wrong-id" in steps.lines
        await steps.press("escape")
        await steps.on(SignInPage)
        await steps.press("j", "j", "enter")
        await steps.on(Prompt)
        assert "wrong-id" in steps.lines
        await steps.press("ctrl+u")
        await steps.type(CLIENT_ID)
        await steps.until(steps.server.oauth.waiting)
        [code] = steps.server.oauth.waiting()
        await steps.until(lambda: code in steps.lines)
        assert f"{steps.server.url}/oauth/device" in steps.lines
        assert "Esc goes back" in steps.lines
        assert "Esc cancels" not in steps.lines
        steps.server.oauth.decide(code)
        await steps.on(Picker)
        # Not the two hours in which the present token ends.
        await steps.until(lambda: "@rowan · api · renewed automatically" in steps.lines)
        # The next sign-in needs the application again, and so do colleagues who get the file.
        await steps.press("enter")
        await steps.on(ProposalPage)
        assert parse(steps.app.connection.text("new"), "").gitlab.client_id == CLIENT_ID
        merged = steps.app.connection.text("merge")
        assert parse(merged, "").gitlab.client_id == CLIENT_ID


@pytest.mark.slow
async def test_a_code_that_is_denied_leads_back(tmp_path: Path) -> None:
    async with begun(tmp_path, settings=GitLabSettings(client_id=CLIENT_ID)) as steps:
        steps.server.oauth.interval = 0.05
        await steps.to_sign_in()
        await steps.press("enter")
        await steps.until(steps.server.oauth.waiting)
        [code] = steps.server.oauth.waiting()
        steps.server.oauth.decide(code, approved=False)
        await steps.on(SignInPage)
        await steps.until(lambda: "denied" in steps.lines)


async def test_a_sign_in_that_is_there_is_offered(tmp_path: Path) -> None:
    server = DemoServer(shop_world())
    async with server as at:
        env = {"GITLAB_HOST": at.url, "GITLAB_TOKEN": at.token}
        async with begun(tmp_path, env=env) as steps:
            await steps.on(StartPage)
            await steps.press("c")
            await steps.on(ServerPage)
            assert "from GITLAB_TOKEN" in steps.lines
            assert at.token not in steps.lines
            await steps.press("enter")
            await steps.on(Picker)
            # It stays where it is.
            assert secrets_in(tmp_path, at.token) == []


@pytest.mark.slow
async def test_a_sign_in_that_is_over_leads_to_signing_in_again(tmp_path: Path) -> None:
    server = DemoServer(shop_world())
    async with server:
        async with begun(tmp_path, server=_running(server)) as steps:
            await steps.to_group()
        store = CredentialStore(tmp_path / "state" / "glboard")
        [account] = store.accounts()
        store.save(account.url, account.user, TokenCredential(secret=Secret("glpat-over")), keyring=False)
        async with begun(tmp_path, server=_running(server)) as steps:
            await steps.on(StartPage)
            await steps.press("home", "enter")
            await steps.on(SignInPage)
            assert "unknown token" in steps.lines
            assert "glboard auth login" not in steps.lines


@pytest.mark.slow
async def test_what_was_answered_is_kept_and_gone_on_with(tmp_path: Path) -> None:
    server = DemoServer(shop_world())
    async with server:
        async with begun(tmp_path, server=_running(server)) as steps:
            await steps.to_proposal()
            await steps.line("Spike: research")
            await steps.press("e")
            await steps.on(Prompt)
            await steps.press("ctrl+u")
            await steps.type("timebox")
            await steps.on(ProposalPage)
            await steps.press("q")
            await steps.until(lambda: steps.app._exit)
            kept = ProgressFile(tmp_path / "state" / "glboard").path
            assert kept.stat().st_mode & 0o077 == 0
            assert secrets_in(tmp_path, server.token) == ["credentials.json"]
        async with begun(tmp_path, server=_running(server)) as steps:
            await steps.on(StartPage)
            assert "shop on 127.0.0.1" in steps.lines
            await steps.press("home", "enter")
            await steps.on(ProposalPage)
            assert "timebox" in steps.lines


def _running(server: DemoServer) -> DemoServer:
    """A server that is up already, and stays up."""

    class Borrowed:
        async def __aenter__(self) -> DemoServer:
            return server

        async def __aexit__(self, *_: object) -> None:
            pass

    return Borrowed()  # type: ignore[return-value]


# Changing lines


@pytest.mark.slow
async def test_a_label_is_chosen_from_those_of_the_group(tmp_path: Path) -> None:
    async with begun(tmp_path) as steps:
        await steps.to_proposal()
        await steps.line("Team label")
        await steps.press("enter")
        await steps.on(Picker)
        await steps.press(*"payments", "enter")
        await steps.on(ProposalPage)
        assert "● Team label" in " ".join(steps.lines.split())
        assert "team::payments" in steps.lines
        await steps.press("x")
        assert "all issues of shop" in steps.lines
        await steps.press("r")
        assert "✓ Team label team::storefront" in " ".join(steps.lines.split())


@pytest.mark.slow
async def test_several_values_are_ticked(tmp_path: Path) -> None:
    async with begun(tmp_path) as steps:
        await steps.to_proposal()
        await steps.line("Types of work")
        await steps.press("enter")
        await steps.on(Picker)
        # The first is unticked: bugs.
        await steps.press("space", "enter")
        await steps.on(ProposalPage)
        assert "kind::chore, kind::story" in steps.lines
        assert "kind::bug" not in steps.lines


@pytest.mark.slow
async def test_a_pattern_is_checked_and_told(tmp_path: Path) -> None:
    async with begun(tmp_path) as steps:
        await steps.to_proposal()
        await steps.line("Version titles")
        await steps.press("e")
        await steps.on(Prompt)
        await steps.press("ctrl+u")
        await steps.type("(")
        await steps.until(lambda: "Not a regular expression" in steps.lines)
        await steps.press("ctrl+u")
        await steps.type("^Sprint 4[12]$")
        await steps.on(ProposalPage)
        assert "no current milestone, next is Sprint 41" in steps.lines


@pytest.mark.slow
async def test_titles_of_versions_are_shown_and_typed_as_titles(tmp_path: Path) -> None:
    async with begun(tmp_path) as steps:
        await steps.to_proposal()
        await steps.line("Version titles")
        assert "titles like Sprint 40" in steps.lines
        assert r"^Sprint \d+$" not in steps.lines
        await steps.press("enter")
        await steps.on(Picker)
        assert "titles like Sprint 40" in steps.lines
        await steps.press("escape", "x")
        await steps.press("e")
        await steps.on(Prompt)
        await steps.press("ctrl+u")
        await steps.type("Sprint 41")
        await steps.on(ProposalPage)
        assert "● Version titles titles like Sprint 40" in " ".join(steps.lines.split())
        await steps.press("w")
        await steps.until(lambda: steps.app.return_value is not None)
        assert load(steps.config).planning.version == r"^Sprint \d+$"


@pytest.mark.slow
async def test_a_board_is_left_out_by_a_key(tmp_path: Path) -> None:
    async with begun(tmp_path) as steps:
        await steps.to_proposal()
        await steps.press("end", "enter")
        assert "left out" in steps.lines
        await steps.press("w")
        await steps.until(lambda: steps.app.return_value is not None)
        assert load(steps.config).board("support-desk") is None


@pytest.mark.slow
async def test_the_file_is_seen_before_it_is_written(tmp_path: Path) -> None:
    async with begun(tmp_path, size=(120, 40)) as steps:
        await steps.to_proposal()
        await steps.press("v")
        await steps.on(FilePreview)
        assert 'group = "team::storefront"' in steps.lines
        await steps.press("escape")
        await steps.on(ProposalPage)
        assert not steps.config.exists()


@pytest.mark.slow
async def test_an_existing_file_is_only_replaced_when_asked(tmp_path: Path) -> None:
    before = '[ui]\ndensity = "dense"\n'
    (tmp_path / "config.toml").write_text(before, "utf-8")
    async with begun(tmp_path) as steps:
        await steps.to_proposal()
        await steps.press("w")
        await steps.on(Ask)
        await steps.press("escape")
        await steps.on(ProposalPage)
        assert steps.config.read_text("utf-8") == before
        await steps.press("w")
        await steps.on(Ask)
        await steps.press("k")
        await steps.until(lambda: steps.app.return_value is not None)
        assert load(steps.config).ui.density == "dense"
        assert load(steps.config).gitlab.group == "shop"
        assert (tmp_path / "config.toml.bak").read_text("utf-8") == before


async def test_a_key_that_comes_twice_closes_one_page(tmp_path: Path) -> None:
    async with begun(tmp_path) as steps:
        await steps.on(StartPage)
        for kind in (StartPage, ServerPage):
            page = steps.app.screen
            assert isinstance(page, kind)
            page.action_open()
            page.action_open()
            await steps.on(ServerPage if kind is StartPage else Prompt)
        prompt = steps.app.screen
        assert isinstance(prompt, Prompt)
        prompt.dismiss(None)
        prompt.dismiss(None)
        await steps.on(ServerPage)


async def test_a_key_without_meaning_says_so(tmp_path: Path) -> None:
    async with begun(tmp_path) as steps:
        await steps.on(StartPage)
        await steps.press("z")
        assert "z does nothing here." in steps.lines
        await steps.press("j", "k", "home", "end", "pageup", "pagedown")
        assert isinstance(steps.app.screen, StartPage)


@pytest.mark.slow
async def test_only_the_token_is_asked_for_where_the_rest_is_configured(tmp_path: Path) -> None:
    server = DemoServer(shop_world())
    async with server as at:
        settings = GitLabSettings(url=at.url, group="shop")
        async with begun(tmp_path, settings=settings, server=_running(server), complete=True) as steps:
            await steps.on(StartPage)
            assert "Only the token is missing" in steps.lines
            await steps.press("enter")
            await steps.on(SignInPage)
            await steps.press("enter")
            await steps.on(HiddenInput)
            await steps.type(at.token)
            await steps.until(lambda: steps.app.return_value is not None)
            assert steps.app.return_value == SetupResult(then="board", message="Signed in as @rowan.")
            assert not steps.config.exists()


@pytest.mark.slow
async def test_a_server_that_is_away_is_said_and_can_be_tried_again(tmp_path: Path) -> None:
    async with begun(tmp_path) as steps:
        await steps.to_sign_in()
        steps.server.stop()
        await steps.press("enter")
        await steps.on(HiddenInput)
        await steps.type(steps.server.token)
        await steps.until(lambda: "refused the connection" in steps.lines)
        await steps.on(SignInPage)
        assert secrets_in(tmp_path, steps.server.token) == []


SLOW = pytest.mark.slow


@pytest.mark.slow
@pytest.mark.parametrize(
    "size",
    [
        pytest.param((160, 45), marks=SLOW),
        pytest.param((100, 30), marks=SLOW),
        (80, 24),
        pytest.param((58, 20), marks=SLOW),
    ],
)
async def test_every_page_fits(tmp_path: Path, size: tuple[int, int]) -> None:
    async with begun(tmp_path, size=size) as steps:
        await steps.to_proposal()
        lines = steps.lines.splitlines()
        assert len(lines) == size[1]
        assert "Configuration" in lines[0]
        # The keys that matter are in the footer at every size.
        keys = "w write  Enter choose  e type  r reset  v file"
        assert (f"{keys}  Esc back  q quit" if size[0] >= 80 else keys) in lines[-1]
        # A reason is whole: next to the line, or below it.
        await steps.line("Version titles")
        assert "current is Sprint 40, next is Sprint 41." in " ".join(steps.lines.split())
        await steps.press("G")
        assert "Support desk" in steps.lines
        await steps.press("g")
        assert "Team label" in steps.lines
