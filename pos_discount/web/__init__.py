"""The HTTP service. `create_app` makes it; everything else hangs on that.

Flask is imported when an app is made, so that commands which only want the settings don't pay for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask

__all__ = ["create_app"]

MOST_IN_FLIGHT_EMBEDDED = 64
"""Requests that run at once: whoever embeds the app has threads of their own to bound, and the first may be slow."""


def create_app(settings: Mapping[str, object]) -> Flask:
    """Make the service from a mapping with ``policies``, ``database``, ``auth`` and ``secret``; raises `SettingsError`.

    All routes answer in its ``test_client()``. A policy that can't be read doesn't stop it: it says so in ``/readyz``.
    """
    from pos_discount.web.app import build_app
    from pos_discount.web.settings import settings_from_mapping

    return build_app(settings_from_mapping(settings), most_in_flight=MOST_IN_FLIGHT_EMBEDDED)
