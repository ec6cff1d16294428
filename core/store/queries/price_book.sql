-- name: load_sheets
select
    price_sheets.version, price_sheets.model_id, price_sheets.valid_from, price_sheets.valid_to, price_sheets.source,
    price_sheets.off_peak_hours, price_sheets.entered_at, price_sheets.reason,
    coalesce(users.display_name, price_sheets.entered_by) as entered_by
from price_sheets left join users on users.id = price_sheets.entered_by
order by price_sheets.version

-- name: load_lines
select version, service, above_tokens, bucket, usd_per_million from price_lines
order by version, service, above_tokens, bucket

-- name: load_declines
select model_id, digest from price_declines order by declined_at, id

-- name: last_version
select coalesce(max(version), 0) as version from price_sheets

-- name: insert_sheets
insert into price_sheets (
    version, model_id, valid_from, valid_to, source, off_peak_hours, entered_at, entered_by, reason
)
select
    unnest($versions), unnest($model_ids), $valid_from, $valid_to, unnest($sources), unnest($off_peak_hours),
    $now, $actor, $reason

-- name: insert_lines
insert into price_lines (version, service, above_tokens, bucket, usd_per_million)
select
    unnest($versions), unnest($services), unnest($above_tokens), unnest($buckets), unnest($usd_per_million)

-- name: insert_decline
insert into price_declines (id, model_id, digest, declined_at, declined_by, reason)
values ($id, $model_id, $digest, $now, $actor, $reason)
