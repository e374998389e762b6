"""Slack: the event's words as Block Kit, posted to an incoming webhook."""

from typing import Any

from notifications.content.digest import message_for
from notifications.content.rendering import Message
from notifications.egress.session import GuardedSession
from notifications.message import Parcel
from notifications.models import ChannelKind
from notifications.transports.base import Outcome, Transport, TransportError
from notifications.transports.webhook import encode, judge

MAX_FACTS = 10  # what a section may hold
MAX_HEADER_LENGTH = 150
MAX_SECTION_LENGTH = 2900
GONE = {  # Slack's word, with 403, 404 or 410 (https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks)
    "channel_is_archived": "The channel was archived in Slack.",
    "channel_not_found": "The channel was deleted in Slack.",
    "no_service": "The webhook was removed in Slack.",
    "no_service_id": "The webhook was removed in Slack.",
    "no_active_hooks": "The webhook was switched off in Slack.",
    "no_team": "The workspace is gone from Slack.",
    "team_disabled": "The workspace was switched off in Slack.",
    "invalid_token": "The webhook's URL is not valid in Slack any more.",
}


class SlackTransport(Transport):
    kind = ChannelKind.SLACK

    async def send(self, parcel: Parcel, session: GuardedSession) -> Outcome:
        url = parcel.channel.url if parcel.channel else parcel.slack_url
        if not url:
            raise TransportError("There is no Slack address for it any more.", permanent=True)
        body = encode(blocks_for(message_for(parcel)))
        answer = await session.post(url, body=body, headers={"Content-Type": "application/json"})
        try:
            return judge(answer)
        except TransportError as error:
            error.gone = GONE.get(answer.excerpt.strip(), error.gone)
            raise


def blocks_for(message: Message) -> dict[str, Any]:
    """Body for an incoming webhook (https://docs.slack.dev/reference/block-kit)."""
    blocks: list[dict[str, Any]] = [
        {"type": "header", "text": {"type": "plain_text", "text": message.subject[:MAX_HEADER_LENGTH], "emoji": False}},
        {"type": "section", "text": {"type": "mrkdwn", "text": _escape(message.slack)[:MAX_SECTION_LENGTH]}},
    ]
    if message.facts:
        fields = [
            {"type": "mrkdwn", "text": f"*{fact.label}*\n{f'<{fact.url}>' if fact.url else _escape(fact.value)}"}
            for fact in message.facts[:MAX_FACTS]
        ]
        blocks.append({"type": "section", "fields": fields})
    link = {"type": "mrkdwn", "text": f"<{message.action_url}|{message.action_label}>"}
    blocks.append({"type": "context", "elements": [link]})
    return {"text": _escape(message.subject), "blocks": blocks}


def _escape(text: str) -> str:
    """Slack's three escapes; what could be read as formatting is broken up."""
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return "".join(f"\u200b{char}" if char in "*_~`" else char for char in text)
