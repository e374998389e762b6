"""Sort deliveries into the tabs of the delivery log: each delivery is in one of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Q, QuerySet
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from accounts.web.portal.navigation import capped_count
from accounts.web.portal.pagination import NEWER, OLDER
from notifications.models import STUCK, Delivery, DeliveryStatus, Hold

PARAMETER = "status"
PAUSED, RETRYING = "paused", "retrying"
_PAUSED = STUCK & Q(hold=Hold.REST)
_RETRYING = STUCK & Q(hold="")
#: Value in the address --> the title of the tab, and which deliveries are in it.
STATES: Mapping[str, tuple[Any, Q]] = {
    DeliveryStatus.FAILED.value: (_("Failed"), Q(status=DeliveryStatus.FAILED)),
    RETRYING: (_("Retrying"), _RETRYING),
    PAUSED: (_("Paused"), _PAUSED),
    DeliveryStatus.PENDING.value: (_("Pending"), Q(status=DeliveryStatus.PENDING) & ~_PAUSED & ~_RETRYING),
    DeliveryStatus.DELIVERED.value: (_("Delivered"), Q(status=DeliveryStatus.DELIVERED)),
    DeliveryStatus.CANCELLED.value: (_("Cancelled"), Q(status=DeliveryStatus.CANCELLED)),
}


@dataclass(frozen=True)
class Tab:
    title: Any
    url: str
    count: str
    current: bool


def in_state(deliveries: "QuerySet[Delivery]", state: str) -> "QuerySet[Delivery]":
    """Return those of the deliveries that are in the tab. Every delivery is in the tab ""."""
    return deliveries.filter(STATES[state][1]) if state in STATES else deliveries


def tabs(deliveries: "QuerySet[Delivery]", query: QueryDict) -> list[Tab]:
    """Return the tabs over these deliveries, each with its count up to 99 and the other filters of the address."""
    chosen = query.get(PARAMETER, "")
    return [
        Tab(_("All"), _address(query, ""), "", chosen not in STATES),
        *(
            Tab(title, _address(query, state), capped_count(deliveries.filter(condition)), chosen == state)
            for state, (title, condition) in STATES.items()
        ),
    ]


def _address(query: QueryDict, state: str) -> str:
    other = query.copy()
    for name in (PARAMETER, OLDER, NEWER):
        other.pop(name, None)
    if state:
        other[PARAMETER] = state
    return f"?{other.urlencode()}"
