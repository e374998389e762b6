"""Define the sentences about leads that are stored, and said in the reader's language."""

from django.utils.translation import gettext_lazy as _

from accounts.core.sentences import define

MERGED = define("lead_merged", _("The lead %(record)s was merged into this one."))
PARTED = define("lead_parted", _("The merge of the lead %(record)s into this one was undone."))
PARTED_RECORD = define("lead_parted_record", _("The merge into the lead %(lead)s was undone."))
IMPORTED = define("lead_imported", _("Imported from the file “%(name)s”."))
COMPLETED_BY_IMPORT = define("lead_completed_by_import", _("Completed from the file “%(name)s”."))
IMPORT_UNDONE = define("lead_import_undone", _("The import of the file “%(name)s” was undone."))
