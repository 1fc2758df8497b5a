"""The first pages of the set-up: the demo or one's own GitLab, which server, and how to sign in."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from textual.content import Content
from textual.events import Paste

from glboard_core.errors import GlboardError
from glboard_core.setup.sign_ins import FoundSignIn
from glboard_tui.keymap import Keymap
from glboard_tui.screens.setup_page import Option, OptionPage
from glboard_tui.sign_in_ways import Way, lacking, ways
from glboard_tui.widgets.text import clean

#: Values of lines that are no sign-in.
OTHER, DEMO, CONNECT, RESUME, SIGN_IN = "other", "demo", "connect", "resume", "sign-in"
#: Cells around the text of a page.
_AROUND = 4
DEVICE, LOOPBACK, TOKEN, PAGE = "device", "loopback", "token", "page"


class StartPage(OptionPage):
    """The demo, or a server.

    ``unfinished`` names a set-up to go on with, ``lacking`` a server for which only the token is missing.
    """

    title_text = "Plan a milestone on its GitLab boards, from the keyboard"

    def __init__(
        self, keymap: Keymap, *, unfinished: str = "", lacking: str = "", trouble: GlboardError | None = None
    ) -> None:
        lead = "Setup takes a minute and changes nothing in GitLab."
        if lacking:
            lead = f"This computer has no token for {lacking}. Your configuration does not change."
        super().__init__(keymap, known="Setup", lead=lead, trouble=trouble)
        self._unfinished = unfinished
        self._lacking = lacking

    def options(self) -> Sequence[Option]:
        first = []
        if self._lacking:
            note = "Only the token is missing"
            first.append(Option(value=SIGN_IN, text=f"Sign in to {self._lacking}", note=note))
        if self._unfinished:
            first.append(Option(value=RESUME, text="Continue setup", note=self._unfinished))
        return (
            *first,
            Option(
                value=CONNECT,
                text="Connect to GitLab",
                note="Configured from your group's labels and milestones",
            ),
            Option(
                value=DEMO,
                text="Try the demo",
                note="A built-in fake GitLab: no account, no network",
            ),
        )

    def hints(self) -> Sequence[str]:
        return ("open", "connect", "demo", "leave")

    def action_connect(self) -> None:
        self.choose(CONNECT)

    def action_demo(self) -> None:
        self.choose(DEMO)

    def action_back(self) -> None:
        self.action_leave()


class ServerPage(OptionPage):
    """The sign-ins that were found, and another server: dismissed with the number of one, or ``OTHER``."""

    step = 0
    title_text = "Which GitLab?"

    def __init__(
        self, keymap: Keymap, found: Sequence[FoundSignIn], *, trouble: GlboardError | None = None
    ) -> None:
        lead = (
            "Found on this computer. Choose one, or another server."
            if found
            else "No sign-in found. Checked: glab, python-gitlab, netrc and GITLAB_TOKEN."
        )
        super().__init__(keymap, known="Setup", lead=lead, trouble=trouble)
        self._found = found
        #: An address that was pasted onto the page.
        self.pasted = ""

    def on_paste(self, event: Paste) -> None:
        """The page asks for an address to be pasted: here is as good as in the field that follows."""
        event.stop()
        if text := next(iter(event.text.split()), ""):
            self.pasted = text
            self.choose(OTHER)

    def options(self) -> Sequence[Option]:
        return (
            *(
                Option(
                    value=str(number),
                    text=one.host,
                    note=f"@{one.user}" if one.user else "",
                    more=one.problem or f"from {one.where or one.source}",
                )
                for number, one in enumerate(self._found)
            ),
            Option(
                value=OTHER,
                text="Another server" if self._found else "Your GitLab server",
                note="paste the URL of any page of your group",
            ),
        )

    def said(self) -> Content:
        if self.rows.cursor < len(self._found):
            one = self._found[self.rows.cursor]
            if one.problem:
                return Content(clean(f"{one.where or one.source}: {one.problem}."))
            return Content(
                clean(f"The token is read from {one.where or one.source} each time glboard starts.")
            )
        return Content(
            "For example https://gitlab.example.com/groups/my-org/my-group/-/boards, or just gitlab.com."
        )

    def hints(self) -> Sequence[str]:
        return ("open", "back", "leave")


class SignInPage(OptionPage):
    """The ways to sign in to a server."""

    step = 1

    def __init__(
        self,
        keymap: Keymap,
        host: str,
        page: str,
        *,
        application: bool,
        opens: bool,
        keyring: str,
        paste: Callable[[str], None],
        trouble: GlboardError | None = None,
    ) -> None:
        """``page`` makes a token; ``application``: one is known; ``opens``: a browser can be opened;
        ``keyring`` is what installs the package for the keyring, and ``paste`` gets a pasted token."""
        self.title_text = f"Sign in to {host}"
        super().__init__(keymap, known=host, trouble=trouble)
        self._page = page
        self._application = application
        self._opens = opens
        self._keyring = keyring
        self._paste = paste

    def on_paste(self, event: Paste) -> None:
        """A token that is pasted onto the page is as good as one in the field that follows."""
        event.stop()
        if event.text.strip():
            self._paste(event.text.strip())
            self.choose(TOKEN)

    def options(self) -> Sequence[Option]:
        needs = lacking(application=self._application)
        options: dict[Way, tuple[Option, ...]] = {
            "device": (Option(value=DEVICE, text="Sign in with a code", note=f"in any browser{needs}"),),
            "browser": (
                Option(
                    value=LOOPBACK,
                    text="Sign in with the browser",
                    note=f"authorize glboard in GitLab{needs}",
                ),
            ),
            "token": (
                Option(
                    value=TOKEN, text="Paste a token", note="a personal access token; your typing is hidden"
                ),
                Option(value=PAGE, text=self._page_text, note="name and scope are filled in"),
            ),
        }
        offered = ways(application=self._application, opens=self._opens)
        return [option for way in offered for option in options[way]]

    @property
    def _page_text(self) -> str:
        return "Open the page to create one" if self._opens else "Show the page to create one"

    def said(self) -> Content:
        way = self.options()[self.rows.cursor].value
        if way in (DEVICE, LOOPBACK):
            lines = ["GitLab asks you to authorize glboard. The sign-in is renewed automatically."]
            if not self._application:
                lines.append("This needs an OAuth application on the server.")
        else:
            # In one line, or it cannot be copied by mouse.
            whole = len(self._page) <= min(self.app.size.width, 100) - _AROUND
            lines = [
                self._page if whole else self._page.partition("?")[0],
                "Scope api, or read_api for read-only access.",
            ]
            if self._keyring:
                lines.append("It is stored in a file that only you can read. To use the keyring, first run:")
                lines.append(self._keyring)
            else:
                lines.append("It is stored in this computer's keyring.")
        return Content("\n".join(map(clean, lines)))

    def hints(self) -> Sequence[str]:
        return ("open", "back", "leave")
