from conftest import REPOSITORY

from cohortlab.dictionary import dictionary
from cohortlab.schemas import TABLES


def test_the_page_of_tables_is_that_of_the_schemas():
    assert (REPOSITORY / "docs" / "tables.md").read_text(encoding="utf-8") == dictionary()


def test_every_column_of_every_table_is_there():
    page = dictionary()
    for columns in TABLES.values():
        assert all(f"| `{column.name}` |" in page for column in columns)
