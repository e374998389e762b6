"""Slack: the event's words as Block Kit, posted to an incoming webhook."""

from typing import Any

from notifications.egress import GuardedSession
from notifications.models import ChannelKind
from notifications.transports.base import Outcome, Parcel, Transport
from notifications.transports.webhook import encode, judge
from notifications.wording import Message, message_for

MOST_FACTS = 10  # what a section may hold
LONGEST_HEADER = 150
LONGEST_SECTION = 2900


class SlackTransport(Transport):
    kind = ChannelKind.SLACK

    async def send(self, parcel: Parcel, session: GuardedSession) -> Outcome:
        assert parcel.channel is not None  # noqa: S101 (only e-mail goes to bare addresses)
        body = encode(blocks_for(message_for(parcel)))
        # Slack answers 410 for an archived channel and so switches ours off.
        return judge(await session.post(parcel.channel.url, body=body, headers={"Content-Type": "application/json"}))


def blocks_for(message: Message) -> dict[str, Any]:
    """Body for an incoming webhook (https://docs.slack.dev/reference/block-kit)."""
    blocks: list[dict[str, Any]] = [
        {"type": "header", "text": {"type": "plain_text", "text": message.subject[:LONGEST_HEADER], "emoji": False}},
        {"type": "section", "text": {"type": "mrkdwn", "text": _escape(message.slack)[:LONGEST_SECTION]}},
    ]
    if message.facts:
        fields = [
            {"type": "mrkdwn", "text": f"*{fact.label}*\n{f'<{fact.url}>' if fact.url else _escape(fact.value)}"}
            for fact in message.facts[:MOST_FACTS]
        ]
        blocks.append({"type": "section", "fields": fields})
    link = {"type": "mrkdwn", "text": f"<{message.action_url}|{message.action_label}>"}
    blocks.append({"type": "context", "elements": [link]})
    return {"text": _escape(message.subject), "blocks": blocks}


def _escape(text: str) -> str:
    """Slack's three escapes; what could be read as formatting is broken up."""
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return "".join(f"\u200b{char}" if char in "*_~`" else char for char in text)
