-- The health of models beyond the ledger: probes that cost nothing, and how their states changed. Kept for 30 days.

create table health_events (
    id text primary key,
    model_id text not null,
    probed_at timestamp not null,
    duration_ms double precision not null,
    problem text                            -- in plain words; null: it answered
);

create table status_changes (
    id text primary key,
    model_id text not null,
    changed_at timestamp not null,
    state text not null,                    -- healthy | slow | down | unknown
    reason text not null
);
