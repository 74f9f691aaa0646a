"""Made-up secrets (tokens, passwords, keys). How do providers and people write them?

Beginnings and lengths are what providers' documentation and public secret scanners say; the rest is random.
"""

from __future__ import annotations

import string
from random import Random

_LETTERS = string.ascii_letters + string.digits
_HEX = "0123456789abcdef"
_UPPER = string.ascii_uppercase + string.digits
_URL = _LETTERS + "-_"

# A beginning, the characters that go on, how many, and what follows.
_TOKENS: dict[str, tuple[tuple[str, str, int], ...]] = {
    "work": (
        *(
            ("AKIA", _UPPER, 16),
            ("ghp_", _LETTERS, 36),
            ("gho_", _LETTERS, 36),
            ("github_pat_", _LETTERS, 82),
        ),
        *(("glpat-", _URL, 20), ("xoxb-1234567890-", _LETTERS, 24), ("sk_live_", _LETTERS, 24)),
        *(("rk_test_", _LETTERS, 24), ("sk-proj-", _URL, 48), ("AIza", _URL, 35), ("ya29.", _URL, 60)),
        *(("SG.", _URL, 22), ("npm_", _LETTERS, 36), ("hf_", _LETTERS, 34), ("dop_v1_", _HEX, 64)),
        *(("shpat_", _HEX, 32), ("sq0csp-", _URL, 43), ("lin_api_", _LETTERS, 40), ("figd_", _URL, 40)),
        *(("glsa_", _LETTERS, 32), ("dapi", _HEX, 32), ("hvs.", _URL, 90), ("pul-", _HEX, 40)),
        *(("whsec_", _LETTERS, 32), ("AC", _HEX, 32), ("key-", _HEX, 32), ("NRAK-", _UPPER, 27)),
    ),
    "held_out": (
        *(
            ("ASIA", _UPPER, 16),
            ("ghs_", _LETTERS, 36),
            ("glrt-", _URL, 20),
            ("xoxp-1234567890-", _LETTERS, 32),
        ),
        *(("xapp-1-A0123-", _HEX, 64), ("sk-ant-api03-", _URL, 93), ("GOCSPX-", _URL, 28), ("SK", _HEX, 32)),
        *(("pypi-AgEIcHlwaS5vcmc", _URL, 60), ("dckr_pat_", _URL, 27), ("shpss_", _HEX, 32)),
        *(("EAAA", _URL, 60), ("ntn_", _LETTERS, 46), ("sntryu_", _HEX, 64), ("glc_", _LETTERS, 60)),
        *(("sbp_", _HEX, 40), ("gsk_", _LETTERS, 52), ("r8_", _LETTERS, 37), ("xai-", _LETTERS, 80)),
        *(("pscale_tkn_", _URL, 43), ("tskey-auth-", _LETTERS, 30), ("ATATT3xFfGF0", _URL, 180)),
        *(("LTAI", _LETTERS, 20), ("rubygems_", _HEX, 48), ("rdme_", _LETTERS, 70), ("dp.pt.", _LETTERS, 43)),
        *(("re_", _LETTERS, 33), ("PMAK-", _HEX, 24), ("xkeysib-", _HEX, 64)),
    ),
}
_AROUND = {
    "work": ("{}", "Use {} for now.", "export KEY={}", '"key": "{}",', "https://x.example/?t={}", "`{}`"),
    "held_out": ("({})", "it was {}, I think", "KEY: {}", "{{'a': '{}'}}", "-H 'X-Key: {}'", "x={};"),
}
# What a password follows, and how it is written there.
_NAMED = {
    "work": (
        *(
            "Password: {}",
            "DB_PASSWORD={}",
            "my password is {}",
            "password = '{}'",
            "redis://:{}@cache:6379/0",
        ),
        *(
            "postgres://app:{}@db:5432/x",
            "Authorization: Basic {}",
            "DEPLOY_TOKEN={}",
            '"secretAccessKey": "{}"',
        ),
        *("Passwort: {}", "mot de passe : {}", "contraseña: {}", "password: {}", "client_secret={}"),
        *("curl -u ann:{} https://x.example", "<password>{}</password>", "wachtwoord: {}", "senha: {}"),
    ),
    "held_out": (
        *(
            "PASSWORD = {}",
            "MYSQL_ROOT_PASSWORD: {}",
            "the wifi password is {}",
            "amqps://bee:{}@mq.example/v",
        ),
        *("CI_TOKEN='{}'", "'clientSecret': '{}'", "Kennwort: {}", "hasło: {}"),
        *("SharedAccessKey={}", "X-Auth-Token: {}", "SECRET_KEY = '{}'", "login: bee password: {}"),
        *("mongodb+srv://bee:{}@c0.example.net/db", "passphrase: '{}'", "API_SECRET={}", "pwd={};"),
        *("machine h.example login bee password {}",),
    ),
}
_AUTHORIZATIONS = {"work": "Authorization: Basic {}", "held_out": "'Authorization': 'Bearer {}'"}
_ARMOUR = "-----BEGIN {0} PRIVATE KEY-----\n{1}{2}\n-----END {0} PRIVATE KEY-----"
_HEADERS = ("", "Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,9F8A\n\n", "Comment: my key\n\n")


def secret(random: Random, half: str) -> tuple[str, int, int]:
    """Return a text with a secret, and where in it the secret begins and ends."""
    chosen = random.random()
    if chosen < 0.08:
        body = "\n".join(_some(random, _LETTERS + "+/", 64) for _ in range(3))
        key = _ARMOUR.format(random.choice(("RSA", "EC", "OPENSSH")), random.choice(_HEADERS), body)
        return key, 0, len(key)
    if chosen < 0.14:
        header = _AUTHORIZATIONS[half]
        return _placed(
            header, _some(random, _LETTERS, random.choice((16, 22, 40))) + random.choice(("", "="))
        )
    if chosen < 0.6:
        begin, characters, count = random.choice(_TOKENS[half])
        value = begin + _some(random, characters, count)
        if begin == "SG.":
            value += "." + _some(random, _URL, 43)
        return _placed(random.choice(_AROUND[half]), value)
    value = (
        random.choice(("hunter", "Tr0ub", "geheim", "Sommer", "qzx")) + _some(random, _LETTERS, 3) + "7!9x"
    )
    return _placed(random.choice(_NAMED[half]), value + _some(random, _LETTERS, random.choice((0, 0, 24))))


def _some(random: Random, characters: str, count: int) -> str:
    return "".join(random.choice(characters) for _ in range(count))


def _placed(around: str, value: str) -> tuple[str, int, int]:
    start = around.replace("{{", "{").index("{}")
    return around.format(value), start, start + len(value)
