import pandas as pd
import pytest

from cohortlab.sources.domains import registrable_domain, registrable_domains, top_level


@pytest.mark.parametrize(
    ("host", "domain"),
    [
        ("mail.google.com", "google.com"),
        ("https://www.bbc.co.uk:443/news?x=1", "bbc.co.uk"),
        (" GOOGLE.DE. ", "google.de"),
        ("müller.de", "müller.de"),
        ("someone.github.io", "github.io"),
        ("localhost", "localhost"),
        ("192.168.1.1", "192.168.1.1"),
        ("co.uk", None),
        ("", None),
    ],
)
def test_the_registered_domain_of_a_host(host, domain):
    assert registrable_domain(host) == domain


def test_content_hosts_count_for_the_site_they_serve():
    hosts = pd.Series(["i.ytimg.com", "www.youtube.com", None, "", "a.de"], index=list("abcde"))
    found = registrable_domains(hosts, content_hosts={"ytimg.com": "youtube.com"})
    assert found.index.tolist() == list("abcde")
    assert found.isna().tolist() == [False, False, True, True, False]
    assert found.dropna().tolist() == ["youtube.com", "youtube.com", "a.de"]


def test_chains_of_content_hosts_are_refused():
    with pytest.raises(ValueError, match=r"a\.com stands for b\.com"):
        registrable_domains(
            pd.Series(["a.com"]), content_hosts={"a.com": "b.com", "b.com": "c.com"}
        )


def test_looking_up_domains_asks_no_network_and_writes_no_file(tmp_path, monkeypatch):
    import socket

    def refuse(*arguments, **options):
        raise AssertionError("a connection was opened")

    monkeypatch.setattr(socket, "create_connection", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert registrable_domain("never.seen.example.org") == "example.org"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("domain", "suffix"), [("bbc.co.uk", "co.uk"), ("127.0.0.1", ""), ("localhost", "")]
)
def test_the_suffix_of_a_domain(domain, suffix):
    assert top_level(domain) == suffix
