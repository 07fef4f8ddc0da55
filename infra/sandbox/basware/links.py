"""Pre-signed downloads: the redirect and the storage server behind it (`docs/vendors/basware.md`)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from werkzeug.wrappers import Response

from ..kit.codec import encode
from .call import Call
from .model import Link

_ERROR = '<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{}</Code><Message>{}</Message></Error>'


def redirect_json(call: Call, body: Any, headers: dict[str, str]) -> Response:
    """Redirect to `body` as JSON."""
    return redirect(call, encode(body), "application/json", headers)


def redirect(call: Call, body: bytes, content_type: str, headers: dict[str, str]) -> Response:
    """Answer 302 to a fresh link to `body`; `headers` come with both answers (inferred)."""
    world, name = call.world, call.world.rng.randbytes(24).hex()
    world.links[name] = Link(body, content_type, world.now() + timedelta(seconds=world.link_seconds), headers)
    _forget_expired(call)
    response = Response(status=302, headers={"Location": f"{call.request.host_url}_documents/{name}", **headers})
    response.autocorrect_location_header = False
    return response


def _forget_expired(call: Call) -> None:
    """Keep the memory bounded in long runs."""
    links = call.world.links
    if len(links) > 200:
        for name in [name for name, link in links.items() if link.expires <= call.world.now()]:
            del links[name]


def download(call: Call, name: str) -> Response:
    """Serve a link as S3 does: 400 when the request carries a second way to log in, 403 once it has expired."""
    if "Authorization" in call.request.headers:
        return _error(400, "InvalidArgument", "Only one auth mechanism allowed")
    link = call.world.links.get(name)
    if link is None or link.expires <= call.world.now():
        return _error(403, "AccessDenied", "Request has expired")
    if call.world.single_use_links:
        del call.world.links[name]
    return Response(link.body, content_type=link.content_type, headers=link.headers)


def _error(status: int, code: str, message: str) -> Response:
    return Response(_ERROR.format(code, message), status, content_type="application/xml")
