"""Derive contact fields from other fields of a lead: the enrichers that are shipped. They use no network."""

from leads.models import Lead
from leads.pipeline.phones import country_of

#: Where people have their own mail, which says nothing about their company.
PRIVATE_MAIL = frozenset(
    {
        *("126.com", "163.com", "aol.com", "att.net", "bellsouth.net", "btinternet.com", "comcast.net"),
        *("duck.com", "fastmail.com", "free.fr", "gmail.com", "gmx.at", "gmx.ch", "gmx.com", "gmx.de", "gmx.net"),
        *("googlemail.com", "hey.com", "hotmail.co.uk", "hotmail.com", "hotmail.de", "hotmail.fr", "icloud.com"),
        *("laposte.net", "libero.it", "live.com", "mac.com", "mail.com", "mail.ru", "me.com", "msn.com"),
        *("orange.fr", "outlook.com", "outlook.de", "pm.me", "proton.me", "protonmail.com", "qq.com"),
        *("rediffmail.com", "sbcglobal.net", "t-online.de", "tutanota.com", "uol.com.br", "verizon.net"),
        *("web.de", "yahoo.co.in", "yahoo.co.uk", "yahoo.com", "yahoo.de", "yahoo.fr", "yandex.ru", "ymail.com"),
        *("zoho.com",),
    }
)


def email_company(lead: Lead) -> dict[str, str]:
    """Return the domain of a business address as the company: `example.com`."""
    domain = lead.email.rpartition("@")[2].lower()
    return {"company": domain} if "." in domain and domain not in PRIVATE_MAIL else {}


def phone_country(lead: Lead) -> dict[str, str]:
    """Return the country, in English, that the telephone number belongs to."""
    return {"country": country_of(lead.phone_e164)} if lead.phone_e164 else {}
