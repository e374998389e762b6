"""What the payload files say, to the last field: those about accounts here, LinkedIn's and SendPilot's beside it."""

from dataclasses import replace

from accounts.core.enums import AccountStatus, EventType, RequestAction
from leads.enums import LeadStatus
from leads.pipeline.dto import Contact, Identity
from tests.webhooks.providers.readings_of_leads import LINKEDIN, SENDPILOT, at
from webhooks.providers.events import (
    AccountRateLimited,
    AccountRef,
    AccountReported,
    AppInstalled,
    AppUninstalled,
    LeadNoted,
    LeadStatusReported,
    NothingToDo,
    ProviderEvent,
    RequestOutcome,
    Tenant,
)

# Salesflow


def salesflow_account(status: AccountStatus, reason: str = "") -> AccountReported:
    account = AccountRef(external_id="7688", email="natalia@example.com")
    return AccountReported(account=account, status=status, occurred_at=None, reason=reason)


JOHN = Identity(external_id="1234567890", linkedin_url="https://linkedin.com/in/john-smith-123321")
JOHNS_CONTACT = Contact(
    first_name="John",
    last_name="Smith",
    email="john@example.com",
    phone="123 4567890",
    title="Head of Sales",
    company="Smith & Co",
    industry="Banking",
    location="Austin, Texas",
)

SALESFLOW: dict[str, tuple[str, ProviderEvent]] = {
    "account_active": ("ACCOUNT_STATUS_CHANGED", salesflow_account(AccountStatus.ACTIVE)),
    "account_paused": ("ACCOUNT_STATUS_CHANGED", salesflow_account(AccountStatus.INCOMPLETE, "ACCOUNT_PAUSED")),
    "account_blocked": ("ACCOUNT_STATUS_CHANGED", salesflow_account(AccountStatus.DISCONNECTED, "ACCOUNT_BLOCKED")),
    "account_deleted": ("ACCOUNT_STATUS_CHANGED", salesflow_account(AccountStatus.DELETED, "ACCOUNT_DELETED")),
    "legacy_member_connected": (
        "MEMBER_CONNECTED",
        LeadStatusReported(
            lead=JOHN,
            status=LeadStatus.CONNECTION_ACCEPTED,
            stated=False,
            occurred_at=at(2021, 2, 18, 16, 33, 44, 590570),
            contact=JOHNS_CONTACT,
        ),
    ),
    "legacy_reply_detected": (
        "REPLY_DETECTED",
        LeadStatusReported(
            lead=JOHN, status=LeadStatus.REPLY_RECEIVED, stated=False, occurred_at=None, contact=JOHNS_CONTACT
        ),
    ),
    "legacy_invitation_withdrawn": (
        "INVITATION_WITHDRAWN",
        LeadNoted(lead=JOHN, note="Invitation withdrawn", occurred_at=None, contact=JOHNS_CONTACT),
    ),
    "legacy_followup": (
        "FOLLOWUP_SENT",
        LeadNoted(lead=JOHN, note="FOLLOWUP_SENT", occurred_at=None, contact=JOHNS_CONTACT),
    ),
}

# LinkedConnector

TENANT = Tenant(company_id="fhRhvcLbntMZs3hVo5L4", location_id="tdIePnL9kWCtdO7z6Md5")
JOHN_DOE = AccountRef(tenant=TENANT, name="John Doe")
MARCH_21 = at(2026, 3, 21, 0, 22, 16)


def linkedconnector_account(status: AccountStatus, passed_on: EventType, detail: str = "") -> AccountReported:
    return AccountReported(
        account=JOHN_DOE,
        status=status,
        occurred_at=MARCH_21,
        reason=detail,
        error_detail=detail,
        passed_on=passed_on,
    )


LINKEDCONNECTOR: dict[str, tuple[str, ProviderEvent]] = {
    "install": (
        "install",
        AppInstalled(
            tenant=TENANT,
            occurred_at=MARCH_21,
            installer_name="Daniel Marr",
            installer_email="daniel@example.com",
            ghl_user_id="bHclZxQvtmD5wT7SYwsc",
        ),
    ),
    "uninstall": ("uninstall", AppUninstalled(tenant=TENANT, occurred_at=MARCH_21)),
    "linkedin_disconnected": (
        "linkedin_disconnected",
        replace(
            linkedconnector_account(AccountStatus.DISCONNECTED, EventType.LINKEDIN_DISCONNECTED), reason="user_action"
        ),
    ),
    "linkedin_deleted": (
        "linkedin_deleted",
        linkedconnector_account(AccountStatus.DELETED, EventType.LINKEDIN_DELETED),
    ),
    "linkedin_blocked": (
        "linkedin_blocked",
        linkedconnector_account(AccountStatus.BLOCKED, EventType.LINKEDIN_BLOCKED),
    ),
    "linkedin_auth_error": (
        "linkedin_auth_error",
        linkedconnector_account(AccountStatus.AUTH_ERROR, EventType.LINKEDIN_AUTH_ERROR, "Token expired"),
    ),
    "linkedin_reconnected": (
        "linkedin_reconnected",
        linkedconnector_account(AccountStatus.ACTIVE, EventType.LINKEDIN_RECONNECTED),
    ),
    "linkedin_rate_limit": (
        "linkedin_rate_limit",
        AccountRateLimited(
            account=JOHN_DOE,
            occurred_at=MARCH_21,
            resets_at=at(2026, 3, 22),
            limit_type="Daily",
            api_name="Search People",
            passed_on=True,
        ),
    ),
}

# HighLevel

HIGHLEVEL: dict[str, tuple[str, ProviderEvent]] = {
    "install": (
        "INSTALL",
        AppInstalled(
            tenant=Tenant(company_id="fhRhvcLbntMZs3hVo5L4", location_id="otg8dTQqGLh3Q6iQI55w"),
            occurred_at=MARCH_21,
            ghl_user_id="nX3qLLvKkGyo2z3lLxZk",
            company_name="Example Company",
        ),
    ),
    "install_agency": (
        "INSTALL",
        AppInstalled(tenant=Tenant(company_id="fhRhvcLbntMZs3hVo5L4"), occurred_at=MARCH_21),
    ),
    "uninstall": (
        "UNINSTALL",
        AppUninstalled(tenant=Tenant(location_id="otg8dTQqGLh3Q6iQI55w"), occurred_at=MARCH_21),
    ),
    "plan_change": ("PLAN_CHANGE", NothingToDo(about="PLAN_CHANGE")),
}

# We-Link

TARGET = {"profile_id": "target-user-456"}


def failed(
    request_id: str, code: str, error: str, action: RequestAction | None = None, *, stated: bool = False
) -> RequestOutcome:
    return RequestOutcome(request_id=request_id, succeeded=False, action=action, stated=stated, code=code, error=error)


def worked(request_id: str, action: RequestAction, result: dict[str, object], *, reply: bool = False) -> RequestOutcome:
    return RequestOutcome(request_id=request_id, succeeded=True, action=action, stated=True, reply=reply, result=result)


LOGIN, MESSAGE = RequestAction.LOGIN, RequestAction.MESSAGE
WELINK: dict[str, tuple[str, ProviderEvent]] = {
    "login_success": (
        "LOGIN_SUCCESS",
        RequestOutcome(
            request_id="req-12345",
            succeeded=True,
            action=LOGIN,
            result={
                "first_name": "Jane",
                "last_name": "Doe",
                "profile_id": "jane-doe-123",
                "public_identifier": "jane-doe-public",
                "premium": True,
                "occupation": "Software Engineer",
                "email": "jane.doe@example.com",
            },
        ),
    ),
    "login_failed": ("WRONG_PASSWORD", failed("req-12345", "WRONG_PASSWORD", "WRONG_PASSWORD", LOGIN)),
    "login_failed_error_model": ("WRONG_PASSWORD", failed("req-12345", "WRONG_PASSWORD", "wrong password", LOGIN)),
    "login_failed_text": ("FAILED", failed("req-12345", "", "Password Incorrect")),
    "login_failed_named": ("LOGIN_FAILED", failed("req-12345", "", "Checkpoint required", LOGIN, stated=True)),
    "login_pin_required": (
        "PIN_REQUIRED",
        failed("req-12345", "PIN_REQUIRED", "Please provide the verification code sent to the user", LOGIN),
    ),
    "login_pin_required_named": (
        "LOGIN_PIN_REQUIRED",
        failed("req-12345", "PIN_REQUIRED", "Please provide the verification code", LOGIN, stated=True),
    ),
    "recruiter_acknowledgement_required": (
        "RECRUITER_ACKNOWLEDGEMENT_REQUIRED",
        failed("req-12345", "RECRUITER_ACKNOWLEDGEMENT_REQUIRED", "Another Recruiter session is active", LOGIN),
    ),
    "account_restricted": (
        "ACCOUNT_RESTRICTED",
        failed("req-12345", "ACCOUNT_RESTRICTED", "LinkedIn has restricted the account"),
    ),
    "rate_limited": ("STATUS_429", failed("req-67890", "STATUS_429", "STATUS_429")),
    "proxy_error": ("PROXY_ERROR", failed("req-12345", "PROXY_ERROR", "Proxy connection failed")),
    "profile_not_found": ("PROFILE_NOT_FOUND", failed("req-67890", "PROFILE_NOT_FOUND", "PROFILE_NOT_FOUND")),
    "connection_sent": (
        "SUCCESS",
        RequestOutcome(request_id="req-67890", succeeded=True, action=None, result={"connected": True, **TARGET}),
    ),
    "connection_sent_named": (
        "CONNECTION_SENT",
        worked("req-67890", RequestAction.CONNECT, {"connected": True, **TARGET}),
    ),
    "message_sent_named": ("MESSAGE_SENT", worked("req-67891", MESSAGE, {**TARGET})),
    "message_failed_named": (
        "MESSAGE_FAILED",
        failed("req-67891", "", "The recipient has closed their inbox", MESSAGE, stated=True),
    ),
    "message_reply": (
        "MESSAGE_REPLY",
        replace(
            worked("req-67891", MESSAGE, {**TARGET, "message": "Zoë says hi 👋"}, reply=True), text="Zoë says hi 👋"
        ),
    ),
    "profile_viewed": ("PROFILE_VIEWED", worked("req-67892", RequestAction.PROFILE, {**TARGET})),
    "profile_data": (
        "PROFILE_DATA",
        worked(
            "req-67893",
            RequestAction.PROFILE,
            {
                **TARGET,
                "first_name": "Zoë",
                "last_name": "Ångström",
                "occupation": "Head of Sales",
                "email": "zoe@example.com",
                "score": 1.0,
            },
        ),
    ),
    "search_completed": (
        "SEARCH_COMPLETED",
        worked(
            "req-67894",
            RequestAction.SEARCH,
            {"total": 2, "results": [{"profile_id": "a"}, {"profile_id": "b"}]},
        ),
    ),
}

READINGS: dict[str, tuple[str, ProviderEvent]] = {
    f"{slug}/{case}": reading
    for slug, cases in {
        "salesflow": SALESFLOW,
        "linkedconnector": LINKEDCONNECTOR,
        "highlevel": HIGHLEVEL,
        "linkedin": LINKEDIN,
        "sendpilot": SENDPILOT,
        "welink": WELINK,
    }.items()
    for case, reading in cases.items()
}
