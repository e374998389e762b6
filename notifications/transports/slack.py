"""Post an event to a Slack incoming webhook, as Block Kit."""

import re
from typing import Any

from django.utils import translation
from django.utils.translation import gettext, gettext_noop

from accounts.core.text import shorten
from notifications.content.digest import render_message
from notifications.content.rendering import Message
from notifications.egress.session import GuardedSession
from notifications.message import PreparedDelivery
from notifications.models import ChannelKind
from notifications.transports.base import Outcome, Transport, TransportError
from notifications.transports.webhook import encode_body, outcome_of

MAX_FACTS = 10  # in a section
MAX_HEADER_LENGTH = 150
MAX_SECTION_LENGTH = 2900  # Slack accepts 3000; the rest is for the line “… and n more”
MAX_BLOCKS = 50
GONE = {  # Slack's error with 403, 404 or 410 (https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks)
    "channel_is_archived": gettext_noop("The channel was archived in Slack."),
    "channel_not_found": gettext_noop("The channel was deleted in Slack."),
    "no_service": gettext_noop("The webhook was removed in Slack."),
    "no_service_id": gettext_noop("The webhook was removed in Slack."),
    "no_active_hooks": gettext_noop("The webhook was switched off in Slack."),
    "no_team": gettext_noop("The workspace is gone from Slack."),
    "team_disabled": gettext_noop("The workspace was switched off in Slack."),
    "invalid_token": gettext_noop("The webhook's URL is not valid in Slack any more."),
}


class SlackTransport(Transport):
    kind = ChannelKind.SLACK

    async def send(self, prepared: PreparedDelivery, session: GuardedSession) -> Outcome:
        url = prepared.channel.url if prepared.channel else prepared.slack_url
        if not url:
            raise TransportError(gettext_noop("There is no Slack address for it any more."), permanent=True)
        body = encode_body(blocks_for(render_message(prepared)))
        answer = await session.post(url, body=body, headers={"Content-Type": "application/json"})
        try:
            return outcome_of(answer)
        except TransportError as error:
            error.gone = GONE.get(answer.excerpt.strip(), error.gone)
            raise


def blocks_for(message: Message) -> dict[str, Any]:
    """Return the body for an incoming webhook (https://docs.slack.dev/reference/block-kit), within Slack's limits."""
    facts = [
        {"type": "mrkdwn", "text": f"*{fact.label}*\n{f'<{fact.url}>' if fact.url else _escape(fact.value)}"}
        for fact in message.facts
    ]
    fields = [
        {"type": "section", "fields": facts[start : start + MAX_FACTS]} for start in range(0, len(facts), MAX_FACTS)
    ]
    header = {"type": "plain_text", "text": shorten(message.subject, MAX_HEADER_LENGTH), "emoji": False}
    link = {"type": "mrkdwn", "text": f"<{message.action_url}|{message.action_label}>"}
    with translation.override(message.language):
        texts = _texts(message, MAX_BLOCKS - 2 - len(fields))
    blocks: list[dict[str, Any]] = [
        {"type": "header", "text": header},
        *({"type": "section", "text": {"type": "mrkdwn", "text": text}} for text in texts),
        *fields,
        {"type": "context", "elements": [link]},
    ]
    return {"text": _escape(message.subject), "blocks": blocks}


def _texts(message: Message, limit: int) -> list[str]:
    """Return the escaped sentences in at most `limit` texts of whole lines, each short enough for a section.

    The last text says how many list entries were left out.
    """
    texts, lines = [""], message.slack.strip().splitlines()
    for place, line in enumerate(lines):
        for piece in _split_line(line):
            if texts[-1] and len(texts[-1]) + 1 + len(piece) > MAX_SECTION_LENGTH:
                texts.append("")
            texts[-1] += f"\n{piece}" if texts[-1] else piece
        if len(texts) > limit:
            del texts[limit:]
            more = sum(map(_count_entries, lines[place:]))
            texts[-1] += "\n" + (gettext("… and %(n)s more") % {"n": more} if more else "…")
            break
    return [text for text in texts if text]


def _split_line(line: str) -> list[str]:
    """Return a line, escaped, in pieces short enough for a section. Words stay whole."""
    pieces = [""]
    for word in re.split(r"(?<= )", line):
        for part in [word] if len(_escape(word)) <= MAX_SECTION_LENGTH else word:
            escaped = _escape(part)
            if len(pieces[-1]) + len(escaped) > MAX_SECTION_LENGTH:
                pieces.append("")
            pieces[-1] += escaped
    return pieces


def _count_entries(line: str) -> int:
    """Return how many list entries a line stands for."""
    more = re.fullmatch(r"… [^0-9]*([0-9]+)[^0-9]*", line)
    return int(more[1]) if more else int(line.startswith("• "))


def _escape(text: str) -> str:
    """Escape text for Slack, and break up what Slack could read as formatting."""
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return "".join(f"\u200b{char}" if char in "*_~`" else char for char in text)
