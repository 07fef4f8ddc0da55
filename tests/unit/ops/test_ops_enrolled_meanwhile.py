"""The tenant registry is made from the secrets; a tenant that is enrolled meanwhile is not taken for one that ended."""

from __future__ import annotations

from typing import Any

from ml_connector import registry
from ml_connector.embedded.secrets import FolderSecrets
from ml_connector.engine.schedule import tenant_rows


def test_a_tenant_that_is_enrolled_meanwhile_stays(office: Any) -> None:
    workspace = office.workspace

    class Slow(FolderSecrets):
        """Lists the tenants, and gives the list only when another process has enrolled a further one."""

        def names(self) -> list[tuple[str, str]]:
            listed = super().names()
            for system in ("basware", "sap_b1"):
                office.write("later", system, (office.folder / "acme" / f"{system}.json").read_text())
            registry.rebuild(workspace.runtime, workspace.secrets, workspace.tools)
            return listed

    registry.rebuild(workspace.runtime, Slow(office.folder), workspace.tools)
    assert tenant_rows.row(workspace.runtime.store, "later") is not None
    assert tenant_rows.row(workspace.runtime.store, "acme") is not None
