"""Compute the times of a conversation from its messages."""

from datetime import datetime

from leads.enums import MessageAuthor, MessageState
from leads.models import Thread

#: Stored states of messages that a provider has received or sent.
CARRIED_OUT = ("", MessageState.SENT)


def update_times(thread: Thread) -> None:
    """Compute anew when the conversation's last message was, and since when the lead waits.

    A message that was not sent answers nobody.
    """
    authors: dict[str, list[datetime]] = {author: [] for author in MessageAuthor}
    rows = thread.messages.filter(sending_state__in=CARRIED_OUT).order_by("occurred_at", "pk")
    for author, at in rows.values_list("author", "occurred_at"):
        authors[author].append(at)
    received = authors[MessageAuthor.LEAD]
    answered_at = authors[MessageAuthor.MEMBER][-1] if authors[MessageAuthor.MEMBER] else None
    thread.last_message_at = max((at for times in authors.values() for at in times), default=thread.last_message_at)
    thread.last_received_at = received[-1] if received else None
    thread.waiting_since = next((at for at in received if answered_at is None or at > answered_at), None)
    thread.save(update_fields=["account", "last_message_at", "last_received_at", "waiting_since"])
