"""Sensitive fields. Which are sensitive by their name?

Rows. Each says in which group it is, which words make a name sensitive, and gives a name that must
vanish and one that must stay; a test runs both. A row only takes away from what an allow-list shows.

Groups: ``always`` vanishes at every level; ``personal`` where a level says so; the others where a
setting of the person says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from app.privacy.words import has_words, words_of


@dataclass(frozen=True)
class Sensitive:
    """One sensitive word (or words in a row) of field names.

    ``unless``: other words of the same name that make it harmless.
    """

    group: str
    word: str
    vanishes: str
    stays: str
    unless: tuple[str, ...] = ()

    @property
    def words(self) -> tuple[str, ...]:
        """The words of the row, in order."""
        return tuple(self.word.split())


FIELDS: tuple[Sensitive, ...] = (
    # ways to reach a person at home
    Sensitive("always", "phone", "homePhone", "phonetics"),
    Sensitive("always", "mobile", "mobile_number", "automobile"),
    Sensitive("always", "cell", "cell", "excellence"),
    Sensitive("always", "telephone", "Telephone", "telephony"),
    Sensitive("always", "tel", "tel", "telescope"),
    Sensitive("always", "fax", "fax-number", "halifax"),
    Sensitive("always", "emergency", "emergency_contact", "emergence"),
    Sensitive("always", "personal email", "personalEmail", "personality"),
    Sensitive("always", "private email", "private_email", "email"),
    Sensitive("always", "home email", "home-email", "homepage"),
    Sensitive("always", "personal mail", "personal_mail", "mailing_list"),
    Sensitive("always", "home mail", "homeMail", "homepage"),
    Sensitive("always", "address", "streetAddress", "addressed_to"),
    Sensitive("always", "street", "street", "streetwear"),
    Sensitive("always", "apartment", "apartment_no", "apart"),
    Sensitive("always", "apt", "apt", "chapter"),
    Sensitive("always", "suite", "suite", "suitable_for"),
    Sensitive("always", "zip", "zip", "zipper"),
    Sensitive("always", "postal code", "postalCode", "postal_service"),
    Sensitive("always", "postcode", "postcode", "postscript"),
    # money
    Sensitive("always", "salary", "salary_history", "salad"),
    Sensitive("always", "wage", "wages", "wagering"),
    Sensitive("always", "compensation", "compensation", "compensated_for"),
    Sensitive("always", "income", "annualIncome", "incoming"),
    Sensitive("always", "pay", "pay", "payload"),
    Sensitive("always", "payroll", "payroll_id", "roll"),
    Sensitive("always", "earnings", "earnings", "learnings"),
    Sensitive("always", "bonus", "bonus_pct", "bonusround"),
    Sensitive("always", "net worth", "net_worth", "network"),
    Sensitive("always", "bank", "bank_name", "embankment"),
    Sensitive("always", "account", "account", "accountability"),
    Sensitive("always", "routing", "routing_number", "rerouting"),
    Sensitive("always", "iban", "iban", "caliban"),
    Sensitive("always", "swift", "swift", "swiftly"),
    Sensitive("always", "bic", "bic", "bicycle"),
    Sensitive("always", "credit card", "creditCard", "credits"),
    Sensitive("always", "debit card", "debit_card", "debit"),
    Sensitive("always", "card number", "cardNumber", "cardboard"),
    Sensitive("always", "cvv", "cvv", "cv"),
    # numbers that states give
    Sensitive("always", "tax id", "tax_id", "syntax_id"),
    Sensitive("always", "ssn", "ssn", "lessn"),
    Sensitive("always", "social security", "socialSecurityNumber", "social_links"),
    Sensitive("always", "ein", "ein", "protein"),
    Sensitive("always", "passport", "passport_number", "passage"),
    Sensitive("always", "drivers license", "driversLicense", "license"),
    Sensitive("always", "driver license", "driver_license", "license"),
    Sensitive("always", "dl number", "dl_number", "number"),
    Sensitive("always", "license number", "licenseNumber", "license"),
    Sensitive("always", "national id", "national_id", "national"),
    Sensitive("always", "visa", "visa", "improvisation"),
    Sensitive("always", "green card", "green_card", "green"),
    Sensitive("always", "citizenship", "citizenship", "citizen_science"),
    Sensitive("always", "birthday", "birthday", "birthplace_of_jazz"),
    Sensitive("always", "date of birth", "dateOfBirth", "date"),
    Sensitive("always", "birth date", "birth_date", "date"),
    Sensitive("always", "dob", "dob", "adobe"),
    # what the person called private
    Sensitive(
        "always", "private", "private_notes", "private_repos", unless=("repos", "repositories", "repo")
    ),
    Sensitive("always", "confidential", "confidential", "confidence"),
    Sensitive("always", "internal", "internal_note", "internationalisation"),
    Sensitive("always", "secret", "client_secret", "secretary"),
    Sensitive("always", "restricted", "restricted", "restriction_enzyme"),
    Sensitive("always", "intimate", "intimate", "intimation"),
    Sensitive("always", "family only", "familyOnly", "only"),
    # health
    Sensitive("always", "medical", "medical_history", "medically"),
    Sensitive("always", "health", "healthPlan", "healthy"),
    Sensitive("always", "diagnosis", "diagnosis", "diagnostics"),
    Sensitive("always", "prescription", "prescriptions", "description"),
    Sensitive("always", "allergy", "allergies", "allegory"),
    Sensitive("always", "disability", "disability", "ability"),
    # what opens doors
    Sensitive("always", "password", "userPassword", "passwordless"),
    Sensitive("always", "passwd", "passwd", "passed"),
    Sensitive("always", "passphrase", "passphrase", "phrase"),
    Sensitive("always", "pin", "pin", "opinion"),
    Sensitive("always", "security question", "security_question", "security"),
    Sensitive("always", "security answer", "securityAnswer", "answer"),
    Sensitive("always", "recovery", "recovery_codes", "recover"),
    Sensitive("always", "backup code", "backup_codes", "backup"),
    Sensitive("always", "api key", "apiKey", "api"),
    Sensitive("always", "access key", "accessKey", "access"),
    Sensitive("always", "token", "access_token", "tokenizer"),
    Sensitive("always", "auth", "auth", "author"),
    Sensitive("always", "credential", "credentials", "credit"),
    # nothing for assistants, colleagues and cards
    Sensitive("personal", "personal", "personal_note", "personality"),
    Sensitive("personal", "family", "family_note", "familiar_with"),
    Sensitive("personal", "relationship", "relationships", "relation"),
    Sensitive("personal", "spouse", "spouse", "espouses"),
    Sensitive("personal", "child", "children_of", "childlike", unless=("process",)),
    Sensitive("personal", "children", "children", "childlike"),
    Sensitive("personal", "financial", "financial", "finance_blog"),
    Sensitive("personal", "tax", "tax", "syntax"),
    Sensitive("personal", "religion", "religion", "region"),
    Sensitive("personal", "nationality", "nationality", "nation"),
    Sensitive("personal", "marital", "marital_status", "status"),
    Sensitive("personal", "gender", "gender", "agenda"),
    # show_contact_info
    Sensitive("contact", "email", "workEmail", "emailed"),
    Sensitive("contact", "mail", "mail", "mailing"),
    Sensitive("contact", "contact method", "contact_method", "method"),
    Sensitive("contact", "contact info", "contactInfo", "info"),
    Sensitive("contact", "phone", "phone", "phoneme"),
    # show_location
    Sensitive("location", "location", "location", "allocation"),
    Sensitive("location", "address", "address", "addressed"),
    Sensitive("location", "city", "city", "capacity"),
    Sensitive("location", "town", "town", "downtown_jazz"),
    Sensitive("location", "state", "state", "statement"),
    Sensitive("location", "region", "region", "religion"),
    Sensitive("location", "country", "country", "countryside"),
    Sensitive("location", "place", "place", "placement"),
    Sensitive("location", "venue", "venue", "revenue"),
    Sensitive("location", "timezone", "timezone", "zone"),
    Sensitive("location", "latitude", "latitude", "attitude"),
    Sensitive("location", "longitude", "longitude", "long"),
    Sensitive("location", "coordinate", "coordinates", "coordination"),
    Sensitive("location", "geo", "geo", "geometry"),
    # show_current_company
    Sensitive("company", "company", "current_company", "companion"),
    Sensitive("company", "employer", "employer", "employed_since"),
    Sensitive("company", "workplace", "workplace", "work"),
    # show_education_details
    Sensitive("education", "gpa", "gpa", "gpaz"),
    Sensitive("education", "honor", "honors", "honorific"),
    Sensitive("education", "honour", "honours", "honourable"),
    Sensitive("education", "activity", "activities", "activism"),
    Sensitive("education", "grade", "grades", "upgrade"),
    Sensitive("education", "thesis", "thesis", "hypothesis"),
    Sensitive("education", "score", "score", "scorecard"),
    Sensitive("education", "coursework", "coursework", "work"),
    # show_personal_projects
    Sensitive("projects", "project", "projects", "projection"),
)


def is_sensitive(name: str, groups: frozenset[str]) -> bool:
    """Whether a row of one of the groups says that a field of this name is sensitive."""
    return not groups.isdisjoint(_groups_of(name))


@lru_cache(maxsize=8192)
def _groups_of(name: str) -> frozenset[str]:
    return frozenset(row.group for row in FIELDS if _matches(row, name))


def _matches(row: Sensitive, name: str) -> bool:
    return has_words(name, row.words) and not set(row.unless) & set(words_of(name))
