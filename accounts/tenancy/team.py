"""Manage an agency's people: invite, add, change roles, remove. An agency always keeps an active owner."""

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

#: What each role is called and may do.
ROLES = {
    Role.OWNER.value: "an owner, who may do everything",
    Role.MANAGER.value: "a manager, who may do everything but change the team and API keys",
    Role.READ_ONLY.value: "read-only, who sees everything and changes nothing",
}
MAX_OPEN_INVITATIONS = 50
BETWEEN_MAILS = timedelta(minutes=5)
KNOWN_ALREADY = "This address has a password already: sign in with it."
_SIGNER_SALT = "accounts.invitation"


#: Called with each member who is removed, in the same transaction.
_removal_hooks: list[Callable[[Member], None]] = []


class InvitationGone(Exception):
    """An invitation whose link is no longer valid. The message says why."""


def on_removal(hook: Callable[[Member], None]) -> Callable[[Member], None]:
    """Register `hook` for what else ends when a member is removed."""
    _removal_hooks.append(hook)
    return hook


@transaction.atomic
def add_member(agency: Agency, *, user: User, role: Role, by: User | None = None) -> Member:
    """Add a user on behalf of staff, without an invitation. Raises FieldError if the user is a member already."""
    agency = _locked(agency)
    if agency.members.filter(user=user).exists():
        raise FieldError("user", f"{user} is a member already.")
    member = Member.objects.create(agency=agency, user=user, role=role)
    audit.added(by, member, f"Added as {role.value}.")
    return member


@transaction.atomic
def invite(agency: Agency, *, email: str, role: Role, invited_by: User | None = None) -> Invitation:
    """Invite a person by mail. Renew the invitation if the address has one; mail it at most once in five minutes.

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
    """Withdraw an invitation, so that its link no longer works."""
    audit.removed(by, invitation, "Withdrawn.")
    invitation.delete()


def invitation_url(invitation_id: str) -> str:
    """Return the link that accepts an invitation. Whoever holds the link counts as the invited person."""
    return f"{settings.PUBLIC_URL}/invitation/{_signer().sign(invitation_id)}"


def find_invitation(token: str) -> Invitation:
    """Return the open invitation of a link.

    Raises Invitation.DoesNotExist if Leadline never made the link, and InvitationGone if the invitation has ended.
    """
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
    """Return the user who has verified the invited address. No other existing user may accept the invitation."""
    return find_user_by_email(invitation.email)


def may_join(invitation: Invitation, user: User) -> bool:
    """Return whether the signed-in user, who holds the mailed link, is the invited person.

    That is the user who has verified the invited address. If nobody has, it is the user without a verified address
    whose e-mail is that address: the link proves the address, the password proves the user.
    """
    known = known_user(invitation)
    if known is not None:
        return known == user
    return not verified_email(user) and email_key(user.email) == invitation.email


@transaction.atomic
def join(token: str, *, user: User) -> Member:
    """Let an existing user join by an invitation. A member keeps their role. Raises InvitationGone and FieldError."""
    invitation = _taken(token)
    if not may_join(invitation, user):
        raise FieldError("user", f"This invitation is for {invitation.email}.")
    _prove(user, invitation)
    return Member.objects.get_or_create(agency=invitation.agency, user=user, defaults={"role": invitation.role})[0]


@transaction.atomic
def join_as_new_user(token: str, *, password: str, first_name: str = "", last_name: str = "") -> Member:
    """Create a user for the invited person and let them join. Raises InvitationGone and FieldError."""
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
    """Change the role of a member. Raises FieldError for the last owner."""
    member = _settled(member)
    if role != Role.OWNER:
        _keep_an_owner(member)
    audit.changed(by, member, f"Role changed from {member.role} to {role.value}.")
    member.role = role
    member.save(update_fields=["role"])
    return member


@transaction.atomic
def remove(member: Member, *, by: User | None = None) -> None:
    """Remove a person from the agency. Their user stays. Raises FieldError for the last owner."""
    member = _settled(member)
    _keep_an_owner(member)
    for hook in _removal_hooks:
        hook(member)
    audit.removed(by, member, "Removed.")
    member.delete()


def _prove(user: User, invitation: Invitation) -> None:
    """Mark the invited address as verified by the user, because the link was mailed to it."""
    try:
        mark_email_verified(user, invitation.email)
    except EmailTaken:  # another user accepted another invitation to this address just before
        raise FieldError("password", KNOWN_ALREADY) from None


def _taken(token: str) -> Invitation:
    """Mark the invitation as accepted and return it. Of two concurrent requests one succeeds."""
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
    """Lock the member's agency and return the current member, so that two owners cannot remove each other at once."""
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
