"""Show pools with the fairness of their turns, change them, and give credits."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.formats import get_format
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.models import Agency, Member
from accounts.portal import MemberRequest, add_error_messages, readers, redirect_back, render_page, writers
from accounts.web.refusals import refusals_as_messages, refusals_on
from leads.enums import PoolKind
from leads.models import Pool, PoolMember
from leads.portal.assignees import name_of
from leads.routing import pools
from leads.routing.eligibility import Availability
from leads.routing.explanations import behind_text, why_passed_over
from leads.routing.turns import LEAD

KINDS = [
    (PoolKind.ROUND_ROBIN.value, _("Turns: everybody gets their share")),
    (PoolKind.LEAST_OPEN.value, _("Least open: whoever has the fewest open leads")),
]
PLACE = ("in", "weight", "daily_cap", "open_cap")
SHOWN_CREDITS = 20


class PoolForm(forms.Form):
    name = forms.CharField(max_length=pools.MAX_NAME_LENGTH, label=_("Name"), help_text=_("Such as “Enterprise”."))
    kind = forms.ChoiceField(choices=KINDS, label=_("Deals by"))
    is_catch_all = forms.BooleanField(
        required=False, label=_("Catch-all"), help_text=_("Deals the leads that no rule leads anywhere.")
    )
    respects_hours = forms.BooleanField(
        required=False, label=_("Only in working hours"), help_text=_("Deals only to members who are at work.")
    )
    hold = forms.BooleanField(
        required=False, label=_("Hold leads"), help_text=_("A lead that nobody can take waits, and is dealt later.")
    )
    calendar = forms.ChoiceField(required=False, label=_("Working hours"))
    overflow_pool = forms.ChoiceField(required=False, label=_("Overflow into"))
    overflow_minutes = forms.IntegerField(
        required=False, min_value=0, max_value=pools.MAX_MINUTES, label=_("After so many minutes")
    )

    def __init__(self, data: Any, *, agency: Agency, pool: Pool | None = None) -> None:
        self.agency, self.pool = agency, pool
        self.people = list(agency.members.select_related("user").order_by("user__first_name", "pk"))
        places = {place.member_id: place for place in pool.members.all()} if pool else {}
        super().__init__(data, initial=self._initial(places))
        self._offer("calendar", _("Each member's own, else the agency's"), agency.calendars.order_by("name"))
        others = agency.pools.order_by("name").exclude(pk=pool.pk if pool else "")
        self._offer("overflow_pool", _("No other pool"), others)
        for member in self.people:
            self._add_place(member)

    @property
    def rows(self) -> list[tuple[str, list[forms.BoundField]]]:
        """Return each member's name with the fields of their place in the pool."""
        return [(name_of(member.user), [self[f"{name}_{member.pk}"] for name in PLACE]) for member in self.people]

    def values(self) -> dict[str, Any]:
        """Return what the services take."""
        given = self.cleaned_data
        plain = {name: given[name] for name in ("name", "kind", "is_catch_all", "respects_hours", "hold")}
        members = [
            {"member": member, **{name: given[f"{name}_{member.pk}"] for name in PLACE[1:]}}
            for member in self.people
            if given[f"in_{member.pk}"]
        ]
        for place in members:
            place["weight"] = place["weight"] or 1
        return {
            **plain,
            "overflow_minutes": given["overflow_minutes"] or 0,
            "calendar": self.agency.calendars.filter(pk=given["calendar"]).first(),
            "overflow_pool": self.agency.pools.filter(pk=given["overflow_pool"]).first(),
            "members": members,
        }

    def _offer(self, name: str, nothing: Any, rows: Any) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101 (declared above)
        field.choices = [("", nothing), *((row.pk, str(row)) for row in rows)]

    def _add_place(self, member: Member) -> None:
        who = name_of(member.user)
        self.fields[f"in_{member.pk}"] = forms.BooleanField(required=False, label=who)
        for name, label, least, most in (
            ("weight", gettext("Weight of %(name)s"), 1, pools.MAX_WEIGHT),
            ("daily_cap", gettext("Leads a day for %(name)s"), 0, pools.MAX_CAP),
            ("open_cap", gettext("Open leads of %(name)s"), 0, pools.MAX_CAP),
        ):
            self.fields[f"{name}_{member.pk}"] = forms.IntegerField(
                required=False, min_value=least, max_value=most, label=label % {"name": who}
            )

    def _initial(self, places: dict[str, PoolMember]) -> dict[str, Any]:
        pool = self.pool or Pool()
        shown = {name: getattr(pool, name) for name in ("name", "kind", "is_catch_all", "respects_hours", "hold")}
        for key, place in places.items():
            shown[f"in_{key}"] = True
            shown |= {f"{name}_{key}": getattr(place, name) for name in PLACE[1:]}
        return {
            **shown,
            "calendar": pool.calendar_id,
            "overflow_pool": pool.overflow_pool_id,
            "overflow_minutes": pool.overflow_minutes,
        }


class CreditForm(forms.Form):
    member = forms.ChoiceField(label=_("Member"))
    leads = forms.FloatField(
        label=_("Leads"), min_value=-pools.MAX_CREDIT, max_value=pools.MAX_CREDIT, help_text=_("Negative: fewer leads.")
    )
    reason = forms.CharField(max_length=200, label=_("Reason"), help_text=_("Such as “was at the fair for two days”."))

    def __init__(self, data: Any, places: list[PoolMember]) -> None:
        super().__init__(data)
        field = self.fields["member"]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101 (declared above)
        field.choices = [(place.member_id, name_of(place.member.user)) for place in places]


def fairness(pool: Pool) -> list[dict[str, Any]]:
    """Return each member's turns: what they expected and received, how far they are behind, and whether they can take
    a lead now."""
    members = pool.members.select_related("member__user", "member__calendar", "member__agency")
    places = list(members.prefetch_related("member__calendar__exceptions").order_by("member__user__first_name", "pk"))
    availability = Availability.of(pool.agency, places, timezone.now())
    rows = []
    for place in places:
        obstacle = availability.obstacle(pool, place)
        rows.append(
            {
                "place": place,
                "name": name_of(place.member.user),
                "expected": (place.behind - place.credited) / LEAD + place.received,
                "behind": behind_text(place.behind),
                "tone": "good" if abs(place.behind) < LEAD else "warn",
                "open": availability.open_leads.get(place.member_id, 0),
                "obstacle": why_passed_over({"why": obstacle}) if obstacle else "",
            }
        )
    return rows


@require_http_methods(["GET", "HEAD", "POST"])
@writers
def pool_new(request: MemberRequest) -> HttpResponse:
    """Show the form of a new pool. A POST makes it."""
    form = PoolForm(request.POST if request.method == "POST" else None, agency=request.agency)
    if request.method == "POST" and form.is_valid():
        with refusals_on(form):
            pool = pools.create_pool(request.agency, by=request.member.user, **form.values())
            messages.success(request, gettext("%(name)s was created.") % {"name": pool})
            return redirect("portal_pool", pool.pk)
    return render_page(request, "portal/pool_new.html", "pools", status=422 if form.errors else 200, form=form)


@require_safe
@readers
def pool_list(request: MemberRequest) -> HttpResponse:
    """List the pools with their members and what they hold."""
    rows = []
    found = request.agency.pools.select_related("agency", "calendar", "overflow_pool").order_by("-is_catch_all", "name")
    for pool in found.prefetch_related("calendar__exceptions")[: pools.MAX_POOLS]:
        rows.append((pool, fairness(pool), pool.waiting.count()))
    return render_page(request, "portal/pools.html", "pools", rows=rows, kinds=dict(KINDS))


@require_safe
@readers
def pool_page(request: MemberRequest, pk: str) -> HttpResponse:
    """Show a pool's turns and credits, and its form to whoever may change it."""
    pool = get_object_or_404(request.agency.pools.select_related("agency", "calendar"), pk=pk)
    return _show(request, pool, PoolForm(None, agency=request.agency, pool=pool))


@require_POST
@writers
def pool_change(request: MemberRequest, pk: str) -> HttpResponse:
    pool = get_object_or_404(request.agency.pools.select_related("agency", "calendar"), pk=pk)
    form = PoolForm(request.POST, agency=request.agency, pool=pool)
    if form.is_valid():
        with refusals_on(form):
            pools.update_pool(pool, by=request.member.user, **form.values())
            messages.success(request, gettext("Pool saved."))
            return redirect("portal_pool", pool.pk)
    return _show(request, pool, form)


@require_POST
@writers
def pool_delete(request: MemberRequest, pk: str) -> HttpResponse:
    pool = get_object_or_404(request.agency.pools, pk=pk)
    pools.delete_pool(pool, by=request.member.user)
    messages.success(request, gettext("%(name)s was deleted.") % {"name": pool})
    return redirect("portal_pools")


@require_POST
@writers
def pool_credit(request: MemberRequest, pk: str) -> HttpResponse:
    pool = get_object_or_404(request.agency.pools.select_related("agency"), pk=pk)
    form = CreditForm(request.POST, list(pool.members.select_related("member__user")))
    if form.is_valid():
        member = request.agency.members.get(pk=form.cleaned_data["member"])
        leads, reason = form.cleaned_data["leads"], form.cleaned_data["reason"]
        with refusals_as_messages(request):
            pools.give_credit(pool, member=member, leads=leads, reason=reason, by=request.member.user)
            messages.success(request, gettext("Credit given to %(name)s.") % {"name": name_of(member.user)})
    add_error_messages(request, form)
    return redirect_back(request, "portal_pool", pool.pk)


def _show(request: MemberRequest, pool: Pool, form: PoolForm) -> HttpResponse:
    rows = fairness(pool)
    return render_page(
        request,
        "portal/pool.html",
        "pools",
        status=422 if form.errors else 200,
        pool=pool,
        form=form,
        rows=rows,
        kind=dict(KINDS)[pool.kind],
        credit=CreditForm(None, [row["place"] for row in rows]),
        credits=[
            (credit, f"{credit.amount / LEAD:+g}".replace(".", get_format("DECIMAL_SEPARATOR")))
            for credit in pool.credits.select_related("member__user", "by").order_by("-pk")[:SHOWN_CREDITS]
        ],
        waiting=pool.waiting.count(),
    )
