"""What a provider's body means: every payload file to the last field, and what is put in quarantine."""

import json
from typing import Any

import pytest

from leads.enums import ChangedBy, LeadStatus
from tests.webhooks.providers.readings import READINGS
from tests.webhooks.providers.wire import NOW, PAYLOADS, changed, payload, request
from webhooks.providers import PROVIDERS, get_provider
from webhooks.providers.base import SignedRequest, UnknownVocabulary
from webhooks.providers.events import AccountReported, LeadStatusReported, LeadTagged, ParsedRequest, RequestOutcome


def parse(case: str, /, **fields: Any) -> ParsedRequest:
    slug = case.split("/")[0]
    return get_provider(slug).parse(request(changed(case, **fields)))


def quarantined(case: str, /, **fields: Any) -> tuple[str, str]:
    with pytest.raises(UnknownVocabulary) as unknown:
        parse(case, **fields)
    assert str(unknown.value)
    return unknown.value.reason, unknown.value.event_type


@pytest.mark.parametrize("case", READINGS)
def test_every_payload_is_understood_to_the_last_field(case: str) -> None:
    event_type, event = READINGS[case]
    reading = get_provider(case.split("/")[0]).parse(request(payload(case)))
    assert reading == ParsedRequest(event_type=event_type, events=(event,), unknown_fields=())


def test_no_payload_file_lies_unused() -> None:
    files = {str(path.relative_to(PAYLOADS).with_suffix("")) for path in PAYLOADS.rglob("*.*")}
    assert files == set(READINGS)
    assert {case.split("/")[0] for case in files} == set(PROVIDERS)


@pytest.mark.parametrize("case", READINGS)
def test_a_field_we_do_not_know_changes_nothing_and_is_listed(case: str) -> None:
    reading = parse(case, brandNew={"x": 1})
    assert reading.unknown_fields == ("brandNew",)
    assert reading.events == (READINGS[case][1],)


@pytest.mark.parametrize("status", list(LeadStatus))
@pytest.mark.parametrize("case", ["sendpilot/lead_status_changed", "sendpilot/lead_updated"])
def test_every_status_word_of_sendpilot_is_understood_in_both_eras(case: str, status: LeadStatus) -> None:
    (event,) = parse(case, data__newStatus=status.value, data__previousStatus=status.value).events
    assert isinstance(event, LeadStatusReported)
    assert (event.status, event.previous_status) == (status, status)


@pytest.mark.parametrize(
    ("case", "fields", "expected"),
    [
        # event types
        ("salesflow/account_active", {"EventType": "ACCOUNT_MOVED"}, ("unknown_event_type", "ACCOUNT_MOVED")),
        ("salesflow/account_active", {"EventType": ...}, ("unknown_event_type", "")),
        ("welink/login_failed_named", {"event_type": "LOGIN_VANISHED"}, ("unknown_event_type", "LOGIN_VANISHED")),
        ("sendpilot/lead_updated", {"eventType": "lead.sneezed"}, ("unknown_event_type", "lead.sneezed")),
        ("sendpilot/lead_updated", {"eventType": None}, ("unknown_event_type", "")),
        ("linkedin/lead_created", {"type": "SHARE"}, ("unknown_event_type", "SHARE")),
        ("linkedconnector/install", {"event_type": "linkedin_moved"}, ("unknown_event_type", "linkedin_moved")),
        ("highlevel/install", {"type": "ContactCreate"}, ("unknown_event_type", "ContactCreate")),
        ("highlevel/install", {"type": 7}, ("bad_field", "")),
        # status words
        (
            "salesflow/account_active",
            {"Payload__Data__Status": "ACCOUNT_MELTED"},
            ("unknown_status", "ACCOUNT_STATUS_CHANGED"),
        ),
        ("welink/login_success", {"status": "MAYBE"}, ("unknown_status", "MAYBE")),
        ("sendpilot/lead_updated", {"data__newStatus": "GHOSTED"}, ("unknown_status", "lead.updated")),
        ("linkedin/lead_created", {"leadAction": "RENAMED"}, ("unknown_status", "LEAD_ACTION")),
        # what the dedupe key is made of
        ("welink/login_success", {"request_id": ...}, ("missing_field", "LOGIN_SUCCESS")),
        ("welink/login_success", {"request_id": "r" * 201}, ("bad_field", "LOGIN_SUCCESS")),
        ("welink/login_success", {"status": ...}, ("missing_field", "")),
        ("sendpilot/lead_updated", {"eventId": ...}, ("missing_field", "lead.updated")),
        ("sendpilot/lead_updated", {"eventId": " "}, ("missing_field", "lead.updated")),
        ("sendpilot/lead_updated", {"eventId": ["e"]}, ("bad_field", "lead.updated")),
        ("linkedin/lead_created", {"leadGenFormResponse": ...}, ("missing_field", "LEAD_ACTION")),
        ("linkedin/lead_created", {"leadGenFormResponse": "../../me"}, ("bad_field", "LEAD_ACTION")),
        ("linkedin/lead_created", {"leadAction": ...}, ("missing_field", "LEAD_ACTION")),
        ("linkedin/lead_created", {"occurredAt": ...}, ("missing_field", "LEAD_ACTION")),
        ("linkedin/lead_created", {"occurredAt": -1}, ("bad_field", "LEAD_ACTION")),
        ("linkedin/lead_created", {"occurredAt": "0001-01-01T00:00:00Z"}, ("bad_field", "LEAD_ACTION")),
        ("highlevel/install", {"webhookId": ...}, ("missing_field", "INSTALL")),
        ("highlevel/plan_change", {"webhookId": ...}, ("missing_field", "PLAN_CHANGE")),
        # whose it is
        ("salesflow/account_active", {"LinkedInAccountId": ...}, ("missing_field", "ACCOUNT_STATUS_CHANGED")),
        ("salesflow/account_active", {"LinkedInAccountId": 0}, ("missing_field", "ACCOUNT_STATUS_CHANGED")),
        ("salesflow/account_active", {"LinkedInAccountId": True}, ("bad_field", "ACCOUNT_STATUS_CHANGED")),
        ("salesflow/account_active", {"LinkedInAccountId": 10**400}, ("bad_field", "ACCOUNT_STATUS_CHANGED")),
        ("salesflow/account_active", {"LinkedInAccountId": "7" * 201}, ("bad_field", "ACCOUNT_STATUS_CHANGED")),
        ("salesflow/legacy_member_connected", {"LinkedInMemberId": 0}, ("missing_field", "MEMBER_CONNECTED")),
        ("sendpilot/lead_updated", {"data__leadId": ""}, ("missing_field", "lead.updated")),
        ("sendpilot/lead_updated", {"data": None}, ("missing_field", "lead.updated")),
        ("sendpilot/campaign_paused", {"data__campaignId": {}}, ("bad_field", "campaign.paused")),
        ("sendpilot/lead_tag_updated", {"data__tags": ...}, ("missing_field", "lead.tag.updated")),
        ("sendpilot/lead_tag_updated", {"data__tags": "hot"}, ("bad_field", "lead.tag.updated")),
        ("linkedconnector/install", {"ghl_company_id": []}, ("bad_field", "install")),
        ("highlevel/uninstall", {"locationId": ...}, ("missing_field", "UNINSTALL")),
        ("highlevel/uninstall", {"locationId": "x" * 101}, ("bad_field", "UNINSTALL")),
        # what contradicts itself
        ("welink/login_failed_named", {"status": "SUCCESS"}, ("bad_field", "LOGIN_FAILED")),
        ("welink/message_reply", {"status": "FAILED"}, ("bad_field", "MESSAGE_REPLY")),
    ],
)
def test_what_cannot_be_understood_or_placed_is_put_in_quarantine(
    case: str, fields: dict[str, Any], expected: tuple[str, str]
) -> None:
    assert quarantined(case, **fields) == expected


def test_a_word_of_ten_thousand_letters_does_not_flood_the_complaint() -> None:
    with pytest.raises(UnknownVocabulary) as unknown:
        parse("sendpilot/lead_updated", eventType="x" * 10_000)
    assert unknown.value.event_type == "x" * 100
    assert len(str(unknown.value)) < 200


def test_nul_and_half_an_emoji_become_replacement_characters() -> None:
    reading = parse("linkedconnector/linkedin_auth_error", linkedin_account_name="Zo\x00\ud83d", error_detail="\udc00!")
    (event,) = reading.events
    assert isinstance(event, AccountReported)
    assert (event.account.name, event.reason) == ("Zo\N{REPLACEMENT CHARACTER}\N{REPLACEMENT CHARACTER}", "�!")


def test_half_an_emoji_anywhere_in_a_welink_result_is_cleaned_too() -> None:
    (event,) = parse("welink/search_completed", result={"results": [{"na\x00me": "a\ud83d"}]}).events
    assert isinstance(event, RequestOutcome)
    assert event.result == {"results": [{"na�me": "a�"}]}


def test_texts_are_cut_to_what_their_columns_hold() -> None:
    long = "n" * 10_000
    (event,) = parse("salesflow/legacy_member_connected", FirstName=long, Occupation=long, MemberUrl=long).events
    assert isinstance(event, LeadStatusReported)
    assert (len(event.contact.first_name), len(event.contact.title), len(event.lead.linkedin_url)) == (200, 300, 500)


@pytest.mark.parametrize("junk", [7, True, ["a"], {"a": 1}, 1.5])
def test_an_optional_field_of_the_wrong_type_is_passed_over_and_listed(junk: Any) -> None:
    reading = parse("linkedconnector/linkedin_auth_error", error_detail=junk)
    (event,) = reading.events
    assert isinstance(event, AccountReported)
    assert (event.error_detail, reading.unknown_fields) == ("", ("error_detail",))


@pytest.mark.parametrize("nonsense", ["yesterday", "0001-01-01T00:00:00Z", -5, True, {}, "9" * 100])
def test_a_nonsensical_time_counts_as_none(nonsense: Any) -> None:
    reading = parse("linkedconnector/linkedin_blocked", timestamp=nonsense)
    (event,) = reading.events
    assert isinstance(event, AccountReported)
    assert (event.occurred_at, reading.unknown_fields) == (None, ("timestamp",))


def test_a_result_that_looks_like_a_profile_is_no_login() -> None:
    result = {"profile_id": "p", "first_name": "Jane", "public_identifier": "jane"}
    (event,) = parse("welink/login_success", result=result).events
    assert isinstance(event, RequestOutcome)
    assert (event.action, event.result) == (None, result)


def test_a_welink_result_keeps_only_fields_of_the_right_type() -> None:
    reading = parse("welink/login_success", result={"profile_id": 77, "email": ["x"], "premium": "yes", "more": 1})
    (event,) = reading.events
    assert isinstance(event, RequestOutcome)
    assert event.result == {"profile_id": "77", "more": 1}


@pytest.mark.parametrize(
    ("case", "key"),
    [
        ("sendpilot/lead_updated", '["evt_1758456789123_def456abc"]'),
        ("linkedin/lead_created", '["urn:li:leadGenFormResponse:1a2b3c-4", "CREATED", "1686182358881"]'),
        ("highlevel/install", '["abc123xyy"]'),
        ("welink/login_failed", '["req-12345", "FAILED", "..."]'),
        ("welink/connection_sent_named", '["req-67890", "SUCCESS", "..."]'),
        ("salesflow/account_active", None),
        ("linkedconnector/install", payload("linkedconnector/install").decode()),
    ],
)
def test_the_dedupe_key_is_the_one_of_the_contract(case: str, key: str | None) -> None:
    assert get_provider(case.split("/")[0]).dedupe_key(SignedRequest(payload(case), {}, NOW)) == key


@pytest.mark.parametrize(
    ("case", "field"),
    [
        ("sendpilot/lead_updated", "eventId"),
        ("linkedin/lead_created", "occurredAt"),
        ("highlevel/install", "webhookId"),
        ("welink/login_failed", "request_id"),
    ],
)
@pytest.mark.parametrize("value", [..., None, "", " ", [], {"a": 1}, True, 1.5])
def test_without_its_dedupe_field_the_whole_body_is_the_key_and_the_event_waits(
    case: str, field: str, value: Any
) -> None:
    provider, body = get_provider(case.split("/")[0]), changed(case, **{field: value})
    assert provider.dedupe_key(request(body)) == body.decode()
    assert quarantined(case, **{field: value})[0] in {"missing_field", "bad_field"}


def test_a_dedupe_field_with_half_an_emoji_still_tells_deliveries_apart() -> None:
    sendpilot = get_provider("sendpilot")
    keys = [sendpilot.dedupe_key(request(changed("sendpilot/lead_updated", eventId=x))) for x in ("\ud83d", "\ud83e")]
    assert [json.loads(key or "") for key in keys] == [["\ud83d"], ["\ud83e"]]
    assert all(key and key.isascii() for key in keys)


def test_tags_may_be_names_or_objects_with_a_name() -> None:
    tags = ["hot", {"name": " cold "}, "hot", 7, {"id": 1}, "", "x" * 300, *(f"tag {number}" for number in range(100))]
    (event,) = parse("sendpilot/lead_tag_updated", data__tags=tags).events
    assert isinstance(event, LeadTagged)
    assert event.tags[:4] == ("hot", "cold", "x" * 100, "tag 0")
    assert len(event.tags) == 50


def test_an_account_id_is_the_same_as_number_and_as_text() -> None:
    as_text = parse("salesflow/account_active", LinkedInAccountId="7688")
    assert as_text.events == (READINGS["salesflow/account_active"][1],)


def test_a_connection_at_the_beginning_of_the_calendar_has_no_time() -> None:
    (event,) = parse("salesflow/legacy_member_connected", ConnectedAt="0001-01-01T00:00:00+00:00").events
    assert isinstance(event, LeadStatusReported)
    assert event.occurred_at is None


def test_words_of_sendpilot_about_who_and_what_before_may_be_new() -> None:
    reading = parse("sendpilot/lead_status_changed", data__changedBy="robot", data__previousStatus="GHOSTED")
    (event,) = reading.events
    assert isinstance(event, LeadStatusReported)
    assert (event.changed_by, event.previous_status) == (ChangedBy.PROVIDER, None)
    assert reading.unknown_fields == ("data.previousStatus", "data.changedBy")
