"""What does the API say of itself? FastAPI's description, with the bodies and problems that it cannot see."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI

from app import __version__

PROBLEM: dict[str, Any] = {
    "type": "object",
    "required": ["type", "title", "status", "detail", "instance", "code", "hint", "request_id", "errors"],
    "properties": {
        "type": {"type": "string", "format": "uri-reference"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "instance": {"type": "string"},
        "code": {"type": "string"},
        "hint": {"type": "string", "description": "What to do next; may be empty."},
        "request_id": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["pointer", "detail"],
                "properties": {"pointer": {"type": "string"}, "detail": {"type": "string"}},
            },
        },
    },
}

ENTRY: dict[str, Any] = {
    "type": "object",
    "required": ["id", "data", "created_at", "updated_at"],
    "properties": {
        "id": {"type": "integer"},
        "content": {},
        "meta": {},
        "data": {"description": "The whole entry, as far as the caller may see it."},
        "created_at": {"type": ["string", "null"]},
        "updated_at": {"type": ["string", "null"]},
        "visibility": {"enum": ["public", "unlisted", "private"], "description": "For its owner and admins."},
        "owner": {"type": ["string", "null"], "description": "For its owner and admins."},
    },
}

PAGE: dict[str, Any] = {
    "type": "object",
    "required": ["items", "next"],
    "properties": {
        "items": {"type": "array", "items": {"$ref": "#/components/schemas/Entry"}},
        "next": {"type": ["string", "null"]},
    },
}

ACCOUNT: dict[str, Any] = {
    "type": "object",
    "required": ["id", "username", "email", "is_active", "is_admin"],
    "properties": {
        "id": {"type": "integer"},
        "username": {"type": "string"},
        "full_name": {"type": ["string", "null"]},
        "email": {"type": "string"},
        "is_active": {"type": "boolean"},
        "is_admin": {"type": "boolean"},
        "created_at": {"type": ["string", "null"]},
        "last_login": {"type": ["string", "null"]},
    },
}

REGISTRATION: dict[str, Any] = {
    "type": "object",
    "required": ["username", "email", "password"],
    "properties": {
        "username": {"type": "string", "minLength": 3, "maxLength": 50},
        "email": {"type": "string", "maxLength": 100},
        "password": {"type": "string", "minLength": 8, "maxLength": 1024},
        "full_name": {"type": ["string", "null"], "maxLength": 100},
        "claim_token": {"type": "string"},
    },
}

LOGIN: dict[str, Any] = {
    "type": "object",
    "required": ["username", "password"],
    "properties": {"username": {"type": "string"}, "password": {"type": "string"}},
}

TOKEN: dict[str, Any] = {
    "type": "object",
    "required": ["access_token", "token_type", "expires_in"],
    "properties": {
        "access_token": {"type": "string"},
        "token_type": {"const": "bearer"},
        "expires_in": {"type": "integer"},
    },
}

KEY: dict[str, Any] = {
    "type": "object",
    "required": ["id", "name", "can_write", "is_active", "expires_at", "last_used", "created_at"],
    "properties": {
        "id": {"type": "integer"},
        "name": {"type": "string"},
        "can_write": {"type": "boolean"},
        "is_active": {"type": "boolean"},
        "expires_at": {"type": ["string", "null"]},
        "last_used": {"type": ["string", "null"]},
        "created_at": {"type": ["string", "null"]},
    },
}

MADE_KEY: dict[str, Any] = {
    **KEY,
    "required": [*KEY["required"], "key"],
    "properties": {**KEY["properties"], "key": {"type": "string", "description": "Told this once."}},
}

KEY_PAGE: dict[str, Any] = {
    "type": "object",
    "required": ["items", "next"],
    "properties": {
        "items": {"type": "array", "items": {"$ref": "#/components/schemas/Key"}},
        "next": {"type": ["string", "null"]},
    },
}

NEW_KEY: dict[str, Any] = {
    "type": "object",
    "required": ["name"],
    "additionalProperties": False,
    "properties": {
        "name": {"type": "string", "minLength": 1, "maxLength": 100},
        "can_write": {"type": "boolean", "default": False},
        "expires_at": {"type": ["string", "null"], "format": "date-time"},
    },
}

CHANGED_KEY: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "properties": {"can_write": {"type": "boolean"}},
}

# operation -> what it takes (media type, schema), and the schema of its good answer
BODIES: dict[str, tuple[str, dict[str, Any]]] = {
    "login": ("application/x-www-form-urlencoded", LOGIN),
    "register": ("application/json", REGISTRATION),
    "keys_create": ("application/json", NEW_KEY),
    "keys_change": ("application/merge-patch+json", CHANGED_KEY),
    "entries_create": ("application/json", {"type": "object"}),
    "entries_replace": ("application/json", {"type": "object"}),
    "entries_change": ("application/merge-patch+json", {"type": "object"}),
}
ANSWERS: dict[str, str] = {
    "entries_list": "Page",
    "entries_list_of_user": "Page",
    "entries_get": "Entry",
    "entries_create": "Entry",
    "entries_replace": "Entry",
    "entries_change": "Entry",
    "register": "Account",
    "me": "Account",
    "keys_list": "KeyPage",
    "keys_create": "MadeKey",
    "keys_get": "Key",
    "keys_change": "Key",
    "login": "Token",
}
SCHEMAS = {
    "Problem": PROBLEM,
    "Entry": ENTRY,
    "Page": PAGE,
    "Account": ACCOUNT,
    "Token": TOKEN,
    "Key": KEY,
    "MadeKey": MADE_KEY,
    "KeyPage": KEY_PAGE,
}


def describe(app: FastAPI) -> dict[str, Any]:
    """Return the OpenAPI 3.1 description of ``app``; made once."""
    if app.openapi_schema is None:
        found = _described_by_framework(app)
        components = found.setdefault("components", {})
        components["schemas"] = SCHEMAS
        components["securitySchemes"] = {
            "bearer": {"type": "http", "scheme": "bearer"},
            "api_key": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
        }
        found["security"] = [{}, {"bearer": []}, {"api_key": []}]
        for operations in found["paths"].values():
            for operation in operations.values():
                _complete(operation)
        app.openapi_schema = found
    return app.openapi_schema


def _described_by_framework(app: FastAPI) -> dict[str, Any]:
    from fastapi.openapi.utils import get_openapi

    return get_openapi(title="Daemon", version=__version__, summary="A personal API.", routes=app.routes)


def _complete(operation: dict[str, Any]) -> None:
    name = operation["operationId"]
    if name in BODIES:
        media_type, schema = BODIES[name]
        operation["requestBody"] = {"required": True, "content": {media_type: {"schema": schema}}}
    responses = operation["responses"]
    responses.pop("422", None)
    for status, response in responses.items():
        if status.startswith("2") and name in ANSWERS:
            schema = {"$ref": f"#/components/schemas/{ANSWERS[name]}"}
            response["content"] = {"application/json": {"schema": schema}}
    problem = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    responses["default"] = {"description": "What went wrong (RFC 9457).", "content": problem}
