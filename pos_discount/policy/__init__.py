"""The policy: what merchandisers wrote, read from YAML and CSV into frozen values.

`load_policy` reads a folder; `read_policy` reads the same files from memory, so that a version kept elsewhere can be
replayed. What cannot be read or resolved is reported all at once, by file, line and column; what loads but is doubtful
is for `check_policy`.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from pos_discount.policy.checks import Finding, check_policy
from pos_discount.policy.folder import FolderFiles, version_of
from pos_discount.policy.model import Example, House, Place, Policy, Promotion
from pos_discount.policy.problems import PolicyProblems, Problem, Problems
from pos_discount.policy.reader import read_policy
from pos_discount.policy.schema import examples_json_schema, json_schema

__all__ = [
    "Example",
    "Finding",
    "House",
    "LoadedFolder",
    "Place",
    "Policy",
    "PolicyProblems",
    "Problem",
    "Problems",
    "Promotion",
    "check_policy",
    "examples_json_schema",
    "json_schema",
    "load_folder",
    "load_policy",
    "read_policy",
    "version_of",
]


class LoadedFolder(NamedTuple):
    """A policy and the contents by name of the files it was read from: `read_policy` makes the same of them again."""

    policy: Policy
    files: Mapping[str, bytes]


def load_policy(folder: Path | str) -> Policy:
    """Read the policy in a folder.

    Raises `PolicyProblems` with everything that cannot be read or resolved.
    """
    return load_folder(folder).policy


def load_folder(folder: Path | str) -> LoadedFolder:
    """Read the policy in a folder and keep its files, for those who store what decided.

    Raises `PolicyProblems` with everything that cannot be read or resolved, an absent folder and unreadable files
    included.
    """
    try:
        files = FolderFiles(Path(folder))
        policy = read_policy(files, str(folder))
    except OSError as error:
        place = Place(str(error.filename or folder), 1, 1)
        raise PolicyProblems([Problem(place, f"{error.strerror}; expected a folder of YAML files")]) from None
    if isinstance(policy, Problems):
        raise PolicyProblems(policy.problems)
    return LoadedFolder(policy, files.used())
