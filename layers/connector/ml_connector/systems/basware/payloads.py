"""Suppliers, accounts and cost centers in Basware's words (`docs/vendors/basware.md`, appendix A).

Pure: a record, the codes, the settings in; entities out.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ml_connector.context import AdapterContext
from ml_connector.errors import Rejected
from ml_connector.flow import Codes, Rendered
from ml_connector.records import Account, Address, BankAccount, CostCenter, Supplier
from ml_connector.systems.basware.limits import entity, list_width
from ml_connector.systems.basware.settings import Settings

CREDIT_TRANSFER = "30"
"""UN/ECE 4461, the list that e-invoices use; Basware leaves the values to the customer."""
_ADDRESS_TYPES = {"postal": "PostalAddress", "remittance": "RemittanceAddress", "delivery": "DeliveryAddress"}


def company(settings: Settings, codes: Codes) -> str:
    """Tell the Basware company of the ERP's company: the only one there is, else the one it is mapped to.

    An empty code asks `codes` for the ERP's own company. Raises `Held` where it has no mapping.
    """
    return settings.companies[0] if len(settings.companies) == 1 else codes.platform("company", "")


def names(name: str, code: str, language: str) -> list[dict[str, Any]]:
    """Give the name in English and the tenant's language; shorter than two characters the schema refuses."""
    text = name.strip()
    text = text if len(text) >= 2 else f"{code} {text or code}"
    languages = dict.fromkeys(("en-US", language))
    return [entity("LanguageTranslationEntity", language=tongue, translation=text) for tongue in languages]


def touched(fields: dict[str, Any], field: str, touch: str | None) -> dict[str, Any]:
    """Make the real, harmless change without which Basware skips an unchanged record."""
    if touch is not None:
        fields[field] = touch if touch.startswith("replayed") else f"replayed {touch}"
    return fields


def needed(value: str, what: str, kind: str, key: str) -> str:
    """Give a text that must not be empty. Raises `Rejected`."""
    if not value.strip():
        raise Rejected(f"The {kind} {key} has no {what}; Basware needs one. Enter it in the ERP.")
    return value


class Outward:
    """Says records in Basware's words for one tenant."""

    def __init__(self, settings: Settings, context: AdapterContext) -> None:
        """Keep what shapes the entities: keys, company, languages, source system."""
        self.settings, self.context = settings, context

    # ── suppliers ───────────────────────────────────────────────────────────────────────────────────────────

    def supplier(self, record: Supplier, codes: Codes, touch: str | None = None) -> Rendered:
        """Say a supplier as a VendorEntity. A replay writes into `description`. Raises `Held` or `Rejected`."""
        fields: dict[str, Any] = {
            "externalCode": self.context.outward("vendor", record.key),
            "vendorCode": needed(record.code, "code", "supplier", record.key),
            "name": needed(record.name, "name", "supplier", record.key),
            "sourceSystem": self.settings.source_system,
            "companies": [entity("VendorCompanyEntity", companyCode=company(self.settings, codes))],
            "processingStatus": {"active": record.active},
            "paymentTerms": self._terms(record, codes),
            "identifiers": _identifiers(record),
            "addresses": [self._address(record, address) for address in record.addresses],
            "contacts": _contacts(record),
            "paymentMeans": self._means(record, codes),
        }
        made = entity("VendorEntity", **touched(fields, "description", touch))
        return Rendered(record.key, made["vendorCode"], {"vendors": [made]})

    def _terms(self, record: Supplier, codes: Codes) -> dict[str, Any] | None:
        if not record.payment_term or not _filled(record.payment_term):
            return None
        code = codes.platform("term", record.payment_term)
        return entity("VendorPaymentTermEntity", paymentTermCode=code, description=record.payment_term_name)

    def _address(self, record: Supplier, address: Address) -> dict[str, Any]:
        street = ", ".join((address.street or "").split("\n")).strip(", ")
        short = len(street) <= 50
        country = (address.country or "").strip().upper()
        return entity(
            "VendorAddressEntity",
            externalCode=self.context.outward("address", record.key, address.key),
            name=(address.name or "").strip() or record.name,
            addressType=_ADDRESS_TYPES[address.kind],
            streetName=street if short else street[:50],
            addressLine1=None if short else street,
            cityName=address.city,
            postalZone=address.postal_code,
            countrySubEntity=address.region,
            countryId=country if len(country) == 2 and country.isalpha() else None,
        )

    def _means(self, record: Supplier, codes: Codes) -> list[dict[str, Any]]:
        """Bank details leave only where the tenant said so, and the supplier has some."""
        if not self.context.options.send_bank_details:
            return []
        accounts = [made for bank in record.bank_accounts if (made := _bank(bank))]
        if not accounts:
            return []
        currency = codes.platform("currency", record.currency) if record.currency else None
        return [
            entity(
                "VendorPaymentMeanEntity",
                paymentMeansCode=CREDIT_TRANSFER,
                financialAccounts=accounts,
                currencyCode=currency,
                default=True,
            )
        ]

    # ── accounts, cost centers ──────────────────────────────────────────────────────────────────────────────

    def account(self, record: Account, codes: Codes, touch: str | None = None) -> Rendered:
        """Say an account as an AccountEntity. A replay writes into `text5`."""
        where = entity(
            "AccountCompanyEntity",
            companyCode=company(self.settings, codes),
            inherit=True,
            active=record.active,
        )
        fields: dict[str, Any] = {
            "externalCode": self.context.outward("account", record.key),
            "accountCode": needed(record.code, "code", "account", record.key),
            "accountNames": names(record.name, record.code, self.settings.language),
            "companies": [where],
        }
        made = entity("AccountEntity", **touched(fields, "text5", touch))
        return Rendered(record.key, made["accountCode"], {"accounts": [made]})

    def cost_center(self, record: CostCenter, codes: Codes, touch: str | None = None) -> Rendered:
        """Say a cost center as a CostCenterEntity, or as an item of its dimension's list. A replay writes `text10`."""
        if (name := self.settings.dimension_lists.get(str(record.dimension))) is not None:
            return self._list_item(record, codes, name, touch)
        where = entity("CostCenterCompanyEntity", companyCode=company(self.settings, codes), active=record.active)
        fields: dict[str, Any] = {
            "externalCode": self.context.outward("cost_center", record.key),
            "costCenterCode": needed(record.code, "code", "cost center", record.key),
            "costCenterNames": names(record.name, record.code, self.settings.language),
            "companies": [where],
        }
        made = entity("CostCenterEntity", **touched(fields, "text10", touch))
        return Rendered(record.key, made["costCenterCode"], {"costCenters": [made]})

    def _list_item(self, record: CostCenter, codes: Codes, name: str, touch: str | None) -> Rendered:
        """Say a dimension's value as a GenericListEntity: code, name; a replay writes into `text_5`."""
        code, width = needed(record.code, "code", "dimension value", record.key).strip(), list_width(name)
        if len(code) > width:
            raise Rejected(
                f"The code '{code}' is too long for {name}, whose columns hold {width} characters. Shorten it in the "
                "ERP, or give the dimension another list; a code is never cut."
            )
        where = entity("GenericListCompanyEntity", companyCode=company(self.settings, codes), active=record.active)
        fields: dict[str, Any] = {
            "externalCode": self.context.outward("cost_center", record.key),
            "text_1": code,
            "text_2": (record.name.strip() or code)[:width],
            "companies": [where],
        }
        made = entity("GenericListEntity", **touched(fields, "text_5", touch))
        return Rendered(record.key, made["text_1"], {list_stage(name): [made]})


def list_stage(name: str) -> str:
    """Name the stage of a generic list."""
    return f"lists/{name}"


def _identifiers(record: Supplier) -> list[dict[str, Any]]:
    """VAT number and tax id; the scheme's names are those that P2P's identifier configuration usually has."""
    pairs = (("VAT", record.vat_number), ("TaxId", record.tax_id if record.tax_id != record.vat_number else None))
    return [entity("VendorIdentifierEntity", id=value, schemeId=scheme) for scheme, value in pairs if _filled(value)]


def _contacts(record: Supplier) -> list[dict[str, Any]]:
    if not any(_filled(value) for value in (record.email, record.phone, record.website)):
        return []
    return [
        entity(
            "VendorContactEntity",
            name=record.name,
            role="PrimaryContact",
            telephone=record.phone,
            email=record.email,
            website=record.website,
        )
    ]


def _bank(bank: BankAccount) -> dict[str, Any] | None:
    pairs: Sequence[tuple[str, str | None]] = (("IBAN", bank.iban), ("BBAN", bank.account))
    numbers = [
        entity("FinancialAccountIdentifierEntity", schemeId=scheme, id=number)
        for scheme, number in pairs
        if _filled(number)
    ]
    if not numbers:
        return None
    made: dict[str, Any] = {"financialAccountIdentifiers": numbers}
    if _filled(bank.bic):
        made["financialInstitution"] = entity(
            "FinancialInstitutionEntity",
            name=bank.bank_name if _filled(bank.bank_name) else bank.bic,
            id=bank.bic,
            schemeId="BIC",
        )
    return made


def _filled(value: str | None) -> bool:
    return bool(value and value.strip())
