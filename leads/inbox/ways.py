"""Find the way on which a message reaches a lead: the provider's keys, the sender and the recipient."""

from dataclasses import dataclass

from django.utils.translation import gettext

from accounts.core.enums import ProviderSlug
from accounts.core.errors import StateError
from accounts.core.linkedin_identity import is_public_name, linkedin_key, linkedin_link
from accounts.linkedin.readiness import Action, readiness
from accounts.models import Account, Source
from accounts.providers import sendpilot, welink
from leads.models import Lead, LeadReference, Thread

#: Providers over which Leadline sends messages.
PROVIDERS = (ProviderSlug.SENDPILOT, ProviderSlug.WELINK)


class NoWay(StateError):
    """A message cannot be sent. The message says what is missing, `code` which of the parts it is."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__("", message, [(code, message)])
        self.code = code


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """Name everything that a provider has to be told to send a message. Only the provider's own fields are filled."""

    provider: ProviderSlug
    source: Source
    credentials: dict[str, str]
    account: Account | None
    sender_id: str = ""
    recipient_url: str = ""
    campaign_id: str = ""
    lead_id: str = ""
    thread_id: str = ""
    profile_id: str = ""


def way_of(thread: Thread) -> Way:
    """Return the way on which a conversation goes on. Raises NoWay."""
    if thread.lead.is_test:
        raise NoWay("test_lead", gettext("This is a test lead. No real person stands behind it."))
    if thread.provider == ProviderSlug.SENDPILOT:
        return _way_of_sendpilot(thread)
    if thread.provider == ProviderSlug.WELINK:
        return _way_of_welink(thread)
    raise NoWay("no_provider", gettext("Messages can be sent over SendPilot and We-Link only."))


def refuse_unready(way: Way) -> None:
    """Raise StateError with every reason if the account may not send a message now."""
    found = readiness(way.account, Action.SEND_MESSAGE).reasons if way.account else ()
    if found:
        reasons = [(reason.code, reason.message) for reason in found]
        raise StateError("", " ".join(message for _, message in reasons), reasons)


def conversation_with(lead: Lead) -> Thread:
    """Return the lead's newest conversation over a provider that sends, or an unsaved one that would begin it.

    Raises NoWay if no such provider knows the lead.
    """
    newest = lead.threads.filter(provider__in=PROVIDERS).select_related("account", "lead", "agency")
    if found := newest.order_by("-last_message_at", "-pk").first():
        return found
    known = lead.references.filter(provider__in=PROVIDERS).select_related("campaign__account")
    reference = known.order_by("-status_since", "-pk").first()
    if reference is None and lead.account is not None and lead.account.provider == ProviderSlug.SENDPILOT:
        return Thread(agency_id=lead.agency_id, lead=lead, account=lead.account, provider=ProviderSlug.SENDPILOT)
    if reference is None:
        raise NoWay("unknown_lead", gettext("Neither SendPilot nor We-Link knows this lead."))
    account = (reference.campaign and reference.campaign.account) or lead.account
    return Thread(agency_id=lead.agency_id, lead=lead, account=account, provider=reference.provider)


def _way_of_sendpilot(thread: Thread) -> Way:
    reference = _reference(thread)
    source, credentials = _source(thread, reference)
    campaign = reference.campaign if reference else None
    senders = thread.account.senders.filter(provider=ProviderSlug.SENDPILOT).order_by("pk") if thread.account else None
    sender_id = (senders.values_list("external_id", flat=True).first() if senders is not None else "") or (
        campaign.sender_id if campaign and thread.account_id in (None, campaign.account_id) else ""
    )
    if not sender_id:
        raise NoWay(
            "no_sender",
            gettext("Leadline does not know which sender of SendPilot this is. Enter its id on the account's page."),
        )
    url = linkedin_link(thread.lead.linkedin_url)
    if not url or not is_public_name(linkedin_key(url)):
        raise NoWay(
            "no_address", gettext("SendPilot needs the lead's public LinkedIn address, such as linkedin.com/in/name.")
        )
    return Way(
        provider=ProviderSlug.SENDPILOT,
        source=source,
        credentials=credentials,
        account=thread.account,
        sender_id=sender_id,
        recipient_url=url,
        campaign_id=campaign.external_id if campaign else "",
        lead_id=reference.external_id if reference else "",
    )


def _way_of_welink(thread: Thread) -> Way:
    reference = _reference(thread)
    source, credentials = _source(thread, reference)
    if thread.account is None:
        raise NoWay("no_account", gettext("Leadline does not know which LinkedIn account this conversation is of."))
    profile_id = reference.external_id if reference and reference.external_id != thread.lead_id else ""
    if not (thread.external_id or profile_id):
        raise NoWay("no_address", gettext("We-Link needs the lead's profile id, which no report has named."))
    return Way(
        provider=ProviderSlug.WELINK,
        source=source,
        credentials=credentials,
        account=thread.account,
        thread_id=thread.external_id,
        profile_id=profile_id,
    )


def _reference(thread: Thread) -> LeadReference | None:
    """Return the lead's latest reference at the conversation's provider, those of its account first."""
    known = thread.lead.references.filter(provider=thread.provider).select_related("campaign", "source")
    rows = list(known.order_by("-status_since", "-pk"))
    of_account = [row for row in rows if row.campaign and row.campaign.account_id == thread.account_id]
    return next(iter([*of_account, *rows]), None)


def _source(thread: Thread, reference: LeadReference | None) -> tuple[Source, dict[str, str]]:
    """Return the source with keys by which the lead came, or else the agency's only one that has some."""
    has_keys = {ProviderSlug.SENDPILOT: sendpilot.can_control, ProviderSlug.WELINK: welink.can_sign_in}
    usable = has_keys[ProviderSlug(thread.provider)]
    rows = Source.objects.filter(agency=thread.agency_id, provider=thread.provider, removed_at__isnull=True)
    found = {row.pk: row for row in rows if usable(row.readable_credentials)}
    named = (reference and reference.source_id) or (thread.account and thread.account.source_id)
    source = found.get(named or "") or (next(iter(found.values())) if len(found) == 1 else None)
    if source is None:
        raise NoWay(
            "no_key", gettext("No source of this provider has an API key. Enter the key on the page of the source.")
        )
    return source, source.readable_credentials
