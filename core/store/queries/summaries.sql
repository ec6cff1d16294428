-- name: load_summary
select id, conversation_id, user_id, up_to, messages, text, model_label, turn_id, created_at
from summaries
where conversation_id = $conversation_id and user_id = $user_id and taken_back_at is null

-- name: insert_summary
insert into summaries (id, conversation_id, user_id, up_to, messages, text, model_label, turn_id, created_at)
values ($id, $conversation_id, $user_id, $up_to, $messages, $text, $model_label, $turn_id, $created_at)

-- name: take_back_summaries
update summaries set taken_back_at = $now
where conversation_id = $conversation_id and user_id = $user_id and taken_back_at is null
