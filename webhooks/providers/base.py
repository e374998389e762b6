"""What a provider's wire adapter is: verify, parse, dedupe. Pure: no Django, no sockets, no clock."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import ClassVar, NamedTuple

from webhooks.providers.events import ProviderEvent, Reading
from webhooks.providers.payload import Payload, UnknownVocabulary, key_of
from webhooks.providers.signature_scheme import Claim
from webhooks.providers.signatures import InvalidSignature
from webhooks.providers.strict_json import UnreadablePayload, read_object

__all__ = ["InvalidSignature", "Provider", "SignedRequest", "UnknownVocabulary", "UnreadablePayload"]


class SignedRequest(NamedTuple):
    body: bytes
    headers: Mapping[str, str]  # lower-case names; bytes as latin-1; a repeated header's values joined by ", "
    received_at: datetime  # UTC


class Provider(ABC):
    """One provider's protocol.

    The secrets of `verify` and `challenge` are those valid now, newest first; `tolerance` is in seconds.
    """

    slug: ClassVar[str]
    kept_headers: ClassVar[tuple[str, ...]] = ()  # kept with the receipt as evidence; never one that is a secret
    refusal_status: ClassVar[int] = 503  # what "storage down" is answered with
    dedupe_fields: ClassVar[tuple[str, ...]] = ()  # top-level fields; none: the raw body is the key

    @abstractmethod
    def verify(self, request: SignedRequest, secrets: Sequence[str], *, tolerance: int = 300) -> None:
        """Raise InvalidSignature, or UnreadablePayload where the signature is inside an unreadable body."""

    def verify_as_sent(self, request: SignedRequest, secrets: Sequence[str], *, tolerance: int = 300) -> bool:
        """Verify as far as this takes time linear in the body and no JSON parser.

        Returns True if the request is verified, False if only `verify` can tell. Raises InvalidSignature.
        """
        self.verify(request, secrets, tolerance=tolerance)
        return True

    @abstractmethod
    def read(self, payload: Payload) -> tuple[ProviderEvent, ...]:
        """What the body says, with `payload.event_type` set on the way. Raises UnknownVocabulary."""

    @abstractmethod
    def sign(self, body: bytes, secret: str, *, at: datetime) -> tuple[bytes, dict[str, str]]:
        """Body and headers as the provider would send them: for `send_sample`, `make demo` and tests."""

    def parse(self, request: SignedRequest) -> Reading:
        """Raise UnreadablePayload or UnknownVocabulary."""
        payload = Payload(read_object(request.body))
        events = self.read(payload)
        for field in self.dedupe_fields:
            payload.identifier(field, limit=len(request.body))
        return Reading(event_type=payload.event_type, events=events, unknown_fields=payload.unknown_fields())

    def receipt_key(self, request: SignedRequest) -> str | None:
        """What makes a delivery the same delivery again; None: every delivery is news.

        Raises UnreadablePayload. An event that lacks its dedupe field falls back to the raw body.
        """
        data = read_object(request.body)
        key = key_of(*map(data.get, self.dedupe_fields)) if self.dedupe_fields else None
        return key or request.body.decode()

    def challenge(self, query: Mapping[str, str], secrets: Sequence[str]) -> dict[str, str] | None:
        """The answer to a validation GET; None: this provider has none (405). Raises UnreadablePayload (400)."""
        return None

    def claim(self, request: SignedRequest) -> Claim | None:
        """For the signature doctor: what a refused request claims; None: it carries no signature."""
        return None
