"""What is expected of a generated old database? Written down by hand, never computed by the product."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Account:
    """An account and the password that its old hash was made of."""

    id: int
    username: str
    password: str
    is_active: bool = True
    is_admin: bool = False


@dataclass(frozen=True)
class ApiKey:
    """An API key as its owner has it; it works when its account is active and it has not expired."""

    text: str
    username: str
    works: bool


PublicIds = dict[tuple[str, str], frozenset[int]]


@dataclass(frozen=True)
class Facts:
    """What a database is and what must come of it.

    ``exit_code`` is that of `daemon upgrade run`: 0 means that it upgrades. ``public_ids`` are the entries
    that a stranger may see after it, by (user name, kind); what is not named has none. ``drift`` and
    ``extras`` are names as the recognition gives them; ``adopted`` are the odd tables that are made anew.
    """

    name: str
    exit_code: int = 0
    public_ids: PublicIds = field(default_factory=dict)
    accounts: tuple[Account, ...] = ()
    api_keys: tuple[ApiKey, ...] = ()
    variants: dict[str, str] = field(default_factory=dict)
    adopted: frozenset[str] = frozenset()
    extras: frozenset[str] = frozenset()
    drift: frozenset[str] = frozenset()
    claims: tuple[str, ...] = ()
    is_contradicted: bool = False
    orphans: int = 0
    journal_mode: str = "delete"

    @property
    def upgrades(self) -> bool:
        """Whether an upgrade is expected to succeed."""
        return self.exit_code == 0
