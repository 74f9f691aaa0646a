"""Validation errors in words. What does not fit a JSON Schema, said without the value that was sent?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jsonschema import ValidationError

_WITH_NUMBER = {
    "minimum": "must be at least {}",
    "maximum": "must be at most {}",
    "exclusiveMinimum": "must be more than {}",
    "exclusiveMaximum": "must be less than {}",
    "multipleOf": "must be a multiple of {}",
    "maxLength": "must have at most {} characters",
    "minItems": "must have at least {} items",
    "maxItems": "must have at most {} items",
    "minProperties": "must have at least {} members",
    "maxProperties": "must have at most {} members",
    "pattern": "must match the pattern {}",
    "format": "must be of the form {}",
    "const": "must be {}",
}
_ALONE = {
    "uniqueItems": "must not have the same item twice",
    "additionalProperties": "has a member that the schema does not name",
    "contains": "has none of the items that it must have",
    "not": "is what it must not be",
    "oneOf": "must fit exactly one of several forms",
}
_CHARACTERS_MOST = 200


def in_words(error: ValidationError) -> str:
    """Return what is wrong, without the value that was sent."""
    wanted: Any = error.validator_value
    sent: Any = error.instance
    word = str(error.validator)
    match word:
        case "type":
            return f"must be {_listed(wanted, ' or ')}"
        case "required":
            return f"{_listed([name for name in wanted if name not in sent], ', ')} is missing"
        case "enum":
            return f"must be one of {_listed(wanted, ', ')}"
        case "anyOf":
            return _in_forms(wanted)
        case "minLength":
            return "must not be empty" if wanted == 1 else f"must have at least {wanted} characters"
    if word in _WITH_NUMBER:
        return _WITH_NUMBER[word].format(str(wanted)[:_CHARACTERS_MOST])
    return _ALONE.get(word, f"breaks the rule {word}")


def _in_forms(forms: list[Any]) -> str:
    """What the forms of a kind of the house tell apart is what they must have."""
    needed = [form.get("required", []) if isinstance(form, dict) else [] for form in forms]
    if not all(needed):
        return "must fit one of several forms"
    return f"must have {_listed([_listed(names, ' and ') for names in needed], ', or ')}"


def _listed(words: object, between: str) -> str:
    listed = between.join(map(str, words)) if isinstance(words, list) else str(words)
    return listed if len(listed) <= _CHARACTERS_MOST else f"{listed[:_CHARACTERS_MOST]}..."
