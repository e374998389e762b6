"""Filter lists by index lookups, and never list choices without a bound."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, ClassVar

from django.contrib.admin import SimpleListFilter
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils import timezone

from accounts.core.enums import PROVIDERS
from accounts.core.labels import Label
from accounts.models import Account, Agency, Source

#: A list of choices longer than this is not offered; a link on the object's page sets the filter then.
MAX_LISTED = 200


class ByParent(SimpleListFilter):
    """A filter for what belongs to one object. It shows while it is set; a link on the object's page sets it."""

    model: type[Model]
    field = ""

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        chosen = self.value()
        return [(chosen, self.label(chosen))] if chosen else []

    def label(self, key: str) -> str:
        found = self.model._default_manager.filter(pk=key).only(*self.label_fields()).first()
        return str(found) if found else key

    def label_fields(self) -> tuple[str, ...]:
        """Return the columns that the label needs."""
        return ("pk",)

    def queryset(self, request: HttpRequest, queryset: "QuerySet[Any]") -> "QuerySet[Any]":
        chosen = self.value()
        return queryset.filter(**{self.field or str(self.parameter_name): chosen}) if chosen else queryset


class ByAgency(ByParent):
    """A filter for one agency. It lists all agencies while they are not too many."""

    title, parameter_name, model = "agency", "agency", Agency

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        some = list(Agency.objects.order_by("name", "pk").values_list("pk", "name")[: MAX_LISTED + 1])
        return some if len(some) <= MAX_LISTED else super().lookups(request, model_admin)

    def label_fields(self) -> tuple[str, ...]:
        return ("name",)


class BySource(ByParent):
    title, parameter_name, model = "source", "source", Source

    def label_fields(self) -> tuple[str, ...]:
        return ("name", "provider")


class ByAccount(ByParent):
    title, parameter_name, model = "account", "account", Account

    def label_fields(self) -> tuple[str, ...]:
        return ("name", "first_name", "last_name", "email", "external_id")


class BySubject(ByParent):
    """A filter for events about one account, lead, campaign or other subject."""

    title, parameter_name = "subject", "subject"

    def label(self, key: str) -> str:
        return key


class ByProvider(SimpleListFilter):
    title, parameter_name = "provider", "provider"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(slug.value, name) for slug, name in PROVIDERS.items()]

    def queryset(self, request: HttpRequest, queryset: "QuerySet[Any]") -> "QuerySet[Any]":
        return queryset.filter(provider=self.value()) if self.value() else queryset


class WithinAgency(SimpleListFilter):
    """A filter that is offered together with an agency only, because the index that serves it begins with one."""

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        agency = request.GET.get("agency", "")
        return self.agency_lookups(agency) if agency else []

    def agency_lookups(self, agency_id: str) -> list[tuple[str, str]]:
        """Return the options within an agency."""
        raise NotImplementedError


class ByAge(SimpleListFilter):
    """A filter by the time that a row has been in its status."""

    title, parameter_name = "time in status", "age"
    options = {  # parameter --> label, minimum and maximum time
        "hour": ("Less than an hour", None, timedelta(hours=1)),
        "day": ("An hour to a day", timedelta(hours=1), timedelta(days=1)),
        "week": ("A day to a week", timedelta(days=1), timedelta(days=7)),
        "longer": ("Longer than a week", timedelta(days=7), None),
    }

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(value, option[0]) for value, option in self.options.items()]

    def queryset(self, request: HttpRequest, queryset: "QuerySet[Any]") -> "QuerySet[Any]":
        if self.value() not in self.options:
            return queryset
        _, minimum, maximum = self.options[str(self.value())]
        now = timezone.now()
        if minimum:
            queryset = queryset.filter(status_since__lte=now - minimum)
        return queryset.filter(status_since__gt=now - maximum) if maximum else queryset


class ByStatus(SimpleListFilter):
    """A filter for one status. With `index_begins_with_agency` its condition names every agency where none is chosen,
    because the index needs one."""

    title, parameter_name = "status", "status"
    labels: ClassVar[Mapping[Any, Label]] = {}
    index_begins_with_agency = False

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(str(value), str(label.text)) for value, label in self.labels.items()]

    def queryset(self, request: HttpRequest, queryset: "QuerySet[Any]") -> "QuerySet[Any]":
        chosen = self.value()
        return self.served_by_index(request, queryset).filter(status=chosen) if chosen else queryset

    @classmethod
    def served_by_index(cls, request: HttpRequest, rows: "QuerySet[Any]") -> "QuerySet[Any]":
        """Return the same rows, with a condition that lets an index find those of one status."""
        if not cls.index_begins_with_agency or request.GET.get("agency"):
            return rows
        return rows.filter(agency__in=list(Agency.objects.values_list("pk", flat=True)))
