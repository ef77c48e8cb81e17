"""Registrable domains: which part of a host is bought as a name, and which hosts serve another."""

import re
from collections.abc import Mapping
from functools import lru_cache

import pandas as pd
from tldextract import TLDExtract

_ADDRESS = re.compile(r"[\d.]+|\[.*\]")


@lru_cache(maxsize=1)
def _extract() -> TLDExtract:
    # The list of public suffixes that comes with the package: neither fetched nor kept on disk, so
    # that a run does not depend on the day or the machine.
    return TLDExtract(suffix_list_urls=(), cache_dir=None)


def registrable_domain(host: str) -> str | None:
    """
    Give the domain that was registered: the public suffix and one label before it.

    Parameters
    ----------
    host : str
        A host name, with or without scheme, port and path.

    Returns
    -------
    str or None
        In lower case. A name without a public suffix (an address, ``localhost``) stays as it is;
        None where nothing is left, or nothing but a suffix.

    Notes
    -----
    By the Public Suffix List (publicsuffix.org) in the state that the installed tldextract brings,
    its private part left out: all pages at ``github.io`` are one domain.

    Examples
    --------
    >>> registrable_domain("https://www.bbc.co.uk/news"), registrable_domain("localhost")
    ('bbc.co.uk', 'localhost')
    """
    parts = _extract()(host.strip().lower())
    if parts.top_domain_under_public_suffix:
        return parts.top_domain_under_public_suffix
    return None if parts.suffix else parts.domain or None


def registrable_domains(
    hosts: pd.Series, *, content_hosts: Mapping[str, str] | None = None
) -> pd.Series:
    """
    Give the registrable domain of every host, content hosts under the domain that they serve.

    Parameters
    ----------
    hosts : pandas.Series of str, shape (n,)
        Host names; each different one is looked up once.
    content_hosts : mapping of str to str, optional
        Domains that only serve parts of another's pages, to that other domain: ``{"ytimg.com":
        "youtube.com"}``.

    Returns
    -------
    pandas.Series of str, shape (n,)
        The domains, with the same index; missing where there is none.

    Raises
    ------
    ValueError
        If a content host stands for another content host, or for itself.
    """
    served = dict(content_hosts or {})
    chained = sorted(name for name, of in served.items() if of in served)
    if chained:
        raise ValueError(
            f"content_hosts: {chained[0]} stands for {served[chained[0]]}, which is itself listed "
            "as a content host; name the domain that is visited in the end"
        )
    known = {host: registrable_domain(host) for host in hosts.dropna().unique()}
    return hosts.map({host: served.get(name, name) for host, name in known.items()})


def top_level(domain: str) -> str:
    """
    Give the public suffix of a domain, the part that is not its own.

    Parameters
    ----------
    domain : str
        A registrable domain.

    Returns
    -------
    str
        ``co.uk`` of ``bbc.co.uk``; empty for an address or a name without suffix.

    Examples
    --------
    >>> top_level("bbc.co.uk"), top_level("127.0.0.1")
    ('co.uk', '')
    """
    return "" if _ADDRESS.fullmatch(domain) else _extract()(domain).suffix
