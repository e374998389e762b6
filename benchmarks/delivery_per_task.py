"""Deliver with one Celery task for each delivery and `requests`, as a plain project does: the yardstick of `drain`."""

import os

import django
from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
app = Celery("delivery_per_task", broker=os.environ.get("REDIS_URL", ""))
app.conf.broker_transport_options = {"global_keyprefix": f"{os.environ.get('REDIS_KEY_PREFIX', '')}:"}
app.conf.task_ignore_result = True
django.setup()

import requests  # noqa: E402
from django.utils import timezone  # noqa: E402

from notifications.egress.signing import valid_secrets  # noqa: E402
from notifications.models import Attempt, Delivery, DeliveryStatus  # noqa: E402
from notifications.transports.webhook import encode_body, signed_headers  # noqa: E402


@app.task(name="benchmarks.delivery_per_task.deliver")
def deliver(pk: str) -> None:
    delivery = Delivery.objects.select_related("event", "channel").get(pk=pk)
    assert delivery.channel is not None
    body, at = encode_body(delivery.event.payload), timezone.now()
    headers = signed_headers(delivery.event.pk, body, valid_secrets(delivery.channel), timestamp=int(at.timestamp()))
    answer = requests.post(delivery.channel.url, data=body, headers=headers, timeout=15, allow_redirects=False)
    took = round((timezone.now() - at).total_seconds() * 1000)
    Attempt.objects.create(
        delivery=delivery, at=at, duration_ms=took, status_code=answer.status_code, response_excerpt=answer.text[:4096]
    )
    delivery.attempts += 1
    delivery.status, delivery.delivered_at = DeliveryStatus.DELIVERED, timezone.now()
    delivery.save(update_fields=["status", "attempts", "delivered_at"])
