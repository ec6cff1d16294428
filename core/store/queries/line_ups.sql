-- name: list_line_ups
select id, name, entries from line_ups where owner_id = $owner_id and name <> '' order by lower(name), id

-- name: find_line_up
select id, name, entries from line_ups where owner_id = $owner_id and lower(name) = lower($name)

-- name: insert_line_up
insert into line_ups (id, owner_id, name, entries, updated_at) values ($id, $owner_id, $name, $entries, $now)

-- name: replace_line_up
update line_ups set name = $name, entries = $entries, updated_at = $now where id = $id and owner_id = $owner_id

-- name: delete_line_up
delete from line_ups where id = $id and owner_id = $owner_id
