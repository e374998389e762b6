"""We-Link's answers: they name neither event nor account, so the registered request says what they are about."""

from dataclasses import dataclass
from typing import Any

from accounts import services as accounts
from accounts.core.enums import AccountStatus, RequestAction
from accounts.core.unit_of_work import UnitOfWork
from accounts.events.ordering import Origin, Quarantine
from accounts.linkedin.matching import AccountIdentity
from accounts.models import Account, Agency
from leads.enums import LeadStatus
from leads.models import Lead, LeadReference
from leads.pipeline import reports as leads
from leads.pipeline.dto import Contact, Identity
from leads.pipeline.merge import shown_id
from leads.pipeline.provenance import Origin as From
from webhooks.models import ProviderRequest, Receipt
from webhooks.providers.events import RequestOutcome

STATUSES = {  # their error code --> the account's status
    "WRONG_PASSWORD": AccountStatus.AUTH_ERROR,
    "PIN_REQUIRED": AccountStatus.INCOMPLETE,
    "RECRUITER_ACKNOWLEDGEMENT_REQUIRED": AccountStatus.INCOMPLETE,
    "ACCOUNT_RESTRICTED": AccountStatus.BLOCKED,
}
RATE_LIMITED = "STATUS_429"
HISTORY_ONLY = {"PROXY_ERROR", "PROFILE_NOT_FOUND"}
PROGRESS = {  # what succeeded --> where the lead stands; a sent invitation says `connected: true`
    RequestAction.CONNECT: LeadStatus.CONNECTION_SENT,
    RequestAction.MESSAGE: LeadStatus.MESSAGE_SENT,
}
PROFILE = ("first_name", "last_name", "public_identifier", "occupation", "premium")


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What an answer is about, as far as it can be told."""

    action: RequestAction | None
    account: Account | None
    profile_id: str
    lead: Lead | None

    @property
    def lead_known(self) -> bool:
        return self.lead is not None or bool(self.profile_id)


def apply(receipt: Receipt, outcome: RequestOutcome, *, agency: Agency, origin: Origin, work: UnitOfWork) -> None:
    """Apply one answer. Raises Quarantine (`unknown_request`) until somebody says what the request was for."""
    receipt.correlation = outcome.request_id[:200]
    work.flush(Receipt, Account, Lead)
    about = _about(receipt, outcome)
    receipt.lead_id = about.lead.id if about.lead else ""
    if outcome.succeeded and about.action is RequestAction.LOGIN:
        return _signed_in(receipt, outcome, about, agency, origin, work)
    if outcome.reply or outcome.succeeded:
        return _progress(receipt, outcome, about, agency, origin, work)
    return _failure(receipt, outcome, about, agency, origin, work)


def _about(receipt: Receipt, outcome: RequestOutcome) -> About:
    request = (
        ProviderRequest.objects.select_related("account", "lead")
        .filter(source=receipt.source, request_id=outcome.request_id)
        .first()
    )
    action = outcome.action if outcome.stated or request is None else RequestAction(request.action)
    account = (request and request.account) or _account_of_earlier(receipt)
    profile_id = str(outcome.result.get("profile_id") or "")[:200]
    signs_in = action is RequestAction.LOGIN and outcome.succeeded and bool(profile_id)
    untold = action is None and not outcome.code
    if untold or (request is None and account is None and not signs_in):
        raise Quarantine("unknown_request", "Nobody has said what this request was for, and the answer does not tell.")
    if account:
        receipt.account_id = account.id
    return About(action=action, account=account, profile_id=profile_id, lead=_lead_of(request))


def _lead_of(request: ProviderRequest | None) -> Lead | None:
    """The lead that a request is about; if its record was merged, the one that is shown."""
    lead = request.lead if request else None
    return Lead.objects.filter(pk=shown_id(lead.pk)).first() if lead and lead.merged_into_id else lead


def _account_of_earlier(receipt: Receipt) -> Account | None:
    """The account of an earlier receipt with the same request id."""
    account_id = (
        Receipt.objects.filter(source=receipt.source, correlation=receipt.correlation, sequence__lt=receipt.sequence)
        .exclude(account_id="")
        .order_by("-sequence")
        .values_list("account_id", flat=True)
        .first()
    )
    return Account.objects.filter(pk=account_id).first() if account_id else None


def _signed_in(
    receipt: Receipt, outcome: RequestOutcome, about: About, agency: Agency, origin: Origin, work: UnitOfWork
) -> None:
    profile: dict[str, Any] = {name: outcome.result.get(name) for name in PROFILE}
    profile = {name: value for name, value in profile.items() if isinstance(value, str | bool)}
    if not isinstance(profile.get("premium"), bool):
        profile.pop("premium", None)
    email = outcome.result.get("email")
    if about.account is None and not about.profile_id:
        raise Quarantine("unknown_account", "The sign-in names no profile, and its request no account.")
    account = accounts.report_status(
        agency,
        provider=receipt.provider,
        identity=AccountIdentity(
            external_id=about.profile_id,
            email=email[:254] if isinstance(email, str) else "",
            profile={name: value[:200] if isinstance(value, str) else value for name, value in profile.items()},
        ),
        status=AccountStatus.ACTIVE,
        origin=origin,
        account=about.account,
        work=work,
    )
    receipt.account_id = account.id


def _progress(
    receipt: Receipt, outcome: RequestOutcome, about: About, agency: Agency, origin: Origin, work: UnitOfWork
) -> None:
    """Something about a lead worked; a search makes no lead, a profile fills what is empty."""
    if about.action is RequestAction.SEARCH:
        return
    status = PROGRESS.get(about.action) if about.action else None
    if outcome.reply:
        status = LeadStatus.REPLY_RECEIVED
    identity = _identity(about, work)
    if status:
        lead = leads.report_status(
            agency,
            provider=receipt.provider,
            identity=identity,
            status=status,
            stated=False,
            origin=origin,
            account=about.account,
            lead=about.lead,
            work=work,
        )
    else:
        text = "profile data received" if outcome.result.get("first_name") else "profile viewed"
        lead = leads.note(
            agency,
            provider=receipt.provider,
            identity=identity,
            text=text,
            contact=_contact(outcome),
            came_from=From.SCRAPE,
            origin=origin,
            account=about.account,
            lead=about.lead,
            work=work,
        )
    receipt.lead_id = lead.id if lead else ""
    if lead is None:  # erased since
        receipt.body, receipt.headers = b"", {}


def _failure(
    receipt: Receipt, outcome: RequestOutcome, about: About, agency: Agency, origin: Origin, work: UnitOfWork
) -> None:
    text = outcome.error or outcome.code
    if about.action is not RequestAction.LOGIN and about.lead_known:
        leads.note(
            agency,
            provider=receipt.provider,
            identity=_identity(about, work),
            text=text,
            origin=origin,
            account=about.account,
            lead=about.lead,
            work=work,
        )
    status = STATUSES.get(outcome.code)
    if status is None and about.action is RequestAction.LOGIN and outcome.code not in {RATE_LIMITED, *HISTORY_ONLY}:
        status = AccountStatus.AUTH_ERROR
    if status is None and outcome.code not in {RATE_LIMITED, *HISTORY_ONLY}:
        return
    if about.account is None:
        if about.lead_known:
            return
        raise Quarantine("unknown_account", "The answer is about an account that nobody has named yet.")
    _about_account(receipt, outcome, about.account, status, text, agency, origin, work)


def _about_account(
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


def _identity(about: About, work: UnitOfWork) -> Identity:
    if not about.lead_known:
        raise Quarantine("unknown_lead", "The answer names no profile, and its request no lead.")
    external_id = about.profile_id
    if about.lead and not external_id:
        work.flush(LeadReference)
        reference = about.lead.references.filter(provider="welink").first() or about.lead.references.first()
        external_id = reference.external_id if reference else about.lead.id
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
