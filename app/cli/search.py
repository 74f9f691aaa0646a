"""What does ``daemon search`` do? It finds entries by their words, as strangers do or a person's own."""

from __future__ import annotations

from typing import Any

import click

from app.cli.command_context import opened_for_reading
from app.cli.options import json_option
from app.cli.output import Output
from app.entries.search import search as find
from app.entries.search_question import LIMIT_DEFAULT, SORTS, search_question
from app.privacy.levels import NAMES
from app.privacy.viewer import STRANGER, Viewer

HEADINGS = ("id", "kind", "title", "date", "found")
OPERATOR = Viewer("admin")  # anyone who types here may open the database itself


@click.command()
@click.argument("query")
@click.option("--user", help="What is USER's own, whole; with --level what strangers get of it.")
@click.option("--level", type=click.Choice(NAMES), help="As strangers find at this level.")
@click.option("--kind", help="Entries of this kind.")
@click.option("--tag", help="Entries with this tag.")
@click.option("--since", help="Of this year, month, day or time, or later.")
@click.option("--until", help="Of this year, month, day or time, or earlier.")
@click.option("--sort", type=click.Choice(SORTS), help="rank: by the title first; date: the newest first.")
@click.option("--limit", type=int, default=LIMIT_DEFAULT, show_default=True, help="How many.")
@json_option
@click.pass_obj
def search(output: Output, /, query: str, user: str | None, level: str | None, **more: Any) -> int:
    """Find entries that have the words of QUERY: what strangers find, or USER's own.

    \b
    daemon search 'bees "wild honey" -wasps'
    daemon search bee* --user ann
    daemon search bees --level ai_safe --sort date
    """
    with opened_for_reading(output) as (settings, connection):
        viewer = STRANGER if user is None else OPERATOR
        asked = search_question(query, owner=user, level=level, installed=settings.privacy_level, **more)
        found = find(connection, asked.asked_by(viewer, settings.privacy_level))
    items = found.items
    cells = [(one["id"], one["kind"], one["title"] or "", one["date"] or "", _excerpt(one)) for one in items]
    if found.is_pending:
        output.warn("The index is not whole yet: the server makes it while it runs. There may be more.")
    output.table(HEADINGS, cells, {"items": items, "pending": found.is_pending})
    return 0


def _excerpt(item: dict[str, Any]) -> str:
    """Return the first snippet on one line, its hits in brackets."""
    snippet = next(iter(item["snippets"]), None)
    if snippet is None:
        return ""
    text, said, at = snippet["text"], "", 0
    for begin, end in snippet["hits"]:
        said += f"{text[at:begin]}[{text[begin:end]}]"
        at = end
    return " ".join((said + text[at:]).split())
