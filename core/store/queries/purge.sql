-- name: removed_conversations
-- Deleted before a moment, and nothing is being written in them.
select id from conversations
where deleted_at < $before
    and id not in (select conversation_id from turns where status = 'running')
order by deleted_at
limit $limit

-- name: removed_messages
select id, turn_id from messages
where deleted_at < $before
    and conversation_id not in (select conversation_id from turns where status = 'running')
order by deleted_at
limit $limit

-- name: files_of_conversations
select attachments from messages where attachments is not null and list_contains($ids, conversation_id)

-- name: files_of_messages
select attachments from messages where attachments is not null and list_contains($ids, id)

-- name: conversations_feedback
delete from feedback where list_contains($ids, conversation_id)

-- name: conversations_branch_leaves
delete from branch_leaves where list_contains($ids, conversation_id)

-- name: conversations_messages
delete from messages where list_contains($ids, conversation_id)

-- name: conversations_search_texts
delete from search_texts where list_contains($ids, conversation_id)

-- name: conversations_search_state
delete from search_state where list_contains($ids, conversation_id)

-- name: conversations_turns
delete from turns where list_contains($ids, conversation_id)

-- name: conversations_parameters
delete from conversation_parameters where list_contains($ids, conversation_id)

-- name: conversations_shares
delete from shares where list_contains($ids, conversation_id)

-- name: conversations_columns
delete from comparison_columns where list_contains($ids, conversation_id)

-- name: conversations_summaries
delete from summaries where list_contains($ids, conversation_id)

-- name: conversations_rows
delete from conversations where list_contains($ids, id)

-- name: messages_feedback
delete from feedback where list_contains($ids, message_id)

-- name: messages_branch_leaves
delete from branch_leaves where list_contains($ids, message_id) or list_contains($ids, leaf_message_id)

-- name: messages_search_texts
delete from search_texts where list_contains($ids, message_id)

-- name: messages_summaries
-- Below a deleted message everything is deleted: a summary that tells of one ends with one.
delete from summaries where list_contains($ids, up_to)

-- name: messages_rows
delete from messages where list_contains($ids, id)

-- name: messages_turns
-- The question of a turn may stay while its answer goes: then the turn stays as well.
delete from turns
where list_contains($turn_ids, id) and id not in (select turn_id from messages where turn_id is not null)

-- name: comparisons_rows
delete from comparisons
where deleted_at < $before and id not in (select comparison_id from comparison_columns)
