"""Provide `{% load leads %}`: filters for a lead's status, the origin of its values, and who changed it."""

from django import template

from accounts.core.enums import provider_name
from leads.enums import ChangedBy
from leads.labels import CHANGED_BY_LABELS, ORIGIN_LABELS, status_badge
from leads.models import Lead, LeadChange
from leads.pipeline.languages import language_name
from leads.pipeline.provenance import ValueOrigin

register = template.Library()
register.filter("language_name", language_name)

register.filter("lead_badge", status_badge)


@register.filter
def origin_label(lead: Lead, field: str) -> str:
    """Return the label of a contact field's origin; "" if the origin is unknown."""
    origin = lead.provenance.get(field)
    if origin == ValueOrigin.PROVIDER and lead.source is not None:
        return f"from {provider_name(lead.source.provider)}"
    return ORIGIN_LABELS[ValueOrigin(origin)] if origin in set(ValueOrigin) else ""


@register.filter
def answer_text(value: object) -> str:
    """Return a form's answer as text. Several choices share one line."""
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value or "–")


@register.filter
def changed_by_label(change: LeadChange) -> str:
    """Who changed a lead; a provider by its name."""
    if change.changed_by == ChangedBy.PROVIDER and change.reference is not None:
        return provider_name(change.reference.provider)
    return CHANGED_BY_LABELS[ChangedBy(change.changed_by)]
