"""The service for WSGI servers: ``gunicorn wsgi:app`` serves it with the settings of the environment."""

from __future__ import annotations

import os

from pos_discount.web.app import build_app
from pos_discount.web.settings import settings_from_environment

app = build_app(settings_from_environment(os.environ))
