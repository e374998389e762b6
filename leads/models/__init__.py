from leads.models.lead import (
    CurrentStatus,
    Enrichment,
    Lead,
    LeadChange,
    LeadMerge,
    LeadQuerySet,
    LeadReference,
    Tombstone,
)
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
from leads.models.saved_filter import SavedFilter

__all__ = [
    "CurrentStatus",
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
    "Pull",
    "RefusedForm",
    "SavedFilter",
    "Subscription",
    "Tombstone",
    "UnlabelledAnswers",
]
