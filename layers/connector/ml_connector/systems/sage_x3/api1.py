"""api1: classes and representations, by `kit/sdata` (`docs/vendors/sage_x3.md`)."""

from __future__ import annotations

from ml_connector.systems.http import Http
from ml_connector.systems.kit.sdata import Dialect, Sdata
from ml_connector.systems.sage_x3.entities import CHANGED
from ml_connector.systems.sage_x3.faults import VENDOR, unread

DIALECT = Dialect(VENDOR, gone="721", unread=unread, changed=CHANGED, cut=20)
"""721 is the number of X3's message that a record does not exist."""


class Api1(Sdata):
    """The `Reader` and `Writer` of api1."""

    def __init__(self, http: Http, path: str) -> None:
        """`path`: of the endpoint, such as `/api1/x3/erp/SEED`; a class follows."""
        super().__init__(http, path, DIALECT)
