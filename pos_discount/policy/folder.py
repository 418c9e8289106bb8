"""The files of a policy: which there are, how they are read from disk, and the digest that is the policy's version.

The only place below the service's roof and its store that touches a disk. A file is read once, when it is asked for, so
that what lies about in a folder and is not named costs nothing.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath

from pos_discount.policy.tables import MOST_BYTES as MOST_CSV_BYTES

SUFFIX = ".yaml"
EXAMPLES_SUFFIX = ".examples.yaml"


class FolderFiles(Mapping[str, bytes]):
    """The YAML files of a folder by name, and any CSV file below it that is asked for; each is read once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._names = sorted(path.name for path in folder.iterdir() if _is_policy_file(path))
        self._content_by_name: dict[str, bytes] = {}

    def __getitem__(self, name: str) -> bytes:
        if name not in self._content_by_name:
            path = self._folder / name
            if not is_inside(name) or not path.is_file():
                raise KeyError(name)
            with path.open("rb") as file:
                self._content_by_name[name] = file.read(MOST_CSV_BYTES + 1)
        return self._content_by_name[name]

    def used(self) -> dict[str, bytes]:
        """Return the contents by name of the files that were asked for."""
        return dict(self._content_by_name)

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


def _is_policy_file(path: Path) -> bool:
    return is_meant_as_yaml(path.name) and not path.name.startswith(".") and path.is_file()


def is_meant_as_yaml(name: str) -> bool:
    """Tell whether a file's name ends as those of YAML files do anywhere; only .yaml is read here."""
    return name.lower().endswith((SUFFIX, ".yml"))


def is_inside(name: str) -> bool:
    """Tell whether a file's name stays below the folder: relative, with no way up."""
    path = PurePosixPath(name)
    return bool(name) and not path.is_absolute() and ".." not in path.parts and "\\" not in name and "\0" not in name


def as_text(name: str) -> str:
    """Return a file's name with what is no UTF-8 in it escaped: a disk holds bytes, and a message text."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def version_of(files: Mapping[str, bytes]) -> str:
    """Return the version of a policy: a digest of the names and contents of all its files, in whatever order they come.

    >>> version_of({"a.yaml": b"policy: 1"})
    'pol_246ed8c53fd29e15f2b6'
    """
    digest = hashlib.sha256()
    for name, content in sorted(files.items()):
        for part in (name.encode(), content):
            digest.update(len(part).to_bytes(8, "big"))
            digest.update(part)
    return f"pol_{digest.hexdigest()[:20]}"
