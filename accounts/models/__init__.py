from accounts.models.account import Account, AccountReport
from accounts.models.agency import Agency, ApiKey, IdempotencyRecord, Invitation, Member, SubAccount
from accounts.models.campaign import Campaign, Sender
from accounts.models.event import Event
from accounts.models.heartbeat import Heartbeat
from accounts.models.incident import Drop, Incident, IncidentStep
from accounts.models.link import AccountLink
from accounts.models.mail_count import MailCount
from accounts.models.order import CampaignCall, CampaignOrder
from accounts.models.reauth import AccountToken, BouncedAddress, ReauthPrompt, ReauthStep
from accounts.models.retention import RetentionRun
from accounts.models.source import Source, SourceSecret
from accounts.models.trouble import SourceTrouble

__all__ = [
    "Account",
    "AccountLink",
    "AccountReport",
    "AccountToken",
    "Agency",
    "ApiKey",
    "BouncedAddress",
    "Campaign",
    "CampaignCall",
    "CampaignOrder",
    "Drop",
    "Event",
    "Heartbeat",
    "IdempotencyRecord",
    "Incident",
    "IncidentStep",
    "Invitation",
    "MailCount",
    "Member",
    "ReauthPrompt",
    "ReauthStep",
    "RetentionRun",
    "Sender",
    "Source",
    "SourceSecret",
    "SourceTrouble",
    "SubAccount",
]
