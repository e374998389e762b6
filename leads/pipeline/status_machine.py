"""Compute a lead's status in one campaign from all its reports, whatever the order in which they arrive.

A status that the provider states applies at its place in time, backwards too. A status that Leadline derives from
another event only moves forward.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from leads.enums import LeadStatus
from leads.models import CurrentStatus, LeadChange, LeadReference


@dataclass(frozen=True, slots=True)
class StatusReport:
    """Hold one reported status with its place in time."""

    at: datetime
    sequence: int
    status: LeadStatus
    stated: bool

    @property
    def order(self) -> tuple[datetime, int]:
        return self.at, self.sequence


def apply_report(current: CurrentStatus | None, report: StatusReport) -> CurrentStatus:
    """Return the status after a report that is newer than all reports before it."""
    if current is not None:
        is_forward = report.status.rank > current.status.rank
        if report.status == current.status or not (report.stated or is_forward):
            return current
    return CurrentStatus(report.status, report.at, report.sequence)


def apply_reports(reports: Iterable[StatusReport]) -> CurrentStatus:
    """Return the status after all these reports, of which there is at least one, in any order."""
    first, *others = sorted(reports, key=lambda report: report.order)
    current = apply_report(None, first)
    for report in others:
        current = apply_report(current, report)
    return current


def status_reports_of(reference: LeadReference) -> list[StatusReport]:
    """Return every status that was reported for a reference, without the notes in its history."""
    rows = LeadChange.objects.filter(reference=reference, is_report=True)
    return [
        StatusReport(at, sequence, LeadStatus(status), stated)
        for at, sequence, status, stated in rows.values_list("occurred_at", "sequence", "new_status", "stated")
    ]
