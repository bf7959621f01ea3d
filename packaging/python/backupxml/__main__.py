"""Replaces this process by the program that was installed with this package."""

import os
import sys
from importlib import metadata
from pathlib import Path


def program() -> Path:
    recorded = [file.locate() for file in metadata.files("backupxml") or () if file.name == "backupxml"]
    # `pip install --target` moves the program after its path was recorded.
    moved = Path(__file__).parent.parent / "bin" / "backupxml"
    found = next((path for path in [*recorded, moved] if os.access(path, os.X_OK)), None)
    return Path(found) if found else sys.exit("backupxml: the program is missing from this installation; reinstall it")


os.execv(program(), ["backupxml", *sys.argv[1:]])
