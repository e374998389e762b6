"""Show the audit log of the agency: who changed what, and when."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django import forms
from django.http import HttpResponse
from django.utils.translation import gettext, gettext_noop
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from accounts.models import AuditEntry
from accounts.models.audit import ActorKind
from accounts.web.portal.access import MemberRequest, writers
from accounts.web.portal.audited import audited_models, title_of, url_of
from accounts.web.portal.pagination import paginate
from accounts.web.portal.views import render_page

#: What entries say that was done, for translation. A text that is not here is shown as it is.
ACTIONS = (
    gettext_noop("Added"),
    gettext_noop("Campaigns paused"),
    gettext_noop("Campaigns resumed"),
    gettext_noop("Changed"),
    gettext_noop("Brand changed"),
    gettext_noop("Created"),
    gettext_noop("Credit given"),
    gettext_noop("Deleted"),
    gettext_noop("Disabled"),
    gettext_noop("Downloaded leads (CSV)"),
    gettext_noop("Duplicate dismissed"),
    gettext_noop("Enabled"),
    gettext_noop("Import deleted"),
    gettext_noop("Import undone"),
    gettext_noop("Invited"),
    gettext_noop("Invited again"),
    gettext_noop("Lead answered elsewhere"),
    gettext_noop("Leads imported"),
    gettext_noop("Leads merged"),
    gettext_noop("Mapping removed"),
    gettext_noop("Merge undone"),
    gettext_noop("Owner asked to reconnect"),
    gettext_noop("Reconnect link made"),
    gettext_noop("Removed"),
    gettext_noop("Renamed"),
    gettext_noop("Revoked"),
    gettext_noop("Role changed"),
    gettext_noop("Routing changed"),
    gettext_noop("Rule created"),
    gettext_noop("Rule changed"),
    gettext_noop("Rule deleted"),
    gettext_noop("Rules rolled back"),
    gettext_noop("Scoring changed"),
    gettext_noop("Secret rotated"),
    gettext_noop("E-mail sender changed"),
    gettext_noop("Enrolments moved to the latest version"),
    gettext_noop("Sequence changed"),
    gettext_noop("Sequence created"),
    gettext_noop("Sequence deleted"),
    gettext_noop("Target list changed"),
    gettext_noop("Target list created"),
    gettext_noop("Target list deleted"),
    gettext_noop("Template changed"),
    gettext_noop("Template created"),
    gettext_noop("Template deleted"),
    gettext_noop("Test sent"),
    gettext_noop("Tried now"),
    gettext_noop("Two-factor authentication reset"),
    gettext_noop("Sample sent"),
    gettext_noop("Word mapped"),
)
ACTORS = {
    ActorKind.MEMBER: _("Members of the team"),
    ActorKind.KEY: _("API keys"),
    ActorKind.STAFF: _("Leadline support"),
}


class AuditFilter(forms.Form):
    who = forms.ChoiceField(required=False, label=_("Who"))
    what = forms.ChoiceField(required=False, label=_("What"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        everything = ("", gettext("All"))
        for name, choices in (("who", ACTORS.items()), ("what", audited_models())):
            field = self.fields[name]
            assert isinstance(field, forms.ChoiceField)  # noqa: S101 (declared above)
            field.choices = [everything, *choices]


@dataclass(frozen=True, slots=True)
class Line:
    """An entry as people read it."""

    entry: AuditEntry
    who: str
    action: str
    kind: str
    name: str
    url: str


@require_safe
@writers
def audit_page(request: MemberRequest) -> HttpResponse:
    filters = AuditFilter(request.GET)
    filters.is_valid()
    entries = request.agency.audit_entries.select_related("user", "api_key")
    for name, column in (("who", "actor_kind"), ("what", "object_type")):
        if value := filters.cleaned_data.get(name):
            entries = entries.filter(**{column: value})
    page = paginate(request, entries)
    return render_page(
        request,
        "portal/audit.html",
        "audit",
        page=page,
        lines=_lines(request, page.rows),
        filters=filters,
        filtered=any(request.GET.get(name) for name in filters.fields),
    )


def _lines(request: MemberRequest, entries: Iterable[AuditEntry]) -> list[Line]:
    """Return entries with today's names of the LinkedIn accounts among their objects, which the log does not keep."""
    ids = [entry.object_id for entry in entries if entry.object_type == "account"]
    names = {account.pk: str(account) for account in request.agency.accounts.filter(pk__in=ids)} if ids else {}
    return [
        Line(
            entry,
            who=_who(entry),
            action=gettext(entry.action),
            kind=title_of(entry.object_type) if entry.object_type else "",
            name=entry.object_label or names.get(entry.object_id, entry.object_id),
            url=url_of(entry.object_type, entry.object_id) if entry.object_type else "",
        )
        for entry in entries
    ]


def _who(entry: AuditEntry) -> str:
    if entry.actor_kind == ActorKind.STAFF:
        return gettext("Leadline support")
    if entry.actor_kind == ActorKind.KEY:
        return str(entry.api_key) if entry.api_key else gettext("An API key")
    return (entry.user.get_full_name() or entry.user.get_username()) if entry.user else gettext("A former member")
