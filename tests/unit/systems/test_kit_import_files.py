"""Files that an ERP imports: what stands where, and what no file can hold."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from ml_connector.errors import Rejected
from ml_connector.systems.kit.import_files import fitting, layout, written

FILE = layout("H", "KEY DAY TEXT", LINES=layout("L", "KEY AMOUNT CODES.0 CODES.1 CODES.2", 3))


def test_records_have_their_letter_their_columns_and_the_keys_of_the_document() -> None:
    body = {"KEY": "A1", "DAY": date(2026, 2, 3), "LINES": [{"AMOUNT": Decimal("1E+3"), "CODES": ["x", "y"]}, {}]}
    assert written(FILE, body, ("KEY",), "The ERP") == "H;A1;20260203;|L;A1;1000;x;y|L;A1;;|END"


@pytest.mark.parametrize("bad", [";", "|", '"', "\n"])
def test_a_value_that_would_break_the_file_is_refused_and_a_text_is_written_without_it(bad: str) -> None:
    with pytest.raises(Rejected, match="cannot be imported as TEXT: an import file of The ERP cannot keep"):
        written(FILE, {"TEXT": f"a{bad}b"}, (), "The ERP")
    assert fitting(f"a{bad} b") == "a b"
