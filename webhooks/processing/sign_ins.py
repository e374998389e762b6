"""Register the requests that Leadline makes itself: sign-ins that owners start, and messages to leads."""

from accounts.core.enums import RequestAction
from accounts.models import Account, Source
from accounts.reauth.provider_requests import RequestLog
from leads.models import Lead
from webhooks.models import ProviderRequest
from webhooks.processing.processor import register_request


def _register(source: Source, account: Account, request_id: str) -> None:
    register_request(source, request_id=request_id, action=RequestAction.LOGIN, account=account)


def register_sending(source: Source, account: Account, lead: Lead, request_id: str, action: RequestAction) -> None:
    """Register that a request sends a message or an invitation to a lead."""
    register_request(source, request_id=request_id, action=action, account=account, lead=lead)


def _newest(source: Source, account: Account) -> str:
    sign_ins = ProviderRequest.objects.filter(source=source, account=account, action=RequestAction.LOGIN)
    return sign_ins.order_by("-created_at", "-id").values_list("request_id", flat=True).first() or ""


SIGN_INS = RequestLog(register_sign_in=_register, newest_sign_in=_newest)
