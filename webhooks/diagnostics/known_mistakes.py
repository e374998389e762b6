"""What the signature doctor is given: a refused request, and the secrets that its sender may have used."""

from collections.abc import Iterator
from dataclasses import dataclass

from cryptography.fernet import InvalidToken
from django.db.models import Q, QuerySet
from django.utils import timezone

from accounts.core.markup import duration
from accounts.models import Source, SourceSecret
from webhooks.diagnostics.signature_doctor import NO_IDEA, KnownSecret, examine, lookalikes
from webhooks.providers.base import InvalidSignature, Provider, SignedRequest

MAX_SECRETS = 8  # of the source, and as many of its agency's other sources
ABOUT_SIGNATURES = {"wrong_signature", "malformed_signature", "missing_signature"}


@dataclass(frozen=True, slots=True)
class Sample:
    """One refused request, and what it was refused for."""

    provider: Provider
    request: SignedRequest
    refusal: InvalidSignature


def diagnose(source_id: str, sample: Sample) -> tuple[str, bool]:
    """What went wrong, in sentences without a secret, and whether the doctor knows it for certain."""
    plain = sample.refusal.diagnosis
    if sample.refusal.reason not in ABOUT_SIGNATURES:
        return plain, False
    if sample.refusal.reason == "missing_signature":
        return f"{plain} {lookalikes(sample.request.headers)}".strip(), False
    claim = sample.provider.claim(sample.request)
    if claim is None:
        return plain, False
    found = examine(claim, list(_secrets(source_id)))
    return (f"The signature would match but for this. {found}", True) if found else (f"{plain} {NO_IDEA}", False)


def _secrets(source_id: str) -> Iterator[KnownSecret]:
    """Those that are valid, those that were, and those of the agency's other sources of this provider."""
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
    """The first few; those that none of today's encryption keys opens are left out."""
    for pk in list(secrets.values_list("pk", flat=True)[:MAX_SECRETS]):
        try:
            yield secrets.get(pk=pk)
        except (InvalidToken, SourceSecret.DoesNotExist):
            continue
