from leads.models.lead import Enrichment, Lead, LeadChange, LeadMerge, LeadQuerySet, LeadReference, Position, Tombstone
from leads.models.lead_sync import (
    LeadFetch,
    LeadForm,
    LeadSync,
    OwnerAccess,
    Pull,
    RefusedForm,
    Subscription,
    UnlabelledAnswers,
)

__all__ = [
    "Enrichment",
    "Lead",
    "LeadChange",
    "LeadFetch",
    "LeadForm",
    "LeadMerge",
    "LeadQuerySet",
    "LeadReference",
    "LeadSync",
    "OwnerAccess",
    "Position",
    "Pull",
    "RefusedForm",
    "Subscription",
    "Tombstone",
    "UnlabelledAnswers",
]
