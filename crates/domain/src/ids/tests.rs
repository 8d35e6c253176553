use super::*;

#[test]
fn names_follow_the_stated_shape() {
    for good in ["web1", "A", "a_b-C9", &"x".repeat(63)] {
        assert!(ServerName::parse(good).is_ok(), "{good}");
    }
    let long = "x".repeat(64);
    let megabyte = "a".repeat(1_000_000);
    let bad = [
        "",
        "1web",
        "-a",
        "a b",
        "a\n",
        "a;b",
        "a\"",
        "$(id)",
        "<script>",
        "é",
        &long,
        &megabyte,
        "All",
        "Keeper",
        "haproxy-web",
        "web",
    ];
    for bad in bad {
        assert!(ServerName::parse(bad).is_err(), "{bad}");
    }
}

#[test]
fn addresses_are_addresses_or_rfc_1123_names() {
    for good in ["10.0.0.15", "::1", "web3", "web-3.lan", "127.0.0.1"] {
        assert!(Host::parse(good).is_ok(), "{good}");
    }
    for bad in [
        "",
        "10.0.0.315",
        "1.2.3",
        "a_b",
        "a..b",
        "-a",
        "a-",
        "0.0.0.0",
        "169.254.1.1",
        "a\nb",
        "x;y",
        "224.0.0.1",
    ] {
        assert!(Host::parse(bad).is_err(), "{bad}");
    }
}

#[test]
fn a_forbidden_address_is_refused_in_every_spelling() {
    for bad in [
        "169.254.169.254",
        "::ffff:169.254.169.254",
        "::FFFF:A9FE:A9FE",
        "0:0:0:0:0:ffff:a9fe:a9fe",
        "::169.254.169.254",
        "::ffff:0:169.254.169.254",
        "64:ff9b::169.254.169.254",
        "64:ff9b:1::a9fe:a9fe",
        "2002:a9fe:a9fe::1",
        "fe80::1",
        "fe80::1%eth0",
        "fd00:ec2::254",
        "2852039166",
        "0xa9fea9fe",
        "0XA9FEA9FE",
        "169.254.0xa9fe",
        "0xa9.0xfe.0xa9.0xfe",
        "0251.0376.0251.0376",
        "169.254.169.254.",
        "a.254",
        "0x",
        "0.0.0.0",
        "::",
        "::ffff:0.0.0.0",
        "255.255.255.255",
        "::ffff:255.255.255.255",
        "224.0.0.1",
        "::ffff:224.0.0.1",
        "ff02::1",
    ] {
        assert!(Host::parse(bad).is_err(), "{bad}");
    }
    for good in ["::1", "::ffff:10.0.0.3", "2001:db8::1", "64:ff9b::10.0.0.3", "0x.lan", "a1.b2", "web-0x1"] {
        assert!(Host::parse(good).is_ok(), "{good}");
    }
    // An older version accepted this address and stored it.
    let kept = Host::try_from("::ffff:169.254.1.1".to_owned()).unwrap();
    assert!(matches!(kept, Host::Ip(ip) if !usable(ip)));
}

#[test]
fn an_ipv6_address_may_stand_in_brackets_and_does_before_a_port() {
    for (typed, kept, with_port) in [
        ("[::1]", "::1", "[::1]:80"),
        ("::1", "::1", "[::1]:80"),
        ("[2001:DB8:0:0::5]", "2001:db8::5", "[2001:db8::5]:80"),
        ("10.0.0.3", "10.0.0.3", "10.0.0.3:80"),
        ("web3.lan", "web3.lan", "web3.lan:80"),
    ] {
        let host = Host::parse(typed).expect(typed);
        assert_eq!((host.to_string().as_str(), host.with_port(80).as_str()), (kept, with_port));
        assert_eq!(Host::try_from(host.to_string()), Ok(host), "what is written down is read again");
    }
    for bad in [
        "[",
        "]",
        "[]",
        "[::1",
        "::1]",
        "[[::1]]",
        "[ ::1 ]",
        "[::1]:80",
        "[::1%lo]",
        "[127.0.0.1]",
        "[localhost]",
        "[::ffff:169.254.169.254]",
        "[fe80::1]",
        "[fe80::1%eth0]",
        "[ff02::1]",
        "[::]",
        "[fd00:ec2::254]",
        "[64:ff9b::169.254.169.254]",
    ] {
        assert!(Host::parse(bad).is_err(), "{bad}");
    }
}

#[test]
fn two_ways_to_write_one_address_are_one_host() {
    let host = |text: &str| Host::parse(text).expect("a host");
    let here = ["127.0.0.1", "localhost", "LOCALHOST", "::1", "[::1]", "::ffff:127.0.0.1", "web.localhost"];
    for (one, other) in here.iter().flat_map(|a| here.iter().map(move |b| (a, b))) {
        assert!(host(one).same_as(&host(other)), "{one} {other}");
    }
    assert!(host("::ffff:10.0.0.3").same_as(&host("10.0.0.3")));
    for other in ["127.0.0.2", "web.lan", "10.0.0.3", "::2"] {
        assert!(!host(other).same_as(&host("127.0.0.1")), "{other}");
    }
    // Other ways in which an operator might write this machine's address are refused: they are malformed, or mean
    // every address.
    for bad in ["127.1", "0.0.0.0", "::", "0127.0.0.1"] {
        assert!(Host::parse(bad).is_err(), "{bad}");
    }
}

#[test]
fn ports_are_1_to_65535() {
    assert_eq!(parse_port("80"), Ok(80));
    for bad in ["", "0", "65536", "-1", "+80", "8o", "000080"] {
        assert!(parse_port(bad).is_err(), "{bad}");
    }
}

#[test]
fn cookies_are_tokens() {
    assert!(Cookie::parse("S3").is_ok());
    for bad in ["", "a b", "a;b", "\"", "a\n", "a#b", "$x", "é"] {
        assert!(Cookie::parse(bad).is_err(), "{bad}");
    }
}
