"""Which programs say that they are assistants?"""

from __future__ import annotations

import pytest

from app.privacy.agents import ASSISTANT, NAMES, OTHER, agent_class

ASSISTANTS = (
    "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; GPTBot/1.2; +https://openai.com/gptbot)",
    "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko); compatible; ChatGPT-User/1.0",
    "Mozilla/5.0 (compatible; OAI-SearchBot/1.0; +https://openai.com/searchbot)",
    "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; ClaudeBot/1.0; +claudebot@x.example)",
    "Claude-User/1.0",
    "Mozilla/5.0 (compatible; Perplexity-User/1.0)",
    "Mozilla/5.0 (compatible; PerplexityBot/1.0; +https://x.example/bot)",
    "meta-externalagent/1.1 (+https://x.example/crawler)",
    "Mozilla/5.0 (compatible; Bytespider; x@x.example)",
    "CCBot/2.0 (https://x.example/faq/)",
    "Mozilla/5.0 (compatible; MistralAI-User/1.0)",
    "python-langchain/0.3",
    "my-ai-assistant",
)
OTHERS = (
    "",
    "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    "Mozilla/5.0 (Macintosh) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Safari/605.1.15",
    "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Edg/140.0",
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
    "Mozilla/5.0 (compatible; bingbot/2.0)",
    "curl/8.9.1",
    "python-requests/2.32",
    "Feedly/1.0",
)


@pytest.mark.parametrize("name", ASSISTANTS)
def test_an_assistant_says_so(name: str) -> None:
    assert agent_class(name) == ASSISTANT
    assert agent_class(name.upper()) == ASSISTANT


@pytest.mark.parametrize("name", OTHERS)
def test_everyone_else_is_no_assistant(name: str) -> None:
    assert agent_class(name) == OTHER


def test_every_name_counts_as_a_word_and_within_none() -> None:
    for name in NAMES:
        assert agent_class(f"Mozilla/5.0 (compatible; {name}/1.0)") == ASSISTANT, name
        assert agent_class(f"Mozilla/5.0 (w{name}/1.0)") == OTHER, name


def test_what_is_far_behind_is_not_read() -> None:
    assert agent_class("x" * 600 + " gptbot") == OTHER
