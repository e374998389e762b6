"""Define the sentences with values that are stored of attempts, deliveries and channels."""

from django.utils.translation import gettext_noop

from accounts.core.wording import Wording

ANSWERED = Wording("receiver_answered", gettext_noop("The receiver answered %(status)s."))
ADDRESS_REFUSED = Wording("mail_address_refused", gettext_noop("The mail server refused the address (%(codes)s)."))
MAIL_REFUSED = Wording("mail_refused", gettext_noop("The mail server did not take it (%(error)s)."))
NOT_SENT = Wording("not_sent", gettext_noop("Leadline could not send it (%(error)s)."))
NOT_DONE = Wording("attempt_timeout", gettext_noop("Not done within %(seconds)s seconds."))
NOT_CONNECTED_IN_TIME = Wording("connect_timeout", gettext_noop("No connection within %(seconds)s seconds."))
NOT_ANSWERED_IN_TIME = Wording("answer_timeout", gettext_noop("No answer within %(seconds)s seconds."))
NOT_CONNECTED = Wording("not_connected", gettext_noop("No connection: %(reason)s."))
REQUEST_FAILED = Wording("request_failed", gettext_noop("The request failed (%(error)s)."))
IN_INCIDENT = Wording("in_incident", gettext_noop("Told in the incident %(incident)s."))
CHANNEL_WAS_OFF = Wording("channel_was_off", gettext_noop("The channel was off: %(reason)s"))
MAIL_CAME_BACK = Wording("mail_came_back", gettext_noop("Mail to this address came back: %(reason)s"))
#: What the system says of a connection that fails (errno) --> in words.
REFUSED = gettext_noop("refused")
CONNECTION_ERRORS = {
    "Connection refused": REFUSED,
    "No route to host": gettext_noop("no route to the host"),
    "Network is unreachable": gettext_noop("the network is unreachable"),
    "Connection timed out": gettext_noop("timed out"),
}
