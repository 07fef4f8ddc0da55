"""Supplier invoices into AvidXchange, for approval and payment: submitted once, looked for before they are sent again.

Nothing public says that its server honors an idempotency key. So our key goes with each attempt, the same one, and the
look-up keeps the promise; a profile with neither makes an unknown outcome wait for a person.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from functools import partial
from typing import Any

from ml_connector.errors import Held, NotUnderstood, OutcomeUnknown, Rejected, Transient
from ml_connector.flow import Codes, Found, Prepared
from ml_connector.folding import fold, same
from ml_connector.records import CodingRow, SupplierInvoice
from ml_connector.systems.avidxchange.client import Client
from ml_connector.systems.avidxchange.faults import DIALECT, OF_THE_INVOICE, VENDOR
from ml_connector.systems.kit.faults import Fault
from ml_connector.systems.kit.invoices import KINDS
from ml_connector.systems.kit.money import reckoned
from ml_connector.systems.kit.rows import amount_of, day_of, readable
from ml_connector.systems.kit.with_tax import lines_with_tax

NUMBER_LIMIT = 50
"""Characters of an invoice's number (the contract of the vendor's payment batches); a longer one is never cut."""
TEXT_LIMIT = 255
UNCONFIRMED = f"{VENDOR} took it; this profile has no way to read it again, so that is the only confirmation."


class SupplierInvoices:
    """The `flow.DocumentTarget` of supplier invoices. Raises the classes of `errors` only."""

    refuses_duplicates = False
    title = VENDOR

    def __init__(self, client: Client) -> None:
        self._client, self._profile, self._context = client, client.profile, client.context
        self._text = partial(client.of, "invoice")
        self._company = client.settings.company_id if self._profile.company.placement == "none" else None

    # ── prepare ─────────────────────────────────────────────────────────────────────────────────────────────

    def prepare(self, record: SupplierInvoice, codes: Codes) -> Prepared:
        """Say an invoice in AvidXchange's words. Raises `Held`, `Rejected` or `Misconfigured`."""
        self._client.needs("invoices.create")
        if len(record.number) > NUMBER_LIMIT:
            raise Rejected(
                f"The invoice number {record.number} is longer than the {NUMBER_LIMIT} characters that {VENDOR} takes; "
                "a number is never cut. Correct it in Sage X3."
            )
        named = self.trace(record, codes)
        with reckoned(f"Invoice {record.number}"):
            body, used, notes = self._body(record, codes, named)
        return replace(named, body=body, lookup={**named.lookup, **used}, notes=notes)

    def trace(self, record: SupplierInvoice, codes: Codes) -> Prepared:
        """Say what an invoice is found by."""
        vendor = codes.platform("supplier", record.supplier)
        kind = KINDS[record.gross < 0]
        return Prepared(
            key=record.key,
            body={},
            lookup={"own": self._own(record.key), "vendor": vendor, "number": record.number, "kind": kind},
            amount=record.gross,
            currency=codes.platform("currency", record.currency),
            natural=natural(kind, vendor, record.number),
            dated=record.invoice_date,
            partner=vendor,
            reference=record.number,
            kind=kind,
            blind=not self._can_repeat(),
        )

    def _own(self, key: str) -> str:
        """Make our key: of tenant, integration and X3's number, the same on every attempt and across restarts."""
        return self._context.outward("invoice", key)

    def _body(
        self, record: SupplierInvoice, codes: Codes, named: Prepared
    ) -> tuple[dict[str, Any], dict[str, str], tuple[str, ...]]:
        credit, way = record.gross < 0, self._profile.credit_notes
        if credit and way == "none":
            raise Held(
                f"lookup:{record.key}",
                f"Credit note {record.number} ({record.gross} {record.currency}, vendor {named.partner}) is not "
                f"submitted: this {VENDOR} profile takes none ('profile.credit_notes'). Enter it there by hand, then "
                "match it.",
            )
        rows = lines_with_tax(record, self._context.options.tolerance(record.currency))
        sign = -1 if credit and way == "type" else 1
        orders = list(dict.fromkeys(row.order_number for row in record.rows if row.order_number))
        notes = [f"It names {len(orders)} orders; {VENDOR} shows {orders[0]} first."] if len(orders) > 1 else []
        used = {f"supplier={named.partner}": record.supplier, f"currency={named.currency}": record.currency}
        body = {
            "externalId": named.lookup["own"],
            "vendorExternalCode": named.partner,
            "invoiceNumber": record.number,
            "invoiceDate": str(record.invoice_date or record.accounting_date or "") or None,
            "dueDate": str(record.due_date or "") or None,
            "amount": self._money(record.gross * sign),
            "currency": named.currency,
            "taxAmount": self._money(record.tax * sign) if record.tax is not None else None,
            "purchaseOrderNumber": orders[0] if orders else None,
            "companyExternalCode": self._company or record.company or None,
            "description": _cut(record.description or record.reference, notes),
            "documentType": "CreditMemo" if credit and way == "type" else None,
            "lines": [self._line(n, *one, codes, sign, used) for n, one in enumerate(rows, 1)],
        }
        return self._client.body("invoice", body), used, tuple(notes)

    def _line(
        self, number: int, row: CodingRow, worth: Decimal, codes: Codes, sign: int, used: dict[str, str]
    ) -> dict[str, Any]:
        account = codes.platform("account", str(row.account))
        used[f"account={account}"] = str(row.account)
        pairs = [(self._profile.gl_group, account)] if self._profile.fields.get("line.glCode") is None else []
        centers = [("Cost Center", row.cost_center)] if row.cost_center and not row.dimensions else []
        pairs += [(kind, codes.platform("cost_center", code)) for kind, code in (*centers, *row.dimensions)]
        line = {
            "lineNumber": number,
            "description": _cut(row.description, []),
            "amount": self._money(worth * sign),
            "taxAmount": self._money(row.tax * sign) if row.tax is not None else None,
            "glCode": account,
            "codes": [self._client.body("code", {"group": kind, "value": code}) for kind, code in pairs] or None,
        }
        return self._client.body("line", line)

    def _money(self, value: Decimal) -> str | Decimal:
        """Write an amount as the profile says; a `Decimal` is written digit by digit."""
        return f"{value:f}" if self._profile.amounts == "string" else value

    # ── look ────────────────────────────────────────────────────────────────────────────────────────────────

    def look(self, prepared: Prepared) -> list[Found]:
        """Find an invoice by our key, then by vendor and number: people capture invoices there, too."""
        if not self._client.offers("invoices.find"):
            return []
        lookup = prepared.lookup
        found: dict[str, Found] = {}
        with readable(VENDOR):
            for row in (row for asked in self._questions(lookup) for row in self._matching(asked)):
                one = self._found(row, lookup)
                found.setdefault(one.id, one)
        return [one for one in found.values() if one.ours or one.kind in {None, prepared.kind}]

    def _questions(self, lookup: Mapping[str, str]) -> Iterator[dict[str, str]]:
        if self._profile.fields.get("invoice.externalId"):
            yield {"externalId": lookup["own"]}
        yield {"vendorExternalCode": lookup["vendor"], "invoiceNumber": lookup["number"]}

    def _matching(self, asked: Mapping[str, str]) -> Iterator[dict[str, Any]]:
        """Ask the list; raises `Transient` where it gives rows that nobody asked for: then nothing is known.

        A number that only holds what was asked for shows that the filter works, and is another invoice.
        """
        for row in self._client.rows("invoices.find", self._client.params("invoice", asked)):
            told = {field: fold(code_of(self._text(row, field))) for field in asked}
            if all(told[field] == fold(wanted) for field, wanted in asked.items()):
                yield row
            elif not all(fold(wanted) in told[field] for field, wanted in asked.items()):
                raise Transient(
                    f"{VENDOR} was asked for the invoice with {asked}, and gave another one ({told}): its filter does "
                    "not work, so nothing is known. Check 'profile.paths' and 'profile.fields'."
                )

    def _found(self, row: Mapping[str, Any], lookup: Mapping[str, str]) -> Found:
        name, amount = self._text(row, "id"), amount_of(self._text(row, "amount"))
        if not name:
            raise Transient(f"{VENDOR} shows invoice {lookup['number']} without an id. It is read again later.")
        return Found(
            name,
            name,
            amount,
            self._text(row, "currency"),
            ours=self._text(row, "externalId") == lookup.get("own", ""),
            dated=day_of(self._text(row, "invoiceDate")),
            partner=code_of(self._text(row, "vendorExternalCode")),
            reference=self._text(row, "invoiceNumber"),
            kind=self._kind(row, amount),
        )

    def _kind(self, row: Mapping[str, Any], amount: Decimal | None) -> str | None:
        typed = fold(self._text(row, "documentType"))
        if self._profile.credit_notes == "type" and typed:
            return KINDS["credit" in typed]
        return None if amount is None else KINDS[amount < 0]

    def numbered(self, number: str, prepared: Prepared) -> list[Found]:
        """Find an invoice by AvidXchange's own id, else by its number."""
        if self._client.offers("invoices.get") and (row := self._client.one("invoices.get", id=number)) is not None:
            with readable(VENDOR):
                one = self._found(row, prepared.lookup)
            return [one] if one.id == number and same(one.partner, prepared.partner) else []
        return [one for one in self.look(prepared) if number in {one.id, one.reference}]

    def recent(self) -> list[Found]:
        """List none: invoices are never listed without a filter."""
        return []

    def stands(self, found: Found) -> bool:
        """Tell whether an invoice is there: False only where AvidXchange itself says that it is not, or rejected it."""
        if not self._client.offers("invoices.get"):
            return True
        row = self._client.one("invoices.get", id=found.id)
        return row is not None and self._profile.invoice_word(self._text(row, "status") or "") != "rejected"

    # ── send ────────────────────────────────────────────────────────────────────────────────────────────────

    def send(self, prepared: Prepared) -> Found:
        """Submit once. Raises `Rejected`, `Held`, `OutcomeUnknown`, `Transient` or `Throttled` (had no effect)."""
        key = self._key(prepared.lookup["own"])
        answer = self._client.write("invoices.create", prepared.body, safe=False, headers=key)
        if isinstance(answer, Fault):
            return self._refused(answer, prepared)
        own, name = self._text(answer, "externalId"), self._text(answer, "id")
        if own and own != prepared.lookup["own"]:
            raise OutcomeUnknown(f"{VENDOR} answered invoice {prepared.reference} with another one's key, {own}.")
        if name:
            return Found(name, name, prepared.amount, prepared.currency, ours=True)
        found = [one for one in self.look(prepared) if one.ours]
        if not found:
            raise OutcomeUnknown(
                f"{VENDOR} took invoice {prepared.reference} without naming it, and does not show it yet.", taken=True
            )
        return found[0]

    def update(self, target: str, prepared: Prepared) -> bool:
        """Overwrite a submitted invoice, where the profile has a path for it."""
        if not self._client.offers("invoices.update"):
            return False
        answer = self._client.write("invoices.update", prepared.body, safe=True, id=target)
        if isinstance(answer, Fault):
            raise self._refusal(answer, prepared)
        return True

    def _key(self, own: str) -> dict[str, str]:
        header = self._client.settings.idempotency_header
        return {header: own} if header else {}

    def _can_repeat(self) -> bool:
        """Tell whether an invoice in doubt may be sent again: it can be looked for, or the key header goes with it."""
        return self._client.offers("invoices.find") or self._client.settings.idempotency_header is not None

    def _refused(self, fault: Fault, prepared: Prepared) -> Found:
        """Find our own invoice, where it is refused as a second one; raises what the refusal means otherwise."""
        if DIALECT.kind(fault, prepared) == "duplicate" and fault.worded:
            found = [one for one in self.look(prepared) if one.ours]
            if len(found) == 1:
                return found[0]
        raise self._refusal(fault, prepared)

    def _refusal(self, fault: Fault, prepared: Prepared) -> Exception:
        error = DIALECT.judge(fault, prepared, self.look)
        if isinstance(error, NotUnderstood) and fault.status in {200, 400, 422} and OF_THE_INVOICE.search(fault.text):
            return Rejected(f"{VENDOR} refused invoice {prepared.reference} of vendor {prepared.partner}: {fault}.")
        return error

    def read_back(self, found: Found) -> Found:
        """Read it again, as the confirmation. Raises `Transient` where it does not show."""
        if not self._client.offers("invoices.get"):
            return replace(found, notes=(*found.notes, UNCONFIRMED))
        row = self._client.one("invoices.get", id=found.id)
        if row is None or self._text(row, "id") != found.id:
            raise Transient(f"{VENDOR} does not show invoice {found.number}, which it has taken. It is read again.")
        with readable(VENDOR):
            shown = self._found(row, {"number": found.reference or found.number})
        return replace(shown, notes=found.notes)


def natural(kind: str, vendor: str, number: str) -> str:
    """Name an invoice by what people know it by."""
    return f"{kind}~{fold(vendor)}~{fold(number)}"


def code_of(vendor: str | None) -> str | None:
    """Give a vendor's code, of which an address may follow behind a bar."""
    return vendor.partition("|")[0] if vendor else None


def _cut(text: str | None, notes: list[str]) -> str | None:
    if text and len(text) > TEXT_LIMIT:
        notes.append(f"Its description was cut to {TEXT_LIMIT} characters.")
    return text[:TEXT_LIMIT] if text else None
