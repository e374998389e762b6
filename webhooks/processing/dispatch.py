"""Apply provider events to the domain: a `match` over the closed set with one service call for each kind of event."""

from datetime import datetime
from typing import assert_never

from django.utils.translation import gettext_noop

from accounts import services as accounts
from accounts.campaigns import service as campaigns
from accounts.core import known_ids
from accounts.core.enums import ProviderSlug
from accounts.core.unit_of_work import UnitOfWork
from accounts.events.ordering import MAX_TIME_AHEAD, Origin, Quarantine
from accounts.linkedin.matching import AccountIdentity
from accounts.models import Agency
from accounts.services import installs
from leads.lead_sync import submissions
from leads.models import Lead
from leads.pipeline import reports as leads
from leads.pipeline.dto import Contact, Identity
from leads.privacy import erasure
from webhooks.models import Receipt
from webhooks.processing import welink_results
from webhooks.processing.tenants import agency_named
from webhooks.providers.events import (
    AccountRateLimited,
    AccountRef,
    AccountReported,
    AppInstalled,
    AppUninstalled,
    CampaignReported,
    LeadNoted,
    LeadStatusReported,
    LeadSubmitted,
    LeadTagged,
    LeadWithdrawn,
    NothingToDo,
    ProviderEvent,
    RequestOutcome,
    Tenant,
)

#: What a sample changes: test leads. It leaves accounts, campaigns and installations as they are.
LEAD_EVENTS = (LeadStatusReported, LeadNoted, LeadTagged, LeadSubmitted, LeadWithdrawn)


def apply_event(receipt: Receipt, event: ProviderEvent, work: UnitOfWork) -> None:  # noqa: C901 (one arm per kind of event)
    """Apply one provider event in the caller's transaction, and store on the receipt whom it concerns. Of a sample
    apply only what is about leads.

    Raises Quarantine if the agency, the account or the lead cannot be determined.
    """
    if receipt.is_sample and not isinstance(event, LEAD_EVENTS):
        receipt.agency = receipt.source.agency
        return
    match event:
        case AccountReported():
            _apply_account_status(receipt, event, work)
        case AccountRateLimited():
            _apply_rate_limit(receipt, event, work)
        case AppInstalled():
            _apply_install(receipt, event, work)
        case AppUninstalled():
            installs.report_uninstall(
                agency_for(receipt, event.tenant, event.occurred_at),
                location_id=_location_id(receipt, event.tenant),
                origin=origin_of(receipt, event.occurred_at),
                passed_on=_passes_all_on(receipt),
                work=work,
            )
        case RequestOutcome():
            welink_results.apply_result(
                receipt, event, agency=agency_for(receipt), origin=origin_of(receipt, None), work=work
            )
        case LeadStatusReported():
            _apply_lead_status(receipt, event, work)
        case LeadNoted():
            _add_note(receipt, event.lead, event.note, event.occurred_at, work, contact=event.contact)
        case LeadTagged():
            text = f"tags: {', '.join(event.tags)}"
            _add_note(receipt, event.lead, text, event.occurred_at, work, tags=event.tags)
        case LeadSubmitted():
            _apply_submission(receipt, event, work)
        case LeadWithdrawn():
            _apply_withdrawal(receipt, event, work)
        case CampaignReported():
            campaigns.report_campaign(
                agency_for(receipt),
                provider=receipt.provider,
                external_id=event.external_id,
                name=event.name,
                status=event.status,
                changed_by=event.changed_by,
                origin=origin_of(receipt, event.occurred_at),
                work=work,
            )
        case NothingToDo():
            receipt.agency = receipt.source.agency
        case _:
            assert_never(event)


def agency_for(receipt: Receipt, tenant: Tenant = Tenant(), occurred_at: datetime | None = None) -> Agency:
    """Return the agency that a receipt belongs to: the source's, or for a marketplace source the one the body names.

    Raises Quarantine if the body names another company than the source's, or one that is unknown.
    """
    agency = receipt.source.agency
    if agency is None:
        agency = agency_named(tenant, at=_effective_time(receipt, occurred_at))
    elif tenant.company_id and tenant.company_id != agency.ghl_company_id:
        raise Quarantine(
            "foreign_company",
            gettext_noop("The body names another company than the one this source belongs to."),
            waits_for=tenant.company_id,
        )
    receipt.agency = agency
    return agency


def origin_of(receipt: Receipt, occurred_at: datetime | None) -> Origin:
    """Return the report's origin."""
    return Origin(
        by=receipt.provider,
        at=_effective_time(receipt, occurred_at),
        sequence=receipt.sequence,
        receipt_id=receipt.public_id,
        source=receipt.source,
        is_test=receipt.is_sample,
        received_at=receipt.received_at,
    )


def _effective_time(receipt: Receipt, occurred_at: datetime | None) -> datetime:
    """Return the provider's time, or the time of receipt if the provider's is absent or far ahead."""
    if occurred_at is None or occurred_at > receipt.received_at + MAX_TIME_AHEAD:
        return receipt.received_at
    return occurred_at


def set_receipt_lead(receipt: Receipt, lead: Lead | None) -> None:
    """Store which lead a receipt concerns. Erase the receipt's data if the lead was erased since (None)."""
    receipt.lead_id = lead.id if lead else ""
    if lead is None:
        receipt.body, receipt.headers = b"", {}


def _location_id(receipt: Receipt, tenant: Tenant) -> str:
    if tenant.location_id or receipt.source.sub_account is None:
        return tenant.location_id
    return receipt.source.sub_account.location_id


def _passes_all_on(receipt: Receipt) -> bool:
    """Return whether the provider's events are recorded under their own type even if no state changes."""
    return receipt.provider == ProviderSlug.LINKEDCONNECTOR


def _account_identity(receipt: Receipt, account: AccountRef) -> AccountIdentity:
    return AccountIdentity(
        external_id=account.external_id,
        location_id=_location_id(receipt, account.tenant) if not account.external_id else account.tenant.location_id,
        name=account.name,
        email=account.email,
    )


def _apply_account_status(receipt: Receipt, event: AccountReported, work: UnitOfWork) -> None:
    account = accounts.report_status(
        agency_for(receipt, event.account.tenant),
        provider=receipt.provider,
        identity=_account_identity(receipt, event.account),
        status=event.status,
        origin=origin_of(receipt, event.occurred_at),
        reason=event.reason,
        error_detail=event.error_detail,
        passed_on=event.passed_on,
        work=work,
    )
    receipt.account_id = account.id


def _apply_rate_limit(receipt: Receipt, event: AccountRateLimited, work: UnitOfWork) -> None:
    account = accounts.report_rate_limit(
        agency_for(receipt, event.account.tenant),
        provider=receipt.provider,
        identity=_account_identity(receipt, event.account),
        origin=origin_of(receipt, event.occurred_at),
        resets_at=event.resets_at,
        limit_type=event.limit_type,
        api_name=event.api_name,
        passed_on=event.passed_on,
        work=work,
    )
    receipt.account_id = account.id


def _apply_install(receipt: Receipt, event: AppInstalled, work: UnitOfWork) -> None:
    agency = agency_for(receipt, event.tenant, event.occurred_at)
    installs.report_install(
        agency,
        location_id=_location_id(receipt, event.tenant),
        origin=origin_of(receipt, event.occurred_at),
        passed_on=_passes_all_on(receipt),
        installer_name=event.installer_name,
        installer_email=event.installer_email,
        ghl_user_id=event.ghl_user_id,
        work=work,
    )
    if receipt.source.agency is None and event.tenant.company_id:
        work.bypass()
        unknown = agency.sub_accounts.filter(location_id=event.tenant.location_id, vouched_for=False)
        if unknown.update(vouched_for=True):
            known_ids.announce_known_ids(agency.pk, event.tenant.location_id)


def _apply_lead_status(receipt: Receipt, event: LeadStatusReported, work: UnitOfWork) -> None:
    lead = leads.report_status(
        agency_for(receipt),
        provider=receipt.provider,
        identity=event.lead,
        status=event.status,
        stated=event.stated,
        previous_status=event.previous_status,
        changed_by=event.changed_by,
        contact=event.contact,
        text=event.text,
        is_preview=event.is_preview,
        by_person=event.by_person,
        origin=origin_of(receipt, event.occurred_at),
        work=work,
    )
    set_receipt_lead(receipt, lead)


def _add_note(
    receipt: Receipt,
    identity: Identity,
    text: str,
    occurred_at: datetime | None,
    work: UnitOfWork,
    *,
    contact: Contact = Contact(),
    tags: tuple[str, ...] | None = None,
) -> None:
    lead = leads.add_note(
        agency_for(receipt),
        provider=receipt.provider,
        identity=identity,
        text=text,
        contact=contact,
        tags=tags,
        origin=origin_of(receipt, occurred_at),
        work=work,
    )
    set_receipt_lead(receipt, lead)


def _apply_submission(receipt: Receipt, event: LeadSubmitted, work: UnitOfWork) -> None:
    lead = submissions.report_submission(
        agency_for(receipt),
        external_id=event.external_id,
        origin=origin_of(receipt, event.occurred_at),
        lead_type=event.lead_type,
        form=event.form,
        owner=event.owner,
        associated_entity=event.associated_entity,
        work=work,
    )
    set_receipt_lead(receipt, lead)


def _apply_withdrawal(receipt: Receipt, event: LeadWithdrawn, work: UnitOfWork) -> None:
    lead = erasure.report_withdrawal(
        agency_for(receipt),
        provider=receipt.provider,
        external_id=event.external_id,
        origin=origin_of(receipt, event.occurred_at),
        work=work,
    )
    set_receipt_lead(receipt, lead)
