"""How the figures of a certificate are read: each question a function, answered yes or no."""

LEVEL = 0.05
# One row in ten: what an analyst would set aside as odd rows without calling it a group; the
# share below which a component on a line is junk is the same.
FEW_ROWS = 0.1
# "Very strong" evidence (Kass and Raftery 1995, section 3.2), at this many larger sizes, or at all.
_LARGE_GAP = 10.0
_SEVERAL = 2
# With fewer rows a parameter, covariances follow single rows. A rule of thumb, for advice only.
_ROWS_A_PARAMETER = 5.0


def runs_away(certificate: dict) -> bool:
    """Whether the raw criterion falls to the largest number of components on offer for good cause.

    A sound choice there says that more components would do better still. A vetoed one says so
    where a component without width of its own holds more than a tenth of the rows: mass points,
    on which any number of components can be spent; and where the choice ends where vetoes begin.
    Junk on a few odd rows beats any honest mixture and says nothing of the others, so it does not
    speak against a choice inside the range.

    Parameters
    ----------
    certificate : dict
        From `audit`.

    Returns
    -------
    bool
        True where more components would be rewarded without end.
    """
    edge = certificate["edge"]
    heavy = edge["chosen_at_edge"] or edge["raw_junk_share"] > FEW_ROWS
    return edge["raw_at_edge"] and (heavy or stops_at_vetoes(certificate))


def stops_at_vetoes(certificate: dict) -> bool:
    """Whether all sizes from some on are vetoed, and several of them better even without junk.

    A larger size that is sound, by a second-best optimum perhaps, is no end of the vetoes: only
    those beyond the largest sound one count, and only where the sizes up to it gain as well: else
    the data stop asking for more at a size that can be believed.

    Parameters
    ----------
    certificate : dict
        From `audit`.

    Returns
    -------
    bool
        True where vetoes end the search, not the data.
    """
    edge = certificate["edge"]
    vetoed = [one for one in edge["beyond"] if one["n_components"] > edge["sound_up_to"]]
    better = sum(one["gain"] > _LARGE_GAP for one in vetoed)
    asked = all(one["gain"] > _LARGE_GAP for one in edge["beyond"] if one not in vetoed)
    return bool(vetoed) and asked and better >= min(_SEVERAL, len(vetoed))


def range_too_short(certificate: dict) -> bool:
    """Whether the choice stands at the edge and neither junk nor mass points drive it there.

    Parameters
    ----------
    certificate : dict
        From `audit`.

    Returns
    -------
    bool
        True where a longer search may settle it.
    """
    edge = certificate["edge"]
    driven = edge["raw_junk_share"] > FEW_ROWS or certificate["data"]["mass_points"] > 0
    return edge["chosen_at_edge"] and not driven


def say_size(number: int | str, noun: str = "component") -> str:
    """Put a number of components, or of something else, into words.

    Parameters
    ----------
    number : int or str
        How many; as text where it is rounded.
    noun : str
        One of them.

    Returns
    -------
    str
        In the singular where it is one.

    Examples
    --------
    >>> say_size(1), say_size(2), say_size(f"{1.2:.3g}", "row")
    ('1 component', '2 components', '1.2 rows')
    """
    return f"{number} {noun}{'' if str(number) == '1' else 's'}"


def too_few_simulations(test: dict | None) -> bool:
    """Whether a test made so few simulations that it can find nothing.

    The smallest p-value of m simulations is 1 / (m + 1). A test that ended early has made enough:
    its p-value is large whatever would have come.

    Parameters
    ----------
    test : dict or None
        `likelihood_ratio` or `null_test` of a certificate.

    Returns
    -------
    bool
        False where there was no test.

    Examples
    --------
    >>> few = {"n_replicates": 12, "ended_early": False}
    >>> [too_few_simulations(few | {"ended_early": early}) for early in (False, True)]
    [True, False]
    """
    if test is None or test["ended_early"]:
        return False
    return 1.0 / (test["n_replicates"] + 1) > LEVEL


def _tells(test: dict | None) -> bool:
    return test is not None and not too_few_simulations(test)


def needs_more(certificate: dict) -> bool:
    """Whether one component more fits significantly better.

    Parameters
    ----------
    certificate : dict
        From `audit`.

    Returns
    -------
    bool
        False too where the test was not made or had too few simulations.
    """
    test = certificate["likelihood_ratio"]
    return _tells(test) and test["p_value"] <= LEVEL


def asks_beyond_criterion(certificate: dict) -> bool:
    """Whether the test asks for one component more and the criterion finds it not worth while.

    Parameters
    ----------
    certificate : dict
        From `audit`.

    Returns
    -------
    bool
        False too where that size was not searched.
    """
    more = certificate["one_more"]
    return needs_more(certificate) and more is not None and more["sound"]


def asks_beyond_vetoes(certificate: dict) -> bool:
    """Whether the test asks for one component more where all rows have no sound fit of it.

    Parameters
    ----------
    certificate : dict
        From `audit`.

    Returns
    -------
    bool
        False too where that size was not searched.
    """
    more = certificate["one_more"]
    return needs_more(certificate) and more is not None and not more["sound"]


def like_noise(certificate: dict) -> bool:
    """Whether one Gaussian would give so good a mixture by chance.

    Parameters
    ----------
    certificate : dict
        From `audit`.

    Returns
    -------
    bool
        False too where the test was not made or had too few simulations.
    """
    test = certificate["null_test"]
    return _tells(test) and test["p_value"] > LEVEL and certificate["n_components"] > 1


def is_lonely(certificate: dict) -> bool:
    """Whether one start of several reached the optimum.

    Parameters
    ----------
    certificate : dict
        From `audit`.

    Returns
    -------
    bool
        False too where fewer than three starts were made.
    """
    starts = certificate["starts"]
    return starts["tried"] >= 3 and starts["agreeing"] <= 1


def count_readings(certificate: dict, reading: str) -> int:
    """Count the components whose stability reads so.

    Parameters
    ----------
    certificate : dict
        From `audit`.
    reading : {"stable", "valid", "doubtful", "dissolved", "not judged"}
        The reading to count.

    Returns
    -------
    int
        0 where stability was not judged at all.
    """
    found = certificate["stability"]
    return found["reading"].count(reading) if found else 0


def has_few_rows(certificate: dict) -> bool:
    """Whether there are fewer than five rows for each parameter of the choice.

    Parameters
    ----------
    certificate : dict
        From `audit`.

    Returns
    -------
    bool
        A rule of thumb, for advice only.
    """
    rows, parameters = certificate["data"]["total_weight"], certificate["figures"]["n_parameters"]
    return rows < _ROWS_A_PARAMETER * parameters
