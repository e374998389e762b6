"""Search over everything of an agency: what this app adds to it, and the page."""

from collections.abc import Iterable

from django.db.models import QuerySet
from django.http import HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_safe

from accounts.core.enums import CampaignStatus, Role, provider_name
from accounts.core.search import MAX_LENGTH, Hit, Searchable, add_searchable, is_long_enough, matching, search
from accounts.labels import CAMPAIGN_STATUSES, account_label
from accounts.models import Account, Campaign, Member, Source, SubAccount
from accounts.tenancy.member_search import members_matching
from accounts.web.portal.access import MemberRequest, readers
from accounts.web.portal.navigation import OWNERS
from accounts.web.portal.views import render_page

SIZE = 8
ROLES = {Role.OWNER: "owner", Role.MANAGER: "manager", Role.READ_ONLY: "read-only"}


@require_safe
@readers
def search_page(request: MemberRequest) -> HttpResponse:
    """What a word finds, by kinds: for htmx the groups alone, else a page with them."""
    word = " ".join(request.GET.get("q", "").split())[:MAX_LENGTH]
    part = request.headers.get("HX-Request") == "true"
    return render_page(
        request,
        "portal/_search_results.html" if part else "portal/search.html",
        "search",
        word=word,
        long_enough=is_long_enough(word),
        groups=search(request.agency.pk, word, role=Role(request.member.role), size=SIZE),
    )


def add_own_searchables() -> None:
    """Let agencies find accounts, campaigns, sub-accounts, sources and members."""
    for kind in (
        Searchable(
            "account", "Accounts", "brand-linkedin", 20, _accounts, _show_account, "portal_accounts", in_api=True
        ),
        Searchable(
            "campaign", "Campaigns", "speakerphone", 30, _campaigns, _show_campaign, "portal_campaigns", in_api=True
        ),
        Searchable("sub_account", "Sub-accounts", "map-pin", 40, _sub_accounts, _show_sub_account),
        Searchable("source", "Sources", "plug", 50, _sources, _show_source),
        Searchable("member", "Team", "users", 60, _members, _show_member, roles=OWNERS),
    ):
        add_searchable(kind)


def _accounts(agency_id: str, word: str) -> QuerySet[Account]:
    accounts = Account.objects.filter(matching(Account, word), agency=agency_id)
    return accounts.select_related("sub_account")


def _show_account(account: Account) -> Hit:
    place = str(account.sub_account) if account.sub_account else ""
    about = [account.email, provider_name(account.provider), place, account_label(account).text]
    return Hit(account.pk, str(account), _line(about), reverse("portal_account", args=[account.pk]))


def _campaigns(agency_id: str, word: str) -> QuerySet[Campaign]:
    return Campaign.objects.filter(matching(Campaign, word), agency=agency_id)


def _show_campaign(campaign: Campaign) -> Hit:
    about = [provider_name(campaign.provider), CAMPAIGN_STATUSES[CampaignStatus(campaign.status)].text]
    return Hit(campaign.pk, str(campaign), _line(about), reverse("portal_campaign", args=[campaign.pk]))


def _sub_accounts(agency_id: str, word: str) -> QuerySet[SubAccount]:
    return SubAccount.objects.filter(matching(SubAccount, word), agency=agency_id)


def _show_sub_account(place: SubAccount) -> Hit:
    about = [place.location_id, "installed" if place.installed else "not installed"]
    return Hit(place.pk, str(place), _line(about), f"{reverse('portal_accounts')}?location={place.pk}")


def _sources(agency_id: str, word: str) -> QuerySet[Source]:
    return Source.objects.filter(matching(Source, word), agency=agency_id, removed_at__isnull=True)


def _show_source(source: Source) -> Hit:
    return Hit(source.pk, str(source), provider_name(source.provider), reverse("portal_source", args=[source.pk]))


def _members(agency_id: str, word: str) -> QuerySet[Member]:
    return Member.objects.filter(members_matching(agency_id, word), agency=agency_id).select_related("user")


def _show_member(member: Member) -> Hit:
    name = member.user.get_full_name() or member.user.get_username()
    return Hit(member.pk, name, _line([member.user.email, ROLES[Role(member.role)]]), reverse("portal_team"))


def _line(parts: Iterable[str]) -> str:
    return " · ".join(filter(None, parts))
