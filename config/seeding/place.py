"""The agency itself: people, sub-accounts, sources, channels, accounts and campaigns, before anything happens."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any

from allauth.account.models import EmailAddress
from django.contrib.auth.models import User

from accounts.core.enums import ProviderSlug, Role
from accounts.core.ids import new_token
from accounts.models import (
    Account,
    Agency,
    Campaign,
    Invitation,
    Member,
    Outage,
    ReauthPrompt,
    Sender,
    Source,
    SourceSecret,
    SubAccount,
)
from accounts.sources.service import new_secret
from config.seeding import people
from config.seeding.rows import Rows, save
from notifications.egress.signing import new_secret as new_signing_secret
from notifications.models import Channel, ChannelKind, ChannelSecret, ChannelStatus
from webhooks.models import ProviderRequest

DAYS = 60
ACCOUNTS = {ProviderSlug.SALESFLOW: 24, ProviderSlug.WELINK: 22, ProviderSlug.LINKEDCONNECTOR: 14}
CAMPAIGNS = len(people.CAMPAIGN_AUDIENCES)
SUB_ACCOUNTS = 8
#: Company ids of agencies that were made here begin so.
COMPANY_PREFIX = "seeded-"
TEAM = (Role.OWNER, Role.MANAGER, Role.MANAGER, Role.READ_ONLY, Role.READ_ONLY)
PROVIDERS = (*ACCOUNTS, ProviderSlug.SENDPILOT)
#: What the team's mailbox hears: what somebody has to do something about.
TO_DO = (
    *("linkedin_disconnected", "linkedin_auth_error", "linkedin_blocked", "linkedin_incomplete", "accounts_incident"),
    *("lead_replied", "lead_opportunity", "channel_failing", "source_rejected"),
)


@dataclass(slots=True)
class Place:
    """One agency in the making."""

    agency: Agency
    random: Random
    now: datetime
    rows: Rows
    host: str
    members: list[Member] = field(default_factory=list)
    sub_accounts: list[SubAccount] = field(default_factory=list)
    sources: dict[str, Source] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict)
    channels: list[Channel] = field(default_factory=list)
    accounts: list[Account] = field(default_factory=list)
    campaigns: list[Campaign] = field(default_factory=list)
    requests: list[ProviderRequest] = field(default_factory=list)
    prompts: dict[str, ReauthPrompt] = field(default_factory=dict)  # the open ones, by account
    outages: dict[str, tuple[Outage, Any]] = field(default_factory=dict)  # open, by account, with those that it is with
    people_made: int = 0

    @property
    def begin(self) -> datetime:
        return self.now - timedelta(days=DAYS)

    def person(self) -> people.Person:
        """Return somebody who was not there yet."""
        self.people_made += 1
        return people.person(self.random, self.people_made)

    def working_time(self, day: float) -> datetime:
        """Return a time within office hours so many days after the beginning, on Monday for a weekend, before now."""
        at = (self.begin + timedelta(days=day)).replace(hour=7, minute=0, second=0, microsecond=0)
        at += timedelta(days=max(0, 7 - at.weekday()) if at.weekday() > 4 else 0)
        at += timedelta(seconds=self.random.uniform(0, 11 * 3600))
        return at if at < self.now else self.now - timedelta(minutes=self.random.uniform(5, 600))


def make_place(number: int, random: Random, now: datetime, password: str) -> Place:
    """Make and save the agency with its people, places, sources and channels. `password` is hashed already."""
    name = f"{people.COMPANY_WORDS[number % len(people.COMPANY_WORDS)]} {random.choice(people.AGENCY_KINDS)}"
    host = f"{people.slug(name)}-{number + 1}.example.com"
    rows = Rows(random)
    begin = now - timedelta(days=DAYS, hours=3)
    agency = Agency(
        id=rows.new_id("agc", begin),
        name=name,
        ghl_company_id=f"{COMPANY_PREFIX}{number + 1}-{random.getrandbits(32):08x}",
        timezone=random.choice(("Europe/Berlin", "Europe/London", "America/New_York")),
        created_at=begin,
    )
    save([agency])
    place = Place(agency, random, now, rows, host)
    _add_team(place, password)
    _add_sub_accounts(place)
    _add_sources(place)
    _add_channels(place)
    _add_accounts(place)
    _add_campaigns(place)
    return place


def _add_team(place: Place, password: str) -> None:
    users = []
    for role in TEAM:
        who = place.person()
        local = "owner" if role is Role.OWNER else who.slug
        address = f"{local}@{place.host}"
        users.append(
            User(
                username=address, email=address, password=password, first_name=who.first_name, last_name=who.last_name,
                date_joined=place.begin,
            )
        )  # fmt: skip
    User.objects.bulk_create(users)
    EmailAddress.objects.bulk_create(
        EmailAddress(user=user, email=user.email, verified=True, primary=True) for user in users
    )
    place.members = [
        Member(
            id=place.rows.new_id("mbr", place.begin + timedelta(minutes=10 * number)),
            agency=place.agency, user=user, role=role, created_at=place.begin + timedelta(minutes=10 * number),
        )
        for number, (user, role) in enumerate(zip(users, TEAM, strict=True))
    ]  # fmt: skip
    save(place.members)
    invited_at = place.now - timedelta(days=2)
    invitation = Invitation(
        id=place.rows.new_id("inv", invited_at), agency=place.agency, email=place.person().email(place.host),
        role=Role.READ_ONLY, invited_by=users[0], created_at=invited_at, sent_at=invited_at,
        expires_at=invited_at + timedelta(days=7),
    )  # fmt: skip
    save([invitation])


def _add_sub_accounts(place: Place) -> None:
    for number in range(SUB_ACCOUNTS):
        at, who = place.begin + timedelta(hours=number), place.person()
        place.sub_accounts.append(
            SubAccount(
                id=place.rows.new_id("sub", at), agency=place.agency, created_at=at,
                location_id=f"loc{place.random.getrandbits(64):016x}", name=people.company(place.random),
                installed=True, installed_at=at, reported_at=at, installer_name=who.name,
                installer_email=who.email(place.host), ghl_user_id=f"usr{place.random.getrandbits(48):012x}",
            )
        )  # fmt: skip
    save(place.sub_accounts)


def _add_sources(place: Place) -> None:
    secrets = []
    for number, provider in enumerate(PROVIDERS):
        at = place.begin + timedelta(minutes=20 + number)
        source = Source(
            id=f"{place.rows.new_id('src', at)}{place.random.getrandbits(40):010x}"[:40],
            agency=place.agency, provider=provider, name="", created_at=at, updated_at=at,
        )  # fmt: skip
        source.token = new_token() if source.url_is_secret else source.id
        place.sources[provider] = source
        if provider != ProviderSlug.LINKEDCONNECTOR:
            place.secrets[provider] = new_secret()
            secrets.append(SourceSecret(source=source, secret=place.secrets[provider], created_at=at))
    save(list(place.sources.values()))
    save(secrets)


def _add_channels(place: Place) -> None:
    """A mailbox, a CRM, a Slack, a hook that fails, and an address that nobody confirmed."""
    host, url = place.host, f"https://hooks.{place.host}"
    for number, (kind, status, fields) in enumerate(
        (
            (ChannelKind.EMAIL, ChannelStatus.ENABLED, {"name": "Team mailbox", "email": f"team@{host}"}),
            (ChannelKind.WEBHOOK, ChannelStatus.ENABLED, {"name": "CRM", "url": f"{url}/crm"}),
            (ChannelKind.SLACK, ChannelStatus.ENABLED, {"name": "Replies in Slack", "url": f"{url}/services/T0/B0/x"}),
            (ChannelKind.WEBHOOK, ChannelStatus.ENABLED, {"name": "Old automation", "url": f"{url}/old"}),
            (ChannelKind.EMAIL, ChannelStatus.UNVERIFIED, {"name": "New colleague", "email": f"new@{host}"}),
        )
    ):
        at = place.begin + timedelta(hours=1, minutes=number)
        place.channels.append(
            Channel(
                id=place.rows.new_id("chn", at), agency=place.agency, kind=kind, status=status, created_at=at,
                updated_at=at, **fields,
            )
        )  # fmt: skip
    mailbox, crm, slack, old, _ = place.channels
    mailbox.event_types = list(TO_DO)
    slack.event_types = ["lead_replied", "lead_opportunity", "lead_lost"]
    old.event_types = [name for name in TO_DO if name.startswith("linkedin_")]
    save(place.channels)
    save([ChannelSecret(channel=channel, secret=new_signing_secret()) for channel in (crm, old)])


def _add_accounts(place: Place) -> None:
    """Accounts as they are before their first report, in the order in which they come."""
    providers = [provider for provider, count in ACCOUNTS.items() for _ in range(count)]
    place.random.shuffle(providers)
    for number, provider in enumerate(providers):
        who, at = place.person(), place.working_time(place.random.uniform(1, 14) if number else 1)
        account = Account(
            id=place.rows.new_id("acc", at), agency=place.agency, provider=provider, source=place.sources[provider],
            sub_account=place.random.choice(place.sub_accounts), name=who.name, email=who.email(place.host),
            first_name=who.first_name, last_name=who.last_name, created_at=at, updated_at=at, status_since=at,
        )  # fmt: skip
        if provider == ProviderSlug.LINKEDCONNECTOR:
            account.folded_name = account.name.casefold()
        else:
            account.external_id = str(7000 + number) if provider == ProviderSlug.SALESFLOW else who.slug
            account.public_identifier = who.slug
            account.occupation = place.random.choice(people.TITLES)
        if provider == ProviderSlug.WELINK:
            account.premium = place.random.random() < 0.6
        place.accounts.append(account)
        place.rows.add(account)


def _add_campaigns(place: Place) -> None:
    """SendPilot's campaigns; two of them are sent by nobody whom we know."""
    senders = sorted(place.random.sample(place.accounts, CAMPAIGNS), key=lambda account: account.created_at)
    goes_down = [account for account in place.accounts if account.provider == ProviderSlug.WELINK][1]
    if goes_down not in senders:
        senders[-1] = goes_down
    for number, (audience, account) in enumerate(zip(people.CAMPAIGN_AUDIENCES, senders, strict=True)):
        at = max(place.working_time(number * 2.5), account.created_at + timedelta(hours=1))
        is_known = number not in (4, 9)
        campaign = Campaign(
            id=place.rows.new_id("cmp", at), agency=place.agency, provider=ProviderSlug.SENDPILOT,
            external_id=f"camp_{place.random.getrandbits(40):010x}", name=f"{audience} Q{(at.month + 2) // 3}",
            account=account if is_known else None, source=place.sources[ProviderSlug.SENDPILOT],
            sender_id=f"sender_{place.random.getrandbits(32):08x}", created_at=at, updated_at=at,
        )  # fmt: skip
        place.campaigns.append(campaign)
        place.rows.add(campaign)
        place.rows.add(
            Sender(
                agency=place.agency, provider=campaign.provider, external_id=campaign.sender_id,
                account=campaign.account, created_at=at,
            )
        )  # fmt: skip
