"""Decide who gets a lead. The first that answers wins: who has it already, the owner of the same company, the rules by
position, the catch-all pool; else the lead is unrouted.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.db.models import Q

from accounts.core.enums import EventType
from accounts.events.ordering import Origin
from accounts.models import Agency, Member
from leads.assignments import is_available
from leads.conditions.fields import LeadValues
from leads.enums import AssignmentReason, ChangedBy
from leads.models import Assignment, Lead, Pool, RoutingRule, RoutingSettings, WaitingLead
from leads.pipeline.assigning import Decision, give_lead
from leads.pipeline.assignment_mails import AssignmentMails
from leads.pipeline.history import record_event
from leads.routing.dealing import LockedPools
from leads.routing.eligibility import LONG_WAIT
from leads.routing.rules import KIND
from leads.rules.active import active_rules

#: How long an unrouted lead is looked at again by itself.
MAX_UNROUTED_AGE = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Destination:
    """Where a decision leads: to a member, to a pool, or with neither to nobody, on purpose."""

    decision: Decision
    member: Member | None = None
    pool_id: str = ""
    tags: tuple[str, ...] = ()
    avoid: frozenset[str] = frozenset()  # members who do not get it: whoever had it

    @property
    def keeps(self) -> bool:
        return self.member is None and not self.pool_id

    def because(self, reason: AssignmentReason) -> "Destination":
        """Return the same destination for another reason."""
        return replace(self, decision=replace(self.decision, reason=reason))


class Router:
    """Route leads of one agency, which are locked, in one transaction. `by` is the person who asked for it."""

    def __init__(self, agency: Agency, now: datetime, by: User | None = None) -> None:
        self.agency, self.now, self.by = agency, now, by
        self.mails = AssignmentMails(Origin(by=ChangedBy.USER if by else ChangedBy.AUTOMATION, at=now))
        stored = RoutingSettings.objects.filter(agency=agency).first()
        self.settings = stored or RoutingSettings(agency=agency)
        self.rules = active_rules(KIND, agency)
        self.catch_all = Pool.objects.filter(agency=agency, is_catch_all=True).values_list("pk", flat=True).first()

    def deliver(self, destinations: Sequence[tuple[Lead, Destination | None]]) -> None:
        """Carry out decisions, in their order. A lead without a destination is unrouted."""
        pools = {place.pool_id for _, place in destinations if place and place.pool_id}
        pools |= {self.catch_all} if pools and self.catch_all else set()
        locked = LockedPools(self.agency, pools, self.now) if pools else None
        waiting = {row.lead_id: row for row in WaitingLead.objects.filter(lead__in=[lead for lead, _ in destinations])}
        for lead, place in destinations:
            if place is not None:
                self._tag(lead, place.tags)
            if place is None:
                self._leave_unrouted(lead, waiting.get(lead.pk))
            elif place.keeps:
                WaitingLead.objects.filter(lead=lead).delete()
            elif place.member is not None:
                give_lead(lead, place.member, place.decision, self.mails, by=self.by)
            elif locked is not None and place.pool_id in locked.pools:
                self._deal(lead, place, locked, waiting.get(lead.pk))
            else:
                self._leave_unrouted(lead, waiting.get(lead.pk))
        if locked is not None:
            locked.save()
        self.mails.send()

    def destination(self, lead: Lead) -> Destination | None:
        """Return where a lead that nobody has leads, or None if nothing answers."""
        return self._owner_of_company(lead) or self._by_rules(lead) or self._catch_all()

    def _owner_of_company(self, lead: Lead) -> Destination | None:
        """Return who has a lead of the same company or business domain, unless they are away."""
        business = Q(domain=lead.domain, is_free_mail=False) if lead.domain and not lead.is_free_mail else Q()
        company = Q(company_key=lead.company_key) if lead.company_key else Q()
        if not self.settings.same_company or not (business or company):
            return None
        since = self.now - timedelta(days=self.settings.company_days)
        others = Lead.objects.without_tests().filter(
            company | business, agency=self.agency, assigned_to__isnull=False, received_at__gte=since
        )
        user = others.exclude(pk=lead.pk).order_by("-received_at", "-pk").values_list("assigned_to", flat=True).first()
        member = self.agency.members.select_related("user", "calendar").filter(user=user).first() if user else None
        if member is None or not is_available(member, self.now):
            return None
        return Destination(Decision(AssignmentReason.SAME_COMPANY), member=member)

    def _by_rules(self, lead: Lead) -> Destination | None:
        """Return where the first rule that matches leads, of those whose member is there."""
        values = LeadValues(lead)
        for compiled in self.rules.rules:
            rule = compiled.rule
            if isinstance(rule, RoutingRule) and compiled.condition.matches(values):
                place = self.destination_of(rule)
                if place is not None:
                    return place
        return None

    def destination_of(self, rule: RoutingRule) -> Destination | None:
        """Return where a rule leads, or None if its member is away, or it leads nowhere any more."""
        decision = Decision(
            AssignmentReason.RULE,
            rule=rule.pk,
            rule_name=rule.name,
            version=self.rules.version,
            target_minutes=rule.target_minutes,
            channels=tuple(rule.channels),
        )
        if rule.member_id:
            found = self.agency.members.select_related("user", "calendar").filter(pk=rule.member_id).first()
            is_there = found is not None and is_available(found, self.now)
            return Destination(decision, member=found, tags=tuple(rule.tags)) if is_there else None
        if rule.pool_id or rule.keeps:
            return Destination(decision, pool_id=rule.pool_id or "", tags=tuple(rule.tags))
        return None

    def _tag(self, lead: Lead, tags: tuple[str, ...]) -> None:
        """Add a rule's tags to those of a lead."""
        if set(tags) - set(lead.tags):
            lead.tags = list(dict.fromkeys([*lead.tags, *tags]))
            lead.save(update_fields=["tags", "updated_at"])

    def _catch_all(self) -> Destination | None:
        return Destination(Decision(AssignmentReason.CATCH_ALL), pool_id=self.catch_all) if self.catch_all else None

    def _deal(self, lead: Lead, place: Destination, locked: LockedPools, row: WaitingLead | None) -> None:
        """Deal a lead of a pool, or of the pool that it overflows into; else have it wait."""
        since = row.since if row else self.now
        returned = Assignment.objects.filter(lead=lead, is_returned=True, member__isnull=False)
        gave_back = {*returned.values_list("member", flat=True), *place.avoid}
        dealt = first = locked.deal(place.pool_id, gave_back=gave_back)
        decision, seen = place.decision, {place.pool_id}
        chances = [dealt.next_chance]
        while dealt.member is None and (below := _overflow_of(dealt.pool, since, self.now)) and below not in seen:
            seen.add(below)
            dealt = locked.deal(below, gave_back=gave_back)
            chances.append(dealt.next_chance)
            decision = replace(decision, reason=AssignmentReason.OVERFLOW)
        if dealt.member is not None:
            over = dealt.passed_over if dealt is first else [*first.passed_over, *dealt.passed_over]
            decided = replace(
                decision, pool=dealt.pool, first_pool=place.pool_id, passed_over=over, shares=dealt.shares
            )
            give_lead(lead, dealt.member, decided, self.mails, by=self.by)
        elif first.pool.hold or first.pool.overflow_pool_id:
            self._hold(lead, place, first.pool, min(filter(None, chances), default=self.now + LONG_WAIT), row)
        elif self.catch_all and self.catch_all != place.pool_id and self.catch_all in locked.pools:
            self._deal(lead, Destination(Decision(AssignmentReason.CATCH_ALL), pool_id=self.catch_all), locked, row)
        else:
            self._leave_unrouted(lead, row)

    def _hold(self, lead: Lead, place: Destination, pool: Pool, due: datetime, row: WaitingLead | None) -> None:
        """Have a lead wait in its pool until somebody can take it, or until it overflows."""
        if pool.overflow_pool_id:
            overflow_at = (row.since if row else self.now) + timedelta(minutes=pool.overflow_minutes)
            due = min(due, overflow_at) if overflow_at > self.now else due
        self._wait(lead, row, due, pool_id=pool.pk, rule=place.decision.rule, reason=place.decision.reason)

    def _leave_unrouted(self, lead: Lead, row: WaitingLead | None) -> None:
        """Put a lead on the list of those that nobody has, and alert the agency once."""
        if row is None or row.pool_id is not None or row.reason == AssignmentReason.OWNER_REMOVED:
            record_event(lead, EventType.LEAD_UNROUTED, origin=self.mails.origin)
        since = row.since if row else self.now
        due = None if self.now - since > MAX_UNROUTED_AGE else self.now + LONG_WAIT
        self._wait(lead, row, due, pool_id=None, rule="", reason="")

    def _wait(self, lead: Lead, row: WaitingLead | None, due: datetime | None, **columns: object) -> None:
        values = {**columns, "next_attempt_at": due, "attempts": 0, "leased_until": None, "error": ""}
        since = row.since if row else self.now
        WaitingLead.objects.update_or_create(lead=lead, defaults={**values, "agency": self.agency, "since": since})


def _overflow_of(pool: Pool, since: datetime, now: datetime) -> str:
    """Return the id of the pool that a lead overflows into by now, or ""."""
    is_over = now - since >= timedelta(minutes=pool.overflow_minutes)
    return pool.overflow_pool_id or "" if is_over else ""
