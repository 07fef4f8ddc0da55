"""What is wrong where a connection cannot be made secure: said by its cause, since no firewall is at fault there."""

from __future__ import annotations

import os
import re
import socket
import ssl
from collections.abc import Iterator
from functools import cache

import httpx

from ml_connector.errors import Misconfigured

EXPIRED, NOT_YET = 10, 9
UNTRUSTED = frozenset({2, 18, 19, 20, 21, 24, 26, 27})
"""No issuer known, self-signed (alone or in a chain), or an issuer that may not issue."""
OTHER_NAME = frozenset({62, 64})
PLAIN = frozenset(
    {
        "WRONG_VERSION_NUMBER",
        "RECORD_LAYER_FAILURE",
        "HTTP_REQUEST",
        "PACKET_LENGTH_TOO_LONG",
        "UNEXPECTED_MESSAGE",
        "BAD_RECORD_TYPE",
        "UNKNOWN_PROTOCOL",
    }
)
"""OpenSSL's names for an answer that is no TLS at all, such as that of a plain http server."""
VERSIONS = frozenset(
    {
        "UNSUPPORTED_PROTOCOL",
        "TLSV1_ALERT_PROTOCOL_VERSION",
        "NO_PROTOCOLS_AVAILABLE",
        "VERSION_TOO_LOW",
        "WRONG_SSL_VERSION",
        "NO_SHARED_CIPHER",
        "DH_KEY_TOO_SMALL",
        "UNSAFE_LEGACY_RENEGOTIATION_DISABLED",
    }
)
_SPOKEN_TO_PLAINLY = re.compile(rb"HTTPS port|SSL-enabled server port|HTTP request to an HTTPS server", re.IGNORECASE)
_RECORD = re.compile(r"(?:bytearray\(b'|b')\\x1[56]\\x03")
_PROBE = 3.0
"""Seconds to see whether a port speaks TLS."""


def trust(ca_bundle: str | None, *, plain: bool = False) -> ssl.SSLContext:
    """Say whom to trust: the certificates of a secret, else those of the machine. Raises `Misconfigured`.

    `plain`: the address is one of http, so that nobody need be trusted.
    """
    if not ca_bundle and plain:
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if not ca_bundle:
        return _of_the_machine(*(os.environ.get(name) for name in ("SSL_CERT_FILE", "SSL_CERT_DIR")))
    try:
        return ssl.create_default_context(cadata=ca_bundle)
    except (ssl.SSLError, ValueError, TypeError) as error:
        raise Misconfigured(f"The field 'ca_bundle' holds no certificate in PEM form ({error}).") from error


@cache
def _of_the_machine(*_named: str | None) -> ssl.SSLContext:
    """Read the authorities that the environment names, else certifi's, once: it takes longer than most requests."""
    return httpx.create_ssl_context()


def trouble(where: str, error: BaseException, *, bundle: bool) -> Misconfigured | None:
    """Make the error of a connection that failed over its security; None where it failed over something else.

    `where` names vendor and host; `bundle`: the secret has a `ca_bundle`.
    """
    for cause in _causes(error):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return Misconfigured(_certificate(where, cause, bundle))
        if isinstance(cause, ssl.SSLError) and cause.reason in PLAIN:
            return Misconfigured(
                f"{where} does not speak https at this port: what answered is no TLS. Write the port that does into "
                "the address in the secret (such as :50000 of a Service Layer), or let the server speak https."
            )
        if isinstance(cause, ssl.SSLError) and cause.reason in VERSIONS:
            return Misconfigured(
                f"{where} and this machine have no TLS version or cipher in common ({cause.reason}). Let the server "
                "offer TLS 1.2 or 1.3."
            )
    return None


def _certificate(where: str, error: ssl.SSLCertVerificationError, bundle: bool) -> str:
    code, said = error.verify_code, error.verify_message.rstrip(".")
    if code in OTHER_NAME:
        return (
            f"The certificate of {where} is for another name ({said}). Use the name that stands in the certificate in "
            "the address in the secret, or let the server have a certificate for this one."
        )
    if code == EXPIRED:
        return f"The certificate of {where} has expired. Renew it on the server."
    if code == NOT_YET:
        return f"The certificate of {where} is not valid yet. Check the clock of this machine and of the server."
    if code in UNTRUSTED and bundle:
        return (
            f"The certificate of {where} is not vouched for by what 'ca_bundle' in the secret holds ({said}). Put the "
            "server's present certificate, or its authority's with all that stand between, into 'ca_bundle' as PEM."
        )
    if code in UNTRUSTED:
        return (
            f"The certificate of {where} is signed by itself or by an authority that is not known here ({said}). Put "
            "that certificate, or its authority's, as PEM text into the field 'ca_bundle' of the secret."
        )
    return f"The certificate of {where} is not accepted: {said}. Replace it on the server."


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


# ── http spoken to https ─────────────────────────────────────────────────────────────────────────────────────────


def plain_to_tls(where: str) -> Misconfigured:
    """Make the error of an address that says http where the server wants https."""
    return Misconfigured(
        f"{where} speaks https at this port, and the address in the secret says http. Write https:// there."
    )


def says_https_wanted(status: int, body: bytes) -> bool:
    """Tell whether a web server says that http came in at its https port, as nginx, Apache and Go do."""
    return status == 400 and _SPOKEN_TO_PLAINLY.search(body[:2_000]) is not None


def shows_tls(error: BaseException) -> bool:
    """Tell whether what was read as an answer is an alert of TLS."""
    return _RECORD.search(str(error)) is not None


def speaks_tls(host: str, port: int) -> bool:
    """Try whether a port speaks TLS; nothing is sent over it, and no certificate is looked at."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        with socket.create_connection((host, port), _PROBE) as plain, context.wrap_socket(plain, server_hostname=host):
            return True
    except (OSError, ValueError):
        return False
