"""Serve `Idempotency-Key`: the same POST twice within 24 hours has one effect and one response.

The effect and the stored response are one transaction, so that a crash leaves neither. A row committed before marks the
request as running. A crash left a row that is older than LEASE, so another request may take it over: the transaction of
the crashed request can no longer commit. Only successes are stored; an error frees the key. Responses may hold secrets
and personal data, so they are stored encrypted.
"""

import hashlib
import json
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.core.encrypted_fields import fernet
from accounts.models import Agency, IdempotencyRecord
from accounts.tasks import IDEMPOTENCY_LIFETIME
from accounts.web.rest.problems import Conflict, Unprocessable

HEADER = "Idempotency-Key"
REPLAYED_HEADER = "Idempotent-Replayed"
LEASE = timedelta(minutes=2)  # longer than any request, because statements time out after 30 s
_KEY = re.compile(r"[\x20-\x7e]{1,255}")


class StillRunning(Conflict):
    default_detail = "The first request with this Idempotency-Key is still running."


def answer_once(agency: Agency, request: Request, act: Callable[[], Response]) -> Response:
    """Run `act` in a transaction, at most once per key.

    Raises Conflict while the first request runs, and Unprocessable if the key came with another request before.
    """
    key = request.headers.get(HEADER)
    if request.method != "POST" or key is None:
        with transaction.atomic():
            return act()
    if not _KEY.fullmatch(key):
        raise ValidationError({HEADER: "1 to 255 printable ASCII characters."})
    record, stored = _claim_key(agency, key, _fingerprint(request))
    if stored is not None:
        return stored
    try:
        with transaction.atomic():
            response = act()
            _store_response(record, response)
    except BaseException:
        _own_record(record).delete()
        raise
    return response


def _claim_key(agency: Agency, key: str, fingerprint: str) -> tuple[IdempotencyRecord, Response | None]:
    """Return the row that marks this request as running, and the stored response if the key has one."""
    for _ in range(3):
        record = IdempotencyRecord.objects.filter(agency=agency, key=key).first()
        if record is None:
            try:
                with transaction.atomic():
                    fresh = IdempotencyRecord.objects.create(agency=agency, key=key, fingerprint=fingerprint)
                return fresh, None
            except IntegrityError:  # another request with this key was first
                continue
        lifetime = LEASE if record.status_code is None else IDEMPOTENCY_LIFETIME
        if timezone.now() - record.created_at >= lifetime:
            _own_record(record).delete()
            continue
        if record.fingerprint != fingerprint:
            raise Unprocessable("This Idempotency-Key was used for another request.")
        if record.status_code is None:
            raise StillRunning()
        return record, Response(_decrypt_response(record), status=record.status_code, headers={REPLAYED_HEADER: "true"})
    raise StillRunning()


def _store_response(record: IdempotencyRecord, response: Response) -> None:
    updated = _own_record(record).update(status_code=response.status_code, body=_encrypt_response(response.data))
    if not updated:  # another request took over, so this one's effect is rolled back
        raise StillRunning()


def _own_record(record: IdempotencyRecord) -> Any:
    return IdempotencyRecord.objects.filter(pk=record.pk, status_code=record.status_code)


def _fingerprint(request: Request) -> str:
    body = json.dumps(request.data, sort_keys=True)
    return hashlib.sha256(f"{request.method} {request.path.rstrip('/')} {body}".encode()).hexdigest()


def _encrypt_response(data: Any) -> dict[str, str]:
    """Return the encrypted response, with its subject beside it for erasure."""
    subject = data.get("id", "") if isinstance(data, dict) else ""
    return {"subject": str(subject), "sealed": fernet().encrypt(json.dumps(data).encode()).decode()}


def _decrypt_response(record: IdempotencyRecord) -> Any:
    assert record.body is not None  # noqa: S101 (stored together with the status)
    return json.loads(fernet().decrypt(record.body["sealed"].encode()))
