-- name: insert_token
insert into api_tokens (
    id, user_id, name, hash, ending, scopes, models, budget_usd, rpm_limit, expires_at, created_at
) values (
    $id, $user_id, $name, $hash, $ending, $scopes, $models, $budget_usd, $rpm_limit, $expires_at, $created_at
)

-- name: count_tokens
select count(*) as tokens from api_tokens
where user_id = $user_id and revoked_at is null and (expires_at is null or expires_at > $now)

-- name: tokens_of_user
select id, user_id, name, hash, ending, scopes, models, budget_usd, rpm_limit, expires_at, last_used_at, created_at,
    revoked_at
from api_tokens where user_id = $user_id and revoked_at is null
order by created_at desc, id desc

-- name: token_by_hash
select id, user_id, name, hash, ending, scopes, models, budget_usd, rpm_limit, expires_at, last_used_at, created_at,
    revoked_at
from api_tokens where hash = $hash

-- name: token_of_user
select name from api_tokens where id = $id and user_id = $user_id and revoked_at is null

-- name: revoke_token
update api_tokens set revoked_at = $now where id = $id

-- name: note_used
update api_tokens set last_used_at = $now where id = $id
