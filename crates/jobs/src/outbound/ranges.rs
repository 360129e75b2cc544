//! Which addresses are part of the public internet.
//!
//! IPv4 is public unless listed. IPv6 is public only inside `2000::/3`, less what is listed: everything
//! else, the mapped, translated and tunnelled forms of IPv4 included, is refused, because such an address
//! may lead to a private IPv4 address by another road.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A range of IPv4 addresses that is not public: network, prefix length, name.
type Range4 = (Ipv4Addr, u32, &'static str);

/// A range of IPv6 addresses that is not public although it lies in `2000::/3`.
type Range6 = (Ipv6Addr, u32, &'static str);

/// IPv4 special-purpose ranges (RFC 6890 and its successors).
const NOT_PUBLIC_4: &[Range4] = &[
    (Ipv4Addr::new(0, 0, 0, 0), 8, "this network"),
    (Ipv4Addr::new(10, 0, 0, 0), 8, "private"),
    (Ipv4Addr::new(100, 64, 0, 0), 10, "carrier-grade NAT"),
    (Ipv4Addr::new(127, 0, 0, 0), 8, "loopback"),
    (Ipv4Addr::new(169, 254, 0, 0), 16, "link-local"),
    (Ipv4Addr::new(172, 16, 0, 0), 12, "private"),
    (Ipv4Addr::new(192, 0, 0, 0), 24, "protocol assignments"),
    (Ipv4Addr::new(192, 0, 2, 0), 24, "documentation"),
    (Ipv4Addr::new(192, 88, 99, 0), 24, "6to4 relay"),
    (Ipv4Addr::new(192, 168, 0, 0), 16, "private"),
    (Ipv4Addr::new(198, 18, 0, 0), 15, "benchmarking"),
    (Ipv4Addr::new(198, 51, 100, 0), 24, "documentation"),
    (Ipv4Addr::new(203, 0, 113, 0), 24, "documentation"),
    (Ipv4Addr::new(224, 0, 0, 0), 4, "multicast"),
    (Ipv4Addr::new(255, 255, 255, 255), 32, "broadcast"),
    (Ipv4Addr::new(240, 0, 0, 0), 4, "reserved"),
];

/// Special-purpose ranges inside `2000::/3`.
const NOT_PUBLIC_6: &[Range6] = &[
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 32, "Teredo"),
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23, "protocol assignments"),
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32, "documentation"),
    (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16, "6to4"),
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20, "documentation"),
];

/// Names of the ranges outside `2000::/3` that a person would look for; the rest is "reserved".
const NAMED_6: &[Range6] = &[
    (Ipv6Addr::UNSPECIFIED, 128, "unspecified"),
    (Ipv6Addr::LOCALHOST, 128, "loopback"),
    (Ipv6Addr::new(0, 0, 0, 0, 0, 0xffff, 0, 0), 96, "IPv4-mapped"),
    (Ipv6Addr::new(0, 0, 0, 0, 0, 0, 0, 0), 96, "IPv4-compatible"),
    (Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, 0, 0), 96, "NAT64"),
    (Ipv6Addr::new(0x64, 0xff9b, 1, 0, 0, 0, 0, 0), 48, "local NAT64"),
    (Ipv6Addr::new(0xfc00, 0, 0, 0, 0, 0, 0, 0), 7, "unique local"),
    (Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0), 10, "link-local"),
    (Ipv6Addr::new(0xff00, 0, 0, 0, 0, 0, 0, 0), 8, "multicast"),
];

/// The name of the range that makes `ip` not public, or `None` for a public address.
pub(crate) fn not_public(ip: IpAddr) -> Option<&'static str> {
    match ip {
        IpAddr::V4(ip) => NOT_PUBLIC_4
            .iter()
            .find(|(net, len, _)| same_prefix_4(ip, *net, *len))
            .map(|(_, _, name)| *name),
        IpAddr::V6(ip) => not_public_6(ip),
    }
}

fn not_public_6(ip: Ipv6Addr) -> Option<&'static str> {
    let find = |list: &[Range6]| {
        list.iter().find(|(net, len, _)| same_prefix_6(ip, *net, *len)).map(|(_, _, name)| *name)
    };
    if same_prefix_6(ip, Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3) {
        find(NOT_PUBLIC_6)
    } else {
        find(NAMED_6).or(Some("reserved"))
    }
}

fn same_prefix_4(a: Ipv4Addr, b: Ipv4Addr, len: u32) -> bool {
    let differing = u32::from(a) ^ u32::from(b);
    differing.leading_zeros() >= len
}

fn same_prefix_6(a: Ipv6Addr, b: Ipv6Addr, len: u32) -> bool {
    let differing = u128::from(a) ^ u128::from(b);
    differing.leading_zeros() >= len
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_end_where_they_should() {
        let table = [
            ("0.0.0.0", "this network"),
            ("0.255.255.255", "this network"),
            ("1.0.0.0", ""),
            ("1.1.1.1", ""),
            ("9.255.255.255", ""),
            ("10.0.0.1", "private"),
            ("11.0.0.0", ""),
            ("100.63.255.255", ""),
            ("100.64.0.0", "carrier-grade NAT"),
            ("100.127.255.255", "carrier-grade NAT"),
            ("100.128.0.0", ""),
            ("127.0.0.1", "loopback"),
            ("127.255.255.254", "loopback"),
            ("169.254.169.254", "link-local"),
            ("172.15.255.255", ""),
            ("172.16.0.0", "private"),
            ("172.31.255.255", "private"),
            ("172.32.0.0", ""),
            ("192.0.0.8", "protocol assignments"),
            ("192.0.2.1", "documentation"),
            ("192.168.0.1", "private"),
            ("198.17.255.255", ""),
            ("198.18.0.1", "benchmarking"),
            ("198.19.255.255", "benchmarking"),
            ("198.20.0.0", ""),
            ("203.0.113.9", "documentation"),
            ("223.255.255.255", ""),
            ("224.0.0.1", "multicast"),
            ("239.255.255.255", "multicast"),
            ("240.0.0.1", "reserved"),
            ("255.255.255.255", "broadcast"),
            ("::", "unspecified"),
            ("::1", "loopback"),
            ("::7f00:1", "IPv4-compatible"),
            ("::ffff:127.0.0.1", "IPv4-mapped"),
            ("::ffff:8.8.8.8", "IPv4-mapped"),
            ("64:ff9b::7f00:1", "NAT64"),
            ("64:ff9b:1::a00:1", "local NAT64"),
            ("100::1", "reserved"),
            ("1fff::1", "reserved"),
            ("2001::1", "Teredo"),
            ("2001:1ff::1", "protocol assignments"),
            ("2001:200::1", ""),
            ("2001:4860:4860::8888", ""),
            ("2001:db8::1", "documentation"),
            ("2002:7f00:1::", "6to4"),
            ("2606:4700::1111", ""),
            ("3ffe::1", ""),
            ("3fff:0fff::1", "documentation"),
            ("3fff:1000::1", ""),
            ("4000::1", "reserved"),
            ("fc00::1", "unique local"),
            ("fd00::1", "unique local"),
            ("fe80::1", "link-local"),
            ("febf::1", "link-local"),
            ("fec0::1", "reserved"),
            ("ff02::1", "multicast"),
        ];
        for (ip, expected) in table {
            let found = not_public(ip.parse().unwrap()).unwrap_or("");
            assert_eq!(found, expected, "{ip}");
        }
    }
}
