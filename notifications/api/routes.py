"""Add this app's resources to the API."""

from accounts.web.rest.router import router
from notifications.api.channels import ChannelViewSet
from notifications.api.deliveries import DeliveryViewSet
from notifications.api.event_types import EventTypeViewSet

router.add("event-types", EventTypeViewSet, position=90)
router.add("channels", ChannelViewSet, position=100)
router.add("deliveries", DeliveryViewSet, position=110)
