"""Use Django's PostgreSQL back end with a stricter health check. `DATABASES["default"]["ENGINE"]` names this
package."""
