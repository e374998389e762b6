"""Keep the rules of an agency: their order, versions and compiled form, and a preview of what they would do."""
