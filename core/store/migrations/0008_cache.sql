-- Answers kept for the same question, where the registry switches that on for a model (docs/caching.md).
create table answer_cache (
    key text primary key,                   -- SHA-256 of everything that shapes the answer
    user_id text not null,                  -- who asked: the answer goes when their data is deleted
    text text not null,
    reasoning text not null,
    input_tokens bigint not null,           -- what the answer took when it was given
    cached_input_tokens bigint not null,
    cache_write_tokens bigint not null,
    image_tokens bigint not null,
    output_tokens bigint not null,
    reasoning_tokens bigint not null,
    created_at timestamp not null,
    expires_at timestamp not null
);
