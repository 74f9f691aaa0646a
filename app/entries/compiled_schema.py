"""Compiled JSON Schema (fast path of validation). Does content surely fit the schema of a kind?

Nearly all that is sent fits, and to be told so takes the library ten times as long. So a schema is made into
functions once, for the keywords that kinds use; what these do not take, or do not know, the library judges,
and it alone says what is wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

Fits = Callable[[Any], bool]

_DESCRIBING = frozenset(
    ("$schema", "$id", "$defs", "$comment", "title", "description", "default", "examples", "deprecated")
)
_TYPES: Mapping[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "number": (int, float),
    "boolean": (bool,),
    "null": (type(None),),
}


def compiled(schema: Mapping[str, Any]) -> Fits:
    """Return what says of a JSON value whether it surely fits; False may mean that this cannot tell."""
    rules = [_rule(name, schema) for name in schema if name not in _DESCRIBING]
    if not rules:
        return _anything
    if len(rules) == 1:
        return rules[0]
    return lambda value: all(rule(value) for rule in rules)


def _anything(_value: object) -> bool:
    return True


def _unknown(_value: object) -> bool:
    return False


def _rule(name: str, schema: Mapping[str, Any]) -> Fits:
    make = _RULES.get(name)
    return _unknown if make is None else make(schema[name], schema)


def _type(wanted: Any, _schema: Mapping[str, Any]) -> Fits:
    names = [wanted] if isinstance(wanted, str) else wanted
    if not all(name in _TYPES for name in names):
        return _unknown
    types = frozenset(one for name in names for one in _TYPES[name])
    return lambda value: type(value) in types


def _properties(wanted: dict[str, Any], _schema: Mapping[str, Any]) -> Fits:
    below = {name: compiled(one) for name, one in wanted.items()}

    def fits(value: Any) -> bool:
        if type(value) is not dict:
            return True
        for name, child in value.items():
            rule = below.get(name)
            if rule is not None and not rule(child):
                return False
        return True

    return fits


def _additional(wanted: Any, schema: Mapping[str, Any]) -> Fits:
    if not isinstance(wanted, dict) or "patternProperties" in schema:
        return _unknown
    named, rule = schema.get("properties", {}), compiled(wanted)
    return lambda value: (
        type(value) is not dict or all(rule(child) for name, child in value.items() if name not in named)
    )


def _items(wanted: Any, schema: Mapping[str, Any]) -> Fits:
    if not isinstance(wanted, dict) or "prefixItems" in schema:
        return _unknown
    rule = compiled(wanted)
    return lambda value: type(value) is not list or all(map(rule, value))


def _required(wanted: list[str], _schema: Mapping[str, Any]) -> Fits:
    names = frozenset(wanted)
    return lambda value: type(value) is not dict or value.keys() >= names


def _any_of(wanted: list[Any], _schema: Mapping[str, Any]) -> Fits:
    rules = [compiled(one) for one in wanted]
    return lambda value: any(rule(value) for rule in rules)


def _enum(wanted: list[Any], _schema: Mapping[str, Any]) -> Fits:
    words = frozenset(word for word in wanted if isinstance(word, str))  # 1, 1.0 and true are for the library
    return lambda value: type(value) is str and value in words


def _min_length(wanted: int, _schema: Mapping[str, Any]) -> Fits:
    return lambda value: type(value) is not str or len(value) >= wanted


def _minimum(wanted: float, _schema: Mapping[str, Any]) -> Fits:
    return lambda value: type(value) not in (int, float) or value >= wanted


def _maximum(wanted: float, _schema: Mapping[str, Any]) -> Fits:
    return lambda value: type(value) not in (int, float) or value <= wanted


_RULES: Mapping[str, Callable[[Any, Mapping[str, Any]], Fits]] = {
    "type": _type,
    "properties": _properties,
    "additionalProperties": _additional,
    "items": _items,
    "required": _required,
    "anyOf": _any_of,
    "enum": _enum,
    "minLength": _min_length,
    "minimum": _minimum,
    "maximum": _maximum,
}
