"""What the demonstration knows of each simulated ERP: its secret, what it must hand over, what its books must hold."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from ..sandbox import (
    basware,
    fixtures,
    fixtures_sage_300,
    fixtures_sage_x3,
    fixtures_syspro,
    sage_300,
    sage_x3,
    sap_b1,
    syspro,
)
from ..sandbox.basware.seed_invoices import EVERYDAY_AMOUNTS
from ..sandbox.sap_b1 import back_office

Secret = dict[str, Any]

CLIENT = {"client_id": "sandbox-client", "client_secret": "sandbox-secret"}
"""How a simulated platform is logged in to; a secret with it is known as one of ours."""


class Books(ABC):
    """One tenant of the demonstration and its ERP; `world` holds both of its vendors and each invoice's fate.

    source_system: what the platform is told the records come from. target: the account that a person maps to.
    """

    tenant: str
    system: str
    title: str
    source_system: str
    target: str
    currency = "EUR"
    platform_system, platform_title = "basware", "Basware"
    world: fixtures.Fixtures
    app: Any

    def __init__(self) -> None:
        self.wanted = self.masters()

    @abstractmethod
    def secret(self, url: str) -> Secret:
        """Give the ERP's secret for a server at `url`."""

    def platform_app(self) -> Any:
        """Give the platform's server."""
        return basware.create_app(self.world.ap)

    def platform(self) -> Secret:
        """Give what this ERP's orders demand of Basware's secret."""
        return {}

    def platform_secret(self, url: str) -> Secret:
        """Give the platform's secret for a server at `url`."""
        basics = {"region": "EU", "companies": ["1000"], "source_system": self.source_system, "base_url": url}
        return CLIENT | basics | self.platform()

    @abstractmethod
    def masters(self) -> dict[str, tuple[str, int]]:
        """Tell, before anything moves, how many records must reach the platform: words to (its list, count)."""

    @abstractmethod
    def booked(self) -> Iterator[tuple[str, Decimal]]:
        """Yield number and gross amount of each posted invoice and credit note, in document currency."""

    def unposted(self) -> list[str]:
        """Tell what stands in the ERP and is not posted."""
        return []

    def pay_one(self) -> tuple[str, Decimal] | None:
        """Pay an invoice inside the ERP, where payments are part of the integration: its number and the amount."""
        return None


class SapBooks(Books):
    """SAP Business One."""

    tenant, system, title, source_system, target = "acme", "sap_b1", "SAP Business One", "SAPB1", "400005"

    def __init__(self) -> None:
        self.world = fixtures.seeded_systems(telling=EVERYDAY_AMOUNTS)
        self.app = sap_b1.create_app(self.world.erp)
        super().__init__()

    def secret(self, url: str) -> Secret:
        """Give the Service Layer's address and the login."""
        return {
            "service_layer_url": f"{url}/b1s/v2",
            "company_db": fixtures.COMPANY,
            "user_name": fixtures.USER,
            "password": fixtures.PASSWORD,
            "timezone": "Europe/Berlin",
            "rounding_account": "400110",
        }

    def masters(self) -> dict[str, tuple[str, int]]:
        """Count partners, accounts, cost centers and the orders that are open before invoices close some."""
        erp = self.world.erp
        orders = [r for r in erp.rows("PurchaseOrders") if r["DocumentStatus"] == "bost_Open"]
        return {
            "suppliers": ("vendors", sum(r["CardType"] == "cSupplier" for r in erp.rows("BusinessPartners"))),
            "posting accounts": ("accounts", sum(r["ActiveAccount"] == "tYES" for r in erp.rows("ChartOfAccounts"))),
            "cost centers": ("costCenters", len(erp.rows("ProfitCenters"))),
            "orders that were open": ("matchingOrders", len(orders)),
        }

    def booked(self) -> Iterator[tuple[str, Decimal]]:
        """Read invoices and credit notes."""
        for table in ("PurchaseInvoices", "PurchaseCreditNotes"):
            for row in self.world.erp.rows(table):
                foreign = row["DocCurrency"] != self.world.erp.local_currency
                yield row["NumAtCard"], row["DocTotalFc"] if foreign else row["DocTotal"]

    def pay_one(self) -> tuple[str, Decimal] | None:
        """Pay one of the invoices in full, by bank transfer."""
        erp = self.world.erp
        invoice = next(
            r
            for r in erp.rows("PurchaseInvoices")
            if r["DocCurrency"] == erp.local_currency and r["DocTotal"] > 100 and str(r["NumAtCard"]).startswith("RE-")
        )
        back_office.pay(erp, invoice["DocEntry"])
        return str(invoice["NumAtCard"]), Decimal(invoice["DocTotal"])


class SageBooks(Books):
    """Sage 300; its batches are posted too, so that the posted documents are the books."""

    tenant, system, title, source_system, target = "acme-sage", "sage_300", "Sage 300", "SAGE300", "400005"

    def __init__(self) -> None:
        self.world = fixtures_sage_300.seeded_systems(telling=EVERYDAY_AMOUNTS)
        self.app = sage_300.create_app(self.world.erp)
        super().__init__()

    def secret(self, url: str) -> Secret:
        """Give the Web API's address and the login, whose password is not in upper case."""
        return {
            "api_url": f"{url}/Sage300WebApi/v1.0/-",
            "company": fixtures_sage_300.COMPANY,
            "user": fixtures_sage_300.USER,
            "password": fixtures_sage_300.PASSWORD,
            "uppercase_password": False,
            "post_batches": True,
            "cost_center_segment": fixtures_sage_300.COST_CENTER_SEGMENT,
            "timezone": "UTC",
        }

    def masters(self) -> dict[str, tuple[str, int]]:
        """Count vendors, natural accounts, codes of the cost-centre segment, and orders that wait for goods."""
        erp = self.world.erp
        naturals = {r["AccountSegmentCode1"] for r in erp.rows("GLAccounts")}
        centres = [r for r in erp.rows("GLSegmentCodes") if int(r["SegmentNumber"]) == 2]
        orders = [
            r
            for r in erp.rows("POPurchaseOrders")
            if r["Completed"] == "No" and r["PurchaseOrderType"] in {"Active", "Blanket"}
        ]
        return {
            "vendors": ("vendors", len(erp.rows("APVendors"))),
            "natural accounts": ("accounts", len(naturals)),
            "cost centers": ("costCenters", len(centres)),
            "orders that were open": ("matchingOrders", len(orders)),
        }

    def booked(self) -> Iterator[tuple[str, Decimal]]:
        """Read the posted documents of accounts payable."""
        for row in self.world.erp.rows("APPostedDocuments"):
            yield row["DocumentNumber"], Decimal(row["DocumentTotalIncludingTax"])

    def unposted(self) -> list[str]:
        """Tell the batches that are not posted, and what went wrong when others were."""
        erp = self.world.erp
        batches = [r for r in erp.rows("APInvoiceBatches") if r["BatchStatus"] != "Posted"]
        errors = [str(r["ErrorMessage"]) for r in erp.rows("APPostingErrorMessages")]
        return [f"batch {r['BatchNumber']} is {r['BatchStatus']}" for r in batches] + errors


class SysproBooks(Books):
    """SYSPRO, read by OData; its AP invoices are the books."""

    tenant, system, title, source_system, target = "acme-syspro", "syspro", "SYSPRO", "SYSPRO", "400005-CC101"

    def __init__(self) -> None:
        self.world = fixtures_syspro.seeded_systems(telling=EVERYDAY_AMOUNTS)
        self.app = syspro.create_app(self.world.erp)
        super().__init__()

    def secret(self, url: str) -> Secret:
        """Give the addresses of e.net and OData, and both logins; the cost center is a section of the ledger code."""
        return {
            "enet_url": f"{url}/SYSPROWCFService/Rest", "operator": fixtures_syspro.OPERATOR,
            "operator_password": fixtures_syspro.PASSWORD, "company_id": fixtures_syspro.COMPANY,
            "odata_url": f"{url}/SYSPRO8Odata/SYSPROOData", "odata_user": fixtures_syspro.ODATA_USER,
            "odata_password": fixtures_syspro.ODATA_PASSWORD, "cost_centers": {"from": "ledger_code", "section": 2},
            "timezone": "UTC",
        }  # fmt: skip

    def masters(self) -> dict[str, tuple[str, int]]:
        """Count suppliers, ledger codes, the sections that are cost centers, and orders that are not complete."""
        erp = self.world.erp
        codes = {r["GlCode"] for r in erp.rows("GenMaster") if r["Company"] == erp.company} - {"FORCED", "RETAINED"}
        orders = [
            r for r in erp.rows("PorMasterHdr")
            if r["CancelledFlag"] != "Y" and r["OrderStatus"] in {"0", "1", "4"} and r["DatePoCompleted"] is None
        ]  # fmt: skip
        return {
            "suppliers": ("vendors", len(erp.rows("ApSupplier"))),
            "GL codes": ("accounts", len(codes)),
            "cost centers": ("costCenters", len({code.split("-")[1] for code in codes if "-" in code})),
            "orders that were open": ("matchingOrders", len(orders)),
        }

    def booked(self) -> Iterator[tuple[str, Decimal]]:
        """Read the invoices of accounts payable; a credit note stands there with a negative value."""
        for row in self.world.erp.rows("ApInvoice"):
            yield row["Invoice"].strip(), abs(Decimal(row["OrigInvValue"]))


class X3Books(Books):
    """Sage X3, read and written by api1; its journal entries of supplier invoices are the books."""

    tenant, system, title, source_system, target = "acme-x3", "sage_x3", "Sage X3", "SAGEX3", "400005"

    def __init__(self) -> None:
        self.world = fixtures_sage_x3.seeded_systems(telling=EVERYDAY_AMOUNTS)
        self.app = sage_x3.create_app(self.world.erp)
        super().__init__()

    @staticmethod
    def plain(url: str) -> Secret:
        """Give the server, the folder and the login."""
        return {
            "url": url,
            "folder": fixtures_sage_x3.FOLDER,
            "auth": {"type": "basic", "user": fixtures_sage_x3.USER, "password": fixtures_sage_x3.PASSWORD},
            "company": fixtures_sage_x3.COMPANY,
            "chart": fixtures_sage_x3.CHART,
            "cost_center_dimension": "CCT",
            "timezone": "Europe/Paris",
        }

    def secret(self, url: str) -> Secret:
        """Say in addition how an invoice becomes a journal entry."""
        return self.plain(url) | {
            "classes": {"journal": {"class": "GACCENTRY", "representation": "ZGACCENTRY"}},
            "journal": {
                "entry_type": "PIINV", "journal": "ACH", "site": fixtures_sage_x3.SITE, "payable_account": "401100",
                "control": "401", "tax_account": "445660", "rounding_account": "658000",
            },
        }  # fmt: skip

    def platform(self) -> Secret:
        """Purchase requisitions have an owner and a category."""
        return {"requisition_owner_email": "purchasing@acme.example", "category_code": "GOODS"}

    def masters(self) -> dict[str, tuple[str, int]]:
        """Count suppliers, accounts of the chart, values of the cost centers' dimension, and orders that are open."""
        erp = self.world.erp
        orders = {o.order_number for o in sage_x3.order_lines(erp) if o.open}
        return {
            "suppliers": ("vendors", len(erp.rows("BPSUPPLIER"))),
            "accounts": ("accounts", sum(r["COA"] == fixtures_sage_x3.CHART for r in erp.rows("GACCOUNT"))),
            "cost centers": ("costCenters", sum(r["DIE"] == "CCT" for r in erp.rows("CACCE"))),
            "orders that were open": ("purchaseRequisitions", len(orders)),
        }

    def booked(self) -> Iterator[tuple[str, Decimal]]:
        """Read the entries that were imported; what the supplier gets is the line with the partner."""
        for row in self.world.erp.rows("GACCENTRY"):
            if row["REFINT"].strip():
                lines = [
                    r for r in self.world.erp.rows("GACCENTRYD") if (r["TYP"], r["NUM"]) == (row["TYP"], row["NUM"])
                ]
                yield row["BPRVCR"].strip(), sum(r["AMTCUR"] for r in lines if r["BPR"].strip() and r["LEDTYP"] == 1)
