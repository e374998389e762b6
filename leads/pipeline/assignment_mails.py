"""Mail members the leads that they were assigned, at once or in their working hours, as each of them chose."""

from collections import defaultdict
from dataclasses import dataclass, field

from accounts.core.enums import EventType
from accounts.core.unit_of_work import AT_ONCE, UnitOfWork
from accounts.events import outbox as events
from accounts.events.ordering import Origin
from accounts.models import Member
from accounts.tenancy.member_alerts import alerts_of, mail_time
from accounts.tenancy.verified_email import verified_email
from leads.models import Lead


@dataclass(slots=True)
class AssignmentMails:
    """Collect what members were assigned together, so that each gets one mail."""

    origin: Origin
    assigned: dict[str, list[Lead]] = field(default_factory=lambda: defaultdict(list))
    members: dict[str, Member] = field(default_factory=dict)

    def add(self, lead: Lead, member: Member) -> None:
        """Add a lead that a member was assigned. Test leads alert nobody."""
        if not lead.is_test:
            self.assigned[member.pk].append(lead)
            self.members[member.pk] = member

    def send(self, work: UnitOfWork = AT_ONCE) -> None:
        """Record a personal event for each member, about one lead or about how many there are."""
        for member_id, leads in self.assigned.items():
            member = self.members[member_id]
            address = verified_email(member.user) if alerts_of(member)["assigned"] else ""
            if address:
                only = leads[0] if len(leads) == 1 else None
                events.record_event(
                    member.agency,
                    EventType.LEAD_ASSIGNED_TO_YOU,
                    subject=only.pk if only else "",
                    recipient=address,
                    occurred_at=self.origin.at,
                    not_before=mail_time(member, self.origin.at),
                    work=work,
                    assigned_to=member.pk,
                    **(_fields_of(only) if only else {"count": len(leads)}),
                )
        self.assigned.clear()


def _fields_of(lead: Lead) -> dict[str, str]:
    campaign = events.campaign_fields(lead.campaign)
    return {"lead_id": lead.pk, "lead_name": lead.display_name, "status": lead.status, **campaign}
