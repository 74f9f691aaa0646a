"""Error responses: application/problem+json (RFC 9457), never with a stack trace."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from http import HTTPStatus

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import DBAPIError
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import Scope

from app.errors import BulkRefused, DaemonError
from app.log import get_logger
from app.server import public_errors
from app.web.answers import Document
from app.web.forms import HTML, form_of, page_tells_there_is_nothing
from app.web.references import reference_to
from app.web.words import wanted_language

MEDIA_TYPE = "application/problem+json"
RETRY_SECONDS = 1

# What the framework itself refuses: status, code, what to do about it.
REFUSALS: Mapping[int, tuple[str, str]] = {
    400: ("bad_request", ""),
    404: ("not_found", "GET /api/v1/endpoints lists what there is."),
    405: ("method_not_allowed", "The Allow header lists what this address takes."),
    406: ("not_acceptable", "This address answers application/json."),
    408: ("too_slow", "Send the whole body at once."),
    413: ("too_large", ""),
    414: ("too_long", ""),
    415: ("unsupported_media_type", ""),
    422: ("invalid_request", ""),
    431: ("headers_refused", ""),
}

_log = get_logger(__name__)


def problem_body(
    *,
    status: int,
    code: str,
    detail: str,
    scope: Scope | None = None,
    hint: str = "",
    request_id: str = "",
    errors: Sequence[Mapping[str, object]] = (),
    items: Sequence[Mapping[str, object]] | None = None,
) -> bytes:
    """Return the bytes of one problem; ``errors`` are objects with ``pointer`` and ``detail``.

    ``items``: what is wrong with each of several that were sent. ``scope`` None: what came was no request,
    and has no address.
    """
    found: dict[str, object] = {
        "type": reference_to(scope, f"/problems/{code}") if scope else f"/problems/{code}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "instance": scope["path"] if scope else "",
        "code": code,
        "hint": hint,
        "request_id": request_id,
        "errors": list(errors),
    }
    if items is not None:
        found["items"] = list(items)
    return json.dumps(found, allow_nan=False, default=str).encode()


def problem(
    request: Request,
    status: int,
    code: str,
    detail: str,
    *,
    hint: str = "",
    errors: Sequence[Mapping[str, object]] = (),
    items: Sequence[Mapping[str, object]] | None = None,
    headers: Mapping[str, str] | None = None,
    is_page: bool | None = None,
) -> Response:
    """Return the answer that says what went wrong with ``request``.

    ``is_page``: as a page, or as JSON; None: as whoever asked wants it of this address.
    """
    if is_page is None:
        is_page = form_of(request.scope["path"], request.scope["headers"]) == HTML
    if is_page:
        return _page(request, status, detail, hint, headers or {})
    body = problem_body(
        status=status,
        code=code,
        detail=detail,
        scope=request.scope,
        hint=hint,
        request_id=request_id_of(request),
        errors=errors,
        items=items,
    )
    return Response(body, status, {"Cache-Control": "no-store", **(headers or {})}, MEDIA_TYPE)


def _page(request: Request, status: int, detail: str, hint: str, headers: Mapping[str, str]) -> Response:
    """Return the same for a browser that asked for a page."""
    page = problem_page(request.scope, status, detail, hint, request_id_of(request))
    said = {"Cache-Control": "no-store", "Content-Security-Policy": page.policy, **headers}
    return Response(page.body, status, said, page.media_type)


def problem_page(scope: Scope, status: int, detail: str, hint: str, request_id: str) -> Document:
    """Return the page of one problem, for a browser."""
    from app.web.pages.composing import page_of_problem  # with all of the pages: where the first is shown

    title, accepted = HTTPStatus(status).phrase, Headers(scope=scope).get("accept-language", "")
    to, language = partial(reference_to, scope), wanted_language(accepted)
    return page_of_problem(status, title, detail, hint, request_id, to, language)


def request_id_of(request: Request) -> str:
    """Return the name under which the log knows this request."""
    return str(request.scope.get("state", {}).get("request_id", ""))


def install(app: FastAPI) -> None:
    """See to it that every error of ``app`` becomes a problem."""
    for kind, answer in _ANSWERS.items():
        app.add_exception_handler(kind, answer)


def is_expected(error: Exception) -> bool:
    """Whether an error has a name; the frame around the application writes down any other."""
    return isinstance(error, tuple(kind for kind in _ANSWERS if kind is not Exception))


def answer_to(request: Request, error: Exception) -> Response:
    """Return what the framework would answer to an error, by what `install` has told it."""
    return next(_ANSWERS[kind] for kind in type(error).__mro__ if kind in _ANSWERS)(request, error)


def headers_for(error: DaemonError, request: Request) -> dict[str, str]:
    """Return the headers that the status of ``error`` asks for."""
    headers: dict[str, str] = {}
    if error.status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = challenge(request)
    wait = error.details.get("retry_after_seconds", RETRY_SECONDS if error.status == 503 else None)
    if wait is not None:
        headers["Retry-After"] = str(wait)
    return headers


def challenge(request: Request) -> str:
    """Return how to authenticate; a credential that was sent is named as what was wrong (RFC 6750)."""
    sent = "authorization" in request.headers or "x-api-key" in request.headers
    return 'Bearer realm="daemon", error="invalid_token"' if sent else 'Bearer realm="daemon"'


def _daemon_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, DaemonError)
    if error.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        _log.warning(
            "A request failed.",
            extra={
                "request_id": request_id_of(request),
                "code": error.code,
                "reason": error.message,
                "next": error.hint,
            },
        )
    client = getattr(request.state, "client", None)
    is_heard_by_admin = client is not None and client.is_admin
    said = public_errors.whole(error) if is_heard_by_admin else public_errors.of_error(error)
    return problem(
        request,
        error.status,
        error.code,
        said.sentence,
        hint=said.command,
        errors=_list_of_errors(error.details.get("errors")),
        items=error.details["items"] if isinstance(error, BulkRefused) else None,  # type: ignore[arg-type]
        headers=headers_for(error, request),
    )


def _list_of_errors(found: object) -> Sequence[Mapping[str, object]]:
    if not isinstance(found, (list, tuple)):
        return ()
    return [each if isinstance(each, dict) else {"pointer": "", "detail": str(each)} for each in found]


def _refusal(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    code, hint = REFUSALS.get(error.status_code, ("refused", ""))
    headers = dict(error.headers or {})
    if error.status_code == HTTPStatus.NOT_FOUND and page_tells_there_is_nothing(
        request.scope["path"], request.scope["headers"]
    ):
        return problem(request, error.status_code, code, _sentence(error, request), is_page=True)
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        headers["Allow"] = ", ".join(allowed_methods(request))  # the framework names one route's only
    return problem(request, error.status_code, code, _sentence(error, request), hint=hint, headers=headers)


def _sentence(error: HTTPException, request: Request) -> str:
    if error.status_code == HTTPStatus.NOT_FOUND:
        return "There is nothing at this address."
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        return f"This address does not take {request.method}."
    return str(error.detail)


def allowed_methods(request: Request) -> list[str]:
    """Return every method that the path of ``request`` takes; of several addresses the plainest counts."""
    matching = request.app.state.route_index.routes_at(request.scope["path"])
    plainest = min((route.path.count("{") for route in matching), default=0)
    found = {method for route in matching if route.path.count("{") == plainest for method in route.methods}
    return sorted({*found, "HEAD"} if "GET" in found else found)


def _invalid_request(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    faults = [
        {"pointer": "/" + "/".join(str(part) for part in fault["loc"]), "detail": fault["msg"]}
        for fault in error.errors()
    ]
    return problem(
        request, 422, "invalid_request", "The request does not have the expected form.", errors=faults
    )


def _database_error(request: Request, error: Exception) -> Response:
    """Answer what SQL says without repeating it; what a file, the disk or a lock says was named below."""
    name = type(getattr(error, "orig", error)).__name__
    _log.error(
        "The database refused a request.",
        exc_info=error,
        extra={"request_id": request_id_of(request), "error_type": name},
    )
    return problem(request, 500, "internal", "The server failed; nothing was changed.")


def _unknown_error(request: Request, error: Exception) -> Response:
    """Answer an error that no one has a name for; the frame around the application writes it down."""
    return problem(request, 500, "internal", "The server failed; nothing was changed.")


_ANSWERS: dict[type[Exception], Callable[[Request, Exception], Response]] = {
    DaemonError: _daemon_error,
    HTTPException: _refusal,
    RequestValidationError: _invalid_request,
    DBAPIError: _database_error,
    Exception: _unknown_error,
}
