"""The yardstick for `process_due`: a Celery task for each receipt, as a plain project would have it."""

import os

import django
from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
app = Celery("per_event", broker=os.environ.get("REDIS_URL", ""))
app.conf.broker_transport_options = {"global_keyprefix": f"{os.environ.get('REDIS_KEY_PREFIX', '')}:"}
app.conf.task_ignore_result = True
django.setup()

from django.db import transaction  # noqa: E402

from webhooks.models import Receipt, ReceiptStatus  # noqa: E402
from webhooks.processing.processor import _process_one, _read  # noqa: E402


@app.task(name="benchmarks.per_event.process_one")
def process_one(sequence: int) -> None:
    with transaction.atomic():
        receipt = Receipt.objects.select_related("source").select_for_update(of=["self"]).get(pk=sequence)
        if receipt.status == ReceiptStatus.RECEIVED:
            _process_one(receipt, _read(receipt))
