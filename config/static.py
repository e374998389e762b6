"""Store static files under hashed names, compressed and cached for ever once `collectstatic` has run, else under plain
names."""

from whitenoise.storage import CompressedManifestStaticFilesStorage


class Storage(CompressedManifestStaticFilesStorage):  # type: ignore[misc]
    def stored_name(self, name: str) -> str:
        """Return the plain name if there is no manifest. WhiteNoise then finds the file in the apps, so that no page
        breaks."""
        return str(super().stored_name(name)) if self.hashed_files else name
