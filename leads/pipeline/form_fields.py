"""Which questions of LinkedIn's forms ask for which of a lead's fields."""

PREDEFINED_FIELDS = {  # their predefinedField --> our field; of two for one field the first that was answered counts
    "FIRST_NAME": "first_name",
    "LAST_NAME": "last_name",
    "EMAIL": "email",
    "WORK_EMAIL": "email",
    "PHONE_NUMBER": "phone",
    "WORK_PHONE_NUMBER": "phone",
    "JOB_TITLE": "title",
    "COMPANY_NAME": "company",
    "COMPANY_SIZE": "company_size",
    "INDUSTRY": "industry",
    "COUNTRY": "country",
    "STATE": "state",
    "POSTAL_CODE": "postal_code",
    "ZIP_CODE": "postal_code",
    "CITY": "location",
    "LINKEDIN_PROFILE_LINK": "linkedin_url",
}
