"""What every decision is made with: the policy, the model, the pauses and the keys in force, taken up while serving.

A thread of each process looks at the folder and at the store's counts of changes, so that no till ever waits for a
look or a load. What is new and right is put in force in one assignment; what is broken never is, and is told once in
the log, in ``/readyz`` and in a metric, with file, line and column. A folder must look the same twice before it is
read, so that a file that is being written isn't taken for a finished one.
"""

from __future__ import annotations

import os
import threading
import time
import weakref
from collections.abc import Callable
from datetime import UTC, datetime
from typing import NamedTuple

import msgspec
from structlog.typing import FilteringBoundLogger

from pos_discount.basket import Basket
from pos_discount.decide import ServedModel, stated_prior
from pos_discount.policy import LoadedFolder, Policy, PolicyProblems, load_folder, read_policy
from pos_discount.pricing import PolicyIndex, learn_languages
from pos_discount.sensitivity import ModelUnreadable, model_from_bytes
from pos_discount.store import Changes, KeptFile, Store, StoreUnavailable
from pos_discount.web.baskets import basket_reader
from pos_discount.web.bodies import BodyReader
from pos_discount.web.keys import KeyRing
from pos_discount.web.metrics import Metrics
from pos_discount.web.secret import ANOTHER_SECRET, fingerprint_of
from pos_discount.web.settings import Settings

LOOK_SECONDS = 0.4
MODEL_REJECTED = "model_rejected"
"""Why learning plays no part where a model should decide that can't be read whole."""
RESTART_SECONDS = 1.0
MODEL_LOOK_SECONDS = 3.0
"""How often what is kept of the model in force is read again, so that all workers notice what a restart would."""
Look = tuple[tuple[str, int, int, int], ...]


class PolicyInForce(msgspec.Struct, frozen=True):
    """A policy that decides, with what was made of it once. ``source`` says where it came from: the folder or the
    store.
    """

    index: PolicyIndex
    baskets: BodyReader[Basket]
    files: tuple[KeptFile, ...]
    taken_up_at: datetime
    source: str
    has_limits: bool


class ModelInForce(NamedTuple):
    """The model that decides, or why none does."""

    served: ServedModel | None
    fallback: str | None
    activated_at: int = 0


class InForce:
    """What is in force in this process. Attributes are replaced whole, so that a reader needs no lock.

    ``after_change`` is called whenever a policy or a model was taken up.
    """

    def __init__(
        self, settings: Settings, secret: str, store: Store, log: FilteringBoundLogger, metrics: Metrics
    ) -> None:
        self._folder = settings.policies
        self._secret = secret
        self._is_secret_noted = False
        self._store = store
        self._log = log
        self._metrics = metrics
        self._look: Look = ()
        self._look_read: Look | None = None
        self._changes: Changes | None = None
        self._watcher: threading.Thread | None = None
        self._watching_process = 0
        self._watching_since = 0.0
        self._model_seen_at = 0.0
        self._starting = threading.Lock()
        self._kept_versions: frozenset[str] = frozenset()
        self._store_problem: str | None = None
        self.after_change: Callable[[], None] = _do_nothing
        self.policy: PolicyInForce | None = None
        self.problems: tuple[str, ...] = ()
        self.model = ModelInForce(None, None)
        self.paused: tuple[str, ...] = ()
        self._keys: KeyRing | None = None
        self._look = self._look_at_folder()
        stated_prior()  # takes a while to make, which the first customer should not wait for
        self._read_folder()

    def watch(self) -> None:
        """See to it that this process has its watcher; cheap enough for every request."""
        if self._is_watched():
            return
        with self._starting:
            if self._is_watched():
                return
            if self._watching_process != os.getpid():
                self.look()  # once here, so that the first call already finds keys, pauses and the model
            self._watching_process, self._watching_since = os.getpid(), time.monotonic()
            watched = weakref.ref(self)
            self._watcher = threading.Thread(target=_keep_looking, args=(watched,), name="watcher", daemon=True)
            self._watcher.start()

    def _is_watched(self) -> bool:
        """Tell whether the watcher runs or, should a bug have ended it, was started anew a moment ago."""
        if self._watcher is None or self._watching_process != os.getpid():
            return False
        return self._watcher.is_alive() or time.monotonic() - self._watching_since < RESTART_SECONDS

    def look(self) -> None:
        """Look once at the folder and the store, and take up what changed."""
        look = self._look_at_folder()
        if look == self._look and look != self._look_read:
            self._read_folder()
        self._look = look
        try:
            if self.policy is None:
                self._take_last_good()
            if self.policy is not None:
                self.keep_policy(self.policy)
            changes = self._store.read_changes()
            if changes != self._changes:
                self._read_changes(changes)
                self._changes = changes
            self._look_at_model()
            if not self._is_secret_noted:
                self._note_secret()
            self._store_problem = None
        except StoreUnavailable as error:
            if str(error) != self._store_problem:
                self._log.error("store_unavailable", reason=str(error))
            self._store_problem = str(error)

    def keys(self) -> KeyRing:
        """Return the keys in force; raises StoreUnavailable as long as they could not be read: a right one isn't known
        as right then.
        """
        if self._keys is None:
            raise StoreUnavailable("the keys could not be read from the database yet")
        return self._keys

    def keep_policy(self, policy: PolicyInForce) -> None:
        """Write a policy to the store, once, so that whatever it decides can be decided again."""
        version = policy.index.policy.version
        if version not in self._kept_versions:
            self._store.keep_policy(version, policy.files, _now_microseconds())
            self._kept_versions |= {version}

    def _note_secret(self) -> None:
        """Note which secret is in use, once; one that is another than before serves, as nobody knows which is right."""
        if not self._store.note_secret(fingerprint_of(self._secret), _now_microseconds()):
            self._log.warning("secret_changed", reason=ANOTHER_SECRET)
        self._is_secret_noted = True

    # Policy

    def _look_at_folder(self) -> Look:
        """Return names, sizes and times of the folder's files that may matter, tables of the policy in force among them
        whatever their ending; empty where there is no folder.
        """
        tables = {f"{self._folder}/{file.name}" for file in self.policy.files} if self.policy else set()
        found = []
        for root, folders, names in os.walk(self._folder):
            folders.sort()
            for name in sorted(names):
                file = f"{root}/{name}"
                if file in tables or name.lower().endswith((".yaml", ".yml", ".csv")):
                    try:
                        status = os.stat(file)  # noqa: PTH116 - a Path for each costs more than the look
                    except OSError:
                        found.append((file, -1, 0, 0))  # a link to nowhere, or just gone: then the next look differs
                    else:
                        found.append((file, status.st_size, status.st_mtime_ns, status.st_ino))
        return tuple(found)

    def _read_folder(self) -> None:
        self._look_read = self._look
        try:
            loaded = load_folder(self._folder)
        except PolicyProblems as problems:
            told = tuple(str(problem) for problem in problems.problems)
            if told != self.problems:
                self._log.error("policy_broken", problems=told[:100], count=len(told), in_force=self._version())
            self._tell_problems(told)
            return
        self._tell_problems(())
        if loaded.policy.version != self._version():
            self._put_in_force(loaded, "folder")

    def _take_last_good(self) -> None:
        """Take up the policy that decided here last, where the folder was broken from the start.

        That need not be the newest, as a folder may have gone back to an earlier one; what this version of the service
        can't read any more is passed over for the newest that it can.
        """
        latest = self._store.read_latest_policy()
        kept = [version for version, _ in reversed(self._store.read_policies())]
        for version in sorted(kept, key=lambda version: version != latest):
            files = {file.name: file.content for file in self._store.read_policy(version)}
            policy = read_policy(files)
            if isinstance(policy, Policy):
                self._put_in_force(LoadedFolder(policy, files), "store")
                return

    def _put_in_force(self, loaded: LoadedFolder, source: str) -> None:
        policy, house = loaded.policy, loaded.policy.house
        learn_languages(policy.promotions, house.currency, house.currency_digits)
        files = tuple(KeptFile(name, content) for name, content in sorted(loaded.files.items()))
        now = datetime.now(UTC)
        self.policy = PolicyInForce(
            index=PolicyIndex(policy),
            baskets=basket_reader(house.currency),
            files=files,
            taken_up_at=now,
            source=source,
            has_limits=any(promotion.limits for promotion in policy.promotions),
        )
        self._metrics.tell("policy_loaded_timestamp_seconds", now.timestamp())
        self._log.info("policy_in_force", version=policy.version, promotions=len(policy.promotions), source=source)
        self.after_change()

    def _tell_problems(self, told: tuple[str, ...]) -> None:
        self.problems = told
        self._metrics.tell("policy_problems", len(told))

    def _version(self) -> str | None:
        return self.policy.index.policy.version if self.policy else None

    # Model, pauses, keys

    def _read_changes(self, changes: Changes) -> None:
        before = self._changes
        if before is None or changes.keys != before.keys:
            self._keys = KeyRing(self._secret, self._store.read_keys())
        if before is None or changes.paused != before.paused:
            self.paused = tuple(pause.promotion_id for pause in self._store.read_paused())
        if before is None or changes.model != before.model:
            self._take_up_model()

    def _take_up_model(self) -> None:
        """Take up the model that should decide; while the store can't give it, none does and the next look tries
        again."""
        try:
            self.model = self._read_model()
        except StoreUnavailable:
            self.model = ModelInForce(None, MODEL_REJECTED)
            raise
        finally:
            self._metrics.tell("model_activated_timestamp_seconds", self.model.activated_at / 1e6)
            self._metrics.tell("model_rejected", self.model.fallback == MODEL_REJECTED)
        version = self.model.served.version if self.model.served else None
        self._log.info("model_in_force", version=version, fallback=self.model.fallback)
        self.after_change()

    def _look_at_model(self) -> None:
        """Let a model that is not kept whole any more decide nothing: nobody could replay what it decides."""
        served = self.model.served
        if served is None or time.monotonic() - self._model_seen_at < MODEL_LOOK_SECONDS:
            return
        self._model_seen_at = time.monotonic()
        if not self._store.read_model(served.version):
            self._take_up_model()

    def _read_model(self) -> ModelInForce:
        activation = next(iter(self._store.read_activations()), None)
        if activation is None or activation.version is None:
            return ModelInForce(None, None)
        files = self._store.read_model(activation.version)
        content = files[0].content if files else b""
        try:
            served = ServedModel(activation.version, model_from_bytes(content, activation.version))
        except ModelUnreadable as error:
            self._log.error("model_rejected", version=activation.version, reason=str(error))
            return ModelInForce(None, MODEL_REJECTED, activation.activated_at)
        return ModelInForce(served, None, activation.activated_at)


def _keep_looking(watched: weakref.ref[InForce]) -> None:
    """Look again and again for as long as somebody uses what is watched."""
    while (in_force := watched()) is not None:
        in_force.look()
        del in_force
        time.sleep(LOOK_SECONDS)


def _do_nothing() -> None:
    """Stand in for what a server may want to do after a change."""


def _now_microseconds() -> int:
    return time.time_ns() // 1000
