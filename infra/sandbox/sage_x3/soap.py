"""The classic SOAP web service CAdxWebServiceXmlCC: `run` of a published subprogram in a pool (dossier 5, B)."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree
from xml.sax.saxutils import escape, quoteattr

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring
from werkzeug.wrappers import Response

from ..kit.codec import decode, encode
from . import api1, imports
from .call import Call
from .errors import Soap
from .world import World

NAMESPACE = "http://www.adonix.com/WSS"
_ENVELOPE = "http://schemas.xmlsoap.org/soap/envelope/"
_OPERATIONS = ("run", "read", "query", "save", "modify", "delete", "getDescription")


def serve(world: World, call: Call) -> Response:
    """Answer a call that knows who it is; raises `Soap`."""
    if call.authorization.startswith("Bearer "):
        world.logins.signed(call.authorization, "Error 30: Invalid token")
    else:
        api1.log_in(world, call.authorization)
    if call.cls == "wsdl" or call.method != "POST":
        return _described(call)
    if not world.children:
        raise Soap("No web services accepted", 500)
    if "SOAPAction" not in call.headers:
        raise Soap("SOAPAction header is missing", 500)
    name, parts = _read(call.body)
    context = {child.tag: (child.text or "").strip() for child in parts.get("callContext", ())}
    pool = context.get("poolAlias", "")
    if pool not in world.pools:
        raise Soap(f"No classic web service pool match to '{pool}'")
    published = (parts["publicName"].text or "").strip() if "publicName" in parts else ""
    if name != "run" or published not in imports.PUBLISHED:
        raise Soap(f"Web service {published or name} is not published")
    text = (parts["inputXml"].text or "").strip() if "inputXml" in parts else ""
    found = imports.PUBLISHED[published](world, _inputs(text))
    shown = encode(found).decode() if "adxwss.optreturn=JSON" in context.get("requestConfig", "") else _xml(found)
    return answer(world, 1, [], shown)


def answer(world: World, status: int, messages: list[tuple[int, str]], result: str = "") -> Response:
    """Give an answer of `run`; messages stand inside, or beside it as `multiRef`, as one live client reads them."""
    bodies = [f'<message xsi:type="xsd:string">{escape(text)}</message><type>{kind}</type>' for kind, text in messages]
    if world.multi_ref:
        inside = "".join(f'<messages href="#id{number}"/>' for number, _ in enumerate(bodies))
        beside = "".join(f'<multiRef id="id{number}">{body}</multiRef>' for number, body in enumerate(bodies))
    else:
        inside, beside = "".join(f"<messages>{body}</messages>" for body in bodies), ""
    shown = f"<![CDATA[{result}]]>" if result else ""
    body = (
        f'<wss:runResponse xmlns:wss="{NAMESPACE}"><runReturn xsi:type="wss:CAdxResultXml">'
        f'<messages>{inside}</messages><resultXml xsi:type="xsd:string">{shown}</resultXml>'
        f'<status xsi:type="xsd:int">{status}</status><technicalInfos/></runReturn></wss:runResponse>{beside}'
    )
    return _enveloped(body)


def refused(world: World, error: Soap) -> Response:
    """Word a refusal: status 0 under a 200, or a bare text under another status."""
    if error.http != 200:
        return Response(error.text, error.http, content_type="text/plain")
    return answer(world, 0, [(3, error.text)])


def _enveloped(body: str, status: int = 200) -> Response:
    types = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:xsd="http://www.w3.org/2001/XMLSchema"'
    text = (
        f'<soapenv:Envelope xmlns:soapenv="{_ENVELOPE}" {types}><soapenv:Body>{body}</soapenv:Body></soapenv:Envelope>'
    )
    return Response(f'<?xml version="1.0" encoding="UTF-8"?>{text}', status, content_type="text/xml; charset=utf-8")


def _described(call: Call) -> Response:
    operations = "".join(f"<operation name={quoteattr(name)}/>" for name in _OPERATIONS)
    port = f'<portType name="CAdxWebServiceXmlCC">{operations}</portType>'
    address = f'<service name="CAdxWebServiceXmlCCService"><port address={quoteattr(call.root + call.path)}/></service>'
    wsdl = f'<definitions targetNamespace="{NAMESPACE}" xmlns="http://schemas.xmlsoap.org/wsdl/">{port}{address}</definitions>'
    return Response(wsdl, 200, content_type="text/xml; charset=utf-8")


def _read(body: bytes) -> tuple[str, dict[str, ElementTree.Element]]:
    """Give the operation and its parts, which have no namespace; raises `Soap` for a fault."""
    try:
        root = fromstring(body, forbid_dtd=True)
    except (ElementTree.ParseError, DefusedXmlException) as error:
        raise Soap(f"The envelope cannot be read: {error}", 500) from None
    outer = root.find(f"{{{_ENVELOPE}}}Body")
    operation = None if outer is None else next(iter(outer), None)
    if root.tag != f"{{{_ENVELOPE}}}Envelope" or operation is None:
        raise Soap("The envelope has no body", 500)
    name = operation.tag.removeprefix(f"{{{NAMESPACE}}}")
    if name == operation.tag or name not in _OPERATIONS:
        raise Soap(f"Operation {operation.tag} is unknown", 500)
    return name, {child.tag: child for child in operation}


def _inputs(text: str) -> dict[str, Any]:
    """Read the input, which is JSON, or `<PARAM>` with groups of fields."""
    if not text.startswith("<"):
        try:
            found = decode(text.encode())
        except ValueError as error:
            raise Soap(f"inputXml cannot be read: {error}") from None
        if not isinstance(found, dict):
            raise Soap("inputXml cannot be read: an object is expected")
        return found
    try:
        root = fromstring(text, forbid_dtd=True)
    except (ElementTree.ParseError, DefusedXmlException) as error:
        raise Soap(f"inputXml cannot be read: {error}") from None
    groups: dict[str, Any] = {group.get("ID", ""): _fields(group) for group in root.iter("GRP")}
    return groups | {table.get("ID", ""): [_fields(line) for line in table.iter("LIN")] for table in root.iter("TAB")}


def _fields(element: ElementTree.Element) -> dict[str, str]:
    return {found.get("NAME", ""): found.text or "" for found in element.iter("FLD")}


def _xml(found: dict[str, dict[str, Any]]) -> str:
    groups = "".join(
        f"<GRP ID={quoteattr(name)}>"
        + "".join(f"<FLD NAME={quoteattr(key)}>{escape(str(value))}</FLD>" for key, value in fields.items())
        + "</GRP>"
        for name, fields in found.items()
    )
    return f'<?xml version="1.0" encoding="UTF-8"?><RESULT>{groups}</RESULT>'
