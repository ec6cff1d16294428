-- What people set beside their messages: values of a conversation, presets, and the team's defaults.

create table conversation_parameters (
    conversation_id text primary key,
    user_id text not null,
    parameters text not null,               -- JSON object: name -> value; `system_prompt` is one of the names
    updated_at timestamp not null
);

create table presets (
    id text primary key,
    owner_id text not null,
    name text not null,
    model_id text,                          -- null: whatever model is chosen
    parameters text not null,               -- JSON object, as in conversation_parameters
    shared boolean not null,                -- everybody may use it; only its owner changes it
    created_at timestamp not null,
    updated_at timestamp not null
);

-- Preferences of the team, set by administrators: the same names and values as in `preferences`.
create table team_defaults (
    name text primary key,
    value text not null,                    -- JSON
    updated_at timestamp not null
);
