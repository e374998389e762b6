"""Which LinkedIn URLs and URNs name the same person, which name nobody, and which may be linked to."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from accounts.core.linkedin_identity import (
    linkedin_key,
    linkedin_link,
    may_be_one_person,
    names_in_urls,
    public_identifier_key,
)

SPELLINGS = {  # key --> how it is written
    "linkedin.com/in/anna-example": [
        "https://www.linkedin.com/in/anna-example",
        "http://linkedin.com/in/Anna-Example/",
        "LinkedIn.com/in/anna-example?trk=people",
        "www.linkedin.com/in/anna-example",
        "HTTPS://WWW.LINKEDIN.COM/IN/ANNA-EXAMPLE",
        "https://www.linkedin.com/in/anna-example/#about",
        "//www.linkedin.com/in/anna-example//",
        "  https://www.linkedin.com:443/in/anna%2Dexample\n",
        "\ufeffhttps://www.linkedin.com/in/anna-example\u200b",
        "https://www.linkedin.com/in/anna-ex\u00adample",
        "https://de.linkedin.com/in/anna-example",
        "https://zh-hans.linkedin.com/in/anna-example",
        "https://m.linkedin.com/in/anna-example",
        "https://www.linkedin.com/in/anna-example/de",
        "https://www.linkedin.com/in/anna-example/en-us/",
        "https://www.linkedin.com/in/anna-example/?locale=de_DE&originalSubdomain=de",
        "https://www.linkedin.com/in/anna-example/details/experience/",
        "https://www.linkedin.com/in/anna-example/overlay/contact-info/",
        "https://www.linkedin.com/in/anna-example/recent-activity/all/",
        "https://www.linkedin.com/mwlite/in/anna-example",
        "https://www.linkedin.com/mwlite/profile/in/anna-example",
        "https://www.linkedin.com/comm/in/anna-example?midToken=AQ",
        "https://www.linkedin.com//in//anna-example",
        "https://www.linkedin.com/in/anna%252Dexample",
    ],
    "linkedin.com/in/r\u00e9da-exemple": [
        "https://www.linkedin.com/in/r%C3%A9da-exemple",
        "https://fr.linkedin.com/in/r%c3%a9da-exemple",
        "https://www.linkedin.com/in/re%CC%81da-exemple",
        "https://www.linkedin.com/in/r\u00e9da-exemple",
        "https://www.linkedin.com/in/re\u0301da-exemple/",
        "https://www.linkedin.com/in/R%C3%89DA-EXEMPLE",
        "https://www.linkedin.com/in/r%25C3%25A9da-exemple",
        "https://www.linkedin.com/in/re%25CC%2581da-exemple",
        "https://www.linkedin.com/in/r%2525C3%2525A9da-exemple",
    ],
    "linkedin.com/in/\u0430\u043d\u043d\u0430-\u043f\u0440\u0438\u043c\u0435\u0440": [
        "https://ru.linkedin.com/in/\u0410\u043d\u043d\u0430-\u041f\u0440\u0438\u043c\u0435\u0440",
        "https://www.linkedin.com/in/%D0%B0%D0%BD%D0%BD%D0%B0-%D0%BF%D1%80%D0%B8%D0%BC%D0%B5%D1%80",
    ],
    "linkedin.com/in/jo-example,-mba": [
        "https://www.linkedin.com/in/jo-example%2C-mba",
        "linkedin.com/in/Jo-Example,-MBA",
    ],
    "linkedin.com/in/acoaaexample1": [
        "https://www.linkedin.com/in/ACoAAExample1",
        "https://www.linkedin.com/in/ACoAAExample1?miniProfileUrn=urn%3Ali%3Afs_miniProfile%3AACoAAExample1",
        "urn:li:fsd_profile:ACoAAExample1",
        "urn:li:fs_miniProfile:ACoAAExample1",
        "urn%3Ali%3Afsd_profile%3AACoAAExample1",
    ],
    "linkedin.com/pub/anna-example/1a/2b3/4c5": [
        "http://www.linkedin.com/pub/anna-example/1a/2b3/4c5",
        "https://uk.linkedin.com/pub/Anna-Example/1A/2B3/4C5/en?trk=x",
    ],
    "linkedin.com/sales/lead/acwaaexample1": [
        "https://www.linkedin.com/sales/lead/ACwAAExample1,NAME_SEARCH,a1B2",
        "https://www.linkedin.com/sales/lead/ACwAAExample1,OUT_OF_NETWORK,z9Y8?_ntb=x",
        "https://www.linkedin.com/sales/lead/ACwAAExample1%2CNAME_SEARCH%2Ca1B2",
        "https://www.linkedin.com/sales/people/ACwAAExample1,NAME_SEARCH",
        "https://www.linkedin.com/sales/lead/ACwAAExample1",
        "urn:li:fs_salesProfile:(ACwAAExample1,NAME_SEARCH,a1B2)",
    ],
    "linkedin.com/talent/profile/aemaaexample1": [
        "https://www.linkedin.com/talent/profile/AEMAAExample1?trk=x",
        "https://www.linkedin.com/talent/hire/12345/manage/all/profile/AEMAAExample1",
    ],
    "linkedin.com/recruiter/profile/12345": ["https://www.linkedin.com/recruiter/profile/12345,AbCd,CAP"],
    "linkedin.com/profile/view?id=77": [
        "https://www.linkedin.com/profile/view?id=77",
        "http://linkedin.com/profile/view?trk=x&id=77&authType=name#top",
    ],
    "urn:li:person:yrZCpj2Z12": [
        "urn:li:person:yrZCpj2Z12",
        "URN:LI:PERSON:yrZCpj2Z12",
        " urn%3Ali%3Aperson%3AyrZCpj2Z12 ",
    ],
    "urn:li:member:77": ["urn:li:member:77"],
}
NOBODY = [
    *(
        "",
        "   ",
        "N/A",
        "n/a",
        "-",
        "--",
        "unknown",
        "null",
        "undefined",
        "none",
        "0",
        "\ufffd",
        "anna-example",
        "in/x",
    ),
    *(
        "https://linkedin.com",
        "https://www.linkedin.com/",
        "https://www.linkedin.com/in",
        "https://www.linkedin.com/in/",
    ),
    "https://www.linkedin.com/in/null",
    "https://www.linkedin.com/in/Undefined/",
    "https://www.linkedin.com/in/N%2FA",
    "https://www.linkedin.com/in/n-a",
    "https://www.linkedin.com/in/none?trk=x",
    "https://www.linkedin.com/in/-",
    "https://www.linkedin.com/in/%20",
    "https://www.linkedin.com/in/%E2%80%8B/",
    "https://www.linkedin.com/in/000",
    "https://www.linkedin.com/in/me/",
    "https://www.linkedin.com/in/unavailable",
    "https://www.linkedin.com/in/{{public_identifier}}",
    "https://www.linkedin.com/in/[object%20Object]",
    "https://www.linkedin.com/in/%s",
    "https://www.linkedin.com/in/..",
    "https://www.linkedin.com/in/../company/example-inc",
    "https://www.linkedin.com/in/anna-example/%2e%2e/%2E./feed",
    "https://www.linkedin.com/in/r%E9da-exemple",  # cut or wrongly encoded: whose it is cannot be told
    "https://www.linkedin.com/in/r%C3",
    "https://www.linkedin.com/in/anna example",
    f"https://www.linkedin.com/in/{'a' * 600}",
    f"https://www.linkedin.com/in/anna-example?trk={'a' * 5000}",
    f"https://www.linkedin.com/in/{'%25' * 20}61nna",
    "https://www.linkedin.com/pub/dir/Anna/Example",
    "https://www.linkedin.com/pub/anna-example",
    "https://www.linkedin.com/company/example-inc/",
    "https://www.linkedin.com/school/example/",
    "https://www.linkedin.com/company/in/anna-example",
    "https://www.linkedin.com/feed/update/urn:li:activity:1/",
    "https://www.linkedin.com/search/results/people/?keywords=anna",
    "https://www.linkedin.com/redir/redirect?url=https%3A%2F%2Fevil.example%2Fin%2Fanna",
    "https://www.linkedin.com/profile/view",
    "https://www.linkedin.com/profile/view?id=",
    "https://www.linkedin.com/profile/view?id=null",
    "https://www.linkedin.com/profile/view?id=1&id=2",
    "https://www.linkedin.com/sales/lead/,NAME_SEARCH,a1B2",
    "https://www.linkedin.com/sales/lead/undefined,NAME_SEARCH",
    "https://www.linkedin.com/sales/company/123",
    "https://www.linkedin.com/talent/profile/",
    *("https://lnkd.in/abcde", "lnkd.in/abcde", "https://example.com/?lead=1", "https://example.com/in/anna-example"),
    *(
        "urn:li:organization:77",
        "urn:li:person:null",
        "urn:li:member:0",
        "urn:li:member:anna",
        "urn:li:person:",
        "urn:",
    ),
]
STRANGE_HOSTS = [
    r"https://evil.example\.linkedin.com/in/anna-example",
    r"https:\\www.linkedin.com\in\anna-example",
    "https://www.linkedin.com\\@evil.example/in/anna-example",
    "https://www.linkedin.com@evil.example/in/anna-example",
    "https://anna@www.linkedin.com/in/anna-example",
    "https://www.linkedin.com:444/in/anna-example",
    "https://www.linkedin.com:/in/anna-example",
    "https://linkedin.com.evil.example/in/anna-example",
    "https://evil-linkedin.com/in/anna-example",
    "https://evil.example/https://www.linkedin.com/in/anna-example",
    "https://evil.example#.linkedin.com/in/anna-example",
    "https://evil.example?.linkedin.com/in/anna-example",
    "https://evil.example%2F.linkedin.com/in/anna-example",
    "https://evil.example\t.linkedin.com/in/anna-example",
    "https://www.linked\nin.com/in/anna-example",
    "https://www.linkedin.com/in/anna\texample",
    "https://lin\u212aedin.com/in/anna-example",  # the sign of kelvin
    "https://l\u0131nkedin.com/in/anna-example",
    "https://linkedin\u3002com/in/anna-example",
    "https://\uff4cinkedin.com/in/anna-example",
    "https://www.xn--lnkedin-u9a.com/in/anna-example",
    "javascript://www.linkedin.com/in/anna%0aalert(1)",
    "javascript:alert(1)//www.linkedin.com/in/anna",
    "data:text/html,www.linkedin.com/in/anna",
    "ftp://www.linkedin.com/in/anna-example",
    "https:www.linkedin.com/in/anna-example",
    "https://[::1]/in/anna-example",
    "http://[",
]
ROWS = [(text, key) for key, texts in SPELLINGS.items() for text in texts]


@pytest.mark.parametrize(("text", "key"), ROWS)
def test_one_person_has_one_key_however_the_url_is_written(text: str, key: str) -> None:
    assert linkedin_key(text) == key


@pytest.mark.parametrize("text", NOBODY + STRANGE_HOSTS)
def test_what_names_nobody_has_no_key_and_is_no_link(text: str) -> None:
    assert (linkedin_key(text), linkedin_link(text)) == ("", "")


def test_the_id_of_a_urn_keeps_its_case() -> None:
    assert linkedin_key("urn:li:person:yrZCpj2Z12") != linkedin_key("urn:li:person:YRZCPJ2Z12")


@pytest.mark.parametrize(
    ("url", "link"),
    [
        ("https://www.linkedin.com/in/anna-example?x=1", "https://www.linkedin.com/in/anna-example?x=1"),
        ("https://DE.LinkedIn.com:443/in/Anna-Example", "https://de.linkedin.com/in/Anna-Example"),
        ("linkedin.com/in/anna-example", "https://linkedin.com/in/anna-example"),
        ("https://www.linkedin.com/in/r\u00e9da", "https://www.linkedin.com/in/r%C3%A9da"),
        ("https://www.linkedin.com/in/r%C3%A9da", "https://www.linkedin.com/in/r%C3%A9da"),
        (
            "https://www.linkedin.com/in/anna?x=\"'<>`{}|^",
            "https://www.linkedin.com/in/anna?x=%22%27%3C%3E%60%7B%7D%7C%5E",
        ),
        ("https://www.linkedin.com/in/anna?x=\u202egpj", "https://www.linkedin.com/in/anna?x=%E2%80%AEgpj"),
        ("https://www.linkedin.com/sales/lead/ACwA1,NAME,b", "https://www.linkedin.com/sales/lead/ACwA1,NAME,b"),
        ("http://www.linkedin.com/in/anna-example", ""),
        ("//www.linkedin.com/in/anna-example", ""),
        ("urn:li:fsd_profile:ACoAAExample1", ""),
    ],
)
def test_what_pages_and_mails_link_to(url: str, link: str) -> None:
    assert linkedin_link(url) == link


@pytest.mark.parametrize(
    ("identifier", "key"),
    [
        ("anna-example", "linkedin.com/in/anna-example"),
        (" Anna-Example ", "linkedin.com/in/anna-example"),
        ("re\u0301da", "linkedin.com/in/r\u00e9da"),
        ("r%C3%A9da", "linkedin.com/in/r\u00e9da"),
        ("https://de.linkedin.com/in/anna-example/", "linkedin.com/in/anna-example"),
        ("ACoAAExample1", "linkedin.com/in/acoaaexample1"),
        ("urn:li:fsd_profile:ACoAAExample1", "linkedin.com/in/acoaaexample1"),
        *(
            (word, "")
            for word in ("", "-", "N/A", "null", "unknown", "a?b", "a b", "https://example.com/in/anna", "\ud800")
        ),
    ],
)
def test_a_public_identifier_is_compared_as_its_profile_is(identifier: str, key: str) -> None:
    assert public_identifier_key(identifier) == key


@pytest.mark.parametrize(
    ("one", "other", "may_be"),
    [
        ("linkedin.com/in/anna", "linkedin.com/in/anna", True),
        ("linkedin.com/in/anna", "", True),
        ("", "", True),
        ("linkedin.com/in/anna", "linkedin.com/in/bea", False),
        ("linkedin.com/in/anna", "linkedin.com/in/acoaaexample12345", True),  # a name and an id
        ("linkedin.com/in/acoaaexample12345", "linkedin.com/in/acoaaexample67890", False),
        ("linkedin.com/in/anna", "linkedin.com/sales/lead/acwaaexample12345", True),
        ("linkedin.com/sales/lead/acwaaexample12345", "linkedin.com/sales/lead/acwaaexample67890", False),
        ("linkedin.com/pub/anna/1/2/3", "linkedin.com/pub/bea/1/2/4", False),
        ("linkedin.com/profile/view?id=1", "linkedin.com/profile/view?id=2", False),
        ("urn:li:member:1", "urn:li:member:2", False),
        ("urn:li:member:1", "urn:li:person:abc", True),
    ],
)
def test_two_profiles_of_one_kind_are_two_people(one: str, other: str, may_be: bool) -> None:
    assert may_be_one_person(one, other) is may_be_one_person(other, one) is may_be


@pytest.mark.parametrize(
    ("key", "names"),
    [
        ("", ()),
        ("linkedin.com/in/anna-example", ("anna-example",)),
        ("linkedin.com/in/r\u00e9da", ("r\u00e9da", "r%C3%A9da")),
        ("linkedin.com/pub/anna/1a/2b3/4c5", ("anna/1a/2b3/4c5",)),
        ("linkedin.com/profile/view?id=77", ("view?id=77",)),
        ("urn:li:person:yrZCpj2Z12", ("urn:li:person:yrZCpj2Z12", "urn%3Ali%3Aperson%3AyrZCpj2Z12")),
    ],
)
def test_how_a_person_is_named_in_what_providers_send(key: str, names: tuple[str, ...]) -> None:
    assert names_in_urls(key) == names


PIECES = st.sampled_from(
    [
        *(
            "https://",
            "http:",
            "//",
            "/",
            "\\",
            "www.",
            "linkedin.com",
            "lnkd.in",
            "/in/",
            "/sales/lead/",
            "/pub/",
            "/de",
        ),
        *(
            "urn:li:",
            "person:",
            "fsd_profile:",
            "?id=",
            "#",
            "%25",
            "%C3%A9",
            "%2F",
            "e\u0301",
            "\u0345",
            "\u03c2",
            "\u1e9e",
        ),
        *("\u0130", "\ufb01", "@", ":443", "..", "null", ",NAME", "\u200d", "\x00", "\ud800", "anna"),
    ]
)
TEXTS = st.text() | st.lists(PIECES | st.characters(), max_size=12).map("".join)
PATHS = TEXTS.map("https://www.linkedin.com/in/{}".format)


@given(TEXTS | PATHS)
@example("https://www.linkedin.com/in/\u0345a\u0301")
@example("https://www.linkedin.com/in/%25252525252525252541")
def test_a_key_is_its_own_key_and_nothing_is_raised(text: str) -> None:
    key = linkedin_key(text)
    assert linkedin_key(key) == key
    assert len(key) <= 500
    assert linkedin_key(public_identifier_key(text)) == public_identifier_key(text)


@given(PATHS)
def test_a_link_leads_to_the_person_it_was_made_from_and_to_nobody_else(text: str) -> None:
    link = linkedin_link(text)
    assert link == "" or (link.startswith("https://www.linkedin.com/") and link.isascii() and link.isprintable())
    assert linkedin_key(link) == (linkedin_key(text) if link else "")
    assert not set(link) & set("\"'<>`\\ ")
