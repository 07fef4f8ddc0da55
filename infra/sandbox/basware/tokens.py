"""POST /v1/tokens and the check of the bearer token (`docs/vendors/basware.md`)."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from datetime import timedelta
from hmac import compare_digest

from werkzeug.wrappers import Response

from ..kit.codec import encode
from .call import Call, answer
from .codec import Record
from .errors import Refused
from .model import Grant
from .scopes import SCOPES


def issue(call: Call) -> Response:
    """Answer a token request: Basic credentials, form fields grant_type and scope."""
    world, client = call.world, _client(call)
    fields = _form(call)
    if fields["grant_type"] != "client_credentials":
        raise _refused(400, "unsupported_grant_type")  # (inferred) RFC 6749
    scopes = frozenset(fields["scope"].split())
    if not scopes or scopes - SCOPES or scopes - world.granted:
        raise _refused(400, "invalid_scope")  # (inferred) the vendor documents no such error
    token = _token(call, client, scopes)
    world.tokens[token] = Grant(scopes, world.now() + timedelta(seconds=world.token_seconds))
    world.logins += 1
    body = {"access_token": token, "scope": " ".join(sorted(scopes)), "expires_in": world.token_seconds}
    return answer({**body, "token_type": "Bearer"})


def _client(call: Call) -> str:
    given = call.request.authorization
    if given is not None and given.type == "basic" and given.username in call.world.clients:
        secret = call.world.clients[given.username]
        if compare_digest(secret.encode(), (given.password or "").encode()):
            return given.username
    call.world.refused_logins += 1
    raise _refused(401, "invalid_client")


def _form(call: Call) -> dict[str, str]:
    """Return the two form fields; 422 in FastAPI's form for another media type, 400 for a missing field."""
    names = ("grant_type", "scope")
    if call.request.mimetype != "application/x-www-form-urlencoded":
        detail = [{"loc": ["body", n], "msg": "field required", "type": "value_error.missing"} for n in names]
        raise Refused(422, "the token request is no form", {"detail": detail})
    for name in names:
        if not call.request.form.get(name):
            raise _refused(400, "invalid_request", f"{name} field required")
    return {name: call.request.form[name] for name in names}


def _refused(status: int, error: str, description: str | None = None) -> Refused:
    body: Record = {"error": error}
    if description:
        body["error_description"] = description
    return Refused(status, f"{error} {description or ''}".strip(), body)


def _token(call: Call, client: str, scopes: frozenset[str]) -> str:
    """Return something that looks like the vendor's JWT; its signature is random."""
    issued = int(call.world.now().timestamp())
    header = {"alg": "RS256", "kid": "sandbox", "typ": "at+jwt"}
    claims = {
        "sub": client,
        "scope": " ".join(sorted(scopes)),
        "auth_time": issued,
        "iss": "https://api.basware.com",
        "aud": "OpenAPI",
        "exp": issued + call.world.token_seconds,
        "iat": issued,
        "jti": call.world.new_id(),
        "bwcid": "000000-SANDBOX",
    }
    parts = (encode(header), encode(claims), call.world.rng.randbytes(64))
    return ".".join(urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)


def check(call: Call, scope: str | None) -> None:
    """Refuse a request without a live bearer token that holds `scope` (None: any token will do)."""
    given = call.request.authorization
    grant = call.world.tokens.get(given.token or "") if given is not None and given.type == "bearer" else None
    if grant is None:
        raise unauthorized(call, "no bearer token, or an unknown one")
    if grant.expires <= call.world.now():
        raise unauthorized(call, "the token has expired")
    if scope is not None and scope not in grant.scopes:
        # (inferred) 401 and not 403: the vendor lists 403 for organizations and user groups alone.
        raise unauthorized(call, f"the token lacks the scope {scope}")


def unauthorized(call: Call, reason: str) -> Refused:
    """Return the 401, with a body only in the notification and Data Access APIs."""
    push = call.route.split("/")[2] in ("subscriptions", "tasks", "dataExtracts")
    return Refused(401, reason, {"message": "Unauthorized"} if push else None)
