"""Install the locked dependencies into the running virtual environment: `python -m config.bootstrap.install [--dev]`.

Standard library only. Every file is checked against the lock's hashes. A pinned uv installs quickly; pip installs where
uv is missing or fails. `var/installed` holds the hashes of the installed locks, which are skipped.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

UV = "uv==0.13.8"
ROOT = Path(__file__).resolve().parents[2]
INSTALLED = ROOT / "var" / "installed"
CACHE = ROOT / "var" / "cache"

#: pip's setting --> uv's variable for the same.
SHARED_SETTINGS = {
    "index-url": "UV_DEFAULT_INDEX",
    "extra-index-url": "UV_INDEX",
    "find-links": "UV_FIND_LINKS",
    "no-index": "UV_NO_INDEX",
    "cert": "SSL_CERT_FILE",
}


def main(arguments: list[str]) -> int:
    locks = ["requirements.txt", "requirements-dev.txt"] if "--dev" in arguments else ["requirements.txt"]
    wanted = [f"{hashlib.sha256((ROOT / lock).read_bytes()).hexdigest()}  {lock}" for lock in locks]
    present = INSTALLED.read_text().splitlines() if INSTALLED.is_file() else []
    if set(wanted) <= set(present):
        return 0
    print(f"Installing what {locks[-1]} locks …", flush=True)  # noqa: T201
    INSTALLED.parent.mkdir(exist_ok=True)
    lock = str(ROOT / locks[-1])
    if not with_uv(lock) and not with_pip("--compile", "--require-hashes", "-r", lock):
        sys.stderr.write("The dependencies could not be installed: see pip's message above.\n")
        return 1
    INSTALLED.write_text("\n".join(wanted) + "\n")
    shutil.rmtree(CACHE, ignore_errors=True)
    return 0


def with_uv(lock: str) -> bool:
    uv = Path(sysconfig.get_path("scripts"), "uv")
    if not with_pip(UV, quietly=True) or not uv.exists():
        return False
    command = [str(uv), "pip", "install", "--quiet", "--compile-bytecode", "--python", sys.executable]
    result = subprocess.run([*command, "--require-hashes", "-r", lock], env=uv_environment(), capture_output=True)
    return result.returncode == 0


def with_pip(*what: str, quietly: bool = False) -> bool:
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    command += ["--cache-dir", str(CACHE / "pip")]
    return subprocess.run([*command, *what], capture_output=quietly).returncode == 0


def uv_environment() -> dict[str, str]:
    """Return the environment for uv, which reads none of pip's configuration, with pip's package sources."""
    environment = {
        "UV_CACHE_DIR": str(CACHE / "uv"),
        "UV_INDEX_STRATEGY": "unsafe-best-match",  # as pip does; the hashes decide what is installed
        "UV_PYTHON_DOWNLOADS": "never",
    }
    listing = subprocess.run([sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True).stdout
    for line in listing.splitlines():
        name, _, value = line.partition("=")
        variable = SHARED_SETTINGS.get(name.rpartition(".")[2])
        if variable:
            words = " ".join(value.strip("'\"").replace("\\n", " ").split())
            environment[variable] = words.replace(" ", ",") if variable == "UV_FIND_LINKS" else words
    return {**environment, **os.environ}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
