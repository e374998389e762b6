"""The states of accounts as badges."""

from django.utils.safestring import SafeString

from accounts.core.enums import AccountStatus
from accounts.core.markup import Tone, badge

TONES: dict[str, Tone] = {
    AccountStatus.ACTIVE: "good",
    AccountStatus.INCOMPLETE: "warn",
    AccountStatus.DISCONNECTED: "bad",
    AccountStatus.AUTH_ERROR: "bad",
    AccountStatus.BLOCKED: "bad",
    AccountStatus.DELETED: "quiet",
}


def account_badge(status: str) -> SafeString:
    return badge(status.replace("_", " "), TONES.get(status, "quiet"))
