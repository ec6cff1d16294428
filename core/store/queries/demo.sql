-- name: any_demo_row
select 1 as present from demo_rows limit 1

-- name: rows_of_a_used_store
select (select count(*) from users) + (select count(*) from conversations) + (select count(*) from attempts)
    + (select count(*) from user_groups) + (select count(*) from demo_rows) as rows

-- name: forget_demo_rows
delete from demo_rows
