"""The code that receivers paste accepts what Leadline delivers, and nothing else, in each language."""

import json
import shutil
import subprocess
import sys
import time
from base64 import b64encode

import pytest

from accounts.core.enums import EventType
from accounts.events.outbox import record_event
from accounts.models import Agency
from notifications.channels.service import create_channel, rotate_secret
from notifications.content.verification_code import FOLDER, verification_snippets
from notifications.delivery import drain_deliveries
from notifications.egress.signing import new_secret
from notifications.transports.webhook import signed_headers
from tests.notifications.receiver import receiver

pytestmark = pytest.mark.one_backend

PYTHON = """
import base64, json, sys
from verify import is_from_leadline
secret, cases = json.load(sys.stdin)
print(json.dumps([is_from_leadline(secret, headers, base64.b64decode(body)) for headers, body in cases]))
"""
NODE = """
import { readFileSync } from "node:fs";
import { isFromLeadline } from "./verify.mjs";
const [secret, cases] = JSON.parse(readFileSync(0));
const verdicts = cases.map(([headers, body]) => isFromLeadline(secret, headers, Buffer.from(body, "base64")));
console.log(JSON.stringify(verdicts));
"""
PHP = """
require 'verify.php';
[$secret, $cases] = json_decode(file_get_contents('php://stdin'), true);
echo json_encode(array_map(fn($case) => is_from_leadline($secret, $case[0], base64_decode($case[1])), $cases));
"""
COMMANDS = {
    "Python": [sys.executable, "-c", PYTHON],
    "Node.js": ["node", "--input-type=module", "-e", NODE],
    "PHP": ["php", "-n", "-r", PHP],
}
#: Languages of this machine. Python is always there.
RUNNABLE = [language for language, (command, *_) in COMMANDS.items() if shutil.which(command)]


def verdicts(language: str, secret: str, cases: list[tuple[dict[str, str], bytes]]) -> list[bool]:
    """What the code of a language says of each request, in a process of its own."""
    given = json.dumps([secret, [[headers, b64encode(body).decode()] for headers, body in cases]])
    done = subprocess.run(
        COMMANDS[language], input=given, cwd=FOLDER, capture_output=True, text=True, check=True, timeout=60
    )
    return json.loads(done.stdout)


def test_there_is_code_for_each_language() -> None:
    assert [snippet.language for snippet in verification_snippets()] == list(COMMANDS)
    assert {path.name for path in FOLDER.iterdir() if path.is_file()} == {
        one.filename for one in verification_snippets()
    }


@pytest.mark.once
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("language", RUNNABLE)
def test_the_code_accepts_what_was_delivered_and_nothing_else(agency: Agency, loopback: None, language: str) -> None:
    with receiver() as program:
        channel, secret = create_channel(agency, kind="webhook", url=program.url)
        record_event(agency, EventType.LEAD_REPLIED, lead_name="Ada Łovelace 👩‍💻")
        drain_deliveries()
        renewed = rotate_secret(channel)
        record_event(agency, EventType.INSTALL)
        drain_deliveries()
    first, second = program.requests
    assert secret is not None

    def signed(body: bytes, by: str, seconds: int) -> dict[str, str]:
        return signed_headers("evt_1", body, [by], timestamp=int(time.time()) + seconds)

    cases = {
        "as it came": ((first.headers, first.body), True),
        "signed with two secrets": ((second.headers, second.body), True),
        "another body": ((first.headers, first.body + b" "), False),
        "another id": (({**first.headers, "webhook-id": "evt_other"}, first.body), False),
        "signed with another secret": ((signed(first.body, new_secret(), 0), first.body), False),
        "no signature": (({**first.headers, "webhook-signature": ""}, first.body), False),
        "not base64": (({**first.headers, "webhook-signature": "v1,é"}, first.body), False),
        "almost five minutes old": ((signed(first.body, secret, -290), first.body), True),
        "older than five minutes": ((signed(first.body, secret, -310), first.body), False),
        "more than five minutes ahead": ((signed(first.body, secret, 310), first.body), False),
        "no time": (({**first.headers, "webhook-timestamp": "soon"}, first.body), False),
        "no headers": (({}, first.body), False),
    }
    found = verdicts(language, secret, [case for case, _ in cases.values()])
    assert dict(zip(cases, found, strict=True)) == {name: right for name, (_, right) in cases.items()}
    assert verdicts(language, renewed, [(second.headers, second.body), (first.headers, first.body)]) == [True, False]
