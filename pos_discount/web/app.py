"""The Flask application: the table of routes joined to what answers them, and the one place where errors become
answers.
"""

from __future__ import annotations

from flask import Flask, Response, g, request
from structlog.typing import FilteringBoundLogger
from werkzeug.exceptions import HTTPException

from pos_discount.store import Store, StoreBusy, StoreUnavailable
from pos_discount.web.edge import KEY_ID, REQUEST_ID, ROUTE, Edge
from pos_discount.web.gate import Gate
from pos_discount.web.in_force import InForce
from pos_discount.web.log import RequestLog, open_log
from pos_discount.web.metrics import Metrics
from pos_discount.web.problems import PROBLEM_TYPE, Problem, retry_later
from pos_discount.web.routes import ROUTES
from pos_discount.web.secret import Secret, secret_text
from pos_discount.web.settings import Settings
from pos_discount.web.views import Views

MOST_IN_FLIGHT = 10


def build_app(settings: Settings, most_in_flight: int = MOST_IN_FLIGHT) -> Flask:
    """Join the parts; reads the policy folder once, and opens the database at the first request."""
    secret = secret_text(settings)
    log, metrics, store = open_log(), Metrics(), Store(settings.database)
    in_force = InForce(settings, secret, store, log, metrics)
    app = Flask("pos_discount.web", static_folder=None)
    app.url_map.merge_slashes = False
    _add_routes(app, Views(store, Secret(secret), in_force, metrics))
    _admit_callers(app, Gate(settings, in_force), in_force)
    _answer_errors(app, log)
    app.extensions["pos_discount"] = in_force
    app.wsgi_app = Edge(app.wsgi_app, RequestLog(), metrics, most_in_flight)  # type: ignore[method-assign]  # as Flask documents it
    return app


def _add_routes(app: Flask, views: Views) -> None:
    for route in ROUTES:
        view = getattr(views, route.name)
        app.add_url_rule(route.path, route.name, view, methods=[route.method], provide_automatic_options=False)


def _admit_callers(app: Flask, gate: Gate, in_force: InForce) -> None:
    @app.before_request
    def admit() -> None:
        in_force.watch()
        rule, environ = request.url_rule, request.environ
        if rule is not None:
            environ[ROUTE] = rule.rule
        caller = g.caller = gate.caller(environ, None if rule is None else rule.endpoint)
        environ[KEY_ID] = caller.key_id


def _answer_errors(app: Flask, log: FilteringBoundLogger) -> None:
    @app.errorhandler(Problem)
    def answer_problem(problem: Problem) -> Response:
        body = problem.body(request.environ[REQUEST_ID])
        return Response(body, problem.status, list(problem.headers), content_type=PROBLEM_TYPE)

    @app.errorhandler(StoreBusy)
    def answer_busy(_: StoreBusy) -> Response:
        return answer_problem(retry_later("overloaded", "More writes are waiting than can be served; try again."))

    @app.errorhandler(StoreUnavailable)
    def answer_unavailable(error: StoreUnavailable) -> Response:
        log.error("store_unavailable", request_id=request.environ[REQUEST_ID], reason=str(error))
        return answer_problem(retry_later("store_unavailable", "The database can't serve now; send the same again.", 2))

    @app.errorhandler(HTTPException)
    def answer_http_error(error: HTTPException) -> Response:
        response = answer_problem(_problem_of(error))
        for name, value in error.get_headers():
            if name == "Allow":
                response.headers["Allow"] = value
        return response

    @app.errorhandler(Exception)
    def answer_bug(_: Exception) -> Response:
        """The one place where a mistake of ours becomes an answer: what it was stands in the log alone."""
        log.exception("bug", request_id=request.environ[REQUEST_ID])
        return answer_problem(Problem("bug", "Something went wrong here; it was logged under this request's id."))


def _problem_of(error: HTTPException) -> Problem:
    if error.code == 404:
        return Problem("not_found", "There is no such path; /openapi.json lists all.")
    if error.code == 405:
        return Problem("method_not_allowed", "This path has other methods; the header Allow lists them.")
    return Problem("bad_request", "The request can't be read.")
