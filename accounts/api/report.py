"""Define what reports share: the window, its periods, the parameters, JSON or a file."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.db.models import QuerySet
from django.http import HttpResponse
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, inline_serializer
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.core import csv_export, xlsx_export
from accounts.core.enums import AccountStatus, ProviderSlug
from accounts.events.outbox import iso_timestamp
from accounts.models import Account, Agency
from accounts.web.rest.views import AgencyViewSet

DEFAULT_DAYS = 30  # of a window without a chosen beginning
MAX_DAYS = 400
PERIODS = ("day", "week", "month")
FORMATS = ("json", "csv", "xlsx")


@dataclass(frozen=True, slots=True)
class Window:
    """The time from `begin` to before `end`, cut into periods that begin at midnight in `zone`."""

    begin: datetime
    end: datetime
    zone: ZoneInfo
    period: str

    def periods(self) -> list[tuple[datetime, datetime]]:
        found = []
        begin = self.begin
        while begin < self.end:
            end = min(self._next(begin), self.end)
            found.append((begin, end))
            begin = end
        return found

    def _next(self, begin: datetime) -> datetime:
        day = begin.astimezone(self.zone).date()
        match self.period:
            case "month":
                day = (day.replace(day=1) + timedelta(days=32)).replace(day=1)
            case "week":
                day += timedelta(days=7 - day.weekday())
            case _:
                day += timedelta(days=1)
        return midnight(day, self.zone)


@dataclass(frozen=True, slots=True)
class Question:
    """The parameters of a report."""

    window: Window
    group_by: str
    provider: str
    location_id: str
    include_inactive: bool
    include_test: bool
    campaign: str = ""
    member: str = ""
    form: str = "json"
    delimiter: str = ","
    earlier: Window | None = None

    @property
    def before(self) -> "Question":
        """Return the same question about the preceding period: `earlier`, or one of equal length."""
        window = self.window
        begin = window.begin - (window.end - window.begin)
        return replace(self, window=self.earlier or Window(begin, window.begin, window.zone, window.period))


def midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), zone)


PARAMETERS = ("from", "to", "timezone", "provider", "location_id", "group_by", "include_inactive", "include_test")
ALL_PARAMETERS = (*PARAMETERS, "campaign", "member", "format", "delimiter")


def describe_parameters(groups: Sequence[str], *, of: str = "leads") -> list[OpenApiParameter]:
    """Describe the parameters of a report on leads or accounts to OpenAPI."""
    theirs = {"leads": "the leads that they have", "accounts": "the accounts of leads that they have"}
    return [
        OpenApiParameter("from", str, description=f"A date or time. Default: {DEFAULT_DAYS} days before `to`."),
        OpenApiParameter("to", str, description="A date (which is included) or time. Default: now."),
        OpenApiParameter("timezone", str, description="In which days begin, such as `Europe/Berlin`. Default: yours."),
        OpenApiParameter("provider", str, enum=[slug.value for slug in ProviderSlug]),
        OpenApiParameter("location_id", str),
        OpenApiParameter("group_by", str, enum=[*PERIODS, *groups], description="Default: `day`."),
        OpenApiParameter("include_inactive", bool, description="Also accounts that are not active now, and theirs."),
        OpenApiParameter("include_test", bool, description="Also leads that are tests."),
        OpenApiParameter("format", str, enum=FORMATS, description="Default: `json`."),
        OpenApiParameter(
            "delimiter", str, enum=list(csv_export.NAMED_DELIMITERS), description="Of CSV. Default: `comma`."
        ),
        OpenApiParameter("campaign", str, description=f"The id of a campaign: only its {of}."),
        OpenApiParameter("member", str, description=f"The id of a member: only {theirs[of]}."),
    ]


HEAD: dict[str, Any] = {
    "from": serializers.CharField(),
    "to": serializers.CharField(),
    "timezone": serializers.CharField(),
    "group_by": serializers.CharField(),
    "figures": serializers.DictField(),
    "series": serializers.ListField(child=serializers.DictField()),
    "groups": serializers.ListField(child=serializers.DictField()),
    "before": serializers.DictField(help_text="The figures of the period before, which is as long."),
}


def describe_responses(name: str, **more: serializers.Field[Any, Any, Any, Any]) -> dict[tuple[int, str], Any]:
    """Describe the responses to OpenAPI: a report as JSON, and its series or groups as a file."""
    return {
        (200, "application/json"): inline_serializer(name, {**HEAD, **more}),
        (200, "text/csv"): OpenApiTypes.STR,
        (200, xlsx_export.CONTENT_TYPE): OpenApiTypes.BINARY,
    }


class ReportViewSet(AgencyViewSet):
    """A report. Subclasses define `groups` and `report`."""

    parameters: Sequence[str] = ALL_PARAMETERS
    groups: Sequence[str] = ()

    def question(self, request: Request) -> Question:
        """Return the report's parameters. Raises ValidationError, which names the wrong ones."""
        asked = _Parameters(request.query_params)
        zone = asked.zone(self.agency.timezone)
        group_by = asked.word("group_by", (*PERIODS, *self.groups), "day")
        return Question(
            window=asked.window(zone, group_by if group_by in PERIODS else "day"),
            group_by=group_by,
            provider=asked.word("provider", list(ProviderSlug), ""),
            location_id=asked.text("location_id"),
            include_inactive=asked.flag("include_inactive"),
            include_test=asked.flag("include_test"),
            campaign=asked.text("campaign"),
            member=asked.text("member"),
            form=asked.word("format", FORMATS, "json"),
            delimiter=csv_export.NAMED_DELIMITERS[asked.word("delimiter", tuple(csv_export.NAMED_DELIMITERS), "comma")],
        )

    def answer(self, question: Question, found: Mapping[str, Any], name: str) -> Response | HttpResponse:
        """Answer with `found`, which has `figures`, `series`, `groups` and, in `before`, earlier figures.

        A file has the series, or the groups if grouped.
        """
        if question.form != "json":
            rows = found["series" if question.group_by in PERIODS else "groups"]
            return file_response(rows, name, question.form, question.delimiter)
        window = question.window
        head = {"from": iso_timestamp(window.begin), "to": iso_timestamp(window.end), "timezone": str(window.zone)}
        before = question.before.window
        found = {
            **found,
            "before": {
                "from": iso_timestamp(before.begin),
                "to": iso_timestamp(before.end),
                "figures": found["before"],
            },
        }
        return Response({**head, "group_by": question.group_by, **found})


def select_accounts(agency: Agency, question: Question) -> "QuerySet[Account]":
    """Return the accounts to count: active ones, or all with `include_inactive`, but never deleted ones."""
    accounts = agency.accounts.exclude(status=AccountStatus.DELETED)
    if not question.include_inactive:
        accounts = accounts.filter(status=AccountStatus.ACTIVE)
    if question.provider:
        accounts = accounts.filter(provider=question.provider)
    if question.location_id:
        accounts = accounts.filter(sub_account__location_id=question.location_id)
    return accounts.select_related("sub_account").order_by("id")


def file_response(rows: Iterable[Mapping[str, Any]], name: str, form: str, delimiter: str = ",") -> HttpResponse:
    """Return the rows as a file for spreadsheets, `csv` or `xlsx`."""
    flat = [_flatten(row) for row in rows]
    columns = list(dict.fromkeys(name for row in flat for name in row))
    cells: list[list[Any]] = [[row.get(column) for column in columns] for row in flat]
    if form == "xlsx":
        answer = HttpResponse(xlsx_export.workbook(columns, cells, name), content_type=xlsx_export.CONTENT_TYPE)
    else:
        lines = csv_export.csv_lines([columns, *cells], delimiter)
        answer = HttpResponse("".join(lines), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{name}.{form}"'
    return answer


def _flatten(row: Mapping[str, Any]) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in row.items():
        if isinstance(value, Mapping):
            flat |= {f"{name}.{inner}": inner_value for inner, inner_value in value.items()}
        else:
            flat[name] = value
    return flat


class _Parameters:
    """Query parameters, each given at most once."""

    def __init__(self, parameters: Any) -> None:
        self._parameters = parameters

    def text(self, name: str) -> str:
        found: str = self._parameters.get(name, "")
        if len(found) > 200 or "\x00" in found:
            raise ValidationError({name: "This is too long."})
        return found

    def word(self, name: str, words: Iterable[str], default: str) -> str:
        found = self.text(name)
        if name in self._parameters and found not in list(words):
            raise ValidationError({name: f"Choose one of {', '.join(words)}."})
        return found or default

    def flag(self, name: str) -> bool:
        return self.word(name, ("true", "false"), "false") == "true"

    def zone(self, default: str) -> ZoneInfo:
        given = self.text("timezone")
        try:
            return ZoneInfo(given or default)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            if given:
                raise ValidationError({"timezone": "Name a time zone, such as Europe/Berlin."}) from None
            return ZoneInfo("UTC")

    def window(self, zone: ZoneInfo, period: str) -> Window:
        now = timezone.now()
        end = self.read_time("to", zone, end_of_day=True) or now
        first_day = (min(end, now).astimezone(zone) - timedelta(days=DEFAULT_DAYS - 1)).date()
        begin = self.read_time("from", zone) or midnight(first_day, zone)
        if begin >= end:
            raise ValidationError({"from": "It must be before `to`."})
        if end - begin > timedelta(days=MAX_DAYS):
            raise ValidationError({"from": f"A report covers at most {MAX_DAYS} days."})
        return Window(begin, min(end, max(now, begin + timedelta(seconds=1))), zone, period)

    def read_time(self, name: str, zone: ZoneInfo, *, end_of_day: bool = False) -> datetime | None:
        text = self.text(name)
        if name not in self._parameters:
            return None
        try:
            day = parse_date(text)
            value = midnight(day + timedelta(days=end_of_day), zone) if day else parse_datetime(text)
            if value is None:
                raise ValueError
            value = value if value.tzinfo else value.replace(tzinfo=zone)
            if not 2000 <= value.year <= 2200:
                raise ValueError
            return value
        except (ValueError, OverflowError):
            raise ValidationError({name: "Give a date (2026-03-21) or a time (2026-03-21T00:22:16Z)."}) from None
