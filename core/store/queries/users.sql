-- name: lock_people
update account_locks set version = version + 1 where name = 'people'

-- name: people_version
select version from account_locks where name = 'people'

-- name: roles_and_names
select id, role, display_name from users

-- name: count_users
select count(*) as users from users

-- name: count_active_admins
select count(*) as admins from users where role = 'admin' and disabled_at is null

-- name: insert_user
insert into users (
    id, username, display_name, email, password_hash, role, oidc_subject, sessions_valid_after, disabled_at, created_at,
    last_seen_at, password_is_one_time
) values (
    $id, $username, $display_name, $email, $password_hash, $role, $oidc_subject, $sessions_valid_after, null,
    $created_at, null, $password_is_one_time
)

-- name: load_user
select id, username, display_name, email, role, oidc_subject, sessions_valid_after, disabled_at, created_at, last_seen_at,
    coalesce(password_is_one_time, false) as password_is_one_time
from users where id = $id

-- name: find_user
select id, username, display_name, email, role, oidc_subject, sessions_valid_after, disabled_at, created_at, last_seen_at,
    coalesce(password_is_one_time, false) as password_is_one_time
from users where username = $username

-- name: find_oidc_user
select id, username, display_name, email, role, oidc_subject, sessions_valid_after, disabled_at, created_at, last_seen_at,
    coalesce(password_is_one_time, false) as password_is_one_time
from users where oidc_subject = $oidc_subject

-- name: list_users
select id, username, display_name, email, role, oidc_subject, sessions_valid_after, disabled_at, created_at, last_seen_at,
    coalesce(password_is_one_time, false) as password_is_one_time
from users order by username

-- name: load_password_hash
select password_hash from users where username = $username

-- name: set_password_hash
update users
set password_hash = $password_hash, password_is_one_time = $one_time, sessions_valid_after = $now where id = $id

-- name: set_display_name
update users set display_name = $display_name where id = $id

-- name: set_role
update users set role = $role where id = $id

-- name: set_disabled_at
update users set disabled_at = $disabled_at where id = $id

-- name: end_sessions
update users set sessions_valid_after = $now where id = $id

-- name: set_last_seen
update users set last_seen_at = $now where id = $id
