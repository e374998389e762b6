"""Leads from a file on the pages: upload, columns, check, progress, result, undo."""

from io import BytesIO

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from accounts.core.enums import Role
from accounts.models import Agency
from leads.imports import service
from leads.imports.jobs import work_on_imports
from leads.models import Lead
from tests.portal.browser import Browser

pytestmark = [pytest.mark.django_db, pytest.mark.one_backend]
FILE = "Name;Adresse;Firma\nZoë Müller;zoe@example.com;Acme\nBea;=1+1;Globex\n".encode("cp1252")


@pytest.fixture
def manager(sign_in: Browser) -> Client:
    return sign_in(Role.MANAGER)


def work() -> None:
    while work_on_imports():
        pass


def upload(client: Client, content: bytes = FILE) -> str:
    file = SimpleUploadedFile("fair.csv", content)
    return str(client.post("/imports/new", {"csv": file})["Location"])


def test_a_file_is_uploaded_mapped_imported_and_undone(agency: Agency, manager: Client) -> None:
    path = upload(manager)
    html = manager.get(path).content.decode()
    for text in ("Choose columns", "Windows-1252", "semicolon", "Adresse", "zoe@example.com"):
        assert text in html, text
    refused = manager.post(f"{path}/columns", {"column_0": "name", "column_2": "company"}, follow=True)
    assert "One column must be" in refused.content.decode()
    manager.post(f"{path}/columns", {"column_0": "name", "column_1": "email", "column_2": "company"})
    html = manager.get(path).content.decode()
    assert "Checking" in html
    assert f'hx-get="{path}/state"' in html
    work()
    html = manager.get(path).content.decode()
    for text in ("Ready to import", "New lead", "Refused", "not an e-mail address"):
        assert text in html, text
    assert "hx-get" not in manager.get(f"{path}/state").content.decode()
    manager.post(f"{path}/run")
    assert "0 of 2 rows" in manager.get(f"{path}/state").content.decode()
    work()
    assert "Imported leads start no clock" in manager.get(path).content.decode()
    lead = Lead.objects.get()
    page = manager.get(f"/leads/{lead.pk}").content.decode()
    assert "Imported from the file “fair.csv”." in page
    assert "from an import" in page
    file = b"".join(manager.get(f"{path}/refused.csv")).decode()  # type: ignore[arg-type]  # it is streamed
    assert '3;"not an e-mail address";"Bea";"\'=1+1";"Globex"' in file
    manager.post(f"{path}/undo")
    work()
    html = manager.get(path).content.decode()
    assert "Removed again" in html
    assert not Lead.objects.exists()
    assert "fair.csv was deleted." in manager.post(f"{path}/delete", follow=True).content.decode()


def test_the_next_file_with_these_headings_needs_no_columns(agency: Agency, manager: Client) -> None:
    manager.post(f"{upload(manager)}/columns", {"column_0": "name", "column_1": "email"})
    assert "Checking" in manager.get(upload(manager)).content.decode()


def test_what_cannot_be_read_is_said_beside_the_file(agency: Agency, manager: Client) -> None:
    for content, message in (
        (b"", "empty"),
        (b"PK\x03\x04", "Excel workbook"),
        (b"E-mail\n", "no rows below its heading"),
        (b"x" * (20 * 1024 * 1024 + 1), "larger than 20 MB"),
    ):
        answer = manager.post("/imports/new", {"csv": SimpleUploadedFile("fair.csv", content)})
        assert (answer.status_code, message in answer.content.decode()) == (422, True), message
    assert not agency.imports.exists()


def test_a_member_who_may_only_read_sees_counts_and_no_buttons(agency: Agency, sign_in: Browser) -> None:
    found = service.create_import(agency, name="fair.csv", file=BytesIO(b"E-mail\nann@example.com\n"))
    work()
    html = sign_in(Role.READ_ONLY).get(f"/imports/{found.pk}").content.decode()
    assert "Ready to import" in html
    assert "/run" not in html
