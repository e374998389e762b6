"""Verify webhooks and read their dedupe keys, with bounded work for each request."""

from django.conf import settings

from webhooks.diagnostics.known_mistakes import RefusedSample
from webhooks.ingest.client_ip import client_address
from webhooks.ingest.context import IngestContext
from webhooks.ingest.http import Refusal
from webhooks.ingest.parsing import ParsingBusy, ParsingJob
from webhooks.ingest.source_cache import CachedSource
from webhooks.providers.base import InvalidSignature, Provider, SignedRequest, UnreadablePayload, parses_quickly

RETRY_AFTER = (b"retry-after", b"5")


async def verified_dedupe_key(
    context: IngestContext, provider: Provider, source: CachedSource, request: SignedRequest, peer: str
) -> str | None:
    """Verify the request and return its dedupe key.

    Another process parses a body that takes long. If the signature cannot be checked without parsing, an address over
    its REJECT_RATE is refused first. Raises Refusal (400, 401, 429, 503).
    """
    secrets, tolerance = source.secrets_at(request.received_at), settings.SIGNATURE_TOLERANCE_SECONDS
    address = str(client_address(peer, request.headers))
    verified = False
    try:
        verified = provider.verify_as_sent(request, secrets, tolerance=tolerance)
        if parses_quickly(request.body):
            if not verified:
                provider.verify(request, secrets, tolerance=tolerance)
                verified = True
            return provider.dedupe_key(request)
        if not verified:
            _check_reject_rate(context, source, address)
        return await context.parsing.dedupe_key(
            ParsingJob(provider.slug, request, None if verified else secrets, tolerance), source.id
        )
    except InvalidSignature as error:
        refusal = Refusal(401, error.diagnosis or "The signature is missing or wrong.")
        context.rejections.record(source.id, error.reason, error.diagnosis, RefusedSample(provider, request, error))
    except UnreadablePayload as error:
        refusal = Refusal(400, str(error))
        context.rejections.record(source.id, "unreadable_body", error.args[0])
        if verified:
            raise refusal from None
    except ParsingBusy:
        raise storage_refusal(provider.refusal_status) from None
    seconds = context.reject_rate.count_failure(source.id, address, settings.REJECT_RATE)
    raise refusal if seconds is None else _too_many_failures(seconds)


def _check_reject_rate(context: IngestContext, source: CachedSource, address: str) -> None:
    """Raise Refusal (429) if the address has failed verification too often at the source."""
    seconds = context.reject_rate.retry_after(source.id, address, settings.REJECT_RATE)
    if seconds is not None:
        context.reject_rate.count_failure(source.id, address, settings.REJECT_RATE)
        context.rejections.record(
            source.id, "too_many_failures", "The address failed too often; the body was not read."
        )
        raise _too_many_failures(seconds)


def _too_many_failures(seconds: int) -> Refusal:
    retry_after = (b"retry-after", b"%d" % seconds)
    return Refusal(429, "Too many requests from this address failed verification.", headers=[retry_after])


def storage_refusal(status: int) -> Refusal:
    return Refusal(status, "The request could not be stored. Send it again.", headers=[RETRY_AFTER])
