"""`/v1/companies`: the companies that were posted to the API, which is not where P2P has its own from.

Most accounts have them from elsewhere, and then nothing is listed: `World.companies_posted`.
"""

from __future__ import annotations

from werkzeug.wrappers import Response

from . import paging
from .call import Call, answer
from .codec import Record
from .errors import Refused


def get_list(call: Call) -> Response:
    """Return one page of the companies."""
    entries = [paging.Entry(code, _entity(code)) for code in _posted(call)]
    page = paging.cut(call, entries, 500, 500)
    response = answer({"companies": page.records} if call.world.wrapped_lists else page.records)
    response.headers.update(page.headers())
    return response


def get_one(call: Call, code: str) -> Response:
    """Return one company by its code."""
    if code not in _posted(call):
        raise Refused(404, f"no company {code}")
    return answer(_entity(code))


def _posted(call: Call) -> list[str]:
    return sorted(call.world.companies) if call.world.companies_posted else []


def _entity(code: str) -> Record:
    return {"companyCode": code, "name": f"Company {code}", "active": True}
