"""How a server is reached: which certificates count for it, and which of ours identify us to it.

Owns in which order the settings win: glboard's own, then glab's, then python-gitlab's; what none of them says
is the environment's (``SSL_CERT_FILE``), in ``gitlab.route``. It holds for a token of any source.
"""

from __future__ import annotations

from contextlib import suppress

from msgspec import structs

from glboard_core.auth.sources import Glab, PythonGitlab
from glboard_core.config import GitLabSettings
from glboard_core.errors import ConfigError
from glboard_core.gitlab.account import Account

#: What names a setting of ours in messages.
_OURS = "in [gitlab]"


def with_trust(
    account: Account, settings: GitLabSettings, glab: Glab, python_gitlab: PythonGitlab
) -> Account:
    """The account with what is said of its server's certificate, and ours.

    A file of another program that cannot be used for that is passed over.
    """
    account = _with_certificate(account, settings, glab)
    if settings.skip_tls_verify:
        return structs.replace(account, verify=False, verified_by=f"skip_tls_verify {_OURS}")
    if settings.ca_cert:
        return structs.replace(account, verify=settings.ca_cert, verified_by=f"ca_cert {_OURS}")
    with suppress(ConfigError, OSError):
        if (entry := glab.trust(account.url)) is not None:
            if entry.skip_tls_verify:
                by = f"skip_tls_verify in {glab.file}"
                return structs.replace(account, verify=False, verified_by=by)
            if entry.ca_cert:
                return structs.replace(account, verify=entry.ca_cert, verified_by=f"ca_cert in {glab.file}")
    with suppress(ConfigError):
        if (found := python_gitlab.ssl_verify(account.url)) is not None:
            verify, file = found
            return structs.replace(account, verify=verify, verified_by=f"ssl_verify in {file}")
    return account


def _with_certificate(account: Account, settings: GitLabSettings, glab: Glab) -> Account:
    cert, key, by = settings.client_cert, settings.client_key, f"client_cert {_OURS}"
    if not cert:
        with suppress(ConfigError, OSError):
            if (entry := glab.trust(account.url)) is not None and entry.client_cert:
                cert, key, by = entry.client_cert, entry.client_key, f"client_cert in {glab.file}"
    if not cert:
        return account
    return structs.replace(account, client_cert=cert, client_key=key, identified_by=by)
