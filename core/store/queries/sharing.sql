-- name: insert_share
insert into shares (id, user_id, conversation_id, title, snapshot, message_count, created_at)
values ($id, $user_id, $conversation_id, $title, $snapshot, $message_count, $now)

-- name: list_shares
-- Those that work: a revoked one is gone, one of a deleted conversation rests until that comes back.
select shares.id, shares.conversation_id, shares.title, shares.message_count, shares.created_at
from shares join conversations on conversations.id = shares.conversation_id
where shares.user_id = $user_id and shares.revoked_at is null and conversations.deleted_at is null
order by shares.created_at desc, shares.id

-- name: load_share
select shares.id, shares.user_id, shares.title, shares.snapshot, shares.created_at, users.display_name as owner_name
from shares
join conversations on conversations.id = shares.conversation_id
left join users on users.id = shares.user_id
where shares.id = $id and shares.revoked_at is null and conversations.deleted_at is null

-- name: load_own_share
select id, conversation_id from shares where id = $id and user_id = $user_id and revoked_at is null

-- name: revoke_share
-- The text goes with the link: nobody can read it any more.
update shares set revoked_at = $now, snapshot = '{}' where id = $id and user_id = $user_id
