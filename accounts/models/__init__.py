from accounts.models.account import Account, AccountReport
from accounts.models.agency import Agency, ApiKey, IdempotencyRecord, Member, SubAccount
from accounts.models.campaign import Campaign
from accounts.models.event import Event
from accounts.models.heartbeat import Heartbeat
from accounts.models.source import Source, SourceSecret

__all__ = [
    "Account",
    "AccountReport",
    "Agency",
    "ApiKey",
    "Campaign",
    "Event",
    "Heartbeat",
    "IdempotencyRecord",
    "Member",
    "Source",
    "SourceSecret",
    "SubAccount",
]
