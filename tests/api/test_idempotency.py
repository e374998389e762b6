"""`Idempotency-Key`: one effect, one answer."""

import json
import threading
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import connections
from django.test import Client
from django.utils import timezone

from accounts.events.erasure import erase_everywhere
from accounts.models import Agency, IdempotencyRecord, Source
from accounts.tenancy.agencies import create_agency
from leads.models import Lead
from tests.answers import Answer
from tests.api.client import Api, api_with
from tests.api.routes import OBJECT_ROUTES, success_of
from tests.cases import one_by_one
from tests.factories import World
from webhooks.models import Receipt

POSTS = [route[1:] for route in OBJECT_ROUTES if route[0] == "post"]


def test_the_same_lead_posted_twice_is_one_lead_and_one_answer(agency: Agency, api: Api) -> None:
    first = api.post("leads", {"email": "a@example.com", "name": "A"}, Idempotency_Key="k1")
    second = api.post("leads", {"name": "A", "email": "a@example.com"}, Idempotency_Key="k1")
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json() == second.json()
    assert (first.has_header("Idempotent-Replayed"), second["Idempotent-Replayed"]) == (False, "true")
    assert first["X-Request-ID"] != second["X-Request-ID"]
    assert Lead.objects.count() == 1
    assert api.post("leads", {"email": "a@example.com"}).status_code == 201
    assert Lead.objects.count() == 2


def test_a_key_is_for_one_request(agency: Agency, api: Api) -> None:
    api.post("leads", {"email": "a@example.com"}, Idempotency_Key="k1")
    other_body = api.post("leads", {"email": "b@example.com"}, Idempotency_Key="k1")
    other_path = api.post("sources", {"provider": "salesflow"}, Idempotency_Key="k1")
    assert (other_body.status_code, other_path.status_code) == (422, 422)
    assert other_body["Content-Type"] == "application/problem+json"
    assert (Lead.objects.count(), Source.objects.count()) == (1, 0)


def test_agencies_have_keys_of_their_own(agency: Agency, api: Api, strange_api: Api) -> None:
    ours = api.post("leads", {"email": "a@example.com"}, Idempotency_Key="k1").json()
    theirs = strange_api.post("leads", {"email": "a@example.com"}, Idempotency_Key="k1").json()
    assert ours["id"] != theirs["id"]


def test_an_error_leaves_the_key_free(agency: Agency, api: Api) -> None:
    assert api.post("leads", {"name": "A"}, Idempotency_Key="k1").status_code == 400
    assert api.post("leads", {"name": "A"}, Idempotency_Key="k1").status_code == 400
    assert api.post("leads", {"email": "a@example.com"}, Idempotency_Key="k1").status_code == 201
    assert IdempotencyRecord.objects.count() == 1


def test_a_key_is_forgotten_after_a_day(agency: Agency, api: Api) -> None:
    start = timezone.now()
    first = api.post("leads", {"email": "a@example.com"}, Idempotency_Key="k1").json()
    with time_machine.travel(start + timedelta(hours=23, minutes=59)):
        assert api.post("leads", {"email": "a@example.com"}, Idempotency_Key="k1").json() == first
    with time_machine.travel(start + timedelta(hours=24, minutes=1)):
        assert api.post("leads", {"email": "a@example.com"}, Idempotency_Key="k1").json() != first
    assert Lead.objects.count() == 2


@pytest.mark.once
@pytest.mark.parametrize("key", ["", "x" * 256, "line\x01break", "kéy"])
def test_a_key_is_printable_and_short(key: str, agency: Agency, api: Api) -> None:
    answer = api.post("leads", {"email": "a@example.com"}, Idempotency_Key=key)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "Idempotency-Key")
    assert Lead.objects.count() == 0


@one_by_one("resource, rest, scope, body", POSTS)
def test_every_action_takes_a_key(resource: str, rest: str, scope: Any, body: Any, world: World, api: Api) -> None:
    path = f"{resource}/{world.ids[resource]}{rest}"
    world.make_ready_for(rest)
    first, second = (api.post(path, body, Idempotency_Key="k1") for _ in range(2))
    assert first.status_code == second.status_code == success_of("post", rest)
    assert first.json() == second.json()
    assert second["Idempotent-Replayed"] == "true"


def test_who_may_not_do_it_does_not_get_the_answer_either(agency: Agency, api: Api, strange_api: Api) -> None:
    api.post("leads", {"email": "a@example.com"}, Idempotency_Key="k1")
    for other in (api_with(agency), Api("")):
        assert other.post("leads", {"email": "a@example.com"}, Idempotency_Key="k1").status_code in (401, 403)


def test_secrets_of_answers_are_not_stored_in_the_clear(agency: Agency, api: Api) -> None:
    first = api.post("sources", {"provider": "salesflow"}, Idempotency_Key="k1").json()
    second = api.post("sources", {"provider": "salesflow"}, Idempotency_Key="k1").json()
    assert first["secret"] == second["secret"]
    record = IdempotencyRecord.objects.get()
    assert first["secret"] not in json.dumps(record.body)
    assert record.body is not None
    assert record.body["subject"] == first["id"]


def test_erasure_reaches_the_answers(world: World, api: Api) -> None:
    lead = api.post("leads", {"email": "a@example.com"}, Idempotency_Key="k1").json()
    api.post("leads", {"email": "b@example.com"}, Idempotency_Key="k2")
    assert erase_everywhere(lead["id"])["idempotency answers"] == 1
    assert [record.key for record in IdempotencyRecord.objects.all()] == ["k2"]


def test_erasure_reaches_the_answers_that_show_a_receipt(world: World, api: Api) -> None:
    api.post(f"receipts/{world.receipt.public_id}/reprocess", Idempotency_Key="k1")
    Receipt.objects.filter(pk=world.receipt.pk).update(lead_id=world.lead.id)
    erase_everywhere(world.lead.id)
    assert not IdempotencyRecord.objects.exists()


def test_a_crash_leaves_neither_an_effect_nor_a_key_that_is_taken_for_ever(agency: Agency, api: Api) -> None:
    api.post("leads", {"email": "a@example.com"}, Idempotency_Key="k1")
    Lead.objects.all().delete()
    IdempotencyRecord.objects.update(status_code=None, body=None)
    running = api.post("leads", {"email": "a@example.com"}, Idempotency_Key="k1")
    assert (running.status_code, Lead.objects.count()) == (409, 0)
    with time_machine.travel(timezone.now() + timedelta(minutes=3)):
        assert api.post("leads", {"email": "a@example.com"}, Idempotency_Key="k1").status_code == 201
    assert Lead.objects.count() == 1


def test_what_goes_wrong_on_our_side_can_be_tried_again(
    agency: Agency, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise RuntimeError("broken")

    with monkeypatch.context() as broken:
        broken.setattr("leads.api.leads.create_lead", fail)
        assert api.post("leads", {"email": "a@example.com"}, Idempotency_Key="k1").status_code == 500
    assert api.post("leads", {"email": "a@example.com"}, Idempotency_Key="k1").status_code == 201


# --- at the same time -------------------------------------------------------------------------------


@pytest.fixture
def committed_api(transactional_db: None) -> Api:
    _, key = create_agency(name="Northwind Outreach")
    return Api(key)


def in_threads(*calls: Any) -> list[Answer]:
    answers: list[Answer] = []

    def run(call: Any) -> None:
        try:
            answers.append(call())
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(call,)) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return answers


def test_many_at_once_are_one(committed_api: Api) -> None:
    def post() -> Answer:
        return Api(committed_api.key, Client()).post("leads", {"email": "a@example.com"}, Idempotency_Key="k1")

    answers = in_threads(*[post] * 8)
    assert len(answers) == 8
    assert {answer.status_code for answer in answers} <= {201, 409}
    assert len({answer.json()["id"] for answer in answers if answer.status_code == 201}) == 1
    assert Lead.objects.count() == 1


def test_the_second_is_refused_while_the_first_runs(committed_api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    from leads.api import leads as leads_api

    entered, go_on = threading.Event(), threading.Event()
    real = leads_api.create_lead  # type: ignore[attr-defined]

    def slow(*args: Any, **options: Any) -> Any:
        entered.set()
        assert go_on.wait(20)
        return real(*args, **options)

    monkeypatch.setattr(leads_api, "create_lead", slow)

    def first() -> Answer:
        return Api(committed_api.key, Client()).post("leads", {"email": "a@example.com"}, Idempotency_Key="k1")

    def second() -> Answer:
        try:
            assert entered.wait(20)
            return Api(committed_api.key, Client()).post("leads", {"email": "a@example.com"}, Idempotency_Key="k1")
        finally:
            go_on.set()

    statuses = sorted(answer.status_code for answer in in_threads(first, second))
    assert statuses == [201, 409]
    assert Lead.objects.count() == 1
