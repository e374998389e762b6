"""Recover a source that LinkedIn has blocked: make its subscriptions anew, and pull the leads of the gap.

LinkedIn checks an address when a subscription for it is made, so that making it anew is what lifts the block.
"""

from accounts.core.enums import ProviderSlug
from accounts.models import Source
from accounts.providers.linkedin import Api, ErrorKind, LinkedInError, encode_value
from accounts.sources import recovery
from leads import wakeups
from leads.lead_sync import backfill
from leads.lead_sync.subscriptions import reconcile
from leads.lead_sync.tokens import NotConnected, OnHold, api_for
from leads.models import LeadSync


def recover(source: Source) -> str:
    """Recover a source. Return what was done, in sentences. Raises ValueError with one for people."""
    rows = LeadSync.objects.select_related("source__agency", "account__agency", "account__sub_account")
    sync = rows.filter(source=source).first()
    if sync is None or not sync.subscriptions.filter(wanted=True).exists():
        raise ValueError("This source has no subscriptions: say first of which accounts LinkedIn is to tell it.")
    try:
        made, refused = _make_anew(sync, api_for(sync))
    except OnHold as hold:
        raise ValueError(str(hold)) from None
    except NotConnected:
        raise ValueError("Nobody is connected to LinkedIn here: the agency has to connect the source first.") from None
    except LinkedInError as error:
        raise ValueError(str(error)) from None
    pulls = backfill.plan(sync)
    wakeups.wake_up()
    sentences = [f"Subscriptions made anew: {made}.", f"The leads of the gap are being fetched ({len(pulls)} pulls)."]
    return " ".join([*sentences, *(f"LinkedIn refused one: {error}" for error in refused)])


def _make_anew(sync: LeadSync, api: Api) -> tuple[int, list[str]]:
    """Make a source's subscriptions anew. Return how many LinkedIn has now, and why it refused others."""
    for row in sync.subscriptions.filter(wanted=True).exclude(external_id=""):
        try:
            api.delete(f"leadNotifications/{encode_value(row.external_id)}")
        except LinkedInError as error:
            if error.kind is not ErrorKind.NOT_FOUND:
                raise
        row.external_id = ""
        row.save(update_fields=["external_id"])
    reconcile(sync, api)
    rows = list(sync.subscriptions.filter(wanted=True))
    return sum(1 for row in rows if row.external_id), [row.error for row in rows if row.error]


recovery.register_recovery(ProviderSlug.LINKEDIN, recover)
