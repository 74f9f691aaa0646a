"""Kinds of one's own. How does a person make, change and remove them, at run time?

A kind has a schema, an example that fits it, and a version: the schemas that it had are kept, and so is what
was written by them. Others know of it once it is public, and of it only the name, in which there must be
nothing that would be hidden in a text.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, delete, insert, select

from app import clock
from app.accounts import audit
from app.accounts.audit import COMMAND_LINE, Actor
from app.entries import endpoints, kinds, own_schemas, store
from app.entries.endpoints import Endpoint
from app.entries.entry import check_json, invalid
from app.entries.policies import Policies
from app.entries.slugs import holds_something
from app.entries.views import kind_view
from app.entries.visibility import WORDS
from app.errors import Conflict, InvalidContent, NotFound
from app.privacy.viewer import Viewer
from app.reserved_names import RESERVED
from app.tables import kind_versions

VERSIONS_FILE = "kind_versions.json"  # of an export
OWN_MOST = 100
VERSIONS_MOST = 200
NAME_FORM = "[a-z][a-z0-9_]{0,49}"
TITLE_CHARACTERS_MOST = 100
DESCRIPTION_CHARACTERS_MOST = 2_000
CHANGEABLE = ("title", "description", "schema", "example", "default_visibility", "is_public", "is_active")
_TABLE = "endpoints"

View = dict[str, Any]


def own_kinds(connection: Connection, user_id: int) -> list[View]:
    """Return a person's own kinds, by id, as `views.kind_view` gives them to their owner."""
    return [kind_view(each, _owner(user_id)) for each in endpoints.own_endpoints(connection, user_id)]


def get_kind(connection: Connection, user_id: int, name: str) -> View:
    """Return one of a person's own kinds; raises NotFound."""
    return kind_view(_own(connection, user_id, name), _owner(user_id))


def create_kind(
    connection: Connection, user_id: int, name: str, said: Mapping[str, Any], actor: Actor = COMMAND_LINE
) -> View:
    """Make a kind of a person's own, private unless it is said otherwise.

    ``said`` has schema and example, and may have the others of CHANGEABLE. Raises InvalidContent (with
    pointers), and Conflict for a name that means a kind to the person already. Writes endpoints,
    kind_versions and audit_logs.
    """
    _check_name(connection, user_id, name)
    for member in ("schema", "example"):
        if member not in said:
            raise invalid(f"/{member}", "it is missing")
    if endpoints.count_own(connection, user_id) >= OWN_MOST:
        raise Conflict(f"You have {OWN_MOST} kinds of your own; there may be no more.", hint="Remove one.")
    values = {"is_active": 1, "is_public": 0, "default_visibility": "private"} | _columns(said)
    now = clock.stored(clock.now())
    endpoint_id = endpoints.add_own_endpoint(
        connection, user_id, name, **values, schema_version=1, created_at=now
    )
    _keep_version(connection, endpoint_id, 1, values, now)
    _note(connection, audit.CREATE, endpoint_id, actor, new_values={"name": name, **values})
    return get_kind(connection, user_id, name)


def change_kind(
    connection: Connection, user_id: int, name: str, said: Mapping[str, Any], actor: Actor = COMMAND_LINE
) -> View:
    """Change one of a person's own kinds: each member that is said takes the place of what was.

    Another schema is another version, which its example must fit; what is stored stays as it is. Raises
    NotFound, InvalidContent and Conflict. Writes endpoints, kind_versions and audit_logs.
    """
    endpoint = _own(connection, user_id, name)
    is_of_form = bool({"schema", "example"} & {*said})
    before = _form_of(endpoint) if is_of_form else {}
    values = _columns({**before, **said})
    now = clock.stored(clock.now())
    if is_of_form and before != {each: json.loads(values[each]) for each in before}:
        version = (endpoint.schema_version or 0) + 1
        if version > VERSIONS_MOST:
            raise Conflict(f"{name} has had {VERSIONS_MOST} versions; there may be no more.")
        _keep_version(connection, endpoint.id, version, values, now)
        values["schema_version"] = version
    if values:
        endpoints.change_endpoint(connection, endpoint.id, {**values, "updated_at": now})
        _note(connection, audit.UPDATE, endpoint.id, actor, new_values={"name": name, **values})
    return get_kind(connection, user_id, name)


def remove_kind(connection: Connection, user_id: int, name: str, actor: Actor = COMMAND_LINE) -> None:
    """Remove one of a person's own kinds that no entry is of. Raises NotFound and Conflict.

    Writes endpoints, kind_versions and audit_logs.
    """
    endpoint = _own(connection, user_id, name)
    if store.has_entries(connection, endpoint.id):
        raise Conflict(
            f"There are entries of {name}, deleted ones perhaps.",
            hint='Take it out of use: PATCH it with {"is_active": false}.',
        )
    connection.execute(delete(kind_versions).where(kind_versions.c.endpoint_id == endpoint.id))
    endpoints.remove_endpoint(connection, endpoint.id)
    _note(connection, audit.DELETE, endpoint.id, actor, new_values={"name": name})


def versions_of(connection: Connection, user_id: int, name: str) -> list[View]:
    """Return the schemas that one of a person's own kinds has had, the first one first; raises NotFound."""
    endpoint = _own(connection, user_id, name)
    kept = kind_versions.c
    query = select(kind_versions).where(kept.endpoint_id == endpoint.id).order_by(kept.version)
    return [
        {
            "version": row.version,
            "schema": json.loads(row.schema),
            "example": json.loads(row.example),
            "created_at": None if row.created_at is None else clock.rfc3339(str(row.created_at)),
        }
        for row in connection.execute(query)
    ]


def is_importable(row: Mapping[str, Any]) -> bool:
    """Whether a row of an export is a kind of somebody's own, of a name that a kind may have here."""
    name = row.get("short_name")
    is_name = isinstance(name, str) and name == row.get("name") and re.fullmatch(NAME_FORM, name)
    return bool(is_name) and row.get("user_id") is not None and name not in {*RESERVED, *kinds.built_in()}


def version_rows_of(connection: Connection, user_id: int) -> list[dict[str, Any]]:
    """Return the rows of the schemas that a person's own kinds have had."""
    own = [each.id for each in endpoints.own_endpoints(connection, user_id)]
    kept = kind_versions.c
    query = select(kind_versions).where(kept.endpoint_id.in_(own)).order_by(kept.endpoint_id, kept.version)
    return [dict(row._mapping) for row in connection.execute(query)]


def import_kind(
    connection: Connection, user_id: int, row: Mapping[str, Any], versions: Iterable[Mapping[str, Any]]
) -> None:
    """Write a kind of a person's own that another installation has (`is_importable`), with its versions.

    What is no schema here is kept, and nothing is held to it. Writes endpoints and kind_versions.
    """
    values: dict[str, Any] = {
        name: row.get(name) for name in ("description", "title", "created_at", "updated_at")
    }
    values |= {name: int(row.get(name) == 1) for name in ("is_active", "is_public")}
    default = row.get("default_visibility")
    values["default_visibility"] = default if default in WORDS else "private"
    try:
        said = [json.loads(str(row.get(name))) for name in ("schema", "example")]
        values |= {**_schema_and_example(*said), "schema_version": _version(row.get("schema_version"))}
    except (ValueError, RecursionError, InvalidContent):
        values["schema"] = str(row.get("schema") or "{}")
    endpoint_id = endpoints.add_own_endpoint(connection, user_id, str(row["name"]), **values)
    if "schema_version" not in values:
        return
    number = int(values["schema_version"])
    earlier = {_version(each.get("version")): each for each in versions if each["endpoint_id"] == row["id"]}
    made_at = earlier.get(number, {}).get("created_at") or clock.stored(clock.now())
    _keep_version(connection, endpoint_id, number, values, str(made_at))
    for version, each in earlier.items():
        if version < number and _are_json(each.get("schema"), each.get("example")):
            _keep_version(connection, endpoint_id, version, each, str(each.get("created_at")))


def check_import(
    connection: Connection, user_id: int, rows: Sequence[Mapping[str, Any]], versions: Iterable[Any]
) -> None:
    """Raise InvalidContent or Conflict where a person could not have made these kinds of an export here."""
    if rows and endpoints.count_own(connection, user_id) + len(rows) > OWN_MOST:
        raise Conflict(f"There may be no more than {OWN_MOST} kinds of your own; nothing was imported.")
    for row in rows:
        _check_name(connection, user_id, str(row["name"]))
        for name, most in (("title", TITLE_CHARACTERS_MOST), ("description", DESCRIPTION_CHARACTERS_MOST)):
            _text(name, row.get(name), most)
        try:
            schema, example = (json.loads(str(row.get(name))) for name in ("schema", "example"))
        except (ValueError, RecursionError):
            raise invalid("/schema", "the schema or the example of a kind is no JSON") from None
        _schema_and_example(schema, example)
    for each in versions:
        if not isinstance(each.get("endpoint_id"), int) or clock.parse_stored(each.get("created_at")) is None:
            raise invalid(f"/{VERSIONS_FILE}", "a version of a kind is not as it was written")


# -- inside


def _version(said: object) -> int:
    return said if isinstance(said, int) and 0 < said <= VERSIONS_MOST else 1


def _are_json(*texts: object) -> bool:
    try:
        return all(isinstance(json.loads(str(text)), dict) for text in texts)
    except (ValueError, RecursionError):
        return False


def _owner(user_id: int) -> Viewer:
    return Viewer("person", user_id)


def _own(connection: Connection, user_id: int, name: str) -> Endpoint:
    found = endpoints.find_own(connection, user_id, name.removeprefix(endpoints.SECOND_ADDRESS))
    if found is None:
        raise NotFound(
            "There is no such kind of your own.", hint="GET /api/v1/endpoints lists them: is_own is true."
        )
    return found


def _check_name(connection: Connection, user_id: int, name: str) -> None:
    if not re.fullmatch(NAME_FORM, name):
        raise invalid("/name", "small letters, digits and _ are needed, a letter first, 50 at most")
    if name in RESERVED:
        raise invalid("/name", "it is an address of Daemon's own", hint="Choose another name.")
    words = Policies(connection).words_of(user_id)
    if holds_something(name.replace("_", "-"), words):
        raise invalid("/name", "it holds what would be hidden in a text")
    is_known = endpoints.find_endpoint(connection, _owner(user_id), name, user_id) is not None
    if is_known or name in kinds.built_in() or endpoints.find_own(connection, user_id, name):
        raise Conflict(f"There is a kind {name} already.", hint="Choose another name.")


def _columns(said: Mapping[str, Any]) -> dict[str, Any]:
    """Return the columns of what is said, checked; raises InvalidContent."""
    unknown = sorted(set(said) - {*CHANGEABLE})
    if unknown:
        raise invalid(f"/{unknown[0][:60]}", "a kind has no such member")
    values: dict[str, Any] = {}
    for name, most in (("title", TITLE_CHARACTERS_MOST), ("description", DESCRIPTION_CHARACTERS_MOST)):
        if name in said:
            values[name] = _text(name, said[name], most)
    for name in ("is_public", "is_active"):
        if name in said:
            if not isinstance(said[name], bool):
                raise invalid(f"/{name}", "must be true or false")
            values[name] = int(said[name])
    if "default_visibility" in said:
        if said["default_visibility"] not in WORDS:
            raise invalid("/default_visibility", f"must be one of {', '.join(WORDS)}")
        values["default_visibility"] = said["default_visibility"]
    if "schema" in said:
        values |= _schema_and_example(said["schema"], said["example"])
    return values


def _text(name: str, value: object, most: int) -> str | None:
    if value is not None and not isinstance(value, str):
        raise invalid(f"/{name}", "must be text")
    if value is not None and len(value) > most:
        raise invalid(f"/{name}", f"must have at most {most} characters")
    check_json(value)
    return value


def _schema_and_example(schema: object, example: object) -> dict[str, str]:
    own_schemas.check_schema(schema)
    schema_text = json.dumps(schema)
    try:
        check_json(example)
        kinds.check_custom("", example)
        own_schemas.check_content(schema_text, example, "")
    except InvalidContent as error:
        raise _of_example(error) from None
    example_text = json.dumps(example)
    if len(example_text) > own_schemas.BYTES_MOST:
        raise invalid("/example", f"has more than {own_schemas.BYTES_MOST} bytes")
    return {"schema": schema_text, "example": example_text}


def _of_example(error: InvalidContent) -> InvalidContent:
    said: Any = error.details.get("errors") or [{"pointer": "", "detail": error.message}]
    faults = [{**each, "pointer": f"/example{each['pointer']}"} for each in said]
    return own_schemas.unfit("The example does not fit the schema", faults)


def _form_of(endpoint: Endpoint) -> dict[str, Any]:
    """The schema and the example of a kind; what an import brought may be no JSON."""
    try:
        return {
            "schema": json.loads(endpoint.schema_text),
            "example": json.loads(endpoint.example_text or "{}"),
        }
    except (ValueError, RecursionError):
        return {"schema": {}, "example": {}}


def _keep_version(
    connection: Connection, endpoint_id: int, version: int, values: Mapping[str, Any], now: str
) -> None:
    row = {"endpoint_id": endpoint_id, "version": version, "created_at": now}
    kept = {name: values[name] for name in ("schema", "example")}
    connection.execute(insert(kind_versions).values(**row, **kept))


def _note(
    connection: Connection, action: str, endpoint_id: int, actor: Actor, *, new_values: Mapping[str, Any]
) -> None:
    """Write who changed a kind. Its schemas are kept by version: they would fill the audit."""
    short = {name: value for name, value in new_values.items() if name not in ("schema", "example")}
    audit.record(
        connection,
        action,
        _TABLE,
        endpoint_id,
        now=clock.now(),
        new_values=short,
        user_id=actor.user_id,
        ip_address=actor.ip_address,
        user_agent=actor.user_agent,
    )
