"""Every spelling of an address has one canonical form, and two addresses have two."""

import pytest
from django.core.exceptions import ValidationError

from accounts.core.email_addresses import (
    display_email,
    email_key,
    normalize_email,
    normalize_host,
    normalize_sender,
)


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("bea@bücher.example", "bea@xn--bcher-kva.example"),
        ("bea@bu\u0308cher.example", "bea@xn--bcher-kva.example"),
        ("Bea@BÜCHER.Example", "bea@xn--bcher-kva.example"),
        ("bea@XN--BCHER-KVA.example", "bea@xn--bcher-kva.example"),
        ("ann@faß.example", "ann@xn--fa-hia.example"),
        ("ann@fass.example", "ann@fass.example"),
        ("ann@βόλος.example", "ann@xn--nxasmm1c.example"),
        ("ann@نامه\u200cای.example", "ann@xn--mgba3gch31f060k.example"),
        ("ann@例え。テスト", "ann@xn--r8jz45g.xn--zckzah"),
        (" Ann@Example.COM ", "ann@example.com"),
        ("ann@example.com.", "ann@example.com"),
        ("\ufeffann@example.com\u200b", "ann@example.com"),
        ("ann@ex\u00adample.com", "ann@example.com"),
        ("ａｎｎ＠ｅｘａｍｐｌｅ．ｃｏｍ", "ann@example.com"),
        ("MAILTO:ann@example.com", "ann@example.com"),
        ("mailto:ann@example.com?subject=Hello&cc=bob@example.com", "ann@example.com"),
        ("Ann Lee <Ann@Example.com>", "ann@example.com"),
        ('"Lee, Ann" <ann@example.com>', "ann@example.com"),
        ("<ann@example.com>", "ann@example.com"),
        ('"ann"@example.com', "ann@example.com"),
        ("ann+leads@example.com", "ann+leads@example.com"),
        ("a.nn@example.com", "a.nn@example.com"),
    ],
)
def test_the_canonical_form_of_an_address(text: str, canonical: str) -> None:
    assert normalize_email(text) == email_key(text) == canonical
    assert normalize_email(canonical) == canonical
    assert normalize_email(display_email(canonical)) == canonical


@pytest.mark.parametrize(
    "text",
    [
        *("", "@", "ann", "ann@", "@example.com", "ann@example.com, bob@example.com", "Ann <ann@example.com"),
        "Ann <ann@example.com>, Bob <bob@example.com>",
        *("ann@example.com\r\nBcc: bob@example.com", "ann\x00@example.com", "ann\u2028@example.com"),
        *("ann@exa mple.com", "ann..lee@example.com", ".ann@example.com", '"a b"@example.com', "olaf ö@example.com"),
        *("ann@[127.0.0.1]", "ann@127.0.0.1", "ann@a_b.example", "ann@-a.example", "ann@xn--a.example"),
        *("ann@i❤.example", f"ann@{'a' * 64}.example", f"{'a' * 250}@example.com", "ann@" + "ü" * 2000 + ".example"),
    ],
)
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(ValidationError):
        normalize_email(text)
    assert email_key(text) == text.strip().lower()


@pytest.mark.parametrize(
    ("canonical", "readable"),
    [
        ("bea@xn--bcher-kva.example", "bea@bücher.example"),
        ("ann@xn--fa-hia.example", "ann@faß.example"),
        ("ann@example.com", "ann@example.com"),
        ("ann@xn--a.example", "ann@xn--a.example"),
        ("no address", "no address"),
    ],
)
def test_people_read_a_domain_in_its_own_letters(canonical: str, readable: str) -> None:
    assert display_email(canonical) == readable


def test_a_sender_keeps_its_name() -> None:
    assert normalize_sender("Leadline <hello@faß.example>") == "Leadline <hello@xn--fa-hia.example>"
    assert normalize_sender("hello@example.com") == "hello@example.com"
    assert normalize_sender("nobody") == "nobody"


def test_a_name_of_a_host_that_no_domain_can_be_is_kept_where_it_is_ascii() -> None:
    assert normalize_host("My_Service.") == "my_service"
    assert normalize_host("FAß.example.") == "xn--fa-hia.example"
    with pytest.raises(UnicodeError):
        normalize_host("i❤.example")
