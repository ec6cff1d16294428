-- name: attachments_of_user
select messages.id as message_id, messages.conversation_id, messages.attachments
from messages join conversations on conversations.id = messages.conversation_id
where conversations.user_id = $user_id and messages.attachments is not null
order by messages.created_at, messages.id

-- name: all_attachments
select attachments from messages where attachments is not null

-- name: shared_snapshots
select snapshot from shares where revoked_at is null and contains(snapshot, 'content_hash')
