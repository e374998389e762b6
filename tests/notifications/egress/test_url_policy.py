"""Where outbound requests never go, however the address is written and whatever a name server says."""

import asyncio
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from aiohttp.abc import AbstractResolver, ResolveResult
from pytest_django.fixtures import Settings

from notifications.egress.session import GuardedSession, NoResponse, Response
from notifications.egress.url_policy import TargetRefused, check_address, check_url, split_url
from tests.notifications.receiver import answering, receiver

LITERALS = [
    "http://127.0.0.1/",
    "http://127.0.0.1:8080/",
    "http://127.255.255.254/",
    "http://0.0.0.0/",
    "http://0.1.2.3/",
    "http://10.0.0.1/",
    "http://172.16.0.1/",
    "http://172.31.255.255/",
    "http://192.168.1.1/",
    "http://169.254.169.254/latest/meta-data/",
    "http://169.254.170.2/v2/credentials",
    "http://100.100.100.200/latest/meta-data/",
    "http://192.0.0.192/opc/v2/",
    "http://168.63.129.16/machine",
    "http://100.64.0.1/",
    "http://192.0.2.1/",
    "http://198.51.100.7/",
    "http://203.0.113.7/",
    "http://198.18.0.1/",
    "http://192.88.99.1/",
    "http://224.0.0.1/",
    "http://239.255.255.250/",
    "http://240.0.0.1/",
    "http://255.255.255.255/",
    "http://[::]/",
    "http://[::1]/",
    "http://[0:0:0:0:0:0:0:1]/",
    "http://[::ffff:127.0.0.1]/",
    "http://[::ffff:7f00:1]/",
    "http://[::ffff:169.254.169.254]/",
    "http://[::ffff:8.8.8.8]/",
    "http://[::127.0.0.1]/",
    "http://[64:ff9b::7f00:1]/",
    "http://[64:ff9b::a9fe:a9fe]/",
    "http://[64:ff9b:1::1]/",
    "http://[2002:7f00:1::]/",
    "http://[2002:a9fe:a9fe::]/",
    "http://[2001::1]/",
    "http://[2001:0:7f00:1::]/",
    "http://[2001:db8::1]/",
    "http://[3fff::1]/",
    "http://[fe80::1]/",
    "http://[fe80::1%25lo]/",
    "http://[fec0::1]/",
    "http://[fc00::1]/",
    "http://[fd00:ec2::254]/latest/meta-data/",
    "http://[ff02::1]/",
    "http://[5f00::1]/",
    "http://2130706433/",
    "http://017700000001/",
    "http://0x7f000001/",
    "http://0x7f.0x0.0x0.0x1/",
    "http://0177.0.0.1/",
    "http://127.1/",
    "http://127.0.1/",
    "http://0/",
    "http://00000177.1/",
    "http://0xa9fea9fe/",
    "http://2852039166/",
    "http://127.0.0.1./",
    "http://127.0.0.1.:8080/",
    "http://１２７.0.0.1/",
    "http://①②⑦.0.0.1/",
    "http://127。0。0。1/",
    "http://%31%32%37.0.0.1/",
    "http://127.0.0.1%2f.example.com/",
    "http://127.0.0.1%00.example.com/",
    "http://4294967297/",
    "http://1.2.3.4.5/",
    "http://999.1.1.1/",
]
OTHER_TRICKS = [
    "http://user:password@example.com/",
    "http://example.com@127.0.0.1/",
    "http://127.0.0.1@example.com/",
    "http://@example.com/",
    "http://example.com\\@127.0.0.1/",
    "http://127.0.0.1\t/",
    "http://exam\nple.com/",
    " http://example.com/",
    "http://example.com /",
    "http://example.com:22/",
    "http://example.com:6379/",
    "http://example.com:25/",
    "http://example.com:0/",
    "http://example.com:99999/",
    "http://example.com:80:80/",
    "http://[::1/",
    "http:///etc/passwd",
    "http://",
    "//example.com/",
    "example.com",
    "",
    "ftp://example.com/",
    "file:///etc/passwd",
    "gopher://127.0.0.1:6379/_FLUSHALL",
    "javascript:alert(1)",
    "http://example..com/",
    "http://" + "a" * 64 + ".com/",
    "http://example.com/" + "a" * 2000,
]
FINE = [
    "https://example.com",
    "https://hooks.example.com/a/b?c=d#e",
    "http://example.com:8080/",
    "https://example.com:8443/",
    "http://8.8.8.8/",
    "https://[2606:4700:4700::1111]/",
    "https://EXAMPLE.com./",
    "https://münchen.example.com/",
    "https://under_score.example.com/",
    "http://localhost/",  # names are judged at every connect
]


class FakeResolver(AbstractResolver):
    """Answers with the addresses it was given, one answer after the other."""

    def __init__(self, *answers: list[str]) -> None:
        self.answers = list(answers)

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        addresses = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
                proto=0,
                flags=0,
            )
            for address in addresses
        ]

    async def close(self) -> None:
        pass


_connected: list[Any] | None = None


def _note_connects(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "socket.connect" and _connected is not None:
        _connected.append(arguments[1])


sys.addaudithook(_note_connects)


@contextmanager
def connects() -> Iterator[list[Any]]:
    """Every address that this process tries to connect to, as the interpreter sees it."""
    global _connected
    _connected = []
    try:
        yield _connected
    finally:
        _connected = None


def post(url: str, *answers: list[str], times: int = 1) -> Response:
    async def run() -> Response:
        session = GuardedSession(FakeResolver(*answers) if answers else None)
        try:
            for _ in range(times):
                answer = await session.post(url, body=b"{}", headers={})
            return answer
        finally:
            await session.close()

    return asyncio.run(run())


def test_the_corpus_is_large_enough() -> None:
    assert len(set(LITERALS + OTHER_TRICKS)) >= 60


@pytest.mark.parametrize("url", LITERALS + OTHER_TRICKS)
def test_a_hostile_address_is_refused_when_it_is_saved_and_never_connected_to(url: str) -> None:
    with pytest.raises(TargetRefused):
        check_url(url)
    with connects() as connected, pytest.raises((TargetRefused, NoResponse)):
        post(url, ["127.0.0.1"])
    assert connected == []


@pytest.mark.parametrize("url", LITERALS)
def test_the_connection_itself_is_guarded_even_if_the_text_were_let_through(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("notifications.egress.session.check_url", split_url)
    with connects() as connected, pytest.raises((TargetRefused, NoResponse)):
        post(url, ["127.0.0.1"])
    assert connected == []


@pytest.mark.parametrize("url", FINE)
def test_an_ordinary_address_can_be_saved(url: str) -> None:
    check_url(url)


@pytest.mark.parametrize(
    "addresses",
    [["127.0.0.1"], ["10.1.2.3"], ["::1"], ["93.184.215.14", "127.0.0.1"], ["169.254.169.254"], ["64:ff9b::7f00:1"]],
)
def test_a_name_that_leads_inside_is_refused_at_the_connection(addresses: list[str]) -> None:
    with connects() as connected, pytest.raises(TargetRefused, match="outside the public internet"):
        post("http://innocent.example.com/", addresses)
    assert connected == []


def test_the_systems_own_answer_for_localhost_is_refused() -> None:
    with connects() as connected, pytest.raises(TargetRefused):
        post("http://localhost:8080/")
    assert connected == []


def test_a_name_that_changes_its_answer_is_checked_at_every_connection(settings: Settings) -> None:
    settings.OUTBOUND_ALLOWED_NETWORKS = ["127.0.0.1/32"]
    with receiver(answering(200, headers="Connection: close\r\n")) as inbox, connects() as connected:
        url = f"http://rebinding.example.com:{inbox.port}/"
        with pytest.raises(TargetRefused):
            asyncio.run(_twice(url, FakeResolver(["127.0.0.1"], ["127.0.0.2"])))
    assert connected == [("127.0.0.1", inbox.port)]


async def _twice(url: str, resolver: FakeResolver) -> None:
    session = GuardedSession(resolver)
    try:
        await session.post(url, body=b"{}", headers={})
        session._session.connector._cached_hosts.clear()  # type: ignore[union-attr]  # its ten seconds are over
        await session.post(url, body=b"{}", headers={})
    finally:
        await session.close()


def test_an_allowed_network_may_be_private_and_use_any_port_and_nothing_beside_it_may(settings: Settings) -> None:
    settings.OUTBOUND_ALLOWED_NETWORKS = ["127.0.0.0/8", "fd00::/8"]
    with receiver() as inbox:
        assert post(inbox.url).status == 200
    check_url("http://127.9.9.9:12345/")
    check_url("http://[fd00::7]:12345/")
    check_url("http://receiver.internal:9000/")  # judged when its address is known
    check_address("127.0.0.5", 1)
    for refused in ("http://10.0.0.1/", "http://8.8.8.8:9000/", "http://2130706433/"):
        with pytest.raises(TargetRefused):
            check_url(refused)
    with pytest.raises(TargetRefused):
        check_address("8.8.8.8", 9000)


@pytest.mark.parametrize("url", ["https://leadline.example.com/", "https://LEADLINE.example.com./webhooks/x/y"])
def test_leadline_does_not_send_to_itself(settings: Settings, url: str) -> None:
    settings.PUBLIC_URL, settings.LOOPBACK = "https://leadline.example.com", False
    with pytest.raises(TargetRefused, match="to itself"):
        check_url(url)


def test_proxies_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    settings.OUTBOUND_ALLOWED_NETWORKS = ["127.0.0.0/8"]
    with receiver() as inbox, receiver() as proxy:
        monkeypatch.setenv("http_proxy", proxy.url)
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        assert post(inbox.url).status == 200
    assert proxy.connections == 0


def test_cookies_and_compressed_answers_are_left_alone(settings: Settings) -> None:
    settings.OUTBOUND_ALLOWED_NETWORKS = ["127.0.0.0/8"]
    headers = "Set-Cookie: a=b\r\nContent-Encoding: gzip\r\n"
    with receiver(answering(200, headers=headers, body="not gzip")) as inbox:
        assert post(inbox.url, times=2).excerpt == "not gzip"
    assert [request.headers.get("cookie") for request in inbox.requests] == [None, None]


def test_a_certificate_that_nobody_vouches_for_is_not_accepted(settings: Settings, tmp_path: Any) -> None:
    settings.OUTBOUND_ALLOWED_NETWORKS = ["127.0.0.0/8"]
    with receiver(tls=self_signed(tmp_path)) as inbox, pytest.raises(NoResponse, match="nobody vouches for it"):
        post(inbox.url)
    assert inbox.requests == []


def self_signed(folder: Any) -> Any:
    import ssl
    from datetime import timedelta

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from django.utils import timezone

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = timezone.now()
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    (folder / "key.pem").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    (folder / "cert.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    return context
