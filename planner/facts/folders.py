"""Where a user's own things lie, apart from the shipped facts."""

import os
from pathlib import Path

import platformdirs


def data_folder() -> Path:
    """The folder of everything that outlives a restart: SWITCHYARD_DATA_DIR or the user's own."""
    named = os.environ.get("SWITCHYARD_DATA_DIR")
    return Path(named) if named else Path(platformdirs.user_data_dir("switchyard"))
