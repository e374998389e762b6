"""Identify the person that a LinkedIn URL or URN names: by one key for all spellings, and by a safe link.

Only a host of linkedin.com and a form that names a person give a key. Anything else gives none, because a wrong key
merges two people, while a missing key only leaves one person twice. Pure: the functions take and return text and raise
nothing.
"""

import re
import unicodedata
from urllib.parse import parse_qsl, quote, unquote

MAX_URL = 2000
MAX_SLUG = 200
#: Words that programs write for a missing value, and pages that show each visitor another person.
PLACEHOLDERS = frozenset(
    [
        *("deleted", "edit", "empty", "false", "me", "n-a", "n.a", "na", "nan", "nil", "none", "not-available"),
        *("null", "true", "unavailable", "undefined", "unknown", "void"),
    ]
)

_URL = re.compile(
    r"((?P<scheme>https?)://|//)?(?P<host>([a-z0-9-]+\.)*linkedin\.com)(:443)?(?P<path>/[^?#]*)?(?P<rest>[?#].*)?",
    re.ASCII | re.IGNORECASE,
)
_URN = re.compile(
    r"urn:li:(?P<kind>[a-z_]+):(\((?P<first>[\w-]+)(,[^()]*)?\)|(?P<id>[\w-]+))", re.ASCII | re.IGNORECASE
)
_UNSAFE = re.compile(r"[\s\x00-\x20\x7f\\\ud800-\udfff]")
_NOT_IN_A_SLUG = re.compile(r"[\s\x00-\x20\x7f-\x9f\\/?#%\"<>`{}|^\[\]\ufffd]")
_DOTS = re.compile(r"(\.|%2e)+", re.IGNORECASE)
_MEMBER_ID = re.compile(r"[\w-]+", re.ASCII)
_PROFILE_ID = re.compile(r"ac[a-z0-9]aa[\w-]{10}", re.ASCII)
_PLAIN = "/?#%~,;:@!$&*+=()"
_HEX = re.compile(r"[0-9a-f]{1,4}", re.ASCII | re.IGNORECASE)
#: Path prefixes of the mobile site and of links in LinkedIn's mails.
_PREFIXES = (["mwlite", "profile"], ["mwlite"], ["comm"])
_PROFILE_URNS = {  # kind of URN --> page whose id it holds
    **dict.fromkeys(("fsd_profile", "fs_profile", "fs_miniprofile"), "in"),
    "fs_salesprofile": "sales/lead",
}


def linkedin_key(text: str) -> str:
    """Return the key of the person that a LinkedIn URL or URN names, or an empty text if it names nobody.

    All spellings have the same key, regardless of host, scheme, case, escapes, accents and what follows the name. The
    key of a key is the key itself.
    """
    text = _tidy(text)
    if not text:
        return ""
    if text[:3].casefold() == "urn":
        return _key_of_urn(text)
    url = _URL.fullmatch(text)
    path = _person_in(url["path"] or "", url["rest"] or "") if url else ""
    return f"linkedin.com/{path}" if path else ""


def public_identifier_key(identifier: str) -> str:
    """Return the key of a public identifier (`anna-example`), or of a URL or URN in its place."""
    slug = identifier.strip()
    return linkedin_key(slug) or ("" if set(slug) & set("/?#") else linkedin_key(f"linkedin.com/in/{slug}"))


def may_be_one_person(key: str, other: str) -> bool:
    """Return whether two keys may be one person's: equal, missing, or of different kinds, such as a name and an id."""
    return not key or not other or key == other or _kind(key) != _kind(other)


def is_public_name(key: str) -> bool:
    """Return whether a key names a person by the name of the profile's address, and not by an id such as `ACoAA…`."""
    return key.startswith("linkedin.com/in/") and not _kind(key).endswith("/id")


def names_in_urls(key: str) -> tuple[str, ...]:
    """Return how URLs and URNs name the person of a key, plain and escaped. Never return a shorter part of the name."""
    name = key.partition("linkedin.com/")[2].partition("/")[2] or key
    return tuple(dict.fromkeys((name, quote(name, safe="/?=,")))) if name else ()


def linkedin_link(url: str) -> str:
    """Return a URL that may be linked to, or an empty text unless it is https, LinkedIn's, and names a person.

    A URL without a scheme gets https. Characters that could end an attribute or a line are escaped.
    """
    url = _tidy(url)
    found = None if url.startswith("//") else _URL.fullmatch(url)
    if found is None or (found["scheme"] or "https").lower() != "https" or not linkedin_key(url):
        return ""
    return f"https://{found['host'].lower()}{quote(found['path'] + (found['rest'] or ''), safe=_PLAIN)}"


def _kind(key: str) -> str:
    page, _, name = key.rpartition(":" if key.startswith("urn:") else "/")
    return f"{page}/id" if _PROFILE_ID.match(name) else page.partition("/pub/")[0]


def _tidy(text: str) -> str:
    """Return the text without surrounding blanks and invisible characters, or an empty text if it is no single safe
    word."""
    text = text[: MAX_URL + 1].strip().strip("\u200b\u200c\u200d\u200e\u200f\u2060\ufeff").strip()
    return "" if len(text) > MAX_URL or _UNSAFE.search(text) else text


def _key_of_urn(text: str) -> str:
    urn = _URN.fullmatch(unquote(text))
    if urn is None:
        return ""
    kind, member_id = urn["kind"].casefold(), urn["first"] or urn["id"]
    if _is_placeholder(member_id.casefold()):
        return ""
    if page := _PROFILE_URNS.get(kind):
        return f"linkedin.com/{page}/{member_id.casefold()}"
    if kind == "person" or (kind == "member" and member_id.isdigit()):
        return f"urn:li:{kind}:{member_id}"  # a person's id is short and case-sensitive
    return ""


def _person_in(path: str, rest: str) -> str:
    parts = [part for part in path.split("/") if part]
    if any(_DOTS.fullmatch(part) for part in parts):
        return ""  # browsers resolve the dots
    for prefix in _PREFIXES:
        if [part.lower() for part in parts[: len(prefix)]] == prefix:
            parts = parts[len(prefix) :]
            break
    match [parts[0].lower(), *parts[1:]] if parts else []:
        case ["in", slug, *_]:
            return _joined("in", _slug(slug))
        case ["pub", name, *numbers] if len(numbers) >= 3 and all(map(_HEX.fullmatch, numbers[:3])):
            return _joined("pub", _slug(name), *(number.lower() for number in numbers[:3]))
        case ["sales", page, member_id, *_] if page.lower() in {"lead", "people"}:
            return _joined("sales/lead", _member_id(member_id))
        case ["talent", *pages, member_id] if pages and pages[-1].lower() == "profile":
            return _joined("talent/profile", _member_id(member_id))
        case ["recruiter", page, member_id, *_] if page.lower() == "profile":
            return _joined("recruiter/profile", _member_id(member_id))
        case ["profile", page] if page.lower() == "view":
            ids = {value for name, value in parse_qsl(rest.partition("#")[0][1:]) if name.lower() == "id"}
            return _joined("profile", _member_id(ids.pop()), sign="/view?id=") if len(ids) == 1 else ""
    return ""


def _joined(page: str, *names: str, sign: str = "/") -> str:
    """Return the page's path with these names, or an empty text if one of them is empty."""
    return page + sign + "/".join(names) if all(names) else ""


def _slug(text: str) -> str:
    """Return a name in a path for comparison: unescaped, composed and case-folded. Empty if it is no name."""
    slug = _unescaped(text)
    if not 0 < len(slug) <= MAX_SLUG or _NOT_IN_A_SLUG.search(slug) or not any(map(str.isalnum, slug)):
        return ""
    return "" if _is_placeholder(slug) else slug


def _unescaped(text: str) -> str:
    for _ in range(8):
        visible = "".join(char for char in unquote(text) if unicodedata.category(char) != "Cf")
        folded = unicodedata.normalize("NFC", unicodedata.normalize("NFD", visible).casefold())
        if folded == text:
            return text
        text = folded
    return ""


def _member_id(text: str) -> str:
    """Return an opaque id without what follows its comma (`…,NAME_SEARCH,a1B2`). Empty if it is no id."""
    member_id = unquote(text).partition(",")[0].casefold()
    return member_id if _MEMBER_ID.fullmatch(member_id) and _is_id(member_id) else ""


def _is_id(member_id: str) -> bool:
    return len(member_id) <= MAX_SLUG and any(map(str.isalnum, member_id)) and not _is_placeholder(member_id)


def _is_placeholder(name: str) -> bool:
    return name in PLACEHOLDERS or name.strip("-_.") in PLACEHOLDERS or not name.strip("0")
