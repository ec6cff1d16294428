-- Every row that `python -m core demo` made, so that it can be taken out again and nothing else.
create table demo_rows (
    table_name text not null,
    row_id text not null
);
