"""How AvidXchange is logged in to: client credentials, fixed headers, or a person's password with two bearer headers.

Its logins are documented to say back user name and password in clear when they fail: nothing of one is kept or told.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from ml_connector.ports import Clock
from ml_connector.systems.avidxchange.settings import Settings
from ml_connector.systems.http import Call, Http
from ml_connector.systems.kit.credentials import ClientCredentials
from ml_connector.systems.kit.header_logins import FixedHeaders, UserLogin
from ml_connector.systems.kit.login import Scheme

UNSAID = timedelta(minutes=5)
"""How long a client's token is used whose life the server does not say."""
TOKENS = "Make new tokens in AvidSuite, and check the names of the headers in 'token_headers'."
USER = "Check 'login' and the gateway's key in 'token_headers', and whether the user is locked or the password expired."


def scheme(
    settings: Settings, http: Http, tokens: Http | None, path: str, clock: Clock, proof: Callable[[], Call | None]
) -> Scheme:
    """Make the login that a secret asks for. `tokens` is the server of `token_url`, `path` the path there."""
    if settings.auth == "oauth2" and tokens is not None:
        scopes = tuple((settings.scope or "").split())
        return ClientCredentials(
            tokens,
            clock,
            *settings.token_pair(),
            path,
            scopes=lambda: scopes,
            setting="'token_url'",
            in_form=settings.client_auth == "body",
            shown=False,
            unsaid=UNSAID,
        )
    login, headers = settings.login, settings.fixed_headers()
    if login is None:
        return FixedHeaders(http, headers, proof, TOKENS)
    pair = (login.user, login.password.get_secret_value())
    return UserLogin(
        http, clock, pair, path=login.path, header=login.header, headers=headers, setting="'login.path'", hint=USER
    )
