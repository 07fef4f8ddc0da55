"""Sage X3 and Basware."""

from ml_connector.flow import Integration

ERP, AP = "sage_x3", "basware"

SAGE_X3_BASWARE = Integration(
    name="sage_x3-basware",
    erp=ERP,
    platform=AP,
    flows=(),
)
