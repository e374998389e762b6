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
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.core.email_addresses import email_key, normalize_email
from accounts.core.enums import EventType, Role
from accounts.core.errors import FieldError
from accounts.events.outbox import record_event
from accounts.models import Agency, Invitation, Member
from accounts.models.agency import invitation_end
from accounts.tenancy import audit
from accounts.tenancy.mail_limits import count_mail
from accounts.tenancy.members import availability_changed
from accounts.tenancy.verified_email import EmailTaken, find_user_by_email, mark_email_verified, verified_email

#: What each role is called and may do.
ROLES = {
    Role.OWNER.value: _("an owner, who may do everything"),
    Role.MANAGER.value: _("a manager, who may do everything but change the team and API keys"),
    Role.READ_ONLY.value: _("a read-only member, who sees everything and changes nothing"),
}
MAX_OPEN_INVITATIONS = 50
MAIL_INTERVAL = timedelta(minutes=5)
SIGN_IN_INSTEAD = "This address has a password already: sign in with it."
_SIGNER_SALT = "accounts.invitation"


#: Called with each member who is removed, in the same transaction.
_removal_hooks: list[Callable[[Member], None]] = []


class InvitationGone(Exception):
    """An invitation whose link is no longer valid. The message says why."""


def on_member_removal(hook: Callable[[Member], None]) -> Callable[[Member], None]:
    """Register `hook` for what else ends when a member is removed."""
    _removal_hooks.append(hook)
    return hook


@transaction.atomic
def add_member(agency: Agency, *, user: User, role: Role, by: User | None = None) -> Member:
    """Add a user on behalf of staff, without an invitation. Raises FieldError if the user is a member already."""
    agency = _lock_agency(agency)
    if agency.members.filter(user=user).exists():
        raise FieldError("user", gettext("%(user)s is a member already.") % {"user": user})
    member = Member.objects.create(agency=agency, user=user, role=role)
    audit.log_creation(by, member, "Added", role.value)
    return member


@transaction.atomic
def invite_member(agency: Agency, *, email: str, role: Role, invited_by: User | None = None) -> Invitation:
    """Invite a person by mail. Renew the invitation if the address has one; mail it at most once in five minutes.

    Raises FieldError and TooManyMails.
    """
    email = _normalized(email)
    agency = _lock_agency(agency)
    owner = find_user_by_email(email)
    if owner is not None and agency.members.filter(user=owner).exists():
        raise FieldError("email", gettext("%(email)s is a member already.") % {"email": email})
    waiting = agency.invitations.filter(accepted_at__isnull=True)
    invitation = waiting.filter(email=email).first()
    if invitation is None:
        if waiting.count() >= MAX_OPEN_INVITATIONS:
            raise FieldError("email", gettext("Too many invitations are waiting: withdraw some first."))
        invitation = agency.invitations.create(email=email, role=role, invited_by=invited_by)
        audit.log_creation(invited_by, invitation, "Invited", role.value)
        _record_invitation_mail(invitation)
        return invitation
    invitation.role, invitation.invited_by, invitation.expires_at = role, invited_by, invitation_end()
    if timezone.now() - invitation.sent_at >= MAIL_INTERVAL:
        invitation.sent_at = timezone.now()
        _record_invitation_mail(invitation)
    invitation.save()
    audit.log_change(invited_by, invitation, "Invited again", role.value)
    return invitation


@transaction.atomic
def withdraw_invitation(invitation: Invitation, *, by: User | None = None) -> None:
    """Withdraw an invitation, so that its link no longer works."""
    audit.log_deletion(by, invitation, "Revoked")
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
        raise InvitationGone(gettext("This invitation was withdrawn."))
    if invitation.accepted_at:
        raise InvitationGone(gettext("This invitation was accepted already: sign in."))
    if not invitation.is_open:
        raise InvitationGone(gettext("This invitation has expired. Ask for a new one."))
    return invitation


def invited_user(invitation: Invitation) -> User | None:
    """Return the user who has verified the invited address. No other existing user may accept the invitation."""
    return find_user_by_email(invitation.email)


def is_invited_user(invitation: Invitation, user: User) -> bool:
    """Return whether the signed-in user, who holds the mailed link, is the invited person.

    That is the user who has verified the invited address. If nobody has, it is the user without a verified address
    whose e-mail is that address: the link proves the address, the password proves the user.
    """
    known = invited_user(invitation)
    if known is not None:
        return known == user
    return not verified_email(user) and email_key(user.email) == invitation.email


@transaction.atomic
def accept_invitation(token: str, *, user: User) -> Member:
    """Let an existing user join by an invitation. A member keeps their role. Raises InvitationGone and FieldError."""
    invitation = _mark_accepted(token)
    if not is_invited_user(invitation, user):
        raise FieldError("user", gettext("This invitation is for %(email)s.") % {"email": invitation.email})
    _mark_verified(user, invitation)
    return Member.objects.get_or_create(agency=invitation.agency, user=user, defaults={"role": invitation.role})[0]


@transaction.atomic
def accept_invitation_as_new_user(token: str, *, password: str, first_name: str = "", last_name: str = "") -> Member:
    """Create a user for the invited person and let them join. Raises InvitationGone and FieldError."""
    invitation = _mark_accepted(token)
    if invited_user(invitation):
        raise FieldError("password", SIGN_IN_INSTEAD)
    user = User(username=invitation.email[:150], email=invitation.email, first_name=first_name, last_name=last_name)
    if User.objects.filter(username__iexact=user.username).exists():
        user.username = invitation.id
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise FieldError("password", " ".join(error.messages)) from None
    user.set_password(password)
    user.save()
    _mark_verified(user, invitation)
    return Member.objects.create(agency=invitation.agency, user=user, role=invitation.role)


@transaction.atomic
def change_role(member: Member, role: Role, *, by: User | None = None) -> Member:
    """Change the role of a member. Raises FieldError for the last owner."""
    member = _lock_member(member)
    if role != Role.OWNER:
        _require_another_owner(member)
    audit.log_change(by, member, "Role changed", f"{member.role} → {role.value}")
    member.role = role
    member.save(update_fields=["role"])
    availability_changed(member)
    return member


@transaction.atomic
def remove_member(member: Member, *, by: User | None = None) -> None:
    """Remove a person from the agency. Their user stays. Raises FieldError for the last owner."""
    member = _lock_member(member)
    _require_another_owner(member)
    for hook in _removal_hooks:
        hook(member)
    audit.log_deletion(by, member, "Removed")
    member.delete()


def _mark_verified(user: User, invitation: Invitation) -> None:
    """Mark the invited address as verified by the user, because the link was mailed to it."""
    try:
        mark_email_verified(user, invitation.email)
    except EmailTaken:  # another user accepted another invitation to this address just before
        raise FieldError("password", SIGN_IN_INSTEAD) from None


def _mark_accepted(token: str) -> Invitation:
    """Mark the invitation as accepted and return it. Of two concurrent requests one succeeds."""
    pk = find_invitation(token).pk
    updated = Invitation.objects.filter(pk=pk, accepted_at__isnull=True).update(accepted_at=timezone.now())
    if not updated:
        raise InvitationGone(gettext("This invitation was accepted already: sign in."))
    return Invitation.objects.select_related("agency").get(pk=pk)


def _require_another_owner(member: Member) -> None:
    owners = Member.objects.filter(agency=member.agency, role=Role.OWNER, user__is_active=True)
    others = owners.exclude(pk=member.pk)
    if member.role == Role.OWNER and not others.exists():
        raise FieldError("role", gettext("An agency needs an owner: make somebody else one first."))


def _lock_member(member: Member) -> Member:
    """Lock the member's agency and return the current member, so that two owners cannot remove each other at once."""
    _lock_agency(member.agency)
    return Member.objects.select_related("agency").get(pk=member.pk)


def _lock_agency(agency: Agency) -> Agency:
    return Agency.objects.select_for_update(no_key=True).get(pk=agency.pk)


def _normalized(email: str) -> str:
    try:
        return normalize_email(email)
    except ValidationError:
        raise FieldError("email", gettext("Enter an e-mail address.")) from None


def _record_invitation_mail(invitation: Invitation) -> None:
    count_mail(invitation.email, agency=invitation.agency)
    record_event(
        invitation.agency,
        EventType.MEMBER_INVITED,
        subject=invitation.pk,
        recipient=invitation.email,
        role=invitation.role,
    )


def _signer() -> Signer:
    return Signer(salt=_SIGNER_SALT, sep="~")
