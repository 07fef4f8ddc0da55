"""APSSSP: suppliers added, changed and deleted; a change touches what is sent, and an empty element empties."""

from __future__ import annotations

from collections.abc import Callable

from .errors import EXISTS, NOT_FOUND, ItemRefused, blank, wrong
from .items import COMMON, Known, Outcome, Parameters, complaint, items, parameters, run, status
from .markup import Node, document, element, stored
from .tables import TABLES, Column, Record
from .world import World

ROOT = "SetupApSupplier"
_NEVER = frozenset(
    {"Supplier", "TimeStamp", "CurrentBalance", "LastPurchDate", "FirstPurchDate", "LastChequeDate", "DateSuppAdded"}
)
_FLAGS = frozenset({"OnHold", "PayByEft", "GrnMatchReqd", "PurchOrdAllowed"})


def add(world: World, parameters_xml: str, document_xml: str) -> str:
    """Setup/Add."""
    return _maintain(world, parameters_xml, document_xml, _add)


def update(world: World, parameters_xml: str, document_xml: str) -> str:
    """Setup/Update."""
    return _maintain(world, parameters_xml, document_xml, _update)


def delete(world: World, parameters_xml: str, document_xml: str) -> str:
    """Setup/Delete."""
    return _maintain(world, parameters_xml, document_xml, _delete)


def _maintain(
    world: World, parameters_xml: str, document_xml: str, check: Callable[[World, Node, str], Outcome]
) -> str:
    known: Known = COMMON | {"IgnoreWarnings": ("Y" if world.ignores_setup_warnings else "N", "NYW")}
    options = parameters(parameters_xml, ROOT, known)
    found = run(world, items(document_xml, ROOT), options, lambda node: check(world, node, _key(node)))
    body = [_item(world, one, options) for one in found]
    stopped = [bool(one.complaints) or (bool(one.warnings) and options["IgnoreWarnings"] == "N") for one in found]
    counts = {"RecordsRead": len(found), "RecordsInvalid": sum(stopped)}
    return document(ROOT.lower(), world.version, body, status(world, counts, not any(stopped), digits=1))


def _item(world: World, one: Outcome, options: Parameters) -> str:
    said = [] if options["IgnoreWarnings"] == "Y" else one.warnings
    warnings = [element("WarningDescription", text=text) for text in said]
    errors = [complaint(world, what) for what in one.complaints]
    return element("item", one.answer, errors, element("warningmessages", warnings) if warnings else "")


def _key(node: Node) -> str:
    holder = node.first("Key")
    text = stored(holder.raw("Supplier")) if holder is not None else ""
    if not text.strip():
        raise blank("Supplier", "Key")
    return text


def _add(world: World, node: Node, code: str) -> Outcome:
    if world.get("ApSupplier", code) is not None:
        raise wrong("supplier", code, f"Supplier '{code}' already exists", EXISTS)
    if len(code) > TABLES["ApSupplier"].columns["Supplier"].size:
        raise wrong("supplier", code, f"Supplier '{code}' is too long")
    if not node.get("SupplierName"):
        raise blank("SupplierName")
    values = _sent(world, node, "ApSupplier")
    values.setdefault("Currency", world.local_currency)
    addresses = _sent(world, node, "ApSupplierAddr")

    def apply() -> str:
        world.put("ApSupplier", {"Supplier": code, "DateSuppAdded": world.today().isoformat(), **values})
        world.put("ApSupplierAddr", {"Supplier": code, **addresses})
        return _done(code)

    return Outcome(apply, warnings=_warnings(world, code))


def _update(world: World, node: Node, code: str) -> Outcome:
    row = world.get("ApSupplier", code)
    if row is None:
        raise wrong("supplier", code, f"Supplier '{code}' not found", NOT_FOUND)
    values = _sent(world, node, "ApSupplier")
    addresses = _sent(world, node, "ApSupplierAddr")
    if world.blanks_omitted:
        values = _emptied("ApSupplier") | {"SupplierName": row["SupplierName"], "Currency": row["Currency"]} | values
        addresses = _emptied("ApSupplierAddr") | addresses
    if values.get("SupplierName") == "":
        raise blank("SupplierName")

    def apply() -> str:
        world.upsert("ApSupplier", {"Supplier": row["Supplier"], **values})
        if addresses:
            world.upsert("ApSupplierAddr", {"Supplier": row["Supplier"], **addresses})
        return _done(str(row["Supplier"]))

    return Outcome(apply, warnings=_warnings(world, str(row["Supplier"])))


def _delete(world: World, node: Node, code: str) -> Outcome:  # noqa: ARG001 - only its key counts
    row = world.get("ApSupplier", code)
    if row is None:
        raise wrong("supplier", code, f"Supplier '{code}' not found", NOT_FOUND)
    own = row["Supplier"]
    if any(one["Supplier"] == own for name in ("ApInvoice", "PorMasterHdr") for one in world.rows(name)):
        raise wrong("supplier", code, f"Supplier '{code}' has invoices or orders")

    def apply() -> str:
        world.tables["ApSupplier"].pop(own)
        world.tables["ApSupplierAddr"].pop(own, None)
        return _done(own)

    return Outcome(apply)


def _warnings(world: World, code: str) -> list[str]:
    return [world.supplier_warnings[code]] if code in world.supplier_warnings else []


def _done(code: str) -> str:
    return element("key", element("supplier", text=code))


def _sent(world: World, node: Node, table: str) -> Record:
    """The columns that the item sends; elements that nobody knows are ignored."""
    columns = TABLES[table].columns
    return {
        child.name: _checked(world, columns[child.name], child.text.strip())
        for child in node.children
        if child.name in columns and child.name not in _NEVER
    }


def _checked(world: World, column: Column, text: str) -> str:
    """A value that may stand in a column; refuses the item for another."""
    name, text = column.name, stored(text)
    refusal: ItemRefused | None = None
    if column.kind == "c" and len(text) > column.size:
        refusal = wrong(name, text, f"'{text}' is longer than {column.size} characters")
    elif name in _FLAGS and text not in ("", "Y", "N"):
        refusal = wrong(name, text, f"'{text}' is neither Y nor N")
    elif name == "TermsCode" and text not in world.terms:
        refusal = wrong(name, text, f"Terms code '{text}' not found", NOT_FOUND)
    elif name == "Currency" and text not in {world.local_currency, *world.rates}:
        refusal = wrong(name, text, f"Currency '{text}' not found", NOT_FOUND)
    elif name == "Branch" and text not in world.branches:
        refusal = wrong(name, text, f"Branch '{text}' not found", NOT_FOUND)
    elif name == "DefTaxCode" and text and text not in world.tax_rates:
        refusal = wrong(name, text, f"Tax code '{text}' not found", NOT_FOUND)
    elif name.endswith("GlCode") and text and world.get("GenMaster", world.company, text) is None:
        refusal = wrong(name, text, f"Ledger code '{text}' not found", NOT_FOUND)
    if refusal is not None:
        raise refusal
    return text


def _emptied(table: str) -> Record:
    columns = TABLES[table].columns.values()
    return {column.name: "" for column in columns if column.kind == "c" and column.name not in _NEVER}
