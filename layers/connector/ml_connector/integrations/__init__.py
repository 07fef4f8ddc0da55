"""What moves: one short table for each integration."""

from ml_connector.flow import Integration
from ml_connector.integrations.sage_300_basware import SAGE_300_BASWARE
from ml_connector.integrations.sage_x3_avidxchange import SAGE_X3_AVIDXCHANGE
from ml_connector.integrations.sage_x3_basware import SAGE_X3_BASWARE
from ml_connector.integrations.sap_b1_basware import SAP_B1_BASWARE
from ml_connector.integrations.syspro_basware import SYSPRO_BASWARE

INTEGRATIONS: tuple[Integration, ...] = (
    SAP_B1_BASWARE,
    SAGE_300_BASWARE,
    SYSPRO_BASWARE,
    SAGE_X3_BASWARE,
    SAGE_X3_AVIDXCHANGE,
)
