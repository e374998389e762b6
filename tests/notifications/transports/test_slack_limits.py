"""Slack's limits: 50 blocks, 3000 characters a section. Nothing is cut inside a name or an escape, or in silence."""

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.core import mail

from accounts.models import Agency
from leads.pipeline.changes import create_lead
from notifications.channels.service import create_channel
from notifications.content.facts import Fact
from notifications.content.rendering import Message
from notifications.delivery import drain_deliveries
from notifications.transports.slack import blocks_for
from tests.notifications.receiver import receiver

pytestmark = pytest.mark.one_backend

MONDAY = datetime(2026, 3, 2, 9, tzinfo=UTC)
AWKWARD = "A & B <C> *d* _e_ "


def message(slack: str, *, subject: str = "Your day", facts: tuple[Fact, ...] = ()) -> Message:
    return Message(
        subject=subject,
        text="",
        html="",
        slack=slack,
        facts=facts,
        action_label="Open Leadline",
        action_url="https://leadline.example/",
    )


def check(body: dict[str, Any]) -> str:
    """Hold a body against Slack's limits; the text of its sections as people read it."""
    assert len(body["blocks"]) <= 50
    assert len(body["text"]) <= 40_000
    texts = [block["text"]["text"] for block in body["blocks"] if block["type"] == "section" and "text" in block]
    for text in texts:
        assert 0 < len(text) <= 3000
        assert not re.search(r"&(?!amp;|lt;|gt;)", text), text[-20:]
    for block in body["blocks"]:
        assert len(block.get("fields", ())) <= 10
    for entity, char in (("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&"), ("\u200b", "")):
        texts = [text.replace(entity, char) for text in texts]
    return "\n".join(texts)


@pytest.mark.once
@pytest.mark.parametrize(("count", "length"), [(60, 120), (56, 35), (25, 120), (300, 120)])
def test_a_daily_summary_names_whole_leads_and_says_how_many_more(
    agency: Agency, loopback: None, count: int, length: int
) -> None:
    names = [f"{AWKWARD * 20}"[: length - 5] + f"#{number:04}" for number in range(count)]
    with receiver() as slack, time_machine.travel(MONDAY, tick=False) as clock:
        create_channel(agency, kind="slack", url=slack.url, mode="daily", event_types=["lead_created"])
        create_channel(agency, kind="email", email="t@example.com", mode="daily", verified=True)
        for number, name in enumerate(names):
            create_lead(agency, name=name, email=f"a{number}@example.com")
        drain_deliveries()
        clock.shift(timedelta(days=1))
        drain_deliveries()
    [request] = slack.requests
    text_shown = check(json.loads(request.body))
    for text in (text_shown, str(mail.outbox[0].body)):
        listed = [line for line in text.splitlines() if "#" in line]
        assert listed
        assert all(re.search(r"#\d{4}\b", line) for line in listed)
        assert all(any(name in line for name in names) for line in listed)
        more = re.search(r"… and (\d+) more", text)
        assert len(listed) + (int(more[1]) if more else 0) == count


def test_what_fits_into_several_sections_is_all_there() -> None:
    lines = [f"• {AWKWARD * 6}{number}" for number in range(200)]
    body = blocks_for(message("\n".join(lines)))
    assert len(body["blocks"]) > 3
    assert check(body).splitlines() == lines


def test_what_is_too_much_for_slack_is_cut_between_lines_and_counted() -> None:
    lines = [f"• {'&' * 500} {number}" for number in range(400)]
    text_shown = check(blocks_for(message("Title\n" + "\n".join(lines) + "\n… and 7 more"))).splitlines()
    assert text_shown[:-1] == ["Title", *lines[: len(text_shown) - 2]]
    assert text_shown[-1] == f"… and {400 - (len(text_shown) - 2) + 7} more"
    assert len(text_shown) > 40


def test_a_line_too_long_for_a_section_goes_on_in_the_next_at_a_word() -> None:
    words = [f"{'<&>' * 20}{number}" for number in range(60)]
    text_shown = check(blocks_for(message(" ".join(words))))
    assert text_shown.split() == words
    assert check(blocks_for(message("&" * 2000))).replace("\n", "") == "&" * 2000


def test_every_fact_is_told_and_a_subject_is_shortened_with_a_sign() -> None:
    facts = tuple(Fact(f"Fact {number}", AWKWARD) for number in range(13))
    body = blocks_for(message("Text", subject="👩‍💻" * 60, facts=facts))
    fields = [field["text"] for block in body["blocks"] for field in block.get("fields", ())]
    assert [text.partition("\n")[0] for text in fields] == [f"*Fact {number}*" for number in range(13)]
    title = body["blocks"][0]["text"]["text"]
    assert (len(title) <= 150, title.endswith("👩‍💻…")) == (True, True)
    check(body)
