"""The regional gateway at `/v1`: its map, tokens, folders and GraphQL; neither api1 nor SOAP (dossier 4.2, A)."""

from __future__ import annotations

import re
from datetime import timedelta

from werkzeug.wrappers import Response

from ..kit.codec import decode
from . import api1, graphql
from .call import Call
from .errors import Gateway
from .world import World

_SERVICE = re.compile(r"service/(?P<endpoint>[^/]+)/api")


def serve(world: World, call: Call) -> Response:
    """Answer a call; all but the map and the tokens count for the day and need an access token."""
    base = f"{call.root}/v1"
    if call.cls == "":
        return api1.answer(_map(base))
    if call.cls == "token":
        return _token(world, call)
    if call.cls == "token/authorise":
        return _authorise(world, call)
    if not world.logins.count():
        return _flooded(world)
    paired = world.logins.paired_by(call.authorization)
    if call.cls == "folders" and call.method == "GET":
        kinds = {"dataIngestion": "dataingestion", "dataDelivery": "datadelivery", "dataService": "service"}
        return api1.answer(
            {
                "folders": [
                    {"name": name, "$urls": {kind: f"{base}/{path}/{name}" for kind, path in kinds.items()}}
                    for name in paired.folders
                ]
            }
        )
    match = _SERVICE.fullmatch(call.cls)
    if match is None or call.method != "POST":
        raise Gateway(404, "Not found")
    if "api.graphQL" not in paired.scopes:
        raise Gateway(403, "Forbidden")
    if match["endpoint"] != world.endpoint or world.folder not in paired.folders:
        raise Gateway(404, f"Endpoint {match['endpoint']} not found")
    return graphql.run(world, call)


def refused(error: Gateway) -> Response:
    """Word a refusal: a message in an object, or the bare text."""
    return api1.answer(error.text if error.bare else {"message": error.text}, error.status)


def _map(base: str) -> dict[str, object]:
    return {
        "customerAccess": {"authorise": f"{base}/token/authorise", "token": f"{base}/token"},
        "customerUsage": {
            "folder": f"{base}/folders",
            "graphQL": f"{base}/service/{{endPoint}}/api",
            "dataIngestion": f"{base}/dataingestion/{{folderName}}",
            "dataDelivery": f"{base}/datadelivery/{{folderName}}",
        },
        "apiDoc": f"{base}/swagger",
        "businessDomains": ["ALL"],
    }


def _token(world: World, call: Call) -> Response:
    """Trade a code or a refresh token; the body is JSON, never a form."""
    if call.method != "POST":
        raise Gateway(404, "Not found")
    try:
        body = decode(call.body)
    except ValueError:
        raise Gateway(400, "Missing required request parameters") from None
    if not isinstance(body, dict) or not call.headers.get("Content-Type", "").startswith("application/json"):
        raise Gateway(400, "Missing required request parameters")
    return api1.answer(world.logins.issue(body))


def _authorise(world: World, call: Call) -> Response:
    """Ask for a pairing, which a person accepts elsewhere: `Paired.code` is what the callback then brings."""
    needed = ("client_id", "scope", "customer", "redirect_uri", "state")
    if any(not call.args.get(name) for name in needed):
        raise Gateway(400, "Missing required request parameters")
    if call.args["client_id"] not in world.logins.paired:
        raise Gateway(404, "Could not associate the values with an active application", bare=True)
    return api1.answer({"message": "The pairing request has been sent."})


def _flooded(world: World) -> Response:
    """Tell that the day's quota is used up, and how long the day still lasts (status and header are inferred)."""
    now = world.clock()
    midnight = (now + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    headers = {"Retry-After": str(int((midnight - now).total_seconds()))}
    return api1.answer({"message": "Quota of requests per day exceeded"}, 429, headers)
