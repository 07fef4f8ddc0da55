"""Pages of OData servers: rows in `value`, a next link beside them whose `$skip` leads on."""

from __future__ import annotations

from typing import Any

import httpx

from tests.contract.conformance.parts import TABLE, Row, decoded, recoded
from tests.contract.conformance.wire import ELSEWHERE


class ODataPages:
    """What `Stand` asks of pages, for such a server."""

    def rows(self, body: Any) -> list[Row]:
        if not isinstance(body, dict) or "error" in body:
            return []
        rows = body.get("value", [body])
        return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []

    def repage(self, request: httpx.Request, response: httpx.Response, change: str) -> httpx.Response:
        body = decoded(response)
        if not isinstance(body, dict) or "value" not in body:
            return response
        if TABLE in body:  # it has no links
            return recoded(response, body | {"value": []} if change == "empty" else body)
        prefix = "@odata." if any(name.startswith("@odata.") for name in body) else "odata."
        link = body.get(f"{prefix}nextLink")
        if change == "empty":
            body["value"] = []
        elif change == "loop":
            body[f"{prefix}nextLink"] = f"{request.url.path}?$skip={request.url.params.get('$skip', '0')}"
        elif change == "onward":  # a link that gets on, whatever the page holds
            skip = int(request.url.params.get("$skip", "0")) + max(len(body["value"]), 1)
            body[f"{prefix}nextLink"] = f"{request.url.path}?$skip={skip}"
        elif change == "foreign" and link:
            body[f"{prefix}nextLink"] = f"https://{ELSEWHERE}/{link.rpartition('/')[2]}"
        return recoded(response, body)
