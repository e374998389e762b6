"""Templates: what can be read, what is refused, what a lead's values make of it."""

from string import printable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.core.errors import FieldError
from accounts.models import Agency
from leads.models import Lead
from leads.pipeline.changes import create_lead
from leads.sequences import templates
from leads.sequences.placeholders import TemplateError, fill, joined, parse
from leads.sequences.template_fields import FIELDS
from leads.sequences.templates import create_template, fill_for

WHO = {"first_name": "Ada", "company": ""}


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("Hello {{ first_name }}!", "Hello Ada!"),
        ("Hello {{first_name}}{{ first_name}}", "Hello AdaAda"),
        ('{{ first_name|default:"there" }}', "Ada"),
        ('At {{ company | default : "your company" }}.', "At your company."),
        ("At {{ company }}.", "At ."),
        ('At {{ company|default:"" }}.', "At ."),
        ("50 % { of } it", "50 % { of } it"),
    ],
)
def test_fields_are_filled_and_everything_else_stays(text: str, filled: str) -> None:
    assert joined(fill(text, WHO)) == filled


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("{{ firstname }}", "firstname"),
        ("{{ first_name }", "{{"),
        ("first_name }}", "}}"),
        ("{{ }}", "{{ }}"),
        ("{{ first_name|upper }}", "first_name|upper"),
        ('{{ first_name|default:"a"|default:"b" }}', "default"),
        ("{{ first_name.__class__ }}", "__class__"),
        ("{% include 'x' %}", "{%"),
        ("{{{ first_name }}}", "{{"),
    ],
)
def test_what_cannot_be_read_is_named(text: str, named: str) -> None:
    with pytest.raises(TemplateError, match=r".") as refused:
        parse(text, WHO)
    assert named in str(refused.value)


PIECES = ("{", "}", "{{ company }}", "{{first_name}}", '{{ company|default:"x" }}', "{%", " ", "a", "|", '"')


@given(st.lists(st.sampled_from(PIECES), max_size=12).map("".join) | st.text(alphabet=printable, max_size=60))
def test_any_text_is_refused_or_filled_without_a_pair_of_braces(text: str) -> None:
    try:
        filled = joined(fill(text, WHO))
    except TemplateError:
        return
    assert not any(pair in filled for pair in ("{{", "}}", "{%", "%}"))


@pytest.mark.django_db
def test_an_unknown_field_is_refused_by_its_name_when_it_is_saved(agency: Agency) -> None:
    with pytest.raises(FieldError, match="nickname") as refused:
        create_template(agency, name="Hello", channel="linkedin", text="Hello {{ nickname }}")
    assert refused.value.field == "text"
    with pytest.raises(FieldError, match="nickname") as refused:
        create_template(agency, name="Hello", channel="email", subject="{{ nickname }}", text="Hello")
    assert refused.value.field == "subject"
    assert not agency.message_templates.exists()


@pytest.mark.django_db
def test_a_leads_value_cannot_bring_a_field_or_a_line_of_its_own(agency: Agency) -> None:
    template = create_template(agency, name="Hello", channel="email", subject="{{ company }}", text="{{ name }}")
    lead = create_lead(agency, name="Ada {{firstName}}\nBcc: x", company="Acme\r\nBcc: all@example.com")
    filled = fill_for(template, lead)
    assert filled.body_text == "Ada firstName Bcc: x"
    assert "\n" not in filled.subject_text
    assert "\r" not in filled.subject_text


@pytest.mark.django_db
def test_what_is_missing_is_named_once_unless_there_is_a_default(agency: Agency) -> None:
    text = 'Hello {{ first_name|default:"there" }} of {{ company }}, {{ company }}, {{ industry }}'
    template = create_template(agency, name="Hello", channel="email", subject="{{ company }}", text=text)
    lead = create_lead(agency, name="Ada")
    assert fill_for(template, lead).missing == ["company", "industry"]
    assert templates.fields_of(template) == ["company", "first_name", "industry"]


@pytest.mark.django_db
@pytest.mark.one_backend
def test_a_first_name_is_told_from_the_whole_name_only_where_there_are_two(agency: Agency) -> None:
    read = FIELDS["first_name"].read
    assert read(Lead(agency=agency, name="Ada Lovelace")) == "Ada"
    assert read(Lead(agency=agency, name="Acme")) == ""
    assert read(Lead(agency=agency, name="Ada Lovelace", first_name="Augusta")) == "Augusta"


@pytest.mark.django_db
def test_a_template_in_use_stays(agency: Agency, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(templates, "_users", [lambda _: ["The sequence “Welcome”"]])
    template = create_template(agency, name="Hello", channel="linkedin", text="Hello")
    with pytest.raises(FieldError, match="Welcome"):
        templates.delete_template(template)
    with pytest.raises(FieldError, match="Welcome"):
        templates.update_template(template, channel="email", subject="Hello")
    assert templates.update_template(template, text="Hi").text == "Hi"
