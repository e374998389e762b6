"""Serve `/webhooks/{provider}/{source}`: verify a request, store it, answer it. An ASGI application beside Django.

A request waits for nothing but its row: it is verified, group commit makes it durable, then it is answered. Workers
process it later (`webhooks/processing/dispatch.py`). Order of checks: 404, 405, 415, 413, signature 401, body 400.
"""

import gc
import hashlib
import json
import re
import secrets
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from time import monotonic
from urllib.parse import parse_qsl

import structlog
from django.conf import settings
from django.utils import timezone

from accounts.core.networks import is_in_networks
from webhooks.ingest.client_ip import client_address, is_plain_http
from webhooks.ingest.context import IngestContext
from webhooks.ingest.db import StorageDown
from webhooks.ingest.fastpath.request import FastPathRequest
from webhooks.ingest.http import (
    PROBLEM_TYPE,
    Disconnected,
    Header,
    HTTPRequest,
    Receive,
    Refusal,
    Scope,
    Send,
    new_request_id,
    response_headers,
)
from webhooks.ingest.source_cache import CachedSource
from webhooks.ingest.verification import storage_refusal, verified_dedupe_key
from webhooks.ingest.writers import ReceiptRow, StoredReceipt
from webhooks.providers import PROVIDERS
from webhooks.providers.base import Provider, SignedRequest, UnreadablePayload, parses_quickly

log = structlog.get_logger(__name__)

PATH = re.compile(r"/webhooks/([a-z]{1,32})/([0-9A-Za-z_-]{1,64})/?")
STATE_KEY = "ingest"  # the application's key in the lifespan state, which protocols read

SendResponse = Callable[[int, Iterable[Header], bytes], None]


class IngestApp:
    """Handle webhook requests, and the `lifespan` scope, so that a stopping server finishes what it accepted."""

    def __init__(self) -> None:
        self._context: IngestContext | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            return await self._handle_lifespan(scope, receive, send)
        http_request = HTTPRequest(scope, receive, send)
        try:
            await self._handle_request(http_request)
        except Refusal as refusal:
            await http_request.send_problem(refusal)
        except Disconnected:
            return None
        except Exception:
            log.exception("An ingest request failed.", request_id=http_request.request_id)
            if not http_request.answered:
                await http_request.send_problem(storage_refusal(503))
        return None

    def handle_synchronously(self, fast_request: FastPathRequest, peer: str, send_response: SendResponse) -> bool:
        """Handle a fully received request synchronously.

        Return False if it needs I/O or an error response, so that the ASGI application handles it. Otherwise call
        `send_response` with status, headers and body once the row is durable or has failed. This saves a task, a future
        and a timer for each request.
        """
        context, provider = self._context, PROVIDERS.get(fast_request.provider)
        if context is None or provider is None or not parses_quickly(fast_request.body):
            return False
        source = context.sources.get_cached(provider.slug, fast_request.token)
        if (
            source is None
            or source.is_restricted
            or source.url_expires_at
            or _is_plain_http(peer, fast_request.headers)
        ):
            return False
        request = SignedRequest(fast_request.body, fast_request.headers, timezone.now())
        secrets = source.secrets_at(request.received_at)
        try:
            if not provider.verify_as_sent(request, secrets, tolerance=settings.SIGNATURE_TOLERANCE_SECONDS):
                return False
            row = receipt_row(provider, source, request, provider.dedupe_key(request))
            context.group_commit.enqueue(row, partial(_send_result, send_response, provider))
        except Exception:  # the ASGI application meets the same error and reports it
            return False
        return True

    async def _handle_lifespan(self, scope: Scope, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                self._context = self._context or IngestContext()
                scope.get("state", {})[STATE_KEY] = self
                gc.collect()
                gc.freeze()  # spares garbage collection the objects that stay
            elif self._context:
                context, self._context = self._context, None
                await context.close()
            await send({"type": f"{message['type']}.complete"})
            if message["type"] == "lifespan.shutdown":
                return

    async def _handle_request(self, http_request: HTTPRequest) -> None:
        if self._context is None:
            self._context = IngestContext()  # a test, or a server without lifespan support
        context = self._context
        if _is_plain_http(http_request.peer, http_request.headers):
            raise Refusal(403, "Webhooks are accepted over https only: the secret in this one has been seen by others.")
        began = monotonic()
        provider, source = await _find_source(context, http_request)
        waited = monotonic() - began
        if source.is_restricted:
            _check_network(context, http_request, source)
        has_challenge = type(provider).challenge is not Provider.challenge
        if http_request.method == "GET" and has_challenge:
            await _answer_challenge(context, http_request, provider, source)
            return
        if http_request.method != "POST":
            raise _not_allowed(http_request.method, b"GET, POST" if has_challenge else b"POST")
        request = await _read_request(context, http_request, source)
        key = await verified_dedupe_key(context, provider, source, request, http_request.peer)
        row = receipt_row(provider, source, request, key)
        try:
            stored = await context.group_commit.store(row, waited)
        except StorageDown:
            raise storage_refusal(provider.refusal_status) from None
        await http_request.send_json(200, _accepted_body(stored))


async def _find_source(context: IngestContext, http_request: HTTPRequest) -> tuple[Provider, CachedSource]:
    path = PATH.fullmatch(http_request.path)
    provider = PROVIDERS.get(path[1]) if path else None
    if path is None or provider is None:
        raise _not_found()
    try:
        source = await context.sources.get(provider.slug, path[2])
    except StorageDown as error:
        context.log_outage(error)
        raise storage_refusal(provider.refusal_status) from None
    if source is None:
        raise _not_found()
    return provider, source


def _is_plain_http(peer: str, headers: Mapping[str, str]) -> bool:
    return "x-forwarded-proto" in headers and settings.HTTPS and is_plain_http(peer, headers)


def _check_network(context: IngestContext, http_request: HTTPRequest, source: CachedSource) -> None:
    address = client_address(http_request.peer, http_request.headers)
    if not is_in_networks(address, source.networks):
        context.rejections.record(
            source.id, "network", f"{address or 'An unknown address'} is not in allowed_networks."
        )
        raise _not_found()


async def _read_request(context: IngestContext, http_request: HTTPRequest, source: CachedSource) -> SignedRequest:
    try:
        if "content-encoding" in http_request.headers:
            _check_encoding(http_request.headers["content-encoding"])
        body = await http_request.read_body()
    except Refusal as refusal:
        if refusal.status in {413, 415}:
            reason = "body_too_large" if refusal.status == 413 else "body_encoded"
            context.rejections.record(source.id, reason, refusal.detail)
        raise
    return SignedRequest(body=body, headers=http_request.headers, received_at=timezone.now())


def _check_encoding(encoding: str) -> None:
    if any(token.strip().lower() not in {"", "identity"} for token in encoding.split(",")):
        raise Refusal(415, "Send the body as it is: compressed bodies are not accepted.")


def receipt_row(provider: Provider, source: CachedSource, request: SignedRequest, key: str | None) -> ReceiptRow:
    return ReceiptRow(
        source_id=source.id,
        agency_id=source.agency_id,
        provider=provider.slug,
        dedupe_key=secrets.token_bytes(32) if key is None else _digest(key),
        headers={  # without NUL, which databases refuse
            name: request.headers[name].replace("\0", "�") for name in provider.kept_headers if name in request.headers
        },
        body=request.body,
        received_at=request.received_at,
    )


async def _answer_challenge(
    context: IngestContext, http_request: HTTPRequest, provider: Provider, source: CachedSource
) -> None:
    began = monotonic()
    try:
        pairs = parse_qsl(http_request.query.decode("latin-1"), keep_blank_values=True, max_num_fields=10)
        if len(dict(pairs)) != len(pairs):
            raise UnreadablePayload("A query parameter is given twice.")
        answer = provider.challenge(dict(pairs), source.secrets_at(timezone.now()))
    except (UnreadablePayload, ValueError) as error:
        raise Refusal(400, str(error)) from None
    if answer is None:
        raise _not_allowed("GET", b"POST")
    await context.record_validation(source)
    await http_request.send_json(200, json.dumps(answer).encode())
    context.latency.record(source.id, monotonic() - began)


def _send_result(send_response: SendResponse, provider: Provider, result: StoredReceipt | StorageDown) -> None:
    request_id = new_request_id()
    if isinstance(result, StorageDown):
        refusal = storage_refusal(provider.refusal_status)
        body = refusal.problem_body(request_id)
        send_response(refusal.status, response_headers(body, request_id, PROBLEM_TYPE, refusal.headers), body)
    else:
        body = _accepted_body(result)
        send_response(200, response_headers(body, request_id), body)


def _accepted_body(stored: StoredReceipt) -> bytes:
    status = b"duplicate" if stored.duplicate else b"accepted"
    return b'{"status": "%b", "receipt_id": "rct_%d"}' % (status, stored.sequence)


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest()


def _not_found() -> Refusal:
    return Refusal(404, "There is no such webhook address.")


def _not_allowed(method: str, allowed: bytes) -> Refusal:
    return Refusal(405, f"{method} is not answered here.", headers=[(b"allow", allowed)])
