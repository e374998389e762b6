"""Define the sentences about a connection with LinkedIn: what is wrong, who mends it, where."""

from datetime import datetime

from django.utils.formats import date_format
from django.utils.translation import gettext_lazy, gettext_noop

from accounts.core.sentences import define
from accounts.core.wording import Wording
from accounts.providers.linkedin import ErrorKind

SCOPE_MISSING = Wording(
    "linkedin_scope_missing", gettext_noop("A permission is missing: %(scope)s; then connect LinkedIn again here.")
)
SCOPES = {
    "r_marketing_leadgen_automation": gettext_noop(
        "reading the leads of your forms (r_marketing_leadgen_automation). LinkedIn grants it to the developer app: "
        "its owner asks for the product Lead Sync API in the Developer Portal, under Products"
    ),
    "r_ads": gettext_noop(
        "seeing your ad accounts (r_ads). LinkedIn grants it to the developer app: its owner asks for the product "
        "Advertising API in the Developer Portal, under Products"
    ),
    "r_organization_admin": gettext_noop(
        "seeing your pages (r_organization_admin). LinkedIn grants it to the developer app together with the product "
        "Lead Sync API in the Developer Portal, under Products"
    ),
    "r_events": gettext_noop(
        "reading the leads of your events (r_events). LinkedIn grants it to the developer app: its owner asks for the "
        "product Events Management API in the Developer Portal, under Products"
    ),
}
NO_ROLE_ON_ANY_PAGE = gettext_noop(
    "The person who connected LinkedIn has no role on the LinkedIn page behind the ads. A super admin of the page "
    "gives it: on the page under Settings, Manage admins, the role “Lead gen forms manager” for this person."
)
NO_ROLE_ON_ACCOUNT = Wording(
    "linkedin_no_role_on_account",
    gettext_noop(
        "The person who connected LinkedIn has no role on the ad account %(account)s. An account manager of it gives "
        "one: in Campaign Manager under Account settings, Manage access, at least “Viewer”."
    ),
)
NO_ROLE_ON_PAGE = Wording(
    "linkedin_no_role_on_page",
    gettext_noop(
        "The person who connected LinkedIn lacks a role on the page %(page)s. A super admin of the page gives it: on "
        "the page under Settings, Manage admins, the role “Lead gen forms manager”."
    ),
)
NO_ROLE_FOR_EVENTS = Wording(
    "linkedin_no_role_for_events",
    gettext_noop(
        "The person who connected LinkedIn lacks a role on the page %(page)s. A super admin of the page gives it: on "
        "the page under Settings, Manage admins, the role “Super admin” or “Content admin”."
    ),
)
NOT_SUBSCRIBED = Wording(
    "linkedin_not_subscribed",
    gettext_noop("LinkedIn does not tell us about the %(lead_type)s leads of %(owner)s: %(why)s"),
)
FOREIGN_SUBSCRIPTION = Wording(
    "linkedin_foreign_subscription",
    gettext_noop(
        "Another address gets the same leads: %(url)s. If it is not a tool of yours, take it away in the tool that set "
        "it up."
    ),
)
NO_SUBSCRIPTION = gettext_noop("It is not said yet whose leads are wanted: add an ad account or a page below.")
NOT_CONNECTED = gettext_noop("Nobody has connected LinkedIn yet. Press “Connect LinkedIn”.")
TOKEN_REVOKED = gettext_noop("The permission to read from LinkedIn was taken back. Press “Connect LinkedIn” again.")
TOKEN_EXPIRED = gettext_noop("The permission to read from LinkedIn has run out. Press “Connect LinkedIn” again.")
NO_HEARTBEAT = gettext_noop(
    "LinkedIn has not confirmed the connection for more than 26 hours. If this does not go away within an hour, press "
    "“Connect LinkedIn” and sign in again."
)
LIMIT_USED_UP = define(
    "linkedin_limit_used_up",
    gettext_lazy("LinkedIn's limit is used up: everything waits until %(until)s UTC, and goes on by itself."),
    until=lambda until: date_format(datetime.fromisoformat(until), "j M Y, H:i"),
)
FORM_REFUSED = Wording(
    "linkedin_form_refused",
    gettext_noop(
        "The form %(form)s is not shown: %(why)s. Its leads come, but without their questions’ texts, and without name "
        "and e-mail address where only the form says which answer that is. Everything is filled in by itself when the "
        "form can be read."
    ),
)
WHY_NO_FORM = {
    ErrorKind.FORBIDDEN: gettext_noop(
        "the person who connected LinkedIn may not see it. A super admin of the page behind the form gives this person "
        "the role “Lead gen forms manager” (on the page: Settings, Manage admins)"
    ),
    ErrorKind.NOT_FOUND: gettext_noop(
        "LinkedIn has no such form, or does not show it to the person who connected. Look in Campaign Manager under "
        "Lead gen forms: if it is there, this person needs the role “Lead gen forms manager” on its page; if it was "
        "deleted, nothing can be done"
    ),
    ErrorKind.REFUSED: gettext_noop(
        "LinkedIn refuses it. Look in Campaign Manager under Lead gen forms whether it still is there and published"
    ),
    ErrorKind.UNREADABLE: gettext_noop(
        "LinkedIn's answer cannot be read. If this lasts for days, send this sentence to whoever runs this Leadline"
    ),
}
WHY_NO_FORM_NOW = gettext_noop("LinkedIn answers with an error. If this lasts for days, ask LinkedIn's support")
MORE_FORMS_REFUSED = Wording("linkedin_more_forms_refused", gettext_noop("%(count)s more forms are not shown."))
NOT_ALL_FETCHED = Wording(
    "linkedin_not_all_fetched",
    gettext_noop("Not all of the %(lead_type)s leads of %(owner)s could be fetched: %(why)s"),
)
PULL_TO_DO = {
    ErrorKind.FORBIDDEN: gettext_noop(
        "Whoever connected LinkedIn needs a role there, or somebody who has one connects LinkedIn."
    ),
    ErrorKind.SUNSET: "",
}
TRIED_AGAIN = gettext_noop("It is tried again by itself.")
LEADS_SKIPPED = Wording(
    "linkedin_leads_skipped",
    gettext_noop(
        "%(count)s of the %(lead_type)s leads of %(owner)s could not be read, the others are here. They are asked for "
        "again once a day. If this lasts, ask LinkedIn's support, or whoever runs this Leadline."
    ),
)
LEAD_WAITS = Wording(
    "linkedin_lead_waits", gettext_noop("1 lead waits for answers: %(why)s They are asked for again by themselves.")
)
LEADS_WAIT = Wording(
    "linkedin_leads_wait",
    gettext_noop("%(count)s leads wait for answers: %(why)s They are asked for again by themselves."),
)
LEFT_AT_LINKEDIN = gettext_noop("LinkedIn still has subscriptions for a source that is gone.")
