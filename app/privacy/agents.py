"""Agent class (User-Agent). Does a program that asks say that it is an assistant, or collects for one?

A few words stand for all their names: a name itself is kept nowhere. It is what a program says of itself: who
does not say it is answered as anyone is.
"""

from __future__ import annotations

import re
from functools import lru_cache

ASSISTANT = "assistant"
OTHER = ""
LONGEST = 512

# Parts of names that assistants, and those who collect text for them, send: a word, or the beginning of one.
# "gptbot" is in "GPTBot/1.2", "claude" in "Claude-User".
NAMES = (
    *("gptbot", "chatgpt", "oai-searchbot", "openai", "claude", "anthropic", "perplexity", "gemini", "bard"),
    *("google-extended", "google-cloudvertexbot", "google-notebooklm", "googleagent", "mistralai", "mistral"),
    *("cohere", "deepseek", "grok", "xai", "copilot", "meta-externalagent", "meta-externalfetcher", "llama"),
    *("applebot-extended", "amazonbot", "novaact", "bytespider", "ccbot", "duckassistbot", "youbot", "phind"),
    *("diffbot", "ai2bot", "timpibot", "kagibot", "bravebot", "petalbot", "pangubot", "cotoyogi", "qwen"),
    *("firecrawl", "langchain", "llamaindex", "autogpt", "crewai", "devin", "manus", "mcp"),
    *("ai-agent", "assistant", "llm"),
)
_NAMED = re.compile(rf"(?<![a-z0-9])(?:{'|'.join(map(re.escape, NAMES))})")


@lru_cache(maxsize=1024)
def agent_class(user_agent: str) -> str:
    """Return ASSISTANT for the User-Agent of a program that calls itself one, else OTHER."""
    return ASSISTANT if _NAMED.search(user_agent[:LONGEST].lower()) else OTHER
