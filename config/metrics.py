"""Expose Prometheus metrics, computed from the database at every scrape, so that all processes answer alike."""

from collections.abc import Iterator
from datetime import timedelta

from django.utils import timezone
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from accounts.models import Heartbeat
from config import __version__, figures

CONTENT_TYPE = CONTENT_TYPE_LATEST


def exposition() -> bytes:
    """Return all metrics in Prometheus' text format."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Database())
    return generate_latest(registry)


class _Database:
    def collect(self) -> Iterator[Metric]:
        yield _by("leadline_info", "The running version.", "version", {__version__: 1})
        yield _by("leadline_accounts", "LinkedIn accounts.", "status", figures.accounts_by_status())
        yield _by(
            "leadline_receipts",
            f"Kept requests; processed is an estimate, counting of the others stops at {figures.MAX_COUNT}.",
            "status",
            figures.receipts_by_status(),
        )
        yield _by(
            "leadline_deliveries",
            f"Deliveries; settled ones are an estimate, counting of the others stops at {figures.MAX_COUNT}.",
            "status",
            figures.deliveries_by_status(),
        )
        yield _by(
            "leadline_oldest_due_seconds",
            "How long the row that waits longest has been due.",
            "kind",
            {
                "receipt": _seconds(figures.oldest_due_receipt()),
                "event": _seconds(figures.oldest_due_event()),
                "delivery": _seconds(figures.oldest_due_delivery()),
            },
        )
        yield _by("leadline_source_troubles", "Open issues of sources.", "kind", figures.open_issues())
        now = timezone.now()
        yield _by(
            "leadline_heartbeat_age_seconds",
            "Time since a process last said that it lives.",
            "process",
            {name: _seconds(now - at) for name, at in Heartbeat.objects.values_list("name", "at")},
        )


def _by(name: str, documentation: str, label: str, values: dict[str, float] | dict[str, int]) -> Metric:
    metric = GaugeMetricFamily(name, documentation, labels=[label])
    for key, value in values.items():
        metric.add_metric([key], value)
    return metric


def _seconds(age: timedelta) -> float:
    return max(0.0, round(age.total_seconds(), 3))
