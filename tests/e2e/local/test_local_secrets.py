"""Secrets that are wrong: a sentence that a person can act on, no locked user, no harm to others, nothing leaked."""

import base64
import gzip
import json
import socket
import time

import pytest

PLANTED = {
    "password": "pLanted-pässwörd-7731",
    "client_secret": "pLanted-client-5582",
    "webhook_secret": "pLanted-hook-9914",
}


def test_a_wrong_sap_password_is_tried_once_and_a_corrected_one_works_at_once(small):
    small.write("sap_b1", password="wrong-one")
    code, report = small.run()
    assert code == 1
    assert not report["reconciled"]
    said = small.flows(report)["vendors"]["error"]
    assert "refused the login of user 'manager'" in said
    assert "password" in said
    assert "wrong-one" not in json.dumps(report)
    assert all(row["error"] for name, row in small.flows(report).items() if name != "invoices")
    assert small.erp.login_failures == 1
    code, report = small.run()
    assert code == 1
    assert "until the secret is changed" in small.flows(report)["vendors"]["error"]
    assert small.erp.login_failures == 1
    small.write("sap_b1")
    key = small.invoice("12.00")
    assert small.flows(small.ran())["vendors"]["delivered"] == 5
    assert len(small.posted(key)) == 1
    assert small.erp.login_failures == 1


def test_an_invoice_waits_behind_a_refused_erp_login_and_is_posted_when_it_is_mended(small):
    small.ran()
    key = small.invoice("12.00")
    small.erp.sessions.accounts["manager"] = "changed-meanwhile"
    small.erp.expire_sessions()
    code, report = small.run()
    row = small.flows(report)["invoices"]
    assert code == 1
    assert row["pending"] == 1
    assert "login" in row["error"]
    assert small.document(key).status == "WaitingForTransfer"
    assert small.erp.login_failures == 1
    small.write("sap_b1", password="changed-meanwhile")
    assert small.flows(small.ran())["invoices"]["delivered"] == 1
    assert len(small.posted(key)) == 1


def test_a_wrong_basware_secret_is_tried_once_and_a_corrected_one_works_at_once(small):
    small.write("basware", client_secret="wrong-one")
    code, report = small.run()
    flows = small.flows(report)
    assert code == 1
    assert "Basware" in flows["invoices"]["error"]
    assert "client_secret" in flows["invoices"]["error"]
    assert "wrong-one" not in json.dumps(report)
    assert flows["vendors"]["pending"] == 5
    assert all(row["error"] for row in flows.values() if row["read"])
    assert small.ap.refused_logins == 1
    code, _ = small.run()
    assert code == 1
    assert small.ap.refused_logins == 1
    small.write("basware")
    report = small.ran()
    assert small.flows(report)["vendors"]["delivered"] == 5
    assert len(small.imported("vendors")) == 5
    assert small.ap.refused_logins == 1


@pytest.mark.long
def test_an_unreachable_host_ends_within_about_a_minute_and_leaves_the_other_tenant_untouched(small_for_all):
    stages = {name: small_for_all(name) for name in ("no-sap", "no-basware", "good")}
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        host = f"127.0.0.1:{taken.getsockname()[1]}"
        stages["no-sap"].write("sap_b1", service_layer_url=f"http://{host}/b1s/v2")
        stages["no-basware"].write("basware", base_url=f"http://{host}")
        key = stages["good"].invoice("12.00")
        begun = time.monotonic()
        code, report = stages["good"].run()
    assert code == 1
    assert time.monotonic() - begun < 75

    flows = stages["no-sap"].flows(report)
    for name in ("vendors", "accounts", "cost_centers", "purchase_orders", "payments"):
        assert f"SAP Business One at {host} cannot be reached" in flows[name]["error"]
        assert flows[name]["read"] == 0

    flows = stages["no-basware"].flows(report)
    assert f"Basware at {host} cannot be reached" in flows["invoices"]["error"]
    for name, count in (("vendors", 5), ("accounts", 10), ("cost_centers", 3)):
        assert f"Basware at {host} cannot be reached" in flows[name]["error"]
        assert flows[name]["read"] == flows[name]["pending"] == count

    flows = stages["good"].flows(report)
    assert all(row["error"] is None for row in flows.values())
    assert flows["vendors"]["delivered"] == 5
    assert len(stages["good"].posted(key)) == 1


@pytest.fixture(scope="module")
def unusable(tmp_path_factory, small_for_all):
    """Run six tenants of which five have a secret that cannot be used."""
    good = small_for_all("good", tmp_path_factory.mktemp("unusable"))
    for tenant in ("region", "missing", "unknown", "broken", "address"):
        good.write("sap_b1", tenant)
        good.write("basware", tenant)
    good.write("basware", "region", base_url="https://api.us.basware.com")
    good.write("basware", "missing", client_secret=None)
    good.write("sap_b1", "unknown", pasword="planted-9917")
    good.write("basware", "broken").write_text('{"region": "EU", "client_secret": "planted-5512"')
    good.write("sap_b1", "address", service_layer_url=f"{good.erp_url}/b1s/v3")
    out = good.folder.parent / "unusable.json"
    ran = good.cli("local", "run", "--secrets", str(good.folder), "--report", str(out))
    return good, ran, json.loads(out.read_text())


@pytest.mark.parametrize(
    ("tenant", "words"),
    [
        ("region", ("region/basware", "'base_url'", "region US", "'region' says EU")),
        ("missing", ("missing/basware", "'client_secret'", "missing")),
        ("unknown", ("unknown/sap_b1", "'pasword'", "did you mean 'password'")),
        ("broken", ("broken/basware", "invalid JSON")),
        ("address", ("address/sap_b1", "'service_layer_url'", "/b1s/v2")),
    ],
)
def test_an_unusable_secret_is_explained_in_every_flow_with_zeros(unusable, tenant, words):
    _, ran, report = unusable
    flows = report["tenants"][tenant]["sap_b1-basware"]
    assert len(flows) == 6
    for row in flows.values():
        assert all(word in row["error"] for word in words), row["error"]
        assert [row[place] for place in ("read", "delivered", "unchanged", "held", "pending")] == [0] * 5
    assert all(word in ran.stdout for word in words)


def test_an_unusable_secret_exits_with_2_and_the_other_tenant_still_runs(unusable):
    good, ran, report = unusable
    assert ran.returncode == 2
    assert good.flows(report)["vendors"]["delivered"] == 5
    assert len(good.imported("vendors")) == 5


def test_an_unusable_secret_shows_no_value_of_itself(unusable):
    _, ran, report = unusable
    for text in (ran.stdout, ran.stderr, json.dumps(report)):
        assert "planted-" not in text
        assert "Traceback" not in text


@pytest.mark.parametrize("corrected", [False, True])
def test_a_mended_secret_needs_nothing_else(small, corrected):
    small.write("basware", region="XX")
    assert small.run()[0] == 2
    if corrected:
        small.write("basware")
        assert small.flows(small.ran())["vendors"]["delivered"] == 5


def everything_in(folder):
    """Give each file of a folder as bytes, unpacked where it is packed."""
    for path in folder.rglob("*"):
        if path.is_file():
            data = path.read_bytes()
            yield path, data
            if data[:2] == b"\x1f\x8b":
                yield path, gzip.decompress(data)


def forms(value):
    """Spell a secret in the ways in which it might turn up."""
    return {
        value.encode(),
        json.dumps(value)[1:-1].encode(),
        base64.b64encode(value.encode()),
        base64.b64encode(f"sandbox-client:{value}".encode()),
    }


@pytest.fixture
def planted(small):
    small.erp.sessions.accounts["manager"] = PLANTED["password"]
    small.ap.clients["sandbox-client"] = PLANTED["client_secret"]
    small.write("sap_b1", password=PLANTED["password"])
    small.write("basware", client_secret=PLANTED["client_secret"], webhook_secret=PLANTED["webhook_secret"])
    return small


def assert_nothing_leaked(stage, texts, secrets):
    state = [*everything_in(stage.folder / ".state")]
    assert any(path.name.endswith(".gz") for path, _ in state)
    for secret in secrets:
        for form in forms(secret):
            assert not [path for path, data in state if form in data]
            assert not [text for text in texts if form in text.encode()]


def test_no_secret_and_no_token_is_in_the_state_the_report_or_the_output(planted):
    planted.invoice("12.00")
    planted.invoice("12.00", account="6999")
    planted.erp.faults.add("401", "BusinessPartners")
    out = planted.folder.parent / "out.json"
    ran = planted.cli("local", "run", "--secrets", str(planted.folder), "--report", str(out))
    assert ran.returncode == 0, ran.stderr
    tokens = [*planted.erp.sessions.open, *planted.ap.tokens]
    assert tokens
    assert_nothing_leaked(planted, [ran.stdout, ran.stderr, out.read_text()], [*PLANTED.values(), *tokens])


def test_no_refused_secret_is_in_the_state_the_report_or_the_output(planted):
    planted.ran()
    planted.write("sap_b1", password="pLanted-wrong-3321")
    planted.write("basware", client_secret="pLanted-wrong-4432")
    planted.erp.expire_sessions()
    out = planted.folder.parent / "out.json"
    ran = planted.cli("local", "run", "--secrets", str(planted.folder), "--report", str(out))
    assert ran.returncode == 1
    secrets = [*PLANTED.values(), "pLanted-wrong-3321", "pLanted-wrong-4432"]
    assert_nothing_leaked(planted, [ran.stdout, ran.stderr, out.read_text()], secrets)


def test_two_tenants_with_one_company_of_one_account_are_refused_before_anything_is_posted_twice(small):
    key = small.invoice("12.00")
    for system in ("sap_b1", "basware"):
        small.write(system, tenant="twin")
    code, report = small.run()
    assert code == 2
    said = {tenant: flows["sap_b1-basware"]["invoices"]["error"] for tenant, flows in report["tenants"].items()}
    assert set(said) == {"acme", "twin"}
    assert "twin has company 1000 of the Basware account as well" in said["acme"]
    assert "acme has company 1000" in said["twin"]
    assert small.posted(key) == [] and small.document(key).status == "WaitingForTransfer"

    small.write("settings", tenant="twin", shadow=True)
    assert small.run()[0] == 0  # in shadow it writes nothing
    assert len(small.posted(key)) == 1
