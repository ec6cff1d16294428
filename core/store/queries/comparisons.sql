-- name: insert_comparison
insert into comparisons (
    id, user_id, title, origin_conversation_id, origin_message_id, created_at, updated_at, use_case
) values ($id, $user_id, $title, $origin_conversation_id, $origin_message_id, $now, $now, $use_case)

-- name: insert_columns
insert into comparison_columns (
    conversation_id, comparison_id, position, kind, model_id, model_label, parameters, sources
)
select unnest($conversation_id), $comparison_id, unnest($position), unnest($kind), unnest($model_id),
    unnest($model_label), unnest($parameters), unnest($sources)

-- name: load_comparison
select id, user_id, title, origin_conversation_id, origin_message_id, created_at, updated_at, use_case
from comparisons
where id = $id and user_id = $user_id and deleted_at is null
    -- What waits for a blind vote is only for the page of blind votes, which asks for it as what it is.
    and ($blind or not exists (
        select 1 from blind_rounds where blind_rounds.comparison_id = comparisons.id and voted_at is null
    ))

-- name: list_comparisons
select id, user_id, title, origin_conversation_id, origin_message_id, created_at, updated_at, use_case
from comparisons
where user_id = $user_id and deleted_at is null
    -- What waits for a blind vote shows its models nowhere.
    and not exists (
        select 1 from blind_rounds where blind_rounds.comparison_id = comparisons.id and voted_at is null
    )
order by updated_at desc, id desc
limit $limit

-- name: columns_of
select conversation_id, comparison_id, position, kind, model_id, model_label, parameters, sources, problem
from comparison_columns
where comparison_id = $comparison_id
order by position

-- name: leaves_of
select id, leaf_message_id from conversations
where comparison_id = $comparison_id and user_id = $user_id and deleted_at is null

-- name: versions_of
select id, parent_id from messages
where conversation_id in (select unnest($ids)) and parent_id in (select unnest($parents)) and role = 'assistant'
    and deleted_at is null
order by created_at, id

-- name: comparisons_with
select distinct comparison_id from comparison_columns where conversation_id in (select unnest($ids))

-- name: note_problem
update comparison_columns set problem = $problem where conversation_id = $conversation_id

-- name: touch_comparison
update comparisons set updated_at = $now where id = $id

-- name: rename_comparison
update comparisons set title = $title where id = $id and user_id = $user_id and deleted_at is null

-- name: set_use_case
update comparisons set use_case = $use_case where id = $id and user_id = $user_id and deleted_at is null

-- name: set_use_case_of_columns
update conversations set use_case = $use_case where comparison_id = $id and user_id = $user_id

-- name: delete_comparison
update comparisons set deleted_at = $now where id = $id and user_id = $user_id and deleted_at is null

-- name: delete_column_conversations
update conversations set deleted_at = $now where comparison_id = $id and user_id = $user_id and deleted_at is null

-- name: restore_comparison
update comparisons set deleted_at = null where id = $id and user_id = $user_id

-- name: restore_column_conversations
update conversations set deleted_at = null where comparison_id = $id and user_id = $user_id

-- name: forget_conversation
delete from conversations where id = $id

-- name: forget_column
delete from comparison_columns where conversation_id = $id

-- name: forget_comparison
delete from comparisons where id = $id

-- name: find_continuation
select conversation_id, first_copy_id from comparison_continuations
where column_id = $column_id and last_message_id = $last_message_id and user_id = $user_id
order by created_at desc

-- name: insert_continuation
insert into comparison_continuations (
    id, user_id, conversation_id, column_id, last_message_id, first_copy_id, created_at
) values ($id, $user_id, $conversation_id, $column_id, $last_message_id, $first_copy_id, $now)

-- name: columns_continued_in
select distinct column_id from comparison_continuations where conversation_id = $conversation_id
