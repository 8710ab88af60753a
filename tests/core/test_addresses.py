"""Where calls may go, and whose address a request has."""

import pytest

from core.domain.addresses import AddressRefusedError, Target, check_url, is_public
from core.domain.origin import client_address


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/", "http://127.1/", "http://2130706433/", "http://0177.0.0.1/",
        "http://0x7f.0.0.1/", "http://0x7f000001/", "http://0/", "http://0.0.0.0/",
        "http://10.0.0.1/", "http://172.16.0.1/", "http://192.168.1.1/", "http://169.254.169.254/",
        "http://100.64.0.1/", "http://198.18.0.1/", "http://224.0.0.1/", "http://255.255.255.255/",
        "http://[::1]/", "http://[::]/", "http://[::ffff:127.0.0.1]/", "http://[::ffff:8.8.8.8]/",
        "http://[::127.0.0.1]/", "http://[fe80::1]/", "http://[fe80::1%25eth0]/",
        "http://[fc00::1]/", "http://[64:ff9b::7f00:1]/", "http://[2002:7f00:1::]/",
        "http://[2001::1]/", "http://[2001:db8::1]/", "http://[ff02::1]/",
        "http://user@example.com/", "http://user:pw@example.com/", "http://@example.com/",
        "http://example.com@127.0.0.1/", "http://example.com\\@127.0.0.1/",
        "file:///etc/passwd", "gopher://example.com/", "ftp://example.com/", "javascript:alert(1)",
        "//example.com/", "example.com", "", "http://", "http:///x",
        "http://example.com:22/", "http://example.com:5432/", "http://example.com:6379/",
        "http://example.com:0/", "http://example.com:99999/", "http://example.com:x/",
        "http://exa mple.com/", "http://example.com/\r\nX: y", "http://example.com/\0",
        "http://ex_ample.com/", "http://-example.com/", "http://example..com/", "http://①②⑦.①/",
        "http://[example.com]/", "http://[127.0.0.1]/", "https://example.com/" + "a" * 2048,
        "http://127.0.0.1./", "http://2130706433./",
    ],
)  # fmt: skip
def test_a_url_that_leads_inside_is_refused(url: str) -> None:
    with pytest.raises(AddressRefusedError):
        check_url(url)


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("https://example.com/hook?x=1#y", Target("example.com", 443)),
        ("http://EXAMPLE.com", Target("example.com", 80)),
        ("https://hooks.example.com:8443/a", Target("hooks.example.com", 8443)),
        ("https://93.184.216.34/", Target("93.184.216.34", 443)),
        ("https://[2606:2800:220:1::1]/", Target("2606:2800:220:1::1", 443)),
        ("https://xn--bcher-kva.example/", Target("xn--bcher-kva.example", 443)),
    ],
)
def test_a_public_url_passes(url: str, target: Target) -> None:
    assert check_url(url) == target


@pytest.mark.parametrize("text", ["", "localhost", "1.2.3", "01.2.3.4", "8.8.8.8 ", "８.8.8.8"])
def test_what_is_no_address_is_not_public(text: str) -> None:
    assert not is_public(text)


@pytest.mark.parametrize(
    ("remote", "forwarded_for", "proxy_count", "expected"),
    [
        ("198.51.100.1", None, 0, "198.51.100.1"),
        ("198.51.100.1", "203.0.113.9", 0, "198.51.100.1"),
        ("10.0.0.1", "203.0.113.9", 1, "203.0.113.9"),
        ("10.0.0.1", "6.6.6.6, 203.0.113.9", 1, "203.0.113.9"),
        ("10.0.0.1", "6.6.6.6, 203.0.113.9, 10.0.0.2", 2, "203.0.113.9"),
        ("10.0.0.1", "203.0.113.9", 2, "10.0.0.1"),
        ("10.0.0.1", "nonsense", 1, "10.0.0.1"),
        ("10.0.0.1", "", 1, "10.0.0.1"),
        ("10.0.0.1", "::ffff:203.0.113.9", 1, "203.0.113.9"),
        ("::ffff:198.51.100.1", None, 0, "198.51.100.1"),
        ("", None, 0, None),
        (None, "203.0.113.9", 0, None),
    ],
)
def test_only_our_proxies_say_who_the_client_is(
    remote: str | None, forwarded_for: str | None, proxy_count: int, expected: str | None
) -> None:
    assert client_address(remote, forwarded_for, proxy_count) == expected
