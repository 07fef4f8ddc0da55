"""The classic SOAP web services, and import templates that run in them: one document in a call.

Nothing that an import says is proof (`docs/vendors/sage_x3.md`): a failed one may have written, and a good one need not
have. So all that is found out here is whether it ran, with its words; whoever sent a document reads it back.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, NoReturn
from xml.etree.ElementTree import Element

from ml_connector.errors import LoginRefused, Misconfigured, OutcomeUnknown, Transient, Unreachable
from ml_connector.systems.http import Call, Http, Reply
from ml_connector.systems.kit.credentials import Basic
from ml_connector.systems.kit.faults import WORDS, Fault
from ml_connector.systems.kit.import_files import layout, written
from ml_connector.systems.kit.logins import UserPassword
from ml_connector.systems.kit.soap import HEADERS, body_in, called, fault_in
from ml_connector.systems.kit.xml import below, decoded, text_of, without
from ml_connector.systems.sage_x3.entities import Created, Entity
from ml_connector.systems.sage_x3.faults import VENDOR
from ml_connector.systems.sage_x3.settings import Soap

NAMESPACE = "http://www.adonix.com/WSS"
REQUEST = "adxwss.optreturn=JSON&adxwss.beautify=false&adxwss.trace.on=off"
IMPORT, WORDED = "AOWSIMPORT", "O_MESSA"
LAYOUTS = {
    "journal": layout(
        "G",
        "TYP NUM FCY JOU ACCDAT DESVCR CUR DACDIA RATMLT DUDDAT FLGPAZ FLGFUP REF BPRVCR ENTDAT RATDAT "
        "REFINT BPRDATVCR",
        GACCENTRYD=layout(
            "D",
            "TYP NUM LIN LEDTYP IDTLIN FCYLIN SAC ACC BPR DES SNS AMTCUR CUR",
            GACCENTRYA=layout(
                "A", "DIE.0 CCE.0 DIE.1 CCE.1 AMTCUR " + " ".join(f"DIE.{n} CCE.{n}" for n in range(2, 9)), 5
            ),
        ),
    ),
    "payment": layout(
        "P",
        "NUM PAYTYP BPR BAN FCY CUR AMTCUR ACCDAT CHQNUM DES APPFLG",
        PAYMENTD=layout("D", "DENCOD VCRTYP VCRNUM DUDNUM CURLIN AMTLIN"),
    ),
}
"""The columns that an import template must have, by entity; the administrator makes it so."""
_NO_POOL = re.compile('[^<>"]*(?:web services? pool|no web services? accepted)[^<>"]*', re.IGNORECASE)
_ERROR = frozenset({"", "3", "4", "error", "fatal"})
"""Types of messages that are, or may be, errors: 1 is information, 2 a warning."""


def login(http: Http, auth: UserPassword) -> Basic:
    """Make the login that SOAP has of its own: its password is tried once; the rest, the calls themselves judge."""

    def judge(reply: Reply) -> LoginRefused | None:
        said = f"{VENDOR} refused user '{auth.user}' at {http.base_url}: {reply.text(120)}. Check 'soap.auth'."
        return LoginRefused(said) if reply.status == 401 else None

    return Basic(http, auth.user, auth.password.get_secret_value(), proof="?wsdl", judge=judge)


class Imports:
    """The `Writer` that imports one document in a call."""

    def __init__(self, http: Http, settings: Soap) -> None:
        """`http` is the service's own address, with its login."""
        self._http, self._settings = http, settings

    def template(self, entity: Entity) -> str:
        """Name the template of an entity. Raises `Misconfigured` where the secret names none."""
        found: str | None = getattr(self._settings.templates, entity.name, None)
        if found is None:
            raise Misconfigured(
                f"the field 'soap.templates.{entity.name}' is missing: 'write_via' is soap; name the import template"
            )
        return found

    def takes(self, entity: Entity, operation: str = "create") -> str:  # noqa: ARG002 - there is no other
        """Import a file without any record: nothing is written, and pool, service and template are proven."""
        well, words = self._run(entity, "END", safe=True)
        if not well:
            raise Misconfigured(
                f"{VENDOR} does not run {IMPORT} with template {self.template(entity)}: {words or 'no reason'}. "
                "Publish the service to this user, and open the template to imports."
            )
        return f"template {self.template(entity)} can be imported in pool {self._settings.pool_alias}"

    def file(self, entity: Entity, body: Mapping[str, Any]) -> str:
        """Write a document as a file. Raises `Rejected` where a value would break it."""
        return written(LAYOUTS[entity.name], body, entity.key, VENDOR)

    def create(self, entity: Entity, body: Mapping[str, Any]) -> Created | Fault:
        """Import a document. Its key is never known, nor whether there is one; `O_MESSA` of the record has the words.

        Raises `OutcomeUnknown`, and `Unreachable` where no service ran at all.
        """
        well, words = self._run(entity, self.file(entity, body), safe=False)
        return Created(None, {WORDED: words}) if well else Fault(200, "", words or "no reason is given")

    def update(self, entity: Entity, key: str, changed: Mapping[str, Any]) -> Fault | None:
        """Nothing is changed by an import: without the right key column it would make another one."""
        raise Misconfigured(
            f"{VENDOR}'s {entity.title} {key} cannot be changed by an import ({', '.join(changed)}); set "
            "'write_via' to api1 or graphql."
        )

    def _run(self, entity: Entity, file: str, *, safe: bool) -> tuple[bool, str]:
        """Run an import once, right away; tells whether its status is 1, and all errors and words that it gives."""
        given = {"I_MODIMP": self.template(entity), "I_AOWSTA": "NO", "I_EXEC": "REALTIME"}
        given |= {"I_RECORDSEP": "|", "I_FILE": file}
        body, reply = self._asked(json.dumps({"GRP1": given}, ensure_ascii=False), safe=safe)
        status = next((text_of(one).strip() for _, one in below(body, "status")), "")
        if status not in {"0", "1"}:
            _doubt(f"did not tell whether {IMPORT} ran: {reply.text(120)}", reply, safe=safe)
        words = [*_errors(body), _outcome(body)]
        return status == "1", reply.clean(" · ".join(one for one in words if one))[:WORDS]

    def _asked(self, given: str, *, safe: bool) -> tuple[Element, Reply]:
        """Call the service. Raises `Unreachable` where none runs: all documents wait, and none is at fault."""
        settings = self._settings
        context = {"codeLang": settings.language, "poolAlias": settings.pool_alias, "poolId": ""}
        asked = {"callContext": ("CAdxCallContext", {**context, "requestConfig": REQUEST})}
        content = called(NAMESPACE, "run", {**asked, "publicName": IMPORT, "inputXml": given})
        call = Call(
            "POST", "", content=content, headers=HEADERS, safe=safe, want="text", expect=(200, 201, 202, 204, 500)
        )
        reply = self._http.call(call)
        text = decoded(reply.body, "cp1252")
        if (said := _NO_POOL.search(without(text, "resultXml"))) is not None:
            raise Unreachable(
                f"{VENDOR} runs no web service at this time, so nothing was written: {reply.clean(said[0])}. Start the "
                f"pool {settings.pool_alias} (and web-service processes on its host), or correct 'soap.pool_alias'."
            )
        try:
            body = body_in(text)
        except ValueError as error:
            _doubt(f"gave no whole answer ({error}): {reply.text(120)}", reply, safe=safe)
        if (fault := fault_in(body)) is not None:
            _doubt(f"reported a fault: {reply.clean(fault)[:WORDS]}", reply, safe=safe)
        return body, reply


def _doubt(what: str, reply: Reply, *, safe: bool) -> NoReturn:
    message = f"{VENDOR}'s SOAP service {what}"
    served = 200 <= reply.status < 300 and b"nvelope" in reply.body[:200]
    raise Transient(message) if safe else OutcomeUnknown(message, taken=served or reply.took)


def _errors(body: Element) -> Iterator[str]:
    """List the texts of errors, wherever they stand."""
    for inside, one in below(body, "message"):
        if text_of(inside[-1] if inside else None, "type").strip().lower() in _ERROR:
            yield " ".join(text_of(one).split())


def _outcome(body: Element) -> str:
    """Give what an import says of itself, whatever group that stands in."""
    told = next((text_of(one) for _, one in below(body, "resultXml")), "")
    try:
        groups = json.loads(told) if told.strip() else {}
    except (ValueError, RecursionError):
        return ""
    found = (one.get(WORDED) for one in (groups.values() if isinstance(groups, dict) else ()) if isinstance(one, dict))
    return " ".join(str(next((one for one in found if one), "")).split())
