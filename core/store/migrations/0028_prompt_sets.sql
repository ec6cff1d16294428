-- Sets of prompts, runs of a set on several models, and what people and models say of the answers.

create table prompt_sets (
    id text primary key,
    owner_id text not null,
    name text not null,
    use_case text,                          -- what votes on its answers count for; null: each prompt's category
    shared boolean not null,                -- with the team, which may run it but not change it
    created_at timestamp not null,
    updated_at timestamp not null
);

create table set_prompts (
    set_id text not null,
    position integer not null,
    category text not null,
    turns text not null,                    -- JSON list: messages asked one after the other in one conversation
    primary key (set_id, position)
);

create table set_runs (
    id text primary key,                    -- also the comparison_id of its conversations, which keeps them out of lists
    set_id text not null,
    set_name text not null,                 -- at the time: a set that was deleted keeps its name here
    user_id text not null,
    use_case text,
    shared boolean not null,                -- whether the team may judge its answers and read its report
    models text not null,                   -- JSON object: label by id, in the order they were chosen
    created_at timestamp not null
);

-- The prompts as they were when the run began.
create table run_prompts (
    run_id text not null,
    position integer not null,
    category text not null,
    turns text not null,
    primary key (run_id, position)
);

create table set_jobs (
    id text primary key,
    run_id text not null,
    user_id text not null,
    kind text not null,                     -- answer | judge
    state text not null,                    -- running | paused | done | cancelled
    note text,                              -- why it paused, in words
    created_at timestamp not null
);

create table run_answers (
    conversation_id text primary key,
    job_id text not null,
    run_id text not null,
    position integer not null,
    model_id text not null,
    state text not null,                    -- waiting | done | failed
    problem text
);

-- What a model says of two answers. Never a vote: people's are in a table of their own.
create table machine_judgements (
    conversation_id text primary key,
    job_id text not null,
    run_id text not null,
    position integer not null,
    judge_model text not null,
    model_a text not null,                  -- whose answer was shown first; every pair is judged in both orders
    model_b text not null,
    state text not null,                    -- waiting | done | failed | unreadable
    verdict text,                           -- A | B | tie; null unless done
    reason text,
    problem text
);
