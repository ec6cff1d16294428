-- name: insert_invoice
insert into invoices (
    id, provider, file_name, layout, gives, content_hash, bad_rows, imported_at, imported_by
) values (
    $id, $provider, $file_name, $layout, $gives, $content_hash, $bad_rows, $imported_at, $imported_by
)

-- name: same_file
select file_name, imported_at from invoices where content_hash = $content_hash

-- name: taken_days
-- The days for which another file of this provider already gives one of the same things.
select distinct invoice_lines.day, invoices.file_name
from invoices join invoice_lines on invoice_lines.invoice_id = invoices.id
where invoices.provider = $provider
    and case when $gives = 'both' or invoices.gives = 'both' then true else invoices.gives = $gives end
order by 1

-- name: list_invoices
select
    invoices.id, invoices.provider, invoices.file_name, invoices.layout, invoices.gives, invoices.bad_rows,
    invoices.imported_at, coalesce(users.display_name, users.username) as imported_by,
    count(invoice_lines.line) as lines, min(invoice_lines.day) as first_day, max(invoice_lines.day) as last_day,
    sum(invoice_lines.amount_usd)::decimal(38,9) as amount_usd
from invoices
left join invoice_lines on invoice_lines.invoice_id = invoices.id
left join users on users.id = invoices.imported_by
group by all
order by invoices.imported_at desc, invoices.id desc

-- name: find_invoice
select id, provider, file_name from invoices where id = $id

-- name: delete_invoice
delete from invoices where id = $id

-- name: delete_invoice_lines
delete from invoice_lines where invoice_id = $id

-- name: billed
-- What a provider's files say, by day and its own model name.
select
    day, model, sum(amount_usd)::decimal(38,9) as amount_usd, sum(calls)::bigint as calls,
    sum(input_tokens)::bigint as input_tokens, sum(cached_input_tokens)::bigint as cached_input_tokens,
    sum(cache_write_tokens)::bigint as cache_write_tokens, sum(output_tokens)::bigint as output_tokens
from invoice_lines join invoices on invoices.id = invoice_lines.invoice_id
where invoices.provider = $provider and day >= $since and day < $until
group by day, model

-- name: ours
-- What the ledger says of the same calls. An answer from our own cache and a call without a token were never billed.
-- `computed_cost_usd` is null where a call is unpriced, also when its provider reported a cost.
select make_date(day_number) as day, * exclude (day_number)
from (select
    (epoch_us(started_at) // 86400000000)::integer as day_number, coalesce(served_model, requested_model) as model_id,
    max(upstream_model) as upstream_model, count(*) as calls,
    count(*) filter (where computed_cost_usd is null) as unpriced_calls,
    sum(input_tokens)::bigint as input_tokens, sum(cached_input_tokens)::bigint as cached_input_tokens,
    sum(cache_write_tokens)::bigint as cache_write_tokens, sum(output_tokens)::bigint as output_tokens,
    coalesce(sum(input_tokens + output_tokens) filter (where computed_cost_usd is null), 0)::bigint as unpriced_tokens,
    coalesce(sum(computed_cost_usd), 0)::decimal(38,9) as computed_usd,
    coalesce(sum(reported_cost_usd), 0)::decimal(38,9) as reported_usd, count(reported_cost_usd) as reported_calls
from ledger
where provider = $provider and started_at >= $since and started_at < $until
    and not cached and input_tokens + output_tokens > 0
group by 1, 2)

-- name: providers
select distinct provider from attempts where source <> 'probe' order by 1
