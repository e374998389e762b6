"""Stop the sequences of people whose address does not work, or who reported our mail as unwanted."""

from django.db import transaction

from accounts.core.email_addresses import email_key
from leads.enums import EmailKind, EmailState, EndReason, HoldReason
from leads.models import Enrolment, Lead, OutboundEmail
from leads.models.sequences import OPEN_STATES
from leads.sequences.enrolments import end_enrolment, lock_lead
from leads.sequences.opt_outs import opt_out

MAX_LEADS = 1000


@transaction.atomic
def apply_bounce(address: str, *, email_id: str = "", complaint: bool = False) -> int:
    """Stop the sequences that write to an address. Return how many were stopped.

    The e-mail that the notice names is marked; a complaint is an opt-out too. The same notice again changes nothing.
    """
    sent = OutboundEmail.objects.filter(recipient=email_key(address), kind=EmailKind.STEP, state=EmailState.SENT)
    sent.filter(pk=email_id).update(hold=HoldReason.BOUNCED)
    stopped = 0
    for lead_id in sorted(set(sent.values_list("lead", flat=True)[:MAX_LEADS])):
        try:
            lead = lock_lead(str(lead_id))
        except Lead.DoesNotExist:
            continue
        if complaint:
            opt_out(lead, how="complaint")
        reason = EndReason.OPT_OUT if complaint else EndReason.BOUNCE
        open_ = Enrolment.objects.filter(lead=lead, state__in=OPEN_STATES).select_related("sequence", "version")
        stopped += sum(end_enrolment(enrolment, lead, reason) for enrolment in open_)
    return stopped
