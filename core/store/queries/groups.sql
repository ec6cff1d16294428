-- name: lock_groups
update account_locks set version = version + 1 where name = 'groups'

-- name: list_groups
select id, name, created_at from user_groups order by name_key

-- name: list_members
select group_id, user_id, source from group_members

-- name: list_claims
select user_id, claimed_at from group_claims

-- name: load_group
select id, name from user_groups where id = $id

-- name: find_group
select id, name from user_groups where name_key = $name_key

-- name: insert_group
insert into user_groups (id, name, name_key, created_at) values ($id, $name, $name_key, $now)

-- name: rename_group
update user_groups set name = $name, name_key = $name_key where id = $id

-- name: delete_group
delete from user_groups where id = $id

-- name: delete_members
delete from group_members where group_id = $group_id

-- name: load_members
select users.id, users.username
from group_members join users on users.id = group_members.user_id
where group_members.group_id = $group_id order by users.username

-- name: usernames
select id, username from users

-- name: add_member
insert into group_members (group_id, user_id, source, added_at) values ($group_id, $user_id, $source, $now)

-- name: remove_member
delete from group_members where group_id = $group_id and user_id = $user_id

-- name: load_claim
select claimed_at from group_claims where user_id = $user_id

-- name: save_claim
insert into group_claims (user_id, claimed_at) values ($user_id, $claimed_at)
on conflict (user_id) do update set claimed_at = excluded.claimed_at

-- name: groups_of_person
select user_groups.id, user_groups.name, user_groups.name_key, group_members.source
from user_groups left join group_members
    on group_members.group_id = user_groups.id and group_members.user_id = $user_id
order by user_groups.name_key
