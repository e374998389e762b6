"""The only signal of the product, a doorbell: an Event was recorded. Lost, it costs a second: a sweep finds the row."""

from django.dispatch import Signal

event_recorded = Signal()
