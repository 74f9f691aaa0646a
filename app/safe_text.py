"""Prompt injection. What of people's text may reach an assistant, and what in it looks like an instruction?

What a reader would see is there whole; what none sees is left out: invisible characters and comments of HTML,
where instructions are hidden (OWASP LLM01:2025). Passages that read like instructions to an assistant stay,
and are counted, so that it is warned. The stored text is not touched.
"""

from __future__ import annotations

import re
from typing import Any

_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f"
    "\u3164\ufe00-\ufe0e\ufeff\uffa0\ufff0-\ufffb\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
    "\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]"
)
_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
_PASSAGES = re.compile(
    r"(?:ignore|disregard|forget|override)\W+(?:\w+\W+){0,3}(?:instructions?|prompts?|rules|guidelines)"
    r"|(?:new|updated|real|following)\W+(?:system\W+)?instructions?\s*:"
    r"|system\W?prompt"
    r"|you\W+are\W+(?:now|no\W+longer)\b"
    r"|(?:do\W+not|don'?t|never)\W+(?:tell|mention|reveal|inform)\W+(?:this\W+to\W+)?the\W+user"
    r"|(?:call|use|invoke|run)\W+the\W+\w+\W+(?:tool|function)\b"
    r"|<\s*/?\s*(?:system|assistant|instructions?|tool_call|function_calls?)\b"
    r"|\[/?INST\]|<\|(?:im_start|im_end|system|endoftext)\|>",
    re.IGNORECASE,
)
_LONGEST_SEARCHED = 200_000


def clean(value: Any) -> Any:
    """Return a JSON value without what no reader sees, in its texts and in its names."""
    if isinstance(value, str):
        return _INVISIBLE.sub("", _COMMENT.sub("", value))
    if isinstance(value, dict):
        return {clean(name): clean(each) for name, each in value.items()}
    if isinstance(value, list):
        return [clean(each) for each in value]
    return value


def count_passages(value: Any) -> int:
    """Return how many passages of a JSON value read like instructions to an assistant."""
    if isinstance(value, str):
        return sum(1 for _ in _PASSAGES.finditer(value[:_LONGEST_SEARCHED]))
    if isinstance(value, dict):
        return sum(count_passages(name) + count_passages(each) for name, each in value.items())
    if isinstance(value, list):
        return sum(map(count_passages, value))
    return 0
