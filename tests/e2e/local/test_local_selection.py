"""A run of one tenant, or of one flow, moves that and leaves everything else as it stands."""

import json


def test_a_run_of_one_flow_moves_that_flow_and_lists_no_other(small):
    key = small.invoice("12.00")
    report = small.ran("--flow", "vendors")
    assert {name: row["delivered"] for name, row in small.flows(report).items()} == {"vendors": 5}
    assert not small.imported("accounts")
    assert small.document(key).status == "WaitingForTransfer"
    rest = small.flows(small.ran())
    assert (rest["vendors"]["delivered"], rest["accounts"]["delivered"], rest["invoices"]["delivered"]) == (0, 10, 1)


def test_a_run_of_one_flow_leaves_what_another_flow_has_on_hold(small):
    small.invoice("12.00", account="6999")
    small.ran()
    before = json.loads(small.ops("held", "--json"))
    report = small.ran("--flow", "sap_b1-basware/accounts", "--tenant", "acme")
    assert (list(small.flows(report)), report["held"]) == (["accounts"], [])
    assert json.loads(small.ops("held", "--json")) == before


def test_an_invoice_still_waits_for_the_master_data_that_was_not_asked_for(small):
    key = small.invoice("12.00")
    report = small.ran("--flow", "invoices")
    assert report["held"][0]["waiting_for"].startswith("prerequisite:")
    assert not small.posted(key)


def test_a_run_of_one_tenant_reads_no_other(small):
    small.write("sap_b1", tenant="beta", company_db="OTHER")
    small.write("basware", tenant="beta", companies=["2000"])
    assert list(small.ran("--tenant", "acme")["tenants"]) == ["acme"]


def test_a_tenant_that_shares_its_company_with_another_one_is_refused_also_alone(small):
    for system in ("sap_b1", "basware"):
        small.write(system, tenant="beta")
    code, report = small.run("--tenant", "acme")
    assert code == 2
    assert "beta" in small.flows(report)["invoices"]["error"]


def test_a_flow_that_is_off_says_so(small):
    small.write("settings", schedules={"payments": "off"})
    ran = small.cli("local", "run", "--secrets", str(small.folder), "--flow", "payments")
    assert (ran.returncode, "The flow 'payments' of acme is off" in " ".join(ran.stdout.split())) == (0, True)


def test_names_that_do_not_exist_are_refused_with_the_nearest_one(small):
    for words, said in (
        (("--tenant", "acne"), "There is no tenant 'acne'; did you mean 'acme'?"),
        (("--flow", "invoice"), "There is no flow 'invoice' in any tenant; did you mean 'invoices'?"),
        (("--dry-run", "--engine", "ministack"), "--dry-run cannot be given with --engine ministack"),
    ):
        ran = small.cli("local", "run", "--secrets", str(small.folder), *words)
        assert (ran.returncode, said in " ".join(ran.stderr.split())) == (2, True), ran.stderr
    assert not small.writes()
