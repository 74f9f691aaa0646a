"""What does the API say of itself? FastAPI's description, with the bodies and problems that it cannot see."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from fastapi import FastAPI

from app import __version__
from app.web.operations import ANYBODY, DEPRECATED, FRAME, OF_OPERATION, PARAMETERS, PROBLEMS, SECURITY

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


def _page_of(schema: str) -> dict[str, Any]:
    return {
        "type": "object",
        "required": ["items", "next"],
        "properties": {
            "items": {"type": "array", "items": {"$ref": f"#/components/schemas/{schema}"}},
            "next": {
                "type": ["string", "null"],
                "description": "The `cursor` of the rest; null: that is all.",
            },
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

KIND: dict[str, Any] = {
    "type": "object",
    "required": [
        *("name", "title", "description", "schema", "is_public", "is_active", "is_builtin", "created_at")
    ],
    "properties": {
        "name": {"type": "string"},
        "title": {"type": ["string", "null"]},
        "description": {"type": ["string", "null"]},
        "schema": {"description": "The JSON Schema of what can be written."},
        "is_public": {"type": "boolean"},
        "is_active": {"type": "boolean"},
        "is_builtin": {"type": "boolean"},
        "created_at": {"type": ["string", "null"]},
    },
}

HEALTH: dict[str, Any] = {
    "type": "object",
    "required": ["status", "version", "database", "timestamp", "uptime_seconds", "writable"],
    "properties": {
        "status": {
            "enum": ["healthy", "degraded", "starting", "maintenance", "upgrading", "yielding", "stopping"]
        },
        "version": {"type": "string"},
        "database": {
            "type": "object",
            "required": ["state", "version"],
            "properties": {"state": {"type": "string"}, "version": {"type": "string"}},
        },
        "timestamp": {"type": "string", "format": "date-time"},
        "uptime_seconds": {"type": "number", "minimum": 0},
        "detail": {"type": "string"},
        "hint": {"type": "string", "description": "The command to type."},
        "progress": {"type": "object"},
        "places": {"type": "object", "description": "For admins."},
    },
}

LIVE: dict[str, Any] = {
    "type": "object",
    "required": ["status", "version"],
    "properties": {"status": {"const": "alive"}, "version": {"type": "string"}},
}

# What an entry must hold is in the schema of its kind: GET /api/v1/endpoints/{name}.
CONTENT: dict[str, Any] = {
    "type": "object",
    "examples": [{"content": "# An idea", "meta": {"title": "An idea"}}],
}

OBJECT: dict[str, Any] = {"type": "object"}

WAITING: dict[str, Any] = {
    "type": "object",
    "required": ["id", "kind", "received_at", "size_bytes", "publishes_as", "excerpt"],
    "properties": {
        "id": {"type": "integer"},
        "kind": {"type": "string"},
        "received_at": {"type": ["string", "null"]},
        "size_bytes": {"type": "integer", "minimum": 0},
        "publishes_as": {"enum": ["public", "unlisted", "private"]},
        "excerpt": {"type": "string", "description": "The beginning of its JSON text."},
    },
}

DECIDED: dict[str, Any] = {
    "type": "object",
    "required": ["published", "deleted", "left"],
    "properties": {
        "published": {"type": "array", "items": {"$ref": "#/components/schemas/Waiting"}},
        "deleted": {"type": "array", "items": {"type": "integer"}},
        "left": {"type": "integer", "minimum": 0},
    },
}

DECISION: dict[str, Any] = {
    "type": "object",
    "minProperties": 1,
    "additionalProperties": False,
    "properties": {
        "publish": {
            "anyOf": [{"const": "all"}, {"type": "array", "items": {"type": "integer", "minimum": 1}}]
        },
        "delete": {"type": "array", "items": {"type": "integer", "minimum": 1}},
    },
}

AUDIT_ROW: dict[str, Any] = {
    "type": "object",
    "required": ["id", "created_at", "action", "table_name", "record_id", "old_values", "new_values"],
    "properties": {
        "id": {"type": "integer"},
        "created_at": {"type": ["string", "null"]},
        "action": {"type": "string"},
        "table_name": {"type": "string"},
        "record_id": {"description": "Of that table; 0: nobody's."},
        "user_id": {"type": ["integer", "null"], "description": "Who did it."},
        "username": {"type": ["string", "null"]},
        "api_key_id": {"type": ["integer", "null"]},
        "ip_address": {"type": ["string", "null"]},
        "user_agent": {"type": ["string", "null"]},
        "old_values": {},
        "new_values": {},
    },
}

JOURNAL_LINE: dict[str, Any] = {
    "type": "object",
    "required": ["event", "at", "message", "details"],
    "properties": {
        "event": {"type": "string"},
        "at": {"type": "string"},
        "message": {"type": "string"},
        "details": {"type": "object"},
    },
}

# operation -> what it takes (media type, schema), and the schema of its good answer
BODIES: dict[str, tuple[str, dict[str, Any]]] = {
    "login": ("application/x-www-form-urlencoded", LOGIN),
    "register": ("application/json", REGISTRATION),
    "keys_create": ("application/json", NEW_KEY),
    "keys_change": ("application/merge-patch+json", CHANGED_KEY),
    "claim_decide": ("application/json", DECISION),
    "entries_create": ("application/json", CONTENT),
    "entries_replace": ("application/json", CONTENT),
    "entries_change": ("application/merge-patch+json", CONTENT),
}
ANSWERS: dict[str, str] = {
    "health": "Health",
    "health_ready": "Health",
    "health_live": "Live",
    "root": "Object",
    "openapi": "Object",
    "problem": "Object",
    "system_info": "Object",
    "system_upgrade": "Object",
    "endpoints_list": "KindPage",
    "endpoints_get": "Kind",
    "entries_list": "Page",
    "entries_list_of_user": "Page",
    "entries_get": "Entry",
    "entries_create": "Entry",
    "entries_replace": "Entry",
    "entries_change": "Entry",
    "register": "Account",
    "me": "Account",
    "claim_review": "WaitingPage",
    "claim_decide": "Decided",
    "keys_list": "KeyPage",
    "keys_create": "MadeKey",
    "keys_get": "Key",
    "keys_change": "Key",
    "login": "Token",
    "admin_audit": "AuditPage",
    "admin_audit_old": "AuditPage",
    "admin_journal": "JournalPage",
}
SCHEMAS = {
    "Problem": PROBLEM,
    "Entry": ENTRY,
    "Page": _page_of("Entry"),
    "Account": ACCOUNT,
    "Token": TOKEN,
    "Key": KEY,
    "MadeKey": MADE_KEY,
    "KeyPage": _page_of("Key"),
    "Waiting": WAITING,
    "WaitingPage": _page_of("Waiting"),
    "Decided": DECIDED,
    "AuditRow": AUDIT_ROW,
    "AuditPage": _page_of("AuditRow"),
    "JournalLine": JOURNAL_LINE,
    "JournalPage": _page_of("JournalLine"),
    "Kind": KIND,
    "KindPage": _page_of("Kind"),
    "Health": HEALTH,
    "Live": LIVE,
    "Object": OBJECT,
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
        found["security"] = ANYBODY
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
    if name in SECURITY:
        operation["security"] = SECURITY[name]
    for parameter in operation.get("parameters", []):
        _complete_parameter(name, parameter)
    responses = operation["responses"]
    for status, response in responses.items():
        if status.startswith("2") and name in ANSWERS:
            response["content"] = _json_of(ANSWERS[name])
    problem = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    responses.pop("422", None)
    for status in sorted({*FRAME, *PROBLEMS.get(name, ())}):
        responses[str(status)] = {"description": HTTPStatus(status).phrase, "content": problem}
    if 412 in PROBLEMS.get(name, ()) and "200" in responses and "requestBody" not in operation:
        responses["304"] = {"description": "The client has it already (If-None-Match)."}
    if name in ("health", "health_ready"):
        closed = {"description": "The database may not be used now; `hint` is the command to type."}
        responses["503"] = {**closed, "content": _json_of("Health")}
    responses["default"] = {"description": "What went wrong (RFC 9457).", "content": problem}


def _complete_parameter(operation: str, parameter: dict[str, Any]) -> None:
    """Say the form of a parameter as its row does; the framework's words for it offer null."""
    name = parameter["name"]
    schema = OF_OPERATION.get((operation, name)) or PARAMETERS.get(name)
    if schema is not None:
        parameter["schema"] = schema
    if name in DEPRECATED:
        parameter["deprecated"] = True


def _json_of(schema: str) -> dict[str, Any]:
    return {"application/json": {"schema": {"$ref": f"#/components/schemas/{schema}"}}}
