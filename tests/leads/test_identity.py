import pytest

from leads.identity import linkedin_key


@pytest.mark.parametrize(
    "url",
    [
        "https://www.linkedin.com/in/john-doe",
        "http://linkedin.com/in/John-Doe/",
        "LinkedIn.com/in/john-doe?trk=people",
        "https://www.linkedin.com/in/john-doe/#about",
        "//www.linkedin.com/in/john-doe//",
        "  https://www.linkedin.com:443/in/john%2Ddoe ",
    ],
)
def test_one_profile_is_one_person_however_its_url_is_written(url: str) -> None:
    assert linkedin_key(url) == "linkedin.com/in/john-doe"


@pytest.mark.parametrize("url", ["", "   "])
def test_no_url_is_nobody(url: str) -> None:
    assert linkedin_key(url) == ""


@pytest.mark.parametrize("url", ["http://[", "https://linkedin.com/in/\u202ejohn", "x" * 5000, "\ufffd"])
def test_a_broken_url_is_compared_as_it_stands(url: str) -> None:
    assert 0 < len(linkedin_key(url)) <= 500
