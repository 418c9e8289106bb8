"""Settings of all tests: no property is judged by the clock, and nothing depends on the shell that starts them."""

from __future__ import annotations

import os

from hypothesis import settings

settings.register_profile("house", deadline=None)
settings.load_profile("house")

FOREIGN = ("POS_DISCOUNT_", "PROMETHEUS_", "GUNICORN_", "LISTEN_", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
"""What a shell may have set for a service of its own: a real database, another address, a way out to the network."""

COLOURS = ("NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE")

# Here and not in a fixture, since some libraries look once, when they are imported.
for name in [*os.environ]:
    if name.upper().startswith(FOREIGN) or name in COLOURS:
        del os.environ[name]
os.environ.update(COLUMNS="80", LINES="25", TERM="dumb")
