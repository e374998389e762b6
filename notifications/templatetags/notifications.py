"""`{% load notifications %}`: deliveries as people read them."""

from django import template
from django.utils.safestring import SafeString

from accounts.core.markup import badge
from notifications.models import Delivery
from notifications.portal import words

register = template.Library()
register.filter("event_title", words.title_of)
register.filter("about", words.about)
register.filter("sentence", words.sentence)


@register.filter
def delivery_badge(delivery: Delivery) -> SafeString:
    state = words.delivery_state(delivery)
    return badge(state.label, state.tone)


@register.filter
def receiver(delivery: Delivery) -> str:
    return str(delivery.channel) if delivery.channel else delivery.recipient
