"""Send a sample to a source: signed as the provider would, then verified and stored as every request is.

Only the socket is left out, so that a sample arrives behind every proxy and whatever networks the source allows.
"""

import json
import secrets as random
from dataclasses import asdict

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.core.enums import ProviderSlug
from accounts.core.errors import FieldError
from accounts.core.sentences import in_readers_language, stored
from accounts.models import Source
from accounts.sources.service import NO_SECRET_UNLESS_GIVEN
from accounts.tenancy import audit
from accounts.tenancy.audit import Actor
from webhooks.ingest.app import receipt_row
from webhooks.ingest.source_cache import load_source
from webhooks.models import SAMPLE_HEADER, Receipt
from webhooks.processing import wakeups
from webhooks.providers import PROVIDERS
from webhooks.providers.base import InvalidSignature, SignedRequest
from webhooks.samples.fresh import fresh_sample


@transaction.atomic
def send_sample(source: Source, name: str, *, by: Actor | None = None) -> Receipt:
    """Store a sample's receipt, marked as one, and have it processed. Raises FieldError if the source takes none."""
    now, provider = timezone.now(), PROVIDERS[source.provider]
    cached = load_source(source.provider, source.token)
    if cached is None:
        raise FieldError("", _("The source is disabled: enable it first."))
    company_id = source.agency.ghl_company_id if source.agency else ""
    try:
        sample = fresh_sample(source.provider, name, company_id=company_id, key=random.token_hex(8), at=now)
    except KeyError:
        raise FieldError("sample", _("Choose one of the samples in the list.")) from None
    secrets = cached.secrets_at(now)
    if not secrets and source.provider not in NO_SECRET_UNLESS_GIVEN:
        raise FieldError("", _("Paste the provider's secret first: without it no request is accepted."))
    body = json.dumps(sample, separators=(",", ":"), ensure_ascii=False).encode()
    headers: dict[str, str] = {}
    if source.provider != ProviderSlug.HIGHLEVEL:  # only HighLevel has the key that it signs with
        body, headers = provider.sign(body, secrets[0] if secrets else "", at=now)
    request = SignedRequest(body, headers, now)
    if source.provider != ProviderSlug.HIGHLEVEL:
        try:
            provider.verify(request, secrets, tolerance=settings.SIGNATURE_TOLERANCE_SECONDS)
        except InvalidSignature as error:
            raise FieldError("", in_readers_language(stored(error.diagnosis), error.diagnosis)) from None
    row = receipt_row(provider, cached, request, provider.dedupe_key(request))
    row.headers[SAMPLE_HEADER] = name
    audit.log_change(by, source, "Sample sent", name)
    transaction.on_commit(wakeups.wake_up, robust=True)
    return Receipt.objects.create(**asdict(row), next_attempt_at=now)
