"""The services of e.net: sessions, queries, postings, maintenance; each answers with a text."""

from __future__ import annotations

from collections.abc import Callable

from . import ap_posting, gl_posting, queries, supplier_setup
from .call import Call
from .errors import NOT_LICENSED, Refusal
from .markup import document, element
from .world import World

VERSION = "8.0.0.21"
OBJECTS: dict[tuple[str, str], Callable[[World, Call], str]] = {
    ("Query/Query", "COMFND"): lambda world, call: queries.find(
        world, company_of(world, call), call.args.get("xmlin", "")
    ),
    ("Transaction/Post", "APSTIN"): lambda world, call: ap_posting.post(world, *documents(call)),
    ("Transaction/Post", "GENTJL"): lambda world, call: gl_posting.post(world, *documents(call)),
    ("Setup/Add", "APSSSP"): lambda world, call: supplier_setup.add(world, *documents(call)),
    ("Setup/Update", "APSSSP"): lambda world, call: supplier_setup.update(world, *documents(call)),
    ("Setup/Delete", "APSSSP"): lambda world, call: supplier_setup.delete(world, *documents(call)),
}
"""Business objects at the services that they belong to; anything else is "not licensed", like one that is."""


def serve(world: World, call: Call) -> str:
    """Answer one call; raises `Refusal`."""
    if call.verb == "GetVersion":
        return VERSION
    if call.verb == "Logon":
        return _logon(world, call)
    if call.verb == "Logoff":
        world.sessions.logoff(call.user_id)
        return "0"
    if call.verb == "GetLogonProfile":
        return profile(world, call)
    if call.verb == "Query/Fetch":
        return queries.fetch(world, company_of(world, call), call.args.get("xmlin", ""))
    name = call.object.upper()
    run = OBJECTS.get((call.verb, name))
    if run is None or (name in world.unlicensed and not name.startswith("COM")):
        raise Refusal(NOT_LICENSED)
    if call.verb != "Query/Query" and company_of(world, call) != world.company:
        raise Refusal(f"Company '{company_of(world, call)}' is not open for posting")
    return run(world, call)


def company_of(world: World, call: Call) -> str:
    """The company that the session was opened for."""
    session = world.sessions.peek(call.user_id)
    return session.company if session is not None else ""


def documents(call: Call) -> tuple[str, str]:
    """The parameters and the document of a posting."""
    return call.args.get("xmlparameters", ""), call.args.get("xmlin", "")


def _logon(world: World, call: Call) -> str:
    names = ("operator", "operatorpassword", "companyid", "companypassword")
    missing = [name for name in names if name not in call.args]
    if missing:
        raise Refusal(f"Logon expects {', '.join(missing)}, even when blank")
    operator, password, company, company_password = (call.args[name] for name in names)
    return world.sessions.logon(operator, password, company, company_password)


def profile(world: World, call: Call) -> str:
    """What the session is; AccountingDate lies in the current period (inferred), CompanyDate is today."""
    session = world.sessions.find(call.user_id)
    today, current = world.today().isoformat(), world.current_period
    accounting = today if today.startswith(current) else f"{current}-01"
    texts = {
        "CompanyName": world.company_name,
        "OperatorCode": session.operator,
        "AccountingDate": accounting,
        "CompanyDate": today,
        "LocalCurrencyCode": world.local_currency,
        "DefaultApBranch": min(world.branches, default=""),
        "DecimalFormat": "1",
        "DateFormat": "1",
        "SysproVersion": world.version,
        "EnetVersion": VERSION,
    }
    return document("UserProfile", world.version, [element(name, text=text) for name, text in texts.items()])
