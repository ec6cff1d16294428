-- name: lock_sign_in
update account_locks set version = version + 1 where name = 'sign_in'

-- name: load_failures
select failures, locked_until from sign_in_failures where username = $username

-- name: save_failures
insert into sign_in_failures (username, failures, locked_until, updated_at)
values ($username, $failures, $locked_until, $now)
on conflict (username) do update set
    failures = excluded.failures, locked_until = excluded.locked_until, updated_at = excluded.updated_at

-- name: forget_failures
delete from sign_in_failures where username = $username

-- name: purge_failures
delete from sign_in_failures where updated_at < $before

-- name: load_session_user
select
    id, username, display_name, email, role, oidc_subject, sessions_valid_after, disabled_at, created_at, last_seen_at,
    coalesce(password_is_one_time, false) as password_is_one_time,
    exists (select 1 from signed_out_sessions where session_id = $session_id) as signed_out
from users where username = $username

-- name: sign_out_session
insert into signed_out_sessions (session_id, expires_at) values ($session_id, $expires_at)
on conflict (session_id) do nothing

-- name: purge_signed_out_sessions
delete from signed_out_sessions where expires_at < $now
