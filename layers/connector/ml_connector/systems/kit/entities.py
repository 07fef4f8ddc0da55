"""Objects in a vendor's words: only what has a value, codes never cut, texts cut to what the vendor holds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ml_connector.errors import Rejected


def fitted(
    vendor: str, kind: str, fields: Mapping[str, Any], codes: Mapping[str, int], texts: Mapping[str, int]
) -> dict[str, Any]:
    """Make an object of the fields that have a value: None, empty texts and empty lists are left out.

    `codes` and `texts` tell how long a field may be. Raises `Rejected` naming the field where a code is too long.
    """
    made: dict[str, Any] = {}
    for name, given in fields.items():
        value = given.strip() if isinstance(given, str) else given
        if isinstance(value, str):
            if name in codes and len(value) > codes[name]:
                raise Rejected(
                    f"The value '{value}' is too long for {kind}.{name}: {vendor} takes {codes[name]} characters and "
                    f"this has {len(value)}. Shorten it in the ERP; a code is never cut."
                )
            value = value[: texts.get(name)].rstrip()
        if value is None or value == "" or value in ([], {}):
            continue
        made[name] = value
    return made
