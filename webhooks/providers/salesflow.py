"""Read Salesflow's webhooks: account statuses (new API) and campaign webhooks (legacy).

https://salesflow.apidocumentation.com/documentation/webhooks-triggers/account-status-changed,
https://salesflow.io/api/docs

Nothing is signed: the header `x-webhook-secret` *is* the secret that was made with the webhook. New bodies have
`EventType` and `Payload.Data`, but neither an id nor a time: the same bytes can be a new event. Legacy bodies are flat,
with `IntegrationRunOn` and `Status`, and times of seven fractional digits. Unset fields are 0 or "".
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import ClassVar

from accounts.core.enums import AccountStatus, WordKind
from leads.enums import LeadStatus
from leads.pipeline.dto import Contact, Identity
from webhooks.providers.base import Provider, SignedRequest
from webhooks.providers.events import AccountRef, AccountReported, LeadNoted, LeadStatusReported, ProviderEvent
from webhooks.providers.payload import Payload
from webhooks.providers.signature_scheme import SignatureScheme
from webhooks.providers.signatures import require_shared_secret

HEADER = "x-webhook-secret"

# "Blocked" is a lost session, not a ban by LinkedIn; "paused" is an unfinished onboarding.
STATUSES = {  # provider's status --> account status
    "ACCOUNT_ACTIVE": AccountStatus.ACTIVE,
    "ACCOUNT_PAUSED": AccountStatus.INCOMPLETE,
    "ACCOUNT_BLOCKED": AccountStatus.DISCONNECTED,
    "ACCOUNT_DELETED": AccountStatus.DELETED,
}
MEANINGS = {status.value: status for status in AccountStatus}
EVENTS = ("ACCOUNT_STATUS_CHANGED",)
LEAD_STATUSES = {  # legacy event --> lead status; other events become notes
    "MEMBER_CONNECTED": LeadStatus.CONNECTION_ACCEPTED,
    "REPLY_DETECTED": LeadStatus.REPLY_RECEIVED,
}
NOTES = {  # legacy event --> text of the note
    "INVITATION_WITHDRAWN": "Invitation withdrawn",
}


class Salesflow(Provider):
    slug: ClassVar[str] = "salesflow"
    meanings: ClassVar[Mapping[WordKind, tuple[str, ...]]] = {
        WordKind.EVENT: EVENTS,
        WordKind.STATUS: tuple(MEANINGS),
    }

    def verify(self, request: SignedRequest, secrets: Sequence[str], *, tolerance: int = 300) -> None:
        require_shared_secret(request.headers, HEADER, secrets)

    def dedupe_key(self, request: SignedRequest) -> str | None:
        super().dedupe_key(request)  # raises UnreadablePayload
        return None

    def read_events(self, payload: Payload) -> tuple[ProviderEvent, ...]:
        if payload.has("EventType") or not payload.has("IntegrationRunOn"):
            return (_read_account_status(payload),)
        return (_read_member_event(payload),)

    def sign(self, body: bytes, secret: str, *, at: datetime) -> tuple[bytes, dict[str, str]]:
        return body, {HEADER: secret}

    def signature_scheme(self, request: SignedRequest) -> SignatureScheme | None:
        given = request.headers.get(HEADER, "").strip()
        return SignatureScheme(given=given, body=request.body, is_shared_secret=True) if given else None


def _read_account_status(payload: Payload) -> AccountReported:
    if payload.event_type_of("EventType", EVENTS) not in EVENTS:
        payload.unknown_event()
    status = payload.one_of("Payload.Data.Status", STATUSES, MEANINGS)
    return AccountReported(
        account=AccountRef(
            external_id=_non_zero_identifier(payload, "LinkedInAccountId"),
            email=payload.text_or_empty("LinkedInEmail", limit=254),
        ),
        status=status,
        occurred_at=None,
        reason="" if status is AccountStatus.ACTIVE else payload.text("Payload.Data.Status"),
    )


def _read_member_event(payload: Payload) -> LeadStatusReported | LeadNoted:
    event = payload.event_type_of("Status" if payload.has("Status") else "IntegrationRunOn", ())
    payload.mark_known("IntegrationType", "IntegrationRunOn", "MemberId", "Address", "CurrentPosition")
    payload.mark_known("BirthdayYear", "BirthdayMonth", "BirthdayDay", "Distance", "HasReply", "IsMuted")
    payload.mark_known("DateAdded", "ConnectedAt")
    lead = Identity(
        external_id=_non_zero_identifier(payload, "LinkedInMemberId"), linkedin_url=payload.text_or_empty("MemberUrl")
    )
    if event not in LEAD_STATUSES:
        note = NOTES.get(event, event)
        return LeadNoted(lead=lead, note=note, occurred_at=None, contact=_contact(payload))
    return LeadStatusReported(
        lead=lead,
        status=LEAD_STATUSES[event],
        stated=False,
        occurred_at=payload.timestamp_or_none("ConnectedAt") if event == "MEMBER_CONNECTED" else None,
        contact=_contact(payload),
    )


def _contact(payload: Payload) -> Contact:
    return Contact(
        first_name=payload.text_or_empty("FirstName", limit=200),
        last_name=payload.text_or_empty("LastName", limit=200),
        email=payload.text_or_empty("Email", limit=254),
        phone=payload.text_or_empty("PhoneNumber", limit=50),
        title=payload.text_or_empty("Occupation", limit=300),
        company=payload.text_or_empty("Company", limit=300),
        industry=payload.text_or_empty("Industry", limit=200),
        location=payload.text_or_empty("Location", limit=300),
    )


def _non_zero_identifier(payload: Payload, path: str) -> str:
    """Read a required id. Treat 0 as missing: Salesflow sends it for ids that are not set."""
    found = payload.identifier(path)
    if found == "0":
        payload.fail("missing_field", f"The field {path} is not set.")
    return found
