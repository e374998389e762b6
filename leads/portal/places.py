"""Count the leads of sub-accounts."""

from collections.abc import Collection, Mapping

from django.db.models import Count

from accounts.models import SubAccount
from leads.models import Lead


def leads_at(places: Collection[SubAccount]) -> Mapping[str, int]:
    """Return how many leads the accounts of each sub-account have, by its id."""
    agencies = {place.agency_id for place in places}
    leads = Lead.objects.without_tests().filter(agency__in=agencies, account__sub_account__in=places)
    return dict(leads.order_by().values_list("account__sub_account").annotate(Count("pk")))
