"""Link accounts of one LinkedIn person at several providers.

Each provider's view stays a row of its own. Accounts with the same e-mail or public identifier are linked by that
alone. If only the names agree, a link is proposed and a person decides.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, timedelta
from functools import reduce
from operator import or_

from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils import formats, timezone
from django.utils.translation import gettext as _

from accounts.core.derived_fields import fold, search_text_contains
from accounts.core.enums import AccountStatus, provider_name
from accounts.core.unit_of_work import AT_ONCE, UnitOfWork
from accounts.labels import status_label
from accounts.models import Account, AccountLink
from accounts.models.link import LinkState

#: The statuses from best to worst.
SEVERITY = list(AccountStatus)
MAX_NAMESAKES = 10
MAX_CANDIDATES = 200


def linked_accounts(accounts: Sequence[Account]) -> dict[str, list[Account]]:
    """Return for each account (all of one agency), by its id, the agency's other accounts of the same person.

    Deleted accounts are left out, because they have been replaced.
    """
    if not accounts:
        return {}
    alike = _with_same_keys(accounts)
    accepted = _accepted(accounts)
    found = {}
    for account in accounts:
        others = {other.id: other for other in alike if _same_person(account, other)}
        others |= {other.id: other for other in accepted.get(account.id, ())}
        found[account.id] = [others[key] for key in sorted(others, reverse=True)]
    return found


def worst_status(account: Account, linked: Sequence[Account]) -> AccountStatus:
    """Return the worst status of an account and of those linked to it."""
    return max((AccountStatus(one.status) for one in (account, *linked)), key=SEVERITY.index)


def contradicting_accounts(account: Account, linked: Iterable[Account]) -> list[Account]:
    """Return the account and those linked to it if their providers disagree on whether it works, else an empty list."""
    views = sorted((account, *linked), key=lambda one: (one.provider, one.id))
    return views if len({one.status == AccountStatus.ACTIVE for one in views}) == 2 else []


def describe_views(views: Iterable[Account]) -> str:
    """Return what each provider says, such as `Salesflow: active, LinkedConnector: blocked since 14:02`. Times are
    UTC."""
    return ", ".join(f"{provider_name(view.provider)}: {_describe_view(view)}" for view in views)


def _describe_view(account: Account) -> str:
    if account.status == AccountStatus.ACTIVE:
        return status_label(account.status).text
    since = account.status_since.astimezone(UTC)
    today = timezone.now() - since < timedelta(days=1)
    time = f"{since:%H:%M}" if today else formats.date_format(since, "d M Y")
    return _("%(status)s since %(time)s") % {"status": status_label(account.status).text, "time": time}


@transaction.atomic(savepoint=False)
def propose_links(account: Account, work: UnitOfWork = AT_ONCE) -> None:
    """Propose links to the agency's accounts at other providers that have this name and nothing else in common."""
    name = account.display_name
    if not name or "@" in name or account.status == AccountStatus.DELETED:
        return
    others = Account.objects.filter(agency=account.agency_id).exclude(provider=account.provider)
    others = others.exclude(status=AccountStatus.DELETED)
    names = _names(account)
    if not names:
        return
    work.flush(Account)
    alike = reduce(or_, map(search_text_contains, sorted(names)))
    namesakes = [other for other in others.filter(alike).order_by("-id")[:MAX_CANDIDATES] if names & _names(other)]
    for other in namesakes[:MAX_NAMESAKES]:
        if not _same_person(account, other):
            first, second = sorted((account, other), key=lambda one: one.id)
            work.bypass(AccountLink)
            AccountLink.objects.get_or_create(first=first, second=second, defaults={"agency_id": account.agency_id})


@transaction.atomic
def decide_link(link: AccountLink, *, same: bool, by: int | None) -> AccountLink:
    """Decide whether both accounts are one person's. A later decision replaces an earlier one."""
    link.state = LinkState.ACCEPTED if same else LinkState.DECLINED
    link.decided_by_id, link.decided_at = by, timezone.now()
    link.save(update_fields=["state", "decided_by", "decided_at"])
    return link


def proposed_links(account: Account) -> list[AccountLink]:
    """Return the undecided links of an account that are still needed."""
    links = AccountLink.objects.filter(Q(first=account) | Q(second=account), state=LinkState.PROPOSED)
    rows = links.select_related("first", "second").order_by("id")[:MAX_NAMESAKES]
    return [row for row in rows if not _same_person(row.first, row.second)]


def _names(account: Account) -> set[str]:
    """Return the folded names of an account."""
    full_name = f"{account.first_name} {account.last_name}" if account.first_name and account.last_name else ""
    return {fold(account.name or account.display_name), fold(full_name)} - {""}


def _with_same_keys(accounts: Sequence[Account]) -> list[Account]:
    emails = {account.email.lower() for account in accounts if account.email}
    names = {account.linkedin_key for account in accounts} - {""}
    if not emails and not names:
        return []
    return list(
        Account.objects.filter(agency_id=accounts[0].agency_id)
        .exclude(status=AccountStatus.DELETED)
        .annotate(email_key=Lower("email"))
        .filter(Q(email_key__in=emails) | Q(linkedin_key__in=names))
    )


def _accepted(accounts: Sequence[Account]) -> dict[str, list[Account]]:
    """Return by account the accounts that a person has linked to it."""
    ids = [account.id for account in accounts]
    links = AccountLink.objects.filter(Q(first__in=ids) | Q(second__in=ids), state=LinkState.ACCEPTED)
    found: dict[str, list[Account]] = {}
    for link in links.select_related("first", "second"):
        for one, other in ((link.first, link.second), (link.second, link.first)):
            if other.status != AccountStatus.DELETED:
                found.setdefault(one.id, []).append(other)
    return found


def _same_person(one: Account, other: Account) -> bool:
    if one.pk == other.pk:
        return False
    if one.linkedin_key and one.linkedin_key == other.linkedin_key:
        return True
    return bool(one.email) and one.email.lower() == other.email.lower()
