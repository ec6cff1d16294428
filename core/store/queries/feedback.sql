-- name: answer_to_rate
select messages.id, messages.conversation_id, coalesce(messages.served_model, messages.requested_model) as model_id,
    turns.use_case
from messages
join conversations on conversations.id = messages.conversation_id
left join turns on turns.id = messages.turn_id
where messages.id = $message_id and messages.role = 'assistant' and messages.deleted_at is null
    and conversations.user_id = $user_id and conversations.deleted_at is null

-- name: rate
-- A second rating of the same answer replaces the first; a reason belongs to the rating it was given with.
insert into feedback (
    message_id, conversation_id, user_id, model_id, use_case, rating, reason, created_at, updated_at
) values (
    $message_id, $conversation_id, $user_id, $model_id, $use_case, $rating, $reason, $now, $now
)
on conflict (message_id) do update set
    rating = excluded.rating,
    reason = excluded.reason,
    use_case = excluded.use_case,
    updated_at = excluded.updated_at

-- name: unrate
delete from feedback where message_id = $message_id and user_id = $user_id

-- name: ratings_of_conversation
select message_id, rating, reason from feedback where conversation_id = $conversation_id and user_id = $user_id
