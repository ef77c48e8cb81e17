"""From the figures of a certificate to a verdict, and from both to plain words."""

_LEVEL = 0.05
# A gap in BIC below 2 is "not worth more than a bare mention" (Kass and Raftery 1995, section 3.2).
_SMALL_GAP = 2.0
# One row in ten: what an analyst would set aside as odd rows without calling it a group; the
# share below which a component on a line is junk is the same.
_FEW_ROWS = 0.1
# "Very strong" evidence (the same section), at this many larger sizes, or at all there are.
_LARGE_GAP = 10.0
_SEVERAL = 2

NONE, DOUBTFUL, SOUND = "none", "doubtful", "sound"

ADVICE = (
    "choose by ICL, which asks for clusters that lie apart",
    "transform skewed features first: log1p, rank or Yeo-Johnson",
    "set the exact mass points apart as groups of their own and fit the rest",
)


def judge(certificate: dict) -> dict:
    """Say whether to believe a choice.

    Parameters
    ----------
    certificate : dict
        The figures, from `audit`.

    Returns
    -------
    dict
        `verdict`: "sound"; "doubtful", where something speaks against the choice; or "none", where
        there is no good choice. `doubts`: what speaks against it. `cautions`: what to know when
        reading it. `advice`: what to do instead.
    """
    doubts = [text for test in _DOUBTS if (text := test(certificate))]
    cautions = [text for test in _CAUTIONS if (text := test(certificate))]
    hopeless = certificate["vetoed"] or _runs_away(certificate)
    verdict = NONE if hopeless else DOUBTFUL if doubts else SOUND
    mass = certificate["data"]["mass_points"] > 0
    advice = [text for text in ADVICE if mass or "mass points" not in text]
    return {
        "verdict": verdict,
        "doubts": doubts,
        "cautions": cautions,
        "advice": advice if verdict == NONE or certificate["edge"]["chosen_at_edge"] else [],
    }


def _runs_away(certificate: dict) -> bool:
    """Whether the raw criterion falls to the largest number of components on offer for good cause.

    A sound choice there says that more components would do better still. A vetoed one says so
    where a component without width of its own holds more than `_FEW_ROWS` of the rows: mass points,
    on which any number of components can be spent; and where the choice ends where vetoes begin.
    Junk on a few odd rows beats any honest mixture and says nothing of the others, so it does not
    speak against a choice inside the range.
    """
    edge = certificate["edge"]
    heavy = edge["chosen_at_edge"] or edge["raw_junk_share"] > _FEW_ROWS
    return edge["raw_at_edge"] and (heavy or _stops_at_vetoes(edge))


def _stops_at_vetoes(edge: dict) -> bool:
    """Whether more components are all vetoed, and several sizes are better even without junk."""
    if edge["sound_beyond"] or not edge["beyond"]:
        return False
    better = sum(one["gain"] > _LARGE_GAP for one in edge["beyond"])
    return better >= min(_SEVERAL, len(edge["beyond"]))


def too_few_simulations(test: dict | None) -> bool:
    """Whether a test made so few simulations that it can find nothing.

    The smallest p-value of m simulations is 1 / (m + 1). A test that ended early has made enough:
    its p-value is large whatever would have come.

    Examples
    --------
    >>> few = {"n_replicates": 12, "ended_early": False}
    >>> [too_few_simulations(few | {"ended_early": early}) for early in (False, True)]
    [True, False]
    """
    if test is None or test["ended_early"]:
        return False
    return 1.0 / (test["n_replicates"] + 1) > _LEVEL


def _vetoed(certificate: dict) -> str:
    if not certificate["vetoed"]:
        return ""
    reasons = "; ".join(certificate["raw_winner"]["reasons"])
    return f"every cell of the search is vetoed; the least bad one: {reasons}"


def _at_edge(certificate: dict) -> str:
    edge, name = certificate["edge"], certificate["criterion"].upper()
    if edge["chosen_at_edge"]:
        return (
            f"the choice stands at the edge of the search, {edge['sizes'][-1]} components: "
            f"{name} might fall further"
        )
    if edge["raw_at_edge"] and _stops_at_vetoes(edge):
        return (
            f"{name} falls to the edge of the search, {edge['sizes'][-1]} components, even on the "
            f"rows that no junk holds; {certificate['n_components']} components are where vetoes "
            "begin, not where the data stop asking for more"
        )
    if _runs_away(certificate):
        return (
            f"{name} falls to the edge of the search, {edge['sizes'][-1]} components, at optima "
            "that are vetoed: it would reward any number of components"
        )
    return ""


def _lonely(certificate: dict) -> str:
    starts = certificate["starts"]
    if starts["tried"] < 3 or starts["agreeing"] > 1:
        return ""
    return f"only 1 of {starts['tried']} starts reached this optimum; try a larger n_init"


def _needs_more(certificate: dict) -> str:
    test = certificate["likelihood_ratio"]
    if test is None or too_few_simulations(test) or test["p_value"] > _LEVEL:
        return ""
    return (
        f"{certificate['n_components'] + 1} components fit significantly better than "
        f"{certificate['n_components']} (bootstrap p = {test['p_value']:.3f})"
    )


def _like_noise(certificate: dict) -> str:
    test = certificate["null_test"]
    if test is None or too_few_simulations(test) or certificate["n_components"] == 1:
        return ""
    if test["p_value"] <= _LEVEL:
        return ""
    return (
        "one Gaussian would give a mixture this good by chance "
        f"(null test p = {test['p_value']:.3f})"
    )


def _dissolving(certificate: dict) -> str:
    return _count_readings(certificate, "dissolved", "do not come back in bootstrap samples")


def _unsteady(certificate: dict) -> str:
    return _count_readings(certificate, "doubtful", "come back only partly in bootstrap samples")


def _count_readings(certificate: dict, reading: str, text: str) -> str:
    found = certificate["stability"]
    count = found["reading"].count(reading) if found else 0
    return f"{count} of {certificate['n_components']} components {text}" if count else ""


def _close_call(certificate: dict) -> str:
    runner_up = certificate["runner_up"]
    if runner_up is None or runner_up["gap"] >= _SMALL_GAP:
        return ""
    return (
        f"{runner_up['model']} with {runner_up['n_components']} components is as good, "
        f"{runner_up['gap']:.2f} away"
    )


def _criteria_differ(certificate: dict) -> str:
    criteria = certificate["criteria"]
    if criteria["bic_and_icl_agree"] or not (criteria["bic"] and criteria["icl"]):
        return ""
    return (
        f"BIC asks for {criteria['bic']['n_components']} components and ICL for "
        f"{criteria['icl']['n_components']}: components overlap, so they are not all clusters"
    )


def _junk_wins(certificate: dict) -> str:
    raw = certificate["raw_winner"]
    if not raw["reasons"] or certificate["vetoed"]:
        return ""
    return (
        f"the lowest raw figure, {raw['model']} with {raw['n_components']} components, was set "
        f"aside: {raw['reasons'][0]}"
    )


_DOUBTS = (_vetoed, _at_edge, _lonely, _needs_more, _like_noise, _dissolving)
_CAUTIONS = (_junk_wins, _close_call, _criteria_differ, _unsteady)
