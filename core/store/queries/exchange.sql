-- name: load_for_export
select conversations.id, title, title_source, model_id, leaf_message_id, coalesce(fallback, 'automatic') as fallback,
    created_at, conversations.updated_at, pinned_at, archived_at, coalesce(tags, '') as tags, deleted_at,
    coalesce(tools, true) as tools, use_case,
    conversation_parameters.parameters
from conversations
left join conversation_parameters on conversation_parameters.conversation_id = conversations.id
where conversations.user_id = $user_id and ($id is null or conversations.id = $id)
    and (comparison_id is not null) = $compared
order by created_at, conversations.id

-- name: messages_for_export
select messages.conversation_id, messages.id, messages.parent_id, messages.turn_id, messages.role, messages.content,
    messages.reasoning, messages.status, messages.finish_reason, messages.requested_model, messages.served_model,
    messages.model_label, messages.error_class, messages.error_message, messages.error_detail, messages.created_at,
    messages.attachments, messages.deleted_at, messages.note,
    messages.steps, messages.reasoning_ms
from messages join conversations on conversations.id = messages.conversation_id
where conversations.user_id = $user_id and ($id is null or conversations.id = $id)
order by messages.created_at, messages.id

-- name: taken_ids
-- Ids of conversations that are somebody else's, or whose figures are.
select id from conversations where id in (select unnest($ids)) and user_id <> $user_id
union
select conversation_id as id from attempts where conversation_id in (select unnest($ids)) and user_id <> $user_id

-- name: own_conversations
select id, leaf_message_id, deleted_at from conversations where id in (select unnest($ids)) and user_id = $user_id

-- name: known_messages
select id, conversation_id from messages where id in (select unnest($ids))

-- name: insert_conversations
insert into conversations (
    id, user_id, title, title_source, model_id, leaf_message_id, created_at, updated_at, fallback, pinned_at, archived_at,
    tags, tools, use_case
)
select unnest($id), $user_id, unnest($title), unnest($title_source), unnest($model_id), unnest($leaf_message_id),
    unnest($created_at), unnest($updated_at), unnest($fallback), unnest($pinned_at), unnest($archived_at), unnest($tags),
    unnest($tools), unnest($use_case)

-- name: insert_messages
insert into messages (
    id, conversation_id, parent_id, turn_id, role, content, reasoning, status, finish_reason, requested_model,
    served_model, model_label, error_class, error_message, error_detail, created_at, attachments, note,
    steps, reasoning_ms
)
select unnest($id), unnest($conversation_id), unnest($parent_id), unnest($turn_id), unnest($role), unnest($content),
    unnest($reasoning), unnest($status), unnest($finish_reason), unnest($requested_model), unnest($served_model),
    unnest($model_label), unnest($error_class), unnest($error_message), unnest($error_detail), unnest($created_at),
    unnest($attachments), unnest($note), unnest($steps), unnest($reasoning_ms)

-- name: insert_parameters
insert into conversation_parameters (conversation_id, user_id, parameters, updated_at)
select unnest($conversation_id), $user_id, unnest($parameters), $now

-- name: continue_conversation
-- New messages of a conversation that was imported before. The time makes the search look at it again.
update conversations set leaf_message_id = coalesce($leaf_message_id, leaf_message_id), updated_at = $now, deleted_at = null
where id = $id

-- name: bring_back
update conversations set deleted_at = null where id = $id

-- name: find_question
-- A person's own message under one of two ids: its own, or the one that an import gave it.
select messages.id, messages.attachments
from messages join conversations on conversations.id = messages.conversation_id
where conversations.user_id = $user_id and messages.role = 'user' and messages.id in ($id, $renamed)

-- name: set_attachments
update messages set attachments = $attachments where id = $id
