"""Files of leads over the API."""

from accounts.models import Agency
from leads.imports.jobs import work_on_imports
from leads.models import Lead
from tests.api.client import Api


def work() -> None:
    while work_on_imports():
        pass


def test_a_file_is_checked_run_and_undone(agency: Agency, api: Api) -> None:
    csv = "Who,Mail\nZoe Example,zoe@example.com\nAda,nothing\n"
    made = api.post("imports", {"name": "fair.csv", "csv": csv, "mapping": ["name", "email"]})
    assert made.status_code == 201, made.content
    body = made.json()
    shown = ("name", "state", "encoding", "delimiter", "headings", "mapping", "has_heading", "total", "undone")
    assert {name: body[name] for name in shown} == {
        "name": "fair.csv", "state": "checking", "encoding": "utf-8", "delimiter": ",", "headings": ["Who", "Mail"],
        "mapping": ["name", "email"], "has_heading": True, "total": 2, "undone": None,
    }  # fmt: skip
    path = f"imports/{body['id']}"
    assert api.post(f"{path}/run").status_code == 400
    work()
    counts = {"new": 1, "updated": 0, "duplicate": 0, "refused": 1}
    ready = api.get(path).json()
    assert (ready["state"], ready["counts"], Lead.objects.count()) == ("ready", counts, 0)
    assert api.get(f"{path}/refused").json()["results"] == [
        {"row": 3, "reason": "bad_email", "cells": ["Ada", "nothing"]}
    ]
    assert api.post(f"{path}/run").json()["state"] == "running"
    work()
    assert (api.get(path).json()["state"], Lead.objects.get().email) == ("done", "zoe@example.com")
    assert api.post(f"{path}/undo").status_code == 202
    work()
    assert api.get(path).json()["undone"] == {"removed": 1, "restored": 0, "kept": 0}
    assert api.delete(path).status_code == 204
    assert not Lead.objects.exists()


def test_what_cannot_be_is_a_400_that_names_the_field(api: Api) -> None:
    for body, field in (
        ({"name": "a.csv", "csv": ""}, "csv"),
        ({"name": "a.csv"}, "csv"),
        ({"csv": "E-mail\nann@example.com"}, "name"),
        ({"name": "a.csv", "csv": "E-mail\nann@example.com", "mapping": ["name"]}, "mapping"),
        ({"name": "a.csv", "csv": "E-mail\nann@example.com", "mapping": ["salary"]}, "mapping"),
        ({"name": "a.csv", "csv": "E-mail\nann@example.com", "mapping": []}, "mapping"),
    ):
        answer = api.post("imports", body)
        assert (answer.status_code, field in answer.text) == (400, True), answer.text
    assert api.get("imports").json()["results"] == []
