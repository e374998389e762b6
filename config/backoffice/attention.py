"""List the accounts that dropped last, what their owners were asked, and the button that asks them."""

from dataclasses import dataclass

from django.contrib.auth.models import AnonymousUser, User
from django.urls import reverse

from accounts.admin.owner_progress import owner_progress, with_open_prompts
from accounts.linkedin.advice import needs_owner
from accounts.linkedin.attention import NEEDS_ATTENTION
from accounts.models import Account
from accounts.reauth.recipients import addresses_for

MAX_ROWS = 8


@dataclass(frozen=True, slots=True)
class Dropped:
    """An account that needs attention. `ask_url` is empty where asking its owner would not help."""

    account: Account
    progress: str
    ask_url: str
    addresses: str


def dropped_accounts(user: User | AnonymousUser) -> list[Dropped]:
    """Return the accounts that dropped last, none for staff who may not view accounts."""
    if not user.has_perm("accounts.view_account"):
        return []
    accounts = Account.objects.filter(status__in=NEEDS_ATTENTION).select_related("agency", "sub_account")
    may_ask = user.has_perm("accounts.change_account")
    return [_row(account, may_ask) for account in with_open_prompts(accounts.order_by("-status_since"))[:MAX_ROWS]]


def _row(account: Account, may_ask: bool) -> Dropped:
    addresses = addresses_for(account) if may_ask and needs_owner(account) else []
    url = reverse("admin:accounts_account_press", args=[account.pk, "ask_owner"]) if addresses else ""
    return Dropped(account, owner_progress(account), url, ", ".join(addresses))
