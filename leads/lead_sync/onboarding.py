"""List what has to be done before LinkedIn's leads arrive, ticked where it can be checked."""

from dataclasses import dataclass

from django.conf import settings
from django.utils.translation import gettext

from accounts.models import Source
from leads.lead_sync.problems import problems_of
from leads.lead_sync.tokens import app_of
from leads.models import Lead, LeadSync


@dataclass(frozen=True, slots=True)
class SetUpStep:
    """One step of the list. `done` is None where only a person can tell."""

    title: str
    how: str
    done: bool | None


def set_up(source: Source, sync: LeadSync) -> list[SetUpStep]:
    codes = {problem.code for problem in problems_of(sync)}
    granted = set(sync.account.granted_scopes) if sync.account else set()
    checked = sync.checked_at is not None
    wanted = [row for row in sync.subscriptions.all() if row.wanted]
    return [
        SetUpStep(
            gettext("A developer app"),
            gettext(
                "Make one in LinkedIn's Developer Portal and enter its client id below; its client secret is this "
                "source's secret. Under Auth add the redirect address %(PUBLIC_URL)s/oauth/linkedin/callback."
            )
            % {"PUBLIC_URL": settings.PUBLIC_URL},
            app_of(source) is not None,
        ),
        SetUpStep(
            gettext("A verified page"),
            gettext(
                "A super admin of your company's LinkedIn page confirms the app: in the Developer Portal under "
                "Settings, "
                "Verify. Showcase pages do not count."
            ),
            None,
        ),
        SetUpStep(
            gettext("A business e-mail address"),
            gettext(
                "LinkedIn asks for one of your company's domain when you ask for access; free mail providers are "
                "refused."
            ),
            None,
        ),
        SetUpStep(
            gettext("Access to Lead Sync"),
            gettext(
                "Ask for the product Lead Sync API in the Developer Portal under Products. LinkedIn answers within "
                "days."
            ),
            "r_marketing_leadgen_automation" in granted,
        ),
        SetUpStep(
            gettext("All permissions"),
            gettext("Connect LinkedIn with the button above and agree to everything it lists."),
            bool(granted) and not any(code.startswith("scope_") for code in codes),
        ),
        SetUpStep(
            gettext("Roles on ad account and page"),
            gettext(
                "Whoever connects needs at least “Viewer” on the ad account (Campaign Manager, Manage access) and "
                "“Lead "
                "gen forms manager” on the page (Settings, Manage admins)."
            ),
            checked and not any(code.startswith("role_") for code in codes),
        ),
        SetUpStep(
            gettext("A public https address"),
            gettext(
                "LinkedIn calls this Leadline from outside: PUBLIC_URL must be an https address that the internet "
                "reaches."
            ),
            settings.PUBLIC_URL.startswith("https://"),
        ),
        SetUpStep(
            gettext("LinkedIn tells us of new leads"),
            gettext("Say below whose leads you want. LinkedIn then checks our address, and every two hours again."),
            bool(wanted) and all(row.external_id for row in wanted),
        ),
        SetUpStep(
            gettext("A test lead"),
            gettext(
                "Send one from the preview of a form in Campaign Manager. It comes to you alone, marked as a test."
            ),
            Lead.objects.filter(source=source, is_test=True).exists(),
        ),
    ]
