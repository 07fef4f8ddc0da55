"""What is not completed at the end of a run: it is listed, and the next run looks at it."""

from __future__ import annotations

import pytest


@pytest.mark.long
def test_a_posting_in_doubt_is_listed_and_held_after_it_goes_on_with_the_next_run(small):
    small.write("sap_b1", in_doubt_seconds=16)
    key = small.invoice("100.00")
    number = small.ap.documents[key].record["invoiceNumber"]
    month = f"{small.ap.now()}"[:7]
    small.erp.faults.add("drop-before", "PurchaseInvoices", "POST")
    report = small.run("--max-seconds", "6")[1]
    (line,) = [one for one in report["open"] if one["flow"] == "invoices"]
    assert (line["key"], line["number"], line["state"]) == (key, number, "in doubt")
    assert (line["amount"], line["currency"]) == ("100.00", "EUR") and line["since"] and line["next_retry"]
    assert "in doubt" in small.ops("held")

    small.erp.closed_periods = {month}
    report = small.ran()  # waits until the doubt is over, and is refused
    (held,) = report["held"]
    assert held["waiting_for"] == f"period:{month}" and report["open"] == []
    assert small.posted(key) == []
    small.erp.closed_periods = set()
    report = small.ran()
    assert len(small.posted(key)) == 1, "no doubt is waited out a second time"
    assert report["held"] == [] and [line["state"] for line in report["open"]] == ["in doubt"], "it is looked at again"
