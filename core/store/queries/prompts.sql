-- name: list_prompts
select prompts.id, prompts.owner_id, prompts.name, prompts.body, prompts.shared, users.display_name as owner_name
from prompts left join users on users.id = prompts.owner_id
where prompts.owner_id = $user_id or prompts.shared
order by prompts.owner_id <> $user_id, lower(prompts.name), prompts.id

-- name: find_prompt_by_name
select id from prompts where owner_id = $owner_id and lower(name) = lower($name)

-- name: insert_prompt
insert into prompts (id, owner_id, name, body, shared, created_at, updated_at)
values ($id, $owner_id, $name, $body, $shared, $now, $now)

-- name: replace_prompt
update prompts set name = $name, body = $body, shared = $shared, updated_at = $now
where id = $id and owner_id = $owner_id

-- name: load_own_prompt
select id from prompts where id = $id and owner_id = $owner_id

-- name: share_prompt
update prompts set shared = $shared, updated_at = $now where id = $id and owner_id = $owner_id

-- name: delete_prompt
delete from prompts where id = $id and owner_id = $owner_id
