"""Connect a source to LinkedIn: link to LinkedIn's consent page, and take what comes back from there."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TypeVar

from django.conf import settings
from django.contrib.auth.models import User
from django.core import signing
from django.db import transaction
from django.utils import timezone

from accounts import services as accounts
from accounts.core.enums import AccountStatus, ProviderSlug
from accounts.core.errors import FieldError
from accounts.core.jobs import restart
from accounts.events.ordering import Origin
from accounts.linkedin.matching import AccountIdentity
from accounts.models import Account, Source
from accounts.providers import linkedin
from accounts.providers.linkedin import Api, App, ErrorKind, Grant, LinkedInError
from leads import wakeups
from leads.lead_sync.forms import ask_again
from leads.lead_sync.tokens import app_of, store_grant
from leads.models import LeadFetch, LeadSync, Pull

SCOPES = ("r_marketing_leadgen_automation", "r_ads", "r_organization_admin")
EVENT_SCOPE = "r_events"
LINK_LASTS = timedelta(hours=1)
SALT = "leads.lead_sync.connect"
#: Where LinkedIn says who the person is: the resource, its query, the field. Which of them answers depends on scopes.
IDENTITIES = (
    ("organizationAcls", "q=roleAssignee&state=APPROVED&count=1&start=0", "roleAssignee"),
    ("adAccountUsers", "q=authenticatedUser&count=1&start=0", "user"),
)
PROFILES = (("userinfo", "sub"), ("me", "id"))
PERSON = "urn:li:person:"
T = TypeVar("T")


class CannotConnect(Exception):
    """Signal that LinkedIn's redirect did not lead to a connection. The message is for the redirected person."""


@dataclass(frozen=True, slots=True)
class Link:
    url: str
    expires_at: datetime


def connect_link(source: Source, *, user: User | None = None) -> Link:
    """Return a link to LinkedIn's consent page. Raises FieldError where the source cannot be connected."""
    if source.provider != ProviderSlug.LINKEDIN:
        raise FieldError("provider", "Only a linkedin source is connected so.")
    app = app_of(source)
    if app is None:
        raise FieldError("credentials", "The developer app's client_id is missing: give it as one of the credentials.")
    now = timezone.now()
    meant = {"source": source.pk, "user": user.pk if user else None, "at": now.timestamp()}
    state = signing.dumps(meant, salt=SALT)
    url = linkedin.authorize_url(app, redirect_uri=callback_url(), state=state, scopes=scopes_for(source))
    return Link(url, now + LINK_LASTS)


def scopes_for(source: Source) -> tuple[str, ...]:
    """Return the permissions to ask for: those for events only where somebody wants their leads."""
    events = LeadSync.objects.filter(source=source, subscriptions__lead_type="EVENT", subscriptions__wanted=True)
    return (*SCOPES, EVENT_SCOPE) if events.exists() else SCOPES


def callback_url() -> str:
    return f"{settings.PUBLIC_URL}/oauth/linkedin/callback"


def complete_connection(query: Mapping[str, str]) -> LeadSync:
    """Make the connection that LinkedIn's redirect is about. Raises CannotConnect."""
    source, user, made_at = _meant(query.get("state", ""))
    if query.get("error"):
        raise CannotConnect("LinkedIn was not connected: the permission was not given. You can simply try again.")
    app = app_of(source)
    if app is None or not query.get("code"):
        raise CannotConnect("LinkedIn sent nothing to connect with. Start again from the source's page.")
    try:
        grant = linkedin.exchange_code(app, code=query["code"][:4000], redirect_uri=callback_url())
        person = _who(app, grant, source)
    except LinkedInError as error:
        if error.kind in {ErrorKind.SUNSET, ErrorKind.THROTTLED}:
            raise CannotConnect(str(error)) from None
        if error.kind.passes:
            raise CannotConnect(f"{error} Start again from the source's page in a few minutes.") from None
        raise CannotConnect("LinkedIn did not accept this link. Start again from the source's page.") from None
    return _connect(source, user, grant, person, made_at)


@transaction.atomic
def _connect(source: Source, user: User | None, grant: Grant, person: str, made_at: datetime) -> LeadSync:
    now = timezone.now()
    LeadSync.objects.get_or_create(source=source)
    sync = LeadSync.objects.select_for_update().get(source=source)
    if sync.connected_at is not None and made_at <= sync.connected_at:
        raise CannotConnect("This link was used already. Start again from the source's page.")
    account = _account(source, person, now)
    store_grant(account, grant)
    account.warned_days = None
    account.save(update_fields=["warned_days"])
    sync.account, sync.connected_by, sync.connected_at = account, user, now
    sync.save(update_fields=["account", "connected_by", "connected_at"])
    restart(LeadSync.objects.filter(source=source))
    restart(LeadFetch.objects.filter(source=source, next_attempt_at__isnull=False))
    restart(Pull.objects.filter(sync=sync, next_attempt_at__isnull=False))
    ask_again(sync)
    transaction.on_commit(wakeups.wake_up, robust=True)
    return sync


def _account(source: Source, person: str, now: datetime) -> Account:
    """Return the account of the person who signed in, active from now on."""
    assert source.agency is not None  # noqa: S101 (a linkedin source belongs to an agency)
    known = source.agency.accounts.filter(provider=ProviderSlug.LINKEDIN, external_id=person).exists()
    account = accounts.report_status(
        source.agency,
        provider=ProviderSlug.LINKEDIN,
        identity=AccountIdentity(external_id=person, name="" if known else source.name or "LinkedIn Lead Sync"),
        status=AccountStatus.ACTIVE,
        origin=Origin(by=ProviderSlug.LINKEDIN, at=now, source=source),
    )
    if account.source_id != source.pk:
        account.source = source
        account.save(update_fields=["source"])
    return account


def _who(app: App, grant: Grant, source: Source) -> str:
    """Return the URN of the person who signed in. Raises LinkedInError.

    Where none of LinkedIn's answers says it (each needs a scope or a role of its own), the source's URN stands for it.
    """
    api = Api(app, grant.access_token)
    for resource, query, field in IDENTITIES:
        page = _ask(partial(api.page, resource, query))
        for row in page.rows if page else []:
            if str(row.get(field, "")).startswith(PERSON):
                return str(row[field])[:200]
    for path, field in PROFILES:
        said = _ask(partial(api.profile, path))
        if isinstance(said, dict) and isinstance(found := said.get(field), str) and found:
            return PERSON + found.removeprefix(PERSON)[:100]
    return f"urn:li:source:{source.pk}"


def _ask(question: Callable[[], T]) -> T | None:
    """Return the answer, or None where the person may not ask that or nobody can read it."""
    try:
        return question()
    except LinkedInError as error:
        if error.kind in {ErrorKind.FORBIDDEN, ErrorKind.NOT_FOUND, ErrorKind.REFUSED, ErrorKind.UNREADABLE}:
            return None
        raise


def _meant(state: str) -> tuple[Source, User | None, datetime]:
    """Return the source and user that a state was made for, and when. Raises CannotConnect."""
    try:
        meant = signing.loads(state, salt=SALT, max_age=LINK_LASTS)
    except signing.SignatureExpired:
        raise CannotConnect("This link is older than an hour. Start again from the source's page.") from None
    except signing.BadSignature:
        raise CannotConnect("This link is not one of ours. Start again from the source's page.") from None
    made_at = datetime.fromtimestamp(meant["at"], tz=UTC)
    source = Source.objects.select_related("agency").filter(pk=meant.get("source"), removed_at=None).first()
    if source is None:
        raise CannotConnect("The source that this link was for is gone.")
    return source, User.objects.filter(pk=meant.get("user")).first(), made_at
