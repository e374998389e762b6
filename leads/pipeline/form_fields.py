"""Map the predefined fields of LinkedIn's forms to a lead's fields."""

PREDEFINED_FIELDS = {  # predefinedField --> field of Lead; the first answer for a field counts
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
