"""Read webhooks of LinkedConnector, a LinkedIn app on the HighLevel marketplace, about an agency's sub-accounts.

https://linkedconnector.com/changelog/new-notification-system-for-app-linkedin-events

No signature is documented: the URL itself is the secret, and a source that was given a secret also requires it in
`x-webhook-secret`. There is no event id: the raw body, which has a time, is the dedupe key. There is no account id,
only a display name. `linkedin_disconnected` is the user's own act. `linkedin_reconnected` means that a blocked account
is free again or that a sign-in was renewed.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import ClassVar

from accounts.core.enums import AccountStatus, EventType, StatusReason, WordKind
from webhooks.providers.base import Provider, SignedRequest
from webhooks.providers.events import (
    AccountRateLimited,
    AccountRef,
    AccountReported,
    AppInstalled,
    AppUninstalled,
    ProviderEvent,
    Tenant,
)
from webhooks.providers.payload import Payload
from webhooks.providers.signature_scheme import SignatureScheme
from webhooks.providers.signatures import require_shared_secret

HEADER = "x-webhook-secret"

STATUSES = {  # event --> status
    "linkedin_disconnected": AccountStatus.DISCONNECTED,
    "linkedin_deleted": AccountStatus.DELETED,
    "linkedin_blocked": AccountStatus.BLOCKED,
    "linkedin_auth_error": AccountStatus.AUTH_ERROR,
    "linkedin_reconnected": AccountStatus.ACTIVE,
}
EVENTS = (*STATUSES, "linkedin_rate_limit", "install", "uninstall")


class LinkedConnector(Provider):
    slug: ClassVar[str] = "linkedconnector"
    meanings: ClassVar[Mapping[WordKind, tuple[str, ...]]] = {WordKind.EVENT: EVENTS}

    def verify(self, request: SignedRequest, secrets: Sequence[str], *, tolerance: int = 300) -> None:
        if secrets:
            require_shared_secret(request.headers, HEADER, secrets)

    def read_events(self, payload: Payload) -> tuple[ProviderEvent, ...]:
        event = payload.event_type_of("event_type", EVENTS)
        occurred_at = payload.timestamp_or_none("timestamp")
        tenant = Tenant(
            company_id=payload.identifier_or_empty("ghl_company_id", limit=100),
            location_id=payload.identifier_or_empty("ghl_location_id", limit=100),
        )
        if event == "install":
            return (
                AppInstalled(
                    tenant=tenant,
                    occurred_at=occurred_at,
                    installer_name=payload.text_or_empty("installer_name", limit=200),
                    installer_email=payload.text_or_empty("installer_email", limit=254),
                    ghl_user_id=payload.text_or_empty("ghl_user_id", limit=100),
                ),
            )
        if event == "uninstall":
            return (AppUninstalled(tenant=tenant, occurred_at=occurred_at),)
        account = AccountRef(tenant=tenant, name=payload.text_or_empty("linkedin_account_name", limit=200))
        if event == "linkedin_rate_limit":
            return (_rate_limited(payload, account, occurred_at),)
        if event not in STATUSES:
            payload.unknown_event()
        return (_reported(payload, account, occurred_at),)

    def sign(self, body: bytes, secret: str, *, at: datetime) -> tuple[bytes, dict[str, str]]:
        return body, {HEADER: secret} if secret else {}

    def signature_scheme(self, request: SignedRequest) -> SignatureScheme | None:
        given = request.headers.get(HEADER, "").strip()
        return SignatureScheme(given=given, body=request.body, is_shared_secret=True) if given else None


def _reported(payload: Payload, account: AccountRef, occurred_at: datetime | None) -> AccountReported:
    reason = detail = payload.text_or_empty("error_detail")
    if payload.event_type == "linkedin_disconnected":
        reason, detail = StatusReason.USER_ACTION.value, ""
    return AccountReported(
        account=account,
        status=STATUSES[payload.event_type],
        occurred_at=occurred_at,
        reason=reason,
        error_detail=detail,
        passed_on=EventType(payload.event_type),
    )


def _rate_limited(payload: Payload, account: AccountRef, occurred_at: datetime | None) -> AccountRateLimited:
    return AccountRateLimited(
        account=account,
        occurred_at=occurred_at,
        resets_at=payload.timestamp_or_none("resets_at"),
        limit_type=payload.text_or_empty("limit_type", limit=100),
        api_name=payload.text_or_empty("api_name", limit=100),
        passed_on=True,
    )
