"""Have requests to providers registered whose results come later. The app that receives the results stores them."""

from collections.abc import Callable

from accounts.core.enums import RequestAction
from accounts.models import Account, Source
from leads.models import Lead

#: Registers what a request is for: the source, the account, the lead, the provider's id of the request, and the action.
Register = Callable[[Source, Account, Lead, str, RequestAction], None]
_registers: list[Register] = []


def use_register(register: Register) -> None:
    """Set what registers requests. An app's `ready` calls this function once."""
    _registers[:] = [register]


def register_sending(source: Source, account: Account, lead: Lead, request_id: str, action: RequestAction) -> None:
    """Register that a request sends something to a lead. A result that came before is processed then."""
    _registers[0](source, account, lead, request_id, action)
