-- name: insert_conversation
insert into conversations (
    id, user_id, title, title_source, model_id, leaf_message_id, created_at, updated_at, comparison_id, use_case
) values ($id, $user_id, $title, 'auto', $model_id, $leaf_message_id, $now, $now, $comparison_id, $use_case)

-- name: load_conversation
select id, user_id, title, title_source, model_id, leaf_message_id, created_at, updated_at, deleted_at,
    coalesce(fallback, 'automatic') as fallback, pinned_at, archived_at, coalesce(tags, '') as tags,
    coalesce(tools, true) as tools, use_case
from conversations
where id = $id and user_id = $user_id and deleted_at is null

-- name: list_conversations
select id, user_id, title, title_source, model_id, leaf_message_id, created_at, updated_at, deleted_at,
    coalesce(fallback, 'automatic') as fallback, pinned_at, archived_at, coalesce(tags, '') as tags
from conversations
-- Not `user_id = $user_id`: DuckDB then reads `pinned_at` row by row through the index, 40 ms for 2,000 conversations of
-- 100,000 instead of 4 (measured), and every page of the chat waits for this list.
where list_contains([$user_id], user_id) and deleted_at is null and archived_at is null
    and comparison_id is null
order by pinned_at is null, updated_at desc, id desc
limit $limit

-- name: rename_conversation
update conversations set title = $title, title_source = 'user'
where id = $id and user_id = $user_id and deleted_at is null

-- name: set_model
update conversations set model_id = $model_id
where id = $id and user_id = $user_id and deleted_at is null

-- name: set_fallback
update conversations set fallback = $fallback
where id = $id and user_id = $user_id and deleted_at is null

-- name: set_tools
update conversations set tools = $tools
where id = $id and user_id = $user_id and deleted_at is null

-- name: set_use_case
update conversations set use_case = $use_case
where id = $id and user_id = $user_id and deleted_at is null

-- name: delete_conversation
update conversations set deleted_at = $now
where id = $id and user_id = $user_id and deleted_at is null

-- name: load_messages
select id, conversation_id, parent_id, turn_id, role, content, reasoning, status, finish_reason, requested_model,
    served_model, model_label, error_class, error_message, error_detail, created_at, attachments, note,
    steps, reasoning_ms
from messages
where conversation_id = $conversation_id and deleted_at is null
order by created_at, id

-- name: insert_message
insert into messages (
    id, conversation_id, parent_id, turn_id, role, content, reasoning, status, finish_reason, requested_model,
    served_model, model_label, error_class, error_message, error_detail, created_at, attachments, note,
    steps, reasoning_ms
) values (
    $id, $conversation_id, $parent_id, $turn_id, $role, $content, $reasoning, $status, $finish_reason, $requested_model,
    $served_model, $model_label, $error_class, $error_message, $error_detail, $created_at, $attachments, $note,
    $steps, $reasoning_ms
)

-- name: touch_conversation
update conversations set leaf_message_id = $leaf_message_id, updated_at = $now
where id = $id
