-- What administrators changed about a model. It outlives the registry file's next version and the model's own absence.
create table model_overrides (
    model_id text primary key,
    value text not null,                    -- JSON: only the fields that differ from the registry
    updated_at timestamp not null
);
