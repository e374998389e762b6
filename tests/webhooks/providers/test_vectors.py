"""Golden vectors: signatures that were computed independently of this code."""

import base64
import json
from datetime import UTC, datetime
from hashlib import sha256

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key

from tests.webhooks.providers.wire import PUBLIC_KEY, payload, request
from webhooks.providers import get_provider
from webhooks.providers.base import InvalidSignature, SignedRequest
from webhooks.providers.highlevel import PUBLISHED_KEY, PUBLISHED_RSA_KEY

LINKEDIN_SECRET = "li-client-secret-example"
LINKEDIN_BODY = (
    b'{"type":"LEAD_ACTION","leadGenFormResponse":"urn:li:leadGenFormResponse:1a2b3c-4","leadGenForm":'
    b'"urn:li:versionedLeadGenForm:(urn:li:leadGenForm:1,1)","owner":{"sponsoredAccount":"urn:li:sponsoredAccount:123"},'
    b'"leadType":"SPONSORED","leadAction":"CREATED","occurredAt":1686182358881}'
)
LINKEDIN_SIGNATURE = "e274ab55b05fa7df0930dbb24fef594792fa980092243fda8639430af6c3c3fa"
SENDPILOT_AT = datetime.fromtimestamp(1708770600, UTC)
SENDPILOT_SIGNATURE = "t=1708770600,s=5cc9c26c0298db65ea1fb19200e146900b5b32e0783838c52a8a2dc195b52871"
SVIX_SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
HIGHLEVEL_BODY = (
    b'{"type":"UNINSTALL","appId":"ve9EPM428h8vShlRW1KT","locationId":"otg8dTQqGLh3Q6iQI55w",'
    b'"timestamp":"2026-03-21T00:22:16.000Z","webhookId":"abc123xyz"}'
)
HIGHLEVEL_SIGNATURE = "/yNVqyDn20sS1OvfxAaYS3R2VUTSDy2vCUeuWV6iPlNIqT3WO5uGWSj4Av4OrusdHrSHmjct+DHDA8fB7/fbCg=="
WELINK_SECRET = "welink-secret-code"
WELINK_CONNECTED = (
    '{"status":"SUCCESS","request_id":"req-67890","result":{"connected":true,"profile_id":"target-user-456"}'
)
WELINK_ZOE = '{"status":"SUCCESS","request_id":"req-1","result":{"first_name":"Zoë"}'


def sendpilot_body() -> bytes:
    body = json.dumps(json.loads(payload("sendpilot/lead_status_changed")), separators=(",", ":")).encode()
    assert len(body) == 333
    return body


def test_linkedin_signs_the_prefix_and_the_body() -> None:
    assert len(LINKEDIN_BODY) == 283
    linkedin = get_provider("linkedin")
    linkedin.verify(request(LINKEDIN_BODY, x_li_signature=LINKEDIN_SIGNATURE), [LINKEDIN_SECRET])
    assert linkedin.sign(LINKEDIN_BODY, LINKEDIN_SECRET, at=SENDPILOT_AT) == (
        LINKEDIN_BODY,
        {"x-li-signature": LINKEDIN_SIGNATURE},
    )


@pytest.mark.parametrize("spelling", ["  {} ", "hmacsha256={}", "HMACSHA256={}"])
def test_linkedin_signature_may_be_spelled_loosely(spelling: str) -> None:
    for signature in (LINKEDIN_SIGNATURE, LINKEDIN_SIGNATURE.upper()):
        get_provider("linkedin").verify(
            request(LINKEDIN_BODY, x_li_signature=spelling.format(signature)), [LINKEDIN_SECRET]
        )


def test_a_linkedin_signature_of_the_body_alone_is_refused_and_explained() -> None:
    body_only = "6802ac40e9cbcc75d77448035142a22872c7b03f6f85ca27720cec9392ba8a1d"
    with pytest.raises(InvalidSignature) as refused:
        get_provider("linkedin").verify(request(LINKEDIN_BODY, x_li_signature=body_only), [LINKEDIN_SECRET])
    assert refused.value.reason == "wrong_signature"
    assert "hmacsha256=" in refused.value.diagnosis


def test_linkedin_challenge_is_answered() -> None:
    code = "890e4665-4dfe-4ab1-b689-ed553bceeed0"
    answer = {
        "challengeCode": code,
        "challengeResponse": "d29dd8047b79e5fd3862eb1c47f794e8354a0bd606411d4c517d9800184e21c1",
    }
    linkedin = get_provider("linkedin")
    assert linkedin.challenge({"challengeCode": code}, [LINKEDIN_SECRET, "the old one"]) == answer
    assert linkedin.challenge({"challengeCode": code, "applicationId": "7"}, [LINKEDIN_SECRET]) == answer


def test_sendpilot_signs_in_its_own_way() -> None:
    sendpilot, body = get_provider("sendpilot"), sendpilot_body()
    sendpilot.verify(
        SignedRequest(body, {"webhook-signature": SENDPILOT_SIGNATURE}, SENDPILOT_AT), ["sendpilot-webhook-secret"]
    )
    assert sendpilot.sign(body, "sendpilot-webhook-secret", at=SENDPILOT_AT)[1] == {
        "webhook-signature": SENDPILOT_SIGNATURE
    }


@pytest.mark.parametrize("family", ["svix", "webhook"])
@pytest.mark.parametrize("secret", [SVIX_SECRET, SVIX_SECRET.rstrip("=")])
def test_sendpilot_signs_as_svix_under_either_name(family: str, secret: str) -> None:
    headers = {
        f"{family}-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        f"{family}-timestamp": "1708770600",
        f"{family}-signature": "v1a,AAAA v1,2n1YphD9uludNDrd9opbLaDe1oEq9Lx5weFpS4OxS7k=",
    }
    get_provider("sendpilot").verify(SignedRequest(sendpilot_body(), headers, SENDPILOT_AT), ["an old one", secret])


def test_highlevel_signs_with_ed25519() -> None:
    assert len(HIGHLEVEL_BODY) == 150
    assert "MCowBQYDK2VwAyEAA6EHv/POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg=" in PUBLIC_KEY
    get_provider("highlevel").verify(request(HIGHLEVEL_BODY, x_ghl_signature=HIGHLEVEL_SIGNATURE), [PUBLIC_KEY])


@pytest.mark.parametrize(
    ("message", "signature"),
    [
        (WELINK_CONNECTED, "4821262b7def3cd638cebbae522e0ece01a21f63c0a564e6e5c777ad19df71ed"),
        (WELINK_CONNECTED, "6a6835d566869bc973fa46f4d21ad83b1219ffc1e41a1b065fb6988da6fb33b0"),
        (WELINK_ZOE, "63e79547af6c6d83b7c3c51d376a42c78a133a7afcd1bb3e70a733204816db71"),
        (WELINK_ZOE, "519831ed191d3c2f62eb8fc43b4f75025b43abc343f53b17173e3f4c8423454d"),
    ],
)
def test_welink_signs_as_node_or_as_python_writes_the_message(message: str, signature: str) -> None:
    get_provider("welink").verify(request(f'{message},"hash":"{signature}"}}'.encode()), [WELINK_SECRET])


def test_welink_signs_the_form_that_node_writes() -> None:
    body, headers = get_provider("welink").sign(f"{WELINK_ZOE}}}".encode(), WELINK_SECRET, at=SENDPILOT_AT)
    signature = "63e79547af6c6d83b7c3c51d376a42c78a133a7afcd1bb3e70a733204816db71"
    assert (body.decode(), headers) == (f'{WELINK_ZOE},"hash":"{signature}"}}', {})


def test_salesflow_sends_the_secret_itself() -> None:
    get_provider("salesflow").verify(request(b"{}", x_webhook_secret="sf-secret"), ["sf-secret"])


def test_the_published_highlevel_keys_are_the_ones_built_in() -> None:
    ed25519 = load_pem_public_key(PUBLISHED_KEY.encode()).public_bytes(Encoding.Raw, PublicFormat.Raw)
    assert ed25519.hex() == "8b61d1d6cacbe28d7c3bc0516bb815258ec6edbba96cddc7f40c09ac708388e8"
    rsa = load_pem_public_key(PUBLISHED_RSA_KEY.encode()).public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    digest = sha256(rsa).hexdigest()
    assert (digest[:8], digest[-6:]) == ("2f62045d", "01fd25")
    assert base64.b64encode(rsa).startswith(b"MIICIjANBgkqhkiG9w0BAQEFAAOCAg8A")
