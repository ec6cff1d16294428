-- name: show_leaf
update conversations set leaf_message_id = $leaf_message_id
where id = $conversation_id and user_id = $user_id and deleted_at is null

-- name: left_at
select leaf_message_id from branch_leaves where message_id = $message_id and conversation_id = $conversation_id

-- name: keep_leaf
insert into branch_leaves (message_id, conversation_id, leaf_message_id)
values ($message_id, $conversation_id, $leaf_message_id)
on conflict (message_id) do update set leaf_message_id = excluded.leaf_message_id

-- name: delete_messages
update messages set deleted_at = $now, deleted_with = $message_id
where conversation_id = $conversation_id and deleted_at is null and list_contains($ids, id)

-- name: restore_messages
update messages set deleted_at = null, deleted_with = null
where conversation_id = $conversation_id and deleted_with = $message_id
