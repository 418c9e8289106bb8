"""The floor of web services: a bare Flask app that answers a request with itself, and how a server calls any app."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO, StringIO
from typing import Any

from flask import Flask, Response, jsonify, request


def echo_app() -> Flask:
    """Make an app that answers ``POST /echo`` with what it was sent."""
    app = Flask("echo")

    @app.post("/echo")
    def echo() -> Response:
        return jsonify(request.get_json())

    return app


def call(app: Flask, path: str, body: bytes) -> bytes:
    """Post a JSON body to an app as a WSGI server does, and return the answer's body; raises `RuntimeError`."""
    statuses: list[str] = []

    def start(status: str, headers: object, exc_info: object = None) -> Callable[[bytes], object]:
        statuses.append(status)
        return lambda written: None

    answer = app(_environment(path, body), start)
    try:
        content = b"".join(answer)
    finally:
        getattr(answer, "close", lambda: None)()
    if not statuses[0].startswith("2"):
        raise RuntimeError(f"{path} answered {statuses[0]}: {content.decode()[:500]}")
    return content


def _environment(path: str, body: bytes) -> dict[str, Any]:
    return {
        "REQUEST_METHOD": "POST",
        "SCRIPT_NAME": "",
        "PATH_INFO": path,
        "QUERY_STRING": "",
        "REMOTE_ADDR": "127.0.0.1",
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "8000",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_HOST": "127.0.0.1:8000",
        "CONTENT_TYPE": "application/json",
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": BytesIO(body),
        "wsgi.errors": StringIO(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
