"""`{% load leads %}`: a lead's status as a badge, and who changed it, in words."""

from django import template

from leads.enums import ChangedBy
from leads.labels import CHANGERS, ORIGINS, status_badge
from leads.models import Lead
from leads.pipeline.languages import language_name
from leads.pipeline.provenance import Origin

register = template.Library()
register.filter("language_name", language_name)

register.filter("lead_badge", status_badge)


@register.filter
def came_from(lead: Lead, field: str) -> str:
    """Where a contact field's value came from, in words; empty where that is not known."""
    origin = lead.provenance.get(field)
    return ORIGINS[Origin(origin)] if origin in set(Origin) else ""


@register.filter
def answered(value: object) -> str:
    """An answer as text: several choices in one line."""
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value or "–")


@register.filter
def changer(changed_by: str) -> str:
    return CHANGERS[ChangedBy(changed_by)]
