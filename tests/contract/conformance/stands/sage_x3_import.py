"""The stand of a Sage X3 that documents are imported into by SOAP, and read back from by api1."""

from __future__ import annotations

from typing import Any, ClassVar

from tests.contract.conformance.sage_x3_documents import ByImport
from tests.contract.conformance.stands.sage_x3 import SageX3Stand


class ImportStand(ByImport, SageX3Stand):
    secret: ClassVar[dict[str, Any]] = {**SageX3Stand.secret, **ByImport.written}


STAND = ImportStand
