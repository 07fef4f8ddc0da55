"""SOAP 1.1 with calls of remote procedures: how one is written, and what the body of an answer is."""

from __future__ import annotations

from collections.abc import Mapping
from xml.etree.ElementTree import Element

from ml_connector.systems.kit.xml import below, child, element, name_of, parsed, text_of, written

_ENVELOPE = "http://schemas.xmlsoap.org/soap/envelope/"
_ENCODING = "http://schemas.xmlsoap.org/soap/encoding/"
_SCHEMA = "http://www.w3.org/2001/XMLSchema"
Arguments = Mapping[str, "str | tuple[str, Arguments]"]
"""Arguments by name, in their order: a text, or a type of the service with arguments of its own."""
HEADERS = {"Content-Type": "text/xml; charset=utf-8", "SOAPAction": '""', "Accept": "text/xml"}


def called(namespace: str, operation: str, arguments: Arguments) -> bytes:
    """Write a call. Raises `Rejected` for text that XML cannot hold."""
    run = element(f"wss:{operation}", **{"soapenv:encodingStyle": _ENCODING})
    run.extend(_typed(arguments))
    body = element("soapenv:Body")
    body.append(run)
    names = {"soapenv": _ENVELOPE, "wss": namespace, "xsd": _SCHEMA, "xsi": f"{_SCHEMA}-instance"}
    envelope = element("soapenv:Envelope", **{f"xmlns:{name}": where for name, where in names.items()})
    envelope.append(body)
    return f'<?xml version="1.0" encoding="UTF-8"?>{written(envelope)}'.encode("ascii")


def _typed(arguments: Arguments) -> list[Element]:
    made = []
    for name, value in arguments.items():
        kind, inner = ("xsd:string", value) if isinstance(value, str) else (f"wss:{value[0]}", "")
        one = element(name, inner, **{"xsi:type": kind})
        if not isinstance(value, str):
            one.extend(_typed(value[1]))
        made.append(one)
    return made


def body_in(text: str) -> Element:
    """Read the body of an answer. Raises `ValueError` where this is no envelope."""
    root = parsed(text)
    body = child(root, "Body")
    if name_of(root) != "envelope" or body is None:
        raise ValueError("It is no SOAP envelope.")
    return body


def fault_in(body: Element) -> str | None:
    """Give the words of a fault; None where there is none."""
    for _, one in below(body, "Fault"):
        words = (text_of(one, "faultstring").strip(), text_of(one, "detail").strip())
        return " · ".join(word for word in words if word) or "a fault without words"
    return None
