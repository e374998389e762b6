"""Find in how much working time a lead is to be answered."""

from dataclasses import dataclass

from leads.models import Lead
from leads.sla.figures import WARN_SHARE


@dataclass(frozen=True, slots=True)
class Target:
    """Working seconds until a lead is to be answered, and until the clock warns."""

    seconds: int
    warn_seconds: int


def target_of(lead: Lead) -> Target:
    """Return the target that counts for a lead: its agency's."""
    seconds = lead.agency.response_minutes * 60
    return Target(seconds, round(seconds * WARN_SHARE))
