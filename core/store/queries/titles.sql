-- name: untitled
select title_source from conversations
where id = $id and user_id = $user_id and deleted_at is null and title_source = 'auto'
    and comparison_id is null

-- name: set_title
-- Only where the first words still stand: what somebody typed meanwhile is theirs.
update conversations set title = $title, title_source = 'model'
where id = $id and user_id = $user_id and deleted_at is null and title_source = 'auto'
