"""Show incidents: which accounts failed together, why, and what became of them."""

from typing import ClassVar

from django.contrib import admin
from django.contrib.admin import SimpleListFilter
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from accounts.core.enums import AccountStatus
from accounts.core.markup import NOTHING, ago, badge, duration, link, table
from accounts.labels import status_badge
from accounts.models import Account, Agency, Incident, IncidentStep, Outage
from accounts.web.backoffice.base import BackOfficeAdmin, HiddenFromIndex
from accounts.web.backoffice.filters import ByAccount, ByAgency, ByParent

MAX_ROWS = 200


def incident_badge(incident: Incident) -> SafeString:
    return badge("Closed", "good") if incident.closed_at else badge("Open", "bad")


class ByIncident(ByParent):
    title, parameter_name, model = "incident", "incident", Incident

    def label(self, key: str) -> str:
        return key


class ByOpen(SimpleListFilter):
    title, parameter_name = "state", "open"

    def lookups(self, request: HttpRequest, model_admin: object) -> list[tuple[str, str]]:
        return [("yes", "Open")]

    def queryset(self, request: HttpRequest, queryset: "QuerySet[Incident]") -> "QuerySet[Incident]":
        return queryset.filter(closed_at__isnull=True) if self.value() == "yes" else queryset


@admin.register(Incident)
class IncidentAdmin(BackOfficeAdmin):
    menu_position = 20
    list_display = ("where", "state", "cause", "provider", "opened", "lasted")
    list_filter = (ByOpen, ByAgency)
    list_select_related = ("agency", "part_of")
    fieldsets = (
        (None, {"fields": ("where", "state", "cause", "provider", "opened", "latest", "lasted", "alerted")}),
        ("Accounts", {"fields": ("account_table",)}),
        ("Related incidents", {"fields": ("part_of_link", "part_table")}),
        ("History", {"fields": ("history_table",)}),
    )
    search_help_text = "part of the agency's name, or an id."
    search_through: ClassVar[dict[str, type[Model]]] = {"agency": Agency}
    empty_list = "No incidents: accounts did not drop together."

    @admin.display(description="incident")
    def where(self, incident: Incident) -> str:
        return str(incident.agency) if incident.agency else f"{incident.provider}, several agencies"

    @admin.display(description="state")
    def state(self, incident: Incident) -> str:
        return incident_badge(incident)

    @admin.display(description="first drop")
    def opened(self, incident: Incident) -> str:
        return ago(incident.opened_at)

    @admin.display(description="latest drop")
    def latest(self, incident: Incident) -> str:
        return ago(incident.last_outage_at)

    @admin.display(description="lasted")
    def lasted(self, incident: Incident) -> str:
        return duration(incident.closed_at - incident.opened_at) if incident.closed_at else "still open"

    @admin.display(description="staff alerted")
    def alerted(self, incident: Incident) -> str:
        return ago(incident.alerted_at)

    @admin.display(description="accounts")
    def account_table(self, incident: Incident) -> str:
        outages = Outage.objects.filter(Q(incident=incident) | Q(incident__part_of=incident)).select_related("account")
        return table(
            ("Account", "Was", "Suspected cause", "Dropped", "Back", "Now"),
            (
                (
                    link(outage.account),
                    "had a problem" if outage.status == AccountStatus.ACTIVE else status_badge(outage.status),
                    outage.get_cause_display(),
                    ago(outage.at),
                    ago(outage.back_at) if outage.back_at else "not yet",
                    status_badge(outage.account.status),
                )
                for outage in outages.order_by("pk")[:MAX_ROWS]
            ),
            empty="None is left: accounts that were deleted, or disconnected on purpose, are in no incident.",
        )

    @admin.display(description="part of")
    def part_of_link(self, incident: Incident) -> str:
        return link(incident.part_of, f"Outage of {incident.part_of.provider}") if incident.part_of else NOTHING

    @admin.display(description="parts")
    def part_table(self, incident: Incident) -> str:
        parts = incident.parts.select_related("agency").order_by("pk")[:MAX_ROWS]
        return table(
            ("Agency", "State", "Since"),
            ((link(part, str(part.agency)), incident_badge(part), ago(part.opened_at)) for part in parts),
            empty="It has no parts at other agencies.",
        )

    @admin.display(description="what happened")
    def history_table(self, incident: Incident) -> str:
        steps = incident.steps.order_by("-pk")[:MAX_ROWS]
        return table(("When", "Event"), ((ago(step.at), step.text) for step in steps), empty="Nothing yet.")


@admin.register(Outage)
class OutageAdmin(HiddenFromIndex, BackOfficeAdmin):
    list_display = ("dropped", "account_link", "status", "cause", "expected", "back", "incident_link")
    list_filter = (ByAccount, ByIncident)
    list_select_related = ("account", "incident")
    fieldsets = (
        (None, {"fields": ("account", "incident", "status", "cause", "expected", "dropped", "back", "alerted")}),
    )
    search_help_text = "part of the account's name or e-mail address, or an id."
    search_through: ClassVar[dict[str, type[Model]]] = {"account": Account}

    @admin.display(description="dropped")
    def dropped(self, outage: Outage) -> str:
        return ago(outage.at)

    @admin.display(description="account")
    def account_link(self, outage: Outage) -> str:
        return link(outage.account)

    @admin.display(description="back")
    def back(self, outage: Outage) -> str:
        return ago(outage.back_at)

    @admin.display(description="staff alerted")
    def alerted(self, outage: Outage) -> str:
        return ago(outage.alerted_at)

    @admin.display(description="incident")
    def incident_link(self, outage: Outage) -> str:
        return link(outage.incident, outage.incident_id or "")


@admin.register(IncidentStep)
class IncidentStepAdmin(HiddenFromIndex, BackOfficeAdmin):
    list_display = ("when", "text")
    list_filter = (ByIncident,)
    fieldsets = ((None, {"fields": ("when", "incident", "text")}),)
    search_help_text = "an id."

    @admin.display(description="when")
    def when(self, step: IncidentStep) -> str:
        return ago(step.at)
