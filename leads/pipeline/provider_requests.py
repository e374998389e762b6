"""Have requests to providers registered whose results come later. The app that receives the results stores them."""

from collections.abc import Callable

from accounts.models import Account, Source
from leads.models import Lead

#: Registers what a request is for: the source, the account, the lead, and the provider's id of the request.
Register = Callable[[Source, Account, Lead, str], None]
_registers: list[Register] = []


def use_register(register: Register) -> None:
    """Set what registers requests. An app's `ready` calls this function once."""
    _registers[:] = [register]


def register_message_request(source: Source, account: Account, lead: Lead, request_id: str) -> None:
    """Register that a request sends a message to a lead. A result that came before is processed then."""
    _registers[0](source, account, lead, request_id)
