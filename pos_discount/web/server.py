"""The server under ``pos-discount serve``: gunicorn with threads, kept-alive connections and bounded queues.

Each worker makes its own app after it was forked, so that no thread, lock or connection is ever carried over a fork.
Hides gunicorn's settings, the folder in which workers share their metrics, and that keys may be off on a loopback
address alone.
"""

from __future__ import annotations

import gc
import importlib
import os
import shutil
import socket
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
from gunicorn.app.base import BaseApplication  # type: ignore[import-untyped]
from gunicorn.glogging import Logger  # type: ignore[import-untyped]
from gunicorn.systemd import SD_LISTEN_FDS_START, listen_fds  # type: ignore[import-untyped]

from pos_discount.web.settings import Settings, SettingsError, is_loopback

MULTIPROCESS_FOLDER = "PROMETHEUS_MULTIPROC_DIR"
SHARED_MEMORY = Path("/dev/shm")

YOUNG_OBJECTS = 10_000
"""How many objects are made before garbage is looked for (Python's own: 700). A decision makes some hundreds that end
with it, and a look goes through those of all that are being made."""


class Listening(msgspec.Struct, frozen=True):
    """Where to listen, and with how much. ``threads`` are of each worker; some of them are always left to say 503."""

    host: str = "127.0.0.1"
    port: int = 8000
    workers: int = 2
    threads: int = 16
    backlog: int = 128

    @property
    def address(self) -> str:
        """Host and port as gunicorn wants them."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def serve(settings: Settings, listening: Listening, when_ready: Callable[[], None] = lambda: None) -> None:
    """Serve until a signal ends it; ``when_ready`` is called once, when connections are taken. Raises
    `SettingsError`.
    """
    for host in _hosts(listening):
        refuse_beyond_loopback(settings, host)
    own_folder = None if MULTIPROCESS_FOLDER in os.environ else tempfile.mkdtemp(prefix="pos-discount-metrics-")
    master = os.getpid()
    if own_folder is not None:
        os.environ[MULTIPROCESS_FOLDER] = own_folder  # before any worker imports the metrics, which look for it once
    try:
        importlib.import_module("pos_discount.web.app")  # once, before any fork: a killed worker is replaced at once
        Server(settings, gunicorn_settings(listening), when_ready).run()
    finally:
        if own_folder is not None and os.getpid() == master:  # a worker that ends comes through here too
            shutil.rmtree(own_folder, ignore_errors=True)


def _hosts(listening: Listening) -> list[str]:
    """Return the addresses that will be listened on: those of the sockets that systemd hands over, where it does."""
    hosts = []
    for number in range(SD_LISTEN_FDS_START, SD_LISTEN_FDS_START + handed_over()):
        with socket.socket(fileno=os.dup(number)) as handed:
            name = handed.getsockname()
            hosts.append(name[0] if isinstance(name, tuple) else "")
    return hosts or [listening.host or "0.0.0.0"]


def handed_over() -> int:
    """Count the sockets that systemd holds for this process: what comes during a restart waits there, and is served
    after.
    """
    count: int = listen_fds(unset_environment=False)
    return count


def refuse_beyond_loopback(settings: Settings, host: str) -> None:
    """Refuse to listen without keys where others than this machine could call."""
    if settings.auth == "off" and not is_loopback(host):
        raise SettingsError(
            f"POS_DISCOUNT_AUTH is off, so {host} can't be listened on: anybody could call; "
            "set POS_DISCOUNT_AUTH to on and make keys with 'pos-discount keys create', or listen on 127.0.0.1"
        )


def gunicorn_settings(listening: Listening) -> dict[str, Any]:
    """Return what gunicorn is told."""
    return {
        "bind": listening.address,
        "workers": listening.workers,
        "worker_class": "pos_discount.web.worker.PatientWorker",
        "threads": listening.threads,
        "worker_connections": 1000,
        "backlog": listening.backlog,
        "keepalive": 75,
        "timeout": 30,
        "graceful_timeout": 20,
        "limit_request_line": 4094,
        "limit_request_fields": 100,
        "limit_request_field_size": 8190,
        "forwarder_headers": "",  # else whoever calls by a proxy of this machine could say where a path begins
        "secure_scheme_headers": {},
        "preload_app": False,
        "control_socket_disable": True,
        "worker_tmp_dir": str(SHARED_MEMORY) if SHARED_MEMORY.is_dir() else None,
        "logger_class": ServerLog,
        "logconfig_dict": LOGGING,
    }


LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"json": {"()": "pos_discount.web.log.LineFormatter"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "json"}},
    "root": {"level": "WARNING", "handlers": ["stderr"]},
    "loggers": {"gunicorn.error": {"level": "INFO", "handlers": ["stderr"], "propagate": False}},
}


class ServerLog(Logger):  # type: ignore[misc]
    """What the server itself has to say. Of requests it makes nothing ready to say: the edge logs each."""

    def access(self, resp: Any, req: Any, environ: Any, request_time: Any) -> None:
        """Leave a request to the edge."""


class Server(BaseApplication):  # type: ignore[misc]
    """Gunicorn with this service's settings and app."""

    def __init__(self, settings: Settings, options: dict[str, Any], when_ready: Callable[[], None]) -> None:
        self._settings = settings
        self._options = options
        self._when_ready = when_ready
        super().__init__()

    def load_config(self) -> None:
        """Hand our settings to gunicorn; a version that doesn't know one of them does without."""
        for name, value in self._options.items():
            if name in self.cfg.settings:
                self.cfg.set(name, value)
        self.cfg.set("when_ready", lambda _: self._when_ready())
        self.cfg.set("child_exit", lambda _, worker: _forget_gauges(worker.pid))

    def load(self) -> Any:
        """Make the app, in the worker, and let it look at the folder and the database before the first call."""
        from pos_discount.web.app import build_app

        app = build_app(self._settings, most_in_flight=max(1, self.cfg.threads * 5 // 8))
        in_force = app.extensions["pos_discount"]
        in_force.watch()
        in_force.after_change = _settle
        _settle()
        gc.set_threshold(YOUNG_OBJECTS)
        return app


def _settle() -> None:
    """Take what stays (policy, model, code) out of garbage collection, which else looks through it again and again."""
    gc.unfreeze()
    gc.collect()
    gc.freeze()


def _forget_gauges(pid: int) -> None:
    from prometheus_client.multiprocess import mark_process_dead

    mark_process_dead(pid)  # type: ignore[no-untyped-call]
