"""Where may a webhook be sent? Nowhere within: by no form of an address, by no name, by no redirect."""

from __future__ import annotations

import datetime
import ipaddress
import random
import socket
import ssl
import threading
import time
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from app.server import webhook_targets
from app.server.webhook_targets import send
from app.special_networks import GLOBAL_UNICAST as UNICAST
from app.special_networks import REFUSED, is_public

FORMS_THAT_CARRY_IPV4 = (
    *("::", "::ffff:", "::ffff:0:", "64:ff9b::", "64:ff9b:1::", "64:ff9b:1:ffff:ffff:ffff:"),
    *("2002:", "2001:0:0:0:0:0:", "2001:0:5db8:d822::"),
)
NO_ADDRESSES = ("no address", "", "127.0.0.1.example", "0x7f.1", "2606:2800:220:1::1%eth0", "0300.0.0.1")
OUTSIDE = ("93.184.216.34", "8.8.8.8", "2606:2800:220:1::1", "2a01:4f8::1", "2001:470:1::1", "1.1.1.1")
PUBLIC_IPV4 = "93.184.216.34"


def within() -> list[str]:
    """The first, the last and some address of each refused network, and its neighbours' spellings."""
    drawn, found = random.Random(4711), list[str]()
    for each in map(ipaddress.ip_network, REFUSED):
        places = {0, each.num_addresses - 1, each.num_addresses // 2, drawn.randrange(each.num_addresses)}
        for place in sorted(places):
            address = each[place]
            found.append(str(address))
            if isinstance(address, ipaddress.IPv6Address):
                found += [address.exploded, str(address).upper(), f"{address}%eth0"]
    for carried in (PUBLIC_IPV4, "10.0.0.1", "127.0.0.1", "169.254.169.254"):
        number = int(ipaddress.IPv4Address(carried))
        high, low = f"{number >> 16:x}", f"{number & 0xFFFF:x}"
        found += [f"{each}{high}:{low}{'::' if each == '2002:' else ''}" for each in FORMS_THAT_CARRY_IPV4]
        found += [f"::ffff:{carried}", f"::{carried}", f"64:ff9b::{carried}"]
    return found


def test_only_the_public_internet_is_public() -> None:
    assert [each for each in (*within(), *NO_ADDRESSES) if is_public(each)] == []
    assert [each for each in OUTSIDE if not is_public(each)] == []


def test_of_ipv6_only_global_unicast_is_public() -> None:
    """Nothing that is assigned to no one yet, and nothing that the library of this Python does not know."""
    blocks = [each for each in ipaddress.ip_network("::/0").subnets(new_prefix=8) if each[1] not in UNICAST]
    assert len(blocks) == 224
    assert [each for each in blocks if is_public(str(each[1]))] == []


def test_of_several_addresses_of_a_name_all_must_be_public(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "create_connection", lambda *_given, **_more: pytest.fail("it was asked"))
    drawn = random.Random(815)
    for address in within():
        found = drawn.sample(OUTSIDE, drawn.randrange(4))
        found.insert(drawn.randrange(len(found) + 1), address)
        tried = send("https://a.example/", {}, b"", allows_loopback=True, resolver=lambda *_given, f=found: f)
        assert (tried.status, tried.fault) == (None, "not_public"), found


@pytest.mark.parametrize("address", ["127.0.0.1", "::ffff:10.0.0.1"])
def test_a_name_of_which_one_address_is_within_is_refused(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket, "create_connection", lambda *_given, **_more: pytest.fail("it was asked"))
    for found in ([address], [OUTSIDE[0], address]):
        tried = send(
            "https://a.example/", {}, b"", allows_loopback=True, resolver=lambda *_given, found=found: found
        )
        assert (tried.status, tried.fault) == (None, "not_public")
    for host in ("localhost", "127.0.0.1", "[::1]", "2130706433", "0x7f000001", "127.1"):
        tried = send(f"https://{host}/", {}, b"", allows_loopback=True)
        assert tried.fault in ("not_public", "no_address"), host


def test_a_name_is_resolved_once_and_the_connection_goes_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second look at the name would lead elsewhere; the certificate is that of the name."""
    asked: list[str] = []
    context, trusting = certificate(tmp_path, "hooks.example")
    monkeypatch.setattr(webhook_targets, "_context", lambda: trusting)
    monkeypatch.setattr(webhook_targets, "is_public", lambda address: address == "127.0.0.1")
    monkeypatch.setattr(socket, "getaddrinfo", _no_second_look(socket.getaddrinfo))
    with Answering(b"HTTP/1.1 204 No Content\r\n\r\n", context) as server:

        def resolver(host: str, _port: int) -> list[str]:
            asked.append(host)
            return ["127.0.0.1"]

        url = f"https://hooks.example:{server.port}/in"
        tried = send(url, {"webhook-id": "msg_1"}, b"{}", allows_loopback=False, resolver=resolver)
        assert (tried.status, tried.fault) == (204, None)
        assert f"host: hooks.example:{server.port}".encode() in server.got.lower()
        other = url.replace("hooks.example", "other.example")
        tried = send(other, {}, b"{}", allows_loopback=False, resolver=resolver)
        assert (tried.status, tried.fault) == (None, "tls_failed"), "the certificate is of another name"
    assert asked == ["hooks.example", "other.example"]


def _no_second_look(real: object) -> object:
    def look(host: str, *given: object, **more: object) -> object:
        assert host == "127.0.0.1", "a name was resolved again"
        return real(host, *given, **more)  # type: ignore[operator]

    return look


@pytest.mark.parametrize(
    ("answer", "fault"),
    [
        (b"", "no_answer"),
        (b"nonsense\r\n\r\n", "no_answer"),
        (b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 5_000, "no_answer"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n" + b"x" * 100_000, None),
        (b"HTTP/1.1 307 Temporary Redirect\r\nLocation: http://169.254.169.254/\r\n\r\n", "redirect"),
    ],
)
def test_no_answer_leads_on_or_is_read_whole(answer: bytes, fault: str | None) -> None:
    with Answering(answer) as server:
        tried = send(f"http://127.0.0.1:{server.port}/", {}, b"", allows_loopback=True)
    assert tried.fault == fault


@pytest.mark.parametrize("url", ["https://[::1", "https://a.example:port/", "https://.example/", "https:///"])
def test_an_address_in_the_database_that_is_none_is_not_reached(url: str) -> None:
    assert send(url, {}, b"", allows_loopback=True).fault in ("no_answer", "no_address")


@pytest.mark.parametrize("is_tls", [False, True])
def test_who_drips_is_cut_off(is_tls: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    context, trusting = certificate(tmp_path, "hooks.example") if is_tls else (None, None)
    monkeypatch.setattr(webhook_targets, "_context", lambda: trusting)
    monkeypatch.setattr(webhook_targets, "is_public", lambda address: address == "127.0.0.1")
    monkeypatch.setattr(webhook_targets, "WHOLE_SECONDS", 0.8)
    with Answering(b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 50, context, drips=True) as server:
        began = time.monotonic()
        place = f"https://hooks.example:{server.port}/" if is_tls else f"http://127.0.0.1:{server.port}/"
        tried = send(place, {}, b"", allows_loopback=True, resolver=lambda *_given: ["127.0.0.1"])
    assert tried.fault in ("no_answer", "too_slow")
    assert time.monotonic() - began < 5


class Answering:
    """A server that reads one request and answers these bytes, for each connection."""

    def __init__(self, answer: bytes, context: ssl.SSLContext | None = None, *, drips: bool = False) -> None:
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.port = self.listening.getsockname()[1]
        self.got = b""
        self._given = answer, context, drips
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> Answering:
        self._thread.start()
        return self

    def __exit__(self, *_given: object) -> None:
        self.listening.close()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self.listening.accept()
                self._answer(connection)
            except OSError:
                if self.listening.fileno() < 0:
                    return

    def _answer(self, raw: socket.socket) -> None:
        answer, context, drips = self._given
        with raw, context.wrap_socket(raw, server_side=True) if context else raw as connection:
            self.got += connection.recv(65_536)
            for place in range(0, len(answer), 1 if drips else len(answer) or 1):
                connection.sendall(answer[place : place + 1] if drips else answer)
                time.sleep(0.05 if drips else 0)


def certificate(folder: Path, name: str) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """Return what a server of that name serves with, and what trusts it."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "both.pem").write_bytes(private + made.public_bytes(pem))
    (folder / "trusted.pem").write_bytes(made.public_bytes(pem))
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(folder / "both.pem")
    return serving, ssl.create_default_context(cafile=str(folder / "trusted.pem"))
