"""Add the resources of the accounts app to the API."""

from accounts.api.account_report import AccountReportViewSet
from accounts.api.accounts import AccountViewSet
from accounts.api.calendars import CalendarViewSet
from accounts.api.members import MemberViewSet
from accounts.api.search import SearchViewSet
from accounts.api.views import CampaignViewSet, EventViewSet, SubAccountViewSet
from accounts.web.rest.router import router

router.add("accounts", AccountViewSet, position=10)
router.add("sub-accounts", SubAccountViewSet, position=30)
router.add("campaigns", CampaignViewSet, position=40)
router.add("calendars", CalendarViewSet, position=45)
router.add("members", MemberViewSet, position=44)
router.add("events", EventViewSet, position=80)
router.add_view("search", SearchViewSet, "search")
router.add_report("accounts", AccountReportViewSet)
