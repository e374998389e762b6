"""Map the statuses of receipts to labels and tones, and the reasons of quarantine to sentences."""

from accounts.core.labels import Label
from webhooks.models import ReceiptStatus

RECEIPT_LABELS: dict[ReceiptStatus, Label] = {
    ReceiptStatus.RECEIVED: Label(ReceiptStatus.RECEIVED.label, "busy"),
    ReceiptStatus.PROCESSED: Label(ReceiptStatus.PROCESSED.label, "good"),
    ReceiptStatus.QUARANTINED: Label(ReceiptStatus.QUARANTINED.label, "warn"),
    ReceiptStatus.FAILED: Label(ReceiptStatus.FAILED.label, "bad"),
}
#: Reason of a quarantine --> the sentence that the back office shows.
QUARANTINE_REASONS: dict[str, str] = {
    "unknown_event_type": "The provider uses an event type that Leadline does not know yet.",
    "unknown_status": "The provider uses a status word that Leadline does not know yet.",
    "missing_field": "A field is missing without which the event means nothing.",
    "unknown_request": "The agency has not said what this We-Link request was for. It is processed by itself as soon "
    "as the request is registered (POST /api/v1/sources/{id}/requests).",
    "other_app": "It is about another app of HighLevel's marketplace than the one that HIGHLEVEL_APP_ID names.",
    "unknown_account": "It does not say which account it is about. It is processed by itself once its location has one "
    "account.",
    "unknown_company": "It names a company or a location that no agency here has. It is processed by itself as soon as "
    "one has it.",
    "foreign_company": "It names a company that is not the one this source belongs to. It is processed by itself if "
    "the agency gets this company id.",
    "unknown_lead": "It does not say which lead it is about.",
}
