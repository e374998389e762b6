"""Process receipts with one Celery task each, as a plain project does: the yardstick of `process_due_receipts`."""

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
from webhooks.processing.processor import _parse_receipt, _process_receipt  # noqa: E402


@app.task(name="benchmarks.per_event.process_receipt")
def process_receipt(sequence: int) -> None:
    with transaction.atomic():
        receipt = Receipt.objects.select_related("source").select_for_update(of=["self"]).get(pk=sequence)
        if receipt.status == ReceiptStatus.RECEIVED:
            _process_receipt(receipt, _parse_receipt(receipt, {}))
