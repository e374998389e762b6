"""A client that openapi-python-client generates from docs/openapi.json works against the running product."""

import importlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from django.conf import settings

from accounts.models import Agency
from accounts.tenancy.api_keys import create_api_key
from leads.pipeline.changes import create_lead
from notifications.channels.service import create_channel
from notifications.models import Channel
from tests.reactions import react

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.one_backend]
NAME = "leadline_client_of_tests"


class Generated:
    """The generated package: `call("channels.channels_list", …)` asks the server."""

    def __init__(self, url: str, key: str) -> None:
        self.client = self.module("client").AuthenticatedClient(
            base_url=url, token=key, raise_on_unexpected_status=True
        )

    def module(self, path: str) -> ModuleType:
        return importlib.import_module(f"{NAME}.{path}")

    def model(self, name: str) -> Any:
        return getattr(self.module("models"), name)

    def call(self, operation: str, *args: Any, **fields: Any) -> Any:
        """The answer's status and what the client made of it."""
        answer = self.module(f"api.{operation}").sync_detailed(*args, client=self.client, **fields)
        return answer.status_code, answer.parsed


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("generated")
    (folder / "config.yaml").write_text("post_hooks: []\n")
    command = [
        *(sys.executable, "-m", "openapi_python_client", "generate", "--meta", "none", "--fail-on-warning"),
        *("--path", str(settings.BASE_DIR / "docs" / "openapi.json"), "--output-path", str(folder / NAME)),
        *("--config", str(folder / "config.yaml")),
    ]
    made = subprocess.run(command, capture_output=True, text=True)
    assert made.returncode == 0, made.stdout + made.stderr
    sys.path.insert(0, str(folder))
    yield folder
    sys.path.remove(str(folder))
    for name in [name for name in sys.modules if name.partition(".")[0] == NAME]:
        del sys.modules[name]


@pytest.fixture
def theirs(package: Path, live_server: Any, agency: Agency) -> Iterator[Generated]:
    generated = Generated(live_server.url, create_api_key(agency)[1])
    yield generated
    generated.client.get_httpx_client().close()  # else the server's thread waits for more, with its database connection


def test_channels_of_every_kind_are_read_each_as_what_it_is(theirs: Generated, agency: Agency) -> None:
    create_channel(agency, kind="email", email="team@example.com", name="Team", mode="daily")
    create_channel(agency, kind="slack", url="https://hooks.example.com/services/x", event_types=["lead_opportunity"])
    create_channel(agency, kind="webhook", url="https://example.com/in", headers={"X-Env": "prod"}, rate_per_second=2)
    status, page = theirs.call("channels.channels_list")
    assert status == 200
    webhook, slack, email = page.results
    kinds = [type(one) for one in page.results]
    assert kinds == [theirs.model(f"{kind}Channel") for kind in ("Webhook", "Slack", "Email")]
    assert (email.email, email.name, email.mode.value, email.kind.value) == (
        "team@example.com",
        "Team",
        "daily",
        "email",
    )
    assert [one.value for one in slack.event_types] == ["lead_opportunity"]
    assert (webhook.url, webhook.rate_per_second, webhook.headers.to_dict()) == (
        "https://example.com/in",
        2,
        {"X-Env": "prod"},
    )
    for one in page.results:
        assert theirs.call("channels.channels_retrieve", one.id) == (200, one)


@pytest.mark.parametrize(
    ("kind", "given"),
    [
        ("Webhook", {"url": "https://example.com/hook?sig=a%2Fb", "name": "CRM"}),
        ("Slack", {"url": "https://hooks.example.com/services/x", "name": "Sales"}),
        ("Email", {"email": "team@example.com", "name": "Team"}),
    ],
)
def test_a_channel_is_made_and_changed(theirs: Generated, agency: Agency, kind: str, given: dict[str, str]) -> None:
    body = theirs.model(f"{kind}ChannelRequest")(kind=theirs.model(f"{kind}Kind")(kind.lower()), **given)
    status, made = theirs.call("channels.channels_create", body=body)
    assert (status, made.name) == (201, given["name"])
    if kind == "Webhook":
        assert type(made) is theirs.model("WebhookChannelWithSecret")
        assert made.secret.startswith("whsec_")
    else:
        assert type(made) is theirs.model(f"{kind}Channel")
    changes = theirs.model("PatchedChannelChangesRequest")(name="Other")
    status, changed = theirs.call("channels.channels_partial_update", made.id, body=changes)
    assert (status, changed.name, type(changed)) == (200, "Other", theirs.model(f"{kind}Channel"))
    assert Channel.objects.get(agency=agency).name == "Other"


def test_a_lead_is_read(theirs: Generated, agency: Agency) -> None:
    lead = create_lead(agency, name="Ada Lovelace", email="ada@example.com", tags=["warm"])
    status, read = theirs.call("leads.leads_retrieve", lead.pk)
    assert (status, read.id, read.name, read.email, read.tags) == (
        200,
        lead.pk,
        "Ada Lovelace",
        "ada@example.com",
        ["warm"],
    )
    assert (read.status.value, read.received_at) == (
        "PENDING",
        lead.received_at.replace(microsecond=read.received_at.microsecond),
    )
    status, page = theirs.call("leads.leads_list", q="ada@example.com")
    assert (status, [one.id for one in page.results]) == (200, [lead.pk])


def test_what_is_wrong_is_read_as_a_problem(theirs: Generated, agency: Agency) -> None:
    status, problem = theirs.call("leads.leads_retrieve", "nobody")
    assert (status, problem.status, type(problem)) == (404, 404, theirs.model("Problem"))


def test_a_report_is_read(theirs: Generated, agency: Agency) -> None:
    create_lead(agency, email="ada@example.com")
    react()
    status, report = theirs.call("reports.reports_leads", include_inactive=True)
    assert (status, report.figures.to_dict()["leads"]) == (200, 1)
