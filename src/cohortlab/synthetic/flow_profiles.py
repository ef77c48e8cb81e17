"""What flows of services and of attacks look like: sizes, packets, durations, times, addresses."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

DAY_SEC = 86_400
AMOUNTS = ("bytes_sent", "bytes_received", "packets_sent", "packets_received", "duration")
NORMAL = "normal"
#: How much the packets of a service differ in size, as the standard deviation of a logarithm.
_PACKET_SPREAD = 0.1
#: A campaign's own way of doing it, likewise.
_CAMPAIGN_SPREAD = 0.3


@dataclass(frozen=True)
class Attack:
    """
    A kind of attack where it is easiest to see.

    Attributes
    ----------
    amounts : tuple of float
        Median of each of `AMOUNTS`.
    spread : float
        Standard deviation of their logarithm between the flows of one campaign.
    gap_sec : float
        From one flow of a campaign to the next, seconds, on average.
    jitter : float
        How much these gaps vary: 0 like clockwork, 1 at random.
    inside : bool
        Whether it comes from an address of the network, or from one outside.
    """

    amounts: tuple[float, float, float, float, float]
    spread: float
    gap_sec: float
    jitter: float
    inside: bool


ATTACKS = {
    # One or two packets to each of many ports, mostly without an answer.
    "port_scan": Attack((60.0, 4.0, 1.3, 0.1, 0.002), 0.3, 1.0, 1.0, inside=False),
    # More than the other side can answer.
    "flood": Attack((900_000.0, 120.0, 900.0, 2.0, 0.4), 0.3, 0.2, 1.0, inside=False),
    # Much goes out, in few long flows.
    "exfiltration": Attack((4e8, 6e5, 280_000.0, 9_000.0, 1500.0), 0.5, 2400.0, 0.6, inside=True),
    # A program asks its master for orders, like clockwork, in flows of one size.
    "beaconing": Attack((300.0, 180.0, 5.0, 4.0, 45.0), 0.05, 900.0, 0.02, inside=True),
    # Connections held open by a few bytes now and then.
    "slow_drip": Attack((900.0, 60.0, 40.0, 12.0, 3000.0), 0.3, 90.0, 1.0, inside=False),
}


def draw_services(
    n_flows: int, services: Mapping[str, Mapping], *, rng: np.random.Generator
) -> np.ndarray:
    """Draw flows of everyday services.

    Parameters
    ----------
    n_flows : int
        How many.
    services : mapping of str to mapping
        Services by name, each with the keys of `flow_settings.SERVICE_KEYS`.
    rng : numpy.random.Generator
        Source of chance.

    Returns
    -------
    ndarray of shape (n_flows, 5)
        Logarithms of `AMOUNTS`. Bytes of both directions are lognormal and rise together, packets
        follow the bytes, and long flows are large ones.
    """
    shares = np.array([service["share"] for service in services.values()])
    kind = rng.choice(len(shares), n_flows, p=shares / shares.sum())

    def of(key: str) -> np.ndarray:
        return np.array([service[key] for service in services.values()], dtype=float)[kind]

    common, own, size, rest = rng.standard_normal((4, n_flows))
    spread = of("bytes_spread")
    sent = np.log(of("bytes_sent")) + spread * (0.8 * common + 0.6 * own)
    received = np.log(of("bytes_received")) + spread * common
    packet = np.log(of("packet_bytes")) + _PACKET_SPREAD * size
    # An answer is acknowledged, so packets go both ways, whichever way the bytes go.
    acknowledged = np.log(0.5) + np.maximum(sent, received) - packet
    packets = [np.maximum(bytes_ - packet, acknowledged) for bytes_ in (sent, received)]
    duration = np.log(of("duration_sec")) + of("duration_spread") * (0.6 * common + 0.8 * rest)
    return np.stack([sent, received, *packets, duration], axis=1)


def draw_campaign(
    attack: Attack, normal: np.ndarray, difficulty: float, *, rng: np.random.Generator
) -> np.ndarray:
    """Draw the flows of one campaign of an attack.

    Parameters
    ----------
    attack : Attack
        The kind.
    normal : ndarray of shape (n_flows, 5)
        As many everyday flows, from `draw_services`, in which the attack may hide.
    difficulty : float
        0 (as easy as the kind is) to 1 (every flow is an everyday one).
    rng : numpy.random.Generator
        Source of chance.

    Returns
    -------
    ndarray of shape (n_flows, 5)
        Logarithms of `AMOUNTS`: of the kind's own and of the everyday flow, mixed by difficulty.
    """
    way = np.log(attack.amounts) + _CAMPAIGN_SPREAD * rng.standard_normal(len(AMOUNTS))
    own = way + attack.spread * rng.standard_normal(normal.shape)
    return (1 - difficulty) * own + difficulty * normal


def round_amounts(logarithms: np.ndarray) -> np.ndarray:
    """Turn logarithms into amounts as a log has them.

    Parameters
    ----------
    logarithms : ndarray of shape (n_flows, 5)
        Of `AMOUNTS`.

    Returns
    -------
    ndarray of shape (n_flows, 5)
        Whole bytes and packets, seconds to the millisecond; a flow sends at least one packet, and
        without packets there are no bytes.
    """
    amounts = np.exp(logarithms)
    amounts[:, :4] = np.round(amounts[:, :4])
    amounts[:, 2] = np.maximum(amounts[:, 2], 1)
    amounts[:, 1] = np.where(amounts[:, 3] == 0, 0, amounts[:, 1])
    amounts[:, 4] = np.round(amounts[:, 4], 3)
    return amounts


def draw_day_times(
    n_flows: int, *, peak_hour: float, day_swing: float, rng: np.random.Generator
) -> np.ndarray:
    """Draw times of a day that are dense around one hour and thin half a day from it.

    Parameters
    ----------
    n_flows : int
        How many.
    peak_hour : float
        Hour of most flows, 0 to 24.
    day_swing : float
        0 (even over the day) to 1 (hardly a flow half a day from the peak).
    rng : numpy.random.Generator
        Source of chance.

    Returns
    -------
    ndarray of shape (n_flows,)
        Seconds since midnight; their density is 1 + day_swing cos(2 pi (hour - peak_hour) / 24).
    """
    grid = np.linspace(0, 1, 1441)
    turned = 2 * np.pi * (grid - peak_hour / 24)
    below = grid + day_swing * (np.sin(turned) - np.sin(turned[0])) / (2 * np.pi)
    return np.interp(rng.random(n_flows), below, grid) * DAY_SEC


def draw_campaign_times(
    attack: Attack, n_flows: int, length_sec: float, *, rng: np.random.Generator
) -> np.ndarray:
    """Draw when the flows of a campaign begin, within a log.

    Parameters
    ----------
    attack : Attack
        The kind.
    n_flows : int
        How many.
    length_sec : float
        Length of the log, seconds.
    rng : numpy.random.Generator
        Source of chance.

    Returns
    -------
    ndarray of shape (n_flows,)
        Ascending seconds from the beginning of the log; a campaign that would take longer than the
        log is done faster.
    """
    gaps = (1 - attack.jitter) + attack.jitter * rng.exponential(size=n_flows)
    times = np.cumsum(attack.gap_sec * gaps)
    times *= min(1.0, 0.95 * length_sec / times[-1])
    return times + rng.uniform(0, length_sec - times[-1])
