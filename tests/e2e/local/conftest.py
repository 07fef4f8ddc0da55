"""Both sandboxes behind real sockets, a folder of secrets, and the command line as a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from infra.sandbox import basware, sap_b1
from infra.sandbox.scene import PASSWORD, scene
from infra.sandbox.server import serving



@dataclass
class Stage:
    """The two vendors and one tenant's folder."""

    folder: Path
    erp: Any
    ap: Any
    erp_url: str
    ap_url: str
    fates: dict[str, Any] = field(default_factory=dict)

    def write(self, system: str, tenant: str = "acme", **changes: Any) -> None:
        """Write a secret; a field set to None is left out."""
        made = {k: v for k, v in (self.defaults(system) | changes).items() if v is not None}
        path = self.folder / tenant / f"{system}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(made))

    def defaults(self, system: str) -> dict[str, Any]:
        if system == "sap_b1":
            return {"service_layer_url": f"{self.erp_url}/b1s/v2", "company_db": "SBODEMO", "user_name": "manager",
                    "password": PASSWORD, "timezone": "Europe/Berlin"}  # fmt: skip
        if system == "basware":
            return {"region": "EU", "client_id": "sandbox-client", "client_secret": "sandbox-secret",
                    "companies": ["1000"], "source_system": "SAPB1", "base_url": self.ap_url}  # fmt: skip
        return {}

    def command(self, *args: str) -> list[str]:
        return [sys.executable, "-c", "from infra.ops.main import main; main()", *args]

    def cli(self, *args: str, timeout: float = 120) -> subprocess.CompletedProcess[str]:
        return subprocess.run(self.command(*args), capture_output=True, text=True, timeout=timeout)

    def run(self, *more: str) -> tuple[int, dict[str, Any]]:
        """Run `local run`; gives the exit code and the report."""
        out = self.folder.parent / "out.json"
        ran = self.cli("local", "run", "--secrets", str(self.folder), "--report", str(out), *more)
        assert "Traceback" not in ran.stderr, ran.stderr
        return ran.returncode, json.loads(out.read_text()) if out.exists() else {"stderr": ran.stderr}

    def writes(self) -> dict[str, int]:
        """Count what was written to either vendor; logins and look-ups are not."""
        calls = {**self.erp.calls, **self.ap.calls}
        return {
            k: n for k, n in calls.items() if not k.startswith("GET") and k not in {"POST Login", "POST /v1/tokens"}
        }

    def booked(self) -> list[tuple[str, str]]:
        """List (supplier, number) of what stands in the ERP's books."""
        rows = [*self.erp.rows("PurchaseInvoices"), *self.erp.rows("PurchaseCreditNotes")]
        return sorted((r["CardCode"], r["NumAtCard"]) for r in rows if r.get("NumAtCard"))


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    made = scene()
    erp, ap = made.erp, made.ap
    with ExitStack() as stack:
        erp_url = stack.enter_context(serving(sap_b1.create_app(erp)))
        ap_url = stack.enter_context(serving(basware.create_app(ap)))
        ready = Stage(tmp_path / "secrets", erp, ap, erp_url, ap_url, made.fates)
        ready.write("sap_b1")
        ready.write("basware")
        yield ready
