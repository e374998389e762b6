"""What a provider's wire adapter is: verify, parse, dedupe. Pure: no Django, no sockets, no clock."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from webhooks.events import Reading


class InvalidSignature(Exception):
    """The request is not from who it says. `reason` is one word for machines, `diagnosis` a sentence; no secrets."""

    def __init__(self, reason: str, diagnosis: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.diagnosis = diagnosis


class UnreadablePayload(Exception):
    """The body is not what the contract's 400 row allows. The message is safe to send back."""


class UnknownVocabulary(Exception):
    """An event type or status word that we do not know, or a field without which the event means nothing.

    The receipt is kept in quarantine: `reason` is one machine-readable word (`unknown_event_type`, `unknown_status`,
    `missing_field`, …), the message a sentence, `event_type` the provider's word if one could be read.
    """

    def __init__(self, reason: str, message: str, *, event_type: str = "") -> None:
        super().__init__(message)
        self.reason = reason
        self.event_type = event_type


@dataclass(frozen=True, slots=True)
class SignedRequest:
    body: bytes
    headers: Mapping[str, str]  # lower-case names; bytes as latin-1; a repeated header's values joined by ", "
    received_at: datetime  # UTC


class Provider(ABC):
    """One provider's protocol.

    The secrets of `verify` and `challenge` are those valid now, newest first; `tolerance` is in seconds.
    """

    slug: ClassVar[str]
    label: ClassVar[str]
    kept_headers: ClassVar[tuple[str, ...]] = ()
    refusal_status: ClassVar[int] = 503  # what "storage down" is answered with

    @abstractmethod
    def verify(self, request: SignedRequest, secrets: Sequence[str], *, tolerance: int = 300) -> None:
        """Raise InvalidSignature, or UnreadablePayload where the signature is inside an unreadable body."""

    @abstractmethod
    def parse(self, request: SignedRequest) -> Reading:
        """Raise UnreadablePayload or UnknownVocabulary."""

    @abstractmethod
    def receipt_key(self, request: SignedRequest) -> str | None:
        """What makes a delivery the same delivery again; None: every delivery is news.

        Raises UnreadablePayload. An event that lacks its dedupe field falls back to the raw body.
        """

    def challenge(self, query: Mapping[str, str], secrets: Sequence[str]) -> dict[str, str] | None:
        """The answer to a validation GET; None: this provider has none (405). Raises UnreadablePayload (400)."""
        return None

    @abstractmethod
    def sign(self, body: bytes, secret: str, *, at: datetime) -> tuple[bytes, dict[str, str]]:
        """Body and headers as the provider would send them: for `send_sample`, `make demo` and tests."""
