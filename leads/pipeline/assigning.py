"""Give leads to members, and write the ledger of who had a lead and why. Every change of `assigned_to` ends here."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.contrib.auth.models import User
from django.db.models import F

from accounts.core.enums import EventType
from accounts.core.unit_of_work import AT_ONCE, UnitOfWork
from accounts.events.ordering import Origin
from accounts.models import Member
from leads.enums import AssignmentReason, ChangedBy, LeadStatus
from leads.models import Assignment, Lead, Pool, PoolMember, WaitingLead
from leads.pipeline.assignment_mails import AssignmentMails
from leads.pipeline.history import add_history_row, record_event, request_unassignment_reaction

LEAD = 1_000_000  # millionths
#: A lead that is given back within this time gives its turn back too.
RETURN_TIME = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Decision:
    """Why a member gets a lead: by a person, or by a rule and a pool, with those whom the pool passed over."""

    reason: AssignmentReason = AssignmentReason.PERSON
    pool: Pool | None = None
    first_pool: str = ""
    rule: str = ""
    rule_name: str = ""
    version: int | None = None
    passed_over: Sequence[dict[str, Any]] = ()
    shares: dict[str, int] = field(default_factory=dict)
    target_minutes: int | None = None
    channels: Sequence[str] = ()


def give_lead(
    lead: Lead, member: Member, decision: Decision, mails: AssignmentMails, *, by: User | None = None
) -> None:
    """Give a locked lead to a member of its agency because of a decision, and add it to the member's mail."""
    lead.assigned_to = member.user
    lead.save(update_fields=["assigned_to", "updated_at"])
    record_assignment(lead, mails.origin, by=by, decision=decision, mails=mails)


def record_assignment(
    lead: Lead,
    origin: Origin,
    *,
    by: User | None = None,
    decision: Decision | None = None,
    is_new: bool = False,
    mails: AssignmentMails | None = None,
    work: UnitOfWork = AT_ONCE,
) -> None:
    """Record that a locked lead was assigned to `lead.assigned_to`, or to nobody.

    Write the ledger, the history and `lead_assigned`, and mail the member. A turn that is given back soon is returned.
    `by` is the person who assigned it; `is_new` says that the lead was made just now, and nobody had it before. With
    `mails` the caller sends the mail, together with that about other leads.
    """
    assignee, status = lead.assigned_to, LeadStatus(lead.status)
    member = lead.agency.members.select_related("user", "calendar").filter(user=assignee).first() if assignee else None
    if not is_new:
        end_assignments(lead, origin)
        WaitingLead.objects.filter(lead=lead).delete()
    _add_row(lead, member, origin, by, decision or Decision(_reason_of(origin)), work)
    name = (assignee.get_full_name() or assignee.get_username()) if assignee else ""
    add_history_row(
        *(lead, None, status, status, origin, ChangedBy(origin.by)),
        stated=False,
        applied=False,
        is_report=False,
        note=f"Assigned to {name}." if name else "Unassigned.",
        user_id=by.pk if by else None,
        assignee_id=assignee.pk if assignee else 0,
        work=work,
    )
    if assignee is not None:
        assigned = {"assigned_to": member.pk if member else None, "assigned_to_name": name}
        also_for = list(decision.channels) if decision else []
        record_event(lead, EventType.LEAD_ASSIGNED, origin=origin, work=work, also_for=also_for, **assigned)
    else:
        request_unassignment_reaction(lead, origin.at, work)
    if member is not None and member.user != by:
        collected = mails or AssignmentMails(origin)
        collected.add(lead, member)
        if mails is None:
            collected.send(work)


def _reason_of(origin: Origin) -> AssignmentReason:
    return AssignmentReason.PERSON if origin.by == ChangedBy.USER else AssignmentReason.API


def _add_row(
    lead: Lead, member: Member | None, origin: Origin, by: User | None, decision: Decision, work: UnitOfWork
) -> None:
    row = Assignment(
        lead=lead,
        member=member,
        user=lead.assigned_to,
        pool=decision.pool,
        first_pool=decision.first_pool,
        rule=decision.rule,
        rule_name=decision.rule_name,
        version=decision.version,
        reason=decision.reason,
        passed_over=list(decision.passed_over),
        shares=decision.shares,
        target_minutes=decision.target_minutes,
        by=by,
        at=origin.at,
    )
    work.add(row)


def end_assignments(lead: Lead, origin: Origin) -> None:
    """End what the ledger has open of a lead, and return the turn of a pool that is given back soon."""
    for row in Assignment.objects.filter(lead=lead, ended_at__isnull=True).order_by("pk"):
        row.ended_at = origin.at
        if row.pool_id and row.member_id and not row.is_returned and origin.at - row.at <= RETURN_TIME:
            row.is_returned = True
            _return_turn(row)
        row.save(update_fields=["ended_at", "is_returned"])


def _return_turn(row: Assignment) -> None:
    """Undo what a turn did to the figures of its pool, whose row is locked until the transaction ends."""
    pool = Pool.objects.select_for_update().get(pk=row.pool_id)
    members = PoolMember.objects.filter(pool=pool)
    for key, share in row.shares.items():
        members.filter(member=key).update(behind=F("behind") - share)
    others = Assignment.objects.filter(pool=pool, member=row.member_id, is_returned=False).exclude(pk=row.pk)
    before = {"last_at": others.order_by("-at").values_list("at", flat=True).first()}
    given = {"behind": F("behind") + LEAD} if row.shares else {}
    members.filter(member=row.member_id, received__gt=0).update(received=F("received") - 1, **before, **given)
    if pool.streak_key == row.member_id and pool.streak_length:
        pool.streak_length -= 1
        pool.save(update_fields=["streak_length"])
