-- name: load_layers
-- What the team, the person and the conversation set for one model, in one look at the store.
select 'team' as layer, value from team_defaults where name = $name
union all
select 'mine' as layer, value from preferences where user_id = $user_id and name = $name
union all
select 'conversation' as layer, parameters as value from conversation_parameters
where conversation_id = $conversation_id and user_id = $user_id

-- name: save_conversation_parameters
-- Only for a conversation of this person.
insert into conversation_parameters (conversation_id, user_id, parameters, updated_at)
select id, user_id, $parameters, $now from conversations where id = $conversation_id and user_id = $user_id
on conflict (conversation_id) do update set parameters = excluded.parameters, updated_at = excluded.updated_at
