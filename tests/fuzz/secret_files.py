"""Secrets as people write them, spoilt: each is taken or explained, and its tenant alone is spoilt by it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

from ml_connector import registry
from ml_connector.context import TenantSettings
from ml_connector.embedded.blobs import MemoryBlobs
from ml_connector.embedded.clock import SeededRandom
from ml_connector.embedded.queue import MemoryQueue
from ml_connector.embedded.secrets import FolderSecrets, MemorySecrets
from ml_connector.embedded.store import SqliteStore
from ml_connector.embedded.vault import MemoryVault
from ml_connector.engine.runtime import Runtime
from ml_connector.engine.schedule import tenant_rows
from ml_connector.errors import ConnectorError, Misconfigured
from ml_connector.systems.basware import Settings as Basware
from ml_connector.systems.sage_300 import Settings as Sage300
from ml_connector.systems.sap_b1 import Settings as SapB1
from ml_connector.systems.settings import parse
from ml_connector.tenant import BootstrapOptions
from tests.clock import Clock
from tests.fuzz import mutate
from tests.fuzz.runner import Finding

PASSWORD, CLIENT_SECRET, HOOK_KEY = 'hidden-pä"ss-17', "hidden-client-secret-17", "hidden-hook-key-17"
HIDDEN = (PASSWORD, PASSWORD.upper(), CLIENT_SECRET, HOOK_KEY)
ERPS = ("sap_b1", "sage_300")
"""A tenant has one of them."""
WRITTEN: dict[str, dict[str, Any]] = {
    "sap_b1": {
        "service_layer_url": "https://sap.example.com:50000/b1s/v2", "company_db": "SBODEMO", "user_name": "manager",
        "password": PASSWORD, "branch_id": 3, "tax_code_field": "VatGroup", "external_id_field": "U_ExtId",
        "rounding_account": "678000", "timezone": "Europe/Berlin", "timeout_seconds": 30, "max_concurrency": 4,
        "in_doubt_seconds": 900,
    },
    "sage_300": {
        "api_url": "https://erp.example.com/Sage300WebApi/v1.0/-", "company": "SAMLTD", "user": "webapi",
        "password": PASSWORD, "uppercase_password": True, "post_batches": False, "date_literal": "iso",
        "cost_center_segment": "2", "timezone": "America/Vancouver", "max_concurrency": 2, "in_doubt_seconds": 900,
    },
    "basware": {
        "region": "EU", "client_id": "client", "client_secret": CLIENT_SECRET, "companies": ["1000", "2000"],
        "source_system": "ERP1", "environment": "production", "base_url": "https://api.basware.com",
        "scopes": ["vendors.read"], "webhook_secret": HOOK_KEY, "webhook_url": "https://hooks.example.com/x",
        "language": "en-US", "dimension_lists": {"PRJ": "ACC_LIST_1"}, "timezone": "UTC",
    },
    "settings": {
        "schedules": {"invoices": "rate(5 minutes)", "vendors": "cron(0 6 * * ? *)", "accounts.full": "off"},
        "start_dates": {"payments": "2026-01-01"}, "paused": False, "shadow": False, "closed_period": "hold",
        "rounding_tolerance": "0.05", "send_bank_details": False, "alert_days_before_refresh_token_end": 7,
    },
}  # fmt: skip
MODELS: dict[str, Any] = {"sap_b1": SapB1, "sage_300": Sage300, "basware": Basware, "settings": TenantSettings}
LIKELY: dict[str, tuple[Any, ...]] = {
    "timezone": ("Mars/Olympus", "", "Europe", "../../etc/passwd", "a" * 300, "UTC\x00", "europe/berlin", "localtime"),
    "service_layer_url": (
        "https://[", "https://h:99999/b1s/v1", "https://h:x/b1s/v2", "https://ex ample/b1s/v1", "ftp://h/b1s/v1",
        f"https://u:{CLIENT_SECRET}@h/b1s/v1", f"ftp://u:{PASSWORD}@h/b1s/v1", "//h/b1s/v1", "https://ß.de/b1s/v1",
        "https://" + "a" * 300 + ".com/b1s/v1", "https://xn--a/b1s/v1", "https://h\u0000/b1s/v1", "https://.../b1s/v1",
        "https://[::1]:50000/b1s/v1", "http://localhost/b1s/v1", "https://ａ．com/b1s/v1", "https://℀.com/b1s/v1",
    ),
    "api_url": (
        "https://h/v1.0", "https://h/v1.0/-/", "https://h/v1.0/-/SAMLTD", "https://[/v1.0/-", "https://h:0/v1.0/-",
        "https://h/v٣/-", "https://h/v" + "9" * 5000 + "/-", f"https://u:{PASSWORD}@h/v1.0/-", "v1.0/-", "",
        "https://h/v1.0/-?x=/v1.0/-", "https://h#/v1.0/-", "https://h\u0000/v1.0/-", "HTTPS://H/V1.0/-",
        f"{PASSWORD}/v1/-",
    ),
    "company": ("samltd", "", "A B", "SAM/LTD", "ÄÖÜ", "x" * 40, 5, "ﬀ", "SAM\n"),
    "user": ("", "ß", "a:b", "\ud800", "x" * 5000, 7), "date_literal": ("ISO", "date", "", None),
    "password": ("", "a:b", "ß" * 3, "\ud800", "x" * 5000, 7, None), "post_batches": ("false", 0, "no", None, 2),
    "cost_center_segment": (
        2, "0", "11", "²", "٣", "1.0", "-1", " 2", "2\n", "9" * 5000, "002", "", "DEPT", None, "0" * 5000 + "2"
    ),
    "base_url": ("https://api.us.basware.com", "https://[fe80::1%eth0]", "http://127.0.0.1:1",
    "https://h:-1", HOOK_KEY),
    "webhook_url": ("https://h:70000", f"https://{HOOK_KEY}", f"h?{HOOK_KEY}", 5),
    "ca_bundle": ("", " ", "ü", "-----BEGIN CERTIFICATE-----", "-----BEGIN CERTIFICATE-----\nAAAA\n"
                  "-----END CERTIFICATE-----", "x" * 5000),
    "timeout_seconds": (float("nan"), float("inf"), 0, -1, 1e-320, "30", True),
    "rounding_tolerance": (float("nan"), "NaN", "Infinity", 0.05, "1e-999999", -1, "0.050000000000000000000000001"),
    "start_dates": ({"payments": 0}, {"payments": "2026-02-30"}, {"x": "2026-01-01"}, {"payments": 10**20}, []),
    "schedules": tuple({"invoices": text} for text in (
        "rate(0 minutes)", "rate(99999999999999 days)", "rate(1 minutes)", "rate(² hours)", "rate(٣ hours)", "Off",
        "cron(0 0 30 2 ? *)", "cron()", "cron(* * * * *)", "cron(*/0 * * * *)", "cron(0 0 * * 8)",
        "cron(0 0 ? * 7#5 *)",
        "cron(0 0 31 11 *)", "cron(9999999999 0 * * *)", "cron(0 0 * * MON-FRI ? 2027)", "cron(0 0 L * ?)",
        "cron(\x00)",
        "cron(0 0 29 2 ? *)", "cron(0 0 * * 1,3-5 *)", "cron(0 25 * * *)", "rate(1 hour) ", "", "off ",
        "cron(0 0 LW * *)",
        "cron(0 0 1W * *)", "cron(0 0 * * ²)", "rate(" + "9" * 5000 + " days)", "cron(0-59/0 * * * *)",
        "cron(0 0 * * 0-7)",
    )),
    "external_id_field": ("U_", "U_a b", "u_x", "U_" + "x" * 60, ""),
    "companies": ([], [""], "1000", [1000], ["1000", "1000"], ["x" * 40], [None]),
    "scopes": ("a b", [], "", [" "], {"a": 1}),
}  # fmt: skip
"""What people get wrong in each field, beside what the mutator does to any."""


class SecretFiles:
    """The campaign: enrolment never fails, and no message shows a secret."""

    def __init__(self) -> None:
        self.clock: Any = Clock(datetime(2026, 3, 2, 9, tzinfo=UTC))
        self.store, self.vault = SqliteStore(), MemoryVault()
        self.runtime = Runtime(
            self.store, MemoryQueue(self.clock), MemoryBlobs(), self.clock, SeededRandom(1), boot="b", sole=True
        )

    def case(self, dice: Random) -> str:
        system = dice.choice(list(WRITTEN))
        text = self._spoilt(dice, system)
        insecure = dice.random() < 0.5
        outcome = self._parsed(system, text, insecure)
        self._enrolled(dice, system, text, insecure)
        return f"{system} {outcome}"

    def _spoilt(self, dice: Random, system: str) -> bytes:
        fields = dict(WRITTEN[system])
        if dice.random() < 0.45:
            name = dice.choice([n for n in LIKELY if n in fields or n in {"ca_bundle"}])
            fields[name] = dice.choice(LIKELY[name])
            return json.dumps(fields, ensure_ascii=dice.random() < 0.5).encode("utf-8", "surrogatepass")
        if dice.random() < 0.2:
            extra = dice.choice(("pasword", "x" * 100_000, "", "client_secrets", "\ud800", "__class__", "password.x"))
            many = {f"unknown_{n}": n for n in range(dice.choice((0, 0, 3, 3000)))}
            return json.dumps({**fields, extra: dice.choice((1, None, PASSWORD)), **many}).encode()
        if dice.random() < 0.2:  # a value in the wrong field
            one, other = dice.sample(list(fields), 2)
            fields[one], fields[other] = fields[other], fields[one]
            return json.dumps(fields).encode()
        return mutate.body(dice, json.dumps(fields).encode())

    def _parsed(self, system: str, data: bytes, insecure: bool) -> str:
        text = data.decode("utf-8", "surrogateescape")  # a secrets manager hands out text, whatever it holds
        try:
            made = parse(MODELS[system], text, f"acme/{system}", insecure=insecure)
        except Misconfigured as error:
            self._clean(str(error))
            return "refused"
        if system != "settings":
            made.identity(), made.company(), made.webhook_keys(), made.urls(), made.credentials_version()
            if not all(isinstance(value, str) for value in made.secret_values()):
                raise Finding("a secret value that is no text")
        return "taken"

    def _enrolled(self, dice: Random, system: str, data: bytes, insecure: bool) -> None:
        """Enrol the spoilt tenant beside a good one; what was taken can also be used."""
        erp = system if system in ERPS else dice.choice(ERPS)
        left = {other for other in ERPS if other != erp}
        good = {name: json.dumps(fields) for name, fields in WRITTEN.items() if name not in left}
        text = data.decode("utf-8", "replace")
        fine = good | {"basware": json.dumps(WRITTEN["basware"] | {"client_id": "of another account"})}
        texts = {("fine", name): one for name, one in fine.items()} | {
            ("acme", name): text if name == system else one for name, one in good.items()
        }
        tools = BootstrapOptions(self.vault, insecure=insecure)
        if dice.random() < 0.05:
            with TemporaryDirectory() as folder:
                for (tenant, name), one in texts.items():
                    path = Path(folder, tenant, f"{name}.json")
                    path.parent.mkdir(exist_ok=True)
                    path.write_bytes(data if (tenant, name) == ("acme", system) else one.encode())
                rows = registry.rebuild(self.runtime, FolderSecrets(folder), tools)
        else:
            secrets = MemorySecrets(texts)
            rows = registry.rebuild(self.runtime, secrets, tools)
            self._used(tools, secrets, erp)
        by_name = {row.name: row for row in (*tenant_rows.rows(self.runtime.store), *rows)}  # made: those that changed
        if by_name["fine"].problem or not by_name["fine"].pairs:
            raise Finding(f"the other tenant was spoilt too: {by_name['fine'].problem}")
        if not by_name["acme"].pairs and not by_name["acme"].problem:
            raise Finding("a tenant without a pair and without a reason")
        self._clean(by_name["acme"].problem or "")

    def _used(self, tools: BootstrapOptions, secrets: MemorySecrets, erp: str) -> None:
        from ml_connector import bootstrap

        for tenant in bootstrap.tenants(self.runtime, secrets, tools, only="acme"):
            for pair in tenant.pairs:
                for name in (erp, "basware"):
                    try:
                        pair.connection(name)
                    except ConnectorError as error:
                        self._clean(str(error))
                pair.close()

    def _clean(self, text: str) -> None:
        for secret in HIDDEN:
            if secret in text or json.dumps(secret)[1:-1] in text:
                raise Finding(f"a message shows a secret: {text[:200]}")
        if len(text) > 20_000:
            raise Finding(f"a message of {len(text)} characters")
