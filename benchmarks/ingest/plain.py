"""Ingest as a plain Django REST Framework view, the yardstick: one row, one commit and one task for each request."""

import hashlib
from typing import Any

import django

django.setup()

from celery import shared_task  # noqa: E402
from django.conf import settings  # noqa: E402
from django.core.wsgi import get_wsgi_application  # noqa: E402
from django.http import HttpRequest, HttpResponse  # noqa: E402
from django.urls import path  # noqa: E402
from django.utils import timezone  # noqa: E402
from rest_framework.request import Request  # noqa: E402
from rest_framework.response import Response  # noqa: E402
from rest_framework.views import APIView  # noqa: E402

import config.celery  # noqa: E402, F401 (the broker)
from accounts.models import Source  # noqa: E402
from accounts.sources.service import valid_secrets  # noqa: E402
from webhooks.models import Receipt  # noqa: E402
from webhooks.providers import PROVIDERS  # noqa: E402
from webhooks.providers.base import SignedRequest  # noqa: E402


@shared_task(name="benchmarks.ingest.process_receipt", queue="plain")
def process_receipt(sequence: int) -> None:
    """Stand in for the task. No worker runs it: the yardstick measures only requests."""


class PlainIngestView(APIView):
    authentication_classes = ()
    permission_classes = ()
    throttle_classes = ()

    def post(self, request: Request, provider: str, token: str) -> Response:
        source = Source.objects.prefetch_related("secrets").get(provider=provider, token=token, enabled=True)
        adapter = PROVIDERS[provider]
        headers = {name.lower(): value for name, value in request.headers.items()}
        signed = SignedRequest(body=request._request.body, headers=headers, received_at=timezone.now())
        adapter.verify(signed, valid_secrets(source))
        receipt: Any = Receipt.objects.create(
            source=source,
            agency_id=source.agency_id,
            provider=provider,
            dedupe_key=hashlib.sha256((adapter.dedupe_key(signed) or "").encode()).digest(),
            headers={name: headers[name] for name in adapter.kept_headers if name in headers},
            body=signed.body,
            received_at=signed.received_at,
        )
        process_receipt.delay(receipt.sequence)
        return Response({"status": "accepted", "receipt_id": receipt.public_id})


def handler404(request: HttpRequest, exception: Exception) -> HttpResponse:
    return HttpResponse(status=404)


urlpatterns = [path("webhooks/<provider>/<token>", PlainIngestView.as_view())]

settings.ROOT_URLCONF = __name__
settings.CELERY_TASK_CREATE_MISSING_QUEUES = True
settings.MIDDLEWARE = [  # `startproject`'s default
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
application = get_wsgi_application()
