"""What the rivals need, pinned, and installed into `.bench/` (ignored by git) on demand; never a dependency of ours."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[2] / ".bench"
ENVIRONMENTS = {
    "dbos": ("dbos==3.4.0", "uvloop==0.23.0"),
    # dbosify 0.4.0 imports a module that dbos 3 does not have any more.
    "dbosify": ("dbosify==0.4.0", "dbos==2.31.1", "uvloop==0.23.0"),
    "restate": ("restate_sdk==1.3.0", "hypercorn==0.18.0", "aiohttp==3.13.2", "uvloop==0.23.0"),
}
RESTATE_SERVER = "@restatedev/restate-server@1.7.12"


def python(name: str) -> Path:
    """The interpreter of one of ENVIRONMENTS, made when it is missing or its pins have changed."""
    folder = FOLDER / name
    interpreter, mark, wanted = folder / "bin" / "python", folder / "packages.txt", "\n".join(ENVIRONMENTS[name])
    if not mark.exists() or mark.read_text() != wanted:
        subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True)
        subprocess.run([interpreter, "-m", "pip", "install", "--quiet", *ENVIRONMENTS[name]], check=True)
        mark.write_text(wanted)
    return interpreter


def restate_server() -> Path | None:
    """Restate's server out of its npm package; None where there is no npm or no binary for this platform."""
    folder = FOLDER / RESTATE_SERVER.rpartition("@")[2]
    if not folder.exists() and shutil.which("npm"):
        subprocess.run(
            ["npm", "install", "--silent", "--ignore-scripts", "--prefix", str(folder), RESTATE_SERVER], check=True
        )
    return next(folder.glob("node_modules/@restatedev/restate-server-*/bin/restate-server"), None)


def postgres_binaries() -> Path | None:
    """The folder with initdb and postgres; None where PostgreSQL is not installed."""
    found = shutil.which("postgres")
    return Path(found).resolve().parent if found else None
