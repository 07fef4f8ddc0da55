"""GET {MODULE}/$metadata: the EDMX of a module, details as complex types (`docs/vendors/sage_300.md`)."""

from __future__ import annotations

from collections.abc import Container
from xml.sax.saxutils import quoteattr

from werkzeug.wrappers import Response

from .fields import RESOURCES, TYPES, Field

_KINDS = {"s": "Edm.String", "n": "Edm.Decimal", "d": "Edm.DateTimeOffset"}


def metadata(module: str, lacking: Container[str] = ()) -> Response:
    """The document of one module, without the sets that this release lacks."""
    space = f"Sage.CA.SBS.ERP.Sage300.{module}.WebApi.Models"
    resources = [r for r in RESOURCES.values() if r.module == module and r.name not in lacking]
    names = list(dict.fromkeys(n for r in resources for n in _with_details(r.type)))
    keyed = {r.type: r.key for r in resources}
    types = "".join(_type(space, name, keyed.get(name, ())) for name in names)
    sets = "".join(
        f"<EntitySet Name={quoteattr(r.name)} EntityType={quoteattr(f'{space}.{r.type}')}/>" for r in resources
    )
    body = (
        '<?xml version="1.0" encoding="utf-8"?><edmx:Edmx Version="4.0" '
        'xmlns:edmx="http://docs.oasis-open.org/odata/ns/edmx"><edmx:DataServices>'
        f'<Schema Namespace="{space}" xmlns="http://docs.oasis-open.org/odata/ns/edm">{types}'
        f'<EntityContainer Name="Container">{sets}</EntityContainer></Schema></edmx:DataServices></edmx:Edmx>'
    )
    return Response(body, content_type="application/xml")


def _with_details(name: str) -> list[str]:
    """A type and all types of its detail lists."""
    found = [name]
    for field in TYPES[name].values():
        if field.kind == "l":
            found += _with_details(field.of)
    return found


def _type(space: str, name: str, key: tuple[str, ...]) -> str:
    element = "EntityType" if key else "ComplexType"
    refs = "".join(f"<PropertyRef Name={quoteattr(part)}/>" for part in key)
    head = f"<Key>{refs}</Key>" if key else ""
    return f'<{element} Name="{name}">{head}{"".join(_property(space, f) for f in TYPES[name].values())}</{element}>'


def _property(space: str, field: Field) -> str:
    kind = _KINDS.get(field.kind) or (f"Collection({space}.{field.of})" if field.kind == "l" else f"{space}.{field.of}")
    length = f' MaxLength="{field.length}"' if field.length else ""
    return f'<Property Name="{field.name}" Type="{kind}"{length}/>'
