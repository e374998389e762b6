"""Hand a refused request to the signature doctor, with the secrets that its sender may have used."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from cryptography.fernet import InvalidToken
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy

from accounts.core.markup import relative
from accounts.core.sentences import define
from accounts.core.wording import Sentence, Wording, gettext_noop, several
from accounts.models import Source, SourceSecret
from webhooks.diagnostics.signature_doctor import UNEXPLAINED, KnownSecret, explain_mismatch, similar_headers
from webhooks.providers.base import InvalidSignature, Provider, SignedRequest

MAX_SECRETS = 8  # of the source, and as many of its agency's other sources
OLD_SECRET = define(
    "old_secret",
    gettext_lazy("The sender uses an old secret of this source, which ended %(ended)s."),
    ended=lambda seconds: relative(timedelta(seconds=seconds)),
)
OTHER_SOURCE = Wording(
    "secret_of_another_source",
    gettext_noop("The sender uses the secret of another source of yours, “%(source)s”."),
)
CERTAIN = gettext_noop("The signature would match but for this.")
SIGNATURE_REASONS = {"wrong_signature", "malformed_signature", "missing_signature"}


@dataclass(frozen=True, slots=True)
class RefusedSample:
    """Hold one refused request with the reason for its refusal."""

    provider: Provider
    request: SignedRequest
    refusal: InvalidSignature


def diagnose_refusal(source_id: str, sample: RefusedSample) -> tuple[Sentence, bool]:
    """Return sentences that say what went wrong, and whether the signature doctor is certain. No secret is named."""
    plain = sample.refusal.diagnosis
    if sample.refusal.reason not in SIGNATURE_REASONS:
        return several(plain), False
    if sample.refusal.reason == "missing_signature":
        return several(plain, similar_headers(sample.request.headers)), False
    scheme = sample.provider.signature_scheme(sample.request)
    if scheme is None:
        return several(plain), False
    found = explain_mismatch(scheme, list(_secrets(source_id)))
    return (several(CERTAIN, found), True) if found else (several(plain, UNEXPLAINED), False)


def _secrets(source_id: str) -> Iterator[KnownSecret]:
    """Yield the source's valid and expired secrets, then those of the agency's other sources of the provider."""
    source = Source.objects.only("agency_id", "provider").get(pk=source_id)
    now = timezone.now()
    for row in _readable(source.secrets.order_by("-created_at", "-pk")):
        ended = row.expires_at is not None and row.expires_at <= now
        note = OLD_SECRET(ended=int((now - row.expires_at).total_seconds())) if ended and row.expires_at else ""
        yield KnownSecret(row.secret, note)
    valid = Q(expires_at__isnull=True) | Q(expires_at__gt=now)
    others = SourceSecret.objects.filter(valid, source__agency=source.agency_id, source__provider=source.provider)
    for row in _readable(others.exclude(source=source).select_related("source").defer("source__credentials")):
        yield KnownSecret(row.secret, OTHER_SOURCE(source=str(row.source)))


def _readable(secrets: QuerySet[SourceSecret]) -> Iterator[SourceSecret]:
    """Yield the first few of these secrets. Skip those that no current encryption key decrypts."""
    for pk in list(secrets.values_list("pk", flat=True)[:MAX_SECRETS]):
        try:
            yield secrets.get(pk=pk)
        except (InvalidToken, SourceSecret.DoesNotExist):
            continue
