"""The addresses of the API: which handler answers, and which scope it needs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial

from werkzeug.routing import Map, Rule
from werkzeug.wrappers import Response

from . import (
    answers,
    companies,
    control,
    data_extracts,
    documents,
    exported,
    links,
    masterdata,
    request_status,
    subscriptions,
    tokens,
)
from .entities import ENTITIES

Handler = Callable[..., Response]

API, LOGIN, STORAGE, CONTROL = "api", "login", "storage", "control"


@dataclass(frozen=True)
class Endpoint:
    """A handler and how its requests are let in: `kind` api needs a token with a scope of `api`."""

    handler: Handler
    api: str = ""
    kind: str = API
    locks_itself: bool = False


def _api(method: str, path: str, api: str, handler: Handler, *, locks_itself: bool = False) -> Rule:
    return Rule(path, methods=[method], endpoint=Endpoint(handler, api, API, locks_itself))


def _masterdata() -> list[Rule]:
    rules = []
    for entity in ENTITIES:
        path = f"/v1/{entity.path}" + ("/<list_key>" if entity.path == "lists" else "")
        handlers: dict[tuple[str, str], Handler] = {
            ("GET", path): masterdata.get_list,
            ("POST", path): masterdata.post,
            ("DELETE", path): masterdata.delete,
            ("GET", f"{path}/<code>"): masterdata.get_one,
            ("PATCH", f"{path}/<code>"): masterdata.patch,
        }
        for (method, address), handler in handlers.items():
            if method == "PATCH" and not entity.patch:
                continue
            rules.append(_api(method, address, entity.path, partial(handler, entity=entity)))
    return rules


def _companies() -> list[Rule]:
    return [
        _api("GET", "/v1/companies", "companies", companies.get_list),
        _api("GET", "/v1/companies/<code>", "companies", companies.get_one),
    ]


def _documents() -> list[Rule]:
    api, path = "accountingDocuments", "/v1/accountingDocuments"
    one = f"{path}/<invoice_id>"
    return [
        _api("GET", path, api, documents.get_list),
        _api("DELETE", path, api, documents.delete),
        _api("GET", f"{path}/status", api, documents.look_up),
        _api("GET", one, api, documents.get_one),
        _api("POST", f"{one}/acknowledge", api, documents.acknowledge),
        _api("GET", f"{one}/attachments/<code>", api, documents.attachment),
        *(_api("POST", f"{one}/{kind.path}", api, partial(answers.post, kind=kind)) for kind in answers.KINDS),
    ]


def _extracts() -> list[Rule]:
    """(inferred) No scope belongs to this API, so every token may call it."""
    path = "/v1/dataExtracts"
    one = f"{path}/<extract_id>"
    return [
        _api("GET", path, "", data_extracts.get_list),
        _api("GET", f"{path}/specification/tableDefinition", "", data_extracts.get_definition),
        _api("GET", one, "", data_extracts.get_files),
        _api("GET", f"{one}/getFile", "", data_extracts.get_file),
        _api("POST", f"{one}/acknowledge", "", data_extracts.acknowledge),
    ]


def _exported() -> list[Rule]:
    return [
        _api(method, path, kind.path, handler)
        for kind in exported.KINDS
        for (method, path), handler in exported.handlers(kind).items()
    ]


def _statuses() -> list[Rule]:
    path, hooks = "/v1/requestStatus", "/v1/subscriptions"
    return [
        _api("GET", path, "requestStatus", request_status.get_list),
        _api("GET", f"{path}/<request_id>", "requestStatus", request_status.get_one),
        _api("POST", f"{path}/acknowledge", "requestStatus", request_status.acknowledge),
        _api("POST", hooks, "subscriptions", subscriptions.post, locks_itself=True),
        _api("GET", hooks, "subscriptions", subscriptions.get_list),
        _api("DELETE", hooks, "subscriptions", subscriptions.delete),
        _api("GET", "/v1/tasks", "tasks", subscriptions.get_tasks),
        _api("GET", "/v1/tasks/<task_id>", "tasks", subscriptions.get_task),
    ]


def _control() -> list[Rule]:
    table: dict[tuple[str, str], Handler] = {
        ("GET", "state"): control.state,
        ("GET", "imported/<path:entity>"): control.imported,
        ("POST", "entities/<path:entity>"): control.put_entities,
        ("POST", "documents"): control.put_documents,
        ("POST", "documents/<invoice_id>"): control.change_document,
        ("POST", "faults"): control.put_faults,
        ("DELETE", "faults"): control.clear_faults,
        ("POST", "verdicts"): control.put_verdicts,
        ("POST", "settings"): control.settings,
        ("POST", "tokens/expire"): control.expire_tokens,
    }
    return [
        Rule(f"/_sandbox/{path}", methods=[method], endpoint=Endpoint(handler, kind=CONTROL))
        for (method, path), handler in table.items()
    ]


@cache
def build_map() -> Map:
    """Return the routing table: one for all servers, since it holds nothing of theirs."""
    rules = [*_masterdata(), *_companies(), *_documents(), *_extracts(), *_exported(), *_statuses(), *_control()]
    rules.append(Rule("/v1/tokens", methods=["POST"], endpoint=Endpoint(tokens.issue, kind=LOGIN)))
    rules.append(Rule("/_documents/<name>", methods=["GET"], endpoint=Endpoint(links.download, kind=STORAGE)))
    return Map(rules, strict_slashes=False, redirect_defaults=False, merge_slashes=False)
