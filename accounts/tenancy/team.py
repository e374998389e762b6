"""An agency's people: invited, let in, given another role, removed. An agency always keeps an owner."""

from collections.abc import Callable
from datetime import timedelta

from django.conf import settings
from django.contrib.auth.models import User
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.signing import BadSignature, Signer
from django.db import transaction
from django.utils import timezone

from accounts.core import audit
from accounts.core.email_addresses import email_key, normalize_email
from accounts.core.enums import EventType, Role
from accounts.core.errors import FieldError
from accounts.events.outbox import record
from accounts.models import Agency, Invitation, Member
from accounts.models.agency import invitation_end
from accounts.tenancy.mail_limits import count_mail
from accounts.tenancy.verified_email import EmailTaken, find_user_by_email, mark_email_verified, verified_email

#: What each role is called, and may do.
ROLES = {
    Role.OWNER.value: "an owner, who may do everything",
    Role.MANAGER.value: "a manager, who may do everything but change the team and API keys",
    Role.READ_ONLY.value: "read-only, who sees everything and changes nothing",
}
MAX_OPEN_INVITATIONS = 50
BETWEEN_MAILS = timedelta(minutes=5)
KNOWN_ALREADY = "This address has a password already: sign in with it."
_SIGNER_SALT = "accounts.invitation"


#: Called with each member who is removed, in that transaction.
_removal_hooks: list[Callable[[Member], None]] = []


class InvitationGone(Exception):
    """The link was valid once. The message says what became of it."""


def on_removal(hook: Callable[[Member], None]) -> Callable[[Member], None]:
    """Register what else ends when a member is removed."""
    _removal_hooks.append(hook)
    return hook


@transaction.atomic
def add_member(agency: Agency, *, user: User, role: Role, by: User | None = None) -> Member:
    """Let a user in on behalf of staff, without an invitation. Raises FieldError for who is a member already."""
    agency = _locked(agency)
    if agency.members.filter(user=user).exists():
        raise FieldError("user", f"{user} is a member already.")
    member = Member.objects.create(agency=agency, user=user, role=role)
    audit.added(by, member, f"Added as {role.value}.")
    return member


@transaction.atomic
def invite(agency: Agency, *, email: str, role: Role, invited_by: User | None = None) -> Invitation:
    """Invite by mail. The same address again renews its invitation; it gets one mail in five minutes at most.

    Raises FieldError and TooManyMails.
    """
    email = _address(email)
    agency = _locked(agency)
    owner = find_user_by_email(email)
    if owner is not None and agency.members.filter(user=owner).exists():
        raise FieldError("email", f"{email} is a member already.")
    waiting = agency.invitations.filter(accepted_at__isnull=True)
    invitation = waiting.filter(email=email).first()
    if invitation is None:
        if waiting.count() >= MAX_OPEN_INVITATIONS:
            raise FieldError("email", "Too many invitations are waiting: withdraw some first.")
        invitation = agency.invitations.create(email=email, role=role, invited_by=invited_by)
        audit.added(invited_by, invitation, f"Invited as {role.value}.")
        _send(invitation)
        return invitation
    invitation.role, invitation.invited_by, invitation.expires_at = role, invited_by, invitation_end()
    if timezone.now() - invitation.sent_at >= BETWEEN_MAILS:
        invitation.sent_at = timezone.now()
        _send(invitation)
    invitation.save()
    audit.changed(invited_by, invitation, f"Invited again as {role.value}.")
    return invitation


@transaction.atomic
def withdraw(invitation: Invitation, *, by: User | None = None) -> None:
    """Take an invitation back: its link opens nothing any more."""
    audit.removed(by, invitation, "Withdrawn.")
    invitation.delete()


def invitation_url(invitation_id: str) -> str:
    """The link that lets somebody in: whoever has it is taken for the invited person."""
    return f"{settings.PUBLIC_URL}/invitation/{_signer().sign(invitation_id)}"


def find_invitation(token: str) -> Invitation:
    """The open invitation of a link. Raises Invitation.DoesNotExist (never made by us) and InvitationGone."""
    try:
        pk = _signer().unsign(token)
    except BadSignature:
        raise Invitation.DoesNotExist from None
    invitation = Invitation.objects.select_related("agency", "invited_by").filter(pk=pk).first()
    if invitation is None:
        raise InvitationGone("This invitation was withdrawn.")
    if invitation.accepted_at:
        raise InvitationGone("This invitation was accepted already: sign in.")
    if not invitation.is_open:
        raise InvitationGone("This invitation has expired. Ask for a new one.")
    return invitation


def known_user(invitation: Invitation) -> User | None:
    """Return who has verified the invited address: nobody else may accept with a password that exists already."""
    return find_user_by_email(invitation.email)


def may_join(invitation: Invitation, user: User) -> bool:
    """Whether the signed-in user, who holds the mailed link, is the invited person.

    It is the user who has verified the invited address. Where nobody has, it is the user whose only address it is: the
    link proves the address, the password proves the user.
    """
    known = known_user(invitation)
    if known is not None:
        return known == user
    return not verified_email(user) and email_key(user.email) == invitation.email


@transaction.atomic
def join(token: str, *, user: User) -> Member:
    """Let a known person in; who is a member already stays what they are. Raises InvitationGone and FieldError."""
    invitation = _taken(token)
    if not may_join(invitation, user):
        raise FieldError("user", f"This invitation is for {invitation.email}.")
    _prove(user, invitation)
    return Member.objects.get_or_create(agency=invitation.agency, user=user, defaults={"role": invitation.role})[0]


@transaction.atomic
def join_as_new_user(token: str, *, password: str, first_name: str = "", last_name: str = "") -> Member:
    """Make the invited person known, and let them in. Raises InvitationGone and FieldError."""
    invitation = _taken(token)
    if known_user(invitation):
        raise FieldError("password", KNOWN_ALREADY)
    user = User(username=invitation.email[:150], email=invitation.email, first_name=first_name, last_name=last_name)
    if User.objects.filter(username__iexact=user.username).exists():
        user.username = invitation.id
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise FieldError("password", " ".join(error.messages)) from None
    user.set_password(password)
    user.save()
    _prove(user, invitation)
    return Member.objects.create(agency=invitation.agency, user=user, role=invitation.role)


@transaction.atomic
def change_role(member: Member, role: Role, *, by: User | None = None) -> Member:
    """Give a member another role. Raises FieldError for the last owner."""
    member = _settled(member)
    if role != Role.OWNER:
        _keep_an_owner(member)
    audit.changed(by, member, f"Role changed from {member.role} to {role.value}.")
    member.role = role
    member.save(update_fields=["role"])
    return member


@transaction.atomic
def remove(member: Member, *, by: User | None = None) -> None:
    """Take a person out of the agency; their sign-in stays. Raises FieldError for the last owner."""
    member = _settled(member)
    _keep_an_owner(member)
    for hook in _removal_hooks:
        hook(member)
    audit.removed(by, member, "Removed.")
    member.delete()


def _prove(user: User, invitation: Invitation) -> None:
    """Mark the invited address as the user's: the link was mailed to it."""
    try:
        mark_email_verified(user, invitation.email)
    except EmailTaken:  # by somebody who accepted another invitation at the same moment
        raise FieldError("password", KNOWN_ALREADY) from None


def _taken(token: str) -> Invitation:
    """The invitation, locked and marked as accepted: of two clicks one comes through."""
    pk = find_invitation(token).pk
    taken = Invitation.objects.filter(pk=pk, accepted_at__isnull=True).update(accepted_at=timezone.now())
    if not taken:
        raise InvitationGone("This invitation was accepted already: sign in.")
    return Invitation.objects.select_related("agency").get(pk=pk)


def _keep_an_owner(member: Member) -> None:
    owners = Member.objects.filter(agency=member.agency, role=Role.OWNER, user__is_active=True)
    others = owners.exclude(pk=member.pk)
    if member.role == Role.OWNER and not others.exists():
        raise FieldError("role", "An agency needs an owner: make somebody else one first.")


def _settled(member: Member) -> Member:
    """The member as it stands, with its agency locked: two owners cannot remove each other at once."""
    _locked(member.agency)
    return Member.objects.select_related("agency").get(pk=member.pk)


def _locked(agency: Agency) -> Agency:
    return Agency.objects.select_for_update(no_key=True).get(pk=agency.pk)


def _address(email: str) -> str:
    try:
        return normalize_email(email)
    except ValidationError:
        raise FieldError("email", "Enter an e-mail address.") from None


def _send(invitation: Invitation) -> None:
    count_mail(invitation.email, agency=invitation.agency)
    record(
        invitation.agency,
        EventType.MEMBER_INVITED,
        subject=invitation.pk,
        recipient=invitation.email,
        role=invitation.role,
    )


def _signer() -> Signer:
    return Signer(salt=_SIGNER_SALT, sep="~")
