"""Numbers to dial are those whose country is known; every other number stays as it was given."""

from datetime import UTC, datetime

import phonenumbers
import pytest

from accounts.models import Agency
from leads.facts.countries import OTHER_NAMES, region_of
from leads.models import Lead
from leads.pipeline.changes import create_lead, update_lead
from leads.pipeline.phones import e164
from leads.pipeline.provenance import ValueOrigin, fill_contact_fields

NOON = datetime(2026, 11, 30, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("phone", "country", "number"),
    [
        ("030 1234567", "", ""),
        ("01 70 36 00 00", "", ""),
        ("(11) 2345-6789", "", ""),
        ("0000000000", "", ""),
        ("1234567890", "", ""),
        ("(212) 555-0147", "", ""),  # New York, or Istanbul
        ("9725550147", "", ""),  # Texas, or India
        ("020 7946 0018", "UK", "+442079460018"),
        ("020 7946 0018", "U.K.", "+442079460018"),
        ("020 7946 0018", "england", "+442079460018"),
        ("0049 30 1234567", "", "+49301234567"),
        ("(0049) 30/123 45 67", "", "+49301234567"),
        ("0049 30 1234567", "USA", "+49301234567"),
        ("00 44 20 7946 0018", "Deutschland", "+442079460018"),
        ("011 49 30 1234567", "USA", "+49301234567"),
        ("011 49 30 1234567", "", ""),
        ("030 1234567", "Deutschland", "+49301234567"),
        ("030 1234567", "Germany", "+49301234567"),
        ("030 1234567", "de", "+49301234567"),
        ("030 1234567", "DEU", "+49301234567"),
        ("+49 (0)30 1234567", "", "+49301234567"),
        ("\uff0b49 30 1234567", "", "+49301234567"),
        ("+49 30 1234567", "United States", "+49301234567"),
        ("tel:+49-30-1234567", "", "+49301234567"),
        ("01 70 36 00 00", "France", "+33170360000"),
        ("(11) 2345-6789", "Brasil", "+551123456789"),
        ("(212) 555-0147", "United States of America", "+12125550147"),
        ("(212) 555-0147", " u.s.a. ", "+12125550147"),
        ("\u0660\u0661\u0660 1234 5678", "Egypt", "+201012345678"),
        ("0000000000", "US", ""),
        ("1234567890", "US", ""),
        ("555-0147", "US", ""),
        ("030 1234567", "Nowhere", ""),
        ("030 1234567", "en_US", ""),
        ("000 49 30 1234567", "", ""),
        ("0011 49 30 1234567", "", ""),
        ("+0 30 1234567", "", ""),
        ("+1 0170360000", "", ""),
        ("+", "DE", ""),
        ("", "DE", ""),
        ("call me", "DE", ""),
        ("00 ask for Ada 49301234567", "", ""),
        ("9" * 300, "DE", ""),
        ("\ud800", "DE", ""),
    ],
)
def test_a_number_to_dial_needs_a_country_and_is_valid_there(phone: str, country: str, number: str) -> None:
    assert e164(phone, country=country) == number


@pytest.mark.parametrize(
    ("country", "region"),
    [
        *(
            ("UK", "GB"),
            ("GB", "GB"),
            ("Great Britain", "GB"),
            ("Gro\u00dfbritannien", "GB"),
            ("Vereinigtes K\u00f6nigreich", "GB"),
        ),
        *(
            ("\u00d6sterreich", "AT"),
            ("O\u0308sterreich", "AT"),
            ("AUSTRIA", "AT"),
            ("suisse", "CH"),
            ("Holland", "NL"),
        ),
        *(
            ("\u0420\u043e\u0441\u0441\u0438\u044f", "RU"),
            ("\u65e5\u672c", "JP"),
            ("Hong  Kong", "HK"),
            ("uae", "AE"),
            ("", ""),
        ),
        *(("-", ""), ("N/A", ""), ("Europe", ""), ("xx", "")),
    ],
)
def test_countries_are_known_by_their_names_and_codes(country: str, region: str) -> None:
    assert region_of(country) == region


def test_every_other_name_is_one_of_a_region_that_has_numbers() -> None:
    assert set(OTHER_NAMES.values()) <= set(phonenumbers.SUPPORTED_REGIONS)
    assert all(name == name.casefold() for name in OTHER_NAMES)


def test_what_language_an_agency_speaks_makes_no_number_one_of_its_country(agency: Agency) -> None:
    agency.locale = "en_US"
    agency.save()
    lead = create_lead(agency, phone="(212) 555-0147")
    assert (lead.phone, lead.phone_e164) == ("(212) 555-0147", "")
    lead.country = "United States"
    lead.save()
    assert update_lead(lead, phone="(212) 555-0148").phone_e164 == "+12125550148"
    assert update_lead(lead, phone="030 1234567").phone_e164 == ""


def test_a_number_to_dial_goes_with_the_number_it_was_made_of() -> None:
    lead = Lead(phone="+49 30 1234567", phone_e164="+49301234567", provenance={"phone": "provider"})
    assert fill_contact_fields(lead, {"phone": "030 7654321"}, origin=ValueOrigin.FORM) == ["phone", "phone_e164"]
    assert (lead.phone, lead.phone_e164) == ("030 7654321", "")
