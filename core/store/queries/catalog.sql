-- name: load_overrides
select model_id, value from model_overrides order by model_id

-- name: load_override
select value from model_overrides where model_id = $model_id

-- name: save_override
insert into model_overrides (model_id, value, updated_at) values ($model_id, $value, $now)
on conflict (model_id) do update set value = excluded.value, updated_at = excluded.updated_at

-- name: drop_override
delete from model_overrides where model_id = $model_id
