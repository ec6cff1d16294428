-- name: owner_of_conversation
select conversations.user_id, coalesce(users.username, conversations.user_id) as username
from conversations
left join users on users.id = conversations.user_id
where conversations.id = $id and conversations.deleted_at is null
