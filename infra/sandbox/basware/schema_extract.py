"""Reduces the vendor's OpenAPI files to the facts the sandbox enforces, as JSON Schema (2020-12).

Run `python -m infra.sandbox.basware.schema_extract P2P_OPENAPI PUSH_OPENAPI` to write `schemas.json` again.
A contract test compares the committed file with a fresh extract.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

P2P_ROOTS = (
    "AccountEntity",
    "AccountingDocumentEntity",
    "CostCenterEntity",
    "DeleteRequest",
    "GenericListEntity",
    "OrderEntity",
    "OrderLineEntity",
    "PaymentResponseEntity",
    "PaymentTermEntity",
    "PrebookResponseEntity",
    "ProcessingStatusGetBatchRequest",
    "PurchaseRequisitionEntity",
    "TaxCodeEntity",
    "TransferResponseEntity",
    "VendorEntity",
)
PUSH_ROOTS = ("Subscription-Input",)
KEPT = ("type", "format", "minLength", "maxLength", "minimum", "maximum", "additionalProperties", "required")
REF = "#/components/schemas/"
INT32 = 2**31


def extract(p2p: dict[str, Any], push: dict[str, Any]) -> dict[str, Any]:
    """Return `{name: JSON schema}` for the roots and everything they refer to."""
    found: dict[str, Any] = {}
    for spec, roots in ((p2p, P2P_ROOTS), (push, PUSH_ROOTS)):
        waiting = list(roots)
        while waiting:
            name = waiting.pop()
            if name not in found:
                raw = spec["components"]["schemas"][name]
                found[name] = reduce_schema(raw)
                waiting += references(raw)
    return dict(sorted(found.items()))


def references(node: Any) -> list[str]:
    """Return the names of the schemas that `node` refers to, at any depth."""
    if isinstance(node, dict):
        own = [node["$ref"].removeprefix(REF)] if isinstance(node.get("$ref"), str) else []
        return own + [name for value in node.values() for name in references(value)]
    return [name for value in node for name in references(value)] if isinstance(node, list) else []


def reduce_schema(raw: dict[str, Any]) -> dict[str, Any]:
    """Return one schema without prose: types, lengths, ranges, enums, required names."""
    if "$ref" in raw:
        return {"$ref": "#/$defs/" + raw["$ref"].removeprefix(REF)}
    out = {key: raw[key] for key in KEPT if raw.get(key) not in (None, [])}
    if out.get("minLength") == 0:
        del out["minLength"]
    if "properties" in raw:
        out["properties"] = {key: reduce_schema(value) for key, value in raw["properties"].items()}
    if "items" in raw:
        out["items"] = reduce_schema(raw["items"])
    for key in ("allOf", "anyOf"):
        if key in raw:
            out[key] = [reduce_schema(part) for part in raw[key]]
    if "enum" in raw:
        out["enum"] = list(raw["enum"])
    return nullable(number_rules(out, raw), raw)


def number_rules(out: dict[str, Any], raw: dict[str, Any]) -> dict[str, Any]:
    """Apply what .NET does with the annotations: patterns match the whole text, int32 has a range."""
    if raw.get("format") == "int32":
        out.setdefault("minimum", -INT32)
        out.setdefault("maximum", INT32 - 1)
    if "pattern" in raw and raw.get("type") == "integer":
        out["enum"] = [int(choice) for choice in raw["pattern"].split("|")]
    elif "pattern" in raw:
        out["pattern"] = f"^(?:{raw['pattern']})$"
    if out.get("format") in ("double", "int32"):
        del out["format"]
    return out


def nullable(out: dict[str, Any], raw: dict[str, Any]) -> dict[str, Any]:
    """Turn OpenAPI's `nullable` into JSON Schema's type list."""
    if raw.get("nullable"):
        out["type"] = [out["type"], "null"]
        if "enum" in out:
            out["enum"].append(None)
    return out


def dump(schemas: dict[str, Any]) -> str:
    """Return the file's text: one schema on each line, so that a change shows as a line."""
    lines = (f"{json.dumps(name)}:{json.dumps(body, separators=(',', ':'))}" for name, body in schemas.items())
    return "{\n" + ",\n".join(lines) + "\n}\n"


if __name__ == "__main__":
    specs = [json.loads(Path(name).read_text(encoding="utf-8")) for name in sys.argv[1:3]]
    Path(__file__).with_name("schemas.json").write_text(dump(extract(*specs)), encoding="utf-8")
