-- name: load_preferences
select name, value from preferences where user_id = $user_id order by name

-- name: save_preference
insert into preferences (user_id, name, value, updated_at) values ($user_id, $name, $value, $now)
on conflict (user_id, name) do update set value = excluded.value, updated_at = excluded.updated_at

-- name: drop_preference
delete from preferences where user_id = $user_id and name = $name

-- name: load_team_defaults
select name, value from team_defaults order by name

-- name: load_team_default
select value from team_defaults where name = $name

-- name: save_team_default
insert into team_defaults (name, value, updated_at) values ($name, $value, $now)
on conflict (name) do update set value = excluded.value, updated_at = excluded.updated_at

-- name: drop_team_default
delete from team_defaults where name = $name
