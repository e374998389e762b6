"""Provide `{% load notifications %}`: filters for deliveries."""

from django import template
from django.utils.safestring import SafeString

from notifications import labels
from notifications.models import Delivery

register = template.Library()
register.filter("event_title", labels.title_of)
register.filter("about", labels.subject_name)
register.filter("sentence", labels.describe_kind)


@register.filter
def delivery_badge(delivery: Delivery) -> SafeString:
    return labels.delivery_label(delivery).badge()


@register.filter
def receiver(delivery: Delivery) -> str:
    return str(delivery.channel) if delivery.channel else delivery.recipient
