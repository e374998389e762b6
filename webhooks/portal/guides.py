"""Say how each provider is connected: what to click there, and what to copy where, in the provider's own words."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

from accounts.core.enums import ProviderSlug

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

    Text = str | _StrPromise


class Shows(StrEnum):
    """What stands below a step's sentence."""

    NOTHING = "nothing"
    URL = "url"
    SECRET = "secret"  # noqa: S105 (a part of the page)
    CALLBACK = "callback"
    CONNECTION = "connection"


class Secret(StrEnum):
    """Where the secret of a provider's source comes from."""

    THEIRS = "theirs"  # the provider makes it once it has the URL
    APP = "app"  # it is there before the source: LinkedIn's client secret
    OPTIONAL = "optional"  # the URL is the secret, another one may be added
    PUBLISHED = "published"  # the provider signs with a key that everybody knows


@dataclass(frozen=True, slots=True)
class Step:
    text: "Text"
    shows: Shows = Shows.NOTHING


@dataclass(frozen=True, slots=True)
class Credential:
    """A key of the provider's API, and what it is for."""

    name: str
    label: "Text"


@dataclass(frozen=True, slots=True)
class Guide:
    """How a provider is connected. `secret_name` is what the provider calls its secret."""

    brings: "Text"
    steps: tuple[Step, ...]
    secret: Secret
    secret_name: "Text" = ""
    first_event: "Text" = ""
    credentials: tuple[Credential, ...] = ()
    credentials_for: "Text" = ""
    aside: "Text" = field(default="")


API_KEY, API_SECRET = Credential("api_key", _("API key")), Credential("api_secret", _("API secret"))

GUIDES: dict[ProviderSlug, Guide] = {
    ProviderSlug.SALESFLOW: Guide(
        brings=_("Status of LinkedIn accounts; leads that connected or replied."),
        secret=Secret.THEIRS,
        secret_name=_("Webhook secret"),
        steps=(
            Step(_("In Salesflow, create a webhook and choose the trigger “Account Status Changed”.")),
            Step(_("Paste this URL into it."), Shows.URL),
            Step(
                _(
                    "Salesflow makes the secret itself and shows it when the webhook is saved. Copy "
                    "it and paste it here."
                ),
                Shows.SECRET,
            ),
        ),
        first_event=_("Salesflow sends the next time that the status of an account changes."),
        credentials=(API_KEY, Credential("domain_host_name", _("Domain host name"))),
        credentials_for=_("With both, an account's owner reconnects it in Salesflow's own form, on a page of yours."),
        aside=_(
            "Campaign webhooks (legacy) are set in each campaign under Integrations, with the same URL and header."
        ),
    ),
    ProviderSlug.WELINK: Guide(
        brings=_("Results of sign-ins, invitations and messages; account restrictions."),
        secret=Secret.THEIRS,
        secret_name=_("Secret Code"),
        steps=(
            Step(_("In We-Link's dashboard, create a webhook.")),
            Step(_("Paste this URL into it."), Shows.URL),
            Step(_("Copy the webhook's Secret Code and paste it here."), Shows.SECRET),
            Step(
                _(
                    "We-Link's results name no account: tell Leadline what each request is for, with POST "
                    "/api/v1/sources/{id}/requests. Results that come before wait for that."
                )
            ),
        ),
        first_event=_("We-Link sends the result of the next request that you make to its API."),
        credentials=(API_KEY, API_SECRET),
        credentials_for=_("With both, an account's owner signs in again on a page of yours."),
    ),
    ProviderSlug.SENDPILOT: Guide(
        brings=_("Leads with their status, replies, campaigns and tags."),
        secret=Secret.THEIRS,
        secret_name=_("Webhook secret"),
        steps=(
            Step(_("In SendPilot, open Webhooks and add a webhook.")),
            Step(
                _("Paste this URL into it and choose all events about leads, connections, messages and campaigns."),
                Shows.URL,
            ),
            Step(_("Copy the webhook's secret, with whsec_ where it begins so, and paste it here."), Shows.SECRET),
        ),
        first_event=_("SendPilot sends with the next invitation, message, reply or status change."),
        credentials=(API_KEY,),
        credentials_for=_("With it, campaigns that Leadline pauses are paused at SendPilot too."),
    ),
    ProviderSlug.LINKEDIN: Guide(
        brings=_("Leads of LinkedIn lead forms, with their answers."),
        secret=Secret.APP,
        secret_name=_("Client secret of your LinkedIn app"),
        steps=(
            Step(
                _(
                    "In LinkedIn's Developer Portal, open your app and its tab Auth. Copy the client "
                    "secret and paste it here."
                ),
                Shows.SECRET,
            ),
            Step(_("Still under Auth, add this address to the authorized redirect URLs."), Shows.CALLBACK),
            Step(
                _(
                    "Connect LinkedIn, then add the ad accounts and pages whose leads you want. "
                    "Leadline registers the webhook itself: you paste no URL at LinkedIn."
                ),
                Shows.CONNECTION,
            ),
        ),
        first_event=_("LinkedIn checks the URL when you add an ad account or a page, and sends with the next lead."),
        credentials=(Credential("client_id", _("Client ID")),),
        credentials_for=_("With it, people connect their LinkedIn account by your own app."),
    ),
    ProviderSlug.LINKEDCONNECTOR: Guide(
        brings=_("Status of LinkedIn accounts, rate limits and installations by location."),
        secret=Secret.OPTIONAL,
        secret_name=_("Secret of the header x-webhook-secret"),
        steps=(
            Step(_("In LinkedConnector, open the Agency Management Dashboard and its tab Notifications.")),
            Step(
                _(
                    "Paste this URL. LinkedConnector signs nothing, so whoever knows the URL can send "
                    "events: keep it secret."
                ),
                Shows.URL,
            ),
        ),
        first_event=_("LinkedConnector sends when an account or an installation changes."),
        aside=_(
            "If something between LinkedConnector and Leadline can add a header, set a secret below: "
            "x-webhook-secret is then required."
        ),
    ),
    ProviderSlug.HIGHLEVEL: Guide(
        brings=_("Installations of your marketplace app, by company and location."),
        secret=Secret.PUBLISHED,
        secret_name=_("Public key (PEM)"),
        steps=(
            Step(_("In HighLevel's marketplace, open your app's settings and its webhooks.")),
            Step(_("Paste this URL as the webhook URL and choose the events AppInstall and AppUninstall."), Shows.URL),
            Step(_("There is nothing else to paste: HighLevel signs with its published key, which Leadline knows.")),
        ),
        first_event=_("HighLevel sends when the app is installed or uninstalled."),
    ),
}
