"""Check what speaks for or against a message to a lead now, before a person sends it. Nothing is changed."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, time
from enum import StrEnum

from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.linkedin.readiness import Action, held
from accounts.tenancy.localtime import format_local_time
from leads.enums import EmailKind, EmailState, MessageAuthor, MessageState
from leads.inbox.ways import NoWay, way_of
from leads.models import Lead, Message, OutboundEmail, Thread
from leads.pipeline.dto import MAX_MESSAGE_LENGTH
from leads.sequences.contacts import BRAKE, connected_since
from leads.sequences.note_budget import NOTES, notes_left
from leads.sequences.template_fields import FIELDS
from leads.sequences.timing import FRIDAY
from leads.sequences.zones import zone_of

#: Between these local times a message is no surprise.
DAY_BEGINS, DAY_ENDS = time(8), time(19)
#: How much of the longest message may be used before a check says so.
NEARLY_FULL = 0.9


class Level(StrEnum):
    """List what a check found. With `STOP` nothing can be sent, with `WARN` a person should look first."""

    GOOD = "good"
    UNKNOWN = "unknown"
    WARN = "warn"
    STOP = "stop"


class Place(StrEnum):
    """List the pages on which what a check found is changed."""

    NONE = ""
    LEAD = "lead"
    ACCOUNT = "account"
    SOURCES = "sources"


@dataclass(frozen=True, slots=True)
class Check:
    """What one check found, and what helps: a sentence, and the page on which it is done."""

    name: str
    level: Level
    result: str
    fix: str = ""
    place: Place = Place.NONE


def preflight(thread: Thread, text: str = "", *, missing: Sequence[str] = ()) -> list[Check]:
    """Return all checks of a message in a conversation. `missing` are the fields that its template left empty."""
    now = timezone.now()
    return [
        _account_check(thread),
        _connection_check(thread.lead),
        _local_time_check(thread.lead, now),
        _last_touch_check(thread, now),
        _length_check(text),
        *_note_checks(thread, now),
        *_field_checks(missing),
    ]


def _account_check(thread: Thread) -> Check:
    name = _("Account")
    try:
        way = way_of(thread)
    except NoWay as error:
        places = {"no_key": Place.SOURCES, "no_sender": Place.ACCOUNT, "no_address": Place.LEAD}
        return Check(name, Level.STOP, str(error), place=places.get(error.code, Place.NONE))
    hold = held(way.account, Action.SEND_MESSAGE) if way.account else None
    if hold is not None:
        fix = _("A message waits until the account is ready, at most three days.")
        return Check(name, Level.WARN, hold.words, fix, Place.ACCOUNT)
    return Check(name, Level.GOOD, _("The account is ready to send."))


def _connection_check(lead: Lead) -> Check:
    name = _("Connection")
    since = connected_since(lead)
    if since is not None:
        return Check(name, Level.GOOD, _("Connected, as of %(when)s.") % {"when": format_local_time(since)})
    return Check(
        name,
        Level.UNKNOWN,
        _("No report says that the lead is a connection of this account."),
        _("LinkedIn refuses messages to people who are none. Have an invitation sent first."),
    )


def _local_time_check(lead: Lead, now: datetime) -> Check:
    name = _("Local time")
    zone = zone_of(lead)
    if zone is None:
        fix = _("Enter the lead's country or telephone number.")
        return Check(name, Level.UNKNOWN, _("It is not known where the lead lives."), fix, Place.LEAD)
    local = now.astimezone(zone)
    result = _("The lead's clock says %(when)s.") % {"when": format_local_time(now, zone)}
    if local.weekday() <= FRIDAY and DAY_BEGINS <= local.time() < DAY_ENDS:
        return Check(name, Level.GOOD, result)
    return Check(name, Level.WARN, result, _("Wait until it is a working day there, or send it anyway."))


def _last_touch_check(thread: Thread, now: datetime) -> Check:
    name = _("Last message")
    doubtful = Message.objects.filter(lead=thread.lead_id, sending_state=MessageState.UNKNOWN)
    if (message := doubtful.order_by("-occurred_at", "-pk").first()) is not None:
        when = format_local_time(message.occurred_at)
        result = _("It is not known whether the message of %(when)s was sent.") % {"when": when}
        return Check(name, Level.WARN, result, _("Look on LinkedIn before you write again."))
    found = max(_touches(thread), default=None, key=lambda touch: touch[0])
    if found is None:
        return Check(name, Level.GOOD, _("Nobody has written to this lead yet."))
    at, who, is_automatic = found
    result = _("%(who)s wrote on %(when)s.") % {"who": who, "when": format_local_time(at)}
    answered = thread.last_received_at is not None and thread.last_received_at > at
    if answered or now - at >= BRAKE:
        return Check(name, Level.GOOD, result)
    fix = (
        _("Read what the sequence has said before you write again.")
        if is_automatic
        else _("The lead has not answered yet: a second message within a day may be too much.")
    )
    return Check(name, Level.WARN, result, fix)


def _touches(thread: Thread) -> Iterator[tuple[datetime, str, bool]]:
    """Yield the newest message and the newest e-mail to the lead: when, by whom, and whether by an automation."""
    out = Message.objects.filter(lead=thread.lead_id).exclude(author=MessageAuthor.LEAD)
    sent = out.filter(sending_state__in=("", MessageState.SENT)).select_related("user")
    if (message := sent.order_by("-occurred_at", "-pk").first()) is not None:
        person = message.user.get_full_name() or message.user.username if message.user else _("Your team")
        is_automatic = message.author == MessageAuthor.AUTOMATION
        yield message.occurred_at, _("A sequence") if is_automatic else person, is_automatic
    mails = OutboundEmail.objects.filter(lead=thread.lead_id, kind=EmailKind.STEP, state=EmailState.SENT)
    at = mails.order_by("-sent_at").values_list("sent_at", flat=True).first()
    if at is not None:
        yield at, _("A sequence"), True


def _length_check(text: str) -> Check:
    name, most = _("Length"), {"n": len(text), "most": MAX_MESSAGE_LENGTH}
    if not text:
        return Check(name, Level.GOOD, _("A message here has at most %(most)d characters.") % most)
    result = _("%(n)d of at most %(most)d characters.") % most
    if len(text) > MAX_MESSAGE_LENGTH:
        return Check(name, Level.STOP, result, _("Shorten the text."))
    if len(text) > NEARLY_FULL * MAX_MESSAGE_LENGTH:
        return Check(name, Level.WARN, result, _("Shorten the text."))
    return Check(name, Level.GOOD, result)


def _note_checks(thread: Thread, now: datetime) -> Iterator[Check]:
    """Yield how many invitations of the account may still have a note, for a lead that is no connection."""
    if not thread.account_id or connected_since(thread.lead) is not None:
        return
    name, left = _("Notes"), notes_left(thread.account_id, now)
    result = _("%(n)d of %(all)d invitations of this account may still have a note within 30 days.") % {
        "n": left,
        "all": NOTES,
    }
    if left:
        yield Check(name, Level.GOOD, result)
    else:
        yield Check(name, Level.WARN, result, _("An invitation without a note can be sent still."))


def _field_checks(missing: Sequence[str]) -> Iterator[Check]:
    if missing:
        fields = ", ".join(str(FIELDS[name].label) for name in missing)
        result = _("The template found nothing for: %(fields)s.") % {"fields": fields}
        yield Check(
            _("Empty fields"), Level.WARN, result, _("Fill the gap in the text, or enter the value."), Place.LEAD
        )
