-- name: any_demo_row
select 1 as present from demo_rows limit 1

-- name: rows_of_a_used_store
select (select count(*) from users) + (select count(*) from conversations) + (select count(*) from attempts)
    + (select count(*) from user_groups) + (select count(*) from demo_rows) as rows

-- name: note_later_conversations
-- What the demo's people began after the demo was made: nobody could open it without them.
insert into demo_rows (table_name, row_id)
select 'conversations', id
from conversations
where user_id in (select row_id from demo_rows where table_name = 'users')
    and id not in (select row_id from demo_rows where table_name = 'conversations')

-- name: note_later_runs
insert into demo_rows (table_name, row_id)
select 'set_runs', id from set_runs where user_id in (select row_id from demo_rows where table_name = 'users')

-- name: note_later_prompt_sets
insert into demo_rows (table_name, row_id)
select 'prompt_sets', id from prompt_sets where owner_id in (select row_id from demo_rows where table_name = 'users')

-- name: forget_demo_rows
delete from demo_rows
