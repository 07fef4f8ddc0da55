"""The engine: knows flows and ports, no vendor and no cloud.

Its wings import one way: replay, relocate → poll → write → schedule → endpoints, tenant_integration → ledger, access;
all of them may know `runtime`.
"""
