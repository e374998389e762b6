"""Headers, request ids, proxies and sign-in: what protects every page."""

import re
import secrets
from http.cookies import SimpleCookie
from typing import Any

import pytest
import time_machine
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, generate_totp_secret, hotp_value
from allauth.mfa.totp.internal.auth import yield_hotp_counters_from_time as counters
from django.contrib.auth.hashers import MD5PasswordHasher
from django.contrib.auth.models import User
from django.core import mail
from django.core.management import call_command
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from pytest_django import Settings

from accounts.tenancy.verified_email import mark_email_verified
from config.security import proxy_headers
from tests.answers import Answer

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; "
    "manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
PASSWORD = "correct horse battery"


pytestmark = pytest.mark.usefixtures("fresh_cache")


@pytest.fixture
def member(db: None) -> User:
    return User.objects.create_user("member", "member@example.com", PASSWORD)


def sign_in(client: Client, name: str, password: str = PASSWORD, **extra: Any) -> Answer:
    return client.post("/accounts/login/", {"login": name, "password": password, **extra})


def code_for(secret: str) -> str:
    return format_hotp_value(hotp_value(secret, next(iter(counters()))))


@pytest.mark.once
@pytest.mark.parametrize("path", ["/", "/accounts/login/", "/nowhere", "/healthz", "/metrics", "/admin/"])
def test_every_answer_carries_the_policy_and_a_request_id(path: str, db: None) -> None:
    answer = Client().get(path)
    assert answer["Content-Security-Policy"] == POLICY
    assert re.fullmatch(r"[0-9a-f]{32}", answer["X-Request-ID"])
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["X-Frame-Options"] == "DENY"
    assert answer["Referrer-Policy"] == "same-origin"
    assert "camera=()" in answer["Permissions-Policy"]


def test_pages_of_the_back_office_and_of_second_factors_carry_the_policy(signed_in: Client) -> None:
    for path in ("/admin/", "/admin/leads/lead/", "/accounts/2fa/", "/accounts/password/change/"):
        answer = signed_in.get(path)
        assert answer.status_code == 200, path
        assert answer["Content-Security-Policy"] == POLICY
        html = answer.content.decode()
        assert not re.search(r"<style|\sstyle=|\son\w+=|<script>", html), path


def test_only_the_page_with_the_qr_code_may_show_an_image_inside_itself(staff: User) -> None:
    client = Client()
    sign_in(client, "staff")
    answer = client.get("/accounts/2fa/totp/activate/")
    assert answer.status_code == 200
    assert answer["Content-Security-Policy"] == POLICY.replace("img-src 'self'", "img-src 'self' data:")


def test_a_callers_request_id_comes_back(db: None) -> None:
    assert Client().get("/", headers={"X-Request-ID": "trace-1.a_B:9"})["X-Request-ID"] == "trace-1.a_B:9"


@pytest.mark.once
@pytest.mark.parametrize("bad", ["", "a b", "x" * 65, "a\tb", "é", "<b>", "-a", "a;b", "%0d%0a"])
def test_a_harmful_request_id_is_replaced(bad: str, db: None) -> None:
    answer = Client().get("/", HTTP_X_REQUEST_ID=bad)
    assert re.fullmatch(r"[0-9a-f]{32}", answer["X-Request-ID"])


def seen_behind(meta: dict[str, str]) -> HttpRequest:
    seen: list[HttpRequest] = []

    def view(request: HttpRequest) -> HttpResponse:
        seen.append(request)
        return HttpResponse()

    proxy_headers(view)(RequestFactory().get("/", **meta))  # type: ignore[arg-type]
    return seen[0]


def test_a_stranger_cannot_forge_where_it_comes_from(settings: Settings) -> None:
    settings.TRUSTED_PROXIES = ["10.0.0.0/8"]
    forged = {"HTTP_X_FORWARDED_FOR": "1.1.1.1", "HTTP_X_FORWARDED_PROTO": "https"}
    request = seen_behind({"REMOTE_ADDR": "203.0.113.9", **forged})
    assert request.META["REMOTE_ADDR"] == "203.0.113.9"
    assert "HTTP_X_FORWARDED_PROTO" not in request.META


def test_behind_a_trusted_proxy_the_address_is_the_one_it_saw(settings: Settings) -> None:
    settings.TRUSTED_PROXIES = ["10.0.0.0/8"]
    forwarded = {"HTTP_X_FORWARDED_FOR": "1.1.1.1, 198.51.100.7, 10.0.0.2", "HTTP_X_FORWARDED_PROTO": "https"}
    request = seen_behind({"REMOTE_ADDR": "10.0.0.1", **forwarded})
    assert request.META["REMOTE_ADDR"] == "198.51.100.7"
    assert request.META["HTTP_X_FORWARDED_PROTO"] == "https"


def test_people_sign_in_by_name_or_by_address(staff: User, member: User) -> None:
    for user in (staff, member):
        mark_email_verified(user, user.email)
    for name, target in {
        "staff": "/admin/",
        "staff@example.com": "/admin/",
        "member": "/",
        "MEMBER@example.com": "/",
    }.items():
        answer = sign_in(Client(), name)
        assert (answer.status_code, answer["Location"]) == (302, target)


def test_a_wrong_password_says_nothing_about_who_exists(staff: User) -> None:
    known = sign_in(Client(), "staff", "wrong").content.decode()
    unknown = sign_in(Client(), "nobody", "wrong").content.decode()
    strip = re.compile(r'name="csrfmiddlewaretoken" value="[^"]+"|value="(staff|nobody)"')
    assert strip.sub("", known) == strip.sub("", unknown)


@pytest.mark.once
@pytest.mark.parametrize("login", ["staff", "staff@example.com", "other@example.com", "nobody", "nobody@example.com"])
def test_an_attempt_hashes_one_password_whoever_exists(
    staff: User, member: User, monkeypatch: pytest.MonkeyPatch, login: str
) -> None:
    mark_email_verified(staff, staff.email)
    User.objects.filter(pk=member.pk).update(email="other@example.com")
    hashed = []
    encode = MD5PasswordHasher.encode
    monkeypatch.setattr(MD5PasswordHasher, "encode", lambda *args, **kw: hashed.append(args) or encode(*args, **kw))
    sign_in(Client(), login, "wrong")
    assert len(hashed) == 1


@pytest.mark.parametrize("email", ["staff@example.com", "member@example.com", "nobody@example.com"])
def test_a_reset_answers_alike_whoever_exists(staff: User, member: User, email: str) -> None:
    mark_email_verified(staff, staff.email)
    client = Client()
    answer = client.post("/accounts/password/reset/", {"email": email}, follow=True)
    assert answer.redirect_chain == [("/accounts/password/reset/done/", 302)]
    assert email not in answer.content.decode()
    assert [message.to for message in mail.outbox] == [[email]]
    assert ("/password/reset/key/" in str(mail.outbox[0].body)) == (email == staff.email)


def test_guessing_a_password_is_stopped_also_for_the_right_one(staff: User) -> None:
    for _ in range(5):
        sign_in(Client(), "staff", "wrong")
    answer = sign_in(Client(), "staff")
    assert answer.status_code == 200
    assert "Too many failed login attempts" in answer.content.decode()


def test_a_sign_in_leads_to_no_other_site(staff: User) -> None:
    for target in ("https://evil.example.com/", "//evil.example.com", "javascript:alert(1)", "/\\evil.example.com"):
        assert sign_in(Client(), "staff", next=target)["Location"] == "/admin/"
    assert sign_in(Client(), "staff", next="/admin/leads/lead/")["Location"] == "/admin/leads/lead/"


def test_nobody_signs_up(db: None) -> None:
    fields = {"username": "x", "email": "x@example.com", "password1": PASSWORD, "password2": PASSWORD}
    assert "Nobody signs up here" in Client().get("/accounts/signup/").content.decode()
    Client().post("/accounts/signup/", fields)
    assert not User.objects.filter(username="x").exists()


def test_who_is_not_signed_in_is_led_to_the_sign_in_and_back(db: None) -> None:
    client = Client()
    answer = client.get("/admin/webhooks/receipt/?status=failed", follow=True)
    assert answer.redirect_chain[-1][0].startswith("/accounts/login/?next=/admin/")
    User.objects.create_superuser("late", password=PASSWORD)
    there = sign_in(client, "late", next=answer.context["redirect_field_value"])
    assert there["Location"] == "/admin/webhooks/receipt/?status=failed"


def test_members_of_agencies_see_nothing_of_the_back_office(member: User) -> None:
    client = Client()
    client.force_login(member)
    for path in ("/admin/", "/admin/leads/lead/", "/admin/jsi18n/"):
        answer = client.get(path, follow=True)
        assert answer.status_code in (403, 404), path
        assert "Leadline back office" not in answer.content.decode()


def test_a_form_without_its_token_is_refused_with_a_page_that_says_so(staff: User) -> None:
    client = Client(enforce_csrf_checks=True)
    answer = sign_in(client, "staff")
    assert answer.status_code == 403
    assert "The form had expired" in answer.content.decode()


def test_signing_out_takes_a_post(signed_in: Client) -> None:
    assert signed_in.get("/admin/logout/").status_code == 405
    assert signed_in.post("/admin/logout/")["Location"] == "/"
    assert signed_in.get("/admin/").status_code == 302


ADMIN_PAGES = ("/admin/", "/admin/leads/lead/", "/admin/accounts/apikey/add/", "/admin/jsi18n/", "/admin/nothing/")


def test_staff_without_a_second_factor_see_nothing_and_are_led_to_set_one_up(staff: User, settings: Settings) -> None:
    settings.STAFF_TWO_FACTOR = True
    client = Client()
    sign_in(client, "staff")
    for path in ADMIN_PAGES:
        for answer in (client.get(path), client.post(path)):
            assert (answer.status_code, answer["Location"]) == (302, "/accounts/2fa/needed/"), path
    assert "/accounts/2fa/totp/activate/" in client.get("/accounts/2fa/needed/").content.decode()


def test_staff_set_up_a_second_factor_show_it_once_and_are_in(staff: User, settings: Settings) -> None:
    settings.STAFF_TWO_FACTOR = True
    client = Client()
    sign_in(client, "staff")
    page = client.get("/accounts/2fa/totp/activate/")
    secret = page.context["form"].secret
    client.post("/accounts/2fa/totp/activate/", {"code": code_for(secret)})
    stored = Authenticator.objects.get(user=staff, type="totp").data["secret"]
    assert secret not in stored
    assert stored.startswith("gAAAA")
    asked = client.get("/admin/")
    assert asked["Location"] == "/accounts/2fa/reauthenticate/?next=%2Fadmin%2F"
    response = client.post(asked["Location"], {"code": code_for(secret), "next": "/admin/"})
    assert response["Location"] == "/admin/"
    assert client.get("/admin/").status_code == 200


def test_with_a_second_factor_a_password_alone_opens_nothing(staff: User, settings: Settings) -> None:
    settings.STAFF_TWO_FACTOR = True
    secret = generate_totp_secret()
    TOTP.activate(staff, secret)
    client = Client()
    assert sign_in(client, "staff")["Location"] == "/accounts/2fa/authenticate/"
    assert client.get("/admin/").headers["Location"].startswith("/admin/login/")
    assert client.post("/accounts/2fa/authenticate/", {"code": "000000"}).status_code == 200
    client.post("/accounts/2fa/authenticate/", {"code": code_for(secret)})
    assert client.get("/admin/").status_code == 200


def test_a_session_from_before_the_second_factor_does_not_count(staff: User, settings: Settings) -> None:
    settings.STAFF_TWO_FACTOR = True
    stolen = Client()
    sign_in(stolen, "staff")
    TOTP.activate(staff, generate_totp_secret())
    for path in ADMIN_PAGES:
        assert stolen.get(path).headers["Location"].startswith("/accounts/2fa/reauthenticate/"), path


def test_without_the_setting_a_password_will_do(staff: User) -> None:
    client = Client()
    sign_in(client, "staff")
    assert client.get("/admin/").status_code == 200


def test_a_superuser_lets_a_colleague_who_lost_the_phone_start_again(signed_in: Client, db: None) -> None:
    colleague = User.objects.create_user("colleague", is_staff=True)
    TOTP.activate(colleague, generate_totp_secret())
    signed_in.post(f"/admin/auth/user/{colleague.pk}/press/forget_second_factor/")
    assert not Authenticator.objects.filter(user=colleague).exists()


def test_cookies_are_for_this_site_and_not_for_scripts(staff: User) -> None:
    client = Client()
    sign_in(client, "staff")
    cookies: SimpleCookie = client.cookies
    assert cookies["sessionid"]["httponly"]
    assert cookies["sessionid"]["samesite"] == "Lax"


def test_the_deployment_check_is_clean_behind_https(settings: Settings, db: None) -> None:
    settings.SESSION_COOKIE_SECURE = settings.CSRF_COOKIE_SECURE = settings.SECURE_SSL_REDIRECT = True
    settings.SECURE_HSTS_SECONDS = 31_536_000
    assert not settings.SECURE_HSTS_INCLUDE_SUBDOMAINS
    assert not settings.SECURE_HSTS_PRELOAD
    call_command("check", deploy=True, fail_level="WARNING", tags=["security", "urls", "admin", "templates", "models"])


@pytest.mark.parametrize(
    ("setting", "value", "expected"),
    [
        ("FIELD_ENCRYPTION_KEYS", ["MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=", "short"], "leadline.E001"),
        ("TRUSTED_PROXIES", ["10.0.0.0/8", "proxy"], "leadline.E002"),
        ("OUTBOUND_ALLOWED_NETWORKS", ["10.0.0/33"], "leadline.E002"),
    ],
)
def test_a_setting_that_cannot_work_is_named(setting: str, value: list[str], expected: str, settings: Settings) -> None:
    from django.core.checks import Tags, run_checks

    setattr(settings, setting, value)
    assert [message.id for message in run_checks(tags=[Tags.security])] == [expected]


def test_wrong_passwords_of_somebody_else_lock_nobody_out(staff: User) -> None:
    stranger = Client(REMOTE_ADDR="203.0.113.9")
    for spelling in ("staff", "Staff", " staff", "STAFF ", "staff", "staff"):
        answer = sign_in(stranger, spelling, "wrong")
    assert "Too many failed login attempts" in answer.content.decode()
    assert sign_in(stranger, "staff").status_code == 200
    assert sign_in(Client(), "staff").status_code == 302


def test_a_password_is_guessed_from_many_addresses_only_so_often_and_the_owner_comes_in_by_mail(staff: User) -> None:
    mark_email_verified(staff, staff.email)
    with time_machine.travel("2026-11-30T09:00:00Z", tick=False) as clock:
        for number in range(100):
            sign_in(Client(REMOTE_ADDR=f"203.0.113.{number}"), "staff", "wrong")
        page = sign_in(Client(), "staff").content.decode()
        assert "or reset your password with" in page
        owner = Client()
        owner.post("/accounts/password/reset/", {"email": staff.email})
        [path] = re.findall(r"https?://[^/\s]+(/accounts/password/reset/key/\S+)", str(mail.outbox[0].body))
        form = owner.get(path, follow=True)
        new = "a long and strange sentence"
        owner.post(form.request["PATH_INFO"], {"password1": new, "password2": new})
        assert owner.session["_auth_user_id"] == str(staff.pk)
        assert sign_in(Client(), "staff", new).status_code == 200
        clock.shift(3601)
        assert sign_in(Client(), "staff", new).status_code == 302


def test_people_sign_in_while_redis_is_away_and_guessing_is_limited_all_the_same(
    staff: User, settings: Settings
) -> None:
    unreachable = {"socket_connect_timeout": 1, "socket_timeout": 1}
    settings.CACHES = {
        "default": {
            "BACKEND": "config.cache.FallbackRedisCache",
            "LOCATION": "redis://127.0.0.1:1/0",
            "KEY_PREFIX": secrets.token_hex(4),
            "OPTIONS": unreachable,
        }
    }
    assert sign_in(Client(), "staff").status_code == 302
    for _ in range(5):
        sign_in(Client(), "staff", "wrong")
    assert "Too many failed login attempts" in sign_in(Client(), "staff").content.decode()


def test_the_mailed_link_lets_nobody_in_without_the_second_factor(staff: User) -> None:
    mark_email_verified(staff, staff.email)
    secret = generate_totp_secret()
    TOTP.activate(staff, secret)
    client = Client()
    client.post("/accounts/password/reset/", {"email": staff.email})
    [path] = re.findall(r"https?://[^/\s]+(/accounts/password/reset/key/\S+)", str(mail.outbox[0].body))
    new = "a long and strange sentence"
    form = client.get(path, follow=True)
    answer = client.post(form.request["PATH_INFO"], {"password1": new, "password2": new})
    assert answer["Location"] == "/accounts/2fa/authenticate/"
    assert "_auth_user_id" not in client.session
    client.post("/accounts/2fa/authenticate/", {"code": code_for(secret)})
    assert client.session["_auth_user_id"] == str(staff.pk)


def test_who_is_signed_in_confirms_the_password_while_others_guess_it(staff: User) -> None:
    owner = Client()
    sign_in(owner, "staff")
    for number in range(100):
        sign_in(Client(REMOTE_ADDR=f"203.0.113.{number}"), "staff", "wrong")
    answer = owner.post("/accounts/reauthenticate/", {"password": PASSWORD, "next": "/accounts/email/"})
    assert (answer.status_code, answer["Location"]) == (302, "/accounts/email/")
