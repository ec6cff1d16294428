-- name: pin
update conversations set pinned_at = $pinned_at
where list_contains($ids, id) and user_id = $user_id and deleted_at is null

-- name: archive
update conversations set archived_at = $archived_at
where list_contains($ids, id) and user_id = $user_id and deleted_at is null

-- name: load_tags
select id, coalesce(tags, '') as tags from conversations
where list_contains($ids, id) and user_id = $user_id and deleted_at is null

-- name: set_tags
update conversations set tags = $tags
where id = $id and user_id = $user_id and deleted_at is null

-- name: delete
update conversations set deleted_at = $now
where list_contains($ids, id) and user_id = $user_id and deleted_at is null

-- name: restore
update conversations set deleted_at = null
where list_contains($ids, id) and user_id = $user_id

-- name: all_tags
select tags from conversations
where user_id = $user_id and deleted_at is null and tags is not null

-- name: list_deleted
select id, user_id, title, title_source, model_id, leaf_message_id, created_at, updated_at, deleted_at,
    coalesce(fallback, 'automatic') as fallback, pinned_at, archived_at, coalesce(tags, '') as tags
from conversations
where user_id = $user_id and deleted_at is not null and comparison_id is null
order by deleted_at desc, id desc
limit $limit
