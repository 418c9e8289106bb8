"""What can be wrong with an installation: settings, secret, policy, disk, database, keys, model, a clock set back.

Every check reads and none writes: a doctor must not make a database where there is none.
"""

from __future__ import annotations

import glob
import http.client
import json
import os
import shutil
import stat
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

from pos_discount.cli.machine_checks import OK, PROBLEM, WARNING, Finding, State
from pos_discount.policy import Policy, PolicyProblems, load_policy
from pos_discount.sensitivity import ModelUnreadable, model_from_bytes
from pos_discount.store import StoreError, StoreUnavailable
from pos_discount.store.access import is_another_secret, read_keys, read_paused
from pos_discount.store.connection import Connection, connect_to_read, storage_errors
from pos_discount.store.schema import SCHEMA, find_missing
from pos_discount.store.upkeep import find_problems
from pos_discount.store.versions import read_activations, read_version, read_versions
from pos_discount.web.secret import ANOTHER_SECRET, fingerprint_of, known_secret_text
from pos_discount.web.settings import Settings, SettingsError, is_text, settings_from_environment

NETWORK_FILE_SYSTEMS = ("nfs", "cifs", "smb", "9p", "fuse.sshfs", "glusterfs", "lustre", "ceph", "afs")
LEAST_FREE, LITTLE_FREE = 50 * 2**20, 500 * 2**20
LARGE_LOG = 2**30
GOOD_SECRET = 32
BESIDE = ("-turn", "-next", "-wal", "-shm", ".forgotten", ".learner", ".secret")
OLD_MODEL = timedelta(days=7)
SOON = timedelta(days=14)
A_MINUTE = 60_000_000


def service_findings(url: str | None) -> Iterator[Finding]:
    """Yield what is found in the installation that the settings describe."""
    try:
        settings = settings_from_environment(os.environ)
    except SettingsError as error:
        yield Finding("settings", PROBLEM, str(error), "correct the environment that the service is started with")
        settings = _as_far_as_possible()
    else:
        yield Finding("settings", OK, f"policies {settings.policies}, database {settings.database}")
    yield from _secret(settings)
    yield from _policy(settings)
    yield from _disk(settings)
    yield from _database(settings)
    if url:
        yield _serving(url)


def _as_far_as_possible() -> Settings:
    """Go on with the folder and the file that were set, so that one mistyped setting does not hide everything else."""
    folder, file = (os.environ.get(f"POS_DISCOUNT_{name}", "") for name in ("POLICIES", "DATABASE"))
    policies = folder if folder and is_text(folder) else "policies"
    is_file = file and is_text(file) and "://" not in file  # an address is not shown: it may hold a password
    return Settings(Path(policies), Path(file if is_file else "pos_discount.db"), "off")


def _secret(settings: Settings) -> Iterator[Finding]:
    if settings.secret is None:
        kept = settings.database.with_name(settings.database.name + ".secret")
        if kept.exists():
            yield from _private(kept, "secret")
            yield Finding("secret", OK, f"kept in {kept}, beside the database: back it up with it")
        return
    if len(settings.secret) < GOOD_SECRET or len(set(settings.secret)) < GOOD_SECRET // 4:
        yield Finding("secret", WARNING, "short or repetitive", f"use {GOOD_SECRET} random characters next time")
    else:
        yield Finding("secret", OK, "set")


def _policy(settings: Settings) -> Iterator[Finding]:
    folder = settings.policies
    try:
        policy: Policy = load_policy(folder)
    except PolicyProblems as problems:
        shown = [str(problem) for problem in problems.problems[:5]]
        more = f" and {len(problems.problems) - 5} more" if len(problems.problems) > 5 else ""
        yield Finding("policy", PROBLEM, "\n".join(shown) + more, "mend these; the last good policy serves on")
        return
    yield Finding("policy", OK, f"{policy.version}: {len(policy.promotions)} promotions")
    if folder.stat().st_mode & stat.S_IWOTH:
        yield Finding("policy", WARNING, f"anybody may write in {folder}", f"chmod o-w {folder}")


def _disk(settings: Settings) -> Iterator[Finding]:
    folder = settings.database.absolute().parent
    if not folder.is_dir():
        yield Finding("disk", PROBLEM, f"there is no folder {folder}", "make it, owned by the service's user")
        return
    free = shutil.disk_usage(folder).free
    state: State = PROBLEM if free < LEAST_FREE else WARNING if free < LITTLE_FREE else OK
    yield Finding("disk", state, f"{free / 2**30:.1f} GiB free", "" if state == OK else "make room before it stops")
    if not os.access(folder, os.W_OK):
        yield Finding("disk", PROBLEM, f"no right to write in {folder}", "give it to the service's user")
    kind = file_system_of(folder, Path("/proc/mounts"))
    if kind.startswith(NETWORK_FILE_SYSTEMS):
        yield Finding("disk", PROBLEM, f"{folder} is on {kind}", "keep the database on a disk of this machine")


def file_system_of(folder: Path, mounts: Path) -> str:
    """Return the kind of file system that a folder lies on, by the table of mounts; empty where that is not known."""
    try:
        rows = [line.split(" ") for line in mounts.read_text(encoding="utf-8", errors="replace").splitlines()]
    except OSError:
        return ""
    real = folder.resolve()
    holding = [row for row in rows if len(row) > 2 and real.is_relative_to(row[1].replace("\\040", " "))]
    return max(holding, key=lambda row: len(row[1]))[2] if holding else ""


def _database(settings: Settings) -> Iterator[Finding]:
    file = settings.database
    if not file.exists():
        yield Finding("database", WARNING, f"{file} is not there yet", "the service makes it when it starts")
        return
    yield from _private(file, "database")
    yield from _owned_alike(file)
    try:
        with storage_errors(file), closing(connect_to_read(file)) as connection:
            yield from _inside(connection, file, settings)
    except (StoreUnavailable, StoreError) as error:
        yield Finding("database", PROBLEM, str(error), "restore the last backup: see the operations page")


def _private(file: Path, check: str) -> Iterator[Finding]:
    if file.stat().st_mode & (stat.S_IRWXO | stat.S_IWGRP):
        yield Finding(check, WARNING, f"{file} is open to others", f"chmod 600 {file}")


def _owned_alike(file: Path) -> Iterator[Finding]:
    """Look for what a command left beside the database that was run by another user than the service's."""
    owner = file.stat().st_uid
    for beside in sorted(file.parent.glob(f"{glob.escape(file.name)}[.-]*")):
        if beside.name.endswith(BESIDE) and (beside.stat().st_uid != owner or not os.access(beside, os.R_OK | os.W_OK)):
            detail = f"{beside} is another user's than the database, or closed to the service"
            remedy = f"chown --reference={file} {beside}, and run commands as the service's user"
            yield Finding("database", PROBLEM, detail, remedy)


def _inside(connection: Connection, file: Path, settings: Settings) -> Iterator[Finding]:
    damage = [str(row[0]) for row in connection.execute("PRAGMA quick_check(5)")]
    if damage != ["ok"]:
        yield Finding("database", PROBLEM, "damaged: " + "; ".join(damage), "stop the service, restore the last backup")
        return
    applied = connection.execute("PRAGMA user_version").fetchone()[0]
    if applied != len(SCHEMA):
        remedy = "install the newer version again" if applied > len(SCHEMA) else "start the service: it upgrades them"
        state: State = PROBLEM if applied > len(SCHEMA) else WARNING
        yield Finding("database", state, f"tables of step {applied}, this version knows {len(SCHEMA)}", remedy)
        return
    for problem in find_problems(connection):
        yield Finding("database", PROBLEM, problem, "restore the last backup, and keep this file for those who mend it")
    if find_missing(connection):
        return
    yield from _kept_policies(connection)
    decisions = connection.execute("SELECT count(*) FROM decisions").fetchone()[0]
    yield Finding("database", OK, f"whole, {decisions} decisions, {file.stat().st_size / 2**20:.1f} MiB")
    yield from _log_of_writes(file)
    yield _last_decision(connection)
    yield from _keys(connection, settings)
    yield from _same_secret(connection, settings)
    yield from _paused(connection)
    yield _model(connection)


def _kept_policies(connection: Connection) -> Iterator[Finding]:
    for version, _ in read_versions(connection, "policy"):
        if not read_version(connection, "policy", version):
            detail = f"the policy {version} is not kept whole: what it decided can't be decided again"
            yield Finding("database", PROBLEM, detail, "put its folder in force once: that mends it; else restore")


def _log_of_writes(file: Path) -> Iterator[Finding]:
    log = file.with_name(file.name + "-wal")
    if log.exists() and log.stat().st_size > LARGE_LOG:
        yield Finding("database", WARNING, f"{log} has grown large", "some program keeps an old view open: end that")


def _last_decision(connection: Connection) -> Finding:
    last = connection.execute("SELECT max(made_at) FROM decisions").fetchone()[0] or 0
    ahead = last - time.time_ns() // 1000
    if ahead > A_MINUTE:
        found = f"the last decision lies {timedelta(microseconds=ahead)} in the future: the clock was set back"
        return Finding("clock", PROBLEM, found, "set the clock; holds last longer until it has caught up")
    return Finding("clock", OK, "has not gone back since the last decision")


def _keys(connection: Connection, settings: Settings) -> Iterator[Finding]:
    if settings.auth == "off":
        yield Finding("auth", WARNING, "off: whoever is on this machine is served", "set POS_DISCOUNT_AUTH=on")
        return
    now = time.time_ns() // 1000
    holding = [
        k for k in read_keys(connection) if k.revoked_at is None and (k.expires_at is None or k.expires_at > now)
    ]
    if not holding:
        yield Finding("auth", WARNING, "on, but there is no key", "pos-discount keys create --scope till")
        return
    yield Finding("auth", OK, f"on, {len(holding)} keys hold")
    limit = now + SOON // timedelta(microseconds=1)
    ending = [key.key_id for key in holding if key.expires_at is not None and key.expires_at < limit]
    if ending:
        yield Finding("auth", WARNING, f"ending within {SOON.days} days: {', '.join(ending)}", "make new ones")


def _same_secret(connection: Connection, settings: Settings) -> Iterator[Finding]:
    try:
        text = known_secret_text(settings)
    except (SettingsError, OSError) as error:
        yield Finding("secret", PROBLEM, str(error), "give the service's user the right to read it")
        return
    if text is not None and is_another_secret(connection, fingerprint_of(text)):
        found = f"{ANOTHER_SECRET}: tills get 401, customers are strangers"
        yield Finding("secret", PROBLEM, found, "set it as it was; to go on with this one, make all keys anew")


def _paused(connection: Connection) -> Iterator[Finding]:
    for pause in read_paused(connection):
        detail = f"{pause.promotion_id} is paused" + (f": {pause.reason}" if pause.reason else "")
        yield Finding("pauses", WARNING, detail, f"pos-discount policy resume {pause.promotion_id}")


def _model(connection: Connection) -> Finding:
    activation = next(iter(read_activations(connection)), None)
    if activation is None or activation.version is None:
        return Finding("model", OK, "none: ladders come from the policy and a stated prior")
    files = read_version(connection, "model", activation.version)
    try:
        model_from_bytes(files[0].content if files else b"", activation.version)
    except ModelUnreadable as error:
        return Finding("model", PROBLEM, f"{activation.version}: {error}", "pos-discount model rollback")
    age = timedelta(microseconds=time.time_ns() // 1000 - activation.activated_at)
    if age > OLD_MODEL:
        return Finding(
            "model",
            WARNING,
            f"{activation.version} is {age.days} days old",
            "see in `model list` whether the nightly job ran",
        )
    return Finding("model", OK, f"{activation.version}, {age.total_seconds() / 3600:.0f} hours old")


def _serving(url: str) -> Finding:
    try:
        address = urlsplit(url)
        kind = http.client.HTTPSConnection if address.scheme == "https" else http.client.HTTPConnection
        with closing(kind(address.hostname or "127.0.0.1", address.port, timeout=5)) as connection:
            connection.request("GET", "/readyz")
            answer = connection.getresponse()
            told = json.loads(answer.read())
    except (OSError, http.client.HTTPException, ValueError) as error:
        return Finding("service", PROBLEM, f"{url} does not answer: {error}", "look at the service's log")
    if answer.status != 200:
        return Finding("service", PROBLEM, f"{url} is not ready: {json.dumps(told)[:300]}", "mend what it names")
    return Finding("service", OK, f"{url} is {told.get('status', 'ready')}")
