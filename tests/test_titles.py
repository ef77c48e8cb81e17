import pytest

from cohortlab.titles import titled


@pytest.mark.parametrize(
    ("title", "shown"),
    [
        ("cup", "cup [7]"),
        (" RED\nCUP ", "RED CUP [7]"),
        ("category 7", "category 7"),
        ("category 17", "category 17 [7]"),
        ("7", "7"),
        (float("nan"), "7"),
        (None, "7"),
        (" ", "7"),
    ],
)
def test_the_id_is_shown_unless_the_title_tells_it(title, shown):
    assert titled("7", {"7": title}) == shown
    assert titled("7", {}) == "7"


@pytest.mark.parametrize(
    ("item", "longest", "shown"),
    [
        ("12", 20, "fresh whole mi… [12]"),
        ("12", 21, "fresh whole milk [12]"),
        ("12345678", 12, "fresh… [12345678]"),
        ("an untitled item", 12, "an untitled…"),
    ],
)
def test_a_title_is_shortened_and_its_id_never(item, longest, shown):
    titles = dict.fromkeys(["12", "12345678"], "fresh whole milk")
    assert titled(item, titles, longest=longest) == shown
