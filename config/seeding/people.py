"""Invented people, companies and places. Nobody of them exists; every address is at example.com."""

import re
import unicodedata
from dataclasses import dataclass
from random import Random


def _words(text: str) -> list[str]:
    return text.split()


def _lines(text: str) -> list[str]:
    return [part for line in text.strip().splitlines() for part in line.split("|")]


FIRST_NAMES = _words("""
Ada Amara Anaïs Andrés Anika Asha Beatrix Bjørn Bruno Carmen Chiara Claire Cosima Daan Dagny Daria Edda Elif Elio Emre
Enzo Farah Femke Fiona Gregor Hana Hedda Hugo Ilse Imani Ines Ivo Jana Jonas Jürgen Kaia Kenji Lena Leonor Liv Łukasz
Magda Mateo Maya Milan Mirja Nadia Nils Noor Nuria Oona Oskar Paola Pelle Petra Priya Quentin Rafael Renée Rhea
Rosa Ruben Samira Selma Sofía Søren Tara Tariq Theo Tilda Uma Vera Viktor Wanda Willem Yara Yusuf Zeynep Zoë
""")
LAST_NAMES = _words("""
Abegg Adeyemi Albrecht Almeida Ångström Barros Bellini Bergqvist Blomster Brandt Caldera Castellan Čapek Dahlgren
Delacour Dietrich Duarte Ekblad Engström Faber Falkner Ferreira Forssell Gallo Gärtner Grönlund Haddad Halvorsen
Hartwig Hoekstra Ibarra Ilić Jansson Kapoor Karlsen Keller Kowalczyk Kruse Lindqvist Lorenz Maas Marchetti Moreau
Müller Nakamura Navarro
Nowicki Núñez Oduya Okafor Ortega Palmgren Peeters Pereira Quist Rahman Reyes Rinaldi Rousseau Sandoval Sauer Schäfer
Silveira Sørensen Tanaka Thorne Ulrich Vandermeer Vasquez Voss Weiss Winther Yılmaz Zeller Żak
""")
COMPANY_WORDS = _words("""
Alder Arcline Basalt Beacon Birchwood Bluefin Borealis Brightwater Cedar Cinder Clearpath Cobalt Copperleaf Driftwood
Eastgate Ember Fathom Fernhill Foxglove Granite Halcyon Harborline Ironwood Juniper Kestrel Lakeside Lantern Larkspur
Marigold Meridian Millbrook Mosaic Nightingale Northbound Oakhurst Orchard Pinecrest Quarry Redwood Ridgeway Saffron
Sandbar Silverlake Slate Stonebridge Sundial Tidewater Umber Vantage Waypoint Westmark Willow Yarrow Zephyr
""")
COMPANY_KINDS = _words("""
Analytics Automation Biotech Capital Cloud Consulting Education Energy Foods Freight Health Insurance Labs Legal
Logistics Media Networks Robotics Security Software Studios Systems Textiles Travel
""")
TITLES = _lines("""
Head of Sales|VP Marketing|Chief Operating Officer|Founder|Managing Director|Head of People|Procurement Lead
Director of Partnerships|Head of Growth|IT Manager|Chief of Staff|Product Lead|Head of Customer Success|Finance Director
Regional Manager|Operations Manager|Head of Talent|Commercial Director|Marketing Manager|Business Development Manager
""")
CITIES = _words("Antwerp Bergen Bologna Bristol Cork Gdańsk Graz Leeds Lyon Malmö Nantes Porto Utrecht València Zürich")
AGENCY_KINDS = ("Outreach", "Growth Partners", "Pipeline Studio", "Lead Collective", "Demand Lab", "Connect")
CAMPAIGN_AUDIENCES = _lines("""
Founders in Logistics|Heads of Sales, DACH|SaaS Operators|Clinics in the Nordics|Series A Finance|Manufacturers Iberia
HR Leaders Benelux|Insurance Brokers UK|Retail Directors|Energy Consultants|Legal Ops|Event Follow-up
""")
OPENERS = _lines("""
Thank you for connecting. May I ask how your team finds new customers today?
I liked your post about hiring. How do you keep up with the replies on LinkedIn?
We help agencies to answer every lead within minutes. Is that a subject for you?
Your company grows quickly. Who looks after new enquiries?
""")
REPLIES = _lines("""
Thanks for reaching out. What does it cost for a team of ten?|Sounds interesting, could we talk next week?
Not right now, but ask me again in the new year.|Please send me two references.
We are happy with what we have, thank you.
Who else in our industry works with you?|Could you write to my colleague instead?|Yes, Tuesday after two works for me.
""")
TASKS = ("Call about prices", "Call about the references", "Call and find a date", "Call about their budget")
OUTCOMES = ("Reached", "Left a message", "Reached", "No answer")
NOTES = _lines("""
Decides together with the head of finance.|Wants to see two references first.|Best reached before ten.
Budget is free from next quarter on.|Knows our product from an earlier company.
""")
TAGS = ("hot", "event", "newsletter", "partner", "follow up", "budget Q1")


@dataclass(frozen=True, slots=True)
class Person:
    first_name: str
    last_name: str
    slug: str  # as in the URL of a profile

    @property
    def name(self) -> str:
        return f"{self.first_name} {self.last_name}"

    def email(self, host: str) -> str:
        return f"{self.slug}@{host}"


def person(random: Random, number: int) -> Person:
    """Return somebody; the number tells people of one name apart."""
    first, last = random.choice(FIRST_NAMES), random.choice(LAST_NAMES)
    return Person(first, last, f"{slug(first)}-{slug(last)}-{number}")


def company(random: Random) -> str:
    return f"{random.choice(COMPANY_WORDS)} {random.choice(COMPANY_KINDS)}"


def city(random: Random) -> str:
    return random.choice(CITIES)


def slug(text: str) -> str:
    """Return a text as it stands in addresses: ASCII letters and hyphens."""
    plain = unicodedata.normalize("NFKD", text.translate(str.maketrans("øØłŁßıæ", "oOlLsia"))).encode("ascii", "ignore")
    return re.sub(r"[^a-z0-9]+", "-", plain.decode().lower()).strip("-")


#: The templates of a seeded agency: name, channel, subject, text.
TEMPLATES = (
    (
        "First e-mail",
        "email",
        'A question about {{ company|default:"your team" }}',
        'Hello {{ first_name|default:"there" }},\n\nthank you for connecting. May I ask how'
        ' {{ company|default:"your team" }} follows up with its leads today?\n\nKind regards\n'
        '{{ owner_name|default:"Your team" }}',
    ),
    (
        "Second e-mail",
        "email",
        "Shall I send you an example?",
        'Hello {{ first_name|default:"there" }},\n\nI can send you an example from'
        ' {{ industry|default:"your industry" }}. Is it of interest?\n\n{{ owner_name|default:"Your team" }}',
    ),
    (
        "Thanks for connecting",
        "linkedin",
        "",
        'Hello {{ first_name|default:"there" }}, thank you for connecting. What do you work on at'
        ' {{ company|default:"your company" }} these days?',
    ),
)
