"""Payment terms and tax numbers, changed by supplier maintenance (`docs/vendors/syspro.md`)."""

from collections.abc import Mapping

from ml_connector.enrichment import ErpSupplier
from ml_connector.systems.kit.faults import Fault
from ml_connector.systems.kit.supplier_columns import SupplierColumns
from ml_connector.systems.kit.tables import Query
from ml_connector.systems.syspro.client import Client
from ml_connector.systems.syspro.faults import VENDOR

KEPT = SupplierColumns(VENDOR, {"payment_term": ("TermsCode", 2), "vat_number": ("TaxRegnNum", 20)})
PARAMETERS = {"IgnoreWarnings": "N", "ApplyIfEntireDocumentValid": "Y", "ValidateOnly": "N"}


class SupplierMaintenance:
    """The `enrichment.SupplierFields` of one company."""

    fields = tuple(KEPT.columns)

    def __init__(self, client: Client) -> None:
        self._client = client

    def read(self, key: str) -> ErpSupplier | None:
        """Read all columns, for nothing proves that maintenance leaves alone what it is not sent."""
        asked = Query("", (), ("Supplier",), (("Supplier", "EQ", key),), whole=True)
        return KEPT.read(self._client.all, asked, "ApSupplier", "ApSupplierAddr")

    def write(self, key: str, changes: Mapping[str, str]) -> None:
        """Name the elements to change and no other: an empty one may empty its field."""
        document = {"Item": {"Key": {"Supplier": key}} | KEPT.written(key, changes)}
        if isinstance(said := self._client.setup("Update", "APSSSP", PARAMETERS, document), Fault):
            raise KEPT.refusal(key, changes, said)
