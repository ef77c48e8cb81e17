"""A certificate in plain words."""

from cohortlab.mixture.judgement import NONE, SOUND, too_few_simulations

_VERDICTS = {
    SOUND: "Nothing speaks against this choice.",
    NONE: "There is no good choice among the mixtures searched.",
}


def explain(certificate: dict) -> list[str]:
    """Put a certificate into sentences, the verdict first.

    Parameters
    ----------
    certificate : dict
        From `search`, or read from its JSON file.

    Returns
    -------
    list of str
        Sentences in the order in which to read them.
    """
    parts = [_choice, _verdict, _cells, _starts, _evidence, _edge, _runner_up, _criteria]
    parts += [_ratio, _null, _stability, _entropy, _cautions, _advice]
    return [sentence for part in parts for sentence in part(certificate)]


def _sizes(number: int) -> str:
    return f"{number} component" if number == 1 else f"{number} components"


def _choice(certificate: dict) -> list[str]:
    name = certificate["criterion"]
    return [
        f"Chosen by {name.upper()}: model {certificate['model']} with "
        f"{_sizes(certificate['n_components'])}, {name.upper()} {certificate[name]:,.2f}."
    ]


def _verdict(certificate: dict) -> list[str]:
    doubts = certificate["doubts"]
    opening = _VERDICTS.get(certificate["verdict"], "Treat this choice with doubt.")
    return [opening, *(f"{doubt[0].upper()}{doubt[1:]}." for doubt in doubts)]


def _cells(certificate: dict) -> list[str]:
    cells = certificate["cells"]
    sentence = (
        f"Of {cells['searched']} cells searched, {cells['sound']} are sound, "
        f"{len(cells['vetoed'])} are vetoed and {len(cells['without_fit'])} have no fit."
    )
    if not cells["not_run"]:
        return [sentence]
    return [sentence, f"{cells['not_run']} cells were not run; resume the search to run them."]


def _starts(certificate: dict) -> list[str]:
    starts = certificate["starts"]
    return [f"{starts['agreeing']} of {starts['tried']} starts led to this optimum."]


def _evidence(certificate: dict) -> list[str]:
    figures, settings = certificate["figures"], certificate["settings"]
    moved = figures["reg_loglik_change"]
    sentences = [
        f"The smallest component holds {figures['smallest_size']:,.1f} rows in effect.",
        f"The smallest variance in any direction is {figures['smallest_eigenvalue']:.3g}, the "
        f"largest condition number {figures['condition_number']:.3g}.",
    ]
    if settings["reg_covar"] == 0:
        return [*sentences, "No regularisation was used."]
    size = "more than can be told" if moved is None else f"{moved:.2g} a row"
    return [
        *sentences,
        f"With ten times or a tenth of the regularisation the log-likelihood moves by {size}.",
    ]


def _edge(certificate: dict) -> list[str]:
    edge = certificate["edge"]
    if edge["chosen_at_edge"] or len(edge["sizes"]) < 2:
        return []
    sentences = [
        f"The choice lies inside the range searched, {edge['sizes'][0]} to {edge['sizes'][-1]} "
        "components."
    ]
    if not edge["raw_at_edge"]:
        return sentences
    size, last = certificate["n_components"], edge["sizes"][-1]
    sentences.append(
        f"The raw {certificate['criterion'].upper()}, vetoes left aside, is lowest at the largest "
        f"size on offer: {edge['raw_by_size'][-1]:,.2f} with {_sizes(last)}."
    )
    if not edge["sound_beyond"]:
        sentences.append(
            f"No sound optimum of {certificate['model']} was found beyond {_sizes(size)}."
        )
    return sentences


def _runner_up(certificate: dict) -> list[str]:
    runner_up = certificate["runner_up"]
    if runner_up is None:
        return ["No other cell is sound, so there is no runner-up."]
    gap = runner_up["gap"]
    strength = "a clear lead" if gap >= 10 else "a lead" if gap >= 2 else "hardly a lead"
    return [
        f"The runner-up is {runner_up['model']} with {_sizes(runner_up['n_components'])}, "
        f"{gap:,.2f} behind: {strength}."
    ]


def _criteria(certificate: dict) -> list[str]:
    criteria = certificate["criteria"]
    if not criteria["bic"] or not criteria["bic_and_icl_agree"]:
        return []
    return ["BIC and ICL agree on the number of components."]


def _too_few(name: str, test: dict) -> str:
    return (
        f"{name} had too few simulations to tell, {test['n_replicates']}: at least 19 are needed; "
        "increase n_bootstrap."
    )


def _ratio(certificate: dict) -> list[str]:
    test, size = certificate["likelihood_ratio"], certificate["n_components"]
    if test is None:
        return ["The bootstrap test of one more component was not run."]
    if too_few_simulations(test):
        return [_too_few("The test of one more component", test)]
    if test["p_value"] <= 0.05:
        return []
    return [
        f"{_sizes(size + 1)} would not fit significantly better than {size} (bootstrap "
        f"likelihood-ratio test on {test['n_rows']:,} rows, {test['n_replicates']} simulations, "
        f"p = {test['p_value']:.3f})."
    ]


def _null(certificate: dict) -> list[str]:
    test = certificate["null_test"]
    if test is None:
        return []
    if too_few_simulations(test):
        return [_too_few("The null test", test)]
    if certificate["n_components"] == 1:
        found = "not rejected" if test["p_value"] > 0.05 else "rejected"
        return [f"That the data are one Gaussian is {found} (p = {test['p_value']:.3f})."]
    if test["p_value"] > 0.05:
        return []
    return [
        "One Gaussian would hardly ever give a mixture this good by chance (null test, "
        f"{test['n_replicates']} simulations, p = {test['p_value']:.3f})."
    ]


def _stability(certificate: dict) -> list[str]:
    found = certificate["stability"]
    if found is None:
        return []
    parts = [
        f"component {number} {'not judged' if value is None else f'{value:.2f}'} ({reading})"
        for number, (value, reading) in enumerate(
            zip(found["jaccard"], found["reading"], strict=True)
        )
    ]
    return [
        f"Jaccard similarity over {found['n_replicates']} bootstrap samples: {', '.join(parts)}."
    ]


def _entropy(certificate: dict) -> list[str]:
    if certificate["n_components"] == 1:
        return []
    share = certificate["figures"]["entropy"]
    return [
        f"The assignments carry {share:.1%} of the entropy they could have: 0 % is certainty, "
        "100 % is guessing."
    ]


def _cautions(certificate: dict) -> list[str]:
    return [f"Note that {caution}." for caution in certificate["cautions"]]


def _advice(certificate: dict) -> list[str]:
    return (
        [f"What to do instead: {'; '.join(certificate['advice'])}."]
        if certificate["advice"]
        else []
    )
