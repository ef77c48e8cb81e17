"""Settings of the synthetic flow log: what each must be, checked before anything is written."""

from collections.abc import Mapping

from cohortlab.intervals import check_number
from cohortlab.synthetic.checks import check_blocks, check_keys, check_rates
from cohortlab.synthetic.flow_profiles import ATTACKS

SERVICE_KEYS = (
    "share",
    "bytes_sent",
    "bytes_received",
    "bytes_spread",
    "packet_bytes",
    "duration_sec",
    "duration_spread",
)
ATTACK_KEYS = ("campaigns", "flows", "difficulty")
FLOW_FAULTS = (
    "missing_value",
    "infinite_value",
    "not_a_number",
    "negative_value",
    "unreadable_time",
    "malformed_line",
)


def check_flow_settings(
    *,
    days: int,
    flows_per_day: float,
    n_addresses: int,
    peak_hour: float,
    day_swing: float,
    services: Mapping,
    attacks: Mapping,
    faults: Mapping,
) -> None:
    """Check all settings of `cohortlab.synthetic.generate_flow_log`.

    Parameters
    ----------
    days, flows_per_day, n_addresses, peak_hour, day_swing : number
        As the generator takes them.
    services, attacks, faults : mapping
        As the generator takes them.

    Raises
    ------
    ValueError
        If a key is missing or unknown, or a value impossible; the message names service or attack
        and the key.
    """
    check_number(days, where="days", low=1, high=366, whole=True)
    check_number(flows_per_day, where="flows_per_day", low=1, high=1e8)
    check_number(n_addresses, where="n_addresses", low=1, high=65_000, whole=True)
    check_number(peak_hour, where="peak_hour", low=0, high=24)
    check_number(day_swing, where="day_swing", low=0, high=1)
    check_rates(faults, FLOW_FAULTS)
    check_blocks(services, SERVICE_KEYS, where="services")
    for name, service in services.items():
        for key in ("bytes_sent", "bytes_received", "packet_bytes", "duration_sec"):
            check_number(service[key], where=f"services.{name}.{key}", low=1e-6, high=1e12)
        for key in ("bytes_spread", "duration_spread"):
            check_number(service[key], where=f"services.{name}.{key}", low=0, high=5)
    check_keys(attacks, ATTACKS, where="attacks")
    for name, attack in attacks.items():
        check_keys(attack, ATTACK_KEYS, where=f"attacks.{name}")
        for key in ("campaigns", "flows"):
            check_number(attack[key], where=f"attacks.{name}.{key}", low=0, high=10**6, whole=True)
        check_number(attack["difficulty"], where=f"attacks.{name}.difficulty", low=0, high=1)
