"""Apply We-Link's results. They name neither event nor account: the registered request says what they are about."""

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_noop

from accounts import services as accounts
from accounts.core.enums import AccountStatus, RequestAction
from accounts.core.unit_of_work import UnitOfWork
from accounts.events.ordering import Origin, Quarantine
from accounts.linkedin.matching import AccountIdentity
from accounts.models import Account, Agency
from leads.enums import LeadStatus
from leads.models import Lead, LeadReference, Message
from leads.pipeline import reports as leads
from leads.pipeline.dto import Contact, Identity
from leads.pipeline.merge import root_id
from leads.pipeline.provenance import ValueOrigin
from leads.pipeline.sendings import report_result
from webhooks.models import ProviderRequest, Receipt
from webhooks.providers.events import RequestOutcome

STATUSES = {  # error code --> the account's status
    "WRONG_PASSWORD": AccountStatus.AUTH_ERROR,
    "PIN_REQUIRED": AccountStatus.INCOMPLETE,
    "RECRUITER_ACKNOWLEDGEMENT_REQUIRED": AccountStatus.INCOMPLETE,
    "ACCOUNT_RESTRICTED": AccountStatus.BLOCKED,
}
RATE_LIMITED = "STATUS_429"
HISTORY_ONLY = {"PROXY_ERROR", "PROFILE_NOT_FOUND"}
DERIVED_STATUSES = {  # successful action --> the lead's status; a sent invitation says `connected: true` too early
    RequestAction.CONNECT: LeadStatus.CONNECTION_SENT,
    RequestAction.MESSAGE: LeadStatus.MESSAGE_SENT,
}
PROFILE = ("first_name", "last_name", "public_identifier", "occupation", "premium")


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultContext:
    """Hold what a result is about, as far as it is known."""

    action: RequestAction | None
    account: Account | None
    profile_id: str
    lead: Lead | None

    @property
    def lead_known(self) -> bool:
        return self.lead is not None or bool(self.profile_id)


def apply_result(
    receipt: Receipt, outcome: RequestOutcome, *, agency: Agency, origin: Origin, work: UnitOfWork
) -> None:
    """Apply one result. Raises Quarantine (`unknown_request`) until the agency registers the request."""
    receipt.correlation = outcome.request_id[:200]
    work.flush(Receipt, Account, Lead)
    context = _identify(receipt, outcome)
    receipt.lead_id = context.lead.id if context.lead else ""
    if outcome.succeeded and context.action is RequestAction.LOGIN:
        return _apply_sign_in(receipt, outcome, context, agency, origin, work)
    if outcome.reply or outcome.succeeded:
        return _apply_success(receipt, outcome, context, agency, origin, work)
    return _apply_failure(receipt, outcome, context, agency, origin, work)


def _identify(receipt: Receipt, outcome: RequestOutcome) -> ResultContext:
    request = (
        ProviderRequest.objects.select_related("account", "lead")
        .filter(source=receipt.source, request_id=outcome.request_id)
        .first()
    )
    action = outcome.action if outcome.stated or request is None else RequestAction(request.action)
    account = (request and request.account) or _account_of_earlier_receipt(receipt)
    profile_id = str(outcome.result.get("profile_id") or "")[:200]
    signs_in = action is RequestAction.LOGIN and outcome.succeeded and bool(profile_id)
    is_unknown_action = action is None and not outcome.code
    if is_unknown_action or (request is None and account is None and not signs_in):
        raise Quarantine(
            "unknown_request",
            gettext_noop("The request is not registered, and the result does not say what it was for."),
        )
    if account:
        receipt.account_id = account.id
    return ResultContext(action=action, account=account, profile_id=profile_id, lead=_requested_lead(request))


def _requested_lead(request: ProviderRequest | None) -> Lead | None:
    """Return the lead that a request is about, or its root record if it was merged."""
    lead = request.lead if request else None
    return Lead.objects.filter(pk=root_id(lead.pk)).first() if lead and lead.merged_into_id else lead


def _account_of_earlier_receipt(receipt: Receipt) -> Account | None:
    """Return the account of an earlier receipt with the same request id."""
    account_id = (
        Receipt.objects.filter(source=receipt.source, correlation=receipt.correlation, sequence__lt=receipt.sequence)
        .exclude(account_id="")
        .order_by("-sequence")
        .values_list("account_id", flat=True)
        .first()
    )
    return Account.objects.filter(pk=account_id).first() if account_id else None


def _apply_sign_in(
    receipt: Receipt, outcome: RequestOutcome, context: ResultContext, agency: Agency, origin: Origin, work: UnitOfWork
) -> None:
    profile: dict[str, Any] = {name: outcome.result.get(name) for name in PROFILE}
    profile = {name: value for name, value in profile.items() if isinstance(value, str | bool)}
    if not isinstance(profile.get("premium"), bool):
        profile.pop("premium", None)
    email = outcome.result.get("email")
    if context.account is None and not context.profile_id:
        raise Quarantine(
            "unknown_account", gettext_noop("The sign-in names no profile, and its request names no account.")
        )
    account = accounts.report_status(
        agency,
        provider=receipt.provider,
        identity=AccountIdentity(
            external_id=context.profile_id,
            email=email[:254] if isinstance(email, str) else "",
            profile={name: value[:200] if isinstance(value, str) else value for name, value in profile.items()},
        ),
        status=AccountStatus.ACTIVE,
        origin=origin,
        account=context.account,
        work=work,
    )
    receipt.account_id = account.id


def _apply_success(
    receipt: Receipt, outcome: RequestOutcome, context: ResultContext, agency: Agency, origin: Origin, work: UnitOfWork
) -> None:
    """Apply a success about a lead: its status, or the profile's data. A search changes nothing."""
    if context.action is RequestAction.SEARCH:
        return
    status = DERIVED_STATUSES.get(context.action) if context.action else None
    sent = None
    if outcome.reply:
        status = LeadStatus.REPLY_RECEIVED
    elif status is not None:
        sent = _report_sending(receipt, outcome, origin, work)
    identity = _identity(context, work)
    if status:
        lead = leads.report_status(
            agency,
            provider=receipt.provider,
            identity=identity,
            status=status,
            stated=False,
            origin=origin,
            account=context.account,
            lead=context.lead,
            text=outcome.text,
            # We-Link runs no sequences: who sends, asks for it. What Leadline sent is recorded with its author.
            by_person=status is LeadStatus.MESSAGE_SENT and sent is None,
            work=work,
        )
    else:
        text = "profile data received" if outcome.result.get("first_name") else "profile viewed"
        lead = leads.add_note(
            agency,
            provider=receipt.provider,
            identity=identity,
            text=text,
            contact=_contact(outcome),
            value_origin=ValueOrigin.SCRAPE,
            origin=origin,
            account=context.account,
            lead=context.lead,
            work=work,
        )
    receipt.lead_id = lead.id if lead else ""
    if lead is None:  # erased since
        receipt.body, receipt.headers = b"", {}


def _apply_failure(
    receipt: Receipt, outcome: RequestOutcome, context: ResultContext, agency: Agency, origin: Origin, work: UnitOfWork
) -> None:
    text = outcome.error or outcome.code
    if context.action in DERIVED_STATUSES:
        _report_sending(receipt, outcome, origin, work, error=text)
    if context.action is not RequestAction.LOGIN and context.lead_known:
        leads.add_note(
            agency,
            provider=receipt.provider,
            identity=_identity(context, work),
            text=text,
            origin=origin,
            account=context.account,
            lead=context.lead,
            work=work,
        )
    status = STATUSES.get(outcome.code)
    if status is None and context.action is RequestAction.LOGIN and outcome.code not in {RATE_LIMITED, *HISTORY_ONLY}:
        status = AccountStatus.AUTH_ERROR
    if status is None and outcome.code not in {RATE_LIMITED, *HISTORY_ONLY}:
        return
    if context.account is None:
        if context.lead_known:
            return
        raise Quarantine(
            "unknown_account", gettext_noop("The result is about an account that no request has named yet.")
        )
    _apply_account_failure(receipt, outcome, context.account, status, text, agency, origin, work)


def _report_sending(
    receipt: Receipt, outcome: RequestOutcome, origin: Origin, work: UnitOfWork, *, error: str = ""
) -> Message | None:
    """Report the result of a message that Leadline sent. Return the message, None if somebody else sent it."""
    thread_id = outcome.result.get("thread_id")
    return report_result(
        receipt.source,
        outcome.request_id,
        error=error,
        at=origin.at,
        thread_id=thread_id if isinstance(thread_id, str) else "",
        work=work,
    )


def _apply_account_failure(
    receipt: Receipt,
    outcome: RequestOutcome,
    account: Account,
    status: AccountStatus | None,
    text: str,
    agency: Agency,
    origin: Origin,
    work: UnitOfWork,
) -> None:
    identity = AccountIdentity(external_id=account.external_id or "")
    if status:
        detail = text if status is AccountStatus.AUTH_ERROR else ""
        accounts.report_status(
            agency,
            provider=receipt.provider,
            identity=identity,
            status=status,
            origin=origin,
            reason=text,
            error_detail=detail,
            account=account,
            work=work,
        )
    elif outcome.code == RATE_LIMITED:
        accounts.report_rate_limit(
            agency, provider=receipt.provider, identity=identity, origin=origin, account=account, work=work
        )
    else:
        accounts.report_problem(account, code=outcome.code, origin=origin, text=text, work=work)


def _identity(context: ResultContext, work: UnitOfWork) -> Identity:
    if not context.lead_known:
        raise Quarantine("unknown_lead", gettext_noop("The result names no profile, and its request names no lead."))
    external_id = context.profile_id
    if context.lead and not external_id:
        work.flush(LeadReference)
        reference = context.lead.references.filter(provider="welink").first() or context.lead.references.first()
        external_id = reference.external_id if reference else context.lead.id
    return Identity(external_id=external_id)


def _contact(outcome: RequestOutcome) -> Contact:
    def text(name: str) -> str:
        value = outcome.result.get(name)
        return value[:200] if isinstance(value, str) else ""

    return Contact(
        first_name=text("first_name"),
        last_name=text("last_name"),
        email=text("email"),
        title=text("occupation"),
        company=text("company"),
        location=text("location"),
    )
