"""From the figures of a certificate to a verdict, and from both to plain words."""

from cohortlab.mixture.advice import advise
from cohortlab.mixture.models import default_models
from cohortlab.mixture.readings import (
    FEW_ROWS,
    count_readings,
    is_lonely,
    like_noise,
    needs_more,
    runs_away,
    say_size,
    stops_at_vetoes,
)

# A gap in BIC below 2 is "not worth more than a bare mention" (Kass and Raftery 1995, section 3.2).
_SMALL_GAP = 2.0

NONE, DOUBTFUL, SOUND = "none", "doubtful", "sound"


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
    hopeless = certificate["vetoed"] or runs_away(certificate)
    verdict = NONE if hopeless else DOUBTFUL if doubts else SOUND
    return {
        "verdict": verdict,
        "doubts": doubts,
        "cautions": cautions,
        "advice": [] if verdict == SOUND else advise(certificate),
    }


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
    if edge["raw_at_edge"] and stops_at_vetoes(certificate):
        return (
            f"{name} falls to the edge of the search, {edge['sizes'][-1]} components, and more "
            "components lower BIC even on the rows that no junk holds: beyond "
            f"{say_size(edge['sound_up_to'])} vetoes begin, and the data ask for more"
        )
    if runs_away(certificate):
        return (
            f"{name} falls to the edge of the search, {edge['sizes'][-1]} components, at optima "
            "that are vetoed: it would reward any number of components"
        )
    return ""


def _at_start(certificate: dict) -> str:
    edge = certificate["edge"]
    if not edge["chosen_at_start"]:
        return ""
    return (
        f"the choice is the smallest number of components searched, {edge['sizes'][0]}: fewer "
        "might do"
    )


def _on_points(certificate: dict) -> str:
    data = certificate["data"]
    if not certificate["raw_winner"]["reasons"] or data["mass_share"] <= FEW_ROWS:
        return ""
    return (
        f"exact points hold {data['mass_share']:.0%} of the rows, and no bell describes a point: "
        "the lowest raw figure puts components without width on them"
    )


def _lonely(certificate: dict) -> str:
    text = f"only 1 of {certificate['starts']['tried']} starts reached this optimum"
    return text if is_lonely(certificate) else ""


def _needs_more(certificate: dict) -> str:
    if not needs_more(certificate):
        return ""
    size, test = certificate["n_components"], certificate["likelihood_ratio"]
    return (
        f"{size + 1} components fit significantly better than {size} "
        f"(bootstrap p = {test['p_value']:.3f})"
    )


def _like_noise(certificate: dict) -> str:
    if not like_noise(certificate):
        return ""
    return (
        "one Gaussian would give a mixture this good by chance "
        f"(null test p = {certificate['null_test']['p_value']:.3f})"
    )


def _dissolving(certificate: dict) -> str:
    return _say_reading(certificate, "dissolved", ("does not come back", "do not come back"))


def _unsteady(certificate: dict) -> str:
    return _say_reading(
        certificate, "doubtful", ("comes back only partly", "come back only partly")
    )


def _say_reading(certificate: dict, reading: str, verbs: tuple[str, str]) -> str:
    count, size = count_readings(certificate, reading), certificate["n_components"]
    text = f"{count} of {say_size(size)} {verbs[count > 1]} in bootstrap samples"
    return text if count else ""


def _close_call(certificate: dict) -> str:
    runner_up = certificate["runner_up"]
    if runner_up is None or runner_up["gap"] >= _SMALL_GAP:
        return ""
    return (
        f"{runner_up['model']} with {say_size(runner_up['n_components'])} is as good, "
        f"{runner_up['gap']:.2f} away"
    )


def _criteria_differ(certificate: dict) -> str:
    criteria = certificate["criteria"]
    if criteria["bic_and_icl_agree"] or not (criteria["bic"] and criteria["icl"]):
        return ""
    return (
        f"BIC asks for {say_size(criteria['bic']['n_components'])} and ICL for "
        f"{criteria['icl']['n_components']}: components overlap, so they are not all clusters"
    )


def _one_size(certificate: dict) -> str:
    sizes = certificate["edge"]["sizes"]
    if len(sizes) > 1:
        return ""
    return f"one size was searched, {say_size(sizes[0])}, so it was compared with no other"


def _few_models(certificate: dict) -> str:
    searched, known = (
        certificate["cells"]["models"],
        default_models(certificate["data"]["n_features"]),
    )
    if len(searched) == len(known):
        return ""
    were = "was" if len(searched) == 1 else "were"
    return (
        f"{len(searched)} of the {len(known)} covariance models {were} searched "
        f"({', '.join(searched)}): groups of a shape that none of them has take several components"
    )


def _cut_short(certificate: dict) -> str:
    left = certificate["cells"]["not_run"]
    text = (
        f"the time budget was spent with {left} of {certificate['cells']['searched']} cells not "
        "run, so no simulations were made either: resume the search, or give it more time"
    )
    return text if left else ""


def _junk_wins(certificate: dict) -> str:
    raw = certificate["raw_winner"]
    if not raw["reasons"] or certificate["vetoed"]:
        return ""
    return (
        f"the lowest raw figure, {raw['model']} with {say_size(raw['n_components'])}, was set "
        f"aside: {raw['reasons'][0]}"
    )


_DOUBTS = (
    _vetoed,
    _at_edge,
    _at_start,
    _on_points,
    _lonely,
    _needs_more,
    _like_noise,
    _dissolving,
)
_CAUTIONS = (
    _cut_short,
    _one_size,
    _few_models,
    _junk_wins,
    _close_call,
    _criteria_differ,
    _unsteady,
)
