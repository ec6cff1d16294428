-- name: insert_set
insert into prompt_sets (id, owner_id, name, use_case, shared, created_at, updated_at)
values ($id, $owner_id, $name, $use_case, $shared, $now, $now)

-- name: update_set
update prompt_sets set name = $name, use_case = $use_case, shared = $shared, updated_at = $now
where id = $id and owner_id = $owner_id

-- name: touch_set
update prompt_sets set updated_at = $now where id = $id

-- name: delete_set_prompts
delete from set_prompts where set_id = $id

-- name: delete_set
delete from prompt_sets where id = $id and owner_id = $owner_id

-- name: insert_prompts
insert into set_prompts (set_id, position, category, turns)
select $id, unnest($position), unnest($category), unnest($turns)

-- name: list_sets
select prompt_sets.id, prompt_sets.owner_id, prompt_sets.name, prompt_sets.use_case, prompt_sets.shared,
    users.display_name as owner_name,
    (select count(*) from set_prompts where set_id = prompt_sets.id) as prompts
from prompt_sets
left join users on users.id = prompt_sets.owner_id
where prompt_sets.owner_id = $user_id or prompt_sets.shared
order by prompt_sets.owner_id = $user_id desc, lower(prompt_sets.name), prompt_sets.id

-- name: load_prompts
select category, turns from set_prompts where set_id = $id order by position

-- name: first_questions
-- What this person began their own chats with, the newest first.
select conversations.id, conversations.title, messages.content, conversations.created_at
from conversations
join messages on messages.conversation_id = conversations.id
where conversations.user_id = $user_id and conversations.deleted_at is null and conversations.comparison_id is null
    and messages.role = 'user' and messages.parent_id is null and messages.content <> ''
    and messages.deleted_at is null
order by conversations.created_at desc, messages.id desc
limit $limit
