"""Add this app's resources to the API."""

from accounts.web.rest.router import router
from webhooks.api.receipts import ReceiptViewSet, RejectedRequestViewSet
from webhooks.api.sources import SourceWithRequestsViewSet

router.add("sources", SourceWithRequestsViewSet, position=50)
router.add("receipts", ReceiptViewSet, position=60)
router.add("rejected-requests", RejectedRequestViewSet, position=70)
