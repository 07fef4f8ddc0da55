"""Refused reads: what they mean for whoever asked."""

from __future__ import annotations

from ml_connector.errors import Misconfigured, Transient
from ml_connector.systems.sage_300.replies import NO_RIGHT, Fault


class Refused(Misconfigured):
    """The server refuses to show something. `puzzled`: it does not know a word of the question."""

    puzzled = False


class NotOffered(Refused):
    """The server does not know the resource, or does not let it be read: an older release, or no such module.

    What a company can do without is left out (`WebApi.offered`); for anything else this is a wrong address.
    """


class Puzzled(Refused):
    """It is known already that the server does not take the question."""

    puzzled = True


def refused_read(resource: str, fault: Fault) -> Transient | Misconfigured:
    """Make the error of a refused read."""
    if fault.status < 300:
        return Transient(f"Sage 300 refused to show {resource}: {fault}. It is read again later.")
    if fault.code == NO_RIGHT:
        module = resource.partition("/")[0]
        return Misconfigured(
            f"Sage 300 does not let this user read {resource}: {fault}. Give one of its security groups in the module "
            f"{module} the right 'Sage 300 Web API' and the right to these records."
        )
    kind = NotOffered if fault.absent else Refused
    error = kind(
        f"Sage 300 refuses to show {resource}: {fault}. Check 'api_url' and 'company', whether the module is "
        "activated, and 'date_literal'."
    )
    error.puzzled = fault.puzzled
    return error
