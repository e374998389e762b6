from accounts.models.account import Account, AccountReport
from accounts.models.agency import Agency, ApiKey, IdempotencyRecord, Invitation, Member, SubAccount
from accounts.models.audit import AuditEntry
from accounts.models.brand import Brand, BrandLogo
from accounts.models.calendar import Calendar, CalendarException
from accounts.models.campaign import Campaign, Sender
from accounts.models.command import CampaignCall, CampaignCommand
from accounts.models.event import Event
from accounts.models.heartbeat import Heartbeat
from accounts.models.incident import Incident, IncidentStep, Outage
from accounts.models.issue import SourceIssue
from accounts.models.link import AccountLink
from accounts.models.mail_count import MailCount
from accounts.models.preference import Preference
from accounts.models.reaction import Reaction
from accounts.models.reauth import AccountToken, BouncedAddress, ReauthPrompt, ReauthStep
from accounts.models.retention import RetentionRun
from accounts.models.source import Source, SourceSecret

__all__ = [
    "Account",
    "AccountLink",
    "AccountReport",
    "AccountToken",
    "Agency",
    "ApiKey",
    "AuditEntry",
    "BouncedAddress",
    "Brand",
    "BrandLogo",
    "Calendar",
    "CalendarException",
    "Campaign",
    "CampaignCall",
    "CampaignCommand",
    "Event",
    "Heartbeat",
    "IdempotencyRecord",
    "Incident",
    "IncidentStep",
    "Invitation",
    "MailCount",
    "Member",
    "Outage",
    "Preference",
    "Reaction",
    "ReauthPrompt",
    "ReauthStep",
    "RetentionRun",
    "Sender",
    "Source",
    "SourceIssue",
    "SourceSecret",
    "SubAccount",
]
