"""Who may call what: keys against the table of routes, and loopback where there are no keys."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from pos_discount.web.in_force import InForce
from pos_discount.web.keys import ANYONE, Caller
from pos_discount.web.problems import Problem
from pos_discount.web.routes import ROUTES
from pos_discount.web.settings import Settings, is_loopback

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

TOLD_BY_PROXIES = ("HTTP_X_FORWARDED_FOR", "HTTP_X_REAL_IP")


class Gate:
    """Lets a call through with its caller, or raises the `Problem`."""

    def __init__(self, settings: Settings, in_force: InForce) -> None:
        self._has_keys = settings.auth == "on"
        self._in_force = in_force
        self._scopes_by_route = {route.name: route.scopes for route in ROUTES}

    def caller(self, environ: WSGIEnvironment, route: str | None) -> Caller:
        """Tell whose call it is. ``route`` None: a path that there isn't, which is no one's to know without a key."""
        scopes = self._scopes_by_route[route] if route is not None else None
        if scopes == ():
            return ANYONE
        if not self._has_keys:
            if not _is_from_this_machine(environ):
                raise Problem("loopback_only", "POS_DISCOUNT_AUTH is off: only calls on a loopback address are served.")
            return ANYONE
        caller = self._in_force.keys().caller(environ.get("HTTP_AUTHORIZATION"), time.time_ns() // 1000)
        if scopes is not None and caller.scope not in scopes:
            raise Problem("scope_missing", f"This needs a key with one of the scopes {', '.join(scopes)}.")
        return caller


def _is_from_this_machine(environ: WSGIEnvironment) -> bool:
    """Tell whether a call was taken and made on a loopback address, and not handed on by a proxy for somebody else."""
    told = (environ[name] for name in TOLD_BY_PROXIES if name in environ)
    return (
        is_loopback(environ["SERVER_NAME"])
        and is_loopback(environ.get("REMOTE_ADDR", ""))
        and "HTTP_FORWARDED" not in environ
        and all(is_loopback(part.strip()) for addresses in told for part in addresses.split(","))
    )
