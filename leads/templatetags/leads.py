"""`{% load leads %}`: a lead's status as a badge, and who changed it, in words."""

from django import template

from accounts.core.enums import provider_name
from leads.enums import ChangedBy
from leads.labels import CHANGERS, ORIGINS, status_badge
from leads.models import Lead, LeadChange
from leads.pipeline.languages import language_name
from leads.pipeline.provenance import Origin

register = template.Library()
register.filter("language_name", language_name)

register.filter("lead_badge", status_badge)


@register.filter
def came_from(lead: Lead, field: str) -> str:
    """Where a contact field's value came from, in words; empty where that is not known."""
    origin = lead.provenance.get(field)
    if origin == Origin.PROVIDER and lead.source is not None:
        return f"from {provider_name(lead.source.provider)}"
    return ORIGINS[Origin(origin)] if origin in set(Origin) else ""


@register.filter
def answered(value: object) -> str:
    """An answer as text: several choices in one line."""
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value or "–")


@register.filter
def changer(change: LeadChange) -> str:
    """Who changed a lead; a provider by its name."""
    if change.changed_by == ChangedBy.PROVIDER and change.reference is not None:
        return provider_name(change.reference.provider)
    return CHANGERS[ChangedBy(change.changed_by)]
