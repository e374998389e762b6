"""What answers `/webhooks/{provider}/{source}`: verify, keep, answer. An ASGI application beside Django.

Nothing here waits for anything but the row: a request is verified, the journal makes its bytes durable, and it is
answered. What it means is worked out later (`webhooks/processing/dispatch.py`).
Order of checks: 404, 405, 415, 413, signature 401, body 400.
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

from webhooks.ingest.client_ip import came_in_the_clear, client_address, within
from webhooks.ingest.context import IngestContext
from webhooks.ingest.db import StorageDown
from webhooks.ingest.fastpath.request import Packet
from webhooks.ingest.http import (
    PROBLEM,
    Disconnected,
    Exchange,
    Header,
    Receive,
    Refusal,
    Scope,
    Send,
    headers_of,
    new_request_id,
)
from webhooks.ingest.source_cache import KnownSource
from webhooks.ingest.verification import storage_down, verified_key
from webhooks.ingest.writers import Kept, Row
from webhooks.providers import PROVIDERS
from webhooks.providers.base import Provider, SignedRequest, UnreadablePayload
from webhooks.providers.strict_json import parses_quickly

log = structlog.get_logger(__name__)

PATH = re.compile(r"/webhooks/([a-z]{1,32})/([0-9A-Za-z_-]{1,64})/?")
STATE = "ingest"  # where a protocol finds the application, in the state of its lifespan

Reply = Callable[[int, Iterable[Header], bytes], None]


class Ingest:
    """The ASGI application. Also answers the `lifespan` scope: a server that stops finishes what it has accepted."""

    def __init__(self) -> None:
        self._desk: IngestContext | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            return await self._live(scope, receive, send)
        exchange = Exchange(scope, receive, send)
        try:
            await self._serve(exchange)
        except Refusal as refusal:
            await exchange.refuse(refusal)
        except Disconnected:
            return None
        except Exception:
            log.exception("An ingest request failed.", request_id=exchange.request_id)
            if not exchange.answered:
                await exchange.refuse(storage_down(503))
        return None

    def at_once(self, packet: Packet, peer: str, reply: Reply) -> bool:
        """Take a request that is here whole, if nothing about it needs a wait or a word; False: use the application.

        It does what the application does, without a task, a future and a timer for each request. `reply` is called
        with the status, headers and body of an answer once the row is durable, or is given up.
        """
        context, provider = self._desk, PROVIDERS.get(packet.provider)
        if context is None or provider is None or not parses_quickly(packet.body):
            return False
        source = context.sources.known(provider.slug, packet.token)
        if source is None or source.restricted or source.ends or _came_in_the_clear(peer, packet.headers):
            return False
        request = SignedRequest(packet.body, packet.headers, timezone.now())
        secrets = source.secrets_at(request.received_at)
        try:
            if not provider.verify_as_sent(request, secrets, tolerance=settings.SIGNATURE_TOLERANCE_SECONDS):
                return False
            row = _row(provider, source, request, provider.receipt_key(request))
            context.group_commit.put(row, partial(_reply, reply, provider))
        except Exception:  # whatever it is, the application finds it again, and says it
            return False
        return True

    async def _live(self, scope: Scope, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                self._desk = self._desk or IngestContext()
                scope.get("state", {})[STATE] = self
                gc.collect()
                gc.freeze()  # what is loaded stays: no collection need walk through it under load
            elif self._desk:
                context, self._desk = self._desk, None
                await context.close()
            await send({"type": f"{message['type']}.complete"})
            if message["type"] == "lifespan.shutdown":
                return

    async def _serve(self, exchange: Exchange) -> None:
        if self._desk is None:
            self._desk = IngestContext()  # no lifespan: a test, or a server that has none
        context = self._desk
        if _came_in_the_clear(exchange.peer, exchange.headers):
            raise Refusal(403, "Webhooks are accepted over https only: the secret in this one has been seen by others.")
        began = monotonic()
        provider, source = await _find(context, exchange)
        waited = monotonic() - began
        if source.restricted:
            _check_network(context, exchange, source)
        challenges = type(provider).challenge is not Provider.challenge
        if exchange.method == "GET" and challenges:
            await _challenge(context, exchange, provider, source)
            return
        if exchange.method != "POST":
            raise _not_allowed(exchange.method, b"GET, POST" if challenges else b"POST")
        request = await _read(context, exchange, source)
        key = await verified_key(context, provider, source, request, exchange.peer)
        row = _row(provider, source, request, key)
        try:
            kept = await context.group_commit.keep(row, waited)
        except StorageDown:
            raise storage_down(provider.refusal_status) from None
        await exchange.answer(200, _accepted(kept))


async def _find(context: IngestContext, exchange: Exchange) -> tuple[Provider, KnownSource]:
    path = PATH.fullmatch(exchange.path)
    provider = PROVIDERS.get(path[1]) if path else None
    if path is None or provider is None:
        raise _not_found()
    try:
        source = await context.sources.find(provider.slug, path[2])
    except StorageDown as down:
        context.note_outage(down)
        raise storage_down(provider.refusal_status) from None
    if source is None:
        raise _not_found()
    return provider, source


def _came_in_the_clear(peer: str, headers: Mapping[str, str]) -> bool:
    return "x-forwarded-proto" in headers and settings.HTTPS and came_in_the_clear(peer, headers)


def _check_network(context: IngestContext, exchange: Exchange, source: KnownSource) -> None:
    address = client_address(exchange.peer, exchange.headers)
    if not within(address, source.networks):
        context.rejections.note(source.id, "network", f"{address or 'An unknown address'} is not in allowed_networks.")
        raise _not_found()


async def _read(context: IngestContext, exchange: Exchange, source: KnownSource) -> SignedRequest:
    try:
        if "content-encoding" in exchange.headers:
            _check_encoding(exchange.headers["content-encoding"])
        body = await exchange.body()
    except Refusal as refusal:
        if refusal.status in {413, 415}:
            reason = "body_too_large" if refusal.status == 413 else "body_encoded"
            context.rejections.note(source.id, reason, refusal.detail)
        raise
    return SignedRequest(body=body, headers=exchange.headers, received_at=timezone.now())


def _check_encoding(encoding: str) -> None:
    if any(token.strip().lower() not in {"", "identity"} for token in encoding.split(",")):
        raise Refusal(415, "Send the body as it is: compressed bodies are not accepted.")


def _row(provider: Provider, source: KnownSource, request: SignedRequest, key: str | None) -> Row:
    return Row(
        source_id=source.id,
        agency_id=source.agency_id,
        provider=provider.slug,
        dedupe_key=secrets.token_bytes(32) if key is None else _digest(key),
        headers={  # without what a database refuses
            name: request.headers[name].replace("\0", "�") for name in provider.kept_headers if name in request.headers
        },
        body=request.body,
        received_at=request.received_at,
    )


async def _challenge(context: IngestContext, exchange: Exchange, provider: Provider, source: KnownSource) -> None:
    began = monotonic()
    try:
        pairs = parse_qsl(exchange.query.decode("latin-1"), keep_blank_values=True, max_num_fields=10)
        if len(dict(pairs)) != len(pairs):
            raise UnreadablePayload("A query parameter is given twice.")
        answer = provider.challenge(dict(pairs), source.secrets_at(timezone.now()))
    except (UnreadablePayload, ValueError) as unreadable:
        raise Refusal(400, str(unreadable)) from None
    if answer is None:
        raise _not_allowed("GET", b"POST")
    await context.note_validation(source)
    await exchange.answer(200, json.dumps(answer).encode())
    context.answers.note(source.id, monotonic() - began)


def _reply(reply: Reply, provider: Provider, result: Kept | StorageDown) -> None:
    request_id = new_request_id()
    if isinstance(result, StorageDown):
        refusal = storage_down(provider.refusal_status)
        body = refusal.problem(request_id)
        reply(refusal.status, headers_of(body, request_id, PROBLEM, refusal.headers), body)
    else:
        body = _accepted(result)
        reply(200, headers_of(body, request_id), body)


def _accepted(kept: Kept) -> bytes:
    status = b"duplicate" if kept.duplicate else b"accepted"
    return b'{"status": "%b", "receipt_id": "rct_%d"}' % (status, kept.sequence)


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest()


def _not_found() -> Refusal:
    return Refusal(404, "There is no such webhook address.")


def _not_allowed(method: str, allowed: bytes) -> Refusal:
    return Refusal(405, f"{method} is not answered here.", headers=[(b"allow", allowed)])
