"""Hand a refused request to the signature doctor, with the secrets that its sender may have used."""

from collections.abc import Iterator
from dataclasses import dataclass

from cryptography.fernet import InvalidToken
from django.db.models import Q, QuerySet
from django.utils import timezone

from accounts.core.markup import duration
from accounts.models import Source, SourceSecret
from webhooks.diagnostics.signature_doctor import UNEXPLAINED, KnownSecret, explain_mismatch, similar_headers
from webhooks.providers.base import InvalidSignature, Provider, SignedRequest

MAX_SECRETS = 8  # of the source, and as many of its agency's other sources
SIGNATURE_REASONS = {"wrong_signature", "malformed_signature", "missing_signature"}


@dataclass(frozen=True, slots=True)
class RefusedSample:
    """Hold one refused request with the reason for its refusal."""

    provider: Provider
    request: SignedRequest
    refusal: InvalidSignature


def diagnose_refusal(source_id: str, sample: RefusedSample) -> tuple[str, bool]:
    """Return sentences that say what went wrong, and whether the signature doctor is certain. No secret is named."""
    plain = sample.refusal.diagnosis
    if sample.refusal.reason not in SIGNATURE_REASONS:
        return plain, False
    if sample.refusal.reason == "missing_signature":
        return f"{plain} {similar_headers(sample.request.headers)}".strip(), False
    scheme = sample.provider.signature_scheme(sample.request)
    if scheme is None:
        return plain, False
    found = explain_mismatch(scheme, list(_secrets(source_id)))
    return (f"The signature would match but for this. {found}", True) if found else (f"{plain} {UNEXPLAINED}", False)


def _secrets(source_id: str) -> Iterator[KnownSecret]:
    """Yield the source's valid and expired secrets, then those of the agency's other sources of the provider."""
    source = Source.objects.only("agency_id", "provider").get(pk=source_id)
    now = timezone.now()
    for row in _readable(source.secrets.order_by("-created_at", "-pk")):
        ended = row.expires_at is not None and row.expires_at <= now
        note = f"The sender uses an old secret of this source, which ended {_ago(row)}." if ended else ""
        yield KnownSecret(row.secret, note)
    valid = Q(expires_at__isnull=True) | Q(expires_at__gt=now)
    others = SourceSecret.objects.filter(valid, source__agency=source.agency_id, source__provider=source.provider)
    for row in _readable(others.exclude(source=source).select_related("source").defer("source__credentials")):
        yield KnownSecret(row.secret, f"The sender uses the secret of another source of yours, “{row.source}”.")


def _ago(secret: SourceSecret) -> str:
    return f"{duration(timezone.now() - secret.expires_at)} ago" if secret.expires_at else ""


def _readable(secrets: QuerySet[SourceSecret]) -> Iterator[SourceSecret]:
    """Yield the first few of these secrets. Skip those that no current encryption key decrypts."""
    for pk in list(secrets.values_list("pk", flat=True)[:MAX_SECRETS]):
        try:
            yield secrets.get(pk=pk)
        except (InvalidToken, SourceSecret.DoesNotExist):
            continue
