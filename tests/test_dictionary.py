from conftest import REPOSITORY

from cohortlab.browsing import FEATURES
from cohortlab.dictionary import dictionary
from cohortlab.schemas import TABLES


def test_the_page_of_tables_is_that_of_the_schemas():
    assert (REPOSITORY / "docs" / "tables.md").read_text(encoding="utf-8") == dictionary()


def test_every_column_of_every_table_is_there():
    page = dictionary()
    for columns in TABLES.values():
        assert all(f"| `{column.name}` |" in page for column in columns)


def test_every_feature_of_a_browsing_sequence_is_there_with_its_group():
    section = dictionary().split("## features of a browsing sequence")[1]
    rows = [line.split(" | ") for line in section.splitlines() if line.startswith("| `")]
    assert [name for name, *_ in rows[2:]] == [f"| `{name}`" for name in FEATURES]
    groups = [meaning.split(":")[0] for *_, meaning in rows[2:]]
    counts = {group: groups.count(group) for group in dict.fromkeys(groups)}
    assert counts == {"temporal": 14, "duration": 8, "domains": 19, "transitions": 10}
