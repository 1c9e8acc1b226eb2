"""How a long export is stopped."""


class StoppedError(Exception):
    """``cancel`` returned true; :func:`dkd.formats.files.export` catches it, after the temporary file is removed."""
