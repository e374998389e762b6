"""Leads of one person become one lead, and leads whose URL names nobody stay apart."""

from itertools import chain, count

import pytest

from accounts.models import Agency
from leads.models import Lead
from leads.pipeline.changes import create_lead
from tests.leads.reporting import report
from tests.receiving import drain

NOBODY = [
    *(
        "N/A",
        "-",
        "unknown",
        "https://linkedin.com",
        "https://www.linkedin.com/in/",
        "https://www.linkedin.com/in/null",
    ),
    "https://www.linkedin.com/in/undefined",
    "https://www.linkedin.com/company/example-inc/",
    "https://www.linkedin.com/search/results/people/?keywords={}",
    "https://www.linkedin.com/profile/view?id={}",
    "https://example.com/?lead={}",
    "https://lnkd.in/e{}",
    "https://www.linkedin.com/in/%7B%7Bslug%7D%7D",
]
SPELLINGS = [
    "https://www.linkedin.com/in/anna-ex%C3%A9mple",
    "https://de.linkedin.com/in/anna-exe%CC%81mple",
    "https://m.linkedin.com/in/Anna-Ex\u00e9mple",
    "https://www.linkedin.com/in/anna-ex%25C3%25A9mple/de",
    "https://www.linkedin.com//in/anna-ex\u00e9mple/details/experience/",
    "linkedin.com/mwlite/in/anna-ex%c3%a9mple?trk=x",
]


@pytest.mark.parametrize("together", [True, False])
def test_urls_that_name_nobody_make_nobody_one(agency: Agency, together: bool) -> None:
    rounds = [[url.format(number) for url in NOBODY] for number in (1, 2, 3)]
    numbers = count()
    for urls in rounds:
        for url in urls:
            report(agency, next(numbers), url)
        if not together:
            drain()
    drain()
    leads = Lead.objects.filter(agency=agency)
    people = next(numbers)
    assert set(leads.values_list("references__external_id", flat=True)) == {f"person_{n}" for n in range(people)}
    assert sorted(leads.values_list("linkedin_url", flat=True)) == sorted(chain(*rounds))


def test_leads_that_are_there_already_keep_what_people_typed(agency: Agency) -> None:
    urls = [url.format(number) for url in NOBODY for number in (1, 2)]
    for number in range(len(urls)):
        report(agency, number, "")
    drain()
    for number, lead in enumerate(Lead.objects.order_by("id")):
        lead.name, lead.email = f"Person {number}", f"person.{number}@example.com"
        lead.save()
    for number, url in enumerate(urls):
        report(agency, number, url)
    drain()
    assert list(Lead.objects.order_by("id").values_list("name", "email")) == [
        (f"Person {number}", f"person.{number}@example.com") for number in range(len(urls))
    ]


@pytest.mark.parametrize("together", [True, False])
def test_one_person_is_one_lead_however_the_url_is_written(agency: Agency, together: bool) -> None:
    for number, url in enumerate(SPELLINGS):
        report(agency, number, url)
        if not together:
            drain()
    drain()
    [lead] = Lead.objects.all()
    assert (lead.linkedin_url, lead.references.count()) == (SPELLINGS[0], len(SPELLINGS))


def test_a_lead_of_a_url_that_names_nobody_gets_the_one_that_names_the_person(agency: Agency) -> None:
    report(agency, 1, "https://www.linkedin.com/in/")
    drain()
    report(agency, 1, SPELLINGS[0], newStatus="MESSAGE_SENT")
    drain()
    assert Lead.objects.get().linkedin_url == SPELLINGS[0]


def test_a_url_that_somebody_typed_is_not_replaced_by_a_report(agency: Agency) -> None:
    report(agency, 1, "")
    drain()
    lead = Lead.objects.get()
    lead.linkedin_url, lead.provenance = "https://www.linkedin.com/company/example-inc", {"linkedin_url": "person"}
    lead.save()
    report(agency, 1, SPELLINGS[0], newStatus="MESSAGE_SENT")
    report(agency, 2, SPELLINGS[1])
    drain()
    assert Lead.objects.get().linkedin_url == "https://www.linkedin.com/company/example-inc"


def test_people_may_write_the_same_placeholder_for_many_leads(agency: Agency) -> None:
    for number in (1, 2):
        create_lead(agency, name=f"Person {number}", linkedin_url="https://www.linkedin.com/in/null")
    assert Lead.objects.count() == 2
