-- The price book: what every model costs, from when to when. Sheets are only added: of two that hold at one moment the
-- one with the higher version counts, so that a price entered late replaces another for its time and deletes nothing.
create table price_sheets (
    version integer primary key,            -- the ledger's price_version is "book <version>"
    model_id text not null,
    valid_from timestamp not null,
    valid_to timestamp,                     -- null: until further notice
    source text not null,                   -- registry | litellm <version> | administrator
    off_peak_hours text,                    -- JSON: when the lines of the service "off_peak" hold
    entered_at timestamp not null,
    entered_by text,                        -- users.id; null: the installation itself
    reason text not null
);

create table price_lines (
    version integer not null,
    service text not null,                  -- standard | off_peak | batch | flex | priority
    above_tokens bigint not null,           -- holds for a call whose input is longer; 0 for every call
    bucket text not null,                   -- core.catalog.models.BUCKETS
    usd_per_million decimal(24,9) not null, -- of tokens; of calls for the bucket "request"
    primary key (version, service, above_tokens, bucket)
);

-- Prices that a file or LiteLLM's map offers and somebody does not want: not proposed again until they change.
create table price_declines (
    id text primary key,
    model_id text not null,
    digest text not null,                   -- of the offered lines
    declined_at timestamp not null,
    declined_by text,
    reason text not null
);
