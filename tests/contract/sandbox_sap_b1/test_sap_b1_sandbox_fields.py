"""The sandbox serves and accepts the committed properties only, and those are the vendor's."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest

from infra.sandbox.sap_b1.fields import ENUMS, REFERENCE_ONLY, SETS, TYPES, Field

REPOSITORY = Path(__file__).parents[3]
SPECS = Path(os.environ.get("ML_CONNECTOR_SPECS", REPOSITORY.parent / "shared" / "specs"))
FIELDS = SPECS / "sap_b1" / "fields.json"
PLAIN = {"i": "int", "n": "float", "s": "str", "d": "str", "t": "str", "y": "SapBool"}


def described(field: Field, vendor: str) -> bool:
    if field.kind in PLAIN:
        return vendor == PLAIN[field.kind]
    if field.kind == "l":
        return vendor == f"list[{field.of}]"
    # One enumeration is listed without its values.
    return vendor == field.of or (
        vendor.startswith(f"{field.of} |") and tuple(re.findall(r"'(\w+)'", vendor)) == ENUMS[field.of]
    )


@pytest.mark.skipif(not FIELDS.exists(), reason=f"no field list at {FIELDS}")
@pytest.mark.parametrize("type_name", sorted(TYPES.keys() - REFERENCE_ONLY))
def test_each_committed_property_is_the_vendors(type_name):
    vendor = json.loads(FIELDS.read_text())["types"][type_name]
    wrong = [field for name, field in TYPES[type_name].items() if not described(field, vendor.get(name, ""))]
    assert wrong == []


@pytest.mark.parametrize("version", ["v1", "v2"])
@pytest.mark.parametrize("name", sorted(SETS))
def test_each_set_serves_exactly_its_properties(connect, world, name, version):
    world.branches = {1: "Hamburg"}
    client = connect(version)
    client.login()
    for row in client.rows(f"{name}?$top=3"):
        assert {key for key in row if not key.startswith("@")} == TYPES[SETS[name].type].keys()
        for field in TYPES[SETS[name].type].values():
            for line in row[field.name] or [] if field.kind == "l" else []:
                assert line.keys() == TYPES[field.of].keys()


def test_enumerations_and_collections_lead_somewhere():
    used = {field.of for fields in TYPES.values() for field in fields.values() if field.kind in "el"}
    assert used <= ENUMS.keys() | TYPES.keys()


def test_stamps_exist_where_the_vendor_has_them():
    stamped = {name for name, fields in TYPES.items() if "UpdateDate" in fields}
    assert stamped == {"BusinessPartner", "Document"}
