from accounts.models.account import Account, AccountReport
from accounts.models.agency import Agency, ApiKey, IdempotencyRecord, Invitation, Member, SubAccount
from accounts.models.campaign import Campaign
from accounts.models.event import Event
from accounts.models.heartbeat import Heartbeat
from accounts.models.reauth import AccountToken, ReauthPrompt, ReauthStep
from accounts.models.source import Source, SourceSecret

__all__ = [
    "Account",
    "AccountReport",
    "AccountToken",
    "Agency",
    "ApiKey",
    "Campaign",
    "Event",
    "Heartbeat",
    "IdempotencyRecord",
    "Invitation",
    "Member",
    "ReauthPrompt",
    "ReauthStep",
    "Source",
    "SourceSecret",
    "SubAccount",
]
