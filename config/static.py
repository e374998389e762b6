"""Static files: hashed names, compressed and cached for ever once `collectstatic` has run, plain names before."""

from whitenoise.storage import CompressedManifestStaticFilesStorage


class Storage(CompressedManifestStaticFilesStorage):  # type: ignore[misc]
    def stored_name(self, name: str) -> str:
        """Without a manifest the plain name, which WhiteNoise then finds in the apps: no page breaks for its style."""
        return str(super().stored_name(name)) if self.hashed_files else name
