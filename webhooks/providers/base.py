"""Define a provider's wire adapter: verify, parse, dedupe. Pure: no Django, no sockets, no clock."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar, NamedTuple

from accounts.core import strict_json
from accounts.core.enums import WordKind
from accounts.core.strict_json import UnreadableJSON
from webhooks.providers.events import NothingToDo, ParsedRequest, ProviderEvent
from webhooks.providers.payload import IgnoredWord, Payload, UnknownVocabulary, Words, dedupe_key_of
from webhooks.providers.signature_scheme import SignatureScheme
from webhooks.providers.signatures import InvalidSignature

__all__ = [
    "InvalidSignature",
    "Provider",
    "SignedRequest",
    "UnknownVocabulary",
    "UnreadablePayload",
    "parses_quickly",
    "read_object",
]

#: Up to these sizes a body is parsed on the event loop: parsing takes half a millisecond at most.
QUICK_BYTES = 16 * 1024
QUICK_VALUES = 500


class UnreadablePayload(Exception):
    """Signal that the body is not JSON as the contract's 400 row requires. The message may be sent to the caller."""


class SignedRequest(NamedTuple):
    """Hold one request as it was received."""

    body: bytes
    headers: Mapping[str, str]  # lower-case names; bytes as latin-1; a repeated header's values joined by ", "
    received_at: datetime  # UTC


class Provider(ABC):
    """Implement one provider's protocol.

    `secrets` of `verify` and `challenge` are the valid ones, newest first. `tolerance` is in seconds.
    """

    slug: ClassVar[str]
    #: Headers that are stored with the receipt as evidence, never one that holds a secret.
    kept_headers: ClassVar[tuple[str, ...]] = ()
    refusal_status: ClassVar[int] = 503  # the status of the response when storage is down
    dedupe_fields: ClassVar[tuple[str, ...]] = ()  # top-level fields; without them the raw body is the key
    #: What a source's mappings may give an unknown word of each kind as its meaning.
    meanings: ClassVar[Mapping[WordKind, tuple[str, ...]]] = {}

    @abstractmethod
    def verify(self, request: SignedRequest, secrets: Sequence[str], *, tolerance: int = 300) -> None:
        """Verify the signature. Raises InvalidSignature, or UnreadablePayload if the signature is in the body."""

    def verify_as_sent(self, request: SignedRequest, secrets: Sequence[str], *, tolerance: int = 300) -> bool:
        """Verify as far as possible in time linear in the body's length, without parsing JSON.

        Return True if the request is verified, False if only `verify` can tell. Raises InvalidSignature.
        """
        self.verify(request, secrets, tolerance=tolerance)
        return True

    @abstractmethod
    def read_events(self, payload: Payload) -> tuple[ProviderEvent, ...]:
        """Return the body's events, and set `payload.event_type`. Raises UnknownVocabulary."""

    @abstractmethod
    def sign(self, body: bytes, secret: str, *, at: datetime) -> tuple[bytes, dict[str, str]]:
        """Return body and headers as the provider would send them, for `send_sample`, `make demo` and tests."""

    def parse(self, request: SignedRequest, words: Words | None = None) -> ParsedRequest:
        """Return the parsed request; `words` explain unknown words.

        Raises UnreadablePayload or UnknownVocabulary.
        """
        payload = Payload(read_object(request.body), words)
        try:
            events = self.read_events(payload)
        except IgnoredWord:
            events = (NothingToDo(about=payload.event_type),)
            payload.mark_known(*payload.data)
        for field in self.dedupe_fields:
            payload.identifier(field, limit=len(request.body))
        event_type = payload.event_word or payload.event_type
        return ParsedRequest(event_type=event_type, events=events, unknown_fields=payload.unknown_fields())

    def dedupe_key(self, request: SignedRequest) -> str | None:
        """Return the key that repeated deliveries share. None if every delivery is new.

        Raises UnreadablePayload. The raw body is the key of an event that lacks its dedupe field.
        """
        data = read_object(request.body)
        key = dedupe_key_of(*map(data.get, self.dedupe_fields)) if self.dedupe_fields else None
        return key or request.body.decode()

    def challenge(self, query: Mapping[str, str], secrets: Sequence[str]) -> dict[str, str] | None:
        """Return the response to a validation GET. None if there is none (405). Raises UnreadablePayload (400)."""
        return None

    def signature_scheme(self, request: SignedRequest) -> SignatureScheme | None:
        """Return how the request should have been signed, for the signature doctor. None if it has no signature."""
        return None


def read_object(body: bytes) -> dict[str, Any]:
    """Return the JSON object in a body. Raises UnreadablePayload where `accounts.core.strict_json` refuses it."""
    try:
        return strict_json.read_object(body)
    except UnreadableJSON as error:
        raise UnreadablePayload(error.args[0]) from None


def parses_quickly(body: bytes) -> bool:
    """Return whether any use of the parsed body takes less than a millisecond, judged by counting separators."""
    size = len(body)
    if size <= 2 * QUICK_VALUES:
        return True
    return size <= QUICK_BYTES and body.count(b",") + body.count(b"[") + body.count(b"{") <= QUICK_VALUES
