"""ml-connector: joins an ERP to an accounts-payable platform, and proves that nothing was lost or doubled."""

__version__ = "0.1.0"
