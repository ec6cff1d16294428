-- name: list_presets
select presets.id, presets.owner_id, presets.name, presets.model_id, presets.parameters, presets.shared,
    users.display_name as owner_name
from presets left join users on users.id = presets.owner_id
where presets.owner_id = $user_id or presets.shared
order by presets.owner_id <> $user_id, lower(presets.name), presets.id

-- name: find_preset_by_name
select id from presets where owner_id = $owner_id and lower(name) = lower($name)

-- name: insert_preset
insert into presets (id, owner_id, name, model_id, parameters, shared, created_at, updated_at)
values ($id, $owner_id, $name, $model_id, $parameters, $shared, $now, $now)

-- name: replace_preset
update presets set name = $name, model_id = $model_id, parameters = $parameters, shared = $shared, updated_at = $now
where id = $id and owner_id = $owner_id

-- name: load_own_preset
select id from presets where id = $id and owner_id = $owner_id

-- name: share_preset
update presets set shared = $shared, updated_at = $now where id = $id and owner_id = $owner_id

-- name: delete_preset
delete from presets where id = $id and owner_id = $owner_id
