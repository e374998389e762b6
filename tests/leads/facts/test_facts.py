"""What a lead's texts say about its seniority, function, company and place."""

import pytest

from accounts.models import Agency
from leads.facts.companies import company_key_of, is_free_mail, size_of
from leads.facts.places import state_code_of, zip5_of
from leads.facts.titles import job_function_of, seniority_of
from leads.models import Lead
from leads.pipeline.changes import create_lead

TITLES = {
    "CEO": ("c_level", "general_management"),
    "C.T.O.": ("c_level", "engineering"),
    "Chief Revenue Officer": ("c_level", "sales"),
    "Assistant to the CEO": ("entry", "general_management"),
    "Former CEO": ("", "general_management"),
    "Ex-CFO": ("", "finance"),
    "Marketing Intern": ("entry", "marketing"),
    "Vice President Sales": ("vp", "sales"),
    "President": ("c_level", "general_management"),
    "SVP, Engineering": ("vp", "engineering"),
    "MVP of the season": ("", ""),
    "Founder & CEO": ("owner", "general_management"),
    "Co-Founder": ("owner", "general_management"),
    "Product Owner": ("manager", "product"),
    "Head of Growth": ("head", "marketing"),
    "Vertriebsleiterin": ("", "sales"),
    "Leiter Vertrieb": ("head", "sales"),
    "Geschäftsführer": ("c_level", "general_management"),
    "Director, IT": ("director", "it"),
    "HR Manager": ("manager", "human_resources"),
    "Account Manager": ("senior", "sales"),
    "Sr. Software Engineer": ("senior", "engineering"),
    "Junior Designer": ("entry", "design"),
    "Internal auditor": ("", ""),
    "Staff of life": ("senior", ""),
    "": ("", ""),
}

SIZES = {
    "51-200": (51, 200),
    "51–200 employees": (51, 200),
    "1,001-5,000 employees": (1_001, 5_000),
    "10,001+": (10_001, None),
    "10.001 or more": (10_001, None),
    "SIZE_2_TO_10": (2, 10),
    "Self-employed": (1, 1),
    "500": (500, 500),
    "less than 50": (1, 50),
    "200-51": (None, None),
    "many": (None, None),
    "1-10, 11-50": (None, None),
    "": (None, None),
}

COMPANIES = {
    "Acme, Inc.": "acme",
    "ACME INC": "acme",
    "Acme GmbH & Co. KG": "acme gmbh & co",
    "Smith & Co": "smith & co",
    "Smith & Co. Ltd.": "smith & co",
    "Müller GmbH": "muller",
    "Inc.": "inc",
    "S.A. Brewery": "sa brewery",
    "": "",
}


@pytest.mark.parametrize("title", TITLES)
def test_a_title_names_a_level_and_a_function(title: str) -> None:
    assert (seniority_of(title), job_function_of(title)) == TITLES[title]


@pytest.mark.parametrize("size", SIZES)
def test_a_companys_size_is_a_range(size: str) -> None:
    assert size_of(size) == SIZES[size]


@pytest.mark.parametrize("company", COMPANIES)
def test_companies_are_compared_without_their_legal_suffix(company: str) -> None:
    assert company_key_of(company) == COMPANIES[company]


def test_states_are_codes_where_the_country_has_them() -> None:
    given = [("California", "US"), ("ca", ""), ("Québec", "CA"), ("CA", "DE"), ("Bavaria", ""), ("New York", "US")]
    assert [state_code_of(*one) for one in given] == ["CA", "CA", "QC", "", "", "NY"]


def test_zip_codes_get_back_the_zero_that_a_spreadsheet_removed() -> None:
    given = [("94105", "US"), ("94105-1234", ""), ("2134", "US"), ("2134", ""), ("80331", "DE"), ("SW1A 1AA", "GB")]
    assert [zip5_of(*one) for one in given] == ["94105", "94105", "02134", "", "", ""]


def test_free_mail_is_unknown_without_an_address() -> None:
    assert [is_free_mail(email) for email in ("a@GMail.com", "a@acme.example.com", "")] == [True, False, None]


@pytest.mark.django_db
def test_a_leads_facts_follow_its_texts(agency: Agency) -> None:
    lead = create_lead(agency, name="Ada Lovelace", email="ada@acme.example.com", title="VP Sales", company="Acme Ltd")
    lead.refresh_from_db()
    assert (lead.seniority, lead.job_function, lead.company_key) == ("vp", "sales", "acme")
    assert (lead.domain, lead.is_free_mail, lead.size_min, lead.state_code) == ("acme.example.com", False, None, "")
    lead.company_size, lead.country, lead.state, lead.postal_code = "11-50", "United States", "Texas", "1234"
    lead.title = "Former VP Sales"
    lead.save(update_fields=["company_size", "country", "state", "postal_code", "title"])
    saved = Lead.objects.get(pk=lead.pk)
    assert (saved.size_min, saved.size_max, saved.country_code, saved.state_code) == (11, 50, "US", "TX")
    assert (saved.zip5, saved.seniority) == ("01234", "")
