"""The brand of an agency: changed by owners and managers, seen by whoever gets its mails and links."""

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from accounts.core.enums import Role
from accounts.models import Agency, Brand, BrandLogo
from accounts.tenancy.brand import look_of
from tests.images import tiny_png
from tests.portal.browser import Browser


def file(content: bytes, name: str = "logo.png") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content, content_type="text/html")  # what a browser says counts for nothing


def test_a_manager_gives_the_agency_a_logo_a_name_and_a_colour(agency: Agency, sign_in: Browser) -> None:
    manager = sign_in(Role.MANAGER)
    given = {"sender_name": "Acme Sales", "colour": "#ffdd00", "logo": file(tiny_png())}
    assert manager.post("/brand", given).status_code == 302
    page = manager.get("/brand").content.decode()
    brand = Brand.objects.get(agency=agency)
    assert f"/brand/logo/{brand.logo_digest}" in page
    assert "From: Acme Sales" in page
    logo = Client().get(reverse("brand_logo", args=[brand.logo_digest]))
    assert (logo.content, logo["Content-Type"], logo["X-Content-Type-Options"]) == (tiny_png(), "image/png", "nosniff")
    assert "immutable" in logo["Cache-Control"]
    [entry] = agency.audit_entries.all()
    assert (entry.action, entry.detail) == ("Brand changed", "colour, sender name, logo")


def test_a_new_logo_replaces_the_old_one_and_it_can_be_removed(agency: Agency, sign_in: Browser) -> None:
    client = sign_in()
    for content in (tiny_png(), tiny_png(100, 100)):
        client.post("/brand", {"sender_name": "", "colour": "#0b5f5a", "logo": file(content)})
    assert BrandLogo.objects.count() == 1
    assert (look_of(agency).logo_width, look_of(agency).colour) == (40, "")
    client.post("/brand", {"sender_name": "", "colour": "", "remove_logo": "on"})
    agency.refresh_from_db()
    assert (BrandLogo.objects.count(), look_of(agency).logo_path) == (0, "")


def test_what_is_wrong_is_said_at_its_field_and_nothing_is_stored(agency: Agency, sign_in: Browser) -> None:
    client = sign_in()
    for given, why in (
        ({"logo": file(b"<svg onload=alert(1)>", "logo.svg")}, "Only PNG, JPEG and WebP images are accepted."),
        ({"logo": file(bytes(300_000))}, "The file is larger than 256 KB."),
        ({"sender_name": "LinkedIn Security"}, "Use your own name"),
        ({"sender_name": "boss@example.com"}, "Use your own name"),
        ({"colour": "red"}, "Enter a colour such as #0b5f5a."),
    ):
        answer = client.post("/brand", {"sender_name": "", "colour": "", **given})
        assert answer.status_code == 422
        assert why in answer.content.decode()
    assert not Brand.objects.exclude(sender_name="", colour="", logo_digest="").exists()


def test_the_style_of_a_colour_has_readable_text_and_no_other_text_makes_a_style(db: None) -> None:
    browser = Client()
    style = browser.get("/brand/style/ffdd00.css")
    assert style["Content-Type"].startswith("text/css")
    assert "background: #ffdd00; color: #000000" in style.content.decode()
    for odd in ("FFDD00", "ffdd0", "ffdd00}*{", "red"):
        assert browser.get(f"/brand/style/{odd}.css").status_code == 404
    assert browser.get("/brand/logo/none").status_code == 404
