"""A synthetic browsing log of a panel of users, with its truth beside it."""

import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from cohortlab.synthetic.checks import read_day
from cohortlab.synthetic.event_sessions import place_sessions
from cohortlab.synthetic.line_faults import (
    Damage,
    Fields,
    cut_or_surplus,
    join_line,
    repeated,
    replaced,
    without,
)
from cohortlab.synthetic.lines import as_text, pick, stack, write_lines, write_table
from cohortlab.synthetic.relations import Preferences, relation_matrix, relation_table
from cohortlab.synthetic.visit_settings import check_visit_settings
from cohortlab.synthetic.visit_users import (
    Browsing,
    draw_domains,
    draw_interests,
    draw_sequences,
    draw_times,
    make_web,
)

HEADER = b"panelist_id,used_at,domain,active_seconds\n"
PERSON, TIME, DOMAIN, SECONDS = range(4)
USER_SCHEMA = pa.schema([("person_id", pa.int64()), ("user_type", pa.string())])
PREFIXES = ("www.", "", "m.", "login.")
PREFIX_SHARES = (0.6, 0.25, 0.1, 0.05)
DAMAGES: dict[str, Damage] = {
    "missing_person": without(PERSON),
    "missing_domain": without(DOMAIN),
    "unreadable_time": replaced(TIME, ("unknown", "2018-13-01 10:00:00", "1538352000x")),
    "negative_seconds": replaced(SECONDS, ("-1", "-35")),
    "repeated": repeated(),
    "malformed_line": cut_or_surplus(2),
}


def generate_visit_log(
    folder: Path,
    truth_folder: Path,
    *,
    rng: np.random.Generator,
    n_users: int,
    days: int,
    start: str,
    gap_sec: int,
    records: Mapping,
    types: Mapping,
    categories: Mapping,
    relation_strength: float,
    preferences: Preferences | None,
    domains_per_user: float,
    repertoire_exponent: float,
    popularity_exponent: float,
    individuality: float,
    faults: Mapping[str, float],
    chunk_users: int,
) -> dict:
    """Write a synthetic browsing log and its truth, a chunk of users at a time.

    Parameters
    ----------
    folder, truth_folder : Path
        Where ``visits.csv`` and the truth go; made where they do not exist.
    rng : numpy.random.Generator
        Source of chance. The same state and settings give the same bytes.
    n_users : int
        Users.
    days : int
        Length of the window in which sequences start, days, at least 7.
    start : str
        First day of the window.
    gap_sec : int
        Gaps within a sequence are shorter, gaps between a user's sequences longer, seconds.
    records : mapping
        ``median``, ``mean`` and ``maximum`` of a user's records, whose logarithm is normal.
    types : mapping
        User types by name, each with the keys of `visit_settings.TYPE_KEYS`.
    categories : mapping
        Categories of domains by name, each with ``share``, ``domains`` and ``portals``.
    relation_strength : float
        0 (all types visit alike) to 1 (each as it prefers).
    preferences : mapping of str to str or mapping, or None
        For every user type its preferred category, or relative propensities of several; None deals
        single categories out at random.
    domains_per_user : float
        Places in the repertoire of a user with the mean number of records.
    repertoire_exponent : float
        How the repertoire grows with the records, 0 (not at all) to 1 (in proportion).
    popularity_exponent : float
        Zipf's exponent of the domains of a category.
    individuality : float
        0 (users have the interests of their type) to 1.
    faults : mapping of str to float
        Rate of each fault of `visit_settings.VISIT_FAULTS` for each true line.
    chunk_users : int
        Users made at a time. Memory grows with it, the distribution does not depend on it.

    Returns
    -------
    dict
        Lines written: ``visits`` (faulty ones among them), ``sequences``, ``users``, and ``faults``
        by name.

    Raises
    ------
    ValueError
        If a setting is impossible; the message names type or category and key. Nothing is written
        then.
    """
    check_visit_settings(
        n_users=n_users, days=days, gap_sec=gap_sec, records=records, types=types,
        categories=categories, domains_per_user=domains_per_user,
        repertoire_exponent=repertoire_exponent, popularity_exponent=popularity_exponent,
        individuality=individuality, faults=faults, chunk_users=chunk_users,
    )  # fmt: skip
    interests = relation_matrix(
        list(types), list(categories), strength=relation_strength,
        column_shares=[block["share"] for block in categories.values()],
        preferences=preferences, rng=rng,
    )  # fmt: skip
    plan = Browsing(
        types=types, interests=interests,
        web=make_web(categories, popularity_exponent=popularity_exponent), records=records,
        domains_per_user=domains_per_user, repertoire_exponent=repertoire_exponent,
        individuality=individuality, start_ms=read_day(start).value // 1_000_000, days=days,
        session_gap_sec=gap_sec,
    )  # fmt: skip
    folder, truth_folder = Path(folder), Path(truth_folder)
    for made in (folder, truth_folder):
        made.mkdir(parents=True, exist_ok=True)
    _write_truth(truth_folder, plan)
    counts = _write_visits(folder, truth_folder, plan, n_users, faults, chunk_users, rng)
    planted = {name: counts[name] for name in faults}
    (truth_folder / "faults.json").write_text(json.dumps(planted, indent=2) + "\n")
    totals = {"visits": counts["visits"], "sequences": counts["sequences"], "users": n_users}
    return totals | {"faults": planted}


def _write_truth(folder: Path, plan: Browsing) -> None:
    """Write what is known before anybody browses: domains and interests."""
    web = plan.web
    relation = relation_table(
        plan.interests, list(plan.types), list(web.category_names),
        row_label="user_type", column_label="category",
    )  # fmt: skip
    write_table(folder / "relation.csv", relation)
    categories = pick(web.category_names, web.category).cast(pa.string())
    pq.write_table(
        pa.table({"domain": pa.array(web.names, pa.string()), "category": categories}),
        folder / "domains.parquet",
    )


def _write_visits(
    folder: Path,
    truth_folder: Path,
    plan: Browsing,
    n_users: int,
    faults: Mapping[str, float],
    chunk_users: int,
    rng: np.random.Generator,
) -> Counter:
    counts = Counter(dict.fromkeys(faults, 0))
    shares = [profile["share"] for profile in plan.types.values()]
    kind = rng.choice(len(shares), n_users, p=np.array(shares) / sum(shares))
    users = {"person_id": np.arange(n_users), "user_type": np.array(list(plan.types))[kind]}
    pq.write_table(pa.table(users, schema=USER_SCHEMA), truth_folder / "users.parquet")
    with open(folder / "visits.csv", "wb") as handle:
        handle.write(HEADER)
        for begin in range(0, n_users, chunk_users):
            chunk = kind[begin : begin + chunk_users]
            counts += _write_chunk(handle, plan, chunk, faults, rng, first_user=begin)
    return counts


def _write_chunk(
    handle: BinaryIO,
    plan: Browsing,
    kind: np.ndarray,
    faults: Mapping[str, float],
    rng: np.random.Generator,
    *,
    first_user: int,
) -> Counter:
    """Let some users browse, and write their lines in any order."""
    interests = draw_interests(kind, plan, rng=rng)
    owner, n_visits = draw_sequences(kind, plan, rng=rng)
    sequence = np.repeat(np.arange(len(owner)), n_visits)
    user = owner[sequence]
    domain = draw_domains(user, sequence, kind, interests, plan, rng=rng)
    offset, active = draw_times(user, sequence, kind, plan, rng=rng)
    last = np.flatnonzero(np.diff(sequence, append=-1))
    begin, _ = place_sessions(owner, kind[owner], (offset + active)[last], plan, rng=rng)
    # In whole seconds, as the file has them; the pauses between sequences stay long enough.
    when = begin[sequence] // 1000 * 1000 + offset
    fields = _fields(user + first_user, when, domain, active, plan, rng)
    bad = _faulty(fields, faults, rng)
    lines = stack([join_line(fields), *bad.values()])
    write_lines(handle, lines.take(pa.array(rng.permutation(len(lines)))))
    counts = Counter({name: len(added) for name, added in bad.items()})
    return counts + Counter(visits=len(lines), sequences=len(owner))


def _fields(
    user: np.ndarray,
    when: np.ndarray,
    domain: np.ndarray,
    active: np.ndarray,
    plan: Browsing,
    rng: np.random.Generator,
) -> Fields:
    prefix = pick(PREFIXES, rng.choice(len(PREFIXES), len(user), p=PREFIX_SHARES))
    no_break = pa.scalar("", pa.large_string())
    times = pc.strftime(pa.array(when // 1000).cast(pa.timestamp("s")), "%Y-%m-%d %H:%M:%S")
    return [
        as_text(user),
        times.cast(pa.large_string()),
        pc.binary_join_element_wise(prefix, pick(plan.web.names, domain), no_break),
        as_text(active // 1000),
    ]


def _faulty(
    fields: Fields, rates: Mapping[str, float], rng: np.random.Generator
) -> dict[str, pa.Array]:
    """Make damaged copies of true lines, so that no true visit is lost."""
    lines = {}
    for name, damage in DAMAGES.items():
        count = rng.binomial(len(fields[0]), rates[name])
        chosen = pa.array(rng.choice(len(fields[0]), count, replace=False))
        lines[name] = damage([field.take(chosen) for field in fields], rng)
    return lines
