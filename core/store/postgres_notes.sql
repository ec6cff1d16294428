-- Which calls of the ledger were written, corrected, changed or deleted, and by which transaction: what the copies for
-- analytics of all replicas follow (docs/adr/0014). In a schema of its own: it is no part of the data.
do $make$
begin
    perform pg_advisory_xact_lock(hashtext('ledger_notes'));
    create schema if not exists ledger_notes;
    create table if not exists ledger_notes.touched (
        written_in bigint not null,
        noted_at timestamptz not null default now(),
        attempt_id text collate "C" not null,
        started_at timestamp not null
    );
    create index if not exists touched_by_transaction on ledger_notes.touched (written_in);
    -- Every replica has seen these, or compares everything (core.store.copied_calls).
    delete from ledger_notes.touched where noted_at < now() - interval '2 days';

    create or replace function ledger_notes.note_attempt() returns trigger language plpgsql as $note$
    begin
        if tg_op <> 'INSERT' then
            insert into ledger_notes.touched values (pg_current_xact_id()::text::bigint, now(), old.id, old.started_at);
        end if;
        if tg_op <> 'DELETE' then
            insert into ledger_notes.touched values (pg_current_xact_id()::text::bigint, now(), new.id, new.started_at);
        end if;
        return null;
    end $note$;

    create or replace function ledger_notes.note_adjustment() returns trigger language plpgsql as $note$
    begin
        if tg_op <> 'INSERT' then
            insert into ledger_notes.touched
            values (pg_current_xact_id()::text::bigint, now(), old.attempt_id, old.attempt_started_at);
        end if;
        if tg_op <> 'DELETE' then
            insert into ledger_notes.touched
            values (pg_current_xact_id()::text::bigint, now(), new.attempt_id, new.attempt_started_at);
        end if;
        return null;
    end $note$;

    if not exists (select from pg_trigger where tgname = 'ledger_noted' and tgrelid = 'attempts'::regclass) then
        create trigger ledger_noted after insert or update or delete on attempts
            for each row execute function ledger_notes.note_attempt();
    end if;
    if not exists (select from pg_trigger where tgname = 'ledger_noted' and tgrelid = 'adjustments'::regclass) then
        create trigger ledger_noted after insert or update or delete on adjustments
            for each row execute function ledger_notes.note_adjustment();
    end if;
end $make$
