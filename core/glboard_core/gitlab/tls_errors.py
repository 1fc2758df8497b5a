"""The words for an encrypted connection that failed: what is wrong with the certificate, and the setting.

Owns these texts. A certificate can be fine and the trusted authorities wrong, or the other way round; the
advice names what is in effect, since adding to a setting that nothing reads is no help.
"""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

from glboard_core.errors import TlsFailed
from glboard_core.model.clean_text import line

if TYPE_CHECKING:
    from glboard_core.gitlab.route import Proxy

#: OpenSSL's reasons why a certificate is rejected that another authority would not help against.
_NOT_YET, _EXPIRED, _NAMES = 9, 10, (62, 64)


def tls_failed(host: str, problem: ssl.SSLError, proxy: Proxy | None, trusted_by: str = "") -> TlsFailed:
    """The error for a handshake with ``host``; ``trusted_by`` is the setting that says whom to trust."""
    # With an encrypted way to the proxy it can be either one's.
    either = f"{host} or of the proxy {proxy.shown}" if proxy is not None and proxy.encrypted else host
    if isinstance(problem, ssl.SSLCertVerificationError):
        return _not_trusted(either, problem, trusted_by)
    return TlsFailed(
        f"TLS with {host} failed ({line(str(problem.reason or 'unknown reason'))[:80]}).",
        hint=f"Check that {proxy.setting} sets the correct proxy."
        if proxy is not None
        else "Check that the server uses HTTPS on this port. Without HTTPS, use http:// and --allow-http.",
    )


def _not_trusted(whose: str, problem: ssl.SSLCertVerificationError, trusted_by: str) -> TlsFailed:
    code = getattr(problem, "verify_code", 0)
    if code in (_NOT_YET, _EXPIRED):
        said = "has expired, or its authority's has" if code == _EXPIRED else "is not valid yet"
        return TlsFailed(
            f"The certificate of {whose} {said}.",
            hint="Check this computer's clock. If it is correct, the certificate must be renewed.",
        )
    if code in _NAMES:
        return TlsFailed(
            f"The certificate of {whose} is for another name.",
            hint="Use the name in the certificate. If the name is correct, something in between is "
            "responding.",
        )
    hint = "Set your certificate authority in SSL_CERT_FILE, or as ca_cert under [gitlab] in config.toml."
    if trusted_by:
        hint = f"Add the certificate's authority to {trusted_by}, where it is missing."
    return TlsFailed(
        f"The certificate of {whose} is not trusted ({line(str(problem.verify_message))[:200]}).", hint=hint
    )
