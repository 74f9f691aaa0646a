"""Where does a request come from, whatever it says? Its address, and whether it came from this machine."""

from __future__ import annotations

from typing import Any

import pytest

from app.server.client_address import address_of, find_address, is_local_client, scheme_of


def scope(peer: str | None = "127.0.0.1", http_version: str = "1.1", **headers: str) -> dict[str, Any]:
    named = {"host": "localhost:8004", **{name.replace("_", "-"): value for name, value in headers.items()}}
    sent = [(name.encode(), value.encode("latin-1")) for name, value in named.items()]
    client = (peer, 1234) if peer else None
    return {"client": client, "headers": sent, "scheme": "http", "http_version": http_version}


@pytest.mark.parametrize("peer", ["127.0.0.1", "127.3.2.1", "::1", "::ffff:127.0.0.1"])
@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST:8004", "localhost:1", "127.0.0.1:8004", "[::1]:8004"]
)
def test_a_direct_request_from_the_machine_itself_is_let_in(peer: str, host: str) -> None:
    assert is_local_client(scope(peer, host=host))


@pytest.mark.parametrize("peer", ["192.0.2.1", "10.0.0.1", "172.17.0.1", "::2", "testclient", "", None])
def test_any_other_peer_is_not(peer: str | None) -> None:
    assert not is_local_client(scope(peer))


@pytest.mark.parametrize(
    "host",
    ["", "daemon.example", "localhost.example", "127.0.0.1.example", "localhost@evil.example",
     "evil@localhost", "localhost:x", "[::1", "0.0.0.0:8004", "127.0.0.2", "localhost:0", "localhost."],
)  # fmt: skip
def test_any_other_name_is_not(host: str) -> None:
    assert not is_local_client(scope(host=host))


@pytest.mark.parametrize(
    "header",
    ["forwarded", "x_forwarded_for", "x_forwarded_host", "x_forwarded_proto", "x_forwarded", "x_real_ip",
     "via", "cf_connecting_ip", "true_client_ip", "x_client_ip", "cf_ray", "cdn_loop", "x_forwarded_port",
     "x_forwarded_server", "x_original_host", "x_original_url", "x_original_uri", "x_rewrite_url", "x_scheme",
     "x_request_start", "x_queue_start", "x_request_id", "x_amzn_trace_id", "x_amz_cf_id", "x_trace_context",
     "fly_client_ip", "fly_forwarded_port", "fastly_client_ip", "x_envoy_external_address", "x_azure_ref",
     "x_arr_log_id", "x_appengine_user_ip", "x_nf_client_connection_ip", "x_vercel_id", "x_varnish",
     "x_b3_spanid", "traceparent", "tracestate", "client_ip", "x_cluster_client_ip", "x_proxyuser_ip",
     "proxy_connection", "x_auth_request_user", "remote_user", "tailscale_user_login", "akamai_origin_hop",
     "surrogate_capability", "max_forwards", "front_end_https", "ssl_client_verify",
     "x_of_a_proxy_that_nobody_knows_yet"],
)  # fmt: skip
@pytest.mark.parametrize("value", ["", "127.0.0.1"])
def test_whatever_a_proxy_adds_closes_it(header: str, value: str) -> None:
    assert not is_local_client(scope(**{header: value}))


@pytest.mark.parametrize("version", ["1.0", "0.9", ""])
def test_what_speaks_as_older_proxies_do_is_not(version: str) -> None:
    assert not is_local_client(scope(http_version=version))


BROWSER = {
    "user-agent": "Mozilla/5.0", "accept": "*/*", "accept-language": "en", "accept-encoding": "gzip, br",
    "connection": "keep-alive", "sec-ch-ua": '"x"', "sec-ch-ua-mobile": "?0", "sec-ch-ua-platform": '"Linux"',
    "sec-fetch-site": "none", "sec-fetch-mode": "navigate", "sec-fetch-user": "?1", "sec-fetch-dest": "image",
    "upgrade-insecure-requests": "1", "dnt": "1", "sec-gpc": "1", "priority": "u=0, i",
}  # fmt: skip
CURL = {
    "user-agent": "curl/8.5.0",
    "accept": "*/*",
    "content-type": "application/json",
    "content-length": "40",
}


@pytest.mark.parametrize("sent", [{}, BROWSER, CURL, {**CURL, "expect": "100-continue"}])
def test_what_curl_and_browsers_send_of_their_own_leaves_it_open(sent: dict[str, str]) -> None:
    assert is_local_client(scope(**sent))


@pytest.mark.parametrize(
    "origin",
    [
        "null",
        "",
        "https://evil.example",
        "http://localhost",
        "https://localhost:8004",
        "http://127.0.0.1:8004",
    ],
)
def test_a_page_of_another_origin_is_not_let_in(origin: str) -> None:
    assert not is_local_client(scope(origin=origin))


@pytest.mark.parametrize("site", ["cross-site", "same-site", ""])
def test_a_browser_that_says_it_comes_from_elsewhere_is_not_let_in(site: str) -> None:
    assert not is_local_client(scope(sec_fetch_site=site))


def test_its_own_page_and_an_address_typed_in_are() -> None:
    assert is_local_client(scope(origin="http://localhost:8004", sec_fetch_site="same-origin"))
    assert is_local_client(scope(sec_fetch_site="none"))


def test_a_proxys_word_counts_only_where_the_proxy_is_trusted() -> None:
    asked = scope(
        "10.0.0.9", x_forwarded_for="203.0.113.9, 198.51.100.7, 10.0.0.8", x_forwarded_proto="https"
    )
    assert address_of(asked, ()) == "10.0.0.9"
    assert address_of(asked, ("192.0.2.0/24",)) == "10.0.0.9"
    assert address_of(asked, ("10.0.0.0/8",)) == "198.51.100.7"
    assert scheme_of(asked, ()) == "http"
    assert scheme_of(asked, ("10.0.0.0/8",)) == "https"
    assert address_of(scope("10.0.0.9", x_forwarded_for="junk"), ("10.0.0.0/8",)) == "10.0.0.9"
    assert address_of(scope("10.0.0.9"), ("10.0.0.0/8",)) == "10.0.0.9"


# -- addresses


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("7.7.7.7:4444", "7.7.7.7"),
        ("[::1]:80", "::1"),
        ("[2001:db8::1]", "2001:db8::1"),
        ('"[2001:DB8::1]:4711"', "2001:db8::1"),
        ("2001:db8::1", "2001:db8::1"),
        ("fe80::1%eth0", "fe80::1"),
        ("[fe80::1%25eth0]:80", "fe80::1"),
        ("::ffff:7.7.7.7", "7.7.7.7"),
        ("[::ffff:7.7.7.7]:1", "7.7.7.7"),
        (" 7.7.7.7 ", "7.7.7.7"),
    ],
)
def test_an_address_is_understood_as_proxies_write_it(said: str, meant: str) -> None:
    assert find_address(said) == meant
    asked = scope("10.0.0.9", x_forwarded_for=f"1.1.1.1, {said}, 10.0.0.8:99")
    assert address_of(asked, ("10.0.0.0/8",)) == meant


@pytest.mark.parametrize(
    "said", ["unknown", "_hidden", "7.7.7", "7.7.7.7:x", "7.7.7.7:1:2", "[::1", "", "[]:80", "::1]"]
)
def test_what_is_no_address_is_the_proxys_own_word(said: str) -> None:
    assert find_address(said) is None
    asked = scope("10.0.0.9", x_forwarded_for=f"1.1.1.1, {said or '-'}")
    assert address_of(asked, ("10.0.0.0/8",)) == "10.0.0.9"
