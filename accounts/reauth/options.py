"""Decide how an account's owner can reconnect it: by the provider's own step if the source is set up for one."""

from dataclasses import dataclass, field
from enum import StrEnum

from cryptography.fernet import InvalidToken

from accounts.core.enums import AccountStatus, ProviderSlug
from accounts.models import Account, AccountToken, Source
from accounts.providers import linkedin, salesflow, welink


class Way(StrEnum):
    """How to reconnect: in a frame of the provider's page, by a sign-in that Leadline submits, by a link, or as
    described."""

    FRAME = "frame"
    SIGN_IN = "sign_in"
    LINK = "link"
    WORDS = "words"


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """How an owner can reconnect an account. `source` has the used credentials and receives the result; `url` is the
    address of a link."""

    way: Way
    source: Source | None = None
    credentials: dict[str, str] = field(default_factory=dict, repr=False)
    url: str = ""


def offer_for(account: Account) -> Offer:
    """Return what to offer for the account now. No provider's page can lift a restriction by LinkedIn."""
    source = _source_of(account)
    if source is None or account.status == AccountStatus.BLOCKED:
        return Offer(way=Way.WORDS, source=source)
    credentials = source.readable_credentials
    if account.provider == ProviderSlug.SALESFLOW and salesflow.can_onboard(source, credentials):
        return Offer(way=Way.FRAME, source=source, credentials=credentials)
    if account.provider == ProviderSlug.WELINK and welink.can_sign_in(credentials):
        return Offer(way=Way.SIGN_IN, source=source, credentials=credentials)
    if account.provider == ProviderSlug.LINKEDIN:
        return Offer(way=Way.LINK, source=source, url=linkedin.reconnect_url(source))
    if source.reauth_url.startswith("https://"):
        return Offer(way=Way.LINK, source=source, url=source.reauth_url)
    return Offer(way=Way.WORDS, source=source)


def frame_for(account: Account, offer: Offer) -> salesflow.Frame:
    """Return the frame that updates the account if its token is stored, else a new onboarding frame. Raises
    ProviderError."""
    assert offer.source is not None  # noqa: S101 (a frame is offered for a source)
    token = _token_of(account) if offer.source.update_frame_url else ""
    if token:
        return salesflow.update_frame(offer.source, offer.credentials, token)
    return salesflow.onboarding_frame(offer.credentials)


def store_token(account: Account, token: str) -> None:
    """Store the token that opens the account's Update frame, encrypted."""
    AccountToken.objects.update_or_create(account=account, defaults={"token": token})


def _token_of(account: Account) -> str:
    try:
        row = AccountToken.objects.filter(account=account).first()
    except InvalidToken:
        return ""
    return str(row.token) if row else ""


def _source_of(account: Account) -> Source | None:
    """Return the account's source, else the newest usable one of its agency."""
    sources = Source.objects.filter(
        agency_id=account.agency_id, provider=account.provider, enabled=True, removed_at__isnull=True
    ).defer("credentials")
    return sources.filter(pk=account.source_id).first() or sources.order_by("-id").first()
