"""Special-purpose networks (IANA registries). Which addresses are no place in the public internet?

One list, for everything that the server sends by itself to where someone else has said. Of IPv6 only global
unicast is public at all; what carries an IPv4 address within it is refused whole, whatever that address is.
"""

from __future__ import annotations

import ipaddress

REFUSED = {
    "0.0.0.0/8": "this network, and unspecified",
    "10.0.0.0/8": "private",
    "100.64.0.0/10": "shared by customers of a provider (CGNAT)",
    "127.0.0.0/8": "loopback",
    "168.63.129.16/32": "of one cloud: its machines' metadata, at a public address",
    "169.254.0.0/16": "link local, and metadata of most clouds",
    "172.16.0.0/12": "private",
    "192.0.0.0/24": "protocol assignments",
    "192.0.2.0/24": "documentation",
    "192.31.196.0/24": "AS112",
    "192.52.193.0/24": "multicast without multicast (AMT)",
    "192.88.99.0/24": "6to4 relays",
    "192.168.0.0/16": "private",
    "192.175.48.0/24": "AS112",
    "198.18.0.0/15": "benchmarks",
    "198.51.100.0/24": "documentation",
    "203.0.113.0/24": "documentation",
    "224.0.0.0/4": "multicast",
    "240.0.0.0/4": "reserved, and broadcast",
    "::/96": "unspecified, loopback, and IPv4-compatible",
    "::ffff:0:0/96": "IPv4-mapped",
    "::ffff:0:0:0/96": "IPv4-translated (SIIT)",
    "64:ff9b::/96": "translated to IPv4 (NAT64)",
    "64:ff9b:1::/48": "translated to IPv4, locally",
    "100::/64": "discard only",
    "100:0:0:1::/64": "dummy prefix",
    "2001::/32": "Teredo: carries IPv4",
    "2001::/23": "protocol assignments",
    "2001:2::/48": "benchmarks",
    "2001:10::/28": "hashes of keys (ORCHID)",
    "2001:20::/28": "hashes of keys (ORCHIDv2)",
    "2001:db8::/32": "documentation",
    "2002::/16": "6to4: carries IPv4",
    "2620:4f:8000::/48": "AS112",
    "3fff::/20": "documentation",
    "5f00::/16": "segments of routes (SRv6)",
    "fc00::/7": "unique local",
    "fe80::/10": "link local",
    "fec0::/10": "site local",
    "ff00::/8": "multicast",
}
"""Networks, and what each is for."""

GLOBAL_UNICAST = ipaddress.IPv6Network("2000::/3")
_REFUSED = tuple(map(ipaddress.ip_network, REFUSED))


def is_public(text: str) -> bool:
    """Whether an address is of the public internet; what is no address, or has a zone, is not."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    if isinstance(address, ipaddress.IPv6Address) and (address.scope_id or address not in GLOBAL_UNICAST):
        return False
    return address.is_global and not any(address in network for network in _REFUSED)
