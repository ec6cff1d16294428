-- name: insert_turn
insert into turns (
    id, conversation_id, user_id, user_message_id, source, use_case, requested_model, parameters, status,
    partial_text, partial_reasoning, started_at
) values (
    $id, $conversation_id, $user_id, $user_message_id, $source, $use_case, $requested_model, $parameters, 'running',
    '', '', $now
)

-- name: insert_temporary_turn
insert into turns (
    id, conversation_id, user_id, user_message_id, source, use_case, requested_model, parameters, status,
    partial_text, partial_reasoning, started_at, temporary, token_id
) values (
    $id, $conversation_id, $user_id, $user_message_id, $source, $use_case, $requested_model, $parameters, 'running',
    '', '', $now, true, $token_id
)

-- name: insert_temporary_turns
insert into turns (
    id, conversation_id, user_id, user_message_id, source, use_case, requested_model, parameters, status,
    partial_text, partial_reasoning, started_at, temporary, token_id
)
select unnest($id), unnest($conversation_id), unnest($user_id), unnest($user_message_id), unnest($source),
    unnest($use_case), unnest($requested_model), unnest($parameters), 'running', '', '', unnest($now), true,
    unnest($token_id)

-- name: running_turn_of_conversation
select id from turns where conversation_id = $conversation_id and status = 'running'

-- name: running_turn
select id from turns where id = $id and status = 'running'

-- name: checkpoint_turn
update turns set partial_text = $partial_text, partial_reasoning = $partial_reasoning,
    partial_steps = $partial_steps, answering_model = $answering_model, tries = $tries, attempt_started_at = $attempt_started_at,
    first_token_at = $first_token_at, checkpoint_at = $now
where id = $id and status = 'running'

-- name: end_turn
update turns
set status = $status, ended_at = $now, partial_text = '', partial_reasoning = '', tries = null,
    partial_steps = null
where id = $id and status = 'running'

-- name: interrupted_turns
select id, conversation_id, user_id, user_message_id, source, use_case, requested_model, parameters, partial_text,
    partial_reasoning, answering_model, tries, attempt_started_at, first_token_at, checkpoint_at, started_at,
    partial_steps,
    coalesce(temporary, false) as temporary
from turns
where status = 'running'
order by started_at, id
