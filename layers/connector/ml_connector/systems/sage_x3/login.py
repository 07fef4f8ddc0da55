"""How Sage X3 is logged in to: Basic, a connected application's self-signed token, or a pairing's access tokens.

api1 has no session: each request carries its credentials. They are proven by one small call, in the surface that is
read (`docs/vendors/sage_x3.md`).
"""

from __future__ import annotations

import re
from collections.abc import Callable

from ml_connector.context import AdapterContext
from ml_connector.errors import LoginRefused, Misconfigured
from ml_connector.systems.http import Call, Http
from ml_connector.systems.kit.credentials import EVERY
from ml_connector.systems.kit.login import Scheme
from ml_connector.systems.kit.logins import proof_judged, scheme_of
from ml_connector.systems.kit.refresh_tokens import AGAIN
from ml_connector.systems.sage_x3.entities import SUPPLIER
from ml_connector.systems.sage_x3.faults import VENDOR
from ml_connector.systems.sage_x3.settings import Settings

_NUMBERED = re.compile(r"Error (\d+)\b.{0,40}token", re.IGNORECASE)
WHY = {
    "21": "its 'iat' lies in the server's future: set the clock of the X3 server right",
    "30": "the token is none that this server knows: check that the connected application is active there",
    "41": "'client_id' is not that of a connected application of this server",
    "42": "'user' is not the one that the connected application allows",
    "45": "'audience' is not the URL of the connected application, compared letter by letter: slashes, case, port",
    "50": "its signature is wrong or it is over: check 'client_secret', that 'validity_seconds' is no more than the "
    "application's token validity, and the server's clock",
}
"""What the numbers of a refusal mean (`Error NN: Invalid token`, in plain text)."""
_CLIENT = re.compile(r"active application|is disabled|invalid_client", re.IGNORECASE)
_CLIENT_ADVICE = "Check 'client_id', and that the application is enabled at Sage; the refresh token is kept."


def scheme(
    settings: Settings, context: AdapterContext, http: Http, tokens: Http, learn: Callable[[str], None]
) -> Scheme:
    """Make the way to log in that a secret describes; `tokens` is the server of `token_url`."""
    return scheme_of(
        settings.auth,
        context,
        http,
        tokens,
        proof=proof(settings),
        judge=lambda reply: proof_judged(reply, VENDOR, lambda said: refusal(settings, said)),
        nowhere=lambda said: _nowhere(settings, said),
        learn=learn,
        timeout=settings.timeout_seconds,
        advice=lambda said: _CLIENT_ADVICE if _CLIENT.search(said) else AGAIN,
    )


def proof(settings: Settings) -> Call:
    """Ask for something small in the surface that is read."""
    if settings.api == "graphql":
        body = {"query": "{ __typename }", "variables": {}}
        return Call("POST", settings.graphql_path, body=body, headers=settings.graphql_headers, expect=EVERY)
    kind = SUPPLIER.as_configured(settings.classes)
    query = f"representation={kind.representation}.%24query&count=1"
    return Call("GET", f"{settings.api1_path}/{kind.class_name}?{query}", expect=EVERY)


def refusal(settings: Settings, said: str) -> LoginRefused:
    """Say in words why a login is refused; X3 numbers what is wrong with a connected application's token."""
    found = _NUMBERED.search(said)
    why = WHY.get(found[1]) if found else None
    if settings.auth.type == "connected_app":
        hint = f"That is: {why}" if why else "Check client, secret, user and 'audience' of the connected application"
    else:
        hint = (
            "Check user and password, that the user's authentication in Syracuse is basic, and that 'basic' is among "
            "the server's session.auth"
        )
    return LoginRefused(f"{VENDOR} refused user '{settings.auth.user}' at {settings.url}: {said}. {hint}.")


def _nowhere(settings: Settings, said: object) -> Misconfigured:
    surface = settings.graphql_path if settings.api == "graphql" else settings.api1_path
    return Misconfigured(
        f"{settings.url} can be reached, but {surface} is not there: correct the address ('url', 'endpoint' or "
        f"'api'). {said}"
    )
