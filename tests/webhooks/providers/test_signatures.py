"""Signing rules that no provider's sample shows: Standard Webhooks, JavaScript's numbers, HighLevel's keys."""

import base64
import json
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.apps import apps
from pytest_django import Settings
from standardwebhooks.webhooks import Webhook

from tests.webhooks.providers.wire import NOW, OTHER_PUBLIC_KEY, PRIVATE_KEY, PUBLIC_KEY, payload, request
from webhooks.apps import WebhooksConfig
from webhooks.providers import HIGHLEVEL, get_provider
from webhooks.providers.base import InvalidSignature, SignedRequest
from webhooks.providers.highlevel import PUBLISHED_KEY, HighLevel
from webhooks.providers.js_json import stringify, stringify_plain
from webhooks.providers.signatures import hmac_hex, require_fresh, sign_standard, standard_key, verify_standard
from webhooks.providers.welink import signed_forms

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
SENT = datetime.fromtimestamp(1614265330, UTC)
BODY = b'{"test": 2432232314}'
SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def verify(
    signatures: str = SIGNATURE, *, message_id: str = "msg_p5jXN8AQM9LWM0D4loKWxJek", sent: str = "1614265330"
) -> None:
    verify_standard(
        BODY,
        message_id=message_id,
        sent_at=sent,
        signatures=signatures,
        secrets=[SECRET],
        received_at=SENT,
        tolerance=300,
    )


def test_the_standards_own_vector_verifies_and_is_what_we_sign() -> None:
    verify()
    message_id = "msg_p5jXN8AQM9LWM0D4loKWxJek"
    assert sign_standard(BODY, SECRET, message_id=message_id, at=SENT) == ("1614265330", SIGNATURE)
    assert Webhook(SECRET).sign(message_id, SENT, BODY.decode()) == SIGNATURE


@pytest.mark.parametrize("others", ["v1a,abc {}", "v2,xyz v1,wrong {}", "{} v1,wrong", "v1,g0hM9SsE {}"])
def test_one_right_signature_in_the_list_is_enough(others: str) -> None:
    verify(others.format(SIGNATURE))


@pytest.mark.parametrize(
    "signatures",
    ["", "v1", "v1,", ",", SIGNATURE[3:], SIGNATURE.replace("v1,", "v1a,"), SIGNATURE.rstrip("="), SIGNATURE + "="],
)
def test_what_is_not_a_version_1_signature_is_refused(signatures: str) -> None:
    with pytest.raises(InvalidSignature):
        verify(signatures)


@pytest.mark.parametrize(
    "sent", ["", "NaN", "1e30", "-1614265330", "1614265330.0", "1614265330000", "0x60", "١٦", "9" * 99]
)
def test_a_timestamp_that_is_not_whole_seconds_is_refused(sent: str) -> None:
    with pytest.raises(InvalidSignature):
        verify(sent=sent)
    with pytest.raises(InvalidSignature) as refused:
        require_fresh(sent, SENT, 300)
    assert refused.value.reason in {"malformed_timestamp", "stale_timestamp"}


@pytest.mark.parametrize("message_id", ["", "msg.1614265330", "日本"])
def test_a_message_id_that_is_not_the_signed_one_is_refused(message_id: str) -> None:
    with pytest.raises(InvalidSignature):
        verify(message_id=message_id)


@pytest.mark.parametrize(
    ("secret", "key"),
    [
        ("whsec_MTIz", b"123"),
        ("whsec_MTIzNA==", b"1234"),
        ("whsec_MTIzNA", b"1234"),
        (" whsec_MTIz\n", b"123"),
        *((bad, None) for bad in ("", "whsec_", "whsec_=", "MTIz", "whsec_M", "whsec_é", "whsec_!!!!", "WHSEC_MTIz")),
    ],
)
def test_a_secret_is_the_base64_after_whsec(secret: str, key: bytes | None) -> None:
    assert standard_key(secret) == key


def test_sendpilots_own_signature_is_never_verified_with_the_decoded_secret() -> None:
    body, sendpilot = payload("sendpilot/lead_updated"), get_provider("sendpilot")
    sent = str(int(NOW.timestamp()))
    as_it_stands = f"t={sent},s={hmac_hex(SECRET, sent.encode() + b'.' + body)}"
    sendpilot.verify(request(body, webhook_signature=as_it_stands), [SECRET])
    _, headers = sendpilot.sign(body, SECRET, at=NOW)
    with pytest.raises(InvalidSignature) as refused:
        sendpilot.verify(SignedRequest(body, headers, NOW), [SECRET.removeprefix("whsec_")])
    assert refused.value.reason == "no_secret"


# What JavaScript's JSON.stringify(JSON.parse(text)) gives for each, as Node 20 printed it.
WRITTEN_BY_NODE = [
    ("[1.0,-0,1e21,123456789012345680000]", "[1,0,1e+21,123456789012345680000]"),
    ("[1E-7,0.000001,1.5e300,5e-324]", "[1e-7,0.000001,1.5e+300,5e-324]"),
    ("[9007199254740993,1e16,123456.789,-1e-10,0.10]", "[9007199254740992,10000000000000000,123456.789,-1e-10,0.1]"),
    ("[12345678901234567890123]", "[1.2345678901234568e+22]"),
    (f"[1{'0' * 400}]", "[null]"),
    ('{"b":1,"2":1,"1":2,"01":3}', '{"1":2,"2":1,"b":1,"01":3}'),
    ('{"4294967295":1,"4294967294":2}', '{"4294967294":2,"4294967295":1}'),
    ('"\\ud83d \\uD83D\\ude00 \\u2028\\u007f\\u001F\\/\\u00e9"', '"\\ud83d \U0001f600 \u2028\x7f\\u001f/é"'),
    ('{"a":[true,false,null,{}]}', '{"a":[true,false,null,{}]}'),
]


@pytest.mark.parametrize(("text", "written"), WRITTEN_BY_NODE)
def test_json_is_written_as_javascript_writes_it(text: str, written: str) -> None:
    assert stringify(json.loads(text)).decode() == written


@pytest.mark.parametrize(("text", "written"), WRITTEN_BY_NODE)
def test_welink_may_sign_what_javascript_made_of_the_body(text: str, written: str) -> None:
    head = '"status":"SUCCESS","request_id":"r-1","result":'
    signature = hmac_hex("secret", f"{{{head}{written}}}".encode())
    body = f'{{"hash":"{signature}",{head}{text}}}'
    get_provider("welink").verify(request(body.encode()), ["secret"])


def test_where_nothing_is_special_both_writers_agree() -> None:
    data = json.loads(payload("welink/search_completed"))
    assert stringify(data) == stringify_plain(data)


def test_welink_may_sign_the_raw_text_whatever_its_spelling() -> None:
    text = b'{ "status" : "SUCCESS",\n "request_id":"r-1", "result":{"score":1.0,"slash":"\\/"}'
    signature = hmac_hex("secret", text + b" }")
    body = text + b', "hash" : "%b" }' % signature.encode()
    get_provider("welink").verify(request(body), ["secret"])


def test_a_hash_inside_the_result_is_not_the_signature() -> None:
    body = b'{"hash":"x","result":{"a":1,"hash":"y"}}'
    assert next(signed_forms(body, {"result": {"a": 1, "hash": "y"}})) == b'{"result":{"a":1,"hash":"y"}}'


@pytest.fixture
def rsa() -> tuple[HighLevel, SignedRequest]:
    key = generate_private_key(public_exponent=65537, key_size=2048)
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    body = payload("highlevel/install")
    signature = base64.b64encode(key.sign(body, PKCS1v15(), SHA256())).decode()
    return HighLevel(accept_rsa=True, rsa_public_key=public), request(body, x_wh_signature=signature)


def test_the_old_rsa_signature_counts_only_where_it_is_switched_on(rsa: tuple[HighLevel, SignedRequest]) -> None:
    highlevel, signed = rsa
    highlevel.verify(signed, [])
    highlevel.configure(rsa_public_key=highlevel.rsa_public_key)
    with pytest.raises(InvalidSignature) as refused:
        highlevel.verify(signed, [])
    assert refused.value.reason == "missing_signature"


def test_rsa_yields_to_the_new_header_unless_that_says_unsigned(rsa: tuple[HighLevel, SignedRequest]) -> None:
    highlevel, signed = rsa
    highlevel.verify(SignedRequest(signed.body, {**signed.headers, "x-ghl-signature": "N/A"}, NOW), [])
    with pytest.raises(InvalidSignature):
        highlevel.verify(SignedRequest(signed.body, {**signed.headers, "x-ghl-signature": "AAAA"}, NOW), [])
    with pytest.raises(InvalidSignature):
        highlevel.verify(SignedRequest(signed.body + b" ", signed.headers, NOW), [])


def test_a_source_with_a_key_of_its_own_does_not_take_rsa(rsa: tuple[HighLevel, SignedRequest]) -> None:
    highlevel, signed = rsa
    with pytest.raises(InvalidSignature):
        highlevel.verify(signed, [PUBLIC_KEY])


def test_highlevel_headers_that_say_not_available_are_no_signature() -> None:
    for headers in ({"x-ghl-signature": "N/A"}, {"x-ghl-signature": "N/A", "x-wh-signature": "N/A"}):
        with pytest.raises(InvalidSignature) as refused:
            HighLevel(accept_rsa=True).verify(SignedRequest(b"{}", headers, NOW), [])
        assert refused.value.reason == "missing_signature"


def test_without_a_key_of_its_own_a_source_trusts_the_installations_key() -> None:
    body, headers = HIGHLEVEL.sign(payload("highlevel/install"), PRIVATE_KEY, at=NOW)
    signed = SignedRequest(body, headers, NOW)
    HighLevel(public_key=PUBLIC_KEY).verify(signed, [])
    HighLevel(public_key=OTHER_PUBLIC_KEY).verify(signed, [PUBLIC_KEY])
    for highlevel in (HighLevel(), HighLevel(public_key=OTHER_PUBLIC_KEY), HighLevel(public_key="not a key")):
        with pytest.raises(InvalidSignature):
            highlevel.verify(signed, [])


def test_the_settings_reach_the_registered_adapter(settings: Settings) -> None:
    assert (HIGHLEVEL.public_key, HIGHLEVEL.accept_rsa) == (PUBLISHED_KEY, False)
    settings.HIGHLEVEL_PUBLIC_KEY, settings.HIGHLEVEL_ACCEPT_RSA = PUBLIC_KEY, True
    try:
        config = apps.get_app_config("webhooks")
        assert isinstance(config, WebhooksConfig)
        config.configure_providers()
        assert (HIGHLEVEL.public_key, HIGHLEVEL.accept_rsa) == (PUBLIC_KEY.strip(), True)
    finally:
        HIGHLEVEL.configure()
