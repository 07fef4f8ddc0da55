"""What fields of a secret mean where they are left out, which depends on the systems that a tenant has."""

from collections.abc import Collection, Mapping

from ml_connector.integrations import INTEGRATIONS


def defaults_of(system: str, systems: Collection[str]) -> Mapping[str, str]:
    """Name what fields of a secret mean where they are left out, by the integration of a tenant with these systems."""
    mine = (i for i in INTEGRATIONS if {i.erp, i.platform} <= {*systems, system} and system in {i.erp, i.platform})
    return next((i.defaults[system] for i in mine if system in i.defaults), {})
