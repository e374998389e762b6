"""Define the form that says when a member takes new leads."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.models import Agency, Member
from accounts.tenancy.localtime import get_zone


class AvailabilityForm(forms.Form):
    paused_until = forms.DateField(
        required=False, label=_("Away until"), widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d")
    )
    calendar = forms.ChoiceField(required=False, label=_("Working hours"))

    def __init__(self, data: Any, *, agency: Agency, member: Member) -> None:
        self.agency, self.zone = agency, get_zone(agency.timezone)
        initial = {"paused_until": self._last_day(member.paused_until), "calendar": member.calendar_id}
        super().__init__(data, initial=initial, auto_id=f"{member.pk}_%s")
        field = self.fields["calendar"]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101 (declared above)
        field.choices = [("", _("Default")), *((one.pk, str(one)) for one in agency.calendars.order_by("name"))]

    def values(self) -> dict[str, Any]:
        """Return what the service takes. A pause ends with its last day, in the agency's time zone."""
        last: date | None = self.cleaned_data["paused_until"]
        end = datetime.combine(last + timedelta(days=1), time(), tzinfo=self.zone).astimezone(UTC) if last else None
        return {
            "paused_until": end,
            "calendar": self.agency.calendars.filter(pk=self.cleaned_data["calendar"]).first(),
        }

    def _last_day(self, until: datetime | None) -> date | None:
        return (until.astimezone(self.zone) - timedelta(microseconds=1)).date() if until else None
