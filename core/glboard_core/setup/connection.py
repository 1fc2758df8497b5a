"""One set-up: the server that was chosen, the sign-in there, the group, and the proposal for it.

What screens of the set-up use, one step after the other; each step can be taken again. Owns what is kept
between the steps, and when: the answers at once, a token only when it was checked.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path
from urllib.parse import urlencode

from msgspec import Struct, structs

from glboard_core.auth import keyring_access, oauth, token_check
from glboard_core.auth.credential import OAuthCredential, TokenCredential
from glboard_core.auth.device import DeviceCode, DeviceSignIn
from glboard_core.auth.loopback import LoopbackSignIn
from glboard_core.auth.search import client_id, server_at
from glboard_core.auth.store import StoredAccount
from glboard_core.auth.token_check import TokenInfo
from glboard_core.config import GitLabSettings
from glboard_core.errors import AuthError, GlboardError, NotGitLab, NotUnderstood, RateLimited
from glboard_core.gitlab.account import Account, Secret
from glboard_core.model.milestone import Milestone
from glboard_core.model.query import Found
from glboard_core.setup import save
from glboard_core.setup.addresses import ServerPlace, places_in
from glboard_core.setup.discover import Discovery
from glboard_core.setup.found import FoundGroup, FoundLabel, GroupChoice
from glboard_core.setup.progress import Progress, ProgressFile
from glboard_core.setup.proposal import Proposal
from glboard_core.setup.propose import propose
from glboard_core.setup.save import How
from glboard_core.setup.sign_ins import FoundSignIn, SignIns
from glboard_core.setup.zone import local_zone

#: The page on which a token is made, with its name and scope filled in.
_TOKEN_PAGE = "/-/user_settings/personal_access_tokens"  # noqa: S105  (an address)


class SignedIn(Struct, frozen=True, kw_only=True):
    """A checked sign-in: what the server says of it, and where its token is kept."""

    url: str
    info: TokenInfo
    kept: str
    #: Whether we renew the token when it ends.
    renewed: bool = False

    @property
    def words(self) -> str:
        """Whose it is, its scopes, and its end."""
        scopes = " and ".join(self.info.scopes) or "unknown scopes"
        looking = "" if self.info.can_write else " (read-only)"
        return f"@{self.info.username or 'unknown'} · {scopes}{looking} · {self._end}"

    @property
    def _end(self) -> str:
        if self.renewed:
            # The present token ends in two hours, which says nothing to a person.
            return "renewed automatically"
        ends = self.info.expires_on
        if ends is None:
            return "token does not expire"
        return f"token expires {ends:%d %b %Y}".replace(" 0", " ")


class SetupConnection:
    """The steps of one set-up. Methods that ask the server raise GlboardError. Close it at the end."""

    def __init__(
        self,
        config: Path,
        settings: GitLabSettings | None = None,
        *,
        folder: Path | None = None,
        as_of: datetime | None = None,
        sign_ins: SignIns | None = None,
    ) -> None:
        """``config`` is the file to write, ``settings`` what it says already of the server."""
        self.config = config
        self.settings = settings or GitLabSettings()
        self._sign_ins = sign_ins or SignIns(self.settings)
        self._store = self._sign_ins.store
        self._progress = ProgressFile(folder)
        self._as_of = as_of
        self.answers = self._progress.load()
        #: What an address led to besides the server: a group, or a project in it.
        self.path = ""
        #: The OAuth application to sign in with; "" if none is configured or was typed.
        self.application = client_id(self.settings)
        #: The one that somebody signed in with; "" if no one did.
        self._signed_in_with = ""
        self.account: Account | None = None
        self._stored: StoredAccount | None = None
        self.signed_in: SignedIn | None = None
        self.found: FoundGroup | None = None
        self._discovery: Discovery | None = None

    async def close(self) -> None:
        """Close the connection."""
        discovery, self._discovery = self._discovery, None
        if discovery is not None:
            await discovery.close()

    # -- server and sign-in

    def sign_ins(self) -> tuple[FoundSignIn, ...]:
        """The sign-ins that this machine has."""
        return self._sign_ins.found()

    def places(self, address: str) -> tuple[ServerPlace, ...]:
        """What an address can mean. Raises ConfigError if it is none, or no token may be sent there."""
        found = places_in(address)
        for place in found:
            server_at(place.url, self.settings)
        return found

    async def reach(self, places: tuple[ServerPlace, ...]) -> ServerPlace:
        """The first of the places at which a GitLab answers. Raises GlboardError if none does."""
        trouble: GlboardError | None = None
        for place in places:
            try:
                await token_check.find_gitlab(server_at(place.url, self.settings))
            except (NotGitLab, NotUnderstood) as error:
                trouble = trouble or error
            except (AuthError, RateLimited):
                return place  # a refusal is an answer, too, and a token may change it
            else:
                return place
        assert trouble is not None  # there is at least one place
        raise trouble

    def token_page(self, url: str) -> str:
        """The address of the page that makes a token, with name and scope filled in."""
        return f"{url}{_TOKEN_PAGE}?{urlencode({'name': 'glboard', 'scopes': 'api'})}"

    @property
    def keyring_command(self) -> str:
        """What installs the package for this computer's keyring; "" if it is installed."""
        return "" if keyring_access.is_installed() else keyring_access.install_command()

    async def use(self, found: FoundSignIn) -> SignedIn:
        """Sign in with what was found: nothing is kept but where it is."""
        account = await asyncio.to_thread(self._sign_ins.account, found)
        async with oauth.opened(account) as transport:
            # One of our own has its token only now, and renews it.
            info = await token_check.check_over(transport, kind=account.kind)
        _refuse_useless(info, account)
        return await self._signed_in(account, info, found.where or found.source, found.source)

    async def use_token(self, places: tuple[ServerPlace, ...], secret: Secret) -> SignedIn:
        """Check a token that was typed, and keep it. The first of the places that is a GitLab counts."""
        trouble: GlboardError | None = None
        for place in places:
            server = server_at(place.url, self.settings)
            try:
                info = await token_check.check(server, secret)
            except (NotGitLab, NotUnderstood) as error:
                trouble = trouble or error
                continue
            _refuse_useless(info, server)
            credential = TokenCredential(secret=secret, scopes=info.scopes, expires_on=info.expires_on)
            self.path = place.path
            return await self._keep(server, info, credential)
        assert trouble is not None  # there is at least one place
        raise trouble

    async def start_device(self, url: str) -> tuple[DeviceSignIn, DeviceCode]:
        """Begin to sign in with a code that is typed in any browser."""
        sign_in = DeviceSignIn(server_at(url, self.settings), self.application)
        return sign_in, await sign_in.start()

    async def start_loopback(self, url: str) -> tuple[LoopbackSignIn, str]:
        """Begin to sign in with this machine's browser; the address to open."""
        sign_in = LoopbackSignIn(server_at(url, self.settings), self.application)
        return sign_in, await sign_in.start()

    async def use_oauth(self, place: ServerPlace, credential: OAuthCredential) -> SignedIn:
        """Check what the browser gave, and keep it."""
        server = server_at(place.url, self.settings)
        info = await token_check.check(server, credential.access, kind="oauth")
        _refuse_useless(info, server)
        self.path = place.path
        self._signed_in_with = credential.client_id
        return await self._keep(server, info, credential)

    async def _keep(
        self, server: Account, info: TokenInfo, credential: TokenCredential | OAuthCredential
    ) -> SignedIn:
        stored = await asyncio.to_thread(
            self._store.save, server.url, info.username, credential, name=info.name
        )
        kept = self._store.place(stored.kept, stored)
        return await self._signed_in(self._sign_ins.stored(stored), info, kept, "glboard", stored)

    async def _signed_in(
        self,
        account: Account,
        info: TokenInfo,
        kept: str,
        source: str,
        stored: StoredAccount | None = None,
    ) -> SignedIn:
        self._stored = stored
        await self.close()
        self.account, self._discovery = account, Discovery(account)
        renewed = info.kind == "oauth" and account.tokens is not None
        self.signed_in = SignedIn(url=account.url, info=info, kept=kept, renewed=renewed)
        same = self.answers.url == account.url
        answers = self.answers if same else Progress()
        self._note(structs.replace(answers, url=account.url, source=source, user=info.username))
        return self.signed_in

    def resumable(self) -> FoundSignIn | None:
        """The sign-in with which an unfinished set-up goes on; None if there is no longer one."""
        wanted = self.answers
        found = [one for one in self.sign_ins() if one.url == wanted.url and one.source == wanted.source]
        return next((one for one in found if one.user in ("", wanted.user)), None)

    def board_account(self) -> Account | None:
        """The sign-in for what comes after the set-up, which has an event loop of its own."""
        return self._sign_ins.stored(self._stored) if self._stored is not None else self.account

    # -- group and proposal

    async def groups(self, text: str) -> Found[GroupChoice]:
        """The groups to choose from."""
        return await self._asked.groups(text)

    async def look(self, path: str) -> FoundGroup:
        """Read what a group has, or the group of a project at that path."""
        self.found = await self._asked.group_at(path)
        chosen = self.answers.chosen if self.answers.group == self.found.path else {}
        self._note(structs.replace(self.answers, group=self.found.path, chosen=chosen))
        return self.found

    async def labels(self, text: str) -> Found[FoundLabel]:
        """Search the group's labels."""
        return await self._asked.labels(self._group.path, text)

    async def milestones(self, text: str) -> Found[Milestone]:
        """Search the group's milestones."""
        return await self._asked.milestones(self._group.path, text)

    def learn(self, labels: tuple[FoundLabel, ...]) -> None:
        """Labels that a search found and a person chose are known from now on."""
        known = {one.title for one in self._group.labels}
        fresh = tuple(one for one in labels if one.title not in known)
        self.found = structs.replace(self._group, labels=(*self._group.labels, *fresh))

    def proposal(self) -> Proposal:
        """The proposal, with what was chosen."""
        return propose(self._group, self.today, zone=local_zone(), chosen=self.answers.chosen)

    def choose(self, key: str, value: tuple[str, ...] | None) -> None:
        """Change a line; None takes what is proposed."""
        chosen = {name: one for name, one in self.answers.chosen.items() if name != key}
        if value is not None:
            chosen[key] = value
        self._note(structs.replace(self.answers, chosen=chosen))

    @property
    def today(self) -> date:
        """Today, or the day that is taken for it."""
        return self._as_of.date() if self._as_of is not None else date.today()  # noqa: DTZ011  (a person's day)

    # -- the file

    def existing(self) -> str | None:
        """The file that is there; None if there is none. Raises ConfigError."""
        return save.existing(self.config)

    def text(self, how: How) -> str:
        """What would be written. Raises ConfigError."""
        before = self.existing() if how == "merge" else None
        return save.text_of(self.proposal(), self.today, how=how, before=before, more=self._reached_by)

    def write(self, how: How) -> Path | None:
        """Write the file; the copy of what was there, if anything was. Raises FileChanged and ConfigError."""
        before = self.existing()
        copy = save.save(self.config, self.text(how), seen=before)
        self._progress.forget()
        return copy

    @property
    def _reached_by(self) -> Mapping[str, object]:
        """What the file says of the way to the server, besides its address."""
        more: dict[str, object] = {}
        account = self.account
        if account is not None and account.url.startswith("http://") and not account.loopback:
            more["allow_http"] = True
        if self._signed_in_with not in ("", client_id(self.settings)):
            # It was typed. The next sign-in needs it again, and it is not secret.
            more["client_id"] = self._signed_in_with
        return more

    @property
    def _asked(self) -> Discovery:
        if self._discovery is None:
            raise GlboardError("Not signed in yet.", hint="Choose a server first.")
        return self._discovery

    @property
    def _group(self) -> FoundGroup:
        if self.found is None:
            raise GlboardError("No group chosen yet.", hint="Choose a group first.")
        return self.found

    def _note(self, answers: Progress) -> None:
        self.answers = answers
        self._progress.keep(answers)


def _refuse_useless(info: TokenInfo, account: Account) -> None:
    """Raises ScopeMissing for a token that can be used for nothing here."""
    if (problem := token_check.unusable(info, account.host)) is not None:
        raise problem
