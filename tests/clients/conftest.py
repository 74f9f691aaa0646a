"""What do the tests of generated clients stand on? The Python client, made once, and who asks by it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import pytest

from clients.generate import PACKAGE, description, generate
from tests.web.conftest import settings, start_server

__all__ = ["settings", "start_server"]


@pytest.fixture(scope="session")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The Python client, which can be imported from now on; returns which module has which operation."""
    described, folder = description(), tmp_path_factory.mktemp("clients")
    generate(described, folder)
    sys.path.insert(0, str(folder))
    yield {
        operation["operationId"]: f"{PACKAGE}.api.{operation['tags'][0]}.{operation['operationId']}"
        for methods in described["paths"].values()
        for operation in methods.values()
    }
    sys.path.remove(str(folder))


@dataclass
class Asking:
    """Someone who asks a server by the generated client, and by nothing else."""

    modules: dict[str, str]
    url: str
    token: str | None = None

    def __call__(self, operation: str, *path: object, status: int = 200, **more: Any) -> Any:
        """Return what an operation is answered, as the client's own types; it must have that status."""
        module = import_module(self.modules[operation])
        with self._client() as client:
            answer = module.sync_detailed(*path, client=client, **more)
        assert answer.status_code == status, (operation, path, answer.status_code, answer.content)
        return answer.parsed

    def body(self, model: str, **members: Any) -> Any:
        """Return a body of the client's own type."""
        return getattr(import_module(f"{PACKAGE}.models"), model).from_dict(members)

    def logged_in(self, username: str, password: str) -> Asking:
        """Return the same as someone with an account."""
        token = self("login", body=self.body("Login", username=username, password=password))
        return Asking(self.modules, self.url, token.access_token)

    def _client(self) -> Any:
        client = import_module(f"{PACKAGE}.client")
        if self.token is None:
            return client.Client(base_url=self.url, raise_on_unexpected_status=True)
        return client.AuthenticatedClient(
            base_url=self.url, token=self.token, raise_on_unexpected_status=True
        )


@pytest.fixture
def asking(generated: dict[str, str]) -> Callable[[int], Asking]:
    """`asking(port)`: a stranger who asks the server there."""
    return lambda port: Asking(generated, f"http://127.0.0.1:{port}")
