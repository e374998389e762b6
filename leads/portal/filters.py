"""Filter and sort an agency's leads as an address says, for the list, its export, bulk changes and neighbours."""

from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any

from django import forms
from django.db.models import Q, QuerySet
from django.http import QueryDict
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import Account, Agency, Campaign, Member, Source
from accounts.web.portal.sorting import SORT, Sorting
from accounts.web.portal.widgets import LongSelect
from leads.analytics.counted import Counted, facts_counted, read_counted
from leads.assignments import possible_assignees
from leads.labels import STATUSES
from leads.models import LeadQuerySet
from leads.pipeline.search import leads_matching
from leads.pipeline.tags import has_tag
from leads.portal.figures.notice import counted_text
from leads.portal.received import DAYS, received_between

#: So many campaigns and accounts are offered, the newest. Others are filtered by from their own pages.
MAX_CHOICES = 25
ME, NOBODY = "me", "none"
ALL = _("All")
AGES = {"1": _("Last 24 hours"), "7": _("Last 7 days"), "30": _("Last 30 days"), "90": _("Last 90 days")}
WAITING = {"yes": _("Awaiting reply")}
CLOCKS = {
    "open": _("To be answered"),
    "urgent": _("Due soon or overdue"),
    "due_soon": _("Due soon"),
    "overdue": _("Overdue"),
}
DUE = "due"
SORTING = Sorting({"status_since": "status_since", "received": "received_at", DUE: "response_due_at"})
SORTS = {
    "-status_since": _("Latest status first"),
    "status_since": _("Oldest status first"),
    "-received": _("Latest received first"),
    "received": _("Oldest received first"),
    DUE: _("First due first"),
    f"-{DUE}": _("Last due first"),
}
#: Filters that a saved one has. A word that is searched for may be a person's name, so it is not kept.
SAVED = ("status", "campaign", "assigned_to", "waiting", "clock", "account", "source", "tag", "age", SORT)


class DateInput(forms.DateInput):
    input_type = "date"

    def __init__(self) -> None:
        super().__init__(format="%Y-%m-%d")


class LeadFilter(forms.Form):
    """The filters of the list of leads. A value that is none of the choices filters nothing.

    What there is to choose is looked up only where a value is checked or the form is shown.
    """

    q = forms.CharField(required=False, max_length=500, label=_("Name, e-mail, company, title, URL or ID"))
    status = forms.ChoiceField(required=False, label=_("Status"), widget=LongSelect)
    assigned_to = forms.ChoiceField(required=False, label=_("Assigned to"), widget=LongSelect)
    campaign = forms.ChoiceField(required=False, label=_("Campaign"), widget=LongSelect)
    waiting = forms.ChoiceField(required=False, label=_("Waiting"), widget=LongSelect)
    clock = forms.ChoiceField(required=False, label=_("Answer"), widget=LongSelect)
    account = forms.ChoiceField(required=False, label=_("Account"), widget=LongSelect)
    source = forms.ChoiceField(required=False, label=_("Source"), widget=LongSelect)
    tag = forms.CharField(required=False, max_length=100, label=_("Tag"))
    age = forms.ChoiceField(required=False, label=_("Received"), widget=LongSelect)
    received_after = forms.DateField(required=False, label=_("Received from"), widget=DateInput)
    received_before = forms.DateField(required=False, label=_("Received before"), widget=DateInput)
    sort = forms.ChoiceField(required=False, label=_("Sort"), widget=LongSelect)
    counted = forms.CharField(required=False, max_length=500, widget=forms.HiddenInput)

    def __init__(self, query: QueryDict, agency: Agency, member: Member) -> None:
        super().__init__(query)
        self.agency, self.member = agency, member
        self._offer("status", lambda: [(status.value, label.text) for status, label in STATUSES.items()])
        self._offer("assigned_to", self._people)
        self._offer("campaign", lambda: _newest(agency.campaigns.all(), query.get("campaign", "")))
        self._offer("waiting", WAITING.items)
        self._offer("clock", CLOCKS.items)
        self._offer("account", lambda: _newest(agency.accounts.all(), query.get("account", "")))
        self._offer("source", lambda: _newest(agency.sources.filter(removed_at=None), query.get("source", "")))
        self._offer("age", AGES.items)
        self._offer("sort", SORTS.items, empty=_("Newest first"))
        self.is_valid()

    @property
    def more(self) -> list[forms.BoundField]:
        """Return the filters that are folded away."""
        return [self[name] for name in ("waiting", "clock", "account", "source", "tag", "age", *DAYS, SORT)]

    @property
    def has_more(self) -> bool:
        """Return whether a filter that is folded away is set by itself; those of a tab are said by the tab."""
        return any(self.chosen(field.name) for field in self.more if field.name not in ("waiting", "clock", SORT))

    @property
    def is_set(self) -> bool:
        return any(self.chosen(name) for name in self.fields if name != SORT)

    @property
    def is_waiting(self) -> bool:
        return bool(self.chosen("waiting"))

    @property
    def is_due(self) -> bool:
        return bool(self.chosen("clock"))

    @property
    def counted_by_report(self) -> Counted | None:
        """Return the number of a report whose leads are listed."""
        return read_counted(self.chosen("counted"))

    @property
    def counted_text(self) -> str:
        """Return which number of a report the listed leads are of, "" if of none."""
        counted = self.counted_by_report
        return counted_text(self.agency, counted) if counted else ""

    @property
    def asks_again(self) -> str:
        """Return after what time a page asks whether something changed: soon where a member sees their own leads."""
        return "1s" if self.chosen("assigned_to") == ME else "4s"

    @property
    def query(self) -> str:
        """Return the filters as an address says them, without the page."""
        return _encode({name: self.chosen(name) for name in self.fields})

    @property
    def saved_query(self) -> str:
        """Return the filters that a saved filter has."""
        return _encode({name: self.chosen(name) for name in SAVED})

    def chosen(self, name: str) -> str:
        return str(self.cleaned_data.get(name) or "").strip()

    def apply(self, leads: LeadQuerySet) -> LeadQuerySet:
        """Return those of the agency's leads that match."""
        if self.is_waiting:
            leads = leads.awaiting_reply()
        if state := self.chosen("clock") or ("open" if self.chosen(SORT).removeprefix("-") == DUE else ""):
            leads = leads.with_clock(state)
        for name, column in (
            ("status", "status"),
            ("campaign", "campaign"),
            ("account", "account"),
            ("source", "source"),
        ):
            if value := self.chosen(name):
                leads = leads.filter(**{column: value})
        if assignee := self.chosen("assigned_to"):
            leads = leads.filter(self._assigned(assignee))
        if tag := self.chosen("tag"):
            leads = leads.filter(has_tag(tag))
        if days := self.chosen("age"):
            leads = leads.filter(received_at__gte=timezone.now() - timedelta(days=int(days)))
        if counted := self.counted_by_report:
            leads = leads.filter(pk__in=facts_counted(self.agency, counted).values("lead"))
        leads = received_between({name: self.chosen(name) for name in DAYS}, self.agency, leads)
        word = self.chosen("q")
        return leads.filter(leads_matching(self.agency.pk, word)) if word else leads

    def _assigned(self, assignee: str) -> Q:
        if assignee == NOBODY:
            return Q(assigned_to__isnull=True)
        if assignee == ME:
            return Q(assigned_to=self.member.user_id)
        users = self.agency.members.filter(pk=assignee).values_list("user", flat=True)
        return Q(assigned_to__in=list(users))

    def _people(self) -> list[tuple[Any, Any]]:
        others = (one for one in possible_assignees(self.agency) if one.pk != self.member.pk)
        return [(ME, _("Me")), (NOBODY, _("Nobody")), *((one.pk, _name(one)) for one in others)]

    def _offer(self, name: str, choices: Callable[[], Iterable[tuple[Any, Any]]], *, empty: Any = ALL) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101 (declared above)
        field.choices = lambda: [("", empty), *choices()]


def _newest(rows: "QuerySet[Campaign] | QuerySet[Account] | QuerySet[Source]", chosen: str) -> list[tuple[str, str]]:
    """Return the newest rows as choices, and the chosen one wherever it stands."""
    choices = {row.pk: str(row) for row in rows.order_by("-pk")[:MAX_CHOICES]}
    if chosen and chosen not in choices and "\x00" not in chosen:
        choices |= {row.pk: str(row) for row in rows.filter(pk=chosen)}
    return sorted(choices.items(), key=lambda choice: choice[1].casefold())


def _name(member: Member) -> str:
    return member.user.get_full_name() or member.user.get_username()


def _encode(values: dict[str, str]) -> str:
    query = QueryDict(mutable=True)
    for name, value in values.items():
        if value:
            query[name] = value
    return query.urlencode()
