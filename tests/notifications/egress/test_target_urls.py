"""A saved URL is sent byte for byte, and what was judged of it is what is connected to."""

import asyncio
import socket
from collections.abc import Callable

import pytest
from aiohttp.abc import AbstractResolver, ResolveResult
from django.contrib.auth.models import User
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from accounts.core.enums import EventType
from accounts.models import Agency, Event
from accounts.providers.client import send_request
from notifications.channels.service import create_channel, update_channel
from notifications.delivery import drain_deliveries
from notifications.egress.session import GuardedSession, NoResponse
from notifications.egress.url_policy import TargetRefused, check_url
from notifications.models import Channel
from notifications.staff.alerts import set_alerts, slack_url
from tests.notifications.receiver import Receiver, receiver

SIGNED = [
    "/hook?sig=a%2Fb%2Bc%3D%3D&sp=%2Ftriggers%2Fmanual%2Frun",
    "/hook/http%3A%2F%2Fexample.com%2Fx",
    "/path%28test%29/a%20b",
    "/q?z=%27q%27&email=ann%40example.com",
    "/lower%2fcase%3a?token=%2f%2b%3d",  # a signature may have been made of either case
    "/not/%2E%2E/resolved/../here/./",
    "/a;b=c,d/@me/$x!(y)*'z'~?a[]=1&b[0]=2&c=d?e/f:g@h",
    "/100%/of%zz?rate=5%",
    "/twice//slashed///path?",
    "/q?a=1&&b=&=c&+plus+%2B",
    "/?only=query",
    "//host.example/looks/like/another",
]
#: What people type that HTTP cannot carry --> what is saved, and sent.
CANONICAL = {
    "/büro?straße=größe": "/b%C3%BCro?stra%C3%9Fe=gr%C3%B6%C3%9Fe",
    '/a{id}|b^c`d"e<f>': "/a%7Bid%7D%7Cb%5Ec%60d%22e%3Cf%3E",
    "/page?x=1#section": "/page?x=1",
    "#section": "",
    "?x=1": "?x=1",
    "": "",
}


def sent(inbox: Receiver) -> list[str]:
    return [request.path for request in inbox.requests]


@pytest.mark.once
@pytest.mark.parametrize("path", SIGNED)
@pytest.mark.parametrize("kind", ["webhook", "slack"])
def test_a_saved_url_is_sent_as_it_was_saved(
    agency: Agency, loopback: None, happen: Callable[..., Event], kind: str, path: str
) -> None:
    with receiver() as inbox:
        url = inbox.url.removesuffix("/hook") + path
        channel, _ = create_channel(agency, kind=kind, url=url, conflation_seconds=0 if kind == "slack" else 60)
        assert channel.url == url
        happen(EventType.LINKEDIN_BLOCKED)
        drain_deliveries()
    assert sent(inbox) == [path]


@pytest.mark.once
@pytest.mark.parametrize(("typed", "canonical"), CANONICAL.items())
def test_what_http_cannot_carry_is_made_plain_when_it_is_saved(
    agency: Agency, loopback: None, happen: Callable[..., Event], typed: str, canonical: str
) -> None:
    with receiver() as inbox:
        base = inbox.url.removesuffix("/hook")
        channel, _ = create_channel(agency, kind="webhook", url=f"{base}/first")
        assert update_channel(channel, url=base + typed).url == base + canonical
        happen()
        drain_deliveries()
    assert sent(inbox) == [canonical if canonical.startswith("/") else f"/{canonical}"]


def test_a_url_that_was_saved_before_it_was_made_plain_is_still_sent(
    agency: Agency, loopback: None, happen: Callable[..., Event]
) -> None:
    with receiver() as inbox:
        channel, _ = create_channel(agency, kind="webhook", url=inbox.url)
        Channel.objects.filter(pk=channel.pk).update(url=inbox.url + "?who=büro&at=%2Fx#part")
        happen()
        drain_deliveries()
    assert sent(inbox) == ["/hook?who=b%C3%BCro&at=%2Fx"]


def test_staffs_own_slack_is_saved_and_sent_alike(staff: User, loopback: None) -> None:
    with receiver() as inbox:
        url = inbox.url + "?sig=%2Fa%3D%27"
        set_alerts(staff, by_email=False, by_slack=True, slack_url=f"{url}#x")
        saved = slack_url(f"slack:{staff.pk}")
        asyncio.run(_post(saved))
    assert saved == url
    assert sent(inbox) == ["/hook?sig=%2Fa%3D%27"]


def test_calls_to_providers_leave_as_they_were_composed() -> None:
    path = "/rest/leadForms/(id:urn%3Ali%3Aform%3A1,v:2)?q=%27a%27&owner=(x:List(urn%3Ali%3Aorganization%3A1))&t=a%2Fb"
    with receiver() as inbox:
        send_request("Example", "GET", inbox.url.removesuffix("/hook") + path, headers={})
    assert sent(inbox) == [path]


class NotingResolver(AbstractResolver):
    """Notes the names it is asked for; none of them exists."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, int]] = []

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        self.asked.append((host, port))
        raise OSError("no such name")

    async def close(self) -> None:
        pass


async def _post(url: str, resolver: AbstractResolver | None = None) -> None:
    session = GuardedSession(resolver)
    try:
        await session.post(url, body=b"{}", headers={})
    finally:
        await session.close()


PIECES = st.sampled_from(
    [
        *("http", "https", "HTTPS", ":", "//", "://", "/", "\\", "?", "#", "@", "%2F", "%40", "%23", "%5C", "%00", ";"),
        *("example.com", "inside.example", "127.0.0.1", "[::1]", "[", "]", "localhost", ":80", ":8080", ".", "。", "a"),
        *("\t", "\n", "\r", " ", "\u00a0", "\u200b", "\u2028", "\u00ad", "ß", "／", "＠", "＃", "？", "：", "﹨"),
        *("%", "&"),
    ]
)


@given(st.lists(PIECES, max_size=12).map("".join), st.booleans())
@example("example.com\\@127.0.0.1/", True)
@example("example.com#@127.0.0.1/", True)
@example("example.com?@127.0.0.1/", True)
@example("example.com／.inside.example/", True)
@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_was_judged_is_what_is_connected_to(rest: str, with_scheme: bool) -> None:
    url = f"http://{rest}" if with_scheme else rest
    resolver = NotingResolver()
    try:
        target = check_url(url)
    except TargetRefused:
        with pytest.raises(TargetRefused):
            asyncio.run(_post(url, resolver))
        assert resolver.asked == []
        return
    with pytest.raises((NoResponse, TargetRefused)):
        asyncio.run(_post(url, resolver))
    assert resolver.asked == [(target.host, target.port or (443 if target.scheme == "https" else 80))]
    assert check_url(target.url).url == target.url
