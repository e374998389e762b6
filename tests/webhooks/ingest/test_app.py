"""Every row of the contract's ingest table, over a real server."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from hashlib import sha256

import pytest
import time_machine
from django.utils import timezone

from accounts.models import Account, Agency, Event, Source
from accounts.sources.service import create_source, rotate_secret
from leads.models import Lead
from tests.webhooks.ingest_server import Answer, Server, read_answer, request_bytes, wait_until
from webhooks.models import Receipt, ReceiptStatus, RejectedRequest
from webhooks.providers import PROVIDERS

pytestmark = pytest.mark.django_db(transaction=True)

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
SALESFLOW = (
    b'{"EventType":"ACCOUNT_STATUS_CHANGED","Payload":{"Data":{"LinkedInAccountId":7,"Status":"ACCOUNT_ACTIVE"}}}'
)
SENDPILOT = b'{"eventId":"evt_1","eventType":"campaign.paused","timestamp":"2024-02-24T10:30:00.000Z","data":{}}'
CODE = "890e4665-4dfe-4ab1-b689-ed553bceeed0"


def new_source(agency: Agency | None, provider: str = "salesflow", secret: str | None = SECRET) -> Source:
    return create_source(agency=agency, provider=provider, secret=secret)[0]


def path_of(source: Source) -> str:
    return f"/webhooks/{source.provider}/{source.token}"


def post(server: Server, source: Source, body: bytes = SALESFLOW, secret: str = SECRET) -> Answer:
    """Post the body as the source's provider would sign it."""
    body, headers = PROVIDERS[source.provider].sign(body, secret, at=timezone.now())
    return server.post(path_of(source), body, headers)


def assert_problem(answer: Answer, status: int) -> None:
    assert answer.status == status
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json
    assert set(problem) == {"type", "title", "status", "detail", "request_id"}
    assert problem["status"] == status
    assert problem["title"]
    assert problem["detail"]
    assert problem["request_id"] == answer.headers["x-request-id"]


def assert_nothing_stored() -> None:
    assert [model.objects.count() for model in (Receipt, Account, Lead, Event)] == [0, 0, 0, 0]


def rejected(source: Source) -> dict[str, int]:
    return dict(RejectedRequest.objects.filter(source=source).values_list("reason", "count"))


def test_a_signed_request_is_answered_once_its_bytes_are_kept(server: Server, agency: Agency) -> None:
    source = new_source(agency)
    before = timezone.now()

    answer = post(server, source)

    receipt = Receipt.objects.get()
    assert answer.status == 200
    assert answer.json == {"status": "accepted", "receipt_id": receipt.public_id}
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-request-id"]
    assert bytes(receipt.body) == SALESFLOW
    assert (receipt.source, receipt.agency, receipt.provider) == (source, agency, "salesflow")
    assert (receipt.status, receipt.attempts, receipt.event_type) == (ReceiptStatus.RECEIVED, 0, "")
    assert (receipt.reason, receipt.error, receipt.correlation, receipt.processed_at) == ("", "", "", None)
    assert before <= receipt.received_at == receipt.next_attempt_at <= timezone.now()
    assert len(bytes(receipt.dedupe_key)) == 32


def test_only_the_headers_that_prove_the_signature_are_kept(server: Server, agency: Agency) -> None:
    linkedin, salesflow = new_source(agency, "linkedin"), new_source(agency)
    body, headers = PROVIDERS["linkedin"].sign(b"{}", SECRET, at=timezone.now())

    server.post(path_of(linkedin), body, {**headers, "Cookie": "a=b", "X-Webhook-Secret": SECRET})
    post(server, salesflow)

    assert Receipt.objects.get(source=linkedin).headers == headers
    assert Receipt.objects.get(source=salesflow).headers == {}


def test_a_trailing_slash_makes_no_difference(server: Server, agency: Agency) -> None:
    source = new_source(agency)

    answer = server.post(f"{path_of(source)}/", SALESFLOW, {"x-webhook-secret": SECRET})

    assert answer.json == {"status": "accepted", "receipt_id": Receipt.objects.get().public_id}


def test_the_same_delivery_again_is_a_duplicate_with_the_first_receipt_id(server: Server, agency: Agency) -> None:
    source = new_source(agency, "sendpilot")

    first, second = post(server, source, SENDPILOT), post(server, source, SENDPILOT)

    assert first.json == {"status": "accepted", "receipt_id": Receipt.objects.get().public_id}
    assert second.status == 200
    assert second.json == {"status": "duplicate", "receipt_id": first.json["receipt_id"]}
    assert bytes(Receipt.objects.get().dedupe_key) != sha256(SENDPILOT).digest()


def test_the_same_event_at_two_sources_is_two_receipts(server: Server, agency: Agency, stranger: Agency) -> None:
    mine, theirs = new_source(agency, "sendpilot"), new_source(stranger, "sendpilot")

    answers = [post(server, source, SENDPILOT).json for source in (mine, theirs)]

    assert [answer["status"] for answer in answers] == ["accepted", "accepted"]
    assert set(Receipt.objects.values_list("agency", flat=True)) == {agency.pk, stranger.pk}


def test_sixteen_identical_posts_at_once_are_one_receipt_and_all_learn_its_id(server: Server, agency: Agency) -> None:
    source = new_source(agency, "sendpilot")

    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda _: post(server, source, SENDPILOT), range(16)))

    receipt = Receipt.objects.get()
    assert {answer.status for answer in answers} == {200}
    assert {answer.json["receipt_id"] for answer in answers} == {receipt.public_id}
    assert sorted(answer.json["status"] for answer in answers) == ["accepted", *["duplicate"] * 15]


def test_salesflow_repeats_are_news_each_time(server: Server, agency: Agency) -> None:
    source = new_source(agency)

    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda _: post(server, source), range(16)))

    assert [answer.json["status"] for answer in answers] == ["accepted"] * 16
    assert {answer.json["receipt_id"] for answer in answers} == {r.public_id for r in Receipt.objects.all()}
    assert Receipt.objects.count() == 16


def test_reports_over_one_connection_are_kept_in_their_order(server: Server, agency: Agency) -> None:
    source = new_source(agency)
    bodies = [b'{"n":%d}' % number for number in range(50)]

    with server.connect() as connection:
        for body in bodies:
            connection.sendall(request_bytes("POST", path_of(source), body, {"x-webhook-secret": SECRET}))
            assert read_answer(connection).status == 200

    assert [bytes(receipt.body) for receipt in Receipt.objects.order_by("sequence")] == bodies


def test_a_wrong_or_missing_signature_is_refused_and_shown_to_the_agency(server: Server, agency: Agency) -> None:
    source = new_source(agency)

    missing = server.post(path_of(source), SALESFLOW)
    wrong = [server.post(path_of(source), SALESFLOW, {"x-webhook-secret": "guess"}) for _ in range(3)]

    for answer in (missing, *wrong):
        assert_problem(answer, 401)
    wait_until(lambda: rejected(source) == {"missing_signature": 1, "wrong_signature": 3}, seconds=1.5)
    row = RejectedRequest.objects.get(reason="wrong_signature")
    assert row.diagnosis
    assert "guess" not in row.diagnosis
    assert SECRET not in row.diagnosis + missing.content.decode() + wrong[0].content.decode()
    assert row.first_seen <= row.last_seen <= timezone.now()
    assert_nothing_stored()


UNREADABLE = (
    b"",
    b"not json",
    b"[1]",
    b'"text"',
    b'{"a":NaN}',
    b'{"a":1,"a":2}',
    b"\xef\xbb\xbf{}",
    b'{"a":"\xff"}',
    b'{"a":1e999}',
    '{"a":1}'.encode("utf-16"),
    b'{"a":' + b"[" * 64 + b"]" * 64 + b"}",
    b'{"a":' * 100_000,
    b'{"a":' + b"1" * 4301 + b"}",
)


def test_a_signed_body_that_is_no_readable_object_is_refused(server: Server, agency: Agency) -> None:
    source = new_source(agency)

    for body in UNREADABLE:
        assert_problem(post(server, source, body), 400)

    wait_until(lambda: rejected(source) == {"unreadable_body": len(UNREADABLE)})
    assert_nothing_stored()


def test_the_signature_is_looked_at_before_the_body(server: Server, agency: Agency) -> None:
    assert_problem(server.post(path_of(new_source(agency)), b"not json", {"x-webhook-secret": "wrong"}), 401)


def test_an_unreadable_welink_body_has_no_signature_to_look_at(server: Server, agency: Agency) -> None:
    assert_problem(server.post(path_of(new_source(agency, "welink")), b"not json"), 400)


def test_text_that_databases_refuse_is_kept_byte_for_byte(server: Server, agency: Agency) -> None:
    source = new_source(agency)
    bodies = [rb'{"a":"\u0000"}', rb'{"a":"\ud800"}', rb'{"a":"emoji cut \ud83d"}']

    assert [post(server, source, body).json["status"] for body in bodies] == ["accepted"] * 3

    assert [bytes(receipt.body) for receipt in Receipt.objects.order_by("sequence")] == bodies


def test_a_body_of_exactly_the_limit_is_kept_and_one_byte_more_is_refused(server: Server, agency: Agency) -> None:
    source = new_source(agency)
    fits = b'{"a":"' + b"x" * (1024 * 1024 - 8) + b'"}'

    assert post(server, source, fits).status == 200
    assert_problem(post(server, source, fits + b" "), 413)

    assert bytes(Receipt.objects.get().body) == fits
    wait_until(lambda: rejected(source) == {"body_too_large": 1})


def test_compressed_bodies_are_refused_before_the_signature_is_looked_at(server: Server, agency: Agency) -> None:
    source = new_source(agency)

    for coding in ("gzip", "GZIP", "br", "identity, gzip", "x"):
        assert_problem(server.post(path_of(source), SALESFLOW, {"Content-Encoding": coding}), 415)

    assert_nothing_stored()


def test_any_content_type_and_the_identity_coding_are_accepted(server: Server, agency: Agency) -> None:
    source = new_source(agency)

    for headers in ({"Content-Encoding": "identity"}, {"Content-Type": "text/plain"}, {"Content-Type": ""}):
        assert server.post(path_of(source), SALESFLOW, {**headers, "x-webhook-secret": SECRET}).status == 200


def test_what_there_is_not_and_what_is_not_yours_to_know_look_alike(server: Server, agency: Agency) -> None:
    source, disabled = new_source(agency), new_source(agency)
    Source.objects.filter(pk=disabled.pk).update(enabled=False)
    fenced = new_source(agency)
    Source.objects.filter(pk=fenced.pk).update(allowed_networks=["192.0.2.0/24"])

    paths = [
        f"/webhooks/salesflow/{'0' * 32}",
        path_of(disabled),
        path_of(fenced),
        f"/webhooks/linkedin/{source.token}",
        f"/webhooks/nobody/{source.token}",
        f"/webhooks/salesflow/{agency.pk}",
        f"/webhooks/salesflow/{source.token.upper()}",
        f"/webhooks/salesflow/{source.token}//",
        f"/webhooks/salesflow/{source.token}/more",
        "/webhooks/salesflow/",
        "/webhooks/",
    ]
    answers = [server.post(path, SALESFLOW, {"x-webhook-secret": SECRET}) for path in paths]
    answers.append(server.send("GET", path_of(disabled)))

    assert {path: answer.status for path, answer in zip(paths, answers, strict=False)} == dict.fromkeys(paths, 404)
    for answer in answers:
        assert_problem(answer, 404)
    assert len({(a.json["title"], a.json["detail"], frozenset(a.headers) - {"connection"}) for a in answers}) == 1
    assert_nothing_stored()
    wait_until(lambda: rejected(fenced) == {"network": 1})


def test_other_methods_are_told_which_one_is_answered(server: Server, agency: Agency) -> None:
    source = new_source(agency)

    for method in ("GET", "PUT", "DELETE", "PATCH", "OPTIONS", "HEAD"):
        with server.connect() as connection:
            connection.sendall(request_bytes(method, path_of(source), b"", {"Connection": "close"}))
            reply = b"".join(iter(lambda: connection.recv(65536), b"")).decode()
        assert reply.startswith("HTTP/1.1 405 ")
        assert "\r\nallow: POST\r\n" in reply
        assert "\r\nx-request-id: " in reply


def test_linkedin_sources_answer_get_and_post(server: Server, agency: Agency) -> None:
    answer = server.send("PUT", path_of(new_source(agency, "linkedin")))

    assert_problem(answer, 405)
    assert answer.headers["allow"] == "GET, POST"


def test_a_linkedin_challenge_is_signed_with_the_newest_secret_and_noted(server: Server, agency: Agency) -> None:
    source = new_source(agency, "linkedin", "an older client secret")
    rotate_secret(source, "li-client-secret-example")

    answer = server.send("GET", f"{path_of(source)}?challengeCode={CODE}&applicationId=77")

    assert answer.status == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.json == {
        "challengeCode": CODE,
        "challengeResponse": "d29dd8047b79e5fd3862eb1c47f794e8354a0bd606411d4c517d9800184e21c1",
    }
    source.refresh_from_db()
    assert source.validated_at is not None
    assert_nothing_stored()


NEVER_SIGNED = (
    "",
    "challengeCode=",
    "challengeCode=hmacsha256%3D%7B%7D",
    f"challengeCode={CODE.upper()}",
    f"challengeCode={CODE}%0A",
    f"challengeCode={CODE.replace('-4ab1', '-1ab1')}",
    f"challengeCode={CODE}&challengeCode=x",
    "&".join(f"a{n}=1" for n in range(50)),
)


def test_a_challenge_that_is_no_version_4_uuid_is_never_signed(server: Server, agency: Agency) -> None:
    source = new_source(agency, "linkedin")

    for query in NEVER_SIGNED:
        assert_problem(server.send("GET", f"{path_of(source)}?{query}"), 400)

    source.refresh_from_db()
    assert source.validated_at is None


def test_one_address_that_keeps_failing_is_slowed_and_everyone_else_is_not(
    server: Server, agency: Agency, settings: object
) -> None:
    settings.REJECT_RATE = 5  # type: ignore[attr-defined]
    settings.TRUSTED_PROXIES = ["127.0.0.1"]  # type: ignore[attr-defined]
    source, other = new_source(agency), new_source(agency)

    def forge(target: Source, address: str) -> Answer:
        return server.post(path_of(target), SALESFLOW, {"x-webhook-secret": "no", "X-Forwarded-For": address})

    assert [forge(source, "192.0.2.1").status for _ in range(7)] == [401] * 5 + [429] * 2
    slowed = forge(source, "192.0.2.1")
    assert_problem(slowed, 429)
    assert 1 <= int(slowed.headers["retry-after"]) <= 60
    assert forge(source, "192.0.2.2").status == 401
    assert forge(other, "192.0.2.1").status == 401
    signed = {"x-webhook-secret": SECRET, "X-Forwarded-For": "192.0.2.1"}
    assert server.post(path_of(source), SALESFLOW, signed).status == 200
    wait_until(lambda: rejected(source) == {"wrong_signature": 9})


def test_an_old_secret_verifies_until_its_overlap_ends(server: Server, agency: Agency) -> None:
    source = new_source(agency)
    new = rotate_secret(source)
    assert new is not None

    assert [post(server, source, secret=secret).status for secret in (SECRET, new)] == [200, 200]
    with time_machine.travel(timezone.now() + timedelta(hours=24, seconds=5)):
        assert [post(server, source, secret=secret).status for secret in (SECRET, new)] == [401, 200]


def test_an_old_linkedconnector_url_answers_until_its_overlap_ends(server: Server, agency: Agency) -> None:
    source = new_source(agency, "linkedconnector", None)
    old = path_of(source)
    rotate_secret(source)
    body = b'{"event_type":"install","n":%d}'

    assert [server.post(path, body % n).status for n, path in enumerate([old, path_of(source)])] == [200, 200]
    with time_machine.travel(timezone.now() + timedelta(hours=24, seconds=5)):
        assert [server.post(path, body % n).status for n, path in enumerate([old, path_of(source)], 5)] == [404, 200]


def test_changes_made_by_this_process_show_at_once(server: Server, agency: Agency) -> None:
    source = new_source(agency)
    assert post(server, source).status == 200

    source.enabled = False
    source.save(update_fields=["enabled"])
    assert post(server, source).status == 404

    source.enabled = True
    source.save(update_fields=["enabled"])
    source.secrets.get().delete()
    assert post(server, source).status == 401


def test_a_source_made_after_a_miss_works_at_once(server: Server, agency: Agency) -> None:
    token = "t" * 32
    assert server.post(f"/webhooks/linkedconnector/{token}").status == 404

    Source.objects.bulk_create([Source(agency=agency, provider="linkedconnector", token=token)])

    assert server.post(f"/webhooks/linkedconnector/{token}").status == 200


def test_a_marketplace_source_without_an_agency_keeps_receipts_without_one(server: Server) -> None:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

    private = Ed25519PrivateKey.generate()
    public = private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    source = new_source(None, "highlevel", public)
    body = b'{"type":"UNINSTALL","appId":"ve9","locationId":"otg8","webhookId":"abc123xyz"}'

    first, again = post(server, source, body, pem), post(server, source, body, pem)

    assert [first.json["status"], again.json["status"]] == ["accepted", "duplicate"]
    assert Receipt.objects.get().agency is None


def test_every_provider_can_deliver(server: Server, agency: Agency) -> None:
    for provider in ("salesflow", "welink", "sendpilot", "linkedin", "linkedconnector"):
        source = new_source(agency, provider)
        answer = post(server, source, json.dumps({"request_id": "r", "status": "SUCCESS", "of": provider}).encode())
        assert (provider, answer.status) == (provider, 200)

    assert Receipt.objects.count() == 5
