"""Remember who wants no more e-mails of an agency, and make the links with which they say so.

What is stored and what a link holds are keyed hashes. So an opt-out is kept when the lead is erased, and a link goes on
working.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from django.conf import settings
from django.core import signing
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext

from accounts.core.email_addresses import email_key
from accounts.core.errors import FieldError
from accounts.core.unit_of_work import AT_ONCE
from accounts.events.reactions import request_reaction
from accounts.models import Agency
from leads.models import Lead, OptOut
from leads.pipeline.history import SEQUENCES
from leads.pipeline.matching import digest_of
from leads.pipeline.own_values import records_of

_SALT = "leads.sequences.opt-out"


@dataclass(frozen=True, slots=True)
class OptOutLink:
    """What a link to unsubscribe stands for."""

    agency: Agency
    lead_id: str
    digests: tuple[str, ...]


def digests_of(lead: Lead, *addresses: str) -> set[str]:
    """Return the digests by which a person is known: their e-mail addresses and profiles, of all records."""
    records = [lead, *(records_of(lead) if lead.has_records else ())]
    emails = {email_key(address) for address in (*addresses, *(record.email for record in records)) if address}
    profiles = {record.linkedin_key for record in records if record.linkedin_key}
    return {
        *(digest_of(lead.agency_id, f"email/{one}") for one in emails),
        *(digest_of(lead.agency_id, f"linkedin/{one}") for one in profiles),
    }


def has_opted_out(lead: Lead, *addresses: str) -> bool:
    """Return whether the person wants no more e-mails, by any of their addresses and profiles."""
    return OptOut.objects.filter(agency=lead.agency_id, digest__in=digests_of(lead, *addresses)).exists()


def opt_out(lead: Lead, *, how: str) -> None:
    """Remember that a lead wants no more e-mails, and stop its sequence."""
    store_opt_out(lead.agency_id, digests_of(lead), lead_ids=[lead.pk], how=how)


@transaction.atomic
def store_opt_out(agency_id: str, digests: Collection[str], *, lead_ids: Iterable[str], how: str) -> None:
    """Remember digests, and have the sequences of these leads stopped. Storing them twice changes nothing."""
    now = timezone.now()
    rows = [OptOut(agency_id=agency_id, digest=digest, at=now, how=how) for digest in sorted(digests)]
    OptOut.objects.bulk_create(rows, ignore_conflicts=True)
    for lead_id in lead_ids:
        request_reaction(SEQUENCES, subject=lead_id, work=AT_ONCE)


def opt_out_url(lead: Lead, address: str) -> str:
    """Return the link in an e-mail with which its reader unsubscribes."""
    body = {"a": lead.agency_id, "l": lead.pk, "d": sorted(digests_of(lead, address))}
    return f"{settings.PUBLIC_URL}/unsubscribe/{signing.dumps(body, salt=_SALT, compress=True)}"


def read_link(token: str) -> OptOutLink:
    """Return what a link stands for. Raises FieldError if it is none of ours, or its agency is gone."""
    try:
        body = signing.loads(token, salt=_SALT)
        agency = Agency.objects.filter(pk=body["a"]).first()
        if agency is not None:
            return OptOutLink(agency, body["l"], tuple(body["d"]))
    except (signing.BadSignature, KeyError, TypeError, ValueError):
        pass
    raise FieldError("token", gettext("This link is not valid (any more)."))


def follow_link(token: str) -> OptOutLink:
    """Remember that the reader of an e-mail wants no more of them. Raises FieldError."""
    link = read_link(token)
    store_opt_out(link.agency.pk, link.digests, lead_ids=[link.lead_id], how="link")
    return link


def is_followed(link: OptOutLink) -> bool:
    return OptOut.objects.filter(agency=link.agency, digest__in=link.digests).exists()
