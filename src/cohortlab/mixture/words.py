"""A certificate in plain words: questions and their answers."""

import pandas as pd

from cohortlab.mixture.judgement import DOUBTFUL, NONE, SOUND
from cohortlab.mixture.readings import (
    LEVEL,
    asks_beyond_criterion,
    asks_beyond_vetoes,
    say_size,
    stops_at_vetoes,
    too_few_simulations,
)

_VERDICTS = {
    SOUND: "Nothing speaks against this choice.",
    DOUBTFUL: "Treat this choice with doubt.",
    NONE: "There is no good choice among the mixtures searched.",
}
_MEANINGS = {
    DOUBTFUL: [
        "So its clusters are a description that other rows may change, and no firm finding."
    ],
    NONE: [
        "So its clusters are a cut into groups that can be named, and no discovery: what is found "
        "with them must speak for itself."
    ],
}
_UNTESTED = (
    "Nothing speaks against this choice of what was checked; no bootstrap test was run, so whether "
    "noise would look like this, or one component more fit better, is not known."
)


def questions(certificate: dict) -> dict[str, list[str]]:
    """Put a certificate into questions and answers.

    Parameters
    ----------
    certificate : dict
        From `search`, or read from its JSON file.

    Returns
    -------
    dict of list of str
        Sentences by question, in the order in which to read them: which model, why, and whether to
        believe it first, then what that rests on. A question that does not arise is left out.
    """
    answers = {question: answer(certificate) for question, answer in _QUESTIONS.items()}
    return {question: sentences for question, sentences in answers.items() if sentences}


def explain(certificate: dict) -> list[str]:
    """Put a certificate into sentences, the choice and the verdict first.

    Parameters
    ----------
    certificate : dict
        From `search`, or read from its JSON file.

    Returns
    -------
    list of str
        The answers to all `questions`, in their order.
    """
    return [sentence for answer in questions(certificate).values() for sentence in answer]


def conclusion(certificate: dict) -> list[str]:
    """Put the choice and its verdict into a few sentences, for those who build on the mixture.

    Parameters
    ----------
    certificate : dict
        From `search`, or read from its JSON file.

    Returns
    -------
    list of str
        What was chosen, whether to believe it and what speaks against it; where the verdict is not
        "sound", also what that makes of clusters by this mixture.
    """
    opening, against = _opening(certificate), "; ".join(certificate["doubts"])
    verdict = f"{opening[:-1]}: {against}." if against else opening
    return [*_which(certificate), verdict, *_MEANINGS.get(certificate["verdict"], [])]


def stability_table(certificate: dict) -> pd.DataFrame:
    """Lay out how surely each component comes back in bootstrap samples.

    Parameters
    ----------
    certificate : dict
        From `search`, or read from its JSON file.

    Returns
    -------
    DataFrame
        One row a component: `jaccard`, its `standard_error`, and its `reading`; none where
        stability was not asked for.
    """
    found = certificate["stability"] or {}
    columns = ["jaccard", "standard_error", "reading"]
    table = pd.DataFrame({name: found.get(name, []) for name in columns})
    return table.rename_axis(index="component")


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."


def _which(certificate: dict) -> list[str]:
    name = certificate["criterion"]
    return [
        f"Chosen by {name.upper()}: model {certificate['model']} with "
        f"{say_size(certificate['n_components'])}, {name.upper()} {certificate[name]:,.2f}."
    ]


def _why(certificate: dict) -> list[str]:
    name = certificate["criterion"].upper()
    if certificate["vetoed"]:
        return [f"Every fit is vetoed; this one has the lowest {name} of them."]
    n_sound = certificate["cells"]["sound"]
    if n_sound == 1:
        sentences = ["It is in the one cell that has a sound optimum."]
    else:
        sentences = [f"It has the lowest {name} of the {n_sound} cells that have a sound optimum."]
    if certificate["passed_over"]:
        reasons = "; ".join(certificate["passed_over"])
        sentences.append(
            "The highest likelihood of its cell is vetoed, so the next optimum without a veto is "
            f"taken: {reasons}."
        )
    return sentences


def _opening(certificate: dict) -> str:
    if certificate["verdict"] == SOUND and not certificate["settings"]["n_bootstrap"]:
        return _UNTESTED
    return _VERDICTS[certificate["verdict"]]


def _verdict(certificate: dict) -> list[str]:
    cautions = [f"Note that {caution}." for caution in certificate["cautions"]]
    return [_opening(certificate), *map(_sentence, certificate["doubts"]), *cautions]


def _advice(certificate: dict) -> list[str]:
    return [_sentence(text) for text in certificate["advice"]]


def _vetoes(certificate: dict) -> list[str]:
    cells = certificate["cells"]
    counts = (
        f"{say_size(cells['searched'], 'cell')} searched: {cells['sound']} with a sound optimum, "
        f"{len(cells['vetoed'])} whose highest likelihood is vetoed, {len(cells['without_fit'])} "
        "without a fit."
    )
    if not cells["not_run"]:
        return [counts]
    return [counts, f"Not run: {say_size(cells['not_run'], 'cell')}; resume the search."]


def _evidence(certificate: dict) -> list[str]:
    figures, starts = certificate["figures"], certificate["starts"]
    return [
        f"{starts['agreeing']} of {say_size(starts['tried'], 'start')} led to this optimum.",
        f"The smallest component holds {figures['smallest_size']:,.1f} rows in effect.",
        f"The smallest variance in any direction is {figures['smallest_eigenvalue']:.3g}, the "
        f"largest condition number {figures['condition_number']:.3g}.",
        _regularisation(figures, certificate["settings"]),
    ]


def _regularisation(figures: dict, settings: dict) -> str:
    if settings["reg_covar"] == 0:
        return "No regularisation was used."
    moved = figures["reg_loglik_change"]
    size = "more than can be told" if moved is None else f"{moved:.2g} a row"
    return f"With ten times or a tenth of the regularisation the log-likelihood moves by {size}."


def _edge(certificate: dict) -> list[str]:
    edge, name = certificate["edge"], certificate["criterion"].upper()
    first, last = edge["sizes"][0], edge["sizes"][-1]
    if first == last:
        return [f"One size was searched, {say_size(first)}, so it was compared with no other."]
    if edge["chosen_at_edge"]:
        return [f"Yes: {say_size(last)} are the most that were searched, so more may be better."]
    if edge["chosen_at_start"]:
        sentences = [f"Yes: {say_size(first)} are the fewest searched, so fewer may be better."]
    else:
        sentences = [f"The choice lies inside the range searched, {first} to {last} components."]
    if not edge["raw_at_edge"]:
        return sentences
    sentences.append(
        f"The raw {name}, vetoes left aside, is lowest at the largest size on offer: "
        f"{edge['raw_by_size'][-1]:,.2f} with {say_size(last)}."
    )
    if not edge["sound_beyond"] or stops_at_vetoes(certificate):
        most = say_size(edge["sound_up_to"])
        sentences.append(f"No sound optimum of {certificate['model']} was found beyond {most}.")
    return sentences


def _runner_up(certificate: dict) -> list[str]:
    runner_up = certificate["runner_up"]
    if runner_up is None:
        return ["No other cell is sound, so there is no runner-up."]
    gap = runner_up["gap"]
    strength = ": a clear lead" if gap >= 10 else ": a lead" if gap >= 2 else ": hardly a lead"
    if certificate["verdict"] == NONE:
        strength = ", which says nothing where no choice is good"
    second = (
        f"The runner-up is {runner_up['model']} with {say_size(runner_up['n_components'])}, "
        f"{gap:,.2f} behind{strength}."
    )
    criteria = certificate["criteria"]
    agree = criteria["bic"] and criteria["bic_and_icl_agree"]
    return [second, "BIC and ICL agree on the number of components."] if agree else [second]


def _too_few(name: str, test: dict) -> str:
    return (
        f"{name} had too few simulations to tell, {test['n_replicates']}: at least 19 are needed; "
        "increase n_bootstrap."
    )


def _made(test: dict) -> str:
    early = ", enough as the outcome was clear" if test["ended_early"] else ""
    return (
        f"p = {test['p_value']:.3f} by {say_size(test['n_replicates'], 'simulation')}{early}, on "
        f"{test['n_rows']:,} rows; {test['resolution']:.3f} is the smallest it could be"
    )


def _ratio(certificate: dict) -> list[str]:
    test, size = certificate["likelihood_ratio"], certificate["n_components"]
    if test is None and certificate["settings"]["n_bootstrap"]:
        return [
            f"{say_size(size + 1)} have no sound fit on the rows tested, so nothing was tested."
        ]
    if test is None:
        return ["The bootstrap test of one more component was not run."]
    if too_few_simulations(test):
        return [_too_few("The test of one more component", test)]
    verb = "fit" if test["p_value"] <= LEVEL else "would not fit"
    found = (
        f"{say_size(size + 1)} {verb} significantly better than {size} (bootstrap likelihood-ratio "
        f"test, {_made(test)})."
    )
    return [found, *_test_and_criterion(certificate)]


_ASKS = {
    "bic": "that a component be worth the parameters it costs",
    "icl": "that a component be worth its parameters and lie apart from the others",
}


def _test_and_criterion(certificate: dict) -> list[str]:
    """Say what to make of a test that asks for more than was chosen."""
    size, name = certificate["n_components"], certificate["criterion"]
    if asks_beyond_criterion(certificate):
        return [
            f"Here {name.upper()} and the test disagree, as {name.upper()} is "
            f"{certificate['one_more']['gap']:,.2f} higher with {size + 1}: it asks "
            f"{_ASKS[name]}, the test only whether chance would gain as much, so groups that are "
            f"not quite bells take more of them the more rows there are; keep {size} to describe "
            f"groups, and take {size + 1} or more where the density itself matters."
        ]
    if asks_beyond_vetoes(certificate):
        return [
            f"Here the test and the vetoes disagree: on all rows {certificate['model']} with "
            f"{size + 1} has no sound optimum, so there is more in the data than {say_size(size)}, "
            "but not as further bells that can be believed; look at exact points and other "
            "scalings first."
        ]
    return []


def _null(certificate: dict) -> list[str]:
    test = certificate["null_test"]
    if test is None:
        return []
    if too_few_simulations(test):
        return [_too_few("The null test", test)]
    clear = test["p_value"] <= LEVEL
    if certificate["n_components"] == 1:
        found = "rejected" if clear else "not rejected"
        return [f"That the data are one Gaussian is {found} ({_made(test)})."]
    chance = "would hardly ever" if clear else "would often"
    return [f"One Gaussian {chance} give a mixture this good by chance (null test, {_made(test)})."]


def _stability(certificate: dict) -> list[str]:
    found, settings = certificate["stability"], certificate["settings"]
    asked = settings["n_bootstrap"] and settings["n_stability"] and certificate["n_components"] > 1
    if found is None and asked:
        total = certificate["data"]["total_weight"]
        return [
            f"This was not tried: weights that add up to {total:,.3g} make bootstrap samples of "
            f"too few rows for {say_size(certificate['n_components'])}."
        ]
    if found is None:
        return []
    names = ("stable", "valid", "doubtful", "dissolved", "not judged")
    counts = [f"{found['reading'].count(n)} {n}" for n in names if n in found["reading"]]
    sentences = [
        f"Of {say_size(certificate['n_components'])}: {', '.join(counts)} (Jaccard similarity with "
        f"the best match, {say_size(found['n_replicates'], 'bootstrap sample')} of "
        f"{found['n_rows']:,} rows)."
    ]
    if found["n_vetoed"]:
        sentences.append(
            f"In {say_size(found['n_vetoed'], 'sample')} every optimum would have been vetoed."
        )
    return sentences


def _entropy(certificate: dict) -> list[str]:
    if certificate["n_components"] == 1:
        return []
    share = certificate["figures"]["entropy"]
    return [
        f"The assignments carry {share:.1%} of the entropy they could have: 0 % is certainty, "
        "100 % is guessing."
    ]


_QUESTIONS = {
    "Which model?": _which,
    "Why this one?": _why,
    "Is it to be believed?": _verdict,
    "What to do instead?": _advice,
    "Was anything vetoed?": _vetoes,
    "Is the optimum a firm one?": _evidence,
    "Does the choice stand at the edge of the search?": _edge,
    "How close is the runner-up?": _runner_up,
    "Would one component more fit better?": _ratio,
    "Would one bell alone look like this?": _null,
    "Do the components come back in other samples?": _stability,
    "How certain are the assignments?": _entropy,
}
