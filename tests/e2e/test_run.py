"""`make run` and `make demo`, as a newcomer meets them. One checkout, in the order of the file."""

import json
import os
import re
import signal
import socket
import stat
import subprocess

import psutil

from tests.e2e.stack import Checkout, Run, http, running, wait_for


def api(run: Run, path: str) -> dict[str, object]:
    answer = http.request(
        "GET", f"{run.checkout.url}/api/v1/{path}", headers={"Authorization": f"Bearer {run.value('API key')}"}
    )
    body: dict[str, object] = json.loads(answer.data)
    assert answer.status == 200, body
    return body


def test_the_first_start_shows_every_address_and_secret(run: Run) -> None:
    text = "\n".join(run.lines)
    assert "company id fhRhvcLbntMZs3hVo5L4" in text
    for provider in ("salesflow", "welink", "sendpilot", "linkedin", "linkedconnector", "highlevel"):
        assert re.search(rf"{provider} +{run.checkout.url}/webhooks/{provider}/\w+", text), text
    assert run.value("staff user") == "admin"
    assert len(run.value("password")) >= 12
    assert run.value("API key").startswith("ll_")


def test_keys_lie_in_files_that_only_their_owner_reads(run: Run) -> None:
    for name in ("env", "demo.json"):
        assert stat.S_IMODE((run.checkout.folder / "var" / name).stat().st_mode) == 0o600


def test_a_sample_becomes_an_account_that_the_api_shows(run: Run) -> None:
    answer = run.checkout.manage("send_sample", "salesflow", "account_blocked", "--set", "LinkedInAccountId=41")
    assert (answer["status_code"], answer["body"]["status"]) == (200, "accepted")
    found = wait_for(lambda: api(run, "accounts?provider=salesflow")["results"])
    assert [(account["external_id"], account["status"]) for account in found] == [("41", "disconnected")]


def test_it_says_that_it_is_ready_once_every_process_has_been_seen(run: Run) -> None:
    wait_for(lambda: http.request("GET", f"{run.checkout.url}/readyz").status == 200, 30)


def test_the_supervisor_does_not_keep_what_it_took_to_prepare(run: Run) -> None:
    [supervisor] = run.find("config.bootstrap.start")
    assert supervisor.memory_info().rss < 64 * 1024 * 1024


def test_the_day_of_webhooks_becomes_what_the_contract_says(run: Run) -> None:
    answer = run.checkout.manage("demo")
    assert answer["faults"] == []
    assert answer["ok"] is True
    assert sum(step["webhooks"] for step in answer["steps"]) > 20


def test_the_doctor_finds_nothing_to_mend(run: Run) -> None:
    answer = run.checkout.manage("doctor")
    assert [check for check in answer["checks"] if not check["ok"]] == []


def test_a_second_start_beside_it_is_refused_with_a_sentence(run: Run) -> None:
    result = subprocess.run(
        ["make", "run"], cwd=run.checkout.folder, env=run.checkout.environment(), capture_output=True, text=True
    )
    assert result.returncode != 0
    assert "`make run` already runs in this checkout." in result.stderr
    assert "Traceback" not in result.stderr


def test_everything_it_writes_lies_under_var(run: Run) -> None:
    began = run.process.pid and psutil.Process(run.process.pid).create_time()
    outside = [
        path
        for path in run.checkout.folder.rglob("*")
        if path.is_file() and not path.is_relative_to(run.checkout.folder / "var")
        if ".venv" not in path.parts and path.stat().st_mtime > began
    ]
    assert outside == []


def test_ctrl_c_stops_everything_and_leaves_no_process_behind(run: Run) -> None:
    family = run.family()
    assert len(family) >= 6
    assert run.stop(signal.SIGINT) < 15
    assert run.family() == set()
    assert any("stopped" in line for line in run.errors)
    assert not any("Traceback" in line for line in run.errors), "\n".join(run.errors[-60:])


def test_the_next_start_is_quick_and_shows_no_secret(run: Run, checkout: Checkout) -> None:
    run.stop_if_running()
    with running(checkout) as again:
        [supervisor] = again.find("config.bootstrap.start")
        if "DATABASE_URL" not in checkout.settings:  # with servers it looks each time
            assert supervisor.cpu_times().user < 1, "it prepared again what was prepared"
        text = "\n".join(again.lines)
        assert "shown on the first start only" in text
        assert run.value("API key") not in text
        assert run.value("password") not in text
        assert again.stop(signal.SIGTERM) < 15
        assert again.family() == set()


def test_a_port_that_is_taken_is_said_at_once(checkout: Checkout, run: Run) -> None:
    run.stop_if_running()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        result = subprocess.run(
            ["make", "run"],
            cwd=checkout.folder,
            env={**checkout.environment(), "PORT": str(port)},
            capture_output=True,
            text=True,
        )
    assert result.returncode != 0
    assert f"Port {port} cannot be used (address already in use)" in result.stderr


def test_a_wrong_setting_is_one_sentence(checkout: Checkout, run: Run) -> None:
    run.stop_if_running()
    for name, value, sentence in (
        ("PORT", "http", "PORT is 'http': it must be a number from 1 to 65535."),
        ("PUBLIC_URL", "http://leads.example.com", "outside loopback it must start with https://"),
        ("DATABASE_URL", "postgres://nobody@127.0.0.1:9/none", "The database cannot be used"),
    ):
        result = subprocess.run(
            ["make", "run"],
            cwd=checkout.folder,
            env={**checkout.environment(), name: value},
            capture_output=True,
            text=True,
        )
        assert result.returncode != 0
        assert sentence in result.stderr
        assert "Traceback" not in result.stderr
        assert os.path.lexists(checkout.folder / "var" / "env")
