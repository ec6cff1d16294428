from __future__ import annotations

import csv
import io

import pytest

from core.spreadsheet import FORMULA_STARTS, safe_cell
from core.store.export_file import query_to_file

QUERY = """
select unnest($texts::text[]) as text, -1 as number, null::text as nothing, generate_subscripts($texts, 1) as place
order by place
"""


@pytest.mark.parametrize("start", FORMULA_STARTS)
def test_a_csv_holds_no_formula_and_parquet_the_text_itself(database, start):
    texts = ["gpt-5", f"{start}1+1", ""]

    rows = csv.reader(io.StringIO(query_to_file(database, QUERY, file_format="csv", texts=texts).decode()))
    assert [row[:3] for row in rows][1:] == [[safe_cell(text), "-1", ""] for text in texts]
    assert f"{start}1+1".encode() in query_to_file(database, QUERY, file_format="parquet", texts=texts)
