"""Get and renew HighLevel's and HubSpot's tokens.

HighLevel's refresh token is valid once: its caller locks the connection, and stores the new one before it uses it.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django.utils import timezone

from leads.crm import highlevel, hubspot
from leads.crm.client import post_form
from leads.crm.interface import CrmError, Failure

CHOOSE_LOCATION = "https://marketplace.gohighlevel.com/v2/oauth/chooselocation"
AUTHORIZE_HUBSPOT = "https://app.hubspot.com/oauth/authorize"
HIGHLEVEL_SCOPES = (
    *("contacts.readonly", "contacts.write", "opportunities.readonly", "opportunities.write"),
    *("users.readonly", "locations.readonly", "locations/customFields.readonly", "oauth.readonly", "oauth.write"),
)
HUBSPOT_SCOPES = (
    *("oauth", "crm.objects.contacts.read", "crm.objects.contacts.write", "crm.objects.deals.read"),
    *("crm.objects.deals.write", "crm.objects.owners.read"),
)


@dataclass(frozen=True, slots=True)
class OAuthApp:
    """The operator's app at a CRM."""

    client_id: str
    client_secret: str
    base: str


@dataclass(frozen=True, slots=True)
class Tokens:
    """What a CRM granted. `company_id` and `location_id` are HighLevel's, and empty where they do not apply."""

    access: str
    refresh: str
    expires_at: datetime
    company_id: str = ""
    location_id: str = ""


def highlevel_url(app: OAuthApp, redirect_uri: str, state: str) -> str:
    """Return the page where a person lets the app use a location."""
    return _page(CHOOSE_LOCATION, app, redirect_uri, state, HIGHLEVEL_SCOPES)


def hubspot_url(app: OAuthApp, redirect_uri: str, state: str) -> str:
    """Return the page where a person lets the app use a HubSpot account."""
    return _page(AUTHORIZE_HUBSPOT, app, redirect_uri, state, HUBSPOT_SCOPES)


def exchange_highlevel_code(app: OAuthApp, code: str, redirect_uri: str) -> Tokens:
    """Exchange the code that HighLevel's consent page returned for tokens. Raises CrmError."""
    return _highlevel_token(app, {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect_uri})


def refresh_highlevel(app: OAuthApp, refresh_token: str) -> Tokens:
    """Exchange a refresh token, which ends with that. Raises CrmError; HELD if it was used before."""
    return _highlevel_token(app, {"grant_type": "refresh_token", "refresh_token": refresh_token})


def location_token(app: OAuthApp, agency: Tokens, location_id: str) -> Tokens:
    """Return a location's token for that of an agency. Raises CrmError; HELD if the location is not active."""
    headers = {"Authorization": f"Bearer {agency.access}", "Version": highlevel.VERSION}
    form = {"companyId": agency.company_id, "locationId": location_id}
    answer = post_form(highlevel.NAME, app.base, "/oauth/locationToken", form, headers)
    return _tokens(answer, company_id=agency.company_id, location_id=location_id)


def exchange_hubspot_code(app: OAuthApp, code: str, redirect_uri: str) -> Tokens:
    """Exchange the code of HubSpot's page. Raises CrmError."""
    return _hubspot_token(app, {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect_uri})


def refresh_hubspot(app: OAuthApp, refresh_token: str) -> Tokens:
    """Get a new access token. Raises CrmError."""
    return _hubspot_token(app, {"grant_type": "refresh_token", "refresh_token": refresh_token})


def _page(url: str, app: OAuthApp, redirect_uri: str, state: str, scopes: tuple[str, ...]) -> str:
    query = {"response_type": "code", "client_id": app.client_id, "redirect_uri": redirect_uri}
    return f"{url}?{urlencode({**query, 'scope': ' '.join(scopes), 'state': state})}"


def _highlevel_token(app: OAuthApp, form: dict[str, str]) -> Tokens:
    return _token(highlevel.NAME, app, "/oauth/token", form)


def _hubspot_token(app: OAuthApp, form: dict[str, str]) -> Tokens:
    return _token(hubspot.NAME, app, "/oauth/v1/token", form)


def _token(name: str, app: OAuthApp, path: str, form: dict[str, str]) -> Tokens:
    ours = {"client_id": app.client_id, "client_secret": app.client_secret}
    try:
        return _tokens(post_form(name, app.base, path, {**ours, **form}, {}))
    except CrmError as error:
        if error.failure is Failure.REFUSED:  # OAuth answers 400 to a token that is not valid
            raise CrmError(Failure.HELD, status=error.status) from None
        raise


def _tokens(answer: Any, **ids: str) -> Tokens:
    """Read a grant. Raises CrmError if it has no access token."""
    found = answer if isinstance(answer, dict) else {}
    access, seconds = found.get("access_token"), found.get("expires_in")
    if not isinstance(access, str) or not access or not isinstance(seconds, int):
        raise CrmError(Failure.DOUBTFUL)
    own = {"company_id": str(found.get("companyId") or ""), "location_id": str(found.get("locationId") or "")}
    return Tokens(
        access, str(found.get("refresh_token") or ""), timezone.now() + timedelta(seconds=seconds), **{**own, **ids}
    )
