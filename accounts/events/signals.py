"""Define the only signal of the product: an event was recorded. A lost signal costs a second, until a sweep finds the
row."""

from django.dispatch import Signal

event_recorded = Signal()
