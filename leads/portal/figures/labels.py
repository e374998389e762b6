"""Name what reports group leads by, and their groups."""

from collections.abc import Callable, Mapping
from typing import Any

from django.utils.dates import WEEKDAYS
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.core.enums import provider_name
from leads.enums import LeadStatus
from leads.facts.titles import Seniority
from leads.labels import STATUSES

#: group_by --> what people call it.
DIMENSIONS: Mapping[str, Promise] = {
    "campaign": gettext_lazy("Campaign"),
    "member": gettext_lazy("Member"),
    "source": gettext_lazy("Source"),
    "provider": gettext_lazy("Provider"),
    "account": gettext_lazy("Account"),
    "location": gettext_lazy("Sub-account"),
    "lead_type": gettext_lazy("Lead type"),
    "form": gettext_lazy("Form"),
    "status": gettext_lazy("Status"),
    "title": gettext_lazy("Seniority"),
    "company_size": gettext_lazy("Company size"),
    "industry": gettext_lazy("Industry"),
    "state": gettext_lazy("State"),
    "hour": gettext_lazy("Hour received"),
    "weekday": gettext_lazy("Weekday received"),
    "response_bucket": gettext_lazy("Response time"),
}
BUCKETS: Mapping[str, Promise] = {
    "5m": gettext_lazy("Within 5 minutes"),
    "15m": gettext_lazy("Within 15 minutes"),
    "60m": gettext_lazy("Within 60 minutes"),
    "24h": gettext_lazy("Within 24 hours"),
    "later": gettext_lazy("Later than 24 hours"),
    "never": gettext_lazy("Not answered"),
    "": gettext_lazy("No answer needed"),
}
SENIORITIES: Mapping[str, Promise] = {
    Seniority.OWNER: gettext_lazy("Owner or founder"),
    Seniority.C_LEVEL: gettext_lazy("C-level"),
    Seniority.VP: gettext_lazy("Vice president"),
    Seniority.HEAD: gettext_lazy("Head of"),
    Seniority.DIRECTOR: gettext_lazy("Director"),
    Seniority.MANAGER: gettext_lazy("Manager"),
    Seniority.SENIOR: gettext_lazy("Senior"),
    Seniority.ENTRY: gettext_lazy("Entry level"),
}
#: What leads without such a value are called.
NONE: Mapping[str, Promise] = {
    "campaign": gettext_lazy("No campaign"),
    "member": gettext_lazy("Nobody"),
    "source": gettext_lazy("No source"),
    "account": gettext_lazy("No account"),
    "location": gettext_lazy("No sub-account"),
    "form": gettext_lazy("No form"),
}
#: Groups in an order of their own; others stand by their size.
ORDERED: Mapping[str, Callable[[Any], int]] = {
    "hour": int,
    "weekday": int,
    "response_bucket": list(BUCKETS).index,
}
_NAMES: Mapping[str, Callable[[Any], Any]] = {
    "hour": lambda key: f"{key:02}:00–{(key + 1) % 24:02}:00",
    "weekday": lambda key: WEEKDAYS.get(key, key),
    "response_bucket": lambda key: BUCKETS.get(key, key),
    "status": lambda key: STATUSES[LeadStatus(key)].text if key in STATUSES else key,
    "provider": provider_name,
    "title": lambda key: SENIORITIES.get(key, key),
}


def group_name(group_by: str, key: Any, name: str) -> str:
    """Return what people call a group that a report has under this key and name."""
    if key in (None, "") and group_by != "response_bucket":
        return str(NONE.get(group_by, _("Unknown")))
    naming = _NAMES.get(group_by)
    return str(naming(key)) if naming else name or str(key)
