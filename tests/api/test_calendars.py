"""Working hours over the API."""

from tests.api.client import Api


def test_a_calendar_is_made_changed_and_read(api: Api) -> None:
    made = api.post(
        "calendars",
        {
            "name": "Sales",
            "timezone": "America/New_York",
            "week": {"mon": [["09:00", "12:00"], ["11:00", "17:00"]]},
            "exceptions": [{"name": "Christmas", "from": "2026-12-24", "to": "2026-12-26"}],
        },
    )
    assert made.status_code == 201
    calendar = made.json()
    assert (calendar["week"]["mon"], calendar["version"], calendar["is_default"]) == ([["09:00", "17:00"]], 1, True)
    assert calendar["exceptions"] == [
        {"from": "2026-12-24", "to": "2026-12-26", "name": "Christmas", "working": False, "blocks": []}
    ]
    path = f"calendars/{calendar['id']}"
    changed = api.patch(path, {"week": {"tue": [["22:00", "06:00"]]}}).json()
    assert (changed["version"], changed["week"]["mon"], len(changed["exceptions"])) == (2, [], 1)
    assert api.patch(path, {"exceptions": []}).json()["exceptions"] == []
    days = api.get(f"{path}/preview").json()["days"]
    assert len(days) == 14
    assert sum(len(day["open"]) for day in days) == 4  # two nights, each in two parts


def test_a_calendar_that_cannot_be_is_a_400_that_names_the_field(api: Api) -> None:
    for body, field in (
        ({"name": "Sales", "week": {"monday": []}}, "week"),
        ({"name": "Sales", "timezone": "Mars"}, "timezone"),
        ({"name": "Sales", "week": {"mon": [["9", "17"]]}}, "week"),
        ({"name": "Sales", "exceptions": [{"from": "2026-12-24", "working": True}]}, "exceptions"),
        ({"week": {}}, "name"),
    ):
        answer = api.post("calendars", body)
        assert (answer.status_code, field in answer.text) == (400, True)
    assert api.get("calendars").json()["results"] == []


def test_the_default_calendar_stays_while_there_are_others(api: Api) -> None:
    first = api.post("calendars", {"name": "First"}).json()
    api.post("calendars", {"name": "Second"})
    assert api.delete(f"calendars/{first['id']}").status_code == 400
