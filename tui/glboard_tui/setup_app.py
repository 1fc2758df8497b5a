"""The set-up on screen: leads from an empty computer to a configuration, one page after the other.

Owns the order of the pages and the way back. Pages show and ask; what is asked of a server and written is
done by the set-up's connection.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import ClassVar, Literal, TypeVar

from msgspec import Struct
from textual.app import App, ComposeResult
from textual.binding import BindingType
from textual.widgets import Static

from glboard_core.config import Settings
from glboard_core.errors import ApplicationRefused, ConfigError, GlboardError, TokenRejected
from glboard_core.gitlab.account import Secret
from glboard_core.logfile import short
from glboard_core.model.query import Found
from glboard_core.setup.addresses import ServerPlace
from glboard_core.setup.connection import SetupConnection, SignedIn
from glboard_core.setup.save import How
from glboard_core.setup.sign_ins import FoundSignIn
from glboard_styles import all_sheets
from glboard_styles.themes import THEMES, default_theme
from glboard_tui.keymap import Keymap
from glboard_tui.screens.dialogs import Ask, Waiting
from glboard_tui.screens.picker import Picker
from glboard_tui.screens.picker_source import Choice
from glboard_tui.screens.prompts import HiddenInput, Prompt
from glboard_tui.screens.setup_connect import (
    CONNECT,
    DEMO,
    DEVICE,
    LOOPBACK,
    OTHER,
    PAGE,
    RESUME,
    SIGN_IN,
    ServerPage,
    SignInPage,
    StartPage,
)
from glboard_tui.screens.setup_page import SetupHead
from glboard_tui.screens.setup_proposal import ProposalPage
from glboard_tui.screens.setup_sources import SearchedChoices, group_choices
from glboard_tui.signals import on_ending_signals
from glboard_tui.terminal import has_browser

T = TypeVar("T")

#: Characters of a token at most.
_LONGEST_TOKEN = 512
#: Cells around the text of a dialog, and of the one with an address at most.
_AROUND, _WIDEST = 6, 110
_ADDRESS = "URL of any page of your group, or just the server."
_GOES_BACK = "Esc goes back"


class SetupResult(Struct, frozen=True, kw_only=True):
    """How a set-up ended: with the demo, or with a sign-in and a configuration to open the board with."""

    then: Literal["demo", "board"]
    message: str = ""


class SetupApp(App[SetupResult]):
    """Ends with a result, or with None if it was left.

    ``complete``: the configuration has a server and a group already, and only the token is missing.
    """

    CSS = f"""{all_sheets()}
    .setup-behind {{ height: 1fr; background: $panel; }}
    HiddenInput > .overlay {{ max-width: {_WIDEST}; }}
    """
    TITLE = "glboard"
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = []

    def __init__(
        self,
        connection: SetupConnection,
        settings: Settings | None = None,
        *,
        address: str = "",
        complete: bool = False,
        trouble: GlboardError | None = None,
    ) -> None:
        super().__init__()
        settings = settings or Settings()
        self.connection = connection
        # Textual has a keymap of its own.
        self._registry_keys = Keymap(settings.keymap)
        self._address = address
        self._complete = complete
        self._trouble = trouble
        #: What an address can mean, until a token tells.
        self._places: tuple[ServerPlace, ...] = ()
        #: The ID of an application that the server refused, to be typed again.
        self._refused_application = ""
        self._head = SetupHead(-1, "Setup")
        for theme in THEMES:
            self.register_theme(theme)
        wanted = settings.ui.theme
        self.theme = wanted if wanted in self.available_themes else default_theme(no_color=self.no_color)

    def compose(self) -> ComposeResult:
        """What is behind a dialog: where one is."""
        yield self._head
        yield Static(classes="setup-behind")

    def on_mount(self) -> None:
        """Begin with the first page, and handle signals."""
        if not self.is_headless:
            on_ending_signals(lambda number: self.exit(None, 128 + number))
        self.run_worker(self._lead(), name="set-up")

    def _fatal_error(self) -> None:
        # Textual would print all values on the way: titles that others may not see, a token that was typed.
        self._close_messages_no_wait()

    async def on_unmount(self) -> None:
        """Close the connection before the loop ends."""
        await self.connection.close()

    async def _lead(self) -> None:
        step: Step | None = self._start
        while step is not None:
            step = await step()

    def _taken_trouble(self) -> GlboardError | None:
        trouble, self._trouble = self._trouble, None
        return trouble

    async def _try(self, title: str, job: Callable[[], Awaitable[T]]) -> T | None:
        """Do something that waits for the server; None if it failed (then there is trouble) or was left."""

        async def guarded() -> T | GlboardError:
            try:
                return await job()
            except GlboardError as error:
                return error

        done = await self.push_screen_wait(Waiting(title, guarded, hint=_GOES_BACK))
        if isinstance(done, GlboardError):
            self._trouble = done
            return None
        return done

    # -- the pages

    def _at(self, step: int) -> None:
        """Behind the dialogs that follow, show that step."""
        self._head.show(
            step, self._known() or (self._places[0].host if step > 0 and self._places else "Setup")
        )

    async def _start(self) -> Step | None:
        self._at(-1)
        answers, resumable = self.connection.answers, self.connection.resumable()
        unfinished = ""
        if answers.url and resumable is not None and not self._complete:
            host = resumable.host
            unfinished = f"{answers.group} on {host}" if answers.group else host
        lacking = ""
        if self._complete:
            lacking = self.connection.settings.url.partition("://")[2] or "gitlab.com"
        trouble = self._taken_trouble()
        page = StartPage(self._registry_keys, unfinished=unfinished, lacking=lacking, trouble=trouble)
        chosen = await self.push_screen_wait(page)
        if chosen == DEMO:
            self.exit(SetupResult(then="demo"))
            return None
        if chosen == CONNECT:
            self._complete = False
            return self._by_address if self._address else self._server
        if chosen == SIGN_IN:
            return await self._to(self.connection.settings.url or "gitlab.com")
        if chosen == RESUME and resumable is not None:
            return await self._use(resumable)
        return None

    async def _server(self) -> Step | None:
        self._at(0)
        found = await asyncio.to_thread(self.connection.sign_ins)
        page = ServerPage(self._registry_keys, found, trouble=self._taken_trouble())
        chosen = await self.push_screen_wait(page)
        if chosen is None:
            return self._start
        if chosen == OTHER:
            self._address = page.pasted
            return self._by_address
        one = found[int(chosen)]
        if one.problem:
            return await self._to(one.url)
        return await self._use(one)

    async def _by_address(self) -> Step | None:
        given, self._address = self._address, ""

        def wrong(text: str) -> str:
            try:
                self.connection.places(text)
            except ConfigError as error:
                return str(error)
            return ""

        if given and not wrong(given) and await self._reaches(given):
            return self._sign_in
        while True:
            trouble = self._taken_trouble()
            text = await self.push_screen_wait(
                Prompt(
                    "Which GitLab?",
                    value=given,
                    note=f"{trouble.message}\n{trouble.what_to_do}".rstrip() if trouble else _ADDRESS,
                    placeholder="https://gitlab.example.com/groups/my-org/my-group",
                    hint=f"Enter confirms · {_GOES_BACK}",
                    check=wrong,
                )
            )
            if text is None:
                return self._server
            if await self._reaches(given := text):
                return self._sign_in

    async def _reaches(self, address: str) -> bool:
        """Whether a GitLab answers at an address; the address is kept, or there is trouble."""
        try:
            places = self.connection.places(address)
        except ConfigError as error:
            self._trouble = error
            return False
        host = places[0].host
        found = await self._try(f"Looking for GitLab at {host} …", lambda: self.connection.reach(places))
        if found is not None:
            self._places = (found,)
        return found is not None

    async def _to(self, address: str) -> Step | None:
        if await self._reaches(address):
            return self._sign_in
        return self._start if self._complete else self._server

    async def _sign_in(self) -> Step | None:
        self._at(1)
        place = self._places[0]
        page = self.connection.token_page(place.url)
        opens = has_browser()
        pasted: list[Secret] = []
        shown = SignInPage(
            self._registry_keys,
            place.url.partition("://")[2],
            page,
            application=bool(self.connection.application),
            opens=opens,
            keyring=self.connection.keyring_command,
            paste=lambda text: pasted.append(Secret(text)),
            trouble=self._taken_trouble(),
        )
        chosen = await self.push_screen_wait(shown)
        if chosen is None:
            return self._start if self._complete else self._server
        if chosen == PAGE:
            if opens:
                self.open_url(page)
            else:
                self.copy_to_clipboard(page)
            return await self._token(page, copied=not opens)
        if chosen in (DEVICE, LOOPBACK):
            return await (self._device(place) if chosen == DEVICE else self._loopback(place))
        if pasted:
            return await self._use_token(pasted.pop())
        return await self._token(page)

    async def _token(self, page: str, *, copied: bool = False) -> Step | None:
        """Ask for a token until one is right, or the person goes back."""
        typed: list[Secret] = []

        def take(text: str) -> str:
            if not text.strip():
                return "Type something first."
            typed[:] = [Secret(text)]
            return ""

        where = "Create one at this address, sent to the terminal's clipboard:" if copied else "Create one at"
        note = f"{where}\n{self._whole(page)}"
        prompt = HiddenInput("Paste the token", note=note, check=take, most=_LONGEST_TOKEN)
        if not await self.push_screen_wait(prompt) or not typed:
            return self._sign_in
        return await self._use_token(typed.pop())

    async def _use_token(self, secret: Secret) -> Step | None:
        done = await self._try(
            "Checking the token …", lambda: self.connection.use_token(self._places, secret)
        )
        return self._sign_in if done is None else self._after_sign_in(done)

    def _whole(self, page: str) -> str:
        """The address of the page to create a token in one line: a broken one cannot be copied by mouse."""
        if len(page) + _AROUND <= min(self.size.width, _WIDEST):
            return page
        return f"{page.partition('?')[0]}\nwith the name glboard and the api scope."

    async def _has_application(self, host: str) -> bool:
        """Whether there is an OAuth application to sign in with; asks for its ID if none is known."""
        if not self.connection.application:
            note = (
                "Create it once in GitLab: Admin area, group settings or Edit profile, Applications;"
                " redirect URI http://127.0.0.1/callback, not confidential, scopes api and read_api."
            )
            if self._refused_application:
                note = f"{host} does not accept this ID. Copy it again from the application's page."
            prompt = Prompt("The application's ID", value=self._refused_application, note=note)
            typed = await self.push_screen_wait(prompt)
            self.connection.application = (typed or "").strip()
        return bool(self.connection.application)

    async def _begun(self, title: str, place: ServerPlace, begin: Callable[[], Awaitable[T]]) -> T | None:
        """Begin to sign in with the application; another is asked for as long as the server refuses it."""
        while await self._has_application(place.host):
            started = await self._try(title, begin)
            if started is not None or not self._forget_refused():
                return started
            self._trouble = None
        return None

    def _forget_refused(self) -> bool:
        """Whether the server refused the application: then it is asked for again, with what it was."""
        refused = isinstance(self._trouble, ApplicationRefused)
        if refused:
            self._refused_application, self.connection.application = self.connection.application, ""
        return refused

    async def _device(self, place: ServerPlace) -> Step | None:
        begin = partial(self.connection.start_device, place.url)
        started = await self._begun("Requesting a code …", place, begin)
        if started is None:
            return self._sign_in
        sign_in, code = started
        if code.verification_uri_complete and has_browser():
            self.open_url(code.verification_uri_complete)

        async def wait() -> SignedIn | GlboardError:
            try:
                return await self.connection.use_oauth(place, await sign_in.wait())
            except GlboardError as error:
                return error

        note = f"Open {code.verification_uri}\nand enter the code. Setup then continues automatically."
        waiting = Waiting(f"Your code:  {code.user_code}", wait, note=note, hint=_GOES_BACK)
        done = await self.push_screen_wait(waiting)
        return self._signed(done)

    async def _loopback(self, place: ServerPlace) -> Step | None:
        started = await self._begun("Starting …", place, partial(self.connection.start_loopback, place.url))
        if started is None:
            return self._sign_in
        sign_in, address = started
        self.open_url(address)

        async def wait() -> SignedIn | GlboardError:
            try:
                return await self.connection.use_oauth(place, await sign_in.wait())
            except GlboardError as error:
                return error
            finally:
                await sign_in.close()

        note = "Authorize glboard there. Setup then continues automatically."
        waiting = Waiting("Waiting for the browser …", wait, note=note, hint=_GOES_BACK)
        done = await self.push_screen_wait(waiting)
        return self._signed(done)

    def _signed(self, done: SignedIn | GlboardError | None) -> Step | None:
        if isinstance(done, GlboardError):
            self._trouble = done
            self._forget_refused()
        return self._after_sign_in(done) if isinstance(done, SignedIn) else self._sign_in

    async def _use(self, found: FoundSignIn) -> Step | None:
        done = await self._try(f"Signing in to {found.host} …", lambda: self.connection.use(found))
        if done is not None:
            return self._after_sign_in(done)
        if isinstance(self._trouble, TokenRejected) and found.source == "glboard":
            # What was kept is over: here is the place to sign in again.
            self._trouble = TokenRejected(self._trouble.message, hint="Sign in again.")
            self._places = self.connection.places(found.url)
            return self._sign_in
        return self._server

    def _after_sign_in(self, done: SignedIn) -> Step | None:
        if self._complete:
            self.exit(SetupResult(then="board", message=f"Signed in as @{done.info.username}."))
            return None
        group = self.connection.answers.group
        if group or self.connection.path:
            return lambda: self._look(group or self.connection.path)
        return self._group

    async def _group(self) -> Step | None:
        self._at(2)
        # Why the group of the address was not taken.
        before = self._taken_trouble()
        first = await self._try("Loading your groups …", lambda: self.connection.groups(""))
        trouble = self._taken_trouble()
        known = group_choices(first.items) if first is not None else []

        async def search(text: str) -> Found[Choice]:
            found = await self.connection.groups(text)
            return Found(tuple(group_choices(found.items)), found.more)

        if first is None and trouble is not None:
            self._trouble = trouble
            return self._server
        note = f"{before.message}\nChoose one of your groups, or type to search." if before else ""
        picker = Picker("Which group do you want to plan?", SearchedChoices(known, search), note=note)
        result = await self.push_screen_wait(picker)
        if result is None:
            return self._server
        return lambda: self._look(result.add[0])

    async def _look(self, path: str) -> Step | None:
        self._at(2)

        title = f"Loading labels, milestones and boards of {path} …"
        done = await self._try(title, lambda: self.connection.look(path))
        self.connection.path = ""
        return self._group if done is None else self._propose

    async def _propose(self) -> Step | None:
        self._at(3)
        page = ProposalPage(
            self._registry_keys,
            self.connection,
            lambda: self.connection.text("new" if self.connection.existing() is None else "merge"),
            known=self._known(),
            trouble=self._taken_trouble(),
        )
        return self._group if await self.push_screen_wait(page) is None else self._write

    async def _write(self) -> Step | None:
        how: How = "new"
        try:
            if self.connection.existing() is not None:
                answer = await self.push_screen_wait(
                    Ask(
                        f"{self.connection.config.name} exists. A backup is kept.",
                        {"k": "keep its settings and add the rest", "r": "replace it"},
                        note=str(self.connection.config),
                    )
                )
                if answer is None:
                    return self._propose
                how = "merge" if answer == "k" else "replace"
            copy = self.connection.write(how)
        except GlboardError as error:
            self._trouble = error
            return self._propose
        kept = f" The previous file is {copy.name}." if copy is not None else ""
        self.exit(SetupResult(then="board", message=f"Wrote {short(self.connection.config)}.{kept}"))
        return None

    def _known(self) -> str:
        signed, found = self.connection.signed_in, self.connection.found
        words = [signed.url.partition("://")[2], signed.words] if signed is not None else []
        if found is not None and self.connection.answers.group == found.path:
            labels = (
                f"{len(found.labels)} labels" if found.whole else f"{len(found.labels)} of its labels loaded"
            )
            words += [found.path, labels, f"{len(found.milestones)} milestones"]
        return " · ".join(words)


Step = Callable[[], Awaitable["Step | None"]]
"""A page, which leads to the next one."""
