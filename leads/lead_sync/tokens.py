"""Find the developer app that a source uses, and hold a person's permission to read with it."""

import re
from datetime import datetime, timedelta
from typing import Any, cast

from cryptography.fernet import InvalidToken
from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_noop

from accounts import services as accounts
from accounts.core.enums import AccountStatus, ProviderSlug
from accounts.events.ordering import Origin
from accounts.linkedin.matching import AccountIdentity
from accounts.linkedin.readiness import Action, Held, held
from accounts.models import Account, AccountToken, Source
from accounts.providers import linkedin
from accounts.providers.linkedin import TOKEN_ERRORS, Api, App, ErrorKind, Grant, LinkedInError
from accounts.sources.service import valid_secrets
from leads.models import LeadSync

#: The credential that names whom a Leadline on loopback takes for LinkedIn (`make demo`).
STAND_IN = "stand_in"
_LOOPBACK = re.compile(r"http://(127\.0\.0\.1|localhost)(:[0-9]{1,5})?")
#: Renewed so long before its end; a new token may need seconds until LinkedIn knows it everywhere.
EXPIRY_WARNING = timedelta(days=7)
NEW_TOKEN_DELAY = timedelta(minutes=2)
WORDS = {
    ErrorKind.REVOKED: gettext_noop("revoked: the person who connected LinkedIn took the permission back (65601)"),
    ErrorKind.EXPIRED: gettext_noop("expired: nobody has signed in again in time (65602)"),
    ErrorKind.INVALID_TOKEN: gettext_noop("invalid: LinkedIn does not know the permission any more (65600)"),
}


class NotConnected(Exception):
    """Signal that a source has no token to read leads with, because nobody connected it."""


class OnHold(NotConnected):
    """Signal that the account must not be used now (`accounts.linkedin.readiness`). The work waits; it has not failed.

    `until` is None if the wait ends only when the account is active again.
    """

    def __init__(self, hold: Held) -> None:
        super().__init__(hold.message)
        self.until = hold.until


def app_of(source: Source) -> App | None:
    """Return the developer app of a source, or None without a client id and secret. The secret is the source's."""
    credentials = source.readable_credentials
    client_id = credentials.get("client_id") or settings.LINKEDIN_CLIENT_ID
    own = next(iter(valid_secrets(source)), "")
    secret = own if credentials.get("client_id") else settings.LINKEDIN_CLIENT_SECRET or own
    if not client_id or not secret:
        return None
    return _app_at(credentials, client_id, secret)


def api_of_removed(sync: LeadSync) -> Api | None:
    """Return the API for a removed source, with its last token, which cannot be renewed. None if there is no token."""
    token = tokens_of(sync.account).get("access") if sync.account else None
    return Api(_app_at(sync.source.readable_credentials, "", ""), token) if token else None


def api_for(sync: LeadSync) -> Api:
    """Return the API with the connected person's token, renewed if it expires soon.

    Raises NotConnected, OnHold while the account is not ready, or LinkedInError if the token cannot be renewed.
    """
    account, app = sync.account, app_of(sync.source)
    if account is None or app is None or not tokens_of(account):
        raise NotConnected
    hold = held(account, Action.SYNC)
    if hold is not None:
        raise OnHold(hold)
    ends = account.token_expires_at
    if ends is not None and ends - timezone.now() < EXPIRY_WARNING:
        try:
            renew(account, app)
        except LinkedInError as error:
            if not error.kind.passes or ends <= timezone.now():
                raise
    return Api(app, tokens_of(account)["access"])


def renew(account: Account, app: App) -> bool:
    """Get a new access token where a refresh token is left. Return whether one was got. Raises LinkedInError."""
    token = tokens_of(account).get("refresh", "")
    ends = account.refresh_expires_at
    # A refresh token that ends first gives no longer access than there is.
    if not token or (ends is not None and account.token_expires_at is not None and ends <= account.token_expires_at):
        return False
    try:
        grant = linkedin.refresh_grant(app, token)
    except LinkedInError as error:
        if error.kind in {ErrorKind.REFUSED, ErrorKind.INVALID_TOKEN}:
            raise LinkedInError(_cause(app, token, ErrorKind.EXPIRED), status=error.status, api=error.api) from None
        raise
    store_grant(account, grant)
    return True


@transaction.atomic
def store_grant(account: Account, grant: Grant) -> None:
    """Store a permission. A refresh leaves the refresh token's end where it was: LinkedIn does not prolong it."""
    now = timezone.now()
    refresh = grant.refresh_token or tokens_of(account).get("refresh", "")
    AccountToken.objects.update_or_create(
        account=account, defaults={"token": cast(Any, {"access": grant.access_token, "refresh": refresh})}
    )
    account.token_expires_at = grant.access_expires_at
    account.refresh_expires_at = grant.refresh_expires_at if grant.refresh_token else account.refresh_expires_at
    account.granted_scopes = list(grant.scopes) or account.granted_scopes
    account.last_heartbeat_at = now
    account.save(
        update_fields=[
            *("token_expires_at", "refresh_expires_at", "granted_scopes", "last_heartbeat_at", "updated_at"),
        ]
    )


def heartbeat(account: Account, app: App) -> None:
    """Ask LinkedIn whether the token is valid. Raises LinkedInError (REVOKED or EXPIRED where it is not)."""
    try:
        found = linkedin.introspect_token(app, tokens_of(account).get("access", ""))
    except LinkedInError as error:
        if error.kind is ErrorKind.REFUSED:
            raise LinkedInError(ErrorKind.INVALID_TOKEN, status=error.status, api=error.api) from None
        raise
    if found.status == "expired" and renew(account, app):
        return
    if found.status != "active":
        raise LinkedInError(
            ErrorKind.REVOKED if found.status == "revoked" else ErrorKind.EXPIRED, api="introspectToken"
        )
    account.last_heartbeat_at = timezone.now()
    account.granted_scopes = list(found.scopes) or account.granted_scopes
    if found.expires_at:
        account.token_expires_at = found.expires_at
    account.save(update_fields=["last_heartbeat_at", "granted_scopes", "token_expires_at", "updated_at"])


def report_error(sync: LeadSync, error: LinkedInError) -> datetime | None:
    """Show on the connection's account what went wrong. Return until when to wait, where that is known."""
    account, now = sync.account, timezone.now()
    if account is None:
        return None
    origin = Origin(by=ProviderSlug.LINKEDIN, at=now, source=sync.source)
    if error.kind is ErrorKind.THROTTLED:
        until = midnight(now)
        accounts.report_rate_limit(
            account.agency,
            provider=ProviderSlug.LINKEDIN,
            identity=AccountIdentity(),
            origin=origin,
            resets_at=until,
            limit_type="Daily",
            api_name=error.api,
            account=account,
        )
        return until
    if error.kind in TOKEN_ERRORS:
        kind = _judge(sync, error.kind)
        if kind is None:
            return now + NEW_TOKEN_DELAY
        accounts.report_status(
            account.agency,
            provider=ProviderSlug.LINKEDIN,
            identity=AccountIdentity(),
            status=AccountStatus.AUTH_ERROR,
            origin=origin,
            error_detail=WORDS[kind],
            account=account,
        )
    return None


def midnight(now: datetime) -> datetime:
    """Return when LinkedIn's daily counters start anew: 00:00 UTC."""
    return (now + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)


def tokens_of(account: Account) -> dict[str, str]:
    """Return the tokens, `access` and perhaps `refresh`. Empty: there are none, or no key opens them."""
    try:
        row = AccountToken.objects.filter(account=account).first()
    except InvalidToken:
        return {}
    return row.token if row and isinstance(row.token, dict) else {}


def _judge(sync: LeadSync, kind: ErrorKind) -> ErrorKind | None:
    """Return what LinkedIn itself says of a refused token. None: it is valid, or can be renewed; right after a refresh
    a token is refused for some seconds."""
    account, app = sync.account, app_of(sync.source)
    if account is None or app is None:
        return kind
    try:
        heartbeat(account, app)
    except LinkedInError as error:
        return error.kind if error.kind in TOKEN_ERRORS else None
    return None


def _cause(app: App, token: str, otherwise: ErrorKind) -> ErrorKind:
    """Return why a refresh token was refused."""
    try:
        status = linkedin.introspect_token(app, token).status
    except LinkedInError:
        return otherwise
    return {"revoked": ErrorKind.REVOKED, "expired": ErrorKind.EXPIRED}.get(status, otherwise)


def _app_at(credentials: dict[str, str], client_id: str, client_secret: str) -> App:
    stand_in = credentials.get(STAND_IN, "")
    base = stand_in if settings.LOOPBACK and _LOOPBACK.fullmatch(stand_in) else ""
    return App(
        client_id=client_id,
        client_secret=client_secret,
        api_base=(base or settings.LINKEDIN_API_BASE).rstrip("/"),
        oauth_base=f"{base}/oauth/v2" if base else settings.LINKEDIN_OAUTH_BASE.rstrip("/"),
    )
