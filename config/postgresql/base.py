"""Count a PostgreSQL connection as healthy only while it accepts writes."""

from django.db import Error
from django.db.backends.postgresql import base


class DatabaseWrapper(base.DatabaseWrapper):
    def is_usable(self) -> bool:
        """Return whether the connection answers and accepts writes.

        A session that began while the database was read-only, or that a failover left on a standby, stays read-only.
        Only a new one accepts writes.
        """
        if self.connection is None:
            return False
        try:
            with self.wrap_database_errors, self.connection.cursor() as cursor:
                cursor.execute("SELECT current_setting('transaction_read_only')")
                return bool(cursor.fetchone()[0] == "off")
        except Error:
            return False
