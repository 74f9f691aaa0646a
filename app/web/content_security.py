"""Content Security Policy (CSP). What may a page of this server load and do? Nothing from elsewhere.

No page has a style, a script or a handler within its text: what is a style or a script is a file of ours.
"""

from __future__ import annotations

import base64
import hashlib

NOTHING = "default-src 'none'; frame-ancestors 'none'"
"""Of every answer that is no page."""


def policy_of_page(
    *,
    has_scripts: bool = False,
    data_blocks: tuple[str, ...] = (),
    connects: bool = False,
    has_forms: bool = False,
    has_frames: bool = False,
    is_framed: bool = False,
) -> str:
    """Return the policy of a page: styles and pictures of ours.

    ``has_scripts``: it has scripts of ours, as files. ``data_blocks`` are the texts between the tags of
    scripts that hold data; ``connects``: its scripts ask this server; ``has_forms``: it has forms, which do.
    ``has_frames``: pages of this server stand in it; ``is_framed``: it may stand in one of them.
    """
    scripts = ["'self'"] if has_scripts else []
    scripts += [f"'sha256-{_hash(text)}'" for text in data_blocks]
    parts = ["default-src 'none'", "style-src 'self'", "img-src 'self'"]
    if scripts:
        parts.append(f"script-src {' '.join(scripts)}")
    if connects:
        parts.append("connect-src 'self'")
    if has_frames:
        parts.append("frame-src 'self'")
    action, ancestors = ("'self'" if each else "'none'" for each in (has_forms, is_framed))
    return "; ".join([*parts, "base-uri 'none'", f"form-action {action}", f"frame-ancestors {ancestors}"])


def _hash(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
