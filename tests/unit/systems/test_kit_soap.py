"""Calls of SOAP services, and the bodies of their answers."""

from __future__ import annotations

import pytest

from ml_connector.systems.kit.soap import body_in, called, fault_in
from ml_connector.systems.kit.xml import child, name_of, parsed, text_of

NS = "http://example.com/service"


def test_a_call_has_typed_arguments_and_names_with_their_namespaces() -> None:
    made = called(NS, "run", {"context": ("Context", {"pool": "P<&>"}), "input": '{"a": "é"}'})
    assert made.isascii() and made.startswith(b"<?xml")
    run = child(parsed(made.decode()), "Body", "run")
    assert run is not None and run.tag == f"{{{NS}}}run"
    assert (text_of(run, "context", "pool"), text_of(run, "input")) == ("P<&>", '{"a": "é"}')
    types = {name_of(one): one.get("{http://www.w3.org/2001/XMLSchema-instance}type") for one in run}
    assert types == {"context": "wss:Context", "input": "xsd:string"}


def test_an_answer_is_an_envelope_whatever_its_prefixes() -> None:
    body = body_in("<s:Envelope xmlns:s='http://schemas.xmlsoap.org/soap/envelope/'><s:Body><r/></s:Body></s:Envelope>")
    assert [name_of(one) for one in body] == ["r"] and fault_in(body) is None
    for other in (
        "<html><body>Sign in</body></html>",
        "<Envelope/>",
        "no XML",
        "<!DOCTYPE x><Envelope><Body/></Envelope>",
    ):
        with pytest.raises(ValueError):
            body_in(other)


def test_a_fault_is_told_in_its_words() -> None:
    body = body_in(
        "<Envelope><Body><Fault><faultstring> No </faultstring><detail>Why</detail></Fault></Body></Envelope>"
    )
    assert fault_in(body) == "No · Why"
    assert fault_in(body_in("<Envelope><Body><Fault/></Body></Envelope>")) == "a fault without words"
