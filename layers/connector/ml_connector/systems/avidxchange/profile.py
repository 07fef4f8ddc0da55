"""What a customer's AvidXchange is like: its paths, field names, paging, filters and words.

AvidXchange publishes no reference. Two profiles are built in, and the customer's onboarding pack overrides single
entries. A profile that cannot work is refused with a sentence that names the field (`docs/vendors/avidxchange.md`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from ml_connector.systems.kit import overlay
from ml_connector.systems.kit.page_styles import NAMES, PageStyle

InvoiceWord = Literal["received", "approved", "rejected", "paid"]
PaymentWord = Literal["scheduled", "in_flight", "paid", "cancelled", "failed"]
Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_.-]{0,80}$")]
Path = Annotated[str, StringConstraints(pattern=r"^(GET|POST|PUT|PATCH) /[^\s#]*$")]
NEEDS = dict.fromkeys(("batches.get", "invoices.update", "invoices.get", "payments.get"), "id")
VARIABLES = {"vendors.upsert": ("code",), "codes.upsert": ("code",), **{name: (one,) for name, one in NEEDS.items()}}
"""The variables that a path must have, and may have."""
FIELDS: Mapping[str, str] = {
    "vendor": "externalVendorCode name active currency taxId paymentTerms email phone address1 city state postalCode "
    "country",
    "code": "group value description active",
    "company": "id name",
    "invoice": "id externalId vendorExternalCode invoiceNumber invoiceDate dueDate amount currency taxAmount "
    "purchaseOrderNumber companyExternalCode description documentType lines status errors modifiedAt",
    "line": "lineNumber description amount taxAmount glCode codes",
    "batch": "id closedAt details",
    "payment": "id externalId paymentNumber paymentDate amount currency method state checkNumber traceNumber "
    "vendorExternalCode invoices clearedAt",
    "remittance": "externalId invoiceNumber amountApplied gross discount",
}
"""Fields of each kind of object, by the names that we call them; a dot leads into an object, or a list's first one."""
NEEDED = {
    "vendors.upsert": ("vendor.externalVendorCode", "vendor.name"),
    "codes.upsert": ("code.value", "code.group"),
    "codes.list": ("code.value", "code.group"),
    "invoices.create": ("invoice.vendorExternalCode", "invoice.invoiceNumber", "invoice.amount", "invoice.invoiceDate"),
    "invoices.get": ("invoice.id", "invoice.invoiceNumber"),
    "invoices.find": ("invoice.id", "invoice.vendorExternalCode", "invoice.invoiceNumber"),
    "batches.list": ("batch.details", "invoice.id", "invoice.invoiceNumber"),
    "payments.list": ("payment.id", "payment.state", "payment.invoices", "remittance.amountApplied"),
}
"""Fields without which a path that is offered cannot be used."""
_INVOICE_WORDS: Mapping[InvoiceWord, tuple[str, ...]] = {
    "received": ("Submitted", "Received", "New", "Pending", "Pending Approval", "In Approval", "In Process", "On Hold"),
    "approved": ("Approved", "Ready for Payment", "Closed", "Scheduled"),
    "rejected": ("Rejected", "Declined", "Denied"),
    "paid": ("Paid",),
}
_PAYMENT_WORDS: Mapping[PaymentWord, tuple[str, ...]] = {
    "scheduled": ("Pending", "Submitted", "Approved", "Scheduled", "Pending Approval", "Held"),
    "in_flight": (
        *("Processing", "InProcess", "Outstanding", "Issued", "Sent", "Debit Requested", "Funds Received"),
        *("Sent to Check Printer", "Issued to Supplier", "ACH Credit Issued", "VCC Processing"),
    ),
    "paid": ("Cleared", "Settled", "Paid", "Completed"),
    "cancelled": ("Void", "Voided", "Stopped", "Cancelled", "Canceled"),
    "failed": ("Error", "Returned", "Failed", "Rejected", "Refunded", "Reissued"),
}


def _by_theirs(words: Mapping[Any, tuple[str, ...]]) -> dict[str, Any]:
    return {theirs: ours for ours, some in words.items() for theirs in some}


def _same_names() -> dict[str, str | None]:
    names = {f"{kind}.{name}": name for kind, some in FIELDS.items() for name in some.split()}
    unnamed = dict.fromkeys(("invoice.documentType", "invoice.taxAmount", "line.taxAmount"))
    return {**names, **unnamed, "payment.clearedAt": "clearedDate"}


PROPOSAL: Mapping[str, Any] = {
    "paths": {
        "vendors.list": "GET /vendors",
        "vendors.upsert": "POST /vendors",
        "codes.list": "GET /accounting-codes",
        "codes.upsert": "POST /accounting-codes",
        "companies.list": None,
        "invoices.create": "POST /invoices",
        "invoices.update": None,
        "invoices.get": "GET /invoices/{id}",
        "invoices.find": "GET /invoices",
        "batches.list": None,
        "batches.get": None,
        "payments.list": "GET /payments",
        "payments.get": "GET /payments/{id}",
    },
    "fields": _same_names(),
    "paging": {"style": "page", "size": 100},
    "filters": {"modified_from": "modifiedFrom", "modified_to": "modifiedTo", "format": "date", "max_days": 30},
    "status": _by_theirs(_INVOICE_WORDS),
    "payment_states": _by_theirs(_PAYMENT_WORDS),
    "company": {"placement": "none"},
    "amounts": "string",
    "credit_notes": "negative",
    "gl_group": "GL Account",
}
"""What the seed needs, in the form that the public facts make likeliest; no documentation of AvidXchange says so."""
_V1_FIELDS: Mapping[str, str | None] = {
    "company.id": "ID",
    "company.name": "Name",
    "invoice.id": "Id",
    "invoice.externalId": None,
    "invoice.vendorExternalCode": "BuyerVendor.VendorExternalSystemID",
    "invoice.invoiceNumber": "Number",
    "invoice.invoiceDate": "InvoiceDate",
    "invoice.dueDate": "InvoiceDueDate",
    "invoice.amount": "GrossAmount",
    "invoice.currency": None,
    "invoice.purchaseOrderNumber": "PONumber",
    "invoice.companyExternalCode": None,
    "invoice.description": "Memo",
    "invoice.lines": "Distributions",
    "invoice.status": None,
    "invoice.errors": None,
    "invoice.modifiedAt": "LastChangedDate",
    "line.amount": "Amount",
    "line.description": "Description",
    "line.glCode": None,
    "line.codes": "EnterpriseCodes",
    "code.group": "EnterpriseCodeGroups.CodeGroupName",
    "code.value": "EnterpriseCodeValue",
    "batch.id": "BatchGUID",
    "batch.closedAt": "DateClosed",
    "batch.details": "Links",
    "payment.id": "PaymentId",
    "payment.externalId": "ExternalPaymentIds.Value",
    "payment.paymentNumber": "ExternalPaymentIds.Value",
    "payment.paymentDate": "PaymentDate",
    "payment.amount": "Amount",
    "payment.currency": None,
    "payment.method": "PaymentMethod.Description",
    "payment.state": "Status.Description",
    "payment.checkNumber": "AvidPayChecknumber",
    "payment.traceNumber": "TraceNumber",
    "payment.vendorExternalCode": "BuyerVendor.VendorExternalSystemID",
    "payment.invoices": "Remittances",
    "payment.clearedAt": "ClearedDate",
    "remittance.externalId": None,
    "remittance.invoiceNumber": "Number",
    "remittance.amountApplied": "Net",
    "remittance.gross": "Gross",
    "remittance.discount": "Discount",
}
PATHS: tuple[str, ...] = tuple(PROPOSAL["paths"])
AVIDSUITE_V1: Mapping[str, Any] = {
    **PROPOSAL,
    "paths": {
        **dict.fromkeys(PATHS),
        "companies.list": "GET /v1/accountingSystems",
        "batches.list": "GET /v1/invoices/batches/closed/acctgSysId/{company}",
        "batches.get": "GET /v1/invoices/batches/{id}",
        "payments.list": "GET /v1/payments",
        "payments.get": "GET /v1/payments?paymentIds={id}",
    },
    "fields": {**_same_names(), **_V1_FIELDS},
    "paging": {"style": "link", "size": 500},
    "filters": {
        "modified_from": "lastModifiedFrom",
        "modified_to": "lastModifiedTo",
        "closed_from": "closeDateFrom",
        "closed_to": "closeDateTo",
        "format": "date",
        "max_days": 30,
    },
    "amounts": "number",
}
"""What a public client of the vendor's older interface shows; an ERP submits no invoices there."""
BUILT_IN: Mapping[str, Mapping[str, Any]] = {"proposal": PROPOSAL, "avidsuite_v1": AVIDSUITE_V1}


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class Paging(_Part):
    """How lists go on; `names` are those of its parameters, where they are others."""

    style: Literal["page", "offset", "cursor", "link"] = "page"
    size: int = Field(default=100, ge=1, le=5000)
    names: dict[str, Name] = Field(default_factory=dict)


class Filters(_Part):
    """By what payments are listed: whole days from and to, or all since one; batches by the days they were closed."""

    modified_from: Name | None = None
    modified_to: Name | None = None
    modified_since: Name | None = None
    closed_from: Name = "closeDateFrom"
    closed_to: Name = "closeDateTo"
    format: Literal["date", "datetime"] = "date"
    max_days: int = Field(default=30, ge=2, le=366)


class Company(_Part):
    """Where `company_id` stands in each call."""

    placement: Literal["header", "query", "path", "none"] = "none"
    name: Name | None = None


class Profile(_Part):
    """A whole profile: a built-in one, with the entries of the secret laid over it."""

    paths: dict[str, Path | None]
    fields: dict[str, Name | None]
    paging: Paging
    filters: Filters
    status: dict[str, InvoiceWord]
    payment_states: dict[str, PaymentWord]
    company: Company
    amounts: Literal["string", "number"]
    credit_notes: Literal["negative", "type", "none"]
    gl_group: Annotated[str, StringConstraints(min_length=1, max_length=100)]

    def style(self) -> PageStyle:
        """Give the style of lists."""
        return PageStyle(self.paging.style, self.paging.size, self.paging.names)

    def invoice_word(self, theirs: str) -> InvoiceWord | None:
        """Translate an invoice's status; None where nobody mapped it."""
        word: InvoiceWord | None = overlay.worded(self.status, theirs)
        return word

    def payment_word(self, theirs: str) -> PaymentWord | None:
        """Translate a payment's state; None where nobody mapped it. What begins with Void is one."""
        word: PaymentWord | None = overlay.worded(self.payment_states, theirs)
        return word or ("cancelled" if overlay.fold_word(theirs).startswith("void") else None)

    def faults(self, company_id: str | None) -> Iterable[str]:
        """Say why it cannot work, each in a sentence that names the field."""
        for name, path in self.paths.items():
            if path is not None:
                yield from self._path_faults(name, path)
        yield from self._company_faults(company_id)
        if unknown := sorted(self.paging.names.keys() - NAMES.keys()):
            yield f"'profile.paging.names' has no '{unknown[0]}'; known are {', '.join(NAMES)}"
        days = bool(self.filters.modified_from) and bool(self.filters.modified_to)
        if self.paths.get("payments.list") and not (days or self.filters.modified_since):
            yield (
                "'profile.filters' has neither 'modified_from' with 'modified_to' nor 'modified_since', and payments "
                "are never listed without a filter; add the names of the parameters"
            )
        for listed, one in (("payments.list", "payments.get"), ("batches.list", "batches.get")):
            if self.paths.get(listed) and not self.paths.get(one):
                yield f"'profile.paths.{one}' is null, and what '{listed}' names is read again one by one; add it"
        if self.credit_notes == "type" and not self.fields.get("invoice.documentType"):
            yield "'profile.credit_notes' is type, so 'profile.fields' needs the name of 'invoice.documentType'; add it"

    def _path_faults(self, name: str, path: str) -> Iterable[str]:
        what, known = f"'profile.paths.{name}'", (*VARIABLES.get(name, ()), "company")
        write = name.endswith((".create", ".update", ".upsert"))
        yield from overlay.path_faults(what, path, write, known, NEEDS.get(name, ""))
        for field in NEEDED.get(name, ()):
            if not self.fields.get(field):
                yield f"'profile.fields.{field}' is null, and {what} cannot be used without it; name the field"

    def _company_faults(self, company_id: str | None) -> Iterable[str]:
        placement, named = self.company.placement, self.company.name
        in_paths = any("{company}" in (path or "") for path in self.paths.values())
        if placement in {"header", "query"} and not named:
            yield f"'profile.company.name' is missing: 'placement' is {placement}; add the name"
        if placement == "path" and not in_paths:
            yield "'profile.company.placement' is path, and none of 'profile.paths' names {company}; add it to one"
        if (placement != "none" or (in_paths and not self.paths.get("companies.list"))) and not company_id:
            yield "the field 'company_id' is missing: the profile puts it into each call; add it"


def laid_over(found: Any) -> Any:
    """Lay the entries of a secret over the built-in profile that they extend. Raises `ValueError`."""
    return overlay.laid_over(found, BUILT_IN, {"paths": PATHS, "fields": _same_names()})
