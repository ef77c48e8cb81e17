"""What to do instead of believing a choice, cause by cause."""

from cohortlab.mixture.readings import (
    count_readings,
    has_few_rows,
    is_lonely,
    like_noise,
    needs_more,
    range_too_short,
    runs_away,
)


def advise(certificate: dict) -> list[str]:
    """Say what to do about each cause that speaks against a choice.

    Parameters
    ----------
    certificate : dict
        The figures, from `audit`.

    Returns
    -------
    list of str
        Cause and remedy, what is wrong with the data first.
    """
    advice = [words for cause in CAUSES.values() if (words := cause(certificate))]
    if certificate["vetoed"] and not advice:
        advice.append(_SIMPLER)
    return advice


_SIMPLER = "every cell is vetoed: try fewer components or simpler models, such as EEI, VVI or EEE"


# Where mass points hold so many of the rows, what is left is too little to be the subject.
_NEARLY_ALL = 0.95


def _list(columns: list[str]) -> str:
    return ", ".join(columns)


def _constant(certificate: dict) -> str:
    columns = certificate["data"]["constant"]
    text = f"{_list(columns)} never varies, so no bell has a width there: drop it"
    return text if columns else ""


def _badly_scaled(certificate: dict) -> str:
    columns = certificate["data"]["badly_scaled"]
    text = (
        f"{_list(columns)} varies so little beside the others or reg_covar that it is not seen: "
        "scale the columns first, for instance to a standard deviation of 1"
    )
    return text if columns else ""


def _collinear(certificate: dict) -> str:
    columns = certificate["data"]["collinear"]
    text = f"{_list(columns)} follow from each other, so all rows lie on a plane: drop one of them"
    return text if columns else ""


def _few_values(certificate: dict) -> str:
    columns = certificate["data"]["few_values"]
    text = (
        f"{_list(columns)}, and a bell on a value has no width: set apart the rows of a value, "
        "spread the values (features.spread), or leave the column out"
    )
    return text if columns else ""


def _mass_points(certificate: dict) -> str:
    data = certificate["data"]
    if not data["mass_points"]:
        return ""
    points = "1 exact mass point holds"
    if data["mass_points"] > 1:
        points = f"{data['mass_points']} exact mass points hold"
    if data["mass_share"] >= _NEARLY_ALL:
        return (
            f"{points} {data['mass_share']:.0%} of the rows: they are groups already, counted by "
            "split_mass_points, and leave no rest for a mixture"
        )
    return (
        f"{points} {data['mass_share']:.0%} of the rows: set them apart as groups of their own and "
        "fit the rest"
    )


def _range_too_short(certificate: dict) -> str:
    if not range_too_short(certificate):
        return ""
    last = certificate["edge"]["sizes"][-1]
    return (
        f"the choice is the largest number of components on offer: search more, up to {2 * last}; "
        f"if the criterion falls there too, {_otherwise(certificate)}"
    )


def _range_starts_late(certificate: dict) -> str:
    edge = certificate["edge"]
    text = f"{edge['sizes'][0]} components are the fewest on offer: search fewer too, from 1"
    return text if edge["chosen_at_start"] else ""


def _runs_away(certificate: dict) -> str:
    data = certificate["data"]
    if not runs_away(certificate) or range_too_short(certificate):
        return ""
    if data["mass_share"] >= _NEARLY_ALL or len(data["few_values"]) == data["n_features"]:
        return ""  # no transformation makes bells of a few values: those causes speak
    return (
        f"{certificate['criterion'].upper()} falls to the edge of any search, as skewed features "
        f"take ever more bells: {_otherwise(certificate)}"
    )


def _otherwise(certificate: dict) -> str:
    """Say what else to choose by or to do with the features."""
    another = "another transformation of the features (log1p, rank or Yeo-Johnson)"
    if certificate["criterion"] == "icl":
        return f"try {another}"
    if certificate["edge"]["icl_at_edge"]:
        return f"ICL falls there too, so try {another}"
    return f"choose by ICL, which asks for clusters that lie apart, or try {another}"


def _few_rows(certificate: dict) -> str:
    if not has_few_rows(certificate):
        return ""
    return (
        f"{certificate['data']['total_weight']:,.0f} rows are few for "
        f"{certificate['figures']['n_parameters']} parameters: ask for fewer components or a "
        "simpler model, such as VVI or EEE"
    )


def _not_converged(certificate: dict) -> str:
    stopped = not certificate["figures"]["converged"]
    return "EM was cut off before it converged: increase max_iter" if stopped else ""


def _lonely(certificate: dict) -> str:
    text = "one start alone reached this optimum, so a better one may exist: increase n_init"
    return text if is_lonely(certificate) else ""


def _needs_more(certificate: dict) -> str:
    if not needs_more(certificate) or certificate["edge"]["chosen_at_edge"]:
        return ""
    size = certificate["n_components"]
    return (
        f"{size + 1} components fit better than chance allows: compare that mixture with this one, "
        f"and say why {size} are enough for the purpose"
    )


def _like_noise(certificate: dict) -> str:
    text = "noise of one bell would look like this: report one group"
    return text if like_noise(certificate) else ""


def _dissolving(certificate: dict) -> str:
    count = count_readings(certificate, "dissolved")
    if not count:
        return ""
    return (
        f"{count} of {certificate['n_components']} components dissolved: ask for fewer, "
        f"{certificate['n_components'] - count} or so, or merge components that overlap"
    )


CAUSES = {
    "constant column": _constant,
    "badly scaled column": _badly_scaled,
    "collinear columns": _collinear,
    "few values": _few_values,
    "mass points": _mass_points,
    "range too short": _range_too_short,
    "range starts late": _range_starts_late,
    "criterion runs away": _runs_away,
    "too few rows": _few_rows,
    "not converged": _not_converged,
    "one lonely start": _lonely,
    "one component more": _needs_more,
    "like noise": _like_noise,
    "components dissolve": _dissolving,
}
