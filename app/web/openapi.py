"""OpenAPI. What does the API say of itself? FastAPI's description, and the bodies that routes read."""

from __future__ import annotations

from typing import Any, Literal

from fastapi import FastAPI
from fastapi.routing import APIRoute
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from app import __version__
from app.web.json_bodies import body_of_route
from app.web.models.problems import Problem
from app.web.operation import problem

Mode = Literal["validation", "serialization"]
PATCH_TYPE = "application/merge-patch+json"
REFERENCE = "#/components/schemas/{model}"


def describe(app: FastAPI) -> dict[str, Any]:
    """Return the OpenAPI 3.1 description of ``app``; made once."""
    if app.openapi_schema is None:
        routes: list[APIRoute] = app.state.routes.load()
        found = _described_by_framework(app)
        components = found["components"]
        components["schemas"] |= _schemas_besides(routes)
        components["securitySchemes"] = {
            "bearer": {"type": "http", "scheme": "bearer"},
            "api_key": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
        }
        for route in routes:
            for method in sorted(route.methods or ()):
                _complete(found["paths"][route.path_format][method.lower()], route, method)
        app.openapi_schema = found
    return app.openapi_schema


def _described_by_framework(app: FastAPI) -> dict[str, Any]:
    from fastapi.openapi.utils import get_openapi

    return get_openapi(title="Daemon", version=__version__, summary="A personal API.", routes=app.routes)


def _schemas_besides(routes: list[APIRoute]) -> dict[str, Any]:
    """Return the schemas of what the framework does not see: problems, and bodies."""
    models: list[tuple[type[BaseModel], Mode]] = [(Problem, "serialization")]
    models += [(body.model, "validation") for body in map(body_of_route, routes) if body is not None]
    _, found = models_json_schema(models, ref_template=REFERENCE)
    schemas: dict[str, Any] = found["$defs"]
    for schema in schemas.values():
        for member in schema.get("properties", {}).values():
            if member.get("default", ...) is None:
                del member["default"]  # what is left out is left out; it does not become null
    return schemas


def _complete(operation: dict[str, Any], route: APIRoute, method: str) -> None:
    """Add the body, and the refusal of whatever has not the form that is described."""
    body = body_of_route(route)
    if body is not None:
        media_type = PATCH_TYPE if method == "PATCH" else body.media_type
        schema = {"$ref": REFERENCE.format(model=body.model.__name__)}
        operation["requestBody"] = {"required": True, "content": {media_type: {"schema": schema}}}
    parameters = [each for each in operation.get("parameters", ()) if each["in"] == "query"]
    for each in parameters:  # a generated client would send it, and some exclude each other
        each["schema"].pop("default", None)
    if body is not None or any(each["schema"]["type"] != "string" for each in parameters):
        operation["responses"]["422"] = problem(422)
