"""Where data are looked for: the folder of one's own data sets, and the files that ship with the package."""

from __future__ import annotations

import os
from pathlib import Path

from platformdirs import user_cache_path

from dkd.errors import ConfigError

DEFAULT_MODEL = "dkd-mobilenetv2-joints"  # used where no model is named: of the shipped ones, it tracks best


def as_path(value: object, what: str) -> Path:
    """Return a path that a user gave.

    Args:
        value: text or a path.
        what: what is expected there, such as "the folder of a study", for the message.

    Raises:
        ConfigError: it is something else, empty, or has a null character.
    """
    try:
        text = os.fspath(value)  # type: ignore[call-overload]
    except TypeError:
        raise ConfigError(f"expected {what} as a path, got {value!r}") from None
    if not isinstance(text, str) or not text or "\0" in text:
        raise ConfigError(f"expected {what} as a path, got {value!r}")
    return Path(text)


def data_folder() -> Path:
    """Return the folder for data sets: ``$DKD_DATA`` if set, else ``data/`` next to the package."""
    override = os.environ.get("DKD_DATA")
    return Path(override) if override else shipped_folder()


def shipped_folder() -> Path:
    """Return the folder ``data/`` next to the package, with what ships: trained models and a sample clip."""
    return Path(__file__).resolve().parents[2] / "data"


def data_folders() -> tuple[Path, ...]:
    """Return the folders in which shipped files are looked for: ``$DKD_DATA`` if set, then ``data/`` of the package."""
    return tuple(dict.fromkeys((data_folder(), shipped_folder())))


def find_data(name: str) -> Path:
    """Return the file or folder ``name`` in the first of :func:`data_folders` that has it, else its place in the first.

    A folder of one's own that has no checkpoints or samples does not hide the shipped ones.
    """
    places = [folder / name for folder in data_folders()]
    return next((place for place in places if place.exists()), places[0])


def list_checkpoints() -> dict[str, Path]:
    """Return the trained models at hand, name → file, by name; one in ``$DKD_DATA`` comes before a shipped one."""
    found: dict[str, Path] = {}
    for folder in data_folders():
        for file in (folder / "checkpoints").glob("*.safetensors"):
            found.setdefault(file.stem, file)
    return dict(sorted(found.items()))


def cache_folder() -> Path:
    """Return the folder for files that can be made again: ``$DKD_CACHE`` if set, else the user's cache folder."""
    override = os.environ.get("DKD_CACHE")
    return Path(override) if override else user_cache_path("dkd-workbench")


def folders_text() -> str:
    """Return the folders of :func:`data_folders` for an error message."""
    return " and ".join(str(folder) for folder in data_folders())
