-- Several replicas on one store: who is alive, and which of them answers which turn and works on which job.

create table replicas (
    id text primary key,                    -- of one run of one process
    name text not null,                     -- host and port, for people
    beat bigint not null,                   -- grows every few seconds while it lives
    secret_mark text not null,              -- of the key that signs sessions: all must have the same
    files_mark text not null,               -- of the folder of attached files: all must share one
    seen_at timestamp not null
);

-- Of running turns only. A store that one process has to itself keeps none.
create table turn_owners (
    turn_id text primary key,
    conversation_id text not null,
    answer_message_id text not null,
    continues text,                         -- the message that the answer goes on with
    owner text not null,                    -- a replica
    stop_asked boolean not null             -- by somebody on another replica
);

create table job_owners (
    job_id text primary key,
    owner text not null
);
